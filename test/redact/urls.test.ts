import { describe, expect, it } from "vitest";

import { redactQueriesInText, redactQuery, redactUserInfo } from "../../src/redact/urls.js";
import { noting } from "./redacting.js";

const token = "‹redacted:URL-part:1:0123456789abcdef›";
const { replace } = noting();

describe("users in URLs", () => {
  it.each([
    ["https://user:hunter2@host/a", `https://${token}@host/a`],
    ["redis://:hunter2@host:6379", `redis://${token}@host:6379`],
    ["postgres://user:p@ss@host/db", `postgres://${token}@host/db`],
    ["see https://user@host.", `see https://${token}@host.`],
    ["jdbc:mysql://u:p@host/db", `jdbc:mysql://${token}@host/db`],
    ["user:hunter2@tcp(db:3306)/x", `${token}@tcp(db:3306)/x`],
  ])("%s", (text, expected) => {
    expect(redactUserInfo(text, replace)).toBe(expected);
    expect(redactUserInfo(expected, replace)).toBe(expected);
  });

  it.each([
    "https://host/a@b",
    "spiffe://cluster.local/ns/default/sa/default",
    "https://host/?q=a@b",
    "someone@example.com",
    "https://@host",
  ])("none in %s", (text) => expect(redactUserInfo(text, replace)).toBe(text));
});

describe("the query of a URL", () => {
  it.each([
    ["https://host/a?x=1&y=2", `https://host/a?${token}`],
    ["/api/v2/spans?key=1#f", `/api/v2/spans?${token}#f`],
    ["https://host/a", "https://host/a"],
    ["https://host/a?", "https://host/a?"],
    ["https://host/a#b?c", "https://host/a#b?" + token],
  ])("%s", (url, expected) => {
    expect(redactQuery(url, replace)).toBe(expected);
    expect(redactQuery(expected, replace)).toBe(expected);
  });
});

describe("queries in logs", () => {
  it.each([
    ['"GET /a?user=x&t=1 HTTP/1.1"', `"GET /a?${token} HTTP/1.1"`],
    ["path=/a/b?abc", `path=/a/b?${token}`],
  ])("%s", (line, expected) => {
    expect(redactQueriesInText(line, replace)).toBe(expected);
    expect(redactQueriesInText(expected, replace)).toBe(expected);
  });

  it.each(["is it? yes", "why??", "what? /a/b", "a ? b : c"])("none in %j", (text) =>
    expect(redactQueriesInText(text, replace)).toBe(text),
  );

  it("cost one pass over many question marks", () => {
    const text = "?".repeat(200_000);
    expect(redactQueriesInText(text, replace)).toBe(text);
  });
});
