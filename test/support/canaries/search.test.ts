import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { SeedBed, type Canary } from "./canary.js";
import { leaksOf, pointersOf } from "./search.js";
import { named, password, podAddress, privateKey, symmetricKey, binary, token } from "./values.js";

const bed = new SeedBed();
const plant = bed.at("test", "bundle", /./);
const short = plant("password", password);
const long = plant("token", token);
const slashed = plant("key", symmetricKey);
const pem = plant("PEM", privateKey());
const bytes = plant("bytes", binary(48));
const namespace = plant("namespace", named("team-0"), "public");
const address = plant("address", podAddress, "public");
const all = bed.canaries;
const canaryOf = (field: string): Canary => all.find(({ id }) => id === `test: ${field}`)!;

const found = (content: string | Uint8Array): string[] =>
  leaksOf(Buffer.from(content), all).map(({ canary }) => canary.slice("test: ".length));

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const base64url = (text: string): string => Buffer.from(text).toString("base64url");
const hex = (text: string): string => Buffer.from(text).toString("hex");
const percent = (text: string): string =>
  Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
const unicodeEscaped = (text: string): string =>
  Array.from(Buffer.from(text), (byte) => `\\u${byte.toString(16).padStart(4, "0")}`).join("");
const around = (text: string): string => `{ "some_key": "a value", "other": "${text}", "more": [1, 2] }`;

/** A value of the same form that is not the canary: one character differs. */
const neighbourOf = (text: string): string => {
  const middle = Math.floor(text.length / 2);
  return text.slice(0, middle) + (text[middle] === "q" ? "r" : "q") + text.slice(middle + 1);
};

const forms: readonly { readonly form: string; readonly write: (text: string) => string | Buffer }[] = [
  { form: "plain", write: around },
  { form: "alone in the file", write: (text) => text },
  { form: "base64", write: (text) => around(base64(text)) },
  { form: "base64 without padding", write: (text) => around(base64(text).replace(/=+$/, "")) },
  { form: "base64 with one byte before", write: (text) => around(base64(`a${text}`)) },
  { form: "base64 with two bytes before", write: (text) => around(base64(`ab${text}zz`)) },
  { form: "base64 after other digits of base64", write: (text) => `path/abc/${base64(text)}` },
  { form: "base64 of the URL alphabet", write: (text) => around(base64url(`>>?${text}>>?`)) },
  {
    form: "base64 broken into lines",
    write: (text) => base64(`${"x".repeat(60)}${text}`).replace(/.{64}/g, "$&\n"),
  },
  {
    form: "base64 broken into indented lines",
    write: (text) => base64(`${"x".repeat(60)}${text}`).replace(/.{64}/g, "$&\r\n    "),
  },
  { form: "base64 of base64", write: (text) => around(base64(base64(text))) },
  { form: "base64 of base64 of base64", write: (text) => base64(`x${base64(`yy${base64(text)}`)}`) },
  { form: "all characters escaped as JSON", write: (text) => around(unicodeEscaped(text)) },
  {
    form: "one character escaped as JSON",
    write: (text) => around(text.slice(0, 3) + unicodeEscaped(text.slice(3, 4)) + text.slice(4)),
  },
  { form: "JSON in a JSON string", write: (text) => JSON.stringify(JSON.stringify({ a: text })) },
  {
    form: "escaped twice",
    write: (text) => JSON.stringify(unicodeEscaped(text)),
  },
  { form: "percent-encoded", write: (text) => `/login?token=${percent(text)}&x=1` },
  {
    form: "percent-encoded in upper case",
    write: (text) => `/login?token=${percent(text).toUpperCase()}&x=1`,
  },
  { form: "percent-encoded where it must be", write: (text) => `/login?token=${encodeURIComponent(text)}` },
  { form: "hexadecimal", write: (text) => around(hex(text)) },
  { form: "hexadecimal in upper case", write: (text) => around(hex(text).toUpperCase()) },
  { form: "hexadecimal after one more digit", write: (text) => around(`a${hex(text)}`) },
  { form: "gzip", write: (text) => gzipSync(around(text)) },
  { form: "gzip after other bytes", write: (text) => Buffer.concat([Buffer.from("\0tar"), gzipSync(text)]) },
  {
    form: "the second member of a gzip",
    write: (text) => Buffer.concat([gzipSync("first"), Buffer.from("between"), gzipSync(text)]),
  },
  { form: "UTF-16", write: (text) => Buffer.from(`\ufeff${around(text)}`, "utf16le") },
  { form: "UTF-16 of the other order", write: (text) => Buffer.from(around(text), "utf16le").swap16() },
  { form: "UTF-16 up to the end", write: (text) => Buffer.from(text.padStart(40), "utf16le").swap16() },
  { form: "base64 of UTF-16", write: (text) => Buffer.from(text.padEnd(40), "utf16le").toString("base64") },
  { form: "base64 of gzip", write: (text) => around(gzipSync(text).toString("base64")) },
  { form: "gzip of base64", write: (text) => gzipSync(around(base64(text))) },
  { form: "base64 in JSON in JSON", write: (text) => JSON.stringify(JSON.stringify({ a: base64(text) })) },
  {
    form: "base64 with its slashes escaped",
    write: (text) => around(base64(`?>?${text}`).replaceAll("/", "\\/")),
  },
];

