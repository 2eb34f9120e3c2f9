import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { OutputError, packer } from "../../src/collect/packing.js";
import {
  temporaryFiles,
  type TemporaryFile,
  type TemporaryFiles,
} from "../../src/collect/temporary-files.js";
import { UserError } from "../../src/shared/errors.js";
import { bundleInMemory, gate, noSpace, passThrough, settle } from "../support/collector.js";

let files: TemporaryFiles;
beforeEach(async () => {
  files = await temporaryFiles(null);
});
afterEach(() => files.remove());

async function holding(text: string): Promise<TemporaryFile> {
  const file = await files.create();
  await file.append(Buffer.from(text));
  return file;
}

/** The same file, and whether it was closed. */
function watched(
  file: TemporaryFile,
  more: Partial<TemporaryFile> = {},
): TemporaryFile & { isClosed(): boolean } {
  let isClosed = false;
  return {
    ...file,
    size: file.size,
    close: async () => {
      isClosed = true;
      await file.close();
    },
    ...more,
    isClosed: () => isClosed,
  };
}

const noon = new Date("2026-03-14T12:00:00Z");
const dropsAll = passThrough({ file: (name) => ({ outcome: "dropped", name, reason: "it is no JSON" }) });

describe("an answer", () => {
  it("is packed as it was redacted, and its temporary file is gone", async () => {
    const bundle = bundleInMemory();
    const redactor = passThrough({
      file: (name, content) => ({
        outcome: "kept",
        name: `public/${name}`,
        content: [content.subarray(0, 2), Buffer.from("***")],
        size: 5,
      }),
    });
    const answer = watched(await holding("a secret"));
    const pack = packer(bundle, redactor);
    expect(await pack.file("certs", answer, noon)).toEqual({ outcome: "kept" });
    expect([...bundle.files]).toEqual([["public/certs", { text: "a ***", capturedAt: noon }]]);
    expect(answer.isClosed()).toBe(true);
    expect(pack.size).toBe(5);
  });

  it("is not packed where redaction drops it", async () => {
    const bundle = bundleInMemory();
    const answer = watched(await holding("?"));
    expect(await packer(bundle, dropsAll).file("certs", answer, noon)).toEqual({
      outcome: "dropped",
      reason: "it is no JSON",
    });
    expect(bundle.files.size).toBe(0);
    expect(answer.isClosed()).toBe(true);
  });

  it("alone is lost where redaction fails on it, and the reason does not quote it", async () => {
    const bundle = bundleInMemory();
    const redactor = passThrough({
      file: (name, content) => {
        if (name === "certs") JSON.parse(Buffer.from(content).toString("utf8"));
        return { outcome: "kept", name, content: [content], size: content.length };
      },
    });
    const pack = packer(bundle, redactor);
    const [certs, runtime] = [await holding('{"key": hunter2}'), await holding("{}")];
    const answers = [pack.file("certs", certs, noon), pack.file("runtime", runtime, noon)];
    expect(await Promise.all(answers)).toEqual([
      { outcome: "dropped", reason: "it could not be redacted (SyntaxError)" },
      { outcome: "kept" },
    ]);
    expect([...bundle.files.keys()]).toEqual(["runtime"]);
  });

  it("is lost alone where the memory does not hold it", async () => {
    const bundle = bundleInMemory();
    const tooLarge = watched(await holding("x"), {
      read: () => Promise.reject(new RangeError("Array buffer allocation failed")),
    });
    const pack = packer(bundle, passThrough());
    expect(await pack.file("certs", tooLarge, noon)).toEqual({
      outcome: "dropped",
      reason: "it is too large for the memory of this machine",
    });
    expect(tooLarge.isClosed()).toBe(true);
    expect(await pack.file("runtime", await holding("{}"), noon)).toEqual({ outcome: "kept" });
  });

  it("ends everything where its temporary file cannot be read", async () => {
    const broken = watched(await holding("x"), { read: () => Promise.reject(new UserError("EIO")) });
    await expect(packer(bundleInMemory(), passThrough()).file("certs", broken, noon)).rejects.toThrow("EIO");
    expect(broken.isClosed()).toBe(true);
  });
});

