import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { gunzipSync } from "node:zlib";

import { extract } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { parseManifest, type Manifest } from "../../src/bundle/manifest.js";
import { openOutput, type Output } from "../../src/collect/output.js";
import { OutputError } from "../../src/collect/packing.js";
import { envoyQuestions, istiodQuestionsBeside } from "../../src/collect/questions.js";
import { runCollector, type CollectorOptions, type Surroundings } from "../../src/collect/run.js";
import type { Redactor } from "../../src/redact/types.js";
import { UserError } from "../../src/shared/errors.js";
import { noSpace, quickLimits, until } from "../support/collector.js";
import {
  adminServer,
  hangs,
  refuses,
  type Answers,
  type LocalServer,
} from "../support/live/faulty-server.js";
import { standInKubectl, type KubectlStandIn } from "../support/live/kubectl.js";
import { podObject, serviceObject } from "../support/live/kubernetes-objects.js";

/** What a test changes of the redactor: the rest is the real one. */
let changed: Partial<Redactor> = {};
vi.mock("../../src/redact/redactor.js", async (importOriginal) => {
  const { createRedactor } = await importOriginal<typeof import("../../src/redact/redactor.js")>();
  return {
    createRedactor: (options: Parameters<typeof createRedactor>[0]): Redactor => {
      const real = createRedactor(options);
      return new Proxy(real, {
        get: (target, key) => {
          if (key in changed) return changed[key as keyof Redactor];
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        },
      });
    },
  };
});

let folder = "";
let stops: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "istio-snapshot-run-"));
  await mkdir(join(folder, "tmp"));
  await mkdir(join(folder, "out"));
  vi.stubEnv("TMPDIR", join(folder, "tmp"));
  changed = {};
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
  await rm(folder, { recursive: true, force: true });
});

async function server(answers: Answers): Promise<LocalServer> {
  const started = await adminServer(answers);
  stops.push(() => started.stop());
  return started;
}

const envoyAnswers: Answers = {
  ...Object.fromEntries(envoyQuestions.map(({ path }) => [path.split("?")[0], "{}"])),
  config_dump: '{"configs":[]}',
  stats: "server.live: 1\n",
};
const envoy = (changes: Answers = {}): Promise<LocalServer> => server({ ...envoyAnswers, ...changes });

const istiod = (changes: Answers = {}): Promise<LocalServer> =>
  server({
    ...Object.fromEntries(istiodQuestionsBeside.map(({ path }) => [path, "{}"])),
    "debug/syncz": '[{"proxy":"cart.shop"}]',
    "debug/adsz": '{"clients":[{"connectionId":"cart.shop-1"}]}',
    "debug/config_dump": '{"configs":[]}',
    version: '{"version":"1.29.0"}',
    ...changes,
  });

const outputPath = (): string => join(folder, "out", "bundle.tar.gz");
const written = (): Promise<string[]> => readdir(join(folder, "out"));
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

const optionsWith = (changes: Partial<CollectorOptions>): CollectorOptions => ({
  output: outputPath(),
  kubectl: join(folder, "no-kubectl"),
  context: null,
  kubeconfig: join(folder, "no-kubeconfig"),
  filters: {
    istioNamespace: "istio-system",
    namespaces: [],
    excludedNamespaces: [],
    revision: null,
    workloads: [],
  },
  istiods: [],
  envoys: [],
  concurrency: 4,
  limits: quickLimits,
  profile: "internal",
  allowedFindings: new Set(),
  dryRun: false,
  ...changes,
});

const at = (flag: "--istiod" | "--envoy", name: string, { url }: LocalServer) => ({ flag, name, url });

/** Options for one Istiod and one proxy that answer everything, but for the changes. */
async function smallMesh(
  changes: { readonly istiod?: Answers; readonly envoy?: Answers } = {},
  options: Partial<CollectorOptions> = {},
): Promise<CollectorOptions> {
  return optionsWith({
    istiods: [at("--istiod", "istiod-1", await istiod(changes.istiod))],
    envoys: [at("--envoy", "cart.shop", await envoy(changes.envoy))],
    ...options,
  });
}

