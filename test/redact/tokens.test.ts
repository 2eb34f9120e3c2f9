import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isRedacted, lengthClass, Tokens } from "../../src/redact/tokens.js";
import { aPrivateKey, base64, salt } from "./redacting.js";

const tokens = new Tokens(salt);

describe("a token", () => {
  it("says rule, range of length and digits", () => {
    expect(tokens.of("private key", "hunter2-and-more")).toMatch(
      /^‹redacted:private-key:9-16:[0-9a-f]{16}›$/,
    );
  });

  it("says the exact length of programs", () => {
    expect(tokens.of("code", "x".repeat(1234))).toMatch(/^‹redacted:code:1234:[0-9a-f]{16}›$/);
  });

  it("may hold what may be known", () => {
    expect(tokens.of("certificate", "x", "sha256=ab")).toMatch(/^‹redacted:certificate:sha256=ab:1:/);
  });

  it("is equal for equal values, as text or bytes, and for no others", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const token = tokens.of("secret", one);
        expect(new Tokens(salt).of("secret", Buffer.from(one))).toBe(
          one.includes("-----BEGIN ") ? expect.any(String) : token,
        );
        expect(tokens.of("secret", other) === token).toBe(one === other);
      }),
    );
  });

  it("is another one under another salt", () => {
    expect(new Tokens(new Uint8Array(32)).of("secret", "hunter2")).not.toBe(tokens.of("secret", "hunter2"));
  });

  it("is the same for a key with other line ends, and another one for another key", () => {
    const key = aPrivateKey();
    const token = tokens.of("private key", key);
    expect(tokens.of("private key", key.replaceAll("\n", "\r\n"))).toBe(token);
    expect(tokens.of("private key", key.replaceAll("\n", "\\n"))).toBe(token);
    expect(tokens.of("private key", aPrivateKey(2))).not.toBe(token);
  });
});

describe("the range of a length", () => {
  it.each([
    [0, "0"],
    [1, "1"],
    [2, "2"],
    [3, "3-4"],
    [4, "3-4"],
    [5, "5-8"],
    [16, "9-16"],
    [17, "17-32"],
    [1024, "513-1024"],
  ])("%i -> %s", (length, range) => expect(lengthClass(length)).toBe(range));
});

describe("what is redacted already", () => {
  const token = tokens.of("secret", "hunter2");
  it.each([
    token,
    `${token}\n`,
    `${token}\n${tokens.of("certificate", "x")}\n`,
    base64(token),
    base64(`${token}\n`),
    "[redacted]",
    "W3JlZGFjdGVkXQ==",
    "<Redacted>",
  ])("%j is", (value) => expect(isRedacted(value)).toBe(true));

  it.each([
    "",
    "hunter2",
    `${token}hunter2`,
    `hunter2${token}`,
    "‹redacted:›",
    base64("hunter2"),
    base64(`${token}x`),
  ])("%j is not", (value) => expect(isRedacted(value)).toBe(false));
});
