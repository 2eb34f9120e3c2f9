import { createHash, X509Certificate } from "node:crypto";

import { describe, expect, it } from "vitest";

import { envoyDump, envoyDumpText, istiodDumpText } from "./dump.js";
import { applyFaults, dumpErrorText, faultNames, type FaultName } from "./faults.js";
import { isObject, print, shared, toCamelCase, type Json, type JsonObject } from "./json.js";
import {
  bugReportLayout,
  bugReportVersions,
  mustGatherLayout,
  ownLayout,
  type ArchiveFile,
} from "./layouts.js";
import { buildMesh } from "./mesh.js";
import type { Mesh, MeshProxy } from "./model.js";

const healthy = buildMesh();

const textOfFile = ({ body }: ArchiveFile): string => body.toString();
const digest = (files: Iterable<ArchiveFile>): string => {
  const hash = createHash("sha256");
  for (const { name, body, mtime } of files) hash.update(`${name}\n${mtime.toISOString()}\n`).update(body);
  return hash.digest("hex");
};
const filesOf = (files: Iterable<ArchiveFile>): Map<string, ArchiveFile> =>
  new Map([...files].map((file) => [file.name, file]));
const namesOf = (files: Iterable<ArchiveFile>): string[] => [...files].map(({ name }) => name);
const members = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
const parsed = (file: ArchiveFile | undefined): JsonObject => JSON.parse(textOfFile(file!)) as JsonObject;

/** A row of syncz, as far as the tests look at it. */
type Row = Readonly<Record<string, string>> & {
  readonly resources: Readonly<Record<string, { readonly sentTime: string; readonly lastError?: string }>>;
};
const rowsIn = (file: ArchiveFile | undefined): Row[] => JSON.parse(textOfFile(file!)) as Row[];

/** An entry of `dynamic_listeners`. */
interface ListenerEntry {
  readonly name?: string;
  readonly error_state?: { readonly details: string };
}

/** Every object below the value, the value included. */
function* objectsIn(value: Json): Generator<JsonObject> {
  if (Array.isArray(value)) for (const member of value as readonly Json[]) yield* objectsIn(member);
  else if (isObject(value)) {
    yield value;
    for (const member of Object.values(value)) yield* objectsIn(member);
  }
}

/** The keys of messages: not those of maps and Structs, which are data. */
function* messageKeys(value: Json): Generator<string> {
  const dataBelow = new Set(["filter_metadata", "filterMetadata", "metadata", "policies", "match"]);
  if (Array.isArray(value)) for (const member of value as readonly Json[]) yield* messageKeys(member);
  else if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (!key.includes(".")) yield key;
      if (!dataBelow.has(key)) yield* messageKeys(member);
    }
  }
}

const proxyOf = (mesh: Mesh, id: string): MeshProxy => mesh.proxies.find((proxy) => proxy.id === id)!;
const section = (dump: JsonObject, kind: string): JsonObject =>
  members(dump["configs"]).find(
    (config) => config["@type"] === `type.googleapis.com/envoy.admin.v3.${kind}ConfigDump`,
  )!;

describe("printing", () => {
  const value: Json = { a: [1, "two", null, {}, [], { deep: { er: [true] } }], "ü\n": "é\u{1F600}" };
  it.each([0, 1, 4] as const)("gives the text of JSON.stringify with indent %i", (indent) => {
    const document = { outer: [shared({ inner: value }), { again: shared({ inner: [] }) }], value };
    expect(print(document, indent).toString()).toBe(JSON.stringify(document, null, indent) + "\n");
    expect(print(document, indent).toString()).toBe(JSON.stringify(document, null, indent) + "\n");
  });
  it("re-cases names of fields and leaves data alone", () => {
    expect(
      toCamelCase({
        "@type": "a_b",
        max_stream_duration: 1,
        filter_metadata: { istio: { default_original_port: 1 } },
        typed_per_filter_config: { "my_filter.x": { is_on: true } },
      }),
    ).toEqual({
      "@type": "a_b",
      maxStreamDuration: 1,
      filterMetadata: { istio: { default_original_port: 1 } },
      typedPerFilterConfig: { "my_filter.x": { isOn: true } },
    });
  });
});

