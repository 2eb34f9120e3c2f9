/** What the network filters of a filter chain do with a connection, up to the one that ends the chain (facts 8, 10.2). */
import { child, children, text, typeOf, unpacked, type Message } from "../../snapshot/message.js";
import { evaluateRbac, evaluateShadowRbac, rbacDetail, type RbacResult } from "../filters/rbac.js";
import type { AcceptedSocket } from "../listener/accepted-socket.js";
import type { ExtensionConfigs } from "../listener/listener-filters.js";
import type { MatchContext } from "../match-context.js";
import { matchMetadata } from "../matchers/metadata-matcher.js";
import { peerCertificate } from "../matchers/peer-certificate.js";
import { isText, replaceAll } from "../matchers/regex.js";
import type { FilterDecision, ResponseFlag } from "../result.js";
import { unknown, type Unknown, type UnknownReason } from "../unknown.js";
import { setFilterState } from "./filter-state-values.js";
import { redisRoute, thriftRoute, type ProtocolRoute } from "./protocol-proxies.js";
import { clusterKey, tcpRoute, type TcpRoute } from "./tcp-proxy.js";

/** How a filter chain ends. */
export type ConnectionEnd =
  /** `manager`: `envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`. */
  | { readonly kind: "http"; readonly name: string; readonly manager: Message }
  /** `denied`: what closes the connection when the client's first bytes come, where there still is one then. */
  | {
      readonly kind: "tcp";
      readonly name: string;
      readonly route: TcpRoute;
      readonly denied: ClosedConnection | null;
    }
  | ClosedConnection
  /** Envoy answers by itself. */
  | { readonly kind: "answered"; readonly name: string; readonly because: string; readonly detail: string }
  | {
      readonly kind: "unknown";
      readonly because: readonly Unknown[];
      /** Clusters that it may go to, where they are known. */
      readonly possible: readonly string[];
    };

export interface ClosedConnection {
  readonly kind: "closed";
  readonly because: string;
  /** Envoy's connection termination details; "" where it gives none. */
  readonly detail: string;
  readonly responseFlags: readonly ResponseFlag[];
}

export interface NetworkFiltersResult {
  /** Where `unknowns` is not empty: if what is not known lets the connection pass as it is. */
  readonly end: ConnectionEnd;
  readonly filters: readonly FilterDecision[];
  /** With what the filters set. */
  readonly socket: AcceptedSocket;
  readonly unknowns: readonly Unknown[];
  readonly assumptions: readonly string[];
}

interface Input {
  readonly name: string;
  readonly config: Message;
  readonly socket: AcceptedSocket;
  /** With the metadata and filter state of the socket. */
  readonly context: MatchContext;
}

interface Step {
  readonly decision: FilterDecision["decision"];
  readonly policy?: string;
  readonly end?: ConnectionEnd;
  /** What it does when the client's first bytes come: later filters have seen the connection by then. */
  readonly denied?: ClosedConnection;
  readonly socket?: AcceptedSocket;
  readonly unknowns?: readonly Unknown[];
  readonly assumptions?: readonly string[];
}

type NetworkFilter = (input: Input) => Step;

const observes: NetworkFilter = () => ({ decision: "passed" });

const hangsOn =
  (reason: UnknownReason, what: string): NetworkFilter =>
  ({ name }) => ({ decision: "unknown", unknowns: [unknown(reason, `the network filter ${name} ${what}`)] });

const http: NetworkFilter = ({ name, config }) => ({
  decision: "passed",
  end: { kind: "http", name, manager: config },
});

const tcpProxy: NetworkFilter = ({ name, config, socket, context }) => {
  const route = tcpRoute(config, socket, context);
  return { decision: "passed", end: { kind: "tcp", name, route, denied: null }, unknowns: route.unknowns };
};

/** The server name as it is, where there is one. */
const sniCluster: NetworkFilter = ({ socket }) => ({
  decision: "passed",
  socket: socket.serverName === "" ? socket : withCluster(socket, socket.serverName),
});

/** The upstream connection names the same server. */
const forwardsSni: NetworkFilter = ({ socket }) => ({
  decision: "passed",
  socket:
    socket.serverName === ""
      ? socket
      : {
          ...socket,
          filterState: new Map([
            ...socket.filterState,
            ["envoy.network.upstream_server_name", socket.serverName],
          ]),
        },
});

