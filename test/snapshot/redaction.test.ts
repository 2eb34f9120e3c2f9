import { describe, expect, it } from "vitest";

import { redactionRules } from "../../src/shared/redaction-rules.js";
import { tokensIn, weakenings, weakeningsOf, type Redaction } from "../../src/snapshot/redaction.js";

const aRedaction = (...rules: (readonly [rule: string, count: number])[]): Redaction => ({
  profile: "support",
  rules: rules.map(([rule, count]) => ({ rule, count, files: 1 })),
});
const rulesOf = (all: readonly { readonly rule: string }[]): string[] => all.map(({ rule }) => rule);

const header = "‹redacted:header-value:17-32:0123456789abcdef›";
const key = "‹redacted:private-key:1025-2048:0123456789abcdef›";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("what redaction took from the answers", () => {
  it("is said by the sentences of the rules that replaced something", () => {
    expect(weakenings(aRedaction(["header value", 2], ["code", 0], ["private key", 5]))).toEqual([
      { rule: "header value", count: 2, text: redactionRules["header value"].weakens },
    ]);
  });

  it("is nothing where nothing was redacted, or nobody says so", () => {
    expect(weakenings(null)).toEqual([]);
    expect(weakenings(aRedaction())).toEqual([]);
  });

  it.each(["a rule of tomorrow", "constructor", "__proto__"])(
    "names a rule that is not known: %s",
    (rule) => {
      expect(weakenings(aRedaction([rule, 1]))).toEqual([
        { rule, count: 1, text: `"${rule}" was applied, a rule that this version does not know.` },
      ]);
    },
  );
});

describe("what it took from one answer", () => {
  const all = aRedaction(
    ["header value", 1],
    ["code", 1],
    ["name", 1],
    ["host name", 1],
    ["environment identity", 1],
    ["address", 1],
  );
  const name = "reviews.nm--abcdefghij27.svc";

  it.each([
    { answer: "no token", rules: [], because: "it has neither tokens nor addresses" },
    {
      answer: name,
      rules: ["name", "host name", "environment identity"],
      because: "whose token it is nobody can tell",
    },
    { answer: "xnm--abcdefghij27", rules: [], because: "that is another label" },
    { answer: "203.0.113.7:443", rules: ["address"], because: "a replaced address is an address" },
    { answer: `value: ${header}`, rules: ["header value"], because: "its token is shown" },
    {
      answer: null,
      rules: ["header value", "code", "name", "host name", "environment identity", "address"],
      because: "what it asks for may be gone",
    },
  ])("is $rules for $answer: $because", ({ answer, rules }) => {
    expect(rulesOf(weakeningsOf(all, answer))).toEqual(rules);
  });

  it.each([
    { answer: "outbound|80||1.2.3.4", support: true, all: true },
    { answer: "10.96.0.1:443", support: false, all: true },
    { answer: "172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.0.1", support: false, all: true },
    { answer: "172.32.0.1", support: true, all: true },
    { answer: "100.128.0.1", support: true, all: true },
    { answer: "0.0.0.0_8080 127.0.0.1:15000 169.254.169.254 240.240.0.5", support: false, all: false },
    { answer: "1.24.2 and 1.2.3.4.5", support: false, all: false },
    { answer: "[2a00:1450::1]:443", support: true, all: true },
    { answer: "2a00:1450:1:2:3:4:5:6", support: true, all: true },
    { answer: "fd00::1", support: false, all: true },
    { answer: "fe80::1 ::1 ff02::1", support: false, all: false },
    { answer: "2026-03-14T09:30:00Z 12:34:56", support: false, all: false },
  ])(
    "has an address that support ($support) or public ($all) replaces: $answer",
    ({ answer, support, all: any }) => {
      const rules = [{ rule: "address", count: 1, files: 1 }];
      expect(weakeningsOf({ profile: "support", rules }, answer).length > 0).toBe(support);
      expect(weakeningsOf({ profile: "public", rules }, answer).length > 0).toBe(any);
    },
  );

  it("is nothing for an answer without tokens where no address was replaced", () => {
    expect(weakeningsOf(aRedaction(["header value", 1]), "outbound|80||a.b")).toEqual([]);
    expect(weakeningsOf(null, null)).toEqual([]);
  });

  it("says that secrets are tokens where an answer shows them", () => {
    expect(weakeningsOf(aRedaction(["private key", 1]), `${key} ${header}`)).toEqual([
      { rule: "", count: 2, text: "Secrets are tokens: header-value, private-key." },
    ]);
  });

  it("finds a rule that is not known for every answer", () => {
    expect(rulesOf(weakeningsOf(aRedaction(["tomorrow", 1]), ""))).toEqual(["tomorrow"]);
  });
});

describe("tokens", () => {
  it.each([
    { where: "alone", text: key },
    { where: "inside a text", text: `failed: ${key}, again ${key}` },
    { where: "in base64", text: `"inline_bytes": "${base64(key)}"` },
    { where: "in base64 of one more byte", text: base64(`${key}x`) },
    { where: "in base64 of two more bytes", text: base64(`${key}xy`) },
    { where: "in base64 without padding", text: base64(`${key}xy`).replaceAll("=", "") },
  ])("are found $where", ({ text }) => {
    expect(tokensIn(text)).toEqual([key]);
  });

  it("are found in base64 of several, in order", () => {
    expect(tokensIn(base64(`${header}\n${key}\n`.repeat(20)))).toEqual([header, key]);
  });

  it.each(["‹redacted:›", "‹redacted:cut off", "redacted:name:1:2", "4oC5cmVkYWN0ZWQ6", base64("‹other›")])(
    "are not seen in %s",
    (text) => {
      expect(tokensIn(text)).toEqual([]);
    },
  );
});