describe("reproducibility", () => {
  it("gives the same bytes for the same seed and others for another", () => {
    const once = digest(ownLayout(buildMesh({ seed: 7 })));
    expect(digest(ownLayout(buildMesh({ seed: 7 })))).toBe(once);
    expect(digest(ownLayout(buildMesh({ seed: 8 })))).not.toBe(once);
  });
  it("gives the same bytes for the same faults", () => {
    const faulty = (): string => digest(ownLayout(applyFaults(buildMesh(), faultNames).mesh));
    expect(faulty()).toBe(faulty());
  });
  it("leaves the healthy mesh alone when faults are applied", () => {
    const before = digest(ownLayout(healthy));
    applyFaults(healthy, faultNames);
    expect(digest(ownLayout(healthy))).toBe(before);
  });
  it("counts all times from the epoch", () => {
    const later = buildMesh({ epoch: "2031-01-02T03:04:05Z" });
    const dump = envoyDumpText(later.proxies[0]!, true).toString();
    expect(dump).toContain('"last_updated": "203');
    expect(dump).not.toContain("2026-");
  });
});

describe("the healthy mesh", () => {
  const everyMesh = [
    { name: "bookinfo", mesh: healthy },
    { name: "large", mesh: buildMesh({ services: 40, proxies: 10 }) },
    { name: "1.12", mesh: buildMesh({ istioVersion: "1.12.9" }) },
    { name: "1.6", mesh: buildMesh({ istioVersion: "1.6.14" }) },
    { name: "without bookinfo", mesh: buildMesh({ bookinfo: false, services: 5, proxies: 7 }) },
  ];

  it("is Bookinfo behind a gateway, with two Istiods", () => {
    expect(healthy.proxies.map(({ pod, type }) => `${type} ${pod.workload.name}.${pod.namespace}`)).toEqual([
      "sidecar details-v1.default",
      "sidecar productpage-v1.default",
      "sidecar ratings-v1.default",
      "sidecar reviews-v1.default",
      "sidecar reviews-v2.default",
      "sidecar reviews-v3.default",
      "router istio-ingressgateway.istio-system",
    ]);
    expect(healthy.istiods).toHaveLength(2);
    for (const proxy of healthy.proxies) {
      expect(proxy.id).toMatch(/^[a-z0-9-]+-[a-z0-9]{9,10}-[a-z0-9]{5}\.[a-z-]+$/);
    }
  });

  it.each(everyMesh)("$name: every cluster that a route or a TCP proxy names exists", ({ mesh }) => {
    for (const proxy of mesh.proxies) {
      const dump = envoyDump(proxy, true);
      const clusters = section(dump, "Clusters");
      const known = new Set(
        ["static_clusters", "dynamic_active_clusters"].flatMap((list) =>
          members(clusters[list]).map((entry) => (entry["cluster"] as JsonObject)["name"]),
        ),
      );
      const named = [section(dump, "Listeners"), section(dump, "Routes")].flatMap((part) =>
        [...objectsIn(part)].flatMap((object) => [
          ...(typeof object["cluster"] === "string" ? [object["cluster"]] : []),
          ...(isObject(object["weighted_clusters"])
            ? members(object["weighted_clusters"]["clusters"]).map(({ name }) => name)
            : []),
        ]),
      );
      expect(named.length).toBeGreaterThan(0);
      expect(named.filter((name) => !known.has(name))).toEqual([]);
    }
  });

  it.each(everyMesh)("$name: every EDS cluster has endpoints, every RDS name its routes", ({ mesh }) => {
    for (const proxy of mesh.proxies) {
      const dump = envoyDump(proxy, true);
      const assignments = new Map(
        members(section(dump, "Endpoints")["dynamic_endpoint_configs"]).map((entry) => {
          const assignment = entry["endpoint_config"] as JsonObject;
          return [assignment["cluster_name"], members(assignment["endpoints"])];
        }),
      );
      for (const entry of members(section(dump, "Clusters")["dynamic_active_clusters"])) {
        const cluster = entry["cluster"] as JsonObject;
        expect(assignments.has(cluster["name"])).toBe(true);
        if (cluster["type"] === "EDS") expect(assignments.get(cluster["name"])).not.toEqual([]);
      }
      const routes = new Set(
        members(section(dump, "Routes")["dynamic_route_configs"]).map(
          (entry) => (entry["route_config"] as JsonObject)["name"],
        ),
      );
      const asked = [...objectsIn(section(dump, "Listeners"))].flatMap(({ rds }) =>
        isObject(rds) ? [rds["route_config_name"]!] : [],
      );
      expect(asked.filter((name) => !routes.has(name))).toEqual([]);
    }
  });

  it("lists clusters by name", () => {
    for (const proxy of healthy.proxies) {
      const names = proxy.config.clusters.resources.map(({ name }) => name as string);
      expect(names).toEqual([...names].sort());
    }
  });

  it("prints Envoy's dumps in snake_case and Istiod's in lowerCamelCase", () => {
    for (const proxy of healthy.proxies) {
      const envoy = JSON.parse(envoyDumpText(proxy, true).toString()) as JsonObject;
      const istiod = JSON.parse(istiodDumpText(proxy.desired, "1.24.2", true).toString()) as JsonObject;
      expect([...messageKeys(envoy)].filter((key) => /^[a-z]+[A-Z]/.test(key))).toEqual([]);
      expect([...messageKeys(istiod)].filter((key) => key.includes("_"))).toEqual([]);
    }
  });

  it("has the same content on both sides", () => {
    for (const proxy of healthy.proxies) {
      const istiod = JSON.parse(istiodDumpText(proxy.desired, "1.24.2", true).toString()) as JsonObject;
      const sent = members(section(istiod, "Clusters")["dynamicActiveClusters"]).map(
        ({ cluster }) => cluster,
      );
      expect(sent).toEqual(proxy.config.clusters.resources.map(toCamelCase));
    }
  });

  it("shares what replicas share and nothing of the pod", () => {
    const mesh = buildMesh({ bookinfo: false, services: 3, proxies: 6 });
    const [first, second] = mesh.proxies;
    expect(first!.pod.workload).toBe(second!.pod.workload);
    expect(second!.config.clusters.resources).toBe(first!.config.clusters.resources);
    expect(second!.config.bootstrap).not.toEqual(first!.config.bootstrap);
  });

  it("has certificates of one root, valid at the capture, named after the service account", () => {
    for (const proxy of healthy.proxies) {
      const [own, root] = proxy.config.secrets.resources.map((secret) => {
        const bytes = [...objectsIn(secret)].find((object) => "inline_bytes" in object)![
          "inline_bytes"
        ] as string;
        return new X509Certificate(Buffer.from(bytes, "base64"));
      });
      expect(own!.verify(root!.publicKey)).toBe(true);
      expect(own!.checkIssued(root!)).toBe(true);
      expect(Date.parse(own!.validFrom)).toBeLessThan(healthy.capturedAt);
      expect(Date.parse(own!.validTo)).toBeGreaterThan(healthy.capturedAt);
      const { namespace, workload } = proxy.pod;
      expect(own!.subjectAltName).toBe(
        `URI:spiffe://cluster.local/ns/${namespace}/sa/${workload.serviceAccount}`,
      );
    }
    expect(envoyDumpText(healthy.proxies[0]!, true).toString()).toContain(
      '"inline_bytes": "W3JlZGFjdGVkXQ=="',
    );
  });
});

