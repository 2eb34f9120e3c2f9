/**
 * The secrets test: a mesh full of canaries goes through the redactor, and nothing of them may come out; what analyses
 * need must. What may not leave a cluster is listed by `test/support/canaries`, which knows nothing of the redactor.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { createRedactor } from "../../src/redact/redactor.js";
import type { RedactedFile, RedactionProfile, Redactor } from "../../src/redact/types.js";
import { resourceKinds, sectionKinds, type Proxy, type Snapshot } from "../../src/snapshot/model.js";
import {
  canaries,
  canariesIn,
  leaksOf,
  pointersOf,
  seededBugReport,
  seededBundle,
  seededMesh,
  seededMustGather,
  seededNamespaces,
  type Canary,
  type CanaryLayout,
} from "../support/canaries.js";
import {
  harmlessTexts,
  strayCanaries,
  strayFields,
  strayPlaces,
  strayShapes,
} from "../support/canaries/astray.js";
import { SeedBed } from "../support/canaries/canary.js";
import { toolReasons } from "../support/canaries/texts.js";
import { base64, contextName, named, password } from "../support/canaries/values.js";
import type { ArchiveFile } from "../support/mesh/layouts.js";
import { randomFor, type Random } from "../support/mesh/random.js";
import { bundle, tarGz } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";

const profiles = ["internal", "support", "public"] as const;
const layouts = {
  bundle: seededBundle,
  "bug-report": seededBugReport,
  "must-gather": seededMustGather,
} as const satisfies Record<CanaryLayout, () => Iterable<ArchiveFile>>;
const layoutNames = Object.keys(layouts) as CanaryLayout[];
const everyRun = profiles.flatMap((profile) => layoutNames.map((layout) => ({ profile, layout })));

const saltOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const aRedactor = (profile: RedactionProfile, salt = saltOf(7)): Redactor =>
  createRedactor({ profile, salt, namespaces: seededNamespaces });

interface Run {
  readonly redactor: Redactor;
  readonly files: readonly { readonly raw: ArchiveFile; readonly redacted: RedactedFile }[];
}

const runs = new Map<string, Run>();

/** A layout after redaction; worked out once. */
function run(profile: RedactionProfile, layout: CanaryLayout): Run {
  const key = `${profile}/${layout}`;
  const known = runs.get(key);
  if (known !== undefined) return known;
  const redactor = aRedactor(profile);
  const files = [...layouts[layout]()].map((raw) => ({
    raw,
    redacted: redactor.file(raw.name, Buffer.from(raw.body)),
  }));
  const made = { redactor, files };
  runs.set(key, made);
  return made;
}

const contentOf = (file: RedactedFile): Buffer =>
  file.outcome === "kept" ? Buffer.concat(file.content) : Buffer.alloc(0);

const goneIn = (profile: RedactionProfile): readonly Canary[] =>
  canaries.filter(({ gone }) => gone.includes(profile));
const goneUnder = { internal: goneIn("internal"), support: goneIn("support"), public: goneIn("public") };

/** A line for each canary of which something is left in the content: what, where, in what form. */
function leaks(content: Uint8Array | string, entry: string, wanted: readonly Canary[]): string[] {
  const bytes = Buffer.from(content);
  const found = leaksOf(bytes, wanted);
  if (found.length === 0) return [];
  const pointers = pointersOf(bytes, wanted);
  return found.map(
    ({ canary, form, offset }) =>
      `${canary} | ${entry}#${pointers.get(canary)?.join(" ") ?? ""} | ${form} at ${offset}`,
  );
}

