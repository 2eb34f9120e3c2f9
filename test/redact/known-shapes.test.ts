import { describe, expect, it } from "vitest";

import { redactIssuedKeys, redactSchemes, redactWebTokens } from "../../src/redact/known-shapes.js";
import { anAccessKey, aWebToken, base64 } from "./redacting.js";

const mark = (): string => "#";

describe("keys that their issuers give a form", () => {
  const letters = "aB3".repeat(14);
  it.each([
    ["AWS", anAccessKey],
    ["AWS, for a session", anAccessKey.replace("AKIA", "ASIA")],
    ["Google API", `AIza${letters.slice(0, 35)}`],
    ["Google token", `ya29.${letters}`],
    ["Google client", `GOCSPX-${letters}`],
    ["GitHub", `ghp_${letters.slice(0, 36)}`],
    ["GitHub, fine-grained", `github_pat_${letters}`],
    ["GitLab", `glpat-${letters.slice(0, 20)}`],
    ["Slack", `xoxb-${letters.slice(0, 24)}`],
    ["Stripe", `sk_live_${letters.slice(0, 24)}`],
    ["npm", `npm_${letters.slice(0, 36)}`],
    ["Vault", `hvs.${letters}`],
    ["Azure client", `abc8Q~${letters.slice(0, 34)}`],
  ])("%s", (_, key) => {
    expect(redactIssuedKeys(`key ${key} end`, mark)).toBe("key # end");
    expect(redactIssuedKeys(`"${key}"`, mark)).toBe('"#"');
  });

  it("an account of Azure in a connection string, whose name stays", () => {
    const key = base64("x".repeat(60));
    expect(redactIssuedKeys(`AccountName=a;AccountKey=${key};EndpointSuffix=b`, mark)).toBe(
      "AccountName=a;AccountKey=#;EndpointSuffix=b",
    );
  });

  it("a hook of Slack, whose host stays", () => {
    expect(redactIssuedKeys("https://hooks.slack.com/services/T00/B00/abcdefgh", mark)).toBe(
      "https://hooks.slack.com/services/#",
    );
  });

  it.each([
    "AKIA-is-a-prefix",
    `X${anAccessKey}`, // inside a longer word
    "outbound|8080||reviews.default.svc.cluster.local",
    "sk_live_short",
    "envoy.filters.http.rbac",
    "b8bd6f4e-6f0c-4b0d-9d0c-6b1d2e3f4a5b",
  ])("none in %j", (text) => expect(redactIssuedKeys(text, mark)).toBe(text));
});

describe("JSON web tokens", () => {
  it.each([
    ["alone", aWebToken(), "#"],
    ["after a scheme", `Bearer ${aWebToken()}`, "Bearer #"],
    ["after other letters", `%20${aWebToken()} x`, "%20# x"],
    ["two", `${aWebToken("a")},${aWebToken("b")}`, "#,#"],
    ["without signature", `${aWebToken().split(".").slice(0, 2).join(".")}.`, "#"],
    ["encrypted, of five parts", `${aWebToken()}.abcdefg.hijklmn`, "#"],
  ])("%s", (_, text, expected) => expect(redactWebTokens(text, mark)).toBe(expected));

  it.each(["keyJar", "eyJ is how they begin", "eyJhbGciOiJIUzI1NiJ9", "eyJ.a.b"])("none in %j", (text) =>
    expect(redactWebTokens(text, mark)).toBe(text),
  );

  it("cost one pass, however often they seem to begin", () => {
    const text = "eyJ".repeat(100_000);
    expect(redactWebTokens(text, mark)).toBe(text);
  });
});

describe("schemes of Authorization", () => {
  const basic = base64("someone:hunter2");
  it.each([
    ["Bearer abcdefgh1", "Bearer #"],
    ["bearer%20abcdefgh1", "bearer%20#"],
    [`Basic ${basic}`, "Basic #"],
    [`{"authorization":"Basic ${basic}"}`, '{"authorization":"Basic #"}'],
    ["Bearer abcdefghijklmnopqrstuvwxyz", "Bearer #"],
  ])("%s", (text, expected) => expect(redactSchemes(text, mark)).toBe(expected));

  it.each([
    "Basic authentication failed",
    "a bearer token is missing",
    "bearer credentials",
    "WWW-Authenticate: Bearer realm=x",
    `Basic ${base64("no colon in it")}`,
  ])("none in %j", (text) => expect(redactSchemes(text, mark)).toBe(text));
});