describe("every form is seen through", () => {
  it.each(forms)("$form", ({ write }) => {
    expect(found(write(short))).toEqual(["password"]);
    expect(found(write(long))).toEqual(["token"]);
    expect(found(write(slashed))).toEqual(["key"]);
  });

  it.each(forms)("$form of a neighbour is no leak", ({ write }) => {
    expect(found(write(neighbourOf(short)))).toEqual([]);
    expect(found(write(neighbourOf(long)))).toEqual([]);
    expect(found(write(neighbourOf(slashed)))).toEqual([]);
  });

  it("says what lay around it", () => {
    const [leak] = leaksOf(Buffer.from(JSON.stringify(JSON.stringify({ a: base64(short) }))), all);
    expect(leak).toMatchObject({ canary: "test: password", form: expect.stringContaining("base64") });
    expect(leaksOf(Buffer.from(`ab${short}`), all)).toEqual([
      { canary: "test: password", form: "plain", offset: 2 },
    ]);
  });

  it("finds several, each once", () => {
    expect(found(`${short} ${long} ${base64(short)} ${short}`)).toEqual(["password", "token"]);
  });
});

describe("a key is given away by a part of it", () => {
  const body = pem.split("\n").slice(1, -2);

  it.each([
    { part: "the block", text: pem },
    { part: "the block as JSON", text: JSON.stringify(pem) },
    { part: "the block in base64", text: base64(pem) },
    { part: "24 characters", text: `key ${body[1]!.slice(17, 41)}!` },
    { part: "24 characters in base64", text: base64(`key ${body[2]!.slice(5, 29)}!`) },
    { part: "the body without line breaks", text: body.join("") },
    { part: "the body with other line breaks", text: body.join("").replace(/.{76}/g, "$&\n") },
    { part: "the bytes in hexadecimal", text: Buffer.from(body.join(""), "base64").toString("hex") },
    {
      part: "the body in the URL alphabet",
      text: Buffer.from(body.join(""), "base64").toString("base64url"),
    },
  ])("$part", ({ text }) => {
    expect(found(text)).toEqual(["PEM"]);
  });

  it("not by less, by its label or by another key", () => {
    expect(found(`key ${body[1]!.slice(17, 40)}!`)).toEqual([]);
    expect(found("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")).toEqual([]);
    const other = new SeedBed().at("other", "bundle", /./)("PEM", privateKey());
    expect(found(other)).toEqual([]);
  });

  it("binary secrets by their bytes", () => {
    expect(found(bytes)).toEqual(["bytes"]);
    expect(found(Buffer.from(bytes, "base64"))).toEqual(["bytes"]);
    expect(found(Buffer.from(bytes, "base64").subarray(1))).toEqual([]);
  });
});

describe("names and addresses are whole words", () => {
  it.each([
    { text: "catalog.team-0.svc.cluster.local", is: ["namespace"] },
    { text: "/ns/team-0/sa/default", is: ["namespace"] },
    { text: base64("sidecar~10.0.0.1~x.team-0~y"), is: ["namespace"] },
    { text: "team-01 xteam-0", is: [] },
    { text: `${address}:8080`, is: ["address"] },
    { text: `${address}1 1${address}`, is: [] },
  ])("$text", ({ text, is }) => {
    expect(found(text)).toEqual(is);
    expect(namespace).toBe("team-0");
  });
});

describe("for people", () => {
  it("says where in a document a canary stands", () => {
    const document = Buffer.from(JSON.stringify({ a: [{ "b/c": base64(short) }], d: "none", [short]: 1 }));
    expect([...pointersOf(document, all)]).toEqual([["test: password", ["/a/0/b~1c", `/${short}`]]]);
    expect([...pointersOf(Buffer.from(`no JSON: ${long}`), all)]).toEqual([["test: token", [""]]]);
    expect([...pointersOf(Buffer.from("[1]"), all)]).toEqual([]);
  });

  it("refuses a canary that is too short to tell", () => {
    const tiny: Canary = { ...canaryOf("password"), fragments: [{ bytes: Buffer.from("abc"), minimum: 3 }] };
    expect(() => leaksOf(Buffer.from("abc"), [tiny])).toThrow("too short");
  });

  it("refuses two canaries of one name", () => {
    expect(() => plant("password", password)).toThrow("two canaries");
  });
});