const withCluster = (socket: AcceptedSocket, cluster: string): AcceptedSocket => ({
  ...socket,
  filterState: new Map([...socket.filterState, [clusterKey, cluster]]),
});

/** Istio's own, for names such as `x.global` in the SNI between clusters: replaces a part of the chosen cluster's name. */
const clusterRewrite: NetworkFilter = ({ config, socket }) => {
  const chosen = socket.filterState.get(clusterKey);
  const pattern = text(config, "cluster_pattern");
  if (chosen === undefined || pattern === "") return { decision: "passed" };
  const rewritten = replaceAll(pattern, chosen, text(config, "cluster_replacement"));
  return isText(rewritten)
    ? { decision: "passed", socket: withCluster(socket, rewritten) }
    : { decision: "unknown", unknowns: rewritten.because };
};

const rbacMetadata = "envoy.filters.network.rbac";

const rbac: NetworkFilter = ({ name, config, socket, context }) => {
  const shadow = evaluateShadowRbac(config, context);
  const after =
    shadow === null ? socket : withShadow(socket, shadow, text(config, "shadow_rules_stat_prefix"));
  const result = evaluateRbac(config, context);
  const isEnforced = child(config, "rules") !== undefined || child(config, "matcher") !== undefined;
  if (result.verdict === "unknown") return { decision: "unknown", unknowns: result.because, socket: after };
  if (result.verdict === "allowed")
    return { decision: isEnforced ? "allowed" : "passed", policy: result.policy, socket: after };
  const policy = result.policy === "" || result.policy === "none" ? "" : ` by ${result.policy}`;
  return {
    decision: "denied",
    policy: result.policy,
    socket: after,
    denied: {
      kind: "closed",
      because: `the network filter ${name} denies the connection${policy}`,
      detail: rbacDetail(result, context.envoy),
      responseFlags: [],
    },
    assumptions:
      context.connection.protocol === "nothing" && context.connection.tls === null
        ? [
            `The network filter ${name} decides when the client sends its first bytes, and closes the connection then.`,
          ]
        : [],
  };
};

/** Istio's CUSTOM action: what the shadow rules say gates the authorizer that follows. */
function withShadow(socket: AcceptedSocket, shadow: RbacResult, prefix: string): AcceptedSocket {
  const metadata = new Map(socket.dynamicMetadata);
  if (shadow.verdict === "unknown" || shadow.because.length > 0) {
    metadata.delete(rbacMetadata);
    return { ...socket, dynamicMetadata: metadata, isComplete: false };
  }
  const [policy] = shadow.candidates;
  metadata.set(rbacMetadata, {
    ...(policy === undefined ? {} : { [`${prefix}shadow_effective_policy_id`]: policy }),
    [`${prefix}shadow_engine_result`]: shadow.verdict,
  });
  return { ...socket, dynamicMetadata: metadata };
}

const extAuthz: NetworkFilter = ({ name, config, context }) => {
  const gate = child(config, "filter_enabled_metadata");
  const isEnabled = gate === undefined ? true : matchMetadata(gate, context);
  if (isEnabled === false) return { decision: "disabled" };
  const because = isEnabled === true ? [] : isEnabled.because;
  const decides = unknown(
    "external authorization",
    `the network filter ${name} asks a server whether to allow it`,
  );
  return { decision: "unknown", unknowns: [...because, decides] };
};

/** Istio's plugins that are compiled into its Envoy, and only observe. */
const nativePlugins = new Set([
  "envoy.wasm.stats",
  "envoy.wasm.metadata_exchange",
  "envoy.wasm.null.stackdriver",
  "envoy.wasm.access_log_policy",
]);

const wasm: NetworkFilter = (input) => {
  const machine = child(input.config, "config", "vm_config");
  const code = text(child(machine, "code", "local"), "inline_string");
  const isNative = text(machine, "runtime") === "envoy.wasm.runtime.null" && nativePlugins.has(code);
  return isNative ? observes(input) : hangsOn("code", "runs a Wasm module")(input);
};

