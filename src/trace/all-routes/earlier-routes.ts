/** Which of the routes before a route takes its request. */
import { child, type Message } from "../../snapshot/message.js";
import { asciiLower } from "../matchers/string-matcher.js";
import { matchRoute, pathSpecifier, type RouteInput } from "../route/route-match.js";

/** How many routes are tried for all routes of one configuration: what many cost must not grow with their square. */
export interface Budget {
  left: number;
}

export const budgetOfConfiguration = (): Budget => ({ left: 500_000 });

/**
 * Routes in order, found by the path that they ask for: those that a path cannot fit are not tried.
 * They are added one by one, each after what comes before it was asked.
 */
export class EarlierRoutes {
  readonly #byPath = new Map<string, Placed[]>();
  readonly #byPrefix = new Map<string, Placed[]>();
  readonly #prefixLengths = new Set<number>();
  readonly #others: Placed[] = [];
  #count = 0;

  constructor(private readonly budget: Budget) {}

  add(route: Message): void {
    const specifier = pathSpecifier(child(route, "match"));
    const placed = { route, index: this.#count++ };
    if (specifier.kind === "path") append(this.#byPath, asciiLower(specifier.value), placed);
    else if (specifier.kind === "prefix" || specifier.kind === "path_separated_prefix") {
      append(this.#byPrefix, asciiLower(specifier.value), placed);
      this.#prefixLengths.add(specifier.value.length);
    } else this.#others.push(placed);
  }

  /** The first that takes the request for certain; null: none does; "not known" where too many would have to be tried. */
  taker(input: RouteInput): Message | null | "not known" {
    if (this.budget.left <= 0) return "not known";
    const candidates = this.#candidates(input);
    this.budget.left -= candidates.length + this.#prefixLengths.size;
    for (const { route } of candidates) {
      const { holds, fraction } = matchRoute(route, input);
      if (holds === true && fraction === null) return route;
    }
    return null;
  }

  #candidates({ path, ignoresPathParameters }: RouteInput): readonly Placed[] {
    if (path === undefined) return this.#others;
    const whole = asciiLower(path);
    const found = [...this.#others];
    const end = whole.search(ignoresPathParameters ? /[?#;]/ : /[?#]/);
    found.push(...(this.#byPath.get(end < 0 ? whole : whole.slice(0, end)) ?? []));
    for (const length of this.#prefixLengths)
      if (length <= whole.length) found.push(...(this.#byPrefix.get(whole.slice(0, length)) ?? []));
    return found.sort((a, b) => a.index - b.index);
  }
}

interface Placed {
  readonly route: Message;
  readonly index: number;
}

function append(map: Map<string, Placed[]>, key: string, placed: Placed): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [placed]);
  else known.push(placed);
}