describe("the judge", () => {
  it("has many canaries, of which many have no shape that a scanner could know", () => {
    expect(canaries.length).toBeGreaterThan(90);
    const shapeless = canaries.filter(({ text }) => text.startsWith("hunter2-"));
    expect(shapeless.length).toBeGreaterThan(90);
    expect(new Set(canaries.map(({ text }) => text)).size).toBe(canaries.length);
  });

  it.each(layoutNames)("finds every canary of the raw %s where it was put", (layout) => {
    const files = [...layouts[layout]()];
    const found = new Map<string, Set<string>>();
    for (const { name, body } of files) {
      for (const { canary } of leaksOf(Buffer.from(body), canaries)) {
        found.set(canary, (found.get(canary) ?? new Set()).add(name));
      }
    }
    const lost = canariesIn(layout).filter(
      ({ id, entry }) => ![...(found.get(id) ?? [])].some((name) => entry.test(name)),
    );
    expect(lost.map(({ where }) => where)).toEqual([]);
  });

  it("still finds them where nothing is taken out", () => {
    const { files } = run("none", "bundle");
    const found = new Set(
      files.flatMap(({ redacted }) => leaksOf(contentOf(redacted), canaries).map(({ canary }) => canary)),
    );
    expect(canariesIn("bundle").filter(({ id }) => !found.has(id))).toEqual([]);
  });
});

describe("nothing leaks", () => {
  it.each(everyRun)("from the files of a $layout under $profile", ({ profile, layout }) => {
    const left = run(profile, layout).files.flatMap(({ raw, redacted }) =>
      leaks(contentOf(redacted), raw.name, goneUnder[profile]),
    );
    expect(left).toEqual([]);
  });

  it.each(everyRun)("from the names and reasons of a $layout under $profile", ({ profile, layout }) => {
    const left = run(profile, layout).files.flatMap(({ raw, redacted }) => [
      ...leaks(redacted.name, `the name of ${raw.name}`, goneUnder[profile]),
      ...(redacted.outcome === "dropped"
        ? leaks(redacted.reason, `the reason of ${raw.name}`, goneUnder[profile])
        : []),
    ]);
    expect(left).toEqual([]);
  });

  it.each(everyRun)("from what the redactor reports of a $layout under $profile", ({ profile, layout }) => {
    const { redactor } = run(profile, layout);
    const { rules, kept, notCovered, certificates, findings, allowed } = redactor;
    const report = { rules, kept, notCovered, certificates: [...certificates], findings, allowed };
    expect(leaks(JSON.stringify(report), "report", goneUnder[profile])).toEqual([]);
  });

  it.each(everyRun)("past the last scan of a $layout under $profile", ({ profile, layout }) => {
    expect(run(profile, layout).redactor.findings).toEqual([]);
  });

  const cut = (body: Buffer, random: Random): Buffer => body.subarray(0, random.between(1, body.length));
  const damages: Readonly<Record<string, (body: Buffer, random: Random) => readonly Buffer[]>> = {
    "cut off": (body, random) => [cut(body, random), cut(body, random), cut(body, random)],
    "cut off, with an error after it": (body, random) => [
      Buffer.concat([cut(body, random), Buffer.from("\nerror: stream reset\n")]),
    ],
    "with the line breaks of Windows": (body) => [
      Buffer.from(body.toString("latin1").replaceAll("\n", "\r\n"), "latin1"),
    ],
    "in UTF-16": (body) => [Buffer.from(`\ufeff${body.toString()}`, "utf16le")],
  };
  it.each(Object.keys(damages))("from files that are %s", (damage) => {
    const left = layoutNames.flatMap((layout) =>
      [...layouts[layout]()].flatMap(({ name, body }) => {
        const content = Buffer.from(body);
        const isText = !name.endsWith(".gz");
        if (!isText || leaksOf(content, canaries).length === 0) return [];
        return damages[damage]!(content, randomFor(name, damage)).flatMap((damaged) =>
          leaks(contentOf(aRedactor("internal").file(name, damaged)), name, goneUnder.internal),
        );
      }),
    );
    expect(left).toEqual([]);
  });

  it.each(["internal", "support"] as const)("and reasons stay readable under %s", (profile) => {
    for (const reason of [
      'container "istio-proxy" not found in pod "reviews-v1-7d9f.default"',
      "HTTP 404: Proxy not connected to this Pilot instance. It may be connected to another instance.",
      "dial tcp 10.244.1.9:15000: connect: connection refused",
    ]) {
      expect(aRedactor(profile).text(reason)).toBe(reason);
    }
  });

  it.each(profiles)("by reasons and names under %s", (profile) => {
    const bed = new SeedBed();
    const redactor = aRedactor(profile);
    const reasons = toolReasons(bed.at("reason", "bundle", /./));
    const context = bed.at("context", "bundle", /./)("name", contextName, "support");
    const wanted = bed.canaries.filter(({ gone }) => gone.includes(profile));
    expect(leaks(reasons.join("\n"), "what was planted", bed.canaries)).toHaveLength(bed.canaries.length - 1);
    expect(reasons.flatMap((reason) => leaks(redactor.text(reason), reason.slice(0, 60), wanted))).toEqual(
      [],
    );
    expect(leaks(redactor.name(context, "context"), "the context's name", wanted)).toEqual([]);
    const harmless = "the answer timed out after 30s";
    expect(redactor.text(harmless)).toBe(harmless);
  });
});

