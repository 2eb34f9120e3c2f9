/** Places that cannot be written to: nothing is left there, and one line says why. */
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Output } from "../../src/collect/output.js";
import { UserError } from "../../src/shared/errors.js";
import { collector, type Ended } from "../support/live/collector-program.js";
import { argumentsOf, capture, captured } from "../support/live/collector-run.js";
import { folderForEach, leftIn } from "../support/live/folder.js";
import { meshOf } from "../support/live/named-mesh.js";
import { gapsOf, readBack } from "../support/live/read-back.js";
import { serve, type ServedMesh } from "../support/live/served-mesh.js";

const folder = folderForEach();
const ids = ["one.shop", "two.shop", "three.shop", "four.shop"];
let served: ServedMesh;
beforeAll(async () => {
  const answers = ids.map((id, index) => [id, { certs: certificates(index) }] as const);
  served = await serve(meshOf(ids), { envoys: Object.fromEntries(answers) });
});
afterAll(() => served.stop());

/** An answer that deflates badly, so that four of them make a bundle that is larger than each. */
function certificates(seed: number): string {
  const numbers = Array.from({ length: 20_000 }, (_, index) => ((index + 1) * 2654435761 * (seed + 7)) % 1e9);
  return JSON.stringify({ certificates: [], numbers });
}

/** A disk that is full after so many bytes. */
class FullDisk extends Writable {
  written = 0;
  constructor(readonly space: number) {
    super({ decodeStrings: true });
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (this.written + chunk.length > this.space)
      done(Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }));
    else {
      this.written += chunk.length;
      done();
    }
  }
}

interface OnDisk extends Output {
  readonly stream: FullDisk;
  readonly fate: "open" | "committed" | "discarded";
}
function diskOf(space: number): OnDisk {
  let fate: OnDisk["fate"] = "open";
  const stream = new FullDisk(space);
  return {
    stream,
    get fate() {
      return fate;
    },
    commit: () => {
      fate = "committed";
      return Promise.resolve(stream.written);
    },
    discard: () => {
      fate = "discarded";
    },
  };
}

describe("a disk that is full", () => {
  const captureTo = (disk: OnDisk): ReturnType<typeof captured> =>
    captured(folder(), served.ways, { openOutput: () => Promise.resolve(disk) });
  const noSpace = /^cannot write the bundle: ENOSPC: no space left on device, write$/;

  it("keeps the bundle from being written, be it full early or for the manifest alone", async () => {
    const large = diskOf(Infinity);
    expect((await captureTo(large)).code).toBe(0);
    expect(large.fate).toBe("committed");
    // the manifest is the last member, and times in it are as long in every run
    for (const space of [1000, large.stream.written / 2, large.stream.written - 500]) {
      const disk = diskOf(space);
      const capturing = captureTo(disk);
      await expect(capturing, String(space)).rejects.toThrow(noSpace);
      await expect(capturing, String(space)).rejects.toThrow(UserError);
      expect(disk.fate).toBe("discarded");
    }
  });

  it("ends the asking, too", async () => {
    const before = served.istiods[0]?.requests.length ?? 0;
    await expect(captureTo(diskOf(0))).rejects.toThrow(noSpace);
    const asked = served.istiods[0]?.requests.slice(before).map(({ url }) => url);
    expect(asked).not.toContain("/debug/configz");
  });
});

describe("the program", () => {
  const run = (largestFile: number | null, ...args: readonly string[]): Promise<Ended> =>
    collector([...argumentsOf(served.ways), ...args], {
      folder: folder(),
      ...(largestFile === null ? {} : { largestFile }),
    });
  const expectNothing = ({ code, stdout, stderr }: Ended, words: RegExp): void => {
    const [plan, ...lines] = stderr.trimEnd().split("\n");
    expect(plan).toBe("Asking 1 Istiod, 4 proxies. Nothing in the mesh is changed.");
    expect(lines).toEqual([expect.stringMatching(words)]);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 2, stdout: "" });
  };

  it("writes what fits", async () => {
    const { code, stderr } = await run(4096, "-o", "bundle.tar.gz");
    expect(code, stderr).toBe(0);
    expect(gapsOf((await readBack(join(folder(), "bundle.tar.gz"))).manifest)).toEqual([]);
    expect(await leftIn(folder())).toEqual(["bundle.tar.gz"]);
    expect((await stat(join(folder(), "bundle.tar.gz"))).size).toBeGreaterThan(300 * 1024);
  });

  it("leaves nothing of a bundle that does not fit, and the older one as it was", async () => {
    const older = join(folder(), "bundle.tar.gz");
    await writeFile(older, "an older bundle");
    // every answer fits into a file, but not the bundle
    expectNothing(
      await run(300, "-o", "bundle.tar.gz"),
      /^istio-snapshot-collect: cannot write the bundle: EFBIG: file too large, write$/,
    );
    expect(await leftIn(folder())).toEqual(["bundle.tar.gz"]);
    expect(await readFile(older, "utf8")).toBe("an older bundle");
  });

  it("leaves nothing where not even one answer fits", async () => {
    expectNothing(
      await run(20, "-o", "bundle.tar.gz"),
      /^istio-snapshot-collect: cannot keep an answer in a temporary file in .* \(TMPDIR names another folder\): EFBIG: file too large, write$/,
    );
    expect(await leftIn(folder())).toEqual([]);
  });

  it("needs a folder to write to", async () => {
    expectNothing(
      await run(null, "-o", "missing/bundle.tar.gz"),
      /^istio-snapshot-collect: cannot write missing\/bundle\.tar\.gz: there is no folder missing$/,
    );
    await mkdir(join(folder(), "folder"));
    expectNothing(
      await run(null, "-o", "folder"),
      /^istio-snapshot-collect: cannot write folder: it is a folder$/,
    );
    expect(await leftIn(folder())).toEqual(["folder"]);
  });

  it("writes to standard output, and leaves nothing elsewhere", async () => {
    const { code, stdout, stderr } = await run(null, "-o", "-");
    expect(code, stderr).toBe(0);
    const path = join(folder(), "from-stdout.tar.gz");
    expect(await leftIn(folder())).toEqual([]);
    await writeFile(path, stdout, { mode: 0o600 });
    expect((await readBack(path)).manifest.targets).toHaveLength(5);
  });
});

describe("a folder that may not be written to", () => {
  it("gets nothing, and no target is asked", async () => {
    const closed = join(folder(), "closed");
    await mkdir(closed);
    await chmod(folder(), 0o755);
    await chmod(closed, 0o555);
    const before = served.istiods[0]?.requests.length;
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65534); // root may write everywhere
    const capturing = captured(closed, served.ways).finally(() => {
      if (isRoot) process.seteuid?.(0);
    });
    await expect(capturing).rejects.toThrow(
      /^cannot write .*\/closed\/bundle\.tar\.gz: EACCES: permission denied/,
    );
    await expect(capturing).rejects.toThrow(UserError);
    expect(served.istiods[0]?.requests).toHaveLength(before ?? NaN);
    expect(await leftIn(closed)).toEqual([]);

    await chmod(closed, 0o755);
    expect((await capture(closed, served.ways)).code).toBe(0);
  });
});
