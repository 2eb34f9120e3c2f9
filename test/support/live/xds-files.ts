/**
 * xDS from files (envoyproxy/envoy, docs/root/configuration/overview/xds_api.rst): one DiscoveryResponse a file. Envoy watches
 * the folders and reads a file again when one is moved in; a file that is written in place would be read half.
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { textOf, type JsonObject } from "../mesh/json.js";

export const xdsKinds = ["lds", "cds", "rds", "eds"] as const;
export type XdsKind = (typeof xdsKinds)[number];

/** Relative: Envoy runs in the folder that holds it, and its configuration reads the same in every run. */
const folder = "xds";

/** LDS and CDS have one file for all; of RDS and EDS a subscription takes exactly one resource. */
const fileOf = (kind: XdsKind, name: string): string =>
  `${folder}/${kind}/${kind === "lds" || kind === "cds" ? "all" : encodeURIComponent(name)}.json`;

/** The `config_source` of a resource of that name; of any name for LDS and CDS. */
export const fileSource = (kind: XdsKind, name = ""): JsonObject => ({
  path_config_source: {
    path: fileOf(kind, name),
    watched_directory: { path: `${folder}/${kind}` },
  },
  initial_fetch_timeout: "0s",
  resource_api_version: "V3",
});

export const prepareXdsFolders = async (home: string): Promise<void> => {
  for (const kind of xdsKinds) await mkdir(join(home, folder, kind), { recursive: true });
};

/** Moves resources in, with or without an Envoy that watches. */
export async function deliver(
  home: string,
  kind: XdsKind,
  resources: readonly JsonObject[],
  versionInfo: string,
): Promise<void> {
  const whole = kind === "lds" || kind === "cds";
  const files = whole ? [{ name: "", members: resources }] : resources.map(alone);
  for (const { name, members } of files) {
    const draft = join(home, folder, "draft.json");
    await writeFile(draft, JSON.stringify({ version_info: versionInfo, resources: members }));
    await rename(draft, join(home, fileOf(kind, name)));
  }
}

const alone = (resource: JsonObject): { name: string; members: JsonObject[] } => ({
  name: textOf(resource, "name") || textOf(resource, "cluster_name"),
  members: [resource],
});