describe("what must stay stays", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "canaries-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const snapshots = new Map<string, Promise<Snapshot>>();
  const snapshotOf = (name: string, pack: () => Promise<Buffer>): Promise<Snapshot> => {
    const read = async (): Promise<Snapshot> => {
      const path = join(folder, name);
      await writeFile(path, await pack());
      return readSnapshot(path);
    };
    const known = snapshots.get(name) ?? read();
    snapshots.set(name, known);
    return known;
  };

  const keptFiles = ({ files }: Run): ArchiveFile[] =>
    files.flatMap(({ raw, redacted }) =>
      redacted.outcome === "kept"
        ? [{ name: redacted.name, body: contentOf(redacted), mtime: raw.mtime }]
        : [],
    );

  const rawSnapshot = (layout: CanaryLayout): Promise<Snapshot> =>
    snapshotOf(`raw-${layout}`, () =>
      layout === "bundle" ? bundle(layouts[layout](), manifestOf(seededMesh)) : tarGz(layouts[layout]()),
    );

  /** The snapshot that a packed redacted layout reads back as. */
  function redactedSnapshot(profile: RedactionProfile, layout: CanaryLayout): Promise<Snapshot> {
    const done = run(profile, layout);
    const { redactor } = done;
    const manifest = manifestOf(seededMesh);
    return snapshotOf(`${profile}-${layout}`, () =>
      layout === "bundle"
        ? bundle(keptFiles(done), {
            ...manifest,
            cluster: redactor.name(manifest.cluster),
            targets: manifest.targets.map((target) => ({
              ...target,
              namespace: redactor.name(target.namespace),
              name: redactor.name(target.name),
            })),
            redaction: { profile, rules: redactor.rules },
          })
        : tarGz(keptFiles(done)),
    );
  }

  const bothSnapshots = async (
    profile: RedactionProfile,
    layout: CanaryLayout,
  ): Promise<{ raw: Snapshot; redacted: Snapshot }> => ({
    redacted: await redactedSnapshot(profile, layout),
    raw: await rawSnapshot(layout),
  });

  /** What no profile changes: how many resources of which kind, in which state, of which version, since when. */
  const shapeOf = (proxy: Proxy): unknown => ({
    node: proxy.node.state,
    serverInfo: proxy.serverInfo.state === "present" ? proxy.serverInfo.value.version : null,
    bootstrap: proxy.bootstrap.state,
    sections: sectionKinds.map((kind) => {
      const section = proxy.config[kind];
      return section.state === "absent"
        ? { kind, absent: section.reason }
        : Array.from(
            section.value,
            ({ source, state, versionInfo, lastUpdated }) =>
              `${kind} ${source} ${state} ${versionInfo} ${lastUpdated ?? ""}`,
          );
    }),
  });
  const inOrder = (values: readonly unknown[]): string[] =>
    values.map((value) => JSON.stringify(value)).sort();

  it.each(everyRun)("a $layout reads back as the same mesh under $profile", async ({ profile, layout }) => {
    const { raw, redacted } = await bothSnapshots(profile, layout);
    expect(inOrder(redacted.proxies.map(shapeOf))).toEqual(inOrder(raw.proxies.map(shapeOf)));
    expect(redacted.istiods.length).toBe(raw.istiods.length);
    expect(redacted.ztunnels.length).toBe(raw.ztunnels.length);
    const versions = ({ istiods }: Snapshot): string[] =>
      istiods.map(({ version }) => (version.state === "present" ? version.value.version : ""));
    expect(versions(redacted)).toEqual(versions(raw));
    // a problem may quote a text, in which names are others
    const problems = (snapshot: Snapshot): string[] =>
      snapshot.problems.map(({ severity, message }) => `${severity} ${message.replace(/".*"/s, "")}`).sort();
    expect(problems(redacted)).toEqual(problems(raw));
    expect(redacted.captureTime).toEqual(raw.captureTime);
    const views = (snapshot: Snapshot): string[] =>
      inOrder(
        snapshot.istiods.flatMap((istiod) =>
          istiod.views.map(({ config }) =>
            sectionKinds.map((kind) => {
              const section = config[kind];
              return section.state === "present" ? section.value.length : section.state;
            }),
          ),
        ),
      );
    expect(views(redacted)).toEqual(views(raw));
  });

  it.each(everyRun)(
    "the sync states of a $layout are the same under $profile",
    async ({ profile, layout }) => {
      const { raw, redacted } = await bothSnapshots(profile, layout);
      const states = ({ istiods }: Snapshot): unknown[] =>
        istiods.flatMap(({ sync }) =>
          sync.state === "absent"
            ? []
            : sync.value.states.map(({ istioVersion, types }) => [
                istioVersion,
                types.map(({ typeUrl, evidence, sentTime, error }) => [
                  typeUrl,
                  evidence,
                  sentTime,
                  error === "",
                ]),
              ]),
        );
      expect(states(raw).length).toBeGreaterThan(0);
      expect(inOrder(states(redacted))).toEqual(inOrder(states(raw)));
    },
  );

  it.each(profiles)("a proxy has one name in all files under %s", async (profile) => {
    const { proxies, istiods, pods } = await redactedSnapshot(profile, "bundle");
    const ids = new Set(proxies.map(({ id }) => id));
    const listed = istiods.flatMap(({ sync }) =>
      sync.state === "present" ? sync.value.states.map(({ proxyId }) => proxyId) : [],
    );
    expect(ids.size).toBe(seededMesh.proxies.length);
    expect(new Set(listed)).toEqual(ids);
    expect(new Set(istiods.flatMap(({ views }) => views.map(({ proxyId }) => proxyId)))).toEqual(ids);
    const withProxy = pods.state === "present" ? pods.value.filter(({ hasProxy }) => hasProxy) : [];
    expect(new Set(withProxy.map(({ name, namespace }) => `${name}.${namespace}`))).toEqual(ids);
    const nodeIds = proxies.map(({ node }) => (node.state === "present" ? node.value.parts?.proxyId : ""));
    expect(new Set(nodeIds)).toEqual(ids);
  });

  it("names of resources stay under internal", async () => {
    const { raw, redacted } = await bothSnapshots("internal", "bundle");
    const names = ({ proxies, istiods }: Snapshot): string[] =>
      [
        ...proxies.map(({ config }) => config),
        ...istiods.flatMap(({ views }) => views.map(({ config }) => config)),
      ]
        .flatMap((config) =>
          sectionKinds.flatMap((kind) => {
            const section = config[kind];
            return section.state === "present"
              ? Array.from(section.value, ({ name }) => `${kind} ${name}`)
              : [];
          }),
        )
        .sort();
    expect(names(redacted)).toEqual(names(raw));
    expect(names(raw).length).toBeGreaterThan(500);
  });

  it("resources without a secret stay as they were under internal", async () => {
    const { raw, redacted } = await bothSnapshots("internal", "bundle");
    const changed = [...raw.resources.values()].filter(({ hash }) => !redacted.resources.has(hash));
    const innocent = changed.filter(
      ({ kind, text }) => kind !== "bootstrap" && leaksOf(Buffer.from(text), canaries).length === 0,
    );
    expect(innocent.map(({ kind, name }) => `${kind} ${name}`)).toEqual([]);
    expect(changed.length).toBeGreaterThan(10);
    expect(new Set([...raw.resources.values()].map(({ kind }) => kind)).size).toBe(resourceKinds.length);
  });

  it.each(["internal", "support"] as const)(
    "node metadata that analyses read stays under %s",
    async (profile) => {
      const { raw, redacted } = await bothSnapshots(profile, "bundle");
      const needed = [
        "NAME",
        "NAMESPACE",
        "WORKLOAD_NAME",
        "OWNER",
        "SERVICE_ACCOUNT",
        "MESH_ID",
        "CLUSTER_ID",
        "ISTIO_VERSION",
        "ISTIO_PROXY_SHA",
        "LABELS",
        "INSTANCE_IPS",
        "INTERCEPTION_MODE",
        "POD_PORTS",
        "APP_CONTAINERS",
        "NODE_NAME",
        "PILOT_SAN",
        "ENVOY_STATUS_PORT",
        "ENVOY_PROMETHEUS_PORT",
        "UNPRIVILEGED_POD",
      ];
      const metadata = ({ proxies }: Snapshot): unknown[] =>
        proxies.map(({ id, node }) => {
          const all = node.state === "present" ? node.value.metadata : {};
          const proxyConfig = all["PROXY_CONFIG"] as Record<string, unknown>;
          const annotations = all["ANNOTATIONS"] as Record<string, unknown>;
          return {
            id,
            ...Object.fromEntries(needed.map((key) => [key, all[key]])),
            discoveryAddress: proxyConfig["discoveryAddress"],
            concurrency: proxyConfig["concurrency"],
            statNameLength: proxyConfig["statNameLength"],
            revision: annotations["istio.io/rev"],
            locality: node.state === "present" ? node.value.locality : null,
          };
        });
      expect(metadata(redacted)).toEqual(metadata(raw));
    },
  );

  const certificatesIn = (name: RegExp, files: readonly ArchiveFile[]): number =>
    files
      .filter((file) => name.test(file.name))
      .map(({ body }) => body.toString().split(base64("-----BEGIN CERTIFICATE-----").slice(0, 30)).length - 1)
      .reduce((sum, count) => sum + count, 0);

  it("public certificates stay under internal; under the others they are listed", () => {
    const raw = certificatesIn(/config_dump/, [...seededBundle()]);
    expect(raw).toBeGreaterThan(10);
    const internal = run("internal", "bundle");
    expect(certificatesIn(/config_dump/, keptFiles(internal))).toBe(raw);
    expect(internal.redactor.certificates.size).toBe(0);
    for (const profile of ["support", "public"] as const) {
      const { redactor, ...rest } = run(profile, "bundle");
      expect(certificatesIn(/config_dump/, keptFiles({ redactor, ...rest }))).toBe(0);
      const summaries = [...redactor.certificates.values()];
      expect(summaries.length).toBeGreaterThan(9); // one for each proxy, the root, the gateway's
      for (const summary of summaries) {
        expect(summary.sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(Date.parse(summary.notAfter)).toBeGreaterThan(Date.parse(summary.notBefore));
      }
      // a field of bytes holds the token in base64, as it held the certificate
      const bed = new SeedBed();
      for (const token of redactor.certificates.keys())
        bed.at("certificate", "bundle", /./)(token, named(token));
      const found = new Set(
        keptFiles({ redactor, ...rest }).flatMap(({ body }) =>
          leaksOf(Buffer.from(body), bed.canaries).map(({ canary }) => canary),
        ),
      );
      expect(bed.canaries.filter(({ id }) => !found.has(id))).toEqual([]);
    }
  });

  it.each(["internal", "support"] as const)("SPIFFE ids stay under %s", (profile) => {
    const ids = (files: readonly ArchiveFile[]): string[] =>
      files.flatMap(({ name, body }) =>
        /config_dump|certs|syncz|endpointShardz/.test(name)
          ? (body.toString().match(/spiffe:\/\/[\w./-]+/g) ?? [])
          : [],
      );
    const raw = ids([...seededBundle()]);
    expect(raw.length).toBeGreaterThan(100);
    expect(ids(keptFiles(run(profile, "bundle"))).length).toBe(raw.length);
    expect(new Set(ids(keptFiles(run(profile, "bundle"))))).toEqual(new Set(raw));
  });

  it.each(profiles)("counters and their names stay under %s", (profile) => {
    const counters = (files: readonly ArchiveFile[]): string[] =>
      files
        .filter(({ name }) => name.endsWith("/stats"))
        .flatMap(
          ({ body }) =>
            body.toString().match(/^(?:cluster_manager|listener_manager|server|control_plane)\..*: \d+$/gm) ??
            [],
        )
        .sort();
    const raw = counters([...seededBundle()]);
    expect(raw.length).toBeGreaterThan(100);
    expect(counters(keptFiles(run(profile, "bundle")))).toEqual(raw);
  });

  it.each(profiles)("ports stay under %s", (profile) => {
    const ports = (files: readonly ArchiveFile[]): string[] =>
      files
        .flatMap(({ name, body }) =>
          /config_dump|clusters$/.test(name) ? (body.toString().match(/"port_?[vV]alue": ?\d+/g) ?? []) : [],
        )
        .sort();
    const raw = ports([...seededBundle()]);
    expect(raw.length).toBeGreaterThan(1000);
    // the rejected listener goes as a whole, and with it nothing that had a port
    expect(ports(keptFiles(run(profile, "bundle")))).toEqual(raw);
  });

  it("what only the stricter profiles take out stays under internal", () => {
    const identity = canariesIn("bundle").filter(({ gone }) => !gone.includes("internal"));
    expect(identity.length).toBeGreaterThan(10);
    const found = new Set(
      run("internal", "bundle").files.flatMap(({ redacted }) =>
        leaksOf(contentOf(redacted), identity).map(({ canary }) => canary),
      ),
    );
    expect(identity.filter(({ id }) => !found.has(id)).map(({ id }) => id)).toEqual([]);
  });

  it("says what it did, kept and did not cover", () => {
    for (const { profile, layout } of everyRun) {
      const { redactor } = run(profile, layout);
      expect(redactor.rules.length).toBeGreaterThan(3);
      expect(redactor.rules.every(({ count, files }) => count >= files && files > 0)).toBe(true);
      expect(redactor.kept.length).toBeGreaterThan(0);
    }
    expect(run("internal", "bug-report").redactor.notCovered.length).toBeGreaterThan(0);
  });
});

