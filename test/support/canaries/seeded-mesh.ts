/** The generated mesh with canaries in its resources: both sides of one proxy, the names of another, a gateway's identity. */

import { assignmentOfCluster } from "../mesh/endpoints.js";
import type { JsonObject } from "../mesh/json.js";
import { textOf } from "../mesh/json.js";
import { buildMesh } from "../mesh/mesh.js";
import type { ListenerEntry, Mesh, MeshProxy, SynczRow } from "../mesh/model.js";
import { createAuthority } from "../mesh/certificates.js";
import { certificateSecret } from "../mesh/secrets.js";
import { days } from "../mesh/time.js";
import type { Plant, SeedBed } from "./canary.js";
import { identityClusters, ledgerCluster, seededClusters } from "./clusters.js";
import { seededListener } from "./filters.js";
import { seededRoutes } from "./headers.js";
import { any, headerOption } from "./message.js";
import { seededObjects } from "./istiod.js";
import { seededBootstrap } from "./node.js";
import { rejection } from "./sections.js";
import { tlsSecrets } from "./tls.js";
import { jsonWebToken, named, privateKey, token } from "./values.js";

/** The proxy that holds the secrets, by its workload. */
export const secretive = "productpage-v1";
/** A workload and its namespace, whose names `public` must hide: no other name contains them. */
export const hidden = { workload: "catalog-api-0", namespace: "team-0" } as const;
export const hiddenHost = `${hidden.workload}.${hidden.namespace}.svc.cluster.local`;
const sanLabel = "ledger-san-x7k2p9";

const healthy = buildMesh({
  seed: "canaries",
  services: 2,
  proxies: 2,
  replicas: 1,
  namespaces: 1,
  istioVersion: "1.24.2",
});

/** Names of the mesh's namespaces, as the redactor is told them. */
export const namespaces: readonly string[] = [...new Set(healthy.pods.map(({ namespace }) => namespace))];

/** What one side of a proxy holds, with canaries of its own. */
interface Side {
  readonly clusters: readonly JsonObject[];
  readonly listener: JsonObject;
  readonly routes: JsonObject;
  readonly secrets: readonly JsonObject[];
}

const side = (plant: Plant): Side => ({
  clusters: seededClusters(plant),
  listener: seededListener(plant, "0.0.0.0_8443_ledger", "8443"),
  routes: seededRoutes(plant, ledgerCluster),
  secrets: tlsSecrets(plant),
});

/** The mesh, with its canaries planted in `bed`. */
export function seededMesh(bed: SeedBed): Mesh {
  const proxies = healthy.proxies.map((proxy) => {
    if (proxy.pod.workload.name === secretive) return secretiveProxy(bed, proxy);
    return proxy.type === "router" ? identifiedGateway(bed, proxy) : proxy;
  });
  const names = bed.at("mesh", "bundle", /config_dump\?include_eds$/);
  names("namespace", named(hidden.namespace), "public");
  names("workload", named(hidden.workload), "public");
  names("host", named(hiddenHost), "public");
  names("SPIFFE id", named(`ns/${hidden.namespace}/sa/${hidden.workload}`), "public");
  const objects = seededObjects(bed.at("configz", "bundle", /debug\/configz$/));
  const lastErrors = bed.at("syncz", "bundle", /debug\/syncz$/);
  const rejected = `Error adding/updating listener: Bearer ${lastErrors("lastError Bearer", token)}, ${lastErrors("lastError JWT", jsonWebToken)}, key ${lastErrors("lastError PEM", privateKey())}`;
  const [secretiveId = ""] = proxies.flatMap(({ id, pod }) => (pod.workload.name === secretive ? [id] : []));
  return {
    ...healthy,
    proxies,
    configObjects: [...healthy.configObjects, ...objects],
    istiods: healthy.istiods.map((istiod) => ({
      ...istiod,
      synczBefore: istiod.synczBefore.map((row) => withLastError(row, secretiveId, rejected)),
      syncz: istiod.syncz.map((row) => withLastError(row, secretiveId, rejected)),
    })),
  };
}