const setsFilterState: NetworkFilter = ({ config, socket, context }) => {
  const values = children(config, "on_new_connection");
  const { socket: after, unknowns } = setFilterState(values, socket, context.envoy);
  return { decision: unknowns.length === 0 ? "passed" : "unknown", socket: after, unknowns };
};

/** Who the two ends are, by their certificates, as Istio's filter leaves it for the policies (istio/proxy, istio_authn). */
const istioAuthn: NetworkFilter = ({ socket, context }) => {
  const certificate = peerCertificate(context);
  const filterState = new Map(socket.filterState);
  if (certificate === null) return { decision: "passed" };
  if (certificate === "unknown") {
    filterState.delete(peerPrincipalKey);
    return { decision: "passed", socket: { ...socket, filterState, isComplete: false } };
  }
  const principal = certificate.uriSans.find((name) => name.startsWith("spiffe://"));
  if (principal !== undefined) filterState.set(peerPrincipalKey, principal);
  return { decision: "passed", socket: { ...socket, filterState } };
};
const peerPrincipalKey = "io.istio.peer_principal";

const answers =
  (because: string, detail: string): NetworkFilter =>
  ({ name }) => ({ decision: "answered", end: { kind: "answered", name, because, detail } });

const byProtocol =
  (route: (config: Message) => ProtocolRoute): NetworkFilter =>
  (input) => {
    const found = route(input.config);
    if (found.kind === "cluster") return tcpProxy({ ...input, config: { cluster: found.name } });
    const { because, possible } = found;
    return { decision: "unknown", end: { kind: "unknown", because: [because], possible } };
  };

/** By the middle of the type (`envoy.extensions.filters.network.<this>.v3.X`), or the end of the name. */
const known: ReadonlyMap<string, NetworkFilter> = new Map([
  ["http_connection_manager", http],
  ["tcp_proxy", tcpProxy],
  ["sni_cluster", sniCluster],
  ["forward_downstream_sni", forwardsSni],
  ["tcp_cluster_rewrite", clusterRewrite],
  ["rbac", rbac],
  ["ext_authz", extAuthz],
  ["wasm", wasm],
  ["set_filter_state", setsFilterState],
  ["istio_authn", istioAuthn],
  ["direct_response", answers("Envoy sends a fixed answer and closes", "direct_response")],
  ["echo", answers("Envoy sends back what it gets", "")],
  ["redis_proxy", byProtocol(redisRoute)],
  ["thrift_proxy", byProtocol(thriftRoute)],
  ["ratelimit", hangsOn("rate limit", "asks a rate limit service")],
  ["local_ratelimit", hangsOn("rate limit", "limits connections by a bucket of tokens")],
  ["connection_limit", hangsOn("rate limit", "limits the number of connections")],
  ["golang", hangsOn("code", "runs code in Go")],
  ["dynamic_modules", hangsOn("code", "runs a module")],
  ["ext_proc", hangsOn("external processor", "hands the bytes to another process")],
  ["sni_dynamic_forward_proxy", hangsOn("DNS", "looks up the server name for the host")],
  ...[
    ...["mongo_proxy", "mysql_proxy", "postgres_proxy", "zookeeper_proxy", "kafka_broker", "geoip"],
    ...["metadata_exchange", "peer_metadata", "stats", "stackdriver"],
  ].map((kind): [string, NetworkFilter] => [kind, observes]),
]);

/** Types outside of Envoy's scheme of names: Istio's. */
const ofIstio: ReadonlyMap<string, string> = new Map([
  ["envoy.tcp.metadataexchange.config.MetadataExchange", "metadata_exchange"],
  ["envoy.extensions.network_filters.peer_metadata.Config", "peer_metadata"],
  ["envoy.extensions.network_filters.peer_metadata.UpstreamConfig", "peer_metadata"],
  ["io.istio.network.authn.Config", "istio_authn"],
  ["stats.PluginConfig", "stats"],
  ["istio.envoy.config.filter.network.tcp_cluster_rewrite.v2alpha1.TcpClusterRewrite", "tcp_cluster_rewrite"],
]);

function kindOf(name: string, type: string): string {
  if (type === "") return /^(?:envoy\.(?:filters\.network\.)?|istio\.)?(\w+)$/.exec(name)?.[1] ?? "";
  const [, kind] = /^envoy\.extensions\.filters\.network\.(\w+)\.v\d\w*\.\w+$/.exec(type) ?? [];
  return kind ?? ofIstio.get(type) ?? "";
}