describe("tokens", () => {
  const dump = (value: string): string =>
    JSON.stringify({
      configs: [
        {
          "@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
          dynamic_route_configs: [
            {
              route_config: {
                "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
                name: "80",
                request_headers_to_add: [{ header: { key: "authorization", value } }],
              },
            },
          ],
        },
      ],
    });
  const istiodDump = (value: string): string =>
    dump(value)
      .replace("dynamic_route_configs", "dynamicRouteConfigs")
      .replace("route_config", "routeConfig")
      .replace("request_headers_to_add", "requestHeadersToAdd");
  const tokenIn = (redactor: Redactor, name: string, text: string): unknown => {
    const value = /"key":"authorization","value":("(?:[^"\\]|\\.)*")/.exec(
      contentOf(redactor.file(name, Buffer.from(text)))
        .toString()
        .replaceAll(/(?<=[:,{[])\s+|\s+(?=[}\]])/g, ""),
    )?.[1];
    return value === undefined ? undefined : JSON.parse(value);
  };
  const envoyName = (pod: string): string => `istio-snapshot/proxies/default/${pod}/config_dump?include_eds`;
  const istiodName = "istio-snapshot/istio/istio-system/istiod-0/debug/config_dump/default/a";

  it.each(profiles)("of equal secrets are equal in all files, of others they differ under %s", (profile) => {
    const redactor = aRedactor(profile);
    const first = tokenIn(redactor, envoyName("a"), dump("hunter2-alpha"));
    expect(first).toContain("redacted");
    expect(tokenIn(redactor, envoyName("b"), dump("hunter2-alpha"))).toBe(first);
    expect(tokenIn(redactor, istiodName, istiodDump("hunter2-alpha"))).toBe(first);
    expect(tokenIn(redactor, envoyName("c"), dump("hunter2-omega"))).toContain("redacted");
    expect(tokenIn(redactor, envoyName("c"), dump("hunter2-omega"))).not.toBe(first);
  });

  it.each(profiles)("tell nothing across bundles under %s", (profile) => {
    const here = tokenIn(aRedactor(profile, saltOf(1)), envoyName("a"), dump("hunter2-alpha"));
    const there = tokenIn(aRedactor(profile, saltOf(2)), envoyName("a"), dump("hunter2-alpha"));
    expect(here).not.toBe(there);
    expect(tokenIn(aRedactor(profile, saltOf(1)), envoyName("a"), dump("hunter2-alpha"))).toBe(here);
  });

  it.each(profiles)("are stable: a redacted file goes through again unchanged under %s", (profile) => {
    const redactor = aRedactor(profile);
    const once = contentOf(redactor.file(envoyName("a"), Buffer.from(dump("hunter2-alpha"))));
    expect(contentOf(redactor.file(envoyName("a"), once)).toString()).toBe(once.toString());
  });
});

