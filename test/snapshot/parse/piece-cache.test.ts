import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { pieceCache, type PieceCache } from "../../../src/snapshot/parse/piece-cache.js";
import { bytesOf } from "../../support/builders.js";

const aCache = (capacity = 1_000_000): PieceCache<string> =>
  pieceCache((a, start, b) => {
    expect(a.length, "only stretches inside the document are compared").toBeGreaterThanOrEqual(
      start + b.length,
    );
    return Buffer.compare(a.subarray(start, start + b.length), b) === 0;
  }, capacity);

/** Remembers a text as it stands in a document, where `behind` follows it. */
function remember(
  cache: PieceCache<string>,
  piece: string,
  value: string,
  behind = ",",
  kind = "cluster",
): void {
  const bytes = bytesOf(piece + behind);
  cache.remember(bytes, 0, Buffer.byteLength(piece), kind, value);
}

const find = (cache: PieceCache<string>, document: string, start = 0, kind = "cluster"): string | null =>
  cache.find(bytesOf(document), start, kind)?.value ?? null;

/** Longer than the stretch by which the cache looks a piece up. */
const long = (last: string): string => `{"name":"${"x".repeat(400)}${last}"}`;

describe("a piece that was remembered", () => {
  it("is found where the same bytes stand, with their end", () => {
    const cache = aCache();
    remember(cache, long("a"), "A");
    const document = bytesOf(`[${long("a")},1]`);
    expect(cache.find(document, 1, "cluster")).toEqual({ value: "A", end: 1 + long("a").length });
  });

  it("is found at the very end of a document", () => {
    const cache = aCache();
    remember(cache, long("a"), "A");
    expect(find(cache, long("a"))).toBe("A");
  });

  it.each([
    { what: "one byte near the end is different", document: long("b") },
    { what: "one byte at the beginning is different", document: ` ${long("a").slice(1)}` },
    { what: "the document ends before the piece does", document: long("a").slice(0, -1) },
    { what: "there is nothing", document: "" },
  ])("is not found where $what", ({ document }) => {
    const cache = aCache();
    remember(cache, long("a"), "A");
    expect(find(cache, document)).toBeNull();
  });

  it("is not found as a resource of another kind", () => {
    const cache = aCache();
    remember(cache, long("a"), "A", ",", "listener");
    expect(find(cache, long("a"))).toBeNull();
    expect(find(cache, long("a"), 0, "listener")).toBe("A");
  });

  it("is kept by its bytes: the document may be overwritten", () => {
    const cache = aCache();
    const bytes = bytesOf(`${long("a")},`);
    cache.remember(bytes, 0, bytes.length - 1, "cluster", "A");
    bytes.fill(0);
    expect(find(cache, long("a"))).toBe("A");
  });

  it("of short pieces is told from longer ones that begin with the same bytes", () => {
    const cache = aCache();
    remember(cache, "{}", "empty", "]");
    remember(cache, "[]", "list", "]");
    expect(find(cache, "{}]")).toBe("empty");
    expect(find(cache, '{"a":1}]')).toBeNull();
  });

  it("that does not end itself is not remembered: 12 also begins 123", () => {
    const cache = aCache();
    for (const scalar of ["12", "true", '"a"']) remember(cache, scalar, scalar, "3");
    for (const scalar of ["123", "true3", '"a"3']) expect(find(cache, scalar)).toBeNull();
  });
});

describe("what is found", () => {
  const pieces = fc.uniqueArray(
    fc
      .tuple(
        fc.constantFrom("", "y".repeat(250)),
        fc.constantFrom("", "1", "2", "12"),
        fc.constantFrom("{}", "[]"),
      )
      .map(([head, tail, [open = "", close = ""]]) => `${open}"${head}${tail}"${close}`),
    { maxLength: 20 },
  );

  it("is exactly what was remembered, whatever else was", () => {
    fc.assert(
      fc.property(pieces, pieces, (known, asked) => {
        const cache = aCache();
        for (const piece of known) remember(cache, piece, piece);
        for (const piece of asked) {
          const value = find(cache, `${piece},`);
          if (value !== null) expect(value).toBe(piece);
          if (!known.includes(piece)) expect(value).toBeNull();
        }
      }),
    );
  });
});

describe("how much is remembered", () => {
  it("keeps a few pieces with one beginning, the newest ones", () => {
    const cache = aCache();
    const tails = ["1", "2", "3", "4", "5"];
    for (const tail of tails) remember(cache, long(tail), tail);
    expect(tails.map((tail) => find(cache, long(tail)))).toEqual([null, "2", "3", "4", "5"]);
  });

  it("forgets everything beyond the capacity, and learns anew", () => {
    const size = long("1").length;
    const cache = aCache(size * 2);
    remember(cache, long("1"), "1");
    remember(cache, long("2"), "2");
    expect(find(cache, long("1"))).toBe("1");
    remember(cache, long("3"), "3");
    expect(["1", "2", "3"].map((tail) => find(cache, long(tail)))).toEqual([null, null, "3"]);
    remember(cache, long("1"), "1");
    expect(find(cache, long("1"))).toBe("1");
  });
});