/**
 * Runs the network filters of a chain.
 * @param chain `envoy.config.listener.v3.FilterChain`
 * @param context its metadata and filter state are taken from the socket
 */
export function runNetworkFilters(
  chain: Message,
  accepted: AcceptedSocket,
  context: MatchContext,
  extensionConfig: ExtensionConfigs,
): NetworkFiltersResult {
  const filters: FilterDecision[] = [];
  const unknowns: Unknown[] = [];
  const assumptions: string[] = [];
  let socket = accepted;
  const isTlsTerminated = context.isTlsTerminated ?? endsTls(chain);
  const done = (end: ConnectionEnd): NetworkFiltersResult => ({
    end,
    filters,
    socket,
    unknowns,
    assumptions,
  });
  const messages = children(chain, "filters");
  let denied: ClosedConnection | null = null;
  for (const message of messages) {
    const name = text(message, "name");
    const any = configOf(message, extensionConfig);
    if (any === null)
      return done(closed(`the configuration of the network filter ${name} has not been delivered`));
    const { dynamicMetadata, filterState, isComplete } = socket;
    const input = { ...context, isTlsTerminated, dynamicMetadata, filterState, isComplete };
    // bytes stop at the filter that denies the connection; what waits for them does nothing
    if (denied !== null && !actsAtOnce.has(kindOf(name, typeOf(any)))) {
      if (message === messages.at(-1)) return done(denied);
      continue;
    }
    const step = runFilter(name, any, message === messages.at(-1), socket, input);
    filters.push({ name, decision: step.decision, policy: step.policy ?? "" });
    unknowns.push(...(step.unknowns ?? []));
    assumptions.push(...(step.assumptions ?? []));
    socket = step.socket ?? socket;
    denied ??= step.denied ?? null;
    if (step.end !== undefined) return done(step.end.kind === "tcp" ? { ...step.end, denied } : step.end);
    if (step.decision === "unknown") socket = { ...socket, isComplete: false };
  }
  if (denied !== null) return done(denied);
  if (messages.length === 0) return done(closed("the filter chain has no filters"));
  const endless = unknown(
    "unsupported filter",
    "no network filter ends the chain, which Envoy would have refused",
  );
  return done({ kind: "unknown", because: [endless], possible: [] });
}

/** Filters that do their work with a new connection, before its first bytes. */
const actsAtOnce: ReadonlySet<string> = new Set([
  "tcp_proxy",
  "direct_response",
  "sni_cluster",
  "forward_downstream_sni",
  "tcp_cluster_rewrite",
  "set_filter_state",
  "istio_authn",
]);

const closed = (because: string): ClosedConnection => ({
  kind: "closed",
  because,
  detail: "",
  responseFlags: [],
});

/** undefined: a filter without configuration; null: one whose configuration is missing. */
function configOf(message: Message, extensionConfig: ExtensionConfigs): Message | undefined | null {
  return child(message, "config_discovery") === undefined
    ? child(message, "typed_config")
    : extensionConfig(text(message, "name"));
}

function runFilter(
  name: string,
  any: Message | undefined,
  isLast: boolean,
  socket: AcceptedSocket,
  context: MatchContext,
): Step {
  const type = typeOf(any);
  const filter = known.get(kindOf(name, type));
  if (filter !== undefined) return filter({ name, config: unpacked(any) ?? {}, socket, context });
  const because = unknown(
    "unsupported filter",
    `the network filter ${name}${type === "" ? "" : ` (${type})`}`,
  );
  // the last filter of a chain ends it
  return isLast
    ? { decision: "unknown", end: { kind: "unknown", because: [because], possible: [] } }
    : { decision: "unknown", unknowns: [because] };
}

/** Whether the chain's transport socket speaks TLS with the client. */
function endsTls(chain: Message): boolean {
  const type = typeOf(child(chain, "transport_socket", "typed_config"));
  return (
    /\.(?:DownstreamTlsContext|QuicDownstreamTransport)$/.test(type) ||
    child(chain, "tls_context") !== undefined
  );
}
