import { describe, expect, it } from "vitest";

import { roleOf } from "../../src/bundle/roles.js";
import type { Pseudonyms } from "../../src/redact/pseudonyms.js";
import { isFieldName, isKept } from "../../src/redact/vocabulary.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { syncStatus } from "../../src/status/sync-status.js";
import { clusterView } from "../../src/views/clusters.js";
import { edsView } from "../../src/views/endpoints.js";
import { listenerView } from "../../src/views/listeners.js";
import { routeView } from "../../src/views/routes.js";
import { plain, snapshotIn, valueOf } from "../support/builders.js";
import { applyFaults } from "../support/mesh/faults.js";
import { bugReportLayout, mustGatherLayout, ownLayout, type ArchiveFile } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import type { Mesh } from "../support/mesh/model.js";
import { bundle } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";
import { aPseudonyms, withTokens } from "./readable-tokens.js";

const { mesh } = applyFaults(buildMesh({ services: 3, proxies: 3, replicas: 1, namespaces: 2 }), [
  "rejected-listener",
  "warming-cluster",
  "stale-cds",
]);
const namespaces = new Set(mesh.pods.map(({ namespace }) => namespace));

/** What every key, string and name of a file becomes; certificates are not theirs to replace. */
function redacted(file: ArchiveFile, names: Pseudonyms): ArchiveFile {
  const inside = (value: unknown, key: string): unknown => {
    if (typeof value === "string") return /^inline_?bytes$/i.test(key) ? "" : names.value(value, key);
    if (Array.isArray(value)) return value.map((item) => inside(item, key));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([member, item]) => [names.key(member), inside(item, member)]),
    );
  };
  const body = String(file.body);
  const text =
    body.startsWith("{") || body.startsWith("[")
      ? JSON.stringify(inside(JSON.parse(body), ""), null, 1)
      : names.value(body, "");
  return { ...file, name: names.name(file.name), body: text };
}

/** Under an empty redaction: the same but for certificates, so that the two can be compared. */
const untouched = (file: ArchiveFile): ArchiveFile => redacted(file, aPseudonyms("internal"));

const files = [...ownLayout(mesh)];
const names = aPseudonyms("public", { namespaces });
const published = files.map((file) => redacted(file, names));
const restored = (text: string): string => withTokens(text, names.names, (original) => original);

/** All that names somebody in this mesh. */
function namesOf({ services, workloads, pods }: Mesh): string[] {
  const all = [
    ...services.flatMap(({ name, namespace, hostname }) => [name, namespace, hostname]),
    ...workloads.flatMap(({ name, serviceAccount }) => [name, serviceAccount]),
    ...pods.flatMap(({ name, node, zone, owner }) => [name, node, zone, owner.name]),
    ...services.flatMap(({ clusterIp, handMadeEndpoints }) => [clusterIp, ...handMadeEndpoints]),
    ...pods.map(({ ip }) => ip),
    "bookinfo.example.com",
    "bookinfo-gateway",
    "bookinfo-credential",
    "ratings-viewer",
  ];
  return [...new Set(all)].filter((name) => !name.split(".").every((word) => isKept(word) || word === ""));
}

/** The strings of JSON files, keys that are no fields' among them, and whole other files. */
function stringsOf({ body }: ArchiveFile): string[] {
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value === "string") found.push(value);
    else if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        if (!isFieldName(key)) found.push(key);
        walk(item);
      }
    }
  };
  const text = String(body);
  if (text.startsWith("{") || text.startsWith("[")) walk(JSON.parse(text));
  else found.push(text);
  return found;
}

/** Whether the name stands in the text, not as a part of another word. */
function standsIn(name: string, text: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const around = `${text[at - 1] ?? ""}|${text[at + name.length] ?? ""}`;
    if (/^[^a-z0-9.]?\|[^a-z0-9]?$/i.test(around)) return true;
  }
  return false;
}

