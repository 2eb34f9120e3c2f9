/** Two hundred targets: the capture is whole, and takes no more memory than that of fifty. The times are printed only. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newFolder, type Folder } from "../support/live/folder.js";
import { gapsOf, proxyFiles, readBack } from "../support/live/read-back.js";
import { asFigures, manyTargets, type ManyTargets, type Measured } from "../support/live/scale.js";

describe("two hundred proxies that take their time", () => {
  let home: Folder;
  let targets: ManyTargets;
  let fifty: Measured;
  let few: Measured;
  let many: Measured;
  beforeAll(async () => {
    home = await newFolder();
    targets = await manyTargets({ proxies: 200, services: 4, latency: 20 });
    const measure = async (proxies: number, concurrency: number): Promise<Measured> => {
      const measured = await targets.measure(proxies, concurrency, home.path);
      console.log(asFigures(proxies, concurrency, measured));
      return measured;
    };
    fifty = await measure(50, 8);
    few = await measure(200, 8);
    many = await measure(200, 32);
  });
  afterAll(async () => {
    await targets.stop();
    await home.remove();
  });

  it("are all captured, 8 and 32 at a time", async () => {
    for (const [concurrency, { code, stderr, peak }] of [
      [8, few],
      [32, many],
    ] as const) {
      expect(code, stderr).toBe(0); // without a gap
      expect(stderr).toContain("Captured 2 of 2 Istiods, 200 of 200 proxies in ");
      expect(peak).toBeLessThanOrEqual(concurrency);
      expect(peak).toBeGreaterThan(2);
    }
    const { manifest, snapshot } = await readBack(many.path);
    expect(gapsOf(manifest)).toEqual([]);
    expect(manifest.targets.map(({ outcome }) => outcome)).toEqual(Array(202).fill("captured"));
    const files = manifest.files.filter(({ name }) => name.startsWith("istio-snapshot/proxies/"));
    expect(files).toHaveLength(200 * proxyFiles.length);
    expect(snapshot.istiods.map(({ views }) => views.length)).toEqual([100, 100]);
  });

  it("take the memory that fifty take, however many are asked at a time", () => {
    expect(fifty.code, fifty.stderr).toBe(0);
    expect(few.memory).toBeLessThan(fifty.memory * 1.5);
    expect(many.memory).toBeLessThan(fifty.memory * 1.5);
  });
});
