/** The type names of Envoy's v2 API, which proxies up to Istio 1.6 print (envoyproxy/envoy, api/envoy/api/v2). */

import { isObject, shared, type Json, type JsonObject } from "./json.js";

const oldNames: Readonly<Record<string, string>> = {
  "envoy.config.cluster.v3.Cluster": "envoy.api.v2.Cluster",
  "envoy.config.listener.v3.Listener": "envoy.api.v2.Listener",
  "envoy.config.route.v3.RouteConfiguration": "envoy.api.v2.RouteConfiguration",
  "envoy.config.endpoint.v3.ClusterLoadAssignment": "envoy.api.v2.ClusterLoadAssignment",
  "envoy.extensions.transport_sockets.tls.v3.Secret": "envoy.api.v2.auth.Secret",
  "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext": "envoy.api.v2.auth.UpstreamTlsContext",
  "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext": "envoy.api.v2.auth.DownstreamTlsContext",
  "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager":
    "envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager",
  "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy":
    "envoy.config.filter.network.tcp_proxy.v2.TcpProxy",
  "envoy.extensions.filters.http.rbac.v3.RBAC": "envoy.config.filter.http.rbac.v2.RBAC",
  "envoy.extensions.filters.http.fault.v3.HTTPFault": "envoy.config.filter.http.fault.v2.HTTPFault",
  "envoy.extensions.filters.http.cors.v3.Cors": "envoy.config.filter.http.cors.v2.Cors",
  "envoy.extensions.filters.http.router.v3.Router": "envoy.config.filter.http.router.v2.Router",
};

const prefix = "type.googleapis.com/";
/** Fields that tell the API's version; v2 has none of them. */
const newFields = new Set(["resource_api_version", "transport_api_version"]);

const converted = new WeakMap<JsonObject, JsonObject>();

/** The resource with v2 type names, converted once. */
export function withOldTypes(resource: JsonObject): JsonObject {
  const known = converted.get(resource);
  if (known !== undefined) return known;
  const old = shared(convertObject(resource));
  converted.set(resource, old);
  return old;
}

function convert(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(convert);
  return isObject(value) ? convertObject(value) : value;
}

const convertObject = (value: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !newFields.has(key))
      .map(([key, member]): [string, Json] => {
        if (key !== "@type" || typeof member !== "string") return [key, convert(member)];
        return [key, prefix + (oldNames[member.slice(prefix.length)] ?? member.slice(prefix.length))];
      }),
  );