/** Runs the collector; what it printed, and what it told of its output. */
async function run(options: CollectorOptions, around: Partial<Surroundings> = {}) {
  const printed = { stdout: "", stderr: "" };
  const sink = (name: keyof typeof printed): NodeJS.WriteStream =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        printed[name] += chunk.toString("utf8");
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  const told: string[] = [];
  const outcome = await runCollector(options, {
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    openOutput,
    stop: new AbortController().signal,
    onOutput: (output) => void told.push(output === null ? "closed" : "open"),
    ...around,
  }).then(
    (code) => ({ code, error: null }),
    (error: unknown) => ({ code: null, error }),
  );
  return { ...outcome, ...printed, told };
}

interface ReadBack {
  /** Entries in order, with their text. */
  readonly entries: ReadonlyMap<string, Buffer>;
  readonly manifest: Manifest;
}

async function readBack(path = outputPath()): Promise<ReadBack> {
  const entries = new Map<string, Buffer>();
  const tar = extract();
  tar.end(gunzipSync(await readFile(path)));
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    entries.set(entry.header.name, Buffer.concat(chunks));
  }
  const name = "istio-snapshot/manifest.json";
  return { entries, manifest: parseManifest(entries.get(name) ?? Buffer.alloc(0), name) };
}

describe("a capture without gaps", () => {
  it("ends with 0 and a bundle of its owner's, whose manifest says what is in it", async () => {
    const before = new Date().toISOString();
    const { code, error, stderr, stdout, told } = await run(await smallMesh());
    expect({ code, error, stdout, told }).toEqual({
      code: 0,
      error: null,
      stdout: "",
      told: ["open", "closed"],
    });
    expect(await written()).toEqual(["bundle.tar.gz"]);
    expect(await modeOf(outputPath())).toBe(0o600);

    const { entries, manifest } = await readBack();
    expect([...entries.keys()].at(-1)).toBe("istio-snapshot/manifest.json");
    expect(manifest).toMatchObject({
      formatVersion: 1,
      program: { name: "istio-snapshot-collect", version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string },
      cluster: "",
      targets: [
        { kind: "istiod", namespace: "istio-system", name: "istiod-1", outcome: "captured" },
        { kind: "proxy", namespace: "shop", name: "cart", outcome: "captured" },
      ],
      failures: [],
      redaction: { profile: "internal", allowedFindings: [] },
    });
    expect(manifest.files.map(({ name }) => name)).toEqual([...entries.keys()].slice(0, -1));
    for (const { name, size, sha256, capturedAt } of manifest.files) {
      const content = entries.get(name);
      expect(content?.length).toBe(size);
      expect(createHash("sha256").update(content!).digest("hex")).toBe(sha256);
      expect(manifest.start <= capturedAt && capturedAt <= manifest.end).toBe(true);
    }
    expect(before <= manifest.start && manifest.end <= new Date().toISOString()).toBe(true);
    expect(stderr).toMatch(/^Asking 1 Istiod, 1 proxy\. Nothing in the mesh is changed\.\nCaptured /);
    expect(stderr).toContain(`Wrote ${outputPath()}`);
  });

  it("leaves no temporary file", async () => {
    await run(await smallMesh());
    expect(await readdir(join(folder, "tmp"))).toEqual([]);
  });

  it("is redacted before it is written", async () => {
    const token = "hunter2-hunter2";
    const dump = JSON.stringify({
      configs: [{ static_secrets: [{ secret: { generic_secret: { secret: { inline_string: token } } } }] }],
    });
    const { code } = await run(await smallMesh({ envoy: { config_dump: dump } }));
    expect(code).toBe(0);
    const { entries, manifest } = await readBack();
    expect([...entries.values()].some((content) => content.includes(token))).toBe(false);
    expect(manifest.redaction.rules.length).toBeGreaterThan(0);
    expect(manifest.redaction.kept?.length).toBeGreaterThan(0);
  });

  it("is not where the user says so, and says so", async () => {
    const dump = '{"configs":[{"private_key":{"inline_string":"hunter2"}}]}';
    const { code, stderr } = await run(
      await smallMesh({ envoy: { config_dump: dump } }, { profile: "none" }),
    );
    expect(code).toBe(0);
    const { entries, manifest } = await readBack();
    expect(entries.get("istio-snapshot/proxies/shop/cart/config_dump?include_eds")?.toString()).toBe(dump);
    expect(manifest.redaction).toMatchObject({ profile: "none", rules: [] });
    expect(stderr).toContain("NOT redacted");
  });
});