function secretiveProxy(bed: SeedBed, proxy: MeshProxy): MeshProxy {
  const held = side(bed.at("Envoy", "bundle", /\/productpage-v1-[^/]*\/config_dump\?include_eds$/));
  const sent = side(bed.at("Istiod", "bundle", /debug\/config_dump\/default\/productpage-v1-[^/]*$/));
  const bootstrap = bed.at("bootstrap", "bundle", /\/productpage-v1-[^/]*\/config_dump\?include_eds$/);
  const { config, desired } = proxy;
  const { versionInfo, at } = config.clusters;
  const listenerName = textOf(held.listener, "name");
  const refused = rejection(
    bed.at("rejection", "bundle", /\/productpage-v1-[^/]*\/config_dump\?include_eds$/),
    listenerName,
  );
  const entry: ListenerEntry = {
    name: listenerName,
    active: { versionInfo, at, listener: held.listener },
    error: { failed: refused.failed, at, details: refused.details, versionInfo },
  };
  return {
    ...proxy,
    config: {
      ...config,
      bootstrap: seededBootstrap(bootstrap, config.bootstrap),
      clusters: { ...config.clusters, resources: [...config.clusters.resources, ...held.clusters] },
      listeners: [...config.listeners, entry],
      routes: { ...config.routes, resources: [...config.routes.resources, held.routes] },
      secrets: { ...config.secrets, resources: [...config.secrets.resources, ...held.secrets] },
      endpoints: [...config.endpoints, ...held.clusters.map(assignmentOfCluster)],
    },
    desired: {
      ...desired,
      clusters: [...desired.clusters, ...sent.clusters],
      listeners: [...desired.listeners, sent.listener],
      routes: [...desired.routes, sent.routes],
      secrets: [...desired.secrets, ...sent.secrets],
      endpoints: [...desired.endpoints, ...sent.clusters.map(assignmentOfCluster)],
    },
  };
}

/** Routes that name what `public` hides: in domains, matchers, rewrites, and in a regular expression. */
const namingRoutes = (): JsonObject =>
  any("envoy.config.route.v3.RouteConfiguration", {
    name: "http.8080.names",
    virtual_hosts: [
      {
        name: `${hiddenHost}:8080`,
        domains: [hiddenHost, `*.${hidden.namespace}.svc.cluster.local`],
        routes: [
          {
            match: {
              prefix: "/",
              headers: [
                {
                  name: ":authority",
                  string_match: {
                    safe_regex: { regex: `^(www\\.)?${hidden.workload}\\.${hidden.namespace}\\..*$` },
                  },
                },
              ],
            },
            route: {
              cluster: `outbound|8080||${hiddenHost}`,
              host_rewrite_literal: hiddenHost,
              regex_rewrite: { pattern: { regex: `^/${hidden.namespace}/(.*)$` }, substitution: "/\\1" },
            },
            request_headers_to_add: [headerOption("x-destination", `${hidden.workload}.${hidden.namespace}`)],
            decorator: { operation: `${hiddenHost}:8080/*` },
          },
          { match: { path: "/old" }, redirect: { host_redirect: hiddenHost } },
        ],
      },
    ],
  });

/** A gateway towards the outside, whose certificate tells a name of the inside. */
function identifiedGateway(bed: SeedBed, proxy: MeshProxy): MeshProxy {
  const plant = bed.at("gateway", "bundle", /\/istio-ingressgateway-[^/]*\/config_dump\?include_eds$/);
  const clusters = identityClusters(plant);
  const { capturedAt } = healthy;
  const label = plant("SAN", named(sanLabel), "public");
  const authority = createAuthority("canaries/names", "Ledger", capturedAt - days(9), capturedAt + days(9));
  const leaf = certificateSecret(
    "kubernetes://ledger-names",
    authority.issue({
      keyName: "ledger-names",
      notBefore: capturedAt - days(1),
      notAfter: capturedAt + days(1),
      dnsNames: [`${label}.${hidden.namespace}.svc.cluster.local`],
    }),
  );
  const routes = namingRoutes();
  const { config, desired } = proxy;
  return {
    ...proxy,
    config: {
      ...config,
      clusters: { ...config.clusters, resources: [...config.clusters.resources, ...clusters] },
      routes: { ...config.routes, resources: [...config.routes.resources, routes] },
      secrets: { ...config.secrets, resources: [...config.secrets.resources, leaf] },
      endpoints: [...config.endpoints, ...clusters.map(assignmentOfCluster)],
    },
    desired: {
      ...desired,
      clusters: [...desired.clusters, ...clusters],
      routes: [...desired.routes, routes],
      secrets: [...desired.secrets, leaf],
      endpoints: [...desired.endpoints, ...clusters.map(assignmentOfCluster)],
    },
  };
}

const withLastError = (row: SynczRow, proxyId: string, lastError: string): SynczRow =>
  row.proxyId === proxyId && row.types.lds !== undefined
    ? { ...row, types: { ...row.types, lds: { ...row.types.lds, acked: "", lastError } } }
    : row;