describe("what no rule has a place for", () => {
  const cases = Object.keys(strayShapes).flatMap((shape) =>
    Object.keys(strayPlaces).map((place) => ({ shape, place })),
  );

  it.each(cases)("$shape in $place is taken out, or no bundle is written", ({ shape, place }) => {
    const { name, write } = strayPlaces[place]!;
    const content = Buffer.from(write(strayShapes[shape] ?? ""));
    expect(leaksOf(content, strayCanaries)).toHaveLength(1);
    for (const profile of profiles) {
      const redactor = aRedactor(profile);
      const left = leaks(contentOf(redactor.file(name, content)), name, strayCanaries);
      if (left.length > 0) {
        expect(redactor.findings.length, `${profile}: ${left.join("\n")}`).toBeGreaterThan(0);
      }
      expect(leaks(JSON.stringify(redactor.findings), "the findings", strayCanaries)).toEqual([]);
    }
  });

  it.each(Object.entries(harmlessTexts))("%s is no secret anywhere: %s", (_what, text) => {
    for (const { name, write } of Object.values(strayFields)) {
      const redactor = aRedactor("internal");
      const content = write(text);
      const kept = contentOf(redactor.file(name, Buffer.from(content)));
      expect(JSON.parse(kept.toString())).toEqual(JSON.parse(content));
      expect(redactor.findings).toEqual([]);
    }
  });
});