describe("a capture with gaps", () => {
  it("ends with 1, and says what is missing, and why, to the user and in the manifest", async () => {
    const options = await smallMesh({
      envoy: { certs: refuses(403) },
      istiod: { "debug/configz": refuses(500) },
    });
    const { code, stderr } = await run(options);
    expect(code).toBe(1);
    const { manifest } = await readBack();
    expect(manifest.failures).toEqual([
      { target: "cart.shop", what: "certs", reason: "HTTP 403: Forbidden" },
      { target: "istiod-1.istio-system", what: "debug/configz", reason: "HTTP 500: Internal Server Error" },
    ]);
    expect(manifest.targets.map(({ outcome }) => outcome)).toEqual(["partial", "partial"]);
    expect(stderr).toContain("Not captured (2):\n  cart.shop: certs: HTTP 403: Forbidden\n");
  });

  it("has a bundle, too, where no target answers", async () => {
    const dead = await envoy();
    await dead.stop();
    stops = [];
    const { code } = await run(optionsWith({ envoys: [at("--envoy", "cart.shop", dead)] }));
    expect(code).toBe(1);
    const { manifest, entries } = await readBack();
    expect(entries.size).toBe(1);
    expect(manifest.targets).toMatchObject([{ outcome: "failed" }]);
    expect(manifest.failures.map(({ reason }) => reason).join()).toContain("ECONNREFUSED");
  });

  it("has no word in its manifest of who captured it", async () => {
    vi.stubEnv("HOME", "/home/jane");
    const said = 'error: open /home/jane/.kube/cache: User "jane@corp" cannot create pods/exec';
    await run(await smallMesh({ envoy: { certs: refuses(403, said) } }));
    const { manifest } = await readBack();
    expect(manifest.failures[0]?.reason).toBe(
      'HTTP 403: error: open ~/.kube/cache: User "..." cannot create pods/exec',
    );
  });

  it("has names in its manifest as the profile lets them be, the same as in the names of its files", async () => {
    const options = await smallMesh(
      {
        envoy: { certs: refuses(403) },
        istiod: { "debug/config_dump": refuses(403), "debug/configz": refuses(403) },
      },
      { profile: "public", context: null },
    );
    await run(options);
    const { manifest, entries } = await readBack();
    const text = JSON.stringify(manifest);
    expect(text).not.toContain("cart");
    expect(text).not.toContain("shop");
    expect(text).not.toContain("istiod-1");
    const [istiodTarget, proxy] = manifest.targets;
    const stats = [...entries.keys()].find((name) => name.endsWith("/stats"));
    expect(stats).toBe(`istio-snapshot/proxies/${proxy?.namespace}/${proxy?.name}/stats`);
    expect([...entries.keys()]).toContain(
      `istio-snapshot/istio/${istiodTarget?.namespace}/${istiodTarget?.name}/debug/syncz`,
    );
    expect(manifest.failures.map(({ target, what }) => `${target} ${what}`).sort()).toEqual(
      [
        `${proxy?.name}.${proxy?.namespace} certs`,
        `${istiodTarget?.name}.${istiodTarget?.namespace} debug/config_dump/${proxy?.namespace}/${proxy?.name}`,
        `${istiodTarget?.name}.${istiodTarget?.namespace} debug/configz`,
      ].sort(),
    );
  });
});