const sorted = (rows: readonly (readonly string[])[]): string[] => rows.map((row) => row.join(" | ")).sort();

describe("a mesh under public", () => {
  const leftIn = (all: readonly ArchiveFile[]): string[] => {
    const texts = [...new Set(all.flatMap((file) => [file.name, ...stringsOf(file)]))].join("\n");
    return namesOf(mesh).filter((name) => standsIn(name, texts));
  };

  it("keeps no name and no address of it", () => {
    expect(leftIn(published)).toEqual([]);
    expect(leftIn(files)).toEqual(namesOf(mesh));
  });

  it("can be put together again with the names: nothing else has changed, and equal is equal", () => {
    for (const [index, file] of published.entries()) {
      const original = untouched(files[index]!);
      expect(restored(file.name)).toBe(original.name);
      expect(restored(String(file.body))).toBe(String(original.body));
    }
  });

  it("reads back as the same mesh", async () => {
    const raw = await snapshotOf(files.map(untouched));
    const read = await snapshotOf(published, names);
    expect(read.problems.map(({ message }) => message)).toEqual(raw.problems.map(({ message }) => message));
    expect(idsOf(read).map(restored).sort()).toEqual(idsOf(raw).sort());
    expect(plain(read).captureTime).toEqual(plain(raw).captureTime);
  });

  it("answers as before, with tokens for names", async () => {
    const answersOf = (snapshot: Snapshot): string[] => {
      const options = { istioctl: 24 };
      const tables = snapshot.proxies.flatMap(({ config }) => [
        ...clusterView(valueOf(config.cluster), {}, options).rows,
        ...listenerView(valueOf(config.listener), {}, { ...options, verbose: true }).rows,
        ...routeView(valueOf(config.routeConfiguration), {}, { ...options, verbose: true }).rows,
        ...edsView(valueOf(config.endpointAssignment), {}, options).rows,
      ]);
      return [...sorted(tables), ...syncStatus(snapshot).rows.map((row) => JSON.stringify(row))];
    };
    const read = answersOf(await snapshotOf(published, names)).map(restored);
    expect(read.sort()).toEqual(answersOf(await snapshotOf(files.map(untouched))).sort());
  });
});

describe.each([
  ["our own layout", () => ownLayout(mesh)],
  ["bug-report", () => bugReportLayout(mesh, { istioctl: "1.30" })],
  ["old bug-report", () => bugReportLayout(mesh, { istioctl: "1.8" })],
  ["must-gather", () => mustGatherLayout(mesh)],
] as const)("entry names of %s", (_, layout) => {
  it("are recognised as before", () => {
    const all = [...layout()].map(({ name }) => name);
    expect(all.map((name) => roleOf(names.name(name)).kind)).toEqual(all.map((name) => roleOf(name).kind));
    expect(all.map((name) => restored(names.name(name)))).toEqual(all);
    expect(all.some((name) => names.name(name) !== name)).toBe(true);
  });
});

describe("a mesh under support", () => {
  it("keeps everything but the host outside", () => {
    const support = aPseudonyms("support", { namespaces });
    const changed = files.flatMap((file) => {
      const after = stringsOf(redacted(file, support));
      return stringsOf(untouched(file)).filter((text, index) => text !== after[index]);
    });
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.filter((text) => !text.includes("example.com"))).toEqual([]);
    expect(files.map(({ name }) => support.name(name))).toEqual(files.map(({ name }) => name));
  });
});

async function snapshotOf(all: readonly ArchiveFile[], given = aPseudonyms("internal")): Promise<Snapshot> {
  const manifest = manifestOf(mesh);
  const targets = manifest.targets.map((target) => ({
    ...target,
    namespace: given.name(target.namespace),
    name: given.name(target.name),
  }));
  return snapshotIn(await bundle(all, { ...manifest, targets }));
}

const idsOf = ({ proxies, istiods }: Snapshot): string[] => [...proxies, ...istiods].map(({ id }) => id);
