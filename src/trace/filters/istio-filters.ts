/** Filters of Istio's own proxy that only observe, or exchange metadata between proxies (istio/proxy, source/extensions). */
import { child, children, field, text } from "../../snapshot/message.js";
import { unknown } from "../unknown.js";
import { passed, undecided, type FilterContext, type FilterResult, type HttpFilter } from "./filter.js";

/** What proxies tell each other; the receiving one takes it off the request. */
const peerHeaders: readonly string[] = ["x-envoy-peer-metadata", "x-envoy-peer-metadata-id"];

/** `io.istio.http.peer_metadata.Config`: an inbound filter that discovers by headers takes them away. */
export function evaluatePeerMetadata({ config }: HttpFilter, { headers }: FilterContext): FilterResult {
  const discovers = children(config, "downstream_discovery").some(
    (method) => field(method, "istio_headers") !== undefined,
  );
  const left = headers.filter(([name]) => !peerHeaders.includes(name));
  return discovers && left.length < headers.length ? passed({ headers: left }) : passed();
}

/** Plugins that are compiled into Istio's proxy and decide nothing. */
const observingPlugins: ReadonlySet<string> = new Set([
  "envoy.wasm.metadata_exchange",
  "envoy.wasm.stats",
  "envoy.wasm.stackdriver",
  "envoy.wasm.access_log_policy",
  "envoy.wasm.attributegen",
]);

/** The same as they were once shipped as Wasm files. */
const observingFiles = /\/(?:stats|metadata-exchange|stackdriver|attributegen)-filter(?:\.compiled)?\.wasm$/;

/** A Wasm filter runs code, but for Istio's own plugins of telemetry. */
export function evaluateWasm({ name, config }: HttpFilter): FilterResult {
  const vm = child(config, "config", "vm_config");
  const code = child(vm, "code", "local");
  const isBuiltIn =
    text(vm, "runtime") === "envoy.wasm.runtime.null" && observingPlugins.has(text(code, "inline_string"));
  if (isBuiltIn || observingFiles.test(text(code, "filename"))) return passed();
  return undecided([unknown("code", `The Wasm filter ${name} may answer or change the request.`)]);
}

/** `istio_authn` of Istio up to 1.23 writes who the peer is and what its token says into dynamic metadata. */
export function evaluateIstioAuthn({ name, config }: HttpFilter, context: FilterContext): FilterResult {
  const policy = child(config, "policy");
  const namespace = "istio_authn";
  const isAnonymous = context.connection.tls === null && hasNoClaims(context);
  const changes = isAnonymous
    ? { dynamicMetadata: new Map([[namespace, {}]]) }
    : { hiddenMetadata: [namespace] };
  const mayRefuse = ["peers", "origins"].some(
    (list) => children(policy, list).length > 0 && field(policy, optional[list] ?? "") !== true,
  );
  if (!mayRefuse) return passed(changes);
  return undecided([unknown("peer identity", `The filter ${name} may refuse the client.`)], changes);
}

const optional: Readonly<Record<string, string>> = {
  peers: "peer_is_optional",
  origins: "origin_is_optional",
};

function hasNoClaims({ dynamicMetadata, isComplete }: FilterContext): boolean {
  const claims = dynamicMetadata.get("envoy.filters.http.jwt_authn");
  if (claims === undefined) return isComplete;
  return typeof claims === "object" && claims !== null && Object.keys(claims).length === 0;
}