describe("a user who stops", () => {
  it("gets a whole bundle with what there is, and 1", async () => {
    const stop = new AbortController();
    const proxy = await envoy({ certs: hangs });
    const running = run(optionsWith({ envoys: [at("--envoy", "cart.shop", proxy)] }), { stop: stop.signal });
    await until(() => proxy.requests.some(({ url }) => url === "/certs"));
    stop.abort();
    const { code, stderr } = await running;
    expect(code).toBe(1);
    const { manifest, entries } = await readBack();
    expect([...entries.keys()]).toContain("istio-snapshot/proxies/shop/cart/server_info");
    expect(manifest.failures.map(({ what }) => what)).toEqual(["certs", "clusters, runtime, stats"]);
    expect(stderr).toContain("Stopped. Captured 1 of 1 proxy (1 in part)");
    expect(await readdir(join(folder, "tmp"))).toEqual([]);
  });
});

describe("what still looks like a secret after redaction", () => {
  const finding = {
    file: "istio-snapshot/proxies/shop/cart/stats",
    rule: "JSON web token",
    offset: 5,
    pointer: "",
    fingerprint: "0123456789abcdef",
  };

  it("keeps the bundle from being written: nothing is left, and the user sees where to look", async () => {
    changed = { findings: [finding] };
    const { error, stderr, told } = await run(await smallMesh());
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^nothing was written: 1 place/) as string,
    });
    expect(error).toMatchObject({ message: expect.stringContaining("--allow-finding") as string });
    expect(stderr).toContain("JSON web token  0123456789abcdef");
    expect(await written()).toEqual([]);
    expect(await readdir(join(folder, "tmp"))).toEqual([]);
    expect(told).toEqual(["open", "closed"]);
  });

  it("leaves an older bundle as it was", async () => {
    await writeFile(outputPath(), "older");
    changed = { findings: [finding] };
    await run(await smallMesh());
    expect(await readFile(outputPath(), "utf8")).toBe("older");
    expect(await written()).toEqual(["bundle.tar.gz"]);
  });

  it("stands in the manifest where the user let it pass", async () => {
    changed = { allowed: [finding] };
    const { code } = await run(await smallMesh());
    expect(code).toBe(0);
    const { manifest } = await readBack();
    expect(manifest.redaction.allowedFindings).toEqual([
      { file: finding.file, rule: finding.rule, fingerprint: finding.fingerprint },
    ]);
  });
});

describe("beside the mesh's files", () => {
  const certificate = {
    subject: "CN=x",
    issuer: "CN=y",
    serial: "1f",
    notBefore: "2026-01-01T00:00:00Z",
    notAfter: "2027-01-01T00:00:00Z",
    sans: ["URI:spiffe://a"],
    sha256: "00",
    isCa: false,
  };

  it("is what was known of certificates that are tokens now", async () => {
    changed = { certificates: new Map([["‹token›", certificate]]) };
    await run(await smallMesh());
    const { entries, manifest } = await readBack();
    expect([...entries.keys()].slice(-2)).toEqual([
      "istio-snapshot/certificates.json",
      "istio-snapshot/manifest.json",
    ]);
    expect(JSON.parse(entries.get("istio-snapshot/certificates.json")!.toString())).toEqual({
      "‹token›": certificate,
    });
    expect(manifest.files.at(-1)?.name).toBe("istio-snapshot/certificates.json");
  });

  it("is nothing where there is no such certificate", async () => {
    await run(await smallMesh());
    expect([...(await readBack()).entries.keys()]).not.toContain("istio-snapshot/certificates.json");
  });
});