describe("syncz by release", () => {
  const firstRow = (istioVersion: string): Row => {
    const file = [...ownLayout(buildMesh({ istioVersion }))].find(({ name }) => name.endsWith("debug/syncz"));
    return rowsIn(file)[0]!;
  };
  const nonces = ["cluster", "listener", "route", "endpoint"].flatMap((kind) => [
    `${kind}_sent`,
    `${kind}_acked`,
  ]);
  it.each([
    { istioVersion: "1.6.14", keys: ["proxy", "istio_version", ...nonces] },
    { istioVersion: "1.12.9", keys: ["proxy", "istio_version", ...nonces] },
    { istioVersion: "1.13.9", keys: ["cluster_id", "proxy", "istio_version", ...nonces] },
    { istioVersion: "1.18.0", keys: ["cluster_id", "proxy", "proxy_type", "istio_version", ...nonces] },
    {
      istioVersion: "1.23.0",
      keys: ["cluster_id", "proxy", "proxy_type", "istio_version", ...nonces, "resources"],
    },
  ])("$istioVersion", ({ istioVersion, keys }) => {
    expect(Object.keys(firstRow(istioVersion))).toEqual(keys);
  });
  it("names the watched types in full", () => {
    const { resources } = firstRow("1.24.2");
    expect(Object.keys(resources)).toContain("type.googleapis.com/envoy.config.cluster.v3.Cluster");
    for (const type of Object.values(resources)) {
      expect(Object.keys(type)).toEqual(["sent", "acked", "sentTime"]);
    }
  });
});

