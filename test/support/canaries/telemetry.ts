/** Tracers, access logs, custom tags and stats sinks (api/envoy/config/{trace,accesslog,metrics}/v3, .../type/tracing/v3). */

import type { JsonObject } from "../mesh/json.js";
import type { Plant } from "./canary.js";
import { envoyGrpc, httpService } from "./grpc.js";
import { any, extension } from "./message.js";
import { base64, jsonWebToken, password, token } from "./values.js";

const trace = (name: string): string => `envoy.config.trace.v3.${name}`;

/** One of each kind, with what it needs to be let in. */
export const tracers = (plant: Plant): JsonObject[] => [
  extension("envoy.tracers.lightstep", trace("LightstepConfig"), {
    collector_cluster: "lightstep",
    access_token: { inline_string: plant("lightstep access_token", password) },
  }),
  extension("envoy.tracers.lightstep.bytes", trace("LightstepConfig"), {
    collector_cluster: "lightstep",
    access_token: { inline_bytes: base64(plant("lightstep access_token.inline_bytes", password)) },
  }),
  {
    name: "envoy.tracers.datadog",
    typed_config: any(trace("DynamicOtConfig"), {
      library: "/usr/local/lib/libdd_opentracing.so",
      config: { service: "ledger", api_key: plant("datadog api_key", password) },
    }),
  },
  extension("envoy.tracers.opentelemetry.grpc", trace("OpenTelemetryConfig"), {
    grpc_service: envoyGrpc(plant, "OpenTelemetry tracer grpc_service"),
    service_name: "ledger",
  }),
  extension("envoy.tracers.opentelemetry.http", trace("OpenTelemetryConfig"), {
    http_service: httpService(plant, "OpenTelemetry tracer http_service"),
  }),
  extension("envoy.tracers.zipkin", trace("ZipkinConfig"), {
    collector_cluster: "zipkin",
    collector_endpoint: `/api/v2/spans?key=${plant("zipkin collector_endpoint query", password)}`,
    collector_endpoint_version: "HTTP_JSON",
  }),
  extension("envoy.tracers.skywalking", trace("SkyWalkingConfig"), {
    grpc_service: envoyGrpc(plant, "skywalking grpc_service"),
    client_config: { backend_token: plant("skywalking backend_token", password) },
  }),
];

/** On the level that `at` names. */
export const accessLogs = (plant: Plant, at: string): JsonObject[] => [
  extension(
    "envoy.access_loggers.http_grpc",
    "envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
    {
      common_config: {
        log_name: "ledger",
        grpc_service: envoyGrpc(plant, `${at} access log`),
        custom_tags: customTags(plant, `${at} access log`),
      },
    },
  ),
  extension(
    "envoy.access_loggers.open_telemetry",
    "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
    { http_service: httpService(plant, `${at} OpenTelemetry access log`) },
  ),
  extension("envoy.access_loggers.file", "envoy.extensions.access_loggers.file.v3.FileAccessLog", {
    path: "/dev/stdout",
    log_format: {
      json_format: {
        start: "%START_TIME%",
        shipper: plant(`${at} access log json_format JWT`, jsonWebToken),
      },
    },
  }),
];

export const customTags = (plant: Plant, at: string): JsonObject[] => [
  { tag: "billing", literal: { value: plant(`${at} custom tag literal`, password) } },
  {
    tag: "build",
    environment: { name: "BUILD", default_value: plant(`${at} custom tag environment`, password) },
  },
];

/** Of the bootstrap. */
export const statsSinks = (plant: Plant): JsonObject[] => [
  extension("envoy.stat_sinks.metrics_service", "envoy.config.metrics.v3.MetricsServiceConfig", {
    grpc_service: envoyGrpc(plant, "stats sink grpc_service"),
  }),
  { name: "vendor.stats", config: { api_key: plant("stats sink config api_key", token) } },
];
