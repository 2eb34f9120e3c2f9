/** What goes wrong on the way through kubectl, with real processes. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { UserError } from "../../src/shared/errors.js";
import { collector, type Ended } from "../support/live/collector-program.js";
import { capture, captured, type Capture } from "../support/live/collector-run.js";
import { folderForEach, leftIn, newFolder, type Folder } from "../support/live/folder.js";
import type { KubectlFault } from "../support/live/kubectl-program.js";
import type { KubectlStandIn } from "../support/live/kubectl.js";
import { serveMesh, startStandIns, type LiveMesh, type StandIns } from "../support/live/live-mesh.js";
import { meshOf, versionFor } from "../support/live/named-mesh.js";
import {
  filesOf,
  gapsIn,
  gapsOf,
  outcomeOf,
  proxyFiles,
  readBack,
  viewIn,
} from "../support/live/read-back.js";

const folder = folderForEach();

/** How often the pod was asked for the path. */
const triesOf = async (kubectl: KubectlStandIn, pod: string, path: string): Promise<number> =>
  (await kubectl.asked()).filter((args) => args.includes(pod) && args.at(-1) === path).length;

const retries = 1;
const twice = 1 + retries;

interface Fault {
  /** What the pod is called. */
  readonly name: string;
  readonly does: KubectlFault["does"];
  readonly times?: number;
  readonly tries: number;
  /** null: there is no gap. */
  readonly reason: RegExp | null;
}
/** Each in the answer to `certs`. */
const faults: readonly Fault[] = [
  { name: "unreachable-once", does: "node unreachable", times: 1, tries: twice, reason: null },
  {
    name: "unreachable",
    does: "node unreachable",
    tries: twice,
    reason: /: Error from server: error dialing backend: .*connection refused$/,
  },
  {
    name: "forbidden",
    does: "forbidden",
    tries: 1,
    // who captured is nobody's business
    reason:
      /\(Forbidden\): pods "forbidden" is forbidden: User "\.\.\." cannot create resource "pods\/exec" /,
  },
  {
    name: "loses-the-way",
    does: "dies half-way",
    tries: twice,
    reason: /: error: error reading from error stream: .*unexpected EOF$/,
  },
  { name: "cut-off", does: "is cut off", tries: twice, reason: /: the answer is cut off after \d+ bytes$/ },
  { name: "hangs", does: "hangs", tries: twice, reason: /: no answer within 2s \(--timeout\)$/ },
];

describe("kubectl that fails in one answer of each proxy", () => {
  const ids = [...faults.map(({ name }) => `${name}.shop`), "listed-only.shop", "healthy.shop"];
  let home: Folder;
  let standIns: StandIns;
  let live: LiveMesh;
  let capturing: Capture;
  beforeAll(async () => {
    home = await newFolder();
    const mesh = meshOf(ids);
    standIns = await startStandIns(mesh);
    const urls = new Map([...standIns.urls].filter(([id]) => id !== "listed-only.shop"));
    live = await serveMesh(mesh, urls);
    await live.kubectl.breakWith(
      ...faults.map(({ name, does, times }): KubectlFault => ({
        does,
        pod: `shop/${name}`,
        path: "certs",
        ...(times === undefined ? {} : { times }),
      })),
    );
    capturing = await capture(home.path, {
      kubectl: live.kubectl.program,
      limits: { timeout: 2000, retries },
    });
  });
  afterAll(async () => {
    await Promise.all([standIns.stop(), live.stop(), home.remove()]);
  });

  it.each(faults)("$name: $reason, after $tries tries", async ({ name, tries, reason }) => {
    const id = `${name}.shop`;
    expect(gapsIn(capturing, id)).toEqual(reason === null ? [] : [expect.stringMatching(reason)]);
    expect(outcomeOf(capturing, id)).toBe(reason === null ? "captured" : "partial");
    expect(filesOf(capturing, id)).toEqual(proxyFiles.filter((file) => reason === null || file !== "certs"));
    expect(await triesOf(live.kubectl, name, "certs")).toBe(tries);
  });

  it("has a proxy that was gone between the list and the asking", async () => {
    const id = "listed-only.shop";
    expect(outcomeOf(capturing, id)).toBe("failed");
    expect(gapsIn(capturing, id)).toEqual([
      `${id}: certs, clusters, runtime, stats: not asked: 2 requests in a row had failed`,
      `${id}: config_dump?include_eds: Error from server (NotFound): pods "listed-only" not found`,
      `${id}: server_info: Error from server (NotFound): pods "listed-only" not found`,
    ]);
    expect(await triesOf(live.kubectl, "listed-only", "config_dump?include_eds")).toBe(1);
    expect(JSON.parse(capturing.files.get("cluster/pods.json") ?? "")).toMatchObject({
      pods: expect.arrayContaining([expect.objectContaining({ name: "listed-only" })]) as unknown,
    });
    expect(viewIn(capturing, live.mesh.istiods[0]?.name ?? "", id)).toContain(versionFor(id));
  });

  it("stops no other one, and makes the exit code 1", () => {
    expect(capturing.code).toBe(1);
    expect(gapsIn(capturing, "healthy.shop")).toEqual([]);
    expect(filesOf(capturing, "healthy.shop")).toEqual(proxyFiles);
    expect(capturing.stderr).not.toMatch(/^ +at /m);
  });
});