describe("faults", () => {
  const broken = (fault: FaultName, proxy?: string) => {
    const { mesh, notes } = applyFaults(healthy, [proxy === undefined ? fault : { fault, proxy }]);
    const note = notes[0]!;
    const files = filesOf(ownLayout(mesh));
    const { pod } = proxyOf(mesh, note.proxyId);
    const folder = `istio-snapshot/proxies/${pod.namespace}/${pod.name}`;
    const rows = (name: string): Row[] =>
      [...files.values()]
        .filter((file) => file.name.endsWith(`/debug/${name}`))
        .flatMap(rowsIn)
        .filter((row) => row["proxy"] === note.proxyId);
    const view = [...files.values()].find((file) =>
      file.name.endsWith(`debug/config_dump/${pod.namespace}/${pod.name}`),
    );
    return { note, files, folder, rows, view, dump: files.get(`${folder}/config_dump?include_eds`) };
  };
  const listeners = (file: ArchiveFile | undefined): ListenerEntry[] =>
    members(section(parsed(file), "Listeners")["dynamic_listeners"]);

  it.each(faultNames)("%s changes the capture and says so", (fault) => {
    const { mesh, notes } = applyFaults(healthy, [fault]);
    expect(digest(ownLayout(mesh))).not.toBe(digest(ownLayout(healthy)));
    expect(notes).toHaveLength(1);
    expect(notes[0]!.fault).toBe(fault);
    expect(mesh.proxies.map(({ id }) => id)).toContain(notes[0]!.proxyId);
  });
  it("takes a proxy by its name and different ones without", () => {
    expect(broken("no-eds", "reviews-v3").note.proxyId).toMatch(/^reviews-v3-/);
    const { notes } = applyFaults(healthy, ["stuck", "no-eds", "missing-server-info"]);
    expect(new Set(notes.map(({ proxyId }) => proxyId)).size).toBe(3);
    expect(() => applyFaults(healthy, [{ fault: "stuck", proxy: "nobody" }])).toThrow("nobody");
  });
  it("deals all faults out so that none hides another", () => {
    const { mesh, notes } = applyFaults(healthy, faultNames);
    expect(notes.map(({ fault }) => fault)).toEqual(faultNames);
    for (const { fault, proxyId } of notes) {
      const { files, connectedTo } = proxyOf(mesh, proxyId);
      const hides = ["listed-not-captured", "dump-truncated", "dump-error-text", "missing-from-syncz"];
      if (!hides.includes(fault))
        expect({ fault, files, connectedTo }).toMatchObject({ files: { dump: "whole", captured: true } });
    }
    const unseen = notes.find(({ fault }) => fault === "listed-not-captured")!.proxyId;
    expect(notes.filter(({ proxyId }) => proxyId === unseen)).toHaveLength(1);
    const many = new Map<string, number>();
    for (const { proxyId } of notes) many.set(proxyId, (many.get(proxyId) ?? 0) + 1);
    expect(many.size).toBe(healthy.proxies.length);
  });

  it("stale-cds: sent long ago, not acknowledged, and Envoy lacks the new cluster that all others have", () => {
    const { note, rows, dump, view, files } = broken("stale-cds");
    for (const sample of ["syncz", "syncz.before"]) {
      const [row] = rows(sample);
      expect(row!["cluster_sent"]).not.toBe(row!["cluster_acked"]);
      expect(row!.resources["type.googleapis.com/envoy.config.cluster.v3.Cluster"]?.sentTime).toBe(
        "2026-03-14T09:04:00.000Z",
      );
    }
    expect(textOfFile(dump!)).not.toContain(note.expect.resource);
    expect(textOfFile(view!)).toContain(note.expect.resource);
    const others = [...files.values()].filter((file) => file.name.endsWith("include_eds") && file !== dump);
    for (const other of others) expect(textOfFile(other)).toContain(note.expect.resource);
  });
  it("never-acked-lds: sent, nothing acknowledged", () => {
    const [row] = broken("never-acked-lds").rows("syncz");
    expect(row!["listener_sent"]).toBeTruthy();
    expect(row).not.toHaveProperty("listener_acked");
  });
  it("not-sent-rds-gateway: a router without routes", () => {
    const { rows, dump } = broken("not-sent-rds-gateway");
    const [row] = rows("syncz");
    expect(row!["proxy_type"]).toBe("router");
    expect(row).not.toHaveProperty("route_sent");
    expect(section(parsed(dump), "Routes")).not.toHaveProperty("dynamic_route_configs");
  });
  it("missing-from-syncz: captured and in no list", () => {
    const { rows, dump } = broken("missing-from-syncz");
    expect([...rows("syncz"), ...rows("syncz.before")]).toEqual([]);
    expect(dump).toBeDefined();
  });
  it("listed-not-captured: in a list and without files", () => {
    const { rows, files, folder } = broken("listed-not-captured");
    expect(rows("syncz")).toHaveLength(1);
    expect([...files.keys()].filter((name) => name.startsWith(folder))).toEqual([]);
  });
  it("rejected-listener: twice in the dump, once in syncz", () => {
    const { note, rows, dump } = broken("rejected-listener");
    const errors = listeners(dump).filter(({ error_state }) => error_state);
    expect(errors.map(({ name }) => name)).toEqual([note.expect.resource, undefined]);
    expect(errors[0]?.error_state?.details).toBe(note.expect.details);
    const resource = rows("syncz")[0]!.resources["type.googleapis.com/envoy.config.listener.v3.Listener"];
    expect(resource?.lastError).toContain(note.expect.details);
    expect(note.expect.status).toEqual({ lds: "ERROR" });
  });
  it("rejected-listener: before 1.23 syncz cannot tell, so it is STALE", () => {
    const { notes } = applyFaults(buildMesh({ istioVersion: "1.20.1" }), ["rejected-listener"]);
    expect(notes[0]!.expect.status).toEqual({ lds: "STALE" });
  });
  it.each([
    ["warming-listener", "warming_state"],
    ["draining-listener", "draining_state"],
  ] as const)("%s: only a %s", (fault, state) => {
    const { note, dump } = broken(fault);
    const entry = listeners(dump).find(({ name }) => name === note.expect.resource);
    expect(Object.keys(entry!)).toEqual(["name", state]);
  });
  it("warming-cluster: warming in Envoy, sent by Istiod", () => {
    const { note, dump, view } = broken("warming-cluster");
    const clusters = section(parsed(dump), "Clusters");
    expect(members(clusters["dynamic_warming_clusters"])).toHaveLength(1);
    expect(JSON.stringify(clusters["dynamic_active_clusters"])).not.toContain(note.expect.resource);
    expect(textOfFile(view!)).toContain(note.expect.resource);
  });
  it("version-skew: an older Istio and its Envoy", () => {
    const { rows, files, folder, dump } = broken("version-skew");
    expect(rows("syncz")[0]!["istio_version"]).toBe("1.20.8");
    expect(parsed(files.get(`${folder}/server_info`))["version"]).toContain("/1.28.9-dev/");
    expect(textOfFile(dump!)).toContain('"ISTIO_VERSION": "1.20.8"');
  });
  it("missing-server-info and no-eds: one file, one section less", () => {
    const { files, folder } = broken("missing-server-info");
    expect(files.has(`${folder}/server_info`)).toBe(false);
    expect(section(parsed(broken("no-eds").dump), "Endpoints")).toBeUndefined();
  });
  it("not-live: the state, and every listener warming", () => {
    const { files, folder, dump } = broken("not-live");
    expect(parsed(files.get(`${folder}/server_info`))["state"]).toBe("PRE_INITIALIZING");
    for (const entry of listeners(dump)) expect(Object.keys(entry)).toEqual(["name", "warming_state"]);
  });
  it("in-two-lists: once per Istiod", () => {
    expect(broken("in-two-lists").rows("syncz")).toHaveLength(2);
  });
  it("in-flight: synced before, another nonce after; stuck: the same twice", () => {
    const [before] = broken("in-flight").rows("syncz.before");
    const [after] = broken("in-flight").rows("syncz");
    expect(before!["endpoint_sent"]).toBe(before!["endpoint_acked"]);
    expect(after!["endpoint_sent"]).not.toBe(before!["endpoint_sent"]);
    expect(after!["endpoint_sent"]).not.toBe(after!["endpoint_acked"]);
    const stuck = broken("stuck");
    expect(stuck.rows("syncz")[0]!["endpoint_sent"]).not.toBe(stuck.rows("syncz")[0]!["endpoint_acked"]);
    expect(stuck.rows("syncz")).toEqual(stuck.rows("syncz.before"));
  });
  it("dump-truncated and dump-error-text: no JSON", () => {
    expect(() => parsed(broken("dump-truncated").dump)).toThrow(SyntaxError);
    expect(textOfFile(broken("dump-error-text").dump!)).toBe(dumpErrorText);
  });
});

