/** Which cluster a route leads to (`config_impl.cc`, `weighted_cluster_specifier.cc`). */
import {
  child,
  children,
  field,
  flag,
  number,
  text,
  typeOf,
  unpacked,
  type Message,
} from "../../snapshot/message.js";
import { wholeNumber } from "../matchers/header-matcher.js";
import { matchInputOf } from "../matchers/match-input.js";
import { evaluateTree } from "../matchers/matcher-tree.js";
import { cookiesOf, queryParameters } from "../matchers/query-matcher.js";
import { runtimeInteger } from "../matchers/runtime-fraction.js";
import { asciiLower } from "../matchers/string-matcher.js";
import type { MatchContext, Runtime } from "../match-context.js";
import { firstHeader, headerValue, type HeaderList } from "../request.js";
import { unknown, type Unknown } from "../unknown.js";
import type { Interval } from "./random-draw.js";

export interface ChosenCluster {
  /** "": none, which is answered like a cluster that does not exist. */
  readonly name: string;
  /** The entry of weighted clusters; null without them. */
  readonly entry: Message | null;
  /** The random numbers that choose it; null for all of them. */
  readonly interval: Interval | null;
}

export interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
  /** 0..1 */
  readonly share: number;
}

export type ClusterChoice =
  | {
      readonly kind: "clusters";
      readonly clusters: readonly ChosenCluster[];
      /** Whether the stream's random number chooses among them; otherwise a hash does, which is not computed. */
      readonly isRandom: boolean;
    }
  /** An optional plugin that Envoy lacks: the route does not match. */
  | { readonly kind: "no match" }
  | { readonly kind: "unknown"; readonly because: readonly Unknown[] };

/** The clusters that a `RouteAction` may lead to; an action of another kind leads to a cluster without a name. */
export function chooseCluster(
  config: Message,
  action: Message | undefined,
  context: MatchContext,
): ClusterChoice {
  const literal = text(action, "cluster");
  if (literal !== "") return one(literal);
  const header = text(action, "cluster_header");
  if (header !== "") return one(firstHeader(context.headers, asciiLower(header)) ?? "");
  const weighted = child(action, "weighted_clusters");
  if (weighted !== undefined) return chooseWeighted(weighted, action, context);
  const inline = child(action, "inline_cluster_specifier_plugin");
  if (inline !== undefined) return choosePlugin(inline, context);
  const name = text(action, "cluster_specifier_plugin");
  if (name === "") return one("");
  const plugin = children(config, "cluster_specifier_plugins").find(
    (each) => text(child(each, "extension"), "name") === name,
  );
  return plugin === undefined
    ? notKnown(
        "expression",
        `No cluster specifier plugin ${JSON.stringify(name)}: Envoy would have refused that.`,
      )
    : choosePlugin(plugin, context);
}

const one = (name: string): ClusterChoice => ({
  kind: "clusters",
  clusters: [{ name, entry: null, interval: null }],
  isRandom: true,
});

const notKnown = (reason: Unknown["reason"], message: string): ClusterChoice => ({
  kind: "unknown",
  because: [unknown(reason, message)],
});

// Weighted clusters

/** A route's list is the same for each way that a draw over it may go. */
const listsOf = new WeakMap<
  Message,
  { readonly runtime: Runtime; readonly list: readonly WeightedCluster[] }
>();

/** The weights in force and what they make of all requests. */
export function weightedClusters(
  action: Message | undefined,
  headers: HeaderList,
  runtime: Runtime,
): readonly WeightedCluster[] {
  const weighted = child(action, "weighted_clusters");
  if (weighted === undefined) return [];
  const known = listsOf.get(weighted);
  if (known?.runtime === runtime) return known.list;
  const entries = children(weighted, "clusters");
  const weights = entries.map((entry) => weightOf(entry, weighted, runtime));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const list = entries.map((entry, index) => {
    const weight = weights[index] ?? 0;
    return { name: clusterOf(entry, headers), weight, share: total === 0 ? 0 : weight / total };
  });
  if (entries.every((entry) => text(entry, "name") !== "")) listsOf.set(weighted, { runtime, list });
  return list;
}

