/** `/debug/syncz` in the shape of each release (istio/istio, pilot/pkg/xds/debug.go). */

import {
  clusterId,
  syncTypes,
  type MeshProxy,
  type SynczRow,
  type SyncType,
  type TypeNonces,
} from "./model.js";
import { print, type JsonObject } from "./json.js";
import { randomFor, type Random } from "./random.js";
import { atLeast } from "./release.js";
import { minutes, rfc3339 } from "./time.js";

/** The row of a proxy that has acknowledged everything. */
export function syncedRow(
  proxy: MeshProxy,
  pushedAt: number,
  seed: number | string,
  versionPrefix: string,
): SynczRow {
  const random = randomFor(seed, `nonces/${proxy.id}`);
  const watched = watchedTypes(proxy);
  return {
    proxyId: proxy.id,
    proxyType: proxy.type,
    istioVersion: proxy.istioVersion,
    clusterId,
    types: Object.fromEntries(
      watched.map((type): [SyncType, TypeNonces] => {
        const nonce = newNonce(random, versionPrefix);
        const sentAt = pushedAt + (type === "eds" ? minutes(random.between(1, 20)) : random.between(5, 900));
        return [type, { sent: nonce, acked: nonce, sentAt, lastError: "" }];
      }),
    ),
  };
}

/** CDS, LDS, RDS and EDS always; SDS where Istiod delivers credentials. */
const watchedTypes = (proxy: MeshProxy): SyncType[] => [
  "cds",
  "lds",
  "eds",
  "rds",
  ...(proxy.desired.secrets.length === 0 ? [] : ["sds" as const]),
];

/** Since 1.8 a nonce is the push version followed by a UUID; a reader may compare it only. */
export const newNonce = (random: Random, versionPrefix: string): string => versionPrefix + random.uuid();

/** The types with fields of their own, in the order of the answer; what else is watched stands in `resources`. */
const fields: readonly (readonly [SyncType, string])[] = [
  ["cds", "cluster"],
  ["lds", "listener"],
  ["rds", "route"],
  ["eds", "endpoint"],
  ["ecds", "extensionconfig"],
];

export const typeUrls: Record<SyncType, string> = {
  cds: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  lds: "type.googleapis.com/envoy.config.listener.v3.Listener",
  rds: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  eds: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  ecds: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
  sds: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
};

/** The whole answer of one Istiod of that release; `seed` orders the rows where the release did not. */
export function synczText(rows: readonly SynczRow[], istioVersion: string, seed: number | string): Buffer {
  const ordered = atLeast(istioVersion, "1.19")
    ? [...rows].sort((left, right) => (left.proxyId < right.proxyId ? -1 : 1))
    : randomFor(seed, "syncz order").shuffle(rows);
  const answer = ordered.map((row) => synczEntry(row, istioVersion));
  return print(answer, atLeast(istioVersion, "1.12") ? 0 : 4);
}

/** All fields are text and left out when empty. */
export function synczEntry(row: SynczRow, istioVersion: string): JsonObject {
  const entry: Record<string, string> = {
    cluster_id: atLeast(istioVersion, "1.13") ? row.clusterId : "",
    proxy: row.proxyId,
    proxy_type: atLeast(istioVersion, "1.18") ? row.proxyType : "",
    istio_version: row.istioVersion,
  };
  for (const [type, field] of fields) {
    const nonces = row.types[type];
    if (nonces === undefined || (type === "ecds" && !atLeast(istioVersion, "1.14"))) continue;
    entry[`${field}_sent`] = nonces.sent;
    entry[`${field}_acked`] = nonces.acked;
  }
  const written = Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== ""));
  return atLeast(istioVersion, "1.23") ? { ...written, resources: resourcesOf(row) } : written;
}

/** One entry per watched type; `sentTime` is Go's zero time when nothing was sent. */
const resourcesOf = (row: SynczRow): JsonObject =>
  Object.fromEntries(
    syncTypes
      .flatMap((type): [string, JsonObject][] => {
        const nonces = row.types[type];
        if (nonces === undefined) return [];
        return [
          [
            typeUrls[type],
            {
              ...(nonces.sent === "" ? {} : { sent: nonces.sent }),
              ...(nonces.acked === "" ? {} : { acked: nonces.acked }),
              sentTime: nonces.sentAt === null ? "0001-01-01T00:00:00Z" : rfc3339(nonces.sentAt),
              ...(nonces.lastError === "" ? {} : { lastError: nonces.lastError }),
            },
          ],
        ];
      })
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