describe("the map of tokens", () => {
  const mapPath = (): string => `${outputPath()}.map.json`;

  it("is beside the bundle, of its owner's, and not in it", async () => {
    const { code, stderr } = await run(await smallMesh({}, { profile: "public" }));
    expect(code).toBe(0);
    expect(await written()).toEqual(["bundle.tar.gz", "bundle.tar.gz.map.json"]);
    expect(await modeOf(mapPath())).toBe(0o600);
    const map = JSON.parse(await readFile(mapPath(), "utf8")) as {
      profile: string;
      names: Record<string, string>;
    };
    const { manifest, entries } = await readBack();
    expect(map.profile).toBe("public");
    expect(map.names[manifest.targets[1]!.name]).toBe("cart");
    expect([...entries.values()].some((content) => content.includes('"cart"'))).toBe(false);
    expect(stderr).toContain(`What the tokens stand for is in ${mapPath()}`);
  });

  it("is not written into a file of others: what stood there is replaced, with its mode", async () => {
    await writeFile(mapPath(), "older");
    await chmod(mapPath(), 0o644);
    await run(await smallMesh({}, { profile: "public" }));
    expect(await modeOf(mapPath())).toBe(0o600);
    expect(await readFile(mapPath(), "utf8")).not.toContain("older");
  });

  it("is none where nothing has a token", async () => {
    await run(await smallMesh());
    expect(await written()).toEqual(["bundle.tar.gz"]);
  });

  it("keeps the bundle from being written where it cannot be: nothing is left", async () => {
    await mkdir(mapPath());
    const { error } = await run(await smallMesh({}, { profile: "public" }));
    expect(error).toBeInstanceOf(OutputError);
    expect(error).toMatchObject({ message: `cannot write ${mapPath()}: it is a folder` });
    expect(await written()).toEqual(["bundle.tar.gz.map.json"]);
  });

  it("is not written for a bundle on standard output", async () => {
    const opened: string[] = [];
    const { code } = await run(await smallMesh({}, { profile: "public", output: "-" }), {
      openOutput: (path) => {
        opened.push(path);
        return openOutput(outputPath());
      },
    });
    expect(code).toBe(0);
    expect(opened).toEqual(["-"]);
  });
});

describe("a bundle that cannot be written", () => {
  /** An output whose stream is full after so many bytes. */
  function filling(room: number): { output: Output; undone: () => number } {
    let left = room;
    let undone = 0;
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        left -= chunk.length;
        done(left < 0 ? noSpace() : null);
      },
    });
    return {
      output: {
        stream,
        commit: () => Promise.resolve(0),
        discard: () => {
          undone++;
        },
      },
      undone: () => undone,
    };
  }

  it.each([
    { room: 0, when: "with the first file" },
    { room: 600, when: "in the middle" },
  ])("is one plain error, $when, and is undone", async ({ room }) => {
    const { output, undone } = filling(room);
    const { error, told } = await run(await smallMesh(), { openOutput: () => Promise.resolve(output) });
    expect(error).toBeInstanceOf(OutputError);
    expect(error).toMatchObject({
      message: "cannot write the bundle: ENOSPC: no space left on device, write",
    });
    expect(undone()).toBe(1);
    expect(told).toEqual(["open", "closed"]);
    expect(await readdir(join(folder, "tmp"))).toEqual([]);
  });

  it("is one where the disk is full for the manifest alone", async () => {
    const { code } = await run(await smallMesh());
    expect(code).toBe(0);
    const { manifest } = await readBack();
    const { offset, length } = manifest.files.at(-1)!.member;
    const { output, undone } = filling(offset + length + 600);
    const { error } = await run(await smallMesh(), { openOutput: () => Promise.resolve(output) });
    expect(error).toMatchObject({
      message: "cannot write the bundle: ENOSPC: no space left on device, write",
    });
    expect(undone()).toBe(1);
  });

  it("is one that cannot have its name", async () => {
    const { output, undone } = filling(Infinity);
    const { error } = await run(await smallMesh(), {
      openOutput: () =>
        Promise.resolve({ ...output, commit: () => Promise.reject(new Error("EXDEV: rename")) }),
    });
    expect(error).toMatchObject({ message: "cannot write the bundle: EXDEV: rename" });
    expect(undone()).toBe(1);
  });

  it("is one whose folder is not there: no target is asked", async () => {
    const proxy = await envoy();
    const { error } = await run(
      optionsWith({ envoys: [at("--envoy", "cart.shop", proxy)], output: join(folder, "no", "bundle") }),
    );
    expect(error).toMatchObject({ message: expect.stringContaining("there is no folder") as string });
    expect(proxy.requests).toEqual([]);
  });
});

