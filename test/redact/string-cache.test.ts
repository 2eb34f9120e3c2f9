import fc from "fast-check";
import { expect, it } from "vitest";

import { hashByte, hashStart, StringCache } from "../../src/redact/string-cache.js";

const hashOf = (bytes: Uint8Array): number => bytes.reduce(hashByte, hashStart);

it("finds what was put in by its bytes, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 6 })),
      fc.uint8Array({ maxLength: 6 }),
      (known, wanted) => {
        const cache = new StringCache<string>();
        for (const bytes of known) cache.set(bytes, 0, bytes.length, hashOf(bytes), bytes.join());
        const found = cache.get(wanted, 0, wanted.length, hashOf(wanted));
        expect([undefined, wanted.join()]).toContain(found);
        if (!known.some((bytes) => bytes.join() === wanted.join())) expect(found).toBeUndefined();
      },
    ),
  );
});

it("is not misled by an equal hash", () => {
  const cache = new StringCache<string>();
  cache.set(Buffer.from("abc"), 0, 3, 42, "abc");
  expect(cache.get(Buffer.from("abc"), 0, 3, 42)).toBe("abc");
  expect(cache.get(Buffer.from("abd"), 0, 3, 42)).toBeUndefined();
  expect(cache.get(Buffer.from("ab"), 0, 2, 42)).toBeUndefined();
});

it("keeps a copy of its own", () => {
  const cache = new StringCache<string>();
  const bytes = Buffer.from("xabcx");
  cache.set(bytes, 1, 4, 42, "abc");
  bytes.fill(0);
  expect(cache.get(Buffer.from("abc"), 0, 3, 42)).toBe("abc");
});

it("keeps no long strings", () => {
  const cache = new StringCache<string>();
  const long = new Uint8Array(10_000);
  cache.set(long, 0, long.length, 1, "long");
  expect(cache.get(long, 0, long.length, 1)).toBeUndefined();
});