describe("a cluster of one proxy and one Istiod", () => {
  let standIns: StandIns;
  let live: LiveMesh;
  beforeAll(async () => {
    const mesh = meshOf(["cart.shop"]);
    standIns = await startStandIns(mesh);
    live = await serveMesh(mesh, standIns.urls);
  });
  afterAll(async () => {
    await Promise.all([standIns.stop(), live.stop()]);
  });

  const run = (...args: readonly string[]): Promise<Ended> =>
    collector(["--kubectl", live.kubectl.program, "-o", "bundle.tar.gz", ...args], {
      folder: folder(),
      env: { KUBECONFIG: join(folder(), "no-kubeconfig") },
    });
  /** Nothing was written, and one line says why. */
  const expectNothing = async ({ code, stdout, stderr }: Ended, words: RegExp): Promise<void> => {
    expect(stderr.trimEnd().split("\n")).toEqual([expect.stringMatching(words)]);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 2, stdout: "" });
    expect(await leftIn(folder())).toEqual([]);
  };

  it("is captured whole, also where the API server was away for a moment", async () => {
    await live.kubectl.breakWith({ does: "server unreachable", verb: "get", times: 1 });
    const { code, stderr } = await run("--context", "kind-test");
    expect(code, stderr).toBe(0);
    const bundle = await readBack(join(folder(), "bundle.tar.gz"));
    expect(gapsOf(bundle.manifest)).toEqual([]);
    expect(bundle.manifest.cluster).toBe("kind-test");
    expect(await leftIn(folder())).toEqual(["bundle.tar.gz"]);
  });

  it("that may not be executed in gives its lists, and says so of every target", async () => {
    await live.kubectl.breakWith({ does: "forbidden", verb: "exec" });
    const { code, stderr } = await run();
    expect(code, stderr).toBe(1);
    const bundle = await readBack(join(folder(), "bundle.tar.gz"));
    expect([...bundle.files.keys()]).toEqual(["cluster/pods.json", "cluster/services.json"]);
    const cannot = /\(Forbidden\): pods ".*" is forbidden: User ".*" cannot create resource "pods\/exec"/;
    for (const { name, namespace, outcome } of bundle.manifest.targets) {
      expect(outcome).toBe("failed");
      expect(gapsIn(bundle, `${name}.${namespace}`)).toContainEqual(expect.stringMatching(cannot));
    }
    expect(stderr).toMatch(cannot);
    expect(JSON.stringify(bundle.manifest)).not.toContain("jane");
  });

  it("that may not be listed gives nothing", async () => {
    await live.kubectl.breakWith({ does: "forbidden", verb: "get" });
    await expectNothing(
      await run(),
      /^istio-snapshot-collect: cannot list the pods: Error from server \(Forbidden\): pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope$/,
    );
    await expectNothing(
      await run("-n", "shop"),
      /^istio-snapshot-collect: cannot list the pods of namespace istio-system: .* in the namespace "istio-system"$/,
    );
  });

  it.each<{ fault: KubectlFault; timeout: number; tries: number | null; words: RegExp }>([
    {
      fault: { does: "server unreachable" },
      timeout: 30_000,
      tries: 3,
      words:
        /^cannot list the pods: The connection to the server 127\.0\.0\.1:6443 was refused - did you specify the right host or port\?$/,
    },
    {
      fault: { does: "hangs", verb: "get" },
      timeout: 200,
      tries: null, // it may be killed before it has written down what it was asked
      words: /^cannot list the pods: no answer within 0\.2s \(--timeout\)$/,
    },
  ])("whose list does not come gives nothing: $fault.does", async ({ fault, timeout, tries, words }) => {
    await live.kubectl.breakWith(fault);
    const before = (await live.kubectl.asked()).length;
    const capturing = captured(folder(), { kubectl: live.kubectl.program, limits: { timeout } });
    await expect(capturing).rejects.toThrow(UserError);
    await expect(capturing).rejects.toThrow(words);
    const asked = (await live.kubectl.asked()).slice(before);
    if (tries !== null) expect(asked.filter((args) => args.includes("pods"))).toHaveLength(tries);
    expect(await leftIn(folder())).toEqual([]);
  });

  it("that is not in the kubeconfig gives nothing", async () => {
    await live.kubectl.breakWith();
    await expectNothing(
      await run("--context", "nowhere"),
      /^istio-snapshot-collect: cannot list the pods: error: context "nowhere" does not exist$/,
    );
  });

  it("needs a kubectl that is there and may be run", async () => {
    await expectNothing(
      await collector([], { folder: folder(), env: { PATH: folder() } }),
      /^istio-snapshot-collect: cannot start kubectl: there is no such program \(--kubectl names another; without Kubernetes use --istiod and --envoy\)$/,
    );
    const elsewhere = await newFolder();
    const program = join(elsewhere.path, "kubectl");
    await writeFile(program, "#!/bin/sh\n", { mode: 0o644 });
    await expectNothing(
      await collector(["--kubectl", program], { folder: folder() }),
      /^istio-snapshot-collect: cannot start .*\/kubectl: it may not be run \(--kubectl names another; /,
    );
    await elsewhere.remove();
  });
});