describe("spellings", () => {
  const bed = new SeedBed();
  const plant = bed.at("spelling", "bundle", /./);
  const texts: Readonly<Record<string, string>> = {
    "a key with escapes": `{"configs":[{"pass\\u0077ord":{"inline_string":"${plant("escaped key", password)}"}}]}`,
    "a value with escapes": `{"configs":[{"password":{"inline_string":"\\u0068${plant("escaped value", password).slice(1)}"}}]}`,
    "a key given twice": `{"configs":[{"password":"${plant("first of two", password)}","password":"x"}]}`,
    "spaces around the colon": `{"configs":[{"password"  :\n\t"${plant("spaces", password)}"}]}`,
    "a key in capitals": `{"configs":[{"API_KEY":"${plant("capitals", password)}"}]}`,
    "a byte that is no UTF-8": `{"configs":[{"note":"\xff","password":"${plant("no UTF-8", password)}"}]}`,
    "a byte order mark": `\xef\xbb\xbf{"configs":[{"password":"${plant("byte order mark", password)}"}]}`,
    "a dump after kubectl's words": `Defaulted container "a"\n{"configs":[{"password":"${plant("after words", password)}"}]}`,
    "two documents": `{"configs":[]}\n{"password":"${plant("second document", password)}"}`,
  };

  it.each(Object.keys(texts))("%s changes nothing", (spelling) => {
    const content = Buffer.from(texts[spelling] ?? "", "latin1");
    const name = "istio-snapshot/proxies/default/a/config_dump?include_eds";
    expect(leaksOf(content, bed.canaries)).toHaveLength(1);
    for (const profile of profiles) {
      const redactor = aRedactor(profile);
      expect(leaks(contentOf(redactor.file(name, content)), name, bed.canaries)).toEqual([]);
      expect(redactor.findings).toEqual([]);
    }
  });
});
