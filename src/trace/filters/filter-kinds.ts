/** Which code evaluates a filter: by the type of its configuration, and by its name where that has none. */
import { evaluateApiKeyAuth, evaluateBasicAuth } from "./credentials.js";
import {
  addsSomething,
  evaluateExtProc,
  evaluateLua,
  evaluateStatefulSession,
  mayDoAnything,
} from "./code-filters.js";
import { evaluateCors } from "./cors.js";
import { evaluateCsrf } from "./csrf.js";
import { evaluateExtAuthz } from "./ext-authz.js";
import { evaluateFault } from "./fault.js";
import { passed, type EvaluateFilter } from "./filter.js";
import { evaluateGrpcWeb } from "./grpc-web.js";
import { evaluateHeaderMutation } from "./header-mutation.js";
import { evaluateHealthCheck } from "./health-check.js";
import { evaluateIstioAuthn, evaluatePeerMetadata, evaluateWasm } from "./istio-filters.js";
import { evaluateJwtAuthn } from "./jwt-authn.js";
import { evaluateLocalRateLimit } from "./local-rate-limit.js";
import { evaluateHeaderToMetadata, evaluateSetMetadata } from "./metadata-filters.js";
import { evaluateOauth2 } from "./oauth2.js";
import { evaluateRateLimit } from "./rate-limit.js";
import { evaluateRbacFilter } from "./rbac-filter.js";
import { evaluateSetFilterState } from "./set-filter-state.js";

const passes: EvaluateFilter = () => passed();
const runsCode = mayDoAnything("code", "The filter");
const byState = mayDoAnything("runtime state", "By the state of the server, the filter");
const notEvaluated = mayDoAnything("unsupported filter", "The filter");

/** By the `x` of `envoy.filters.http.x`. */
const kinds: Readonly<Record<string, EvaluateFilter>> = {
  // what decides
  api_key_auth: evaluateApiKeyAuth,
  basic_auth: evaluateBasicAuth,
  cors: evaluateCors,
  csrf: evaluateCsrf,
  ext_authz: evaluateExtAuthz,
  fault: evaluateFault,
  health_check: evaluateHealthCheck,
  jwt_authn: evaluateJwtAuthn,
  local_ratelimit: evaluateLocalRateLimit,
  oauth2: evaluateOauth2,
  rate_limit_quota: mayDoAnything("rate limit", "By what a service assigned, the filter"),
  ratelimit: evaluateRateLimit,
  rbac: evaluateRbacFilter,
  // what changes a request in ways that can be followed
  grpc_web: evaluateGrpcWeb,
  header_mutation: evaluateHeaderMutation,
  header_to_metadata: evaluateHeaderToMetadata,
  set_filter_state: evaluateSetFilterState,
  set_metadata: evaluateSetMetadata,
  // code, other processes, and what only a running Envoy knows
  adaptive_concurrency: byState,
  admission_control: byState,
  cache: byState,
  cache_v2: byState,
  dynamic_modules: runsCode,
  ext_proc: evaluateExtProc,
  golang: runsCode,
  lua: evaluateLua,
  stateful_session: evaluateStatefulSession,
  wasm: evaluateWasm,
  // what adds headers or metadata of its own
  aws_request_signing: addsSomething,
  credential_injector: addsSomething,
  gcp_authn: addsSomething,
  geoip: addsSomething,
  ip_tagging: addsSomething,
  json_to_metadata: addsSomething,
  // what lets every request pass, with its headers as they are
  alternate_protocols_cache: passes,
  bandwidth_limit: passes,
  brotli: passes,
  buffer: passes,
  compressor: passes,
  decompressor: passes,
  dynamic_forward_proxy: passes,
  dynamo: passes,
  file_system_buffer: passes,
  grpc_field_extraction: passes,
  grpc_http1_bridge: passes,
  grpc_stats: passes,
  gzip: passes,
  on_demand: passes,
  original_src: passes,
  proto_message_logging: passes,
  squash: passes,
  tap: passes,
};

/** Of Istio's proxy, by the type of the configuration. */
const istioTypes: Readonly<Record<string, EvaluateFilter>> = {
  "io.istio.http.peer_metadata.Config": evaluatePeerMetadata,
  "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig": passes,
  "istio.envoy.config.filter.http.authn.v2alpha1.FilterConfig": evaluateIstioAuthn,
  "istio.authentication.v1alpha1.Policy": evaluateIstioAuthn,
  "stats.PluginConfig": passes,
  "istio.mixer.v1.config.client.HttpClientConfig": mayDoAnything("external authorization", "Mixer, asked by"),
  "io.istio.http.stateful_session.Config": passes,
};

/** Of Istio's proxy, by name, where the configuration has no type. */
const istioNames: Readonly<Record<string, EvaluateFilter>> = {
  "istio.metadata_exchange": evaluatePeerMetadata,
  "envoy.filters.http.peer_metadata": evaluatePeerMetadata,
  "istio.alpn": passes,
  "istio.stats": passes,
  "istio.access_log": passes,
  "istio.stackdriver": passes,
  istio_authn: evaluateIstioAuthn,
};

const ofEnvoy = /^envoy\.(?:extensions\.filters\.http|config\.filter\.http)\.([a-z0-9_]+)\./;

/** The `x` of `envoy.filters.http.x` that a type or, without one, a name stands for; null for other filters. */
export function kindOf(type: string, name: string): string | null {
  if (type === "envoy.extensions.common.matching.v3.ExtensionWithMatcher") return "match_delegate";
  const byType = ofEnvoy.exec(type)?.[1];
  if (byType !== undefined) return byType;
  return type === "" ? (/^envoy\.(?:filters\.http\.)?([a-z0-9_]+)$/.exec(name)?.[1] ?? null) : null;
}

/** Whether it ends the chain. */
export const isTerminal = (kind: string | null): boolean => kind === "router" || kind === "upstream_codec";

/** How a filter is evaluated; one of another type may do anything. */
export function evaluatorOf(type: string, name: string): EvaluateFilter {
  const kind = kindOf(type, name);
  if (kind !== null) return (Object.hasOwn(kinds, kind) ? kinds[kind] : undefined) ?? notEvaluated;
  const ofType = Object.hasOwn(istioTypes, type) ? istioTypes[type] : undefined;
  const ofName = type === "" && Object.hasOwn(istioNames, name) ? istioNames[name] : undefined;
  return ofType ?? ofName ?? notEvaluated;
}