describe("own layout", () => {
  const files = filesOf(ownLayout(healthy));
  it("has the paths of the contract", () => {
    const [istiod] = healthy.istiods;
    const [proxy] = healthy.proxies;
    const held = healthy.istiods.find(({ name }) => name === proxy!.connectedTo)!;
    const istiodFolder = `istio-snapshot/istio/istio-system/${istiod!.name}`;
    const proxyFolder = `istio-snapshot/proxies/default/${proxy!.pod.name}`;
    expect([...files.keys()]).toEqual(
      expect.arrayContaining([
        ...["config_dump?include_eds", "server_info", "certs", "clusters", "stats", "runtime"].map(
          (name) => `${proxyFolder}/${name}`,
        ),
        ...["syncz", "syncz.before", "mesh", "configz", "endpointShardz", "adsz"].map(
          (name) => `${istiodFolder}/debug/${name}`,
        ),
        `istio-snapshot/istio/istio-system/${held.name}/debug/config_dump/default/${proxy!.pod.name}`,
        `${istiodFolder}/version`,
        "istio-snapshot/cluster/pods.json",
        "istio-snapshot/cluster/services.json",
      ]),
    );
    expect([...files.keys()].some((name) => name.endsWith("manifest.json"))).toBe(false);
    expect(namesOf(ownLayout(healthy, { root: "" })).every((name) => !name.startsWith("/"))).toBe(true);
  });
  it("holds JSON wherever it should", () => {
    for (const file of files.values()) {
      if (!/\/(stats|version)$/.test(file.name)) expect(() => parsed(file), file.name).not.toThrow();
    }
  });
  it("is captured in order: before, proxies, after", () => {
    const times = [...files.values()].map(({ mtime }) => mtime.getTime());
    expect(times).toEqual([...times].sort((left, right) => left - right));
    expect(times[0]).toBe(healthy.capturedAt);
  });
  it("says of a pod who owns it and whether it has a proxy", () => {
    const pods = members(parsed(files.get("istio-snapshot/cluster/pods.json"))["pods"]);
    expect(pods).toHaveLength(healthy.pods.length);
    expect(pods.filter((pod) => pod["proxyContainer"])).toHaveLength(healthy.proxies.length);
    expect(Object.keys(pods[0]!)).toEqual([
      "name",
      "namespace",
      "labels",
      "owner",
      "ips",
      "hostNetwork",
      "proxyContainer",
    ]);
  });
});

