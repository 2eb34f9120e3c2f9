/**
 * URI templates of paths, `/api/{version=*}/**` (`source/extensions/path/uri_template_lib`): matched through a regular
 * expression with a group for each variable, rewritten from those groups.
 */
import type { EnvoyMinor } from "../match-context.js";
import { unknownTruth, type Ternary, type UnknownTruth } from "../ternary.js";
import { unknown } from "../unknown.js";
import { fullMatch, groupsOf, namedGroup } from "./regex.js";

const literal = "a-zA-Z0-9-._~%!$&'()+,;:@=";
/** Since 1.35 a "*" in the path is matched by the operators, too (`uri_template_match_on_asterisk`). */
const asteriskSince: EnvoyMinor = 35;

/** Whether a path without its query matches; unknown for a template that Envoy would refuse. */
export function matchTemplate(template: string, path: string, envoy: EnvoyMinor): Ternary {
  const pattern = templatePattern(template, envoy);
  return pattern === null ? refused(template) : fullMatch(pattern, path);
}

/** The path that a rewrite makes of one that its template matches; null where it fails, and the path stays. */
export function rewriteByTemplate(
  template: string,
  rewrite: string,
  path: string,
  envoy: EnvoyMinor,
): string | null | UnknownTruth {
  const pattern = templatePattern(template, envoy);
  if (pattern === null) return refused(template);
  const groups = groupsOf(pattern, path);
  if (groups === null || "because" in groups) return groups;
  const pieces: string[] = [];
  for (const [, text, variable] of rewrite.matchAll(/([^{]+)|\{([^{}]*)\}/g)) {
    if (variable === undefined) {
      pieces.push(text ?? "");
      continue;
    }
    const group = namedGroup(pattern, variable);
    if (group === undefined) return refused(rewrite);
    if (isUnknownGroup(group)) return group;
    pieces.push(groups[group] ?? "");
  }
  return pieces.join("");
}

const isUnknownGroup = (group: number | UnknownTruth): group is UnknownTruth => typeof group === "object";

/** The regular expression of a template; null where it is none. */
export function templatePattern(template: string, envoy: EnvoyMinor): string | null {
  if (!template.startsWith("/")) return null;
  const characters = envoy >= asteriskSince ? `${literal}*` : literal;
  const segment = `[${characters}]+`;
  const tail = `[${characters}/]*`;
  const piece = /\*\*|\*|\{([a-zA-Z][a-zA-Z0-9_]{0,15})(?:=([^{}]+))?\}|[a-zA-Z0-9\-._~%!$&'()+,;:@=/]+/y;
  const written: string[] = [];
  while (piece.lastIndex < template.length) {
    const match = piece.exec(template);
    if (match === null) return null;
    const [whole, name, own] = match;
    if (name === undefined) written.push(operatorOr(whole, segment, tail));
    else {
      const inner = (own ?? "*").split(/(\*\*|\*)/).map((one) => operatorOr(one, segment, tail));
      written.push(`(?P<${name}>${inner.join("")})`);
    }
  }
  return written.join("");
}

function operatorOr(piece: string, segment: string, tail: string): string {
  if (piece === "*") return segment;
  return piece === "**" ? tail : piece.replace(/[$()+.]/g, "\\$&");
}

const refused = (template: string): UnknownTruth =>
  unknownTruth(unknown("expression", `The URI template ${JSON.stringify(template)} is not understood.`));
