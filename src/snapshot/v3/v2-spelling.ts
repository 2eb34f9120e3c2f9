/**
 * What API v2 said in other fields than v3 (Envoy up to 1.17), said as v3 says it. Types and most fields have the same
 * names but for the package (see snapshot/parse/v2-types); here are those that moved.
 * Sources: the v3 protos' reserved fields and `previous_message_type`, and Envoy's API v3 migration notes.
 */
import { isList, isObject, objectOf, type JsonObject, type JsonValue } from "../../shared/json-value.js";
import { currentExtensionName, typeForRoute, typeOfExtension } from "./v2-names.js";

type Move = (message: Members) => void;

const typeUrl = "type.googleapis.com/";
const route = "envoy.config.route.v3";
const tls = "envoy.extensions.transport_sockets.tls.v3";
const hidden = "hidden_envoy_deprecated_";

/** The members of a message, which is copied when something in it changes: few have anything of v2. */
class Members {
  #changed: Map<string, JsonValue> | null = null;

  constructor(readonly message: JsonObject) {}

  get(name: string): JsonValue | undefined {
    if (this.#changed !== null) return this.#changed.get(name);
    return Object.hasOwn(this.message, name) ? this.message[name] : undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  set(name: string, value: JsonValue): void {
    if (this.get(name) !== value) this.#copy().set(name, value);
  }

  delete(name: string): void {
    if (this.has(name)) this.#copy().delete(name);
  }

  /** The same object where nothing was changed. */
  result(): JsonObject {
    return this.#changed === null ? this.message : objectOf(this.#changed);
  }

  #copy(): Map<string, JsonValue> {
    return (this.#changed ??= new Map(Object.entries(this.message)));
  }
}

/** A message in an Any. */
const packed = (type: string, message: JsonValue | undefined): JsonObject =>
  objectOf([["@type", typeUrl + type], ...(isObject(message) ? Object.entries(message) : [])]);

/** A field under its new name; where the new one is set too, both say something and both stay. */
const rename =
  (from: string, to: string, change: (value: JsonValue) => JsonValue = (value) => value): Move =>
  (message) => {
    const value = message.get(from);
    if (value === undefined || message.has(to)) return;
    message.delete(from);
    message.set(to, change(value));
  };

/** The elements of a list behind those of its new one. */
const append =
  (from: string, to: string, change: (value: JsonValue) => JsonValue): Move =>
  (message) => {
    const list = message.get(from);
    const old = message.get(to);
    if (!isList(list)) return;
    message.delete(from);
    message.set(to, [...(isList(old) ? old : []), ...list.map(change)]);
  };

const exact = (value: JsonValue): JsonValue => ({ exact: value });
const regex = (value: JsonValue): JsonValue => ({ regex: value });
const safeRegex = (value: JsonValue): JsonValue => ({ safe_regex: regex(value) });
const percentage = (value: JsonValue): JsonValue => ({ numerator: value });

const hosts: Move = (message) => {
  const list = message.get("hosts");
  if (!isList(list) || message.has("load_assignment")) return;
  message.delete("hosts");
  message.set("load_assignment", {
    cluster_name: message.get("name") ?? "",
    endpoints: [{ lb_endpoints: list.map((address): JsonValue => ({ endpoint: { address } })) }],
  });
};

const bindToPort: Move = (message) => {
  const old = message.get("deprecated_v1");
  if (!isObject(old) || old["bind_to_port"] === undefined || message.has("bind_to_port")) return;
  message.delete("deprecated_v1");
  message.set("bind_to_port", old["bind_to_port"]);
};

const websocket: Move = (message) => {
  const value = message.get("use_websocket");
  if (value === undefined || (value === true && message.has("upgrade_configs"))) return;
  message.delete("use_websocket");
  if (value === true) message.set("upgrade_configs", [{ upgrade_type: "websocket" }]);
};

/** v1 spoke of a value and whether it is an expression; `exact_match` and its like became one `string_match`. */
const headerMatch: Move = (message) => {
  const isRegex = message.get("regex") === true;
  const forms: readonly (readonly [string, (value: JsonValue) => JsonValue])[] = [
    ["value", isRegex ? safeRegex : exact],
    // none asks for any value, which `string_match` cannot
    ...(message.get("exact_match") === "" ? [] : [["exact_match", exact] as const]),
    ["prefix_match", (prefix) => ({ prefix })],
    ["suffix_match", (suffix) => ({ suffix })],
    ["contains_match", (contains) => ({ contains })],
    ["safe_regex_match", (safe_regex) => ({ safe_regex })],
    ["regex_match", safeRegex],
  ];
  for (const [from, change] of forms) rename(from, "string_match", change)(message);
  if (!message.has("value")) message.delete("regex");
};

const queryMatch: Move = (message) => {
  rename("value", "string_match", message.get("regex") === true ? safeRegex : exact)(message);
  if (!message.has("value")) message.delete("regex");
};

/** An expression without its engine, of which there is one only since 1.22. */
const engine: Move = (message) => {
  const value = message.get("google_re2");
  if (isObject(value) && Object.keys(value).length === 0) message.delete("google_re2");
};

const runtimeFraction: Move = rename("runtime", "runtime_fraction", (value) =>
  isObject(value)
    ? objectOf([
        ...(value["default_value"] === undefined
          ? []
          : [["default_value", percentage(value["default_value"])] as const]),
        ...(value["runtime_key"] === undefined ? [] : [["runtime_key", value["runtime_key"]] as const]),
      ])
    : value,
);

/** An extension as v3 names it; its `config`, or none at all, as the message that the name stands for. */
const extension: Move = (message) => {
  const name = message.get("name");
  if (typeof name !== "string") return;
  const current = currentExtensionName(name);
  message.set("name", current);
  const type = typeOfExtension(current);
  if (type === undefined || message.has("typed_config") || message.has("config_discovery")) return;
  const config = message.get("config");
  message.delete("config");
  message.set("typed_config", packed(type, config));
};

/** A TLS socket whose `config` does not tell which side of a connection it is for. */
const typedSocket =
  (context: string) =>
  (socket: JsonValue): JsonValue => {
    if (!isObject(socket) || socket["typed_config"] !== undefined) return socket;
    const { name, config, [`${hidden}config`]: old, ...rest } = socket;
    const isTls = typeof name === "string" && currentExtensionName(name) === "envoy.transport_sockets.tls";
    if (!isTls || (config ?? old) === undefined) return socket;
    return { ...rest, name, typed_config: packed(`${tls}.${context}`, config ?? old) };
  };

const tlsContext =
  (context: string): Move =>
  (message) => {
    rename("tls_context", "transport_socket", (value) => ({
      name: "envoy.transport_sockets.tls",
      typed_config: packed(`${tls}.${context}`, value),
    }))(message);
    const socket = message.get("transport_socket");
    if (socket !== undefined) message.set("transport_socket", typedSocket(context)(socket));
  };

const socketMatches: Move = (message) => {
  const matches = message.get("transport_socket_matches");
  if (!isList(matches)) return;
  const typed = typedSocket("UpstreamTlsContext");
  message.set(
    "transport_socket_matches",
    matches.map((match) =>
      isObject(match) && match["transport_socket"] !== undefined
        ? { ...match, transport_socket: typed(match["transport_socket"]) }
        : match,
    ),
  );
};

/** Settings of HTTP filters by the filter's name; a Struct has the type that the filter takes for a route. */
const perFilterConfig: Move = (message) => {
  const structs = message.get("per_filter_config");
  const typed = message.get("typed_per_filter_config");
  if (structs === undefined && typed === undefined) return;
  const members = new Map(
    isObject(typed)
      ? Object.entries(typed).map(([name, config]) => [currentExtensionName(name), config])
      : [],
  );
  const left: [string, JsonValue][] = [];
  for (const [name, config] of isObject(structs) ? Object.entries(structs) : []) {
    const current = currentExtensionName(name);
    const type = typeForRoute(current);
    if (members.has(current)) left.push([name, config]);
    else if (type !== undefined) members.set(current, packed(type, config));
    else members.set(current, { "@type": `${typeUrl}google.protobuf.Struct`, value: config });
  }
  message.delete("per_filter_config");
  if (left.length > 0) message.set("per_filter_config", objectOf(left));
  if (members.size > 0) message.set("typed_per_filter_config", objectOf(members));
};

/** By the v3 name of the message. */
const moves: ReadonlyMap<string, readonly Move[]> = new Map<string, readonly Move[]>([
  ["envoy.config.cluster.v3.Cluster", [tlsContext("UpstreamTlsContext"), socketMatches, hosts]],
  ["envoy.config.listener.v3.Listener", [bindToPort]],
  ["envoy.config.listener.v3.FilterChain", [tlsContext("DownstreamTlsContext")]],
  ["envoy.config.listener.v3.FilterChainMatch", [rename("sni_domains", "server_names")]],
  ["envoy.config.listener.v3.Filter", [extension]],
  ["envoy.config.listener.v3.ListenerFilter", [extension]],
  ["envoy.config.core.v3.TransportSocket", [extension]],
  ["envoy.config.accesslog.v3.AccessLog", [extension]],
  ["envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter", [extension]],
  ["envoy.type.matcher.v3.RegexMatcher", [engine]],
  ["envoy.type.matcher.v3.StringMatcher", [rename("regex", "safe_regex", regex)]],
  [`${route}.VirtualHost`, [perFilterConfig]],
  [`${route}.Route`, [perFilterConfig]],
  [`${route}.WeightedCluster.ClusterWeight`, [perFilterConfig]],
  [`${route}.RouteMatch`, [rename("regex", "safe_regex", regex), runtimeFraction]],
  [`${route}.HeaderMatcher`, [headerMatch]],
  [`${route}.QueryParameterMatcher`, [queryMatch]],
  [
    `${route}.RouteAction`,
    [
      rename("host_rewrite", "host_rewrite_literal"),
      rename("auto_host_rewrite_header", "host_rewrite_header"),
      rename("request_mirror_policy", "request_mirror_policies", (policy) => [policy]),
      websocket,
    ],
  ],
  [
    `${route}.RouteAction.RequestMirrorPolicy`,
    [rename("runtime_key", "runtime_fraction", (key) => ({ runtime_key: key }))],
  ],
  [`${route}.RetryPolicy.RetryHostPredicate`, [extension]],
  [
    `${route}.CorsPolicy`,
    [
      append("allow_origin", "allow_origin_string_match", exact),
      append("allow_origin_regex", "allow_origin_string_match", safeRegex),
      rename("enabled", "filter_enabled", (value) => ({
        default_value: percentage(value === false ? 0 : 100),
      })),
    ],
  ],
  [
    `${tls}.CertificateValidationContext`,
    [append("verify_subject_alt_name", "match_subject_alt_names", exact)],
  ],
  ["envoy.extensions.filters.common.fault.v3.FaultDelay", [rename("percent", "percentage", percentage)]],
  ["envoy.extensions.filters.http.fault.v3.FaultAbort", [rename("percent", "percentage", percentage)]],
]);

/**
 * A message with the fields of v3.
 * @param type its v3 name
 * @param message with proto names, as the identity form has them
 * @returns the same object where nothing is to do
 */
export function inV3(type: string, message: JsonObject): JsonObject {
  const own = moves.get(type);
  const isHidden = Object.keys(message).some((key) => key.startsWith(hidden));
  if (own === undefined && !isHidden) return message;
  const members = new Members(message);
  for (const [key, value] of isHidden ? Object.entries(message) : [])
    if (key.startsWith(hidden) && !members.has(key.slice(hidden.length))) {
      members.delete(key);
      members.set(key.slice(hidden.length), value);
    }
  for (const move of own ?? []) move(members);
  return members.result();
}
