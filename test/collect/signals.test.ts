/** A user who does not want to wait any longer, and whoever ends processes. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import {
  startCollector,
  type ProgramOptions,
  type RunningCollector,
} from "../support/live/collector-program.js";
import { argumentsOf } from "../support/live/collector-run.js";
import { hangs, stopsHalfWay } from "../support/live/faulty-server.js";
import { folderForEach, leftIn, newFolder, type Folder } from "../support/live/folder.js";
import { serveMesh, type LiveMesh } from "../support/live/live-mesh.js";
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
import { serve } from "../support/live/served-mesh.js";
import { stoppedAfterEach } from "../support/live/until-the-end.js";
import { waitFor } from "../support/live/wait.js";

const untilTheEnd = stoppedAfterEach();
const folder = folderForEach();
const bundle = (): string => join(folder(), "bundle.tar.gz");

const stopping = "Stopping: the bundle is finished with what there is. Once more gives up.";
const hasSaid = (running: RunningCollector, words: string): Promise<true> =>
  waitFor(`the collector had said "${words}"`, () =>
    Promise.resolve(running.stderr().includes(words) ? true : undefined),
  );

describe("a capture that is stopped while one proxy hangs", () => {
  const ids = ["slow.shop", "half.shop", "quick.shop"];

  it.each(["SIGINT", "SIGTERM"] as const)("is finished with what there is: %s", async (signal) => {
    const served = untilTheEnd(
      await serve(meshOf(ids), {
        envoys: {
          "slow.shop": { certs: hangs },
          "half.shop": { certs: stopsHalfWay('{"certificates": []}') },
        },
      }),
    );
    const running = startCollector([...argumentsOf(served.ways), "-o", "bundle.tar.gz"], {
      folder: folder(),
    });
    const istiod = served.istiods[0]!;
    const [slow, half, quick] = ids.map((id) => served.envoys.get(id)!);
    await waitFor("only the two that hang were still being asked", () =>
      Promise.resolve(
        slow?.load.inFlight === 1 &&
          half?.load.inFlight === 1 &&
          slow.requests.at(-1)?.url === "/certs" &&
          half.requests.at(-1)?.url === "/certs" &&
          quick?.requests.length === proxyFiles.length &&
          quick.load.inFlight === 0 &&
          istiod.requests.at(-1)?.url === "/debug/push_status" &&
          istiod.load.inFlight === 0
          ? true
          : undefined,
      ),
    );
    process.kill(running.pid, signal);
    const { code, stderr } = await running.ended;
    expect(code, stderr).toBe(1);
    expect(stderr).toContain(stopping);
    expect(stderr).toContain("Stopped. Captured 1 of 1 Istiod (1 in part), 3 of 3 proxies (");
    expect(await leftIn(folder())).toEqual(["bundle.tar.gz"]);

    const read = await readBack(bundle());
    const target = `${served.mesh.istiods[0]?.name ?? ""}.istio-system`;
    const gaps = [
      "half.shop: certs: the capture was stopped",
      "half.shop: clusters, runtime, stats: not asked: the capture was stopped",
      `${target}: debug/syncz: not asked: the capture was stopped`,
      "slow.shop: certs: the capture was stopped",
      "slow.shop: clusters, runtime, stats: not asked: the capture was stopped",
    ];
    expect(gapsOf(read.manifest)).toEqual(expect.arrayContaining(gaps));
    // the last answers had been sent, but they may still have been on their way
    const late = ["quick.shop: stats", `${target}: debug/push_status`].map(
      (file) => `${file}: the capture was stopped`,
    );
    expect([...gaps, ...late]).toEqual(expect.arrayContaining(gapsOf(read.manifest)));
    expect(filesOf(read, "quick.shop")).toEqual(
      expect.arrayContaining(proxyFiles.filter((file) => file !== "stats")),
    );
    for (const id of ["slow.shop", "half.shop"]) {
      expect(outcomeOf(read, id)).toBe("partial");
      expect(filesOf(read, id)).toEqual(["config_dump?include_eds", "server_info"]);
    }
    for (const id of ids)
      expect(viewIn(read, served.mesh.istiods[0]?.name ?? "", id)).toContain(versionFor(id));
  });
});

describe("kubectl that goes on for ever", () => {
  let live: LiveMesh;
  let programs: Folder;
  let pids: string;
  beforeAll(async () => {
    live = await serveMesh(meshOf(["one.shop", "two.shop"]), new Map());
  });
  beforeEach(async () => {
    programs = await newFolder();
    pids = join(programs.path, "pids");
    await writeFile(pids, "");
  });
  afterEach(async () => {
    for (const pid of await started()) if (isRunning(pid)) process.kill(pid, "SIGKILL"); // whoever outlives its test was started by it
    await programs.remove();
  });
  afterAll(() => live.stop());

  const started = async (): Promise<number[]> =>
    (await readFile(pids, "utf8"))
      .split("\n")
      .filter((line) => line !== "")
      .map(Number);
  const running = async (): Promise<number[]> => (await started()).filter(isRunning);

  /** Lists as the stand-in does, but for the rest it waits; and does not end when it is told to, where it is stubborn. */
  async function endlessKubectl({ stubborn = false, lists = true } = {}): Promise<string> {
    const program = join(programs.path, "kubectl");
    await writeFile(
      program,
      [
        "#!/bin/sh",
        ...(lists ? [`case " $* " in *" get "*) exec '${live.kubectl.program}' "$@";; esac`] : []),
        ...(stubborn ? ["trap '' TERM"] : []),
        `echo $$ >> '${pids}'`,
        "exec sleep 600",
        "",
      ].join("\n"),
      { mode: 0o755 },
    );
    return program;
  }
  const start = (program: string, options: Partial<ProgramOptions> = {}): RunningCollector =>
    startCollector(["--kubectl", program, "-o", "bundle.tar.gz"], { folder: folder(), ...options });
  const hasStarted = (count: number): Promise<true> =>
    waitFor(`kubectl was started ${count} times`, async () =>
      (await started()).length >= count ? true : undefined,
    );
  const lists = ["cluster/pods.json", "cluster/services.json"];

  it.each([{ stubborn: false }, { stubborn: true }])(
    "is ended with the capture, which is finished: $stubborn",
    async (kind) => {
      const collector = start(await endlessKubectl(kind));
      await hasStarted(1); // the one Istiod is asked first
      process.kill(collector.pid, "SIGINT");
      const { code, stderr } = await collector.ended;
      expect(await running()).toEqual([]);
      expect(code, stderr).toBe(1);
      expect(await leftIn(folder())).toEqual(["bundle.tar.gz"]);
      const read = await readBack(bundle());
      expect([...read.files.keys()]).toEqual(lists);
      expect(read.manifest.targets.map(({ outcome }) => outcome)).toEqual(["failed", "failed", "failed"]);
      for (const id of ["one.shop", "two.shop"])
        expect(gapsIn(read, id)).toEqual([`${id}: all files: not asked: the capture was stopped`]);
    },
  );

  it("is ended by the terminal itself, together with the collector", async () => {
    const collector = start(await endlessKubectl(), { group: true });
    await hasStarted(1);
    process.kill(-collector.pid, "SIGINT");
    const { code, stderr } = await collector.ended;
    expect(await running()).toEqual([]);
    expect(code, stderr).toBe(1);
    expect(stderr).toContain(stopping);
    expect(await leftIn(folder())).toEqual(["bundle.tar.gz"]);
    expect([...(await readBack(bundle())).files.keys()]).toEqual(lists);
  });

  it("leaves no bundle where not even the lists had come", async () => {
    const collector = start(await endlessKubectl({ lists: false }));
    await hasStarted(2);
    process.kill(collector.pid, "SIGINT");
    const { code, stderr } = await collector.ended;
    expect(await running()).toEqual([]);
    expect(code).toBe(2);
    expect(stderr.trim().split("\n").slice(1)).toEqual([
      "istio-snapshot-collect: cannot list the pods: the capture was stopped",
    ]);
    expect(await leftIn(folder())).toEqual([]);
  });

  it("is not waited for the second time, and nothing is left", async () => {
    // it takes a stubborn one some time to be ended, and the bundle waits for that
    const collector = start(await endlessKubectl({ stubborn: true }));
    await hasStarted(1);
    process.kill(collector.pid, "SIGINT");
    await hasSaid(collector, stopping);
    expect(await leftIn(folder())).toContain("bundle.tar.gz.partial");
    process.kill(collector.pid, "SIGINT");
    const { code, stderr } = await collector.ended;
    expect(code, stderr).toBe(2);
    expect(stderr).not.toContain("Captured");
    expect(await leftIn(folder())).toEqual([]);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
