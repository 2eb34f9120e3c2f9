/** Rewriting of `:path` (`RouteEntryImplBase::currentUrlPathAfterRewriteWithMatchedPath`). */
import { child, text, typeOf, unpacked, type Message } from "../../snapshot/message.js";
import { pathOnly } from "../matchers/path-matcher.js";
import { isText, replaceAll } from "../matchers/regex.js";
import { regexIn } from "../matchers/string-matcher.js";
import { rewriteByTemplate } from "../matchers/uri-template.js";
import type { EnvoyMinor } from "../match-context.js";
import type { UnknownTruth } from "../ternary.js";
import { format, type FormatInput } from "./formatters.js";
import { pathSpecifier } from "./route-match.js";

/** Since then, a regular expression that leaves nothing of the path does not rewrite it. */
const keepsPathSince: EnvoyMinor = 37;

/** The new path with its query; null where nothing rewrites it. */
export type RewrittenPath = string | null | UnknownTruth;

/** The path that a route sends on. @param path as it is at that point, with its query */
export function rewrittenPath(route: Message, path: string, input: FormatInput): RewrittenPath {
  const action = child(route, "route");
  const formatted = text(action, "path_rewrite");
  if (formatted !== "") return byFormat(formatted, path, input);
  const policy = child(action, "path_rewrite_policy", "typed_config");
  if (policy !== undefined) return byPolicy(route, policy, path, input.context.envoy);
  const byPrefix = rewrittenByPrefix(route, text(action, "prefix_rewrite"), path);
  if (byPrefix !== null) return byPrefix;
  const byRegex = rewrittenByRegex(child(action, "regex_rewrite"), path);
  if (byRegex === null || !isText(byRegex)) return byRegex;
  return pathOnly(byRegex) === "" && input.context.envoy >= keepsPathSince ? null : byRegex;
}

/** Replaces as many characters as the route's path has, of any case; "" is not set. */
export function rewrittenByPrefix(route: Message, rewrite: string, path: string): string | null {
  return rewrite === "" ? null : rewrite + path.slice(matchedLength(route, path));
}

/** Replaces all matches in the path, and keeps the query; null where there is no such rewrite. */
export function rewrittenByRegex(rewrite: Message | undefined, path: string): RewrittenPath {
  if (rewrite === undefined) return null;
  const own = pathOnly(path);
  const replaced = replaceAll(regexIn(rewrite, "pattern"), own, text(rewrite, "substitution"));
  return isText(replaced) ? replaced + path.slice(own.length) : replaced;
}

/** How much of a path the route's own takes up. */
function matchedLength(route: Message, path: string): number {
  const specifier = pathSpecifier(child(route, "match"));
  switch (specifier.kind) {
    case "prefix":
    case "path":
    case "path_separated_prefix":
      return specifier.value.length;
    default:
      return pathOnly(path).length;
  }
}

function byFormat(template: string, path: string, input: FormatInput): RewrittenPath {
  const { text: own, unknowns } = format(template, input);
  if (unknowns.length > 0) return { because: unknowns };
  return own === "" ? null : own + path.slice(pathOnly(path).length);
}

function byPolicy(route: Message, policy: Message, path: string, envoy: EnvoyMinor): RewrittenPath {
  const specifier = pathSpecifier(child(route, "match"));
  if (
    !typeOf(policy).endsWith(".uri_template.v3.UriTemplateRewriteConfig") ||
    specifier.kind !== "uri_template"
  )
    return {
      because: [
        { reason: "expression", message: `A path rewrite of the type ${typeOf(policy)} is not evaluated.` },
      ],
    };
  const own = pathOnly(path);
  const rewrite = text(unpacked(policy), "path_template_rewrite");
  const rewritten = rewriteByTemplate(specifier.value, rewrite, own, envoy);
  if (rewritten === null) return envoy >= keepsPathSince ? null : path;
  return isText(rewritten) ? rewritten + path.slice(own.length) : rewritten;
}
