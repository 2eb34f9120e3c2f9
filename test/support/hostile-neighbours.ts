/** An archive of one bad proxy and one Istiod beside good ones: whatever the bad ones' files hold, the good ones are read. */

import { expect } from "vitest";

import type { Problem } from "../../src/shared/problem.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { plain } from "./builders.js";
import { bundleFiles, fileOf, lostOf, smallDump, snapshotOf, tarOf } from "./hostile.js";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A bug-report of the bad proxy (first) and a good one beside it, with these contents. */
export const neighbour = "good.default";
export const badFolder = "bug-report/proxies/default/bad";
export const istiodFolder = "bug-report/istio/istio-system/istiod-1";
export const dump = smallDump();
export const syncz = fileOf(bundleFiles(), "/debug/syncz");
export const serverInfo = fileOf(bundleFiles(), "/server_info");
export const pods = fileOf(bundleFiles(), "/pods.json");
export const services = fileOf(bundleFiles(), "/services.json");

export const contents = {
  [`${badFolder}/config_dump`]: dump,
  [`${badFolder}/server_info`]: serverInfo,
  [`${istiodFolder}/debug/syncz`]: syncz,
  [`${istiodFolder}/debug/config_dump/default/bad`]: fileOf(
    bundleFiles().filter(({ name }) => name.includes("/debug/config_dump/")),
    "",
  ),
  "bug-report/cluster/pods.json": pods,
  "bug-report/cluster/services.json": services,
  "bug-report/ztunnel/istio-system/z-1/config_dump": Buffer.from(
    JSON.stringify({
      workloads: [
        {
          uid: "u",
          name: "w",
          namespace: "n",
          workloadIps: ["10.0.0.1"],
          protocol: "HBONE",
          node: "a",
          status: "Healthy",
        },
      ],
      services: { x: { name: "s", namespace: "n", hostname: "h", vips: ["10.0.0.2"] } },
      policies: [],
      certificates: [],
    }),
  ),
};
export type Place = keyof typeof contents;
export const inArchive = (changed: Readonly<Record<string, Uint8Array | string>>): Buffer =>
  tarOf([
    ...Object.entries({ ...contents, ...changed }).map(([name, body]) => ({ name, body })),
    { name: "bug-report/proxies/default/good/config_dump", body: dump },
    { name: "bug-report/proxies/default/good/server_info", body: serverInfo },
    { name: "bug-report/istio/istio-system/istiod-2/debug/syncz", body: syncz },
  ]);

export const baseline = await snapshotOf(inArchive({}));
/** What was lost of files; the archive is of no kind that is written, which is reported of the whole. */
export const lostFiles = (snapshot: Snapshot): Problem[] =>
  lostOf(snapshot).filter(({ entry }) => entry !== "");
const ofNeighbours = (snapshot: Snapshot): unknown => {
  const { proxies, istiods } = plain({
    ...snapshot,
    proxies: snapshot.proxies.filter(({ id }) => id === neighbour),
    istiods: snapshot.istiods.filter(({ id }) => id === "istiod-2"),
    resources: new Map(),
  });
  return { proxies, istiods };
};
const expected = ofNeighbours(baseline);
const expectedText = JSON.stringify(expected);

/** Reads the archive with the changed files: whatever they hold, the neighbours are what they were. */
export async function readBeside(changed: Readonly<Record<string, Uint8Array | string>>): Promise<Snapshot> {
  const snapshot = await snapshotOf(inArchive(changed));
  const found = ofNeighbours(snapshot);
  if (JSON.stringify(found) !== expectedText) expect(found).toEqual(expected);
  return snapshot;
}

export const parsed = (bytes: Uint8Array): Json => JSON.parse(Buffer.from(bytes).toString()) as Json;

export const xdsAnswer: Json = {
  versionInfo: "1",
  resources: [
    {
      "@type": "type.googleapis.com/envoy.service.status.v3.ClientConfig",
      node: { id: "a.default", metadata: { CLUSTER_ID: "Kubernetes", ISTIO_VERSION: "1.24.2" } },
      genericXdsConfigs: [
        {
          typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
          configStatus: "SYNCED",
          lastUpdated: "2026-03-14T09:00:00Z",
        },
        {
          typeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener",
          configStatus: 4,
          errorState: { details: "no" },
        },
      ],
    },
    {
      node: { id: "b.default" },
      xdsConfig: [
        { status: "STALE", clusterConfig: {} },
        { status: 1, listenerConfig: {} },
      ],
    },
  ],
  typeUrl: "istio.io/debug/syncz",
  controlPlane: { identifier: '{"Component":"istiod","ID":"istiod-1","Info":{"version":"1.24.2"}}' },
};