describe("temporary files that cannot be written", () => {
  it("end it with one plain error", async () => {
    vi.stubEnv("TMPDIR", join(folder, "no", "such", "folder"));
    const { error } = await run(await smallMesh());
    expect(error).toBeInstanceOf(UserError);
    expect(await written()).toEqual([]);
  });
});

describe("a dry run", () => {
  it("prints every request, and makes none", async () => {
    const [discovery, proxy] = [await istiod(), await envoy()];
    const { code, stdout, stderr } = await run(
      optionsWith({
        istiods: [at("--istiod", "istiod-1", discovery)],
        envoys: [at("--envoy", "cart.shop", proxy)],
        dryRun: true,
      }),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`istiod istiod-1.istio-system\n  GET ${discovery.url}/debug/syncz\n`);
    expect(stdout).toContain(`proxy cart.shop\n  GET ${proxy.url}/config_dump?include_eds\n`);
    expect([...discovery.requests, ...proxy.requests]).toEqual([]);
    expect(await written()).toEqual([]);
  });
});

describe("a cluster", () => {
  async function cluster(phase: "Running" | "Pending" = "Running"): Promise<KubectlStandIn> {
    const [discovery, proxy] = [await istiod(), await envoy()];
    const kubectl = await standInKubectl({
      pods: [
        podObject({
          name: "istiod-1",
          namespace: "istio-system",
          labels: { app: "istiod" },
          containers: ["discovery"],
          phase,
        }),
        podObject({ name: "cart", namespace: "shop", proxy: "container", phase }),
      ],
      services: [serviceObject({ name: "cart", namespace: "shop", ports: [] })],
      containers: {
        "istio-system/istiod-1/discovery": { program: "pilot-discovery", url: discovery.url },
        "shop/cart/istio-proxy": { program: "pilot-agent", url: proxy.url },
      },
      contexts: ["prod", "gke_corp"],
    });
    stops.push(() => kubectl.stop());
    return kubectl;
  }

  it("is captured with its lists, and named by the kubeconfig's context", async () => {
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, "current-context: prod\n");
    const { code, stderr } = await run(optionsWith({ kubectl: (await cluster()).program, kubeconfig }));
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("of prod.") as string,
    });
    const { entries, manifest } = await readBack();
    expect(manifest.cluster).toBe("prod");
    for (const { capturedAt } of manifest.files)
      expect(manifest.start <= capturedAt && capturedAt <= manifest.end).toBe(true);
    expect(JSON.parse(entries.get("istio-snapshot/cluster/pods.json")!.toString())).toMatchObject({
      pods: [{ name: "istiod-1" }, { name: "cart" }],
    });
    expect(JSON.parse(entries.get("istio-snapshot/cluster/services.json")!.toString())).toMatchObject({
      services: [{ name: "cart" }],
    });
  });

  it("is named by --context, where that is given", async () => {
    await run(optionsWith({ kubectl: (await cluster("Pending")).program, context: "gke_corp" }));
    expect((await readBack()).manifest.cluster).toBe("gke_corp");
  });

  it("has another name where it goes to strangers", async () => {
    const { program } = await cluster("Pending");
    await run(optionsWith({ kubectl: program, context: "gke_corp", profile: "support" }));
    const { manifest } = await readBack();
    expect(manifest.cluster).not.toContain("corp");
    expect(manifest.cluster).not.toBe("");
  });

  it("has nothing to ask: nothing is written, and the user knows where to look", async () => {
    const { program } = await cluster();
    const filters = { ...optionsWith({}).filters, istioNamespace: "elsewhere", namespaces: ["nowhere"] };
    const { error, told } = await run(optionsWith({ kubectl: program, filters }));
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      message: "there is no Istiod and no proxy to ask: check the context, -n, --revision and -i (elsewhere)",
    });
    expect(await written()).toEqual([]);
    expect(told).toEqual([]);
  });

  it("cannot be asked without kubectl", async () => {
    const { error } = await run(optionsWith({}));
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ message: expect.stringContaining("cannot start") as string });
    expect(await written()).toEqual([]);
  });
});
