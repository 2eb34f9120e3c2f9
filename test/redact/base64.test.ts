import { gzipSync } from "node:zlib";
import { generateKeyPairSync } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodedText, encodedLike, isBase64Text, redactBase64Runs } from "../../src/redact/base64.js";
import { base64, marked } from "./redacting.js";

/** A look that takes out one word. */
const look = (text: string): string => text.replaceAll("hunter2", "#");
const left = (text: string): string => redactBase64Runs(text, { replace: marked, look, certificates: null });

const secret = "the password of all is hunter2, they say";
const public_ = "there is no password in here, they say";

describe("texts in base64", () => {
  it.each([
    ["alone", base64(secret), base64(look(secret))],
    ["in a text", `a "${base64(secret)}" b`, `a "${base64(look(secret))}" b`],
    [
      "of URLs",
      Buffer.from(`>>>???${secret}`).toString("base64url"),
      Buffer.from(look(`>>>???${secret}`)).toString("base64url"),
    ],
    ["behind a path", `/some/path/${base64(secret)}`, `/some/path/${base64(look(secret))}`],
    ["behind words", `some-long_prefix-${base64(secret)}`, `some-long_prefix-${base64(look(secret))}`],
    ["behind a letter", `x${base64(secret)}`, `x${base64(look(secret))}`],
    [
      "in lines",
      `${base64(secret.repeat(3)).replace(/.{64}/g, "$&\n")} end`,
      `${base64(look(secret.repeat(3)))} end`,
    ],
  ])("%s", (_, text, expected) => expect(left(text)).toBe(expected));

  it.each([
    base64(public_),
    base64("short"),
    "outbound|8080||reviews.default.svc.cluster.local",
    "/apis/networking/v1alpha3/namespaces/default/virtual-service/reviews",
    Buffer.from(Uint8Array.from({ length: 60 }, (_, index) => (index * 89) & 0xff)).toString("base64"),
  ])("stay where nothing is in them: %s", (text) => expect(left(text)).toBe(text));

  it("are decoded and coded again without loss", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 18 }), (text) => {
        fc.pre(!/\p{Cc}|\ufffd/u.test(text) && text.isWellFormed());
        const coded = base64(text);
        expect(left(coded)).toBe(text.includes("hunter2") ? base64(look(text)) : coded);
        expect(decodedText(coded)).toBe(text);
      }),
    );
  });
});

describe("bytes in base64", () => {
  it("are taken out where they are a private key", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const der = privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
    expect(Buffer.from(left(der), "base64").toString()).toMatch(/^<secret: /);
    const other = publicKey.export({ type: "spki", format: "der" }).toString("base64");
    expect(left(other)).toBe(other);
  });

  it("are taken out where they are compressed", () => {
    expect(left(gzipSync(secret).toString("base64"))).not.toContain("H4sI");
  });
});

it("tells base64 of a text from other words", () => {
  expect(isBase64Text(base64(secret))).toBe(true);
  expect(isBase64Text(`${base64(secret)}\n`)).toBe(true);
  expect(isBase64Text(`${base64(secret)} x`)).toBe(false);
  expect(isBase64Text("abcdefghijklmnopqrstuvwxyz")).toBe(false);
  expect(isBase64Text(base64("short"))).toBe(false);
});

it("codes in the alphabet of what was there", () => {
  expect(encodedLike(">>>???", "ab-_")).toBe("Pj4-Pz8_");
  expect(encodedLike(">>>???", "abcd")).toBe("Pj4+Pz8/");
  expect(encodedLike("a", "a-_=")).toBe("YQ==");
});

it("costs one pass over long runs", () => {
  const text = "A".repeat(300_000);
  expect(left(text)).toBe(text);
  const lines = `${"A".repeat(64)}\n`.repeat(5000);
  expect(left(lines)).toBe(lines);
});
