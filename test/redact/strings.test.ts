import { describe, expect, it } from "vitest";

import { replacing, type Treatment } from "../../src/redact/places.js";
import type { Strings } from "../../src/redact/strings.js";
import { leaf, root } from "./certificate-fixtures.js";
import { aPrivateKey, anAccessKey, aWebToken, base64, someStrings } from "./redacting.js";

const look: Treatment = { kind: "look" };
const token = /‹redacted:[^›]+›/g;
const shown = (text: string): string => text.replace(token, "#");

function left(text: string, treatment: Treatment = look, strings: Strings = someStrings()): string {
  return shown(strings.redact(text, treatment, "key", false)?.text ?? text);
}

describe("a string that is only looked at", () => {
  it.each([
    ["a private key", `a ${aPrivateKey().trimEnd()} b`, "a # b"],
    ["a web token", `a ${aWebToken()} b`, "a # b"],
    ["an access key", anAccessKey, "#"],
    ["a credential", `Basic ${base64("a:hunter2")}`, "Basic #"],
    ["a named value", "password=hunter2 port=80", "password=# port=80"],
    ["a user in a URL", "https://u:hunter2@host/a", "https://#@host/a"],
    ["a parameter of a URL", "https://host/a?access_token=hunter2&b=1", "https://host/a?access_token=#&b=1"],
    ["a percent-encoded value", "password%3dhunter2%26x", "password=#&x"],
  ])("loses %s", (_, text, expected) => expect(decodeURI(left(text))).toBe(expected));

  it.each([
    "outbound|8080||reviews.default.svc.cluster.local",
    "spiffe://cluster.local/ns/default/sa/default",
    "2024-01-02T03:04:05Z/17",
    "b8bd6f4e-6f0c-4b0d-9d0c-6b1d2e3f4a5b",
    "[%START_TIME%] %REQ(:METHOD)% %RESPONSE_CODE%",
    "someone@example.com",
    "10.1.2.3",
    leaf.pem,
    "%2Fa%20b",
    "",
    "a",
  ])("keeps %j", (text) => expect(someStrings().redact(text, look, "key", false)).toBeNull());

  it("is looked at in base64, and in base64 of base64", () => {
    const text = `a longer text with password=hunter2 in it`;
    for (const code of [base64, (plain: string) => base64(base64(plain))]) {
      const redacted = someStrings().redact(code(text), look, "key", false)?.text ?? "";
      const once = Buffer.from(redacted, "base64").toString();
      expect(shown(code === base64 ? once : Buffer.from(once, "base64").toString())).toBe(
        "a longer text with password=# in it",
      );
    }
  });

  it("is not looked at for ever: what is hidden deeper goes whole", () => {
    let text = "a longer text with password=hunter2 in it";
    for (let depth = 0; depth < 12; depth++) text = base64(text);
    let redacted = someStrings().redact(text, look, "key", false)?.text ?? "";
    for (let depth = 0; depth < 12 && !redacted.includes("‹"); depth++)
      redacted = Buffer.from(redacted, "base64").toString();
    expect(shown(redacted)).toBe("#");
  });
});

describe("a string that is replaced", () => {
  const secret = replacing("secret");

  it("is a token", () => expect(left("hunter2", secret)).toBe("#"));

  it("is base64 of the same token where base64 stood", () => {
    const strings = someStrings();
    const plain = strings.redact("hunter2", secret, "key", false)?.text ?? "";
    expect(strings.redact(base64("hunter2"), secret, "key", true)?.text).toBe(base64(plain));
    expect(strings.redact("///+", secret, "key", true)?.text).toMatch(/^4oC5/);
  });

  it.each(["", "[redacted]", "W3JlZGFjdGVkXQ==", "<Redacted>"])("stays where it is %j", (text) =>
    expect(someStrings().redact(text, secret, "key", true)).toBeNull(),
  );

  it("stays where it is kept, but is looked at", () => {
    const unlessNumber = replacing("runtime value", (value) => /^\d/.test(value));
    expect(left("17", unlessNumber)).toBe("17");
    expect(left("1 password=hunter2", unlessNumber)).toBe("1 password=#");
    expect(left("seventeen", unlessNumber)).toBe("#");
  });

  it("notes its rule", () =>
    expect(someStrings().redact("hunter2", secret, "key", false)?.rules).toEqual(["secret"]));
});

describe("a URL", () => {
  it("loses its query whatever the parameters are called", () => {
    expect(left("https://u:p@host/a?x=1", { kind: "URL" })).toBe("https://#@host/a?#");
    expect(left("https://host/a", { kind: "URL" })).toBe("https://host/a");
  });
});