describe("what we made ourselves", () => {
  it("is redacted, too", async () => {
    const bundle = bundleInMemory();
    const pack = packer(bundle, passThrough());
    expect(await pack.content("cluster/pods.json", Buffer.from("{}"), noon)).toEqual({ outcome: "kept" });
    expect(bundle.files.get("cluster/pods.json")).toEqual({ text: "{}", capturedAt: noon });
    expect(await packer(bundle, dropsAll).content("x", Buffer.from("{}"), noon)).toMatchObject({
      outcome: "dropped",
    });
  });
});

describe("a piece of a file", () => {
  it("is redacted, and given away before the next answer is read", async () => {
    const bundle = bundleInMemory();
    const pack = packer(bundle, passThrough());
    const inUse = gate();
    const read: string[] = [];
    const noting = async (text: string): Promise<TemporaryFile> => {
      const file = await holding(text);
      return watched(file, {
        read: () => {
          read.push(text);
          return file.read();
        },
      });
    };
    const piece = pack.redact("dump", await noting("piece"), async (redacted) => {
      await inUse.passed;
      return redacted.outcome === "kept" ? Buffer.concat(redacted.content).toString("utf8") : "";
    });
    const next = pack.file("certs", await noting("next"), noon);
    await settle();
    expect(read).toEqual(["piece"]);
    inUse.open();
    expect(await piece).toBe("piece");
    expect(await next).toEqual({ outcome: "kept" });
    expect(read).toEqual(["piece", "next"]);
    expect([...bundle.files.keys()]).toEqual(["certs"]);
  });

  it("that is redacted already is packed as it is, with the times of its slices", async () => {
    const bundle = bundleInMemory();
    const slices = [{ resource: "bootstrap", capturedAt: noon.toISOString() }];
    const content = [Buffer.from("ab"), Buffer.from("c")];
    const pack = packer(bundle, dropsAll);
    await pack.redacted({ name: "dump", size: 3, content, capturedAt: noon, slices });
    expect(bundle.files.get("dump")).toEqual({ text: "abc", capturedAt: noon, slices });
    expect(pack.size).toBe(3);
  });
});

describe("memory", () => {
  it("holds one answer at a time, however many wait", async () => {
    let held = 0;
    let most = 0;
    const bundle = bundleInMemory(async () => {
      await settle();
      held--;
    });
    const pack = packer(bundle, passThrough());
    const packed = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const file = await holding(String(index));
        const counted = watched(file, {
          read: () => {
            most = Math.max(most, ++held);
            return file.read();
          },
        });
        return pack.file(`file ${index}`, counted, noon);
      }),
    );
    expect(packed).toHaveLength(6);
    expect(bundle.files.size).toBe(6);
    expect(most).toBe(1);
  });
});

describe("a bundle that cannot be written", () => {
  it("is an OutputError with the words of the disk, and nothing more is tried", async () => {
    let tried = 0;
    const redacted: string[] = [];
    const bundle = bundleInMemory((file) => {
      tried++;
      if (file.name === "full") throw noSpace();
    });
    const redactor = passThrough({
      file: (name, content) => {
        redacted.push(name);
        return { outcome: "kept", name, content: [content], size: content.length };
      },
    });
    const pack = packer(bundle, redactor);
    expect(await pack.file("first", await holding("1"), noon)).toEqual({ outcome: "kept" });
    const [full, later] = [await holding("2"), await holding("3")];
    const results = await Promise.allSettled([
      pack.file("full", full, noon),
      pack.file("later", later, noon),
      pack.content("own", Buffer.from("4"), noon),
      pack.redacted({ name: "slices", size: 0, content: [], capturedAt: noon }),
    ]);
    for (const result of results) {
      expect(result).toMatchObject({ status: "rejected", reason: expect.any(OutputError) });
      expect(result).toMatchObject({
        reason: { message: "cannot write the bundle: ENOSPC: no space left on device, write" },
      });
    }
    expect(tried).toBe(2);
    expect(redacted).toEqual(["first", "full"]);
    expect(pack.size).toBe(1);
  });
});
