/** Actions of routes: clusters, rewriting, redirects, direct responses, and what a route says of headers. */
import type { JsonObject } from "../../mesh/json.js";
import type { Random } from "../../mesh/random.js";
import { chance } from "./near-values.js";

const regexes = [
  { pattern: { regex: "/a" }, substitution: "/z" },
  { pattern: { regex: "([^/]+)/([^/]+)" }, substitution: "\\2/\\1" },
  { pattern: { regex: "b*" }, substitution: "-" },
  { pattern: { regex: "^/.*$" }, substitution: "" },
];

/**
 * The part of a route beside its match.
 * @param clusters one of them may be missing
 * @param hasPrefix whether `prefix_rewrite` may stand beside the match: not with a template
 */
export function routeAction(random: Random, clusters: readonly string[], hasPrefix: boolean): JsonObject {
  const forwarding = (): JsonObject => ({ ...pathRewrite(random, hasPrefix), ...hostRewrite(random) });
  const headers = headerMutations(random);
  switch (random.between(0, 9)) {
    case 0:
    case 1:
      return { redirect: redirect(random, hasPrefix), ...headers };
    case 2:
      return {
        direct_response: {
          status: random.pick([200, 204, 302, 404, 503]),
          ...(chance(random, 0.5) && { body: { inline_string: "body" } }),
        },
        ...headers,
      };
    case 3:
      return { route: { cluster_header: random.pick(["x", ":authority"]), ...forwarding() }, ...headers };
    case 4:
    case 5:
      return {
        route: { weighted_clusters: weightedClusters(random, clusters), ...forwarding() },
        ...headers,
      };
    default:
      return {
        route: {
          cluster: random.pick(clusters),
          ...(chance(random, 0.2) && {
            cluster_not_found_response_code: random.pick(["NOT_FOUND", "INTERNAL_SERVER_ERROR"]),
          }),
          ...forwarding(),
        },
        ...headers,
      };
  }
}

function weightedClusters(random: Random, clusters: readonly string[]): JsonObject {
  const entries = random
    .shuffle(clusters)
    .slice(0, random.between(1, 3))
    .map((name) => ({ name, weight: random.pick([0, 1, 1, 5, 99]) }));
  const total = entries.reduce((sum, { weight }) => sum + weight, 0);
  return {
    clusters: total === 0 ? entries.map((entry) => ({ ...entry, weight: 1 })) : entries,
    ...(chance(random, 0.4) && { header_name: "y" }),
  };
}

function pathRewrite(random: Random, hasPrefix: boolean): JsonObject {
  if (chance(random, 0.7)) return {};
  return random.pick<JsonObject>([
    ...(hasPrefix ? [{ prefix_rewrite: "/" }, { prefix_rewrite: "/new" }, { prefix_rewrite: "/new/" }] : []),
    { regex_rewrite: random.pick(regexes) },
  ]);
}

function hostRewrite(random: Random): JsonObject {
  if (chance(random, 0.75)) return {};
  return random.pick<JsonObject>([
    { host_rewrite_literal: "re.written" },
    { host_rewrite_header: "x" },
    { host_rewrite_path_regex: { pattern: { regex: "^/([^/]*).*$" }, substitution: "\\1.host" } },
  ]);
}

const redirect = (random: Random, hasPrefix: boolean): JsonObject => ({
  ...(chance(random, 0.4) && { host_redirect: random.pick(["r.com", "r.com:82"]) }),
  ...(chance(random, 0.3) && { port_redirect: random.pick([80, 443, 8080]) }),
  ...(chance(random, 0.4) &&
    random.pick<JsonObject>([
      { https_redirect: true },
      { scheme_redirect: "http" },
      { scheme_redirect: "https" },
    ])),
  ...(chance(random, 0.5) &&
    random.pick<JsonObject>([
      { path_redirect: "/there" },
      { path_redirect: "/there?own=1" },
      ...(hasPrefix ? [{ prefix_rewrite: "/pre" }] : []),
      { regex_rewrite: random.pick(regexes) },
    ])),
  ...(chance(random, 0.25) && { strip_query: true }),
  ...(chance(random, 0.4) && { response_code: random.pick(["FOUND", "SEE_OTHER", "TEMPORARY_REDIRECT"]) }),
});

const headerMutations = (random: Random): JsonObject => ({
  ...(chance(random, 0.2) && {
    request_headers_to_add: [
      {
        header: { key: random.pick(["x", "added"]), value: "route" },
        append_action: random.pick([
          ...["APPEND_IF_EXISTS_OR_ADD", "ADD_IF_ABSENT"],
          ...["OVERWRITE_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS"],
        ]),
      },
    ],
  }),
  ...(chance(random, 0.1) && { request_headers_to_remove: [random.pick(["x", "y"])] }),
  ...(chance(random, 0.1) && { response_headers_to_add: [{ header: { key: "added", value: "response" } }] }),
});