describe("the value of a header", () => {
  const header: Treatment = { kind: "header value" };
  it.each(["kJ8sd72hGs6Lq0Zm4Yt1", `Bearer ${aWebToken()}`, anAccessKey])(
    "goes where it could be a key: %s",
    (value) => expect(left(value, header)).toBe("#"),
  );
  it.each(["istio-envoy", "%DOWNSTREAM_REMOTE_ADDRESS%", "application/json"])("stays: %s", (value) =>
    expect(left(value, header)).toBe(value),
  );
  it("goes under public", () => expect(left("application/json", header, someStrings("public"))).toBe("#"));
});

it("replaces regular expressions under public only", () => {
  const regex: Treatment = { kind: "regular expression" };
  expect(left("reviews-.*", regex)).toBe("reviews-.*");
  expect(left("reviews-.*", regex, someStrings("public"))).toBe("#");
  expect(left(".*", regex, someStrings("public"))).toBe(".*");
});

describe("certificates", () => {
  it("stay under internal and are tokens under support, with what is known of them", () => {
    const strings = someStrings("support");
    const redacted = strings.redact(base64(leaf.pem + root.pem), look, "inline_bytes", true)?.text ?? "";
    const tokens = Buffer.from(redacted, "base64").toString().match(token) ?? [];
    expect(tokens).toHaveLength(2);
    expect([...strings.certificates.keys()]).toEqual(tokens);
    expect(strings.certificates.get(tokens[0] ?? "")?.sans).toContain(
      "URI:spiffe://cluster.local/ns/default/sa/reviews",
    );
    expect(left(base64(leaf.pem))).toBe(base64(leaf.pem));
  });

  it("are their fingerprint where only that may stay", () => {
    const fingerprint: Treatment = { kind: "fingerprint", base64: true };
    const redacted = someStrings().redact(base64(root.pem), fingerprint, "ca_bundle", true)?.text ?? "";
    expect(Buffer.from(redacted, "base64").toString()).toMatch(
      /^‹redacted:certificate:sha256=[0-9a-f]{64}:[0-9-]+:[0-9a-f]{16}›\n$/,
    );
    const broken = someStrings().redact(base64("not one"), fingerprint, "ca_bundle", true)?.text ?? "";
    expect(shown(Buffer.from(broken, "base64").toString())).toBe("#");
    expect(someStrings().redact(redacted, fingerprint, "ca_bundle", true)).toBeNull();
  });
});

describe("free text", () => {
  it("loses what a field gave away, in errors and logs", () => {
    const strings = someStrings();
    strings.redact("correct-horse", replacing("secret"), "password", false);
    expect(shown(strings.text("rejected: correct-horse", "error text")?.text ?? "")).toBe("rejected: #");
    expect(strings.text("rejected: battery-staple", "error text")).toBeNull();
  });

  it("loses people and addresses in logs alone", () => {
    const line = '203.0.113.7 "GET /a?x=1" a@example.com';
    expect(shown(someStrings().text(line, "log")?.text ?? "")).toBe('# "GET /a?#" #');
    expect(someStrings().text(line, "error text")).toBeNull();
  });

  it("loses random values in errors, not in figures", () => {
    expect(shown(someStrings().text("bad kJ8sd72hGs6Lq0Zm4Yt1", "error text")?.text ?? "")).toBe("bad #");
    expect(someStrings().text("cluster.kJ8sd72hGs6Lq0Zm4Yt1: 5", "figures")).toBeNull();
  });
});

describe("under internal", () => {
  it("names stay", () => {
    const strings = someStrings();
    expect(strings.name("istio-snapshot/proxies/default/reviews-v1/certs")).toBeNull();
    expect(strings.key("reviews.default.svc.cluster.local")).toBeNull();
    expect(strings.context("admin@prod")).toBeNull();
    expect(strings.names.size).toBe(0);
  });
  it("names that hold a secret do not", () => {
    expect(shown(someStrings().key(`header ${aWebToken()}`)?.text ?? "")).toBe("header #");
    expect(shown(someStrings().name(`a/${anAccessKey}`)?.text ?? "")).not.toContain(anAccessKey);
  });
});

it("names of the environment go under support", () => {
  expect(someStrings("support").context("admin@prod")?.rules).toEqual(["environment identity"]);
});

it("a whole text is one token", () => {
  const { text, rules } = someStrings().whole("templates", "injection template");
  expect(text).toMatch(/^‹redacted:injection-template:9:/);
  expect(rules).toEqual(["injection template"]);
});

it("walks documents in strings by who knows how", () => {
  const strings = someStrings("internal", {
    json: (text) => (text === '{"a":1}' ? { text: "walked", rules: ["secret"] } : null),
    yaml: () => ({ text: "walked too", rules: [] }),
  });
  expect(strings.redact('{"a":1}', look, "key", false)).toEqual({ text: "walked", rules: ["secret"] });
  expect(strings.redact("{a password=hunter2", look, "key", false)?.rules).toEqual(["secret in text"]);
  expect(strings.redact("a: 1", { kind: "YAML" }, "key", false)?.text).toBe("walked too");
});