describe("bug-report layout", () => {
  const [proxy] = healthy.proxies;
  const folder = `proxies/default/${proxy!.pod.name}`;
  const istiodFolder = `istio/istio-system/${healthy.istiods[0]!.name}`;

  it.each(bugReportVersions)("%s: the files of the release, and never Istiod's config dump", (istioctl) => {
    const names = namesOf(bugReportLayout(healthy, { istioctl }));
    expect(names).toEqual(
      expect.arrayContaining(
        [
          "bug-report.log",
          "versions",
          `${folder}/config_dump?include_eds`,
          `${folder}/stats/prometheus`,
          `${folder}/istio-proxy.log`,
          `${istiodFolder}/debug/syncz`,
          "cluster/k8s-resources",
        ].map((name) => `bug-report/${name}`),
      ),
    );
    expect(names.filter((name) => name.includes("debug/config_dump"))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
  it.each([
    { name: `${istiodFolder}/debug/cdsz`, in: ["1.8", "1.12"] },
    { name: `${istiodFolder}/debug/mesh`, in: ["1.12", "1.17", "1.20", "1.24", "1.30"] },
    { name: `${istiodFolder}/debug/clusterz`, in: ["1.20", "1.24", "1.30"] },
    { name: `${istiodFolder}/debug/ambientz`, in: ["1.24", "1.30"] },
    { name: `${istiodFolder}/debug/krtz`, in: ["1.30"] },
    { name: `${istiodFolder}/metrics`, in: ["1.20", "1.24", "1.30"] },
    { name: "cluster/describe-pods", in: ["1.8", "1.12", "1.17", "1.20"] },
    { name: "cluster/pods", in: ["1.24", "1.30"] },
    { name: "analyze/default/default", in: ["1.8"] },
    { name: "cluster/k8s-cluster-resources", in: ["1.30"] },
  ])("$name is in $in", ({ name, in: releases }) => {
    const found = bugReportVersions.filter((istioctl) =>
      namesOf(bugReportLayout(healthy, { istioctl })).includes(`bug-report/${name}`),
    );
    expect(found).toEqual(releases);
  });
  it("has clusters as text and a 404 under cdsz", () => {
    const files = filesOf(bugReportLayout(healthy, { istioctl: "1.12", root: "" }));
    expect(textOfFile(files.get(`${folder}/clusters`)!)).toMatch(
      /^outbound\|9080\|\|reviews\.default\.svc\.cluster\.local::10\.[\d.]+:9080::health_flags::healthy$/m,
    );
    expect(textOfFile(files.get(`${istiodFolder}/debug/cdsz`)!)).toContain("404 page not found");
  });
  it("of Windows has backslashes and no question marks", () => {
    const names = namesOf(bugReportLayout(healthy, { istioctl: "1.24", windows: true }));
    expect(names.filter((name) => /[/?]/.test(name))).toEqual([]);
    expect(names).toContain(`bug-report\\proxies\\default\\${proxy!.pod.name}\\server_info`);
  });
  it("of a proxy that failed has the log alone", () => {
    const { mesh } = applyFaults(healthy, [{ fault: "listed-not-captured", proxy: proxy!.id }]);
    const names = namesOf(bugReportLayout(mesh, { istioctl: "1.24", root: "" }));
    expect(names.filter((name) => name.startsWith(folder))).toEqual([`${folder}/istio-proxy.log`]);
  });
});

describe("must-gather layout", () => {
  const pod = healthy.proxies[1]!.pod;
  it("OSSM 3: names, the version, and remarks before some JSON", () => {
    const files = filesOf(mustGatherLayout(healthy, { root: "root" }));
    const folder = `root/namespaces/default/pods/${pod.name}`;
    expect(textOfFile(files.get("root/version")!)).toMatch(/^openshift-service-mesh\/must-gather\n/);
    expect(files.has("root/namespaces/istio-system/default/debug-syncz.json")).toBe(true);
    expect(files.has(`${folder}/proxy_stats`)).toBe(true);
    const dump = textOfFile(files.get(`${folder}/config_dump_proxy.json`)!);
    expect(dump).toMatch(/^Defaulted container "istio-proxy" out of: istio-proxy, productpage/);
    expect(JSON.parse(dump.slice(dump.indexOf("{")))).toHaveProperty("configs");
    expect(dump).not.toContain("EndpointsConfigDump");
  });
  it("asks the first Istiod only, which does not know all proxies", () => {
    const files = filesOf(mustGatherLayout(healthy, { root: "root" }));
    const rows = rowsIn(files.get("root/namespaces/istio-system/default/debug-syncz.json"));
    const refused = [...files.values()].filter(
      (file) =>
        file.name.endsWith("config_dump_istiod.json") && textOfFile(file).startsWith("Proxy not connected"),
    );
    expect(rows.length + refused.length).toBe(healthy.proxies.length);
    expect(refused.length).toBeGreaterThan(0);
  });
  it("OSSM 2: the older names", () => {
    expect(namesOf(mustGatherLayout(healthy, { root: "root", ossm: 2 }))).toEqual(
      expect.arrayContaining([
        "root/namespaces/istio-system/controlplane/synchronization",
        `root/namespaces/default/pods/${pod.name}/pilotConfiguration`,
        `root/namespaces/default/pods/${pod.name}/envoyConfiguration`,
      ]),
    );
  });
});

describe("a large mesh", () => {
  it("has dumps of a realistic size, quickly", () => {
    const mesh = buildMesh({ services: 1000, proxies: 12 });
    const start = performance.now();
    const sizes = mesh.proxies
      .filter(({ type, pod }) => type === "sidecar" && pod.namespace.startsWith("team-"))
      .map((proxy) => envoyDumpText(proxy, true).length);
    expect(sizes).toHaveLength(12);
    expect(Math.min(...sizes)).toBeGreaterThan(6_000_000);
    expect(Math.max(...sizes)).toBeLessThan(12_000_000);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});
