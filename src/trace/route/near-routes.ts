/** Routes that would have taken a request, but for one condition, or but for an earlier route. */
import { child, text, type Message } from "../../snapshot/message.js";
import { fullMatch } from "../matchers/regex.js";
import { pathOnly } from "../matchers/path-matcher.js";
import { isUnknown } from "../ternary.js";
import {
  matchPathOf,
  pathSpecifier,
  routeConditions,
  type Condition,
  type ConditionKind,
  type PathSpecifier,
  type RouteInput,
} from "./route-match.js";

export interface RouteNearMiss {
  readonly route: Message;
  /** Its place in the list. */
  readonly index: number;
  readonly name: string;
  /** The condition that did not hold; `order` where an earlier route was first. */
  readonly kind: ConditionKind | "order";
  readonly because: string;
}

/** At most this many of them are told. */
const mostNearMisses = 10;

/**
 * @param routes of the virtual host, in order
 * @param winner the place of the route that took the request; null where none did
 */
export function nearRoutes(
  routes: readonly Message[],
  winner: number | null,
  input: RouteInput,
): RouteNearMiss[] {
  const found: RouteNearMiss[] = [];
  const first = winner === null ? undefined : routes[winner];
  const winning = first === undefined ? null : weighed(first, input);
  for (const [index, route] of routes.entries()) {
    if (found.length >= mostNearMisses) break;
    if (index === winner) continue;
    const isBehind = winner !== null && index > winner;
    const miss = nearMissOf(weighed(route, input), isBehind ? winning : null, input);
    if (miss !== null) found.push({ route, index, name: text(route, "name"), ...miss });
  }
  return found;
}

/** A route and what tells which of two is the more specific. */
interface Weighed {
  readonly route: Message;
  readonly conditions: readonly Condition[];
  readonly pathLength: number;
}

function weighed(route: Message, input: RouteInput): Weighed {
  const specifier = pathSpecifier(child(route, "match"));
  const pathLength = "value" in specifier ? specifier.value.length : 0;
  return { route, conditions: routeConditions(route, input), pathLength };
}

/** @param first the route that took the request, where it stands before this one */
function nearMissOf(
  own: Weighed,
  first: Weighed | null,
  input: RouteInput,
): Pick<RouteNearMiss, "kind" | "because"> | null {
  const [only, ...others] = own.conditions.filter(({ holds }) => holds === false);
  if (only === undefined) {
    return first === null || !isMoreSpecific(own, first)
      ? null
      : { kind: "order", because: `${wordsOf(first.conditions)} comes first and takes the request` };
  }
  if (others.length > 0 || (first !== null && own.conditions.length <= first.conditions.length)) return null;
  const because = only.kind === "path" ? nearPath(own.route, input) : otherwiseWords(only);
  return because === null ? null : { kind: only.kind, because };
}

/** Longer in its path, or with more conditions. */
const isMoreSpecific = (own: Weighed, first: Weighed): boolean =>
  own.pathLength > first.pathLength || own.conditions.length > first.conditions.length;

const otherwiseWords = ({ words }: Condition): string =>
  `all but one of its conditions hold: ${words} does not`;

/** Why a path is near; null for one that is another path. */
function nearPath(route: Message, input: RouteInput): string | null {
  const specifier = pathSpecifier(child(route, "match"));
  const path = input.path;
  if (path === undefined) return null;
  if ("isCaseSensitive" in specifier && specifier.isCaseSensitive) {
    const anyCase: PathSpecifier = { ...specifier, isCaseSensitive: false };
    if (matchPathOf(anyCase, path, input) === true)
      return `its ${specifier.kind} ${specifier.value} differs in case only`;
  }
  const own = pathOnly(path);
  const other = own.endsWith("/") ? own.slice(0, -1) : `${own}/`;
  if (matchPathOf(specifier, other, input) === true)
    return `its path would match ${own.endsWith("/") ? "without" : "with"} a "/" at the end`;
  return specifier.kind === "safe_regex" && matchesPart(specifier.value, own)
    ? `its regular expression ${specifier.value} matches a part of the path, and has to match all of it`
    : null;
}

function matchesPart(pattern: string, path: string): boolean {
  const matches = fullMatch(`(?s:.*)(?:${pattern})(?s:.*)`, path);
  return !isUnknown(matches) && matches;
}

/** The conditions of a route in words: `prefix /reviews, header end-user exact "jason"`. */
export const routeWords = (route: Message, input: RouteInput): string =>
  wordsOf(routeConditions(route, input));

const wordsOf = (conditions: readonly Condition[]): string => conditions.map(({ words }) => words).join(", ");