function chooseWeighted(
  weighted: Message,
  action: Message | undefined,
  context: MatchContext,
): ClusterChoice {
  const entries = children(weighted, "clusters");
  const weights = entries.map((entry) => weightOf(entry, weighted, context.runtime));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0 || total > 0xffffffff)
    return notKnown("expression", `The weights of the clusters come to ${total}: Envoy refuses them.`);
  let end = 0;
  const all = entries.map((entry, index): ChosenCluster => {
    const from = end;
    end += weights[index] ?? 0;
    return { name: clusterOf(entry, context.headers), entry, interval: { modulus: total, from, to: end } };
  });
  const drawable = all.filter(({ interval }) => interval !== null && interval.from < interval.to);
  const given = givenSelector(weighted, context.headers);
  if (given !== null) {
    const selected = Number(given % BigInt(total));
    const drawn = drawable.filter(
      ({ interval }) => interval !== null && interval.from <= selected && selected < interval.to,
    );
    return {
      kind: "clusters",
      clusters: drawn.map((cluster) => ({ ...cluster, interval: null })),
      isRandom: true,
    };
  }
  const isHashed = (flag(weighted, "use_hash_policy") ?? false) && hasHash(action, context);
  return { kind: "clusters", clusters: drawable, isRandom: !isHashed || drawable.length === 1 };
}

function weightOf(entry: Message, weighted: Message | undefined, runtime: Runtime): number {
  const configured = number(entry, "weight") ?? 0;
  const prefix = text(weighted, "runtime_key_prefix");
  return prefix === ""
    ? configured
    : (runtimeInteger(runtime.value(`${prefix}.${text(entry, "name")}`)) ?? configured);
}

function clusterOf(entry: Message, headers: HeaderList): string {
  const name = text(entry, "name");
  return name === "" ? (firstHeader(headers, asciiLower(text(entry, "cluster_header"))) ?? "") : name;
}

/** The number in the header that is to choose, if it is there once and is a number of 64 bits. */
function givenSelector(weighted: Message, headers: HeaderList): bigint | null {
  const name = asciiLower(text(weighted, "header_name"));
  const values = name === "" ? [] : headers.filter(([own]) => own === name);
  const value = wholeNumber(values[0]?.[1] ?? "");
  return values.length === 1 && value !== null && value >= 0n && value < 1n << 64n ? value : null;
}

// Hash policies

/** Whether a hash policy of the route gives a hash for this request: which one is not computed. */
function hasHash(action: Message | undefined, context: MatchContext): boolean {
  return children(action, "hash_policy").some((policy) => givesHash(policy, context));
}

function givesHash(policy: Message, { headers, downstreamRemote, filterState }: MatchContext): boolean {
  const header = child(policy, "header");
  if (header !== undefined)
    return headerValue(headers, asciiLower(text(header, "header_name"))) !== undefined;
  const cookie = child(policy, "cookie");
  if (cookie !== undefined) return (cookiesOf(headers).get(text(cookie, "name")) ?? "") !== "";
  const query = child(policy, "query_parameter");
  if (query !== undefined)
    return queryParameters(headerValue(headers, ":path") ?? "").has(text(query, "name"));
  const connection = child(policy, "connection_properties");
  if (connection !== undefined) return (flag(connection, "source_ip") ?? false) && downstreamRemote !== null;
  return filterState.has(text(child(policy, "filter_state"), "key"));
}

// Plugins

/** @param plugin a `ClusterSpecifierPlugin` */
function choosePlugin(plugin: Message, context: MatchContext): ClusterChoice {
  const extension = child(plugin, "extension");
  const config = child(extension, "typed_config");
  const type = typeOf(config);
  if (type.endsWith(".cluster_specifiers.matcher.v3.MatcherClusterSpecifier"))
    return chooseByTree(unpacked(config), context);
  if (knownPlugins.some((known) => type.endsWith(known)))
    return notKnown("code", `The cluster is chosen by a plugin of the type ${type}.`);
  if (flag(plugin, "is_optional") ?? false) return { kind: "no match" };
  return notKnown(
    "code",
    `The cluster is chosen by a plugin that we do not know, ${type === "" ? text(extension, "name") : type}.`,
  );
}

/** Those that Envoy has, and that run code or look at what is not in a snapshot. */
const knownPlugins = [
  ".cluster_specifiers.lua.v3.LuaConfig",
  ".cluster_specifiers.golang.v3alpha.Config",
  ".golang.v3alpha.Config",
  ".DynamicModuleClusterSpecifier",
];

function chooseByTree(config: Message | undefined, context: MatchContext): ClusterChoice {
  const result = evaluateTree(child(config, "cluster_matcher"), matchInputOf(context), context.envoy);
  if (result.kind === "unknown") return { kind: "unknown", because: result.because };
  return one(result.kind === "none" ? "" : text(result.action, "cluster"));
}

/** What is answered where the cluster does not exist. */
export function clusterNotFoundStatus(action: Message | undefined): number {
  const code = field(action, "cluster_not_found_response_code");
  if (code === "NOT_FOUND" || code === 1) return 404;
  return code === "INTERNAL_SERVER_ERROR" || code === 2 ? 500 : 503;
}
