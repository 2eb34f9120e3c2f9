import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";

import { describe, expect, it } from "vitest";

import type { PlannedTarget } from "../../src/collect/plan.js";
import { progressLine } from "../../src/collect/progress.js";
import { aTarget, traffic } from "../support/collector.js";

/** A terminal, or what standard error is elsewhere, and what was written to it. */
function aStream(terminal: { readonly columns: number } | null) {
  const written: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk.toString("utf8"));
      done();
    },
  });
  const fields = terminal === null ? {} : { isTTY: true, rows: 24, ...terminal };
  return { stream: Object.assign(stream, fields) as unknown as NodeJS.WriteStream, written };
}

const channel = traffic().channel("x", {});
const istiod = aTarget("istiod", "istiod-1.istio-system", channel);
const proxies = ["a.shop", "b.shop", "c.shop"].map((name) => aTarget("proxy", name, channel));
const all: PlannedTarget[] = [istiod, ...proxies];

/** A clock that is moved by hand. */
function clock(): { now: () => number; pass: (milliseconds: number) => void } {
  let time = 1_000_000;
  return {
    now: () => time,
    pass: (milliseconds) => {
      time += milliseconds;
    },
  };
}

describe("the line", () => {
  it("has a bar, targets by kind, and bytes", () => {
    const progress = progressLine(all, aStream(null).stream);
    expect(progress.line()).toBe(`${"░".repeat(20)} Istiods 0/1, proxies 0/3, 0 B`);
    progress.targetDone(proxies[0]!);
    progress.bytes(1_440_000);
    expect(progress.line()).toBe(`${"█".repeat(5)}${"░".repeat(15)} Istiods 0/1, proxies 1/3, 1.4 MB`);
    progress.targetDone(proxies[1]!);
    progress.targetDone(proxies[2]!);
    progress.targetDone(istiod);
    expect(progress.line()).toBe(`${"█".repeat(20)} Istiods 1/1, proxies 3/3, 1.4 MB`);
  });

  it("has failures when there are any", () => {
    const progress = progressLine(all, aStream(null).stream);
    expect(progress.line()).not.toContain("failed");
    progress.failures(2);
    expect(progress.line()).toMatch(/, 2 failed$/);
  });

  it("has ztunnels where there are any, and no kinds that there are none of", () => {
    const progress = progressLine([aTarget("ztunnel", "zt.istio-system", channel)], aStream(null).stream);
    expect(progress.line()).toContain(" ztunnels 0/1, ");
    expect(progress.line()).not.toContain("proxies");
  });

  it("is there for no target at all", () => {
    expect(progressLine([], aStream(null).stream).line()).toBe(`${"░".repeat(20)} 0 B`);
  });
});

describe("a terminal", () => {
  it("shows the newest line, and is clean in the end", () => {
    const { stream, written } = aStream({ columns: 80 });
    const { now, pass } = clock();
    const progress = progressLine(all, stream, now);
    progress.bytes(1000);
    pass(100);
    progress.targetDone(proxies[0]!);
    const seen = stripVTControlCharacters(written.join(""));
    expect(seen).toContain("proxies 0/3, 1.0 kB");
    expect(seen).toContain("proxies 1/3, 1.0 kB");
    written.length = 0;
    progress.end();
    expect(written.join("")).toContain("\u001b[2K"); // the line is erased
    expect(stripVTControlCharacters(written.join("")).trim()).toBe("");
  });

  it("is written to ten times a second at most", () => {
    const { stream, written } = aStream({ columns: 80 });
    const { now, pass } = clock();
    const progress = progressLine(all, stream, now);
    for (let bytes = 1; bytes <= 1000; bytes++) {
      progress.bytes(bytes);
      pass(1);
    }
    const lines = stripVTControlCharacters(written.join("")).match(/proxies/g) ?? [];
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThanOrEqual(10);
  });

  it("never has a line that it would break", () => {
    const { stream, written } = aStream({ columns: 30 });
    const progress = progressLine(all, stream);
    progress.failures(3);
    const lines = stripVTControlCharacters(written.join("")).split("\n");
    expect(lines.filter((line) => line.trim() !== "")).toHaveLength(1);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(30);
  });
});

describe("anything but a terminal", () => {
  it("gets nothing", () => {
    const { stream, written } = aStream(null);
    const progress = progressLine(all, stream);
    progress.bytes(5);
    progress.failures(1);
    progress.targetDone(istiod);
    progress.end();
    expect(written).toEqual([]);
  });
});
