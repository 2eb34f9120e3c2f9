/** Random damage: bytes flipped, inserted, deleted, repeated and cut off, in the file as it is and inside its gzip. */
import { gunzipSync, gzipSync } from "node:zlib";

import fc from "fast-check";
import { afterAll, describe, it } from "vitest";

import { buildReport } from "../../src/report/build-report.js";
import { renderHtml } from "../../src/report/html.js";
import { renderMarkdown } from "../../src/report/markdown.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { syncStatus } from "../../src/status/sync-status.js";
import { aFolder } from "../support/builders.js";
import {
  fileOf,
  bundleFiles,
  outcomeOf,
  seen,
  smallBugReport,
  smallBundle,
  smallDump,
} from "../support/hostile.js";
import { tried } from "../support/hostile-count.js";
import { xdsAnswer } from "../support/hostile-neighbours.js";
import { expect } from "vitest";

const folder = await aFolder();
afterAll(() => folder.remove());

interface Change {
  readonly kind: "flip" | "insert" | "delete" | "repeat" | "cut" | "overwrite" | "swap";
  /** Where, as a part of the whole. */
  readonly at: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}
/** Bytes that mean something to some parser. */
const tokens = [
  "{",
  "}",
  "[",
  "]",
  '"',
  ",",
  ":",
  "\\",
  "\\u",
  "null",
  "1e999",
  '"@type":',
  '"configs":[',
  "\0",
  "ustar\0",
  "\x1f\x8b\x08\0",
  "../",
  "\n",
  "-",
  "\xff",
  "__proto__",
];

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom<Change["kind"]>("flip", "insert", "delete", "repeat", "cut", "overwrite", "swap"),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  length: fc.oneof(
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 1, max: 2000 }),
    fc.constantFrom(512, 1024),
  ),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 16 }),
    fc.constantFrom(...tokens).map((token) => Buffer.from(token, "latin1")),
    fc.integer({ min: 1, max: 1500 }).map((length) => Buffer.alloc(length)),
  ),
});
const changes = fc.array(change, { minLength: 1, maxLength: 4 });

function apply(bytes: Buffer, { kind, at, length, bytes: other }: Change): Buffer {
  const from = Math.floor(at * bytes.length);
  const [before, part, after] = [
    bytes.subarray(0, from),
    bytes.subarray(from, from + length),
    bytes.subarray(from + length),
  ];
  switch (kind) {
    case "flip":
      return Buffer.concat([
        before,
        Buffer.from(part.map((byte, index) => byte ^ (other[index % other.length] ?? 1))),
        after,
      ]);
    case "insert":
      return Buffer.concat([before, other, part, after]);
    case "delete":
      return Buffer.concat([before, after]);
    case "repeat":
      return Buffer.concat([before, part, part, part, after]);
    case "cut":
      return Buffer.from(before);
    case "overwrite":
      return Buffer.concat([before, other, bytes.subarray(from + other.length)]);
    case "swap":
      return Buffer.concat([before, after.subarray(0, length), part, after.subarray(length)]);
  }
}
const damaged = (bytes: Buffer, list: readonly Change[]): Buffer => list.reduce(apply, bytes);

/** Everything that is made of a snapshot. */
function draw(snapshot: Snapshot): void {
  const document = buildReport(snapshot, syncStatus(snapshot), "0.0.0");
  renderHtml(document);
  renderMarkdown(document);
  JSON.stringify(document);
}

const inputs: readonly { what: string; bytes: Buffer; pack: (bytes: Buffer) => Buffer }[] =
  await (async () => {
    const asIs = (bytes: Buffer): Buffer => bytes;
    const [ownBundle, bugReport] = [await smallBundle(), await smallBugReport()];
    return [
      { what: "a bundle", bytes: ownBundle, pack: asIs },
      { what: "a bundle's tar", bytes: gunzipSync(ownBundle), pack: asIs },
      {
        what: "a bundle's tar in gzip",
        bytes: gunzipSync(ownBundle),
        pack: (bytes: Buffer) => gzipSync(bytes, { level: 1 }),
      },
      { what: "a bug-report", bytes: bugReport, pack: asIs },
      { what: "a bug-report's tar", bytes: gunzipSync(bugReport), pack: asIs },
      { what: "a dump", bytes: smallDump(), pack: asIs },
      { what: "a dump in gzip", bytes: gzipSync(smallDump()), pack: asIs },
      { what: "a syncz answer", bytes: fileOf(bundleFiles(), "/debug/syncz"), pack: asIs },
      { what: "an XDS answer", bytes: Buffer.from(JSON.stringify(xdsAnswer)), pack: asIs },
    ];
  })();

describe("random damage gives a snapshot or an error in words", () => {
  it.each(inputs)("in $what", async ({ what, bytes, pack }) => {
    const good = await outcomeOf(pack(bytes));
    expect(good.error).toBeNull();
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        tried(`random damage, ${what}`);
        const { snapshot } = await outcomeOf(pack(damaged(bytes, list)));
        if (snapshot !== null) draw(snapshot);
      }),
      { numRuns: Number(process.env["HOSTILE_RUNS"] ?? "200") },
    );
  });

  it("and by the index what reading through gives", async () => {
    const bytes = await smallBundle();
    let files = 0;
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        tried("random damage, by the index");
        const path = await folder.write(`bundle-${files++ % 4}`, damaged(bytes, list));
        const bySeek = await outcomeOf(path);
        const byStream = await outcomeOf(path, { seek: false });
        if (bySeek.snapshot === null || byStream.snapshot === null) {
          expect(bySeek.snapshot).toBe(byStream.snapshot);
          return;
        }
        // damage in what is not read is not seen by the index: no entry that is read may differ
        const isGzip = ({ entry, message }: { entry: string; message: string }): boolean =>
          entry === "" && /index is wrong|gzip|tar archive is damaged|end mark|cut off/.test(message);
        const model = (snapshot: Snapshot): unknown =>
          seen({
            snapshot: { ...snapshot, problems: snapshot.problems.filter((problem) => !isGzip(problem)) },
            error: null,
          });
        if (byStream.snapshot.problems.some(isGzip) && !bySeek.snapshot.problems.some(isGzip)) return;
        expect(model(bySeek.snapshot)).toEqual(model(byStream.snapshot));
      }),
      { numRuns: Number(process.env["HOSTILE_RUNS"] ?? "200") },
    );
  });
});
