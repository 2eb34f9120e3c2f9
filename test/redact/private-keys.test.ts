import { generateKeyPairSync } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isDerPrivateKey, redactPrivateKeys } from "../../src/redact/private-keys.js";
import { aPrivateKey, noting } from "./redacting.js";

const left = (text: string): string => redactPrivateKeys(text, () => "#");

const key = aPrivateKey();
const escaped = key.trimEnd().replaceAll("\n", "\\n");
const body = key.split("\n").slice(1, -2);

describe("private keys in a text", () => {
  it.each([
    ["with true line ends", `a ${key} b`, "a #\n b"],
    ["with escaped line ends", `{"key":"${escaped}"}`, '{"key":"#"}'],
    ["with line ends escaped twice", `x ${escaped.replaceAll("\\n", "\\\\n")} y`, "x # y"],
    ["with spaces for line ends", `x ${key.trimEnd().replaceAll("\n", " ")} y`, "x # y"],
    ["percent-encoded", `x ${encodeURIComponent(key.trimEnd())} y`, "x # y"],
    ["of RSA", aPrivateKey(1, "RSA PRIVATE KEY"), "#\n"],
    ["of an elliptic curve", aPrivateKey(1, "EC PRIVATE KEY"), "#\n"],
    ["of OpenSSH", aPrivateKey(1, "OPENSSH PRIVATE KEY"), "#\n"],
    ["of PGP", aPrivateKey(1, "PGP PRIVATE KEY BLOCK"), "#\n"],
    [
      "encrypted, with headers",
      key.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,AB\n\n"),
      "#\n",
    ],
    ["two", `${key}and\n${aPrivateKey(2)}`, "#\nand\n#\n"],
    ["cut off", `begin ${key.slice(0, 120)}`, "begin #"],
    ["cut off inside JSON", `{"key":"${escaped.slice(0, 120)}","port":80}`, '{"key":"#","port":80}'],
    ["without their beginning", `${body.join("\n")}\n-----END PRIVATE KEY-----\nrest`, "#\nrest"],
  ])("%s", (_, text, expected) => expect(left(text)).toBe(expected));

  it.each([
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
    "a PRIVATE KEY is not in here",
  ])("none in %j", (text) => expect(left(text)).toBe(text));

  it("are taken whole, so that equal keys are equal", () => {
    const { replace, values } = noting();
    redactPrivateKeys(`first ${key} second ${key}`, replace);
    expect(values).toEqual([key.trimEnd(), key.trimEnd()]);
  });

  it("leave what is far behind a beginning without an end", () => {
    const far = `-----BEGIN PRIVATE KEY-----\nQUJD\n\n{"listener": "a"}\n${"x ".repeat(40_000)}\n${key}`;
    const text = left(far);
    expect(text).toMatch(/^#\n\n\{"listener": "a"\}/);
    expect(text).not.toContain(body[1]);
  });

  it("leave no line of a key, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.nat(key.length), fc.nat(key.length), fc.constantFrom(key, escaped), (from, to, text) => {
        const piece = text.slice(Math.min(from, to), Math.max(from, to));
        fc.pre(/-----(?:BEGIN|END) PRIVATE KEY-----/.test(piece));
        for (const line of body) expect(left(`x "${piece}" y`)).not.toContain(line.slice(0, 20));
      }),
    );
  });

  it("cost one pass, however many beginnings have no end", () => {
    const many = "-----BEGIN PRIVATE KEY-----\n".repeat(20_000);
    expect(left(many)).toMatch(/^#[#\n]*$/);
    expect(left("-----END PRIVATE KEY-----\n".repeat(20_000))).toMatch(/^[#\n]+$/);
  });
});

describe("private keys without armour", () => {
  const pair = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const curve = generateKeyPairSync("ec", { namedCurve: "P-256" });
  it.each([
    ["PKCS #8 of RSA", pair.privateKey.export({ type: "pkcs8", format: "der" })],
    ["PKCS #1", pair.privateKey.export({ type: "pkcs1", format: "der" })],
    ["PKCS #8 of a curve", curve.privateKey.export({ type: "pkcs8", format: "der" })],
    ["SEC 1", curve.privateKey.export({ type: "sec1", format: "der" })],
  ])("%s", (_, der) => expect(isDerPrivateKey(der)).toBe(true));

  it.each([
    ["a public key", pair.publicKey.export({ type: "spki", format: "der" })],
    ["a text", Buffer.from("0 is no key, and this is a text of some length")],
    ["nothing", Buffer.alloc(0)],
    ["an endless length", Buffer.from([0x30, 0xff, ...Array<number>(40).fill(2)])],
  ])("not %s", (_, der) => expect(isDerPrivateKey(der)).toBe(false));
});
