import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import { scan } from "../../src/redact/scan.js";
import { leaf } from "./certificate-fixtures.js";
import { aPrivateKey, aRedactor, anAccessKey, aWebToken, base64, redacted } from "./redacting.js";

const key = aPrivateKey();
const scanned = (text: string): string[] => scan("file", [Buffer.from(text)]).map(({ rule }) => rule);

describe("finds, whatever the rules say", () => {
  const cases: readonly (readonly [what: string, text: string, rule: string])[] = [
    ["a key", key, "private key"],
    ["an escaped key", JSON.stringify(key), "private key"],
    ["a percent-encoded key", encodeURIComponent(key), "private key"],
    ["a key in other escapes", key.replaceAll("K", "\\u004b").replaceAll("/", "\\/"), "private key"],
    ["a key of RSA", aPrivateKey(1, "RSA PRIVATE KEY"), "private key"],
    ...[0, 1, 2].map(
      (shift) =>
        [
          `a key in base64, ${shift} behind`,
          base64("x".repeat(shift) + key),
          "private key in base64",
        ] as const,
    ),
    ...[0, 1, 2].map(
      (shift) =>
        [
          `a key in base64 of base64, ${shift} behind`,
          base64(base64("x".repeat(shift) + key)),
          "private key in base64 of base64",
        ] as const,
    ),
    ["a web token", `x ${aWebToken()} y`, "JSON web token"],
    ["a bearer", "Authorization: Bearer abcdefghijklmnop1", "bearer credential"],
    ["basic credentials", `basic ${base64("someone:hunter2")}`, "basic credential"],
    ["an access key of AWS", `"${anAccessKey}"`, "AWS access key"],
    ["an API key of Google", `AIza${"aB3".repeat(14).slice(0, 35)}`, "Google API key"],
    ["a token of Google", `ya29.${"aB3".repeat(14)}`, "Google access token"],
    ["an account key of Azure", `AccountKey=${base64("x".repeat(60))}`, "Azure key"],
  ];
  it.each(cases)("%s", (_, text, rule) => expect(scanned(text)).toContain(rule));

  it.each([
    ["certificates", leaf.pem],
    ["certificates in base64", base64(leaf.pem)],
    ["words", "Basic authentication and bearer tokens of a PRIVATE KEY"],
    ["our tokens", "Bearer ‹redacted:credential:17-32:0123456789abcdef›"],
    ["nonces", "b8bd6f4e-6f0c-4b0d-9d0c-6b1d2e3f4a5b eyJ AKIA"],
    ["an escaped solidus", '"a\\/b\\u0041"'],
  ])("but not in %s", (_, text) => expect(scanned(text)).toEqual([]));
});

describe("says where", () => {
  const text = JSON.stringify({ "a/b": [1, { c: `x ${anAccessKey}` }] });

  it("by file, offset and pointer", () => {
    expect(scan("file", [Buffer.from(text)])).toEqual([
      {
        file: "file",
        rule: "AWS access key",
        offset: text.indexOf(anAccessKey),
        pointer: "/a~1b/1/c",
        fingerprint: createHash("sha256").update(anAccessKey).digest("hex").slice(0, 16),
      },
    ]);
  });

  it("in bytes, also behind what was escaped", () => {
    const escaped = `{"é":"\\/\\u0041 ${key.replaceAll("K", "\\u004b").replaceAll("\n", "\\n")}"}`;
    const [finding] = scan("file", [Buffer.from(escaped)]);
    expect(finding?.offset).toBe(Buffer.from(escaped).indexOf("PRIVATE"));
  });

  it("once, however the file was cut into pieces", () => {
    const bytes = Buffer.from(
      `${"x".repeat((1 << 20) - 30)} ${anAccessKey} ${"y".repeat(100)} ${anAccessKey}`,
    );
    const whole = scan("file", [bytes]);
    expect(whole).toHaveLength(2);
    for (const size of [7, 1000, 100_000]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      if (pieces.length < 2000) expect(scan("file", pieces)).toEqual(whole);
    }
    expect(scan("file", [bytes.subarray(0, (1 << 20) - 15), bytes.subarray((1 << 20) - 15)])).toEqual(whole);
  });

  it("of so many that somebody has to look", () => {
    expect(scan("file", [Buffer.from(`${anAccessKey} `.repeat(5000))])).toHaveLength(200);
  });

  it("and nothing of an empty file", () => expect(scan("file", [])).toEqual([]));
});

describe("findings of a redactor", () => {
  /** Hidden by a unit separator, which no rule looks behind; the mark of the scan is still there. */
  const hidden = `{"a":"BEGIN RSA PRIVATE KEY without dashes"}`;

  it("stand in its list until they are allowed", () => {
    const redactor = aRedactor();
    redacted("a.json", hidden, redactor);
    expect(redactor.findings).toHaveLength(1);
    const [finding] = redactor.findings;
    expect(finding).toMatchObject({ file: "a.json", rule: "private key", pointer: "/a" });
    const lenient = aRedactor("internal", { allowedFindings: new Set([finding?.fingerprint ?? ""]) });
    redacted("a.json", hidden, lenient);
    expect(lenient.findings).toEqual([]);
    expect(lenient.allowed).toEqual([finding]);
  });

  it("are none where the profile is none", () => {
    const redactor = aRedactor("none");
    expect(redacted("a.json", hidden, redactor)).toBe(hidden);
    expect(redactor.findings).toEqual([]);
  });
});
