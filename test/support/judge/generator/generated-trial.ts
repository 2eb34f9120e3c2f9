/** A configuration and requests by seed: the same ones on every machine. */
import type { JsonObject } from "../../mesh/json.js";
import { randomFor, type Random } from "../../mesh/random.js";
import type { Trial } from "../judge.js";
import type { JudgedRequest } from "../judged-request.js";
import {
  chain,
  downstreamTls,
  extension,
  httpInspector,
  httpManager,
  listener,
  proxyProtocol,
  tcpProxy,
  tlsInspector,
  typeUrl,
} from "../messages.js";
import { generatedClusters } from "./clusters.js";
import { chainMatches, connectionFacts, isForTls, type ConnectionFacts } from "./filter-chains.js";
import { chance, some } from "./near-values.js";
import { networkRbacFilter, rbacFilter } from "./policies.js";
import { routeTable, type AimedRequest, type RouteTable } from "./route-tables.js";

export interface GeneratedTrial extends Trial {
  readonly seed: number;
  readonly routeNames: readonly string[];
  /** What each request was made for, by its index. */
  readonly aims: readonly Pick<AimedRequest, "aim" | "miss">[];
  /** Whether paths and hosts come to the routes as they were sent. */
  readonly isPlain: boolean;
}

export function generatedTrial(seed: number, requestCount: number): GeneratedTrial {
  const random = randomFor(seed, "judge");
  const name = `seed ${seed}`;
  const { clusters, names } = generatedClusters(random, name);
  const table = routeTable(random, names);
  const manager = managerOptions(random);
  const matches = chance(random, 0.35) ? chainMatches(random) : [{}];
  const http = withMetadataMatch(random, httpManager(table.routeConfig, httpFilters(random), manager));
  const draws = Array.from({ length: requestCount }, () => generatedRequest(random, table, matches));
  return {
    name,
    seed,
    configuration: {
      listeners: [
        listener(
          name,
          matches.map((match, index) => generatedChain(random, `chain ${index}`, match, http, names)),
          {
            listener_filters: [proxyProtocol, ...some(random, [tlsInspector, httpInspector], 0.85)],
            ...(chance(random, 0.4) && { default_filter_chain: chain("default", [http]) }),
          },
        ),
      ],
      clusters,
    },
    routeNames: table.routeNames,
    isPlain:
      Object.keys(manager).length === 0 && !table.routeConfig["ignore_path_parameters_in_path_matching"],
    requests: draws.map(({ request }) => request),
    aims: draws.map(({ aim, miss }) => ({ ...(aim && { aim }), ...(miss && { miss }) })),
  };
}

interface Draw extends Pick<AimedRequest, "aim" | "miss"> {
  readonly request: JudgedRequest;
}

function generatedRequest(random: Random, table: RouteTable, matches: readonly JsonObject[]): Draw {
  const { path, authority, headers, ...aims } = table.aimed(random);
  const facts: ConnectionFacts = connectionFacts(random, matches);
  const odd = chance(random, 0.12);
  // chains that end TLS take h2 where the client offers it
  const isH2 = facts.protocol === "h2" || facts.tls?.alpn?.includes("h2") === true;
  const request: JudgedRequest = {
    ...facts,
    ...(isH2 && { protocol: "h2" as const }),
    method: random.pick(["GET", "GET", "GET", "POST", "OPTIONS", "DELETE"]),
    path: odd ? oddPath(random, path) : path,
    authority,
    headers: [
      ...headers,
      ...(chance(random, 0.1) ? [["x-forwarded-proto", random.pick(["https", "http"])] as const] : []),
      ...(chance(random, 0.1)
        ? [["x-forwarded-for", random.pick(["10.9.9.9", "1.2.3.4, 10.9.1.1"])] as const]
        : []),
      ...(chance(random, 0.1) ? [["y", random.pick(["0", "7", "18446744073709551615"])] as const] : []),
    ],
  };
  // what is added or bent may meet a condition that was to be missed, or miss one
  const isBent = odd || request.headers?.length !== headers.length;
  return { request, ...(isBent ? {} : aims) };
}

const oddPath = (random: Random, path: string): string =>
  random.pick([
    ...[`/.${path}`, `/x/..${path}`, `/${path}`, path.replace("a", "%61"), path.replace("/", "/%2F")],
    ...[`${path}%5Cx`, `${path}/%2e%2e`, `${path};p=1`, `${path}?`, `${path}#frag`],
  ]);

/** What istiod sets, and a little more. */
function managerOptions(random: Random): JsonObject {
  if (chance(random, 0.5)) return {};
  return {
    ...(chance(random, 0.6) && { normalize_path: true }),
    ...(chance(random, 0.4) && { merge_slashes: true }),
    ...(chance(random, 0.3) && {
      path_with_escaped_slashes_action: random.pick([
        ...["KEEP_UNCHANGED", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD"],
      ]),
    }),
    ...(chance(random, 0.3) && { strip_trailing_host_dot: true }),
    ...(chance(random, 0.4) &&
      random.pick<JsonObject>([{ strip_any_host_port: true }, { strip_matching_host_port: true }])),
    ...(chance(random, 0.3) && { use_remote_address: true }),
    ...(chance(random, 0.2) && { xff_num_trusted_hops: 1 }),
  };
}

const httpFilters = (random: Random): JsonObject[] => [
  ...(chance(random, 0.25) ? [rbacFilter(random, "rbac one")] : []),
  ...(chance(random, 0.1) ? [rbacFilter(random, "rbac two")] : []),
  ...(chance(random, 0.1)
    ? [
        extension("fault", "envoy.extensions.filters.http.fault.v3.HTTPFault", {
          abort: { http_status: 418, percentage: { numerator: random.pick([0, 50, 100]) } },
          headers: [{ name: "x", present_match: true }],
        }),
      ]
    : []),
];

/** Some routes of the manager ask for a subset, or turn a filter off. */
function withMetadataMatch(random: Random, manager: JsonObject): JsonObject {
  const config = manager["typed_config"] as JsonObject;
  const table = config["route_config"] as JsonObject;
  const change = (route: JsonObject): JsonObject => {
    const { route: action } = route;
    return {
      ...route,
      ...(action !== undefined &&
        chance(random, 0.2) && {
          route: {
            ...(action as JsonObject),
            metadata_match: { filter_metadata: { "envoy.lb": { version: random.pick(["v1", "v2"]) } } },
          },
        }),
      ...(chance(random, 0.1) && {
        typed_per_filter_config: {
          "rbac one": { "@type": typeUrl("envoy.config.route.v3.FilterConfig"), disabled: true },
        },
      }),
    };
  };
  const hosts = (table["virtual_hosts"] as JsonObject[]).map((host) => ({
    ...host,
    routes: (host["routes"] as JsonObject[]).map(change),
  }));
  return { ...manager, typed_config: { ...config, route_config: { ...table, virtual_hosts: hosts } } };
}

function generatedChain(
  random: Random,
  name: string,
  match: JsonObject,
  http: JsonObject,
  clusters: readonly string[],
): JsonObject {
  const before = chance(random, 0.05) ? [networkRbacFilter(random)] : [];
  const last = chance(random, 0.88) ? http : tcpProxy(random.pick(clusters));
  return chain(
    name,
    [...before, last],
    match,
    isForTls(match) || chance(random, 0.03) ? downstreamTls({ alpn: ["h2", "http/1.1"] }) : {},
  );
}
