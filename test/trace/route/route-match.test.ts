import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { MatchContext } from "../../../src/trace/match-context.js";
import {
  matchRoute,
  pathSpecifier,
  pathWords,
  routeConditions,
  routeInput,
} from "../../../src/trace/route/route-match.js";
import { aContext, aRequest, said, type RequestParts } from "../requests.js";

const matched = (
  match: Message,
  request: RequestParts = {},
  config: Message = {},
  overrides: Partial<MatchContext> = {},
) =>
  said(
    matchRoute({ match }, routeInput(config, aContext({ headers: aRequest(request), ...overrides }))).holds,
  );

describe("paths", () => {
  const ignoring = { ignore_path_parameters_in_path_matching: true };
  const template = (path_template: string): Message => ({
    path_match_policy: {
      name: "t",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
        path_template,
      },
    },
  });

  it.each([
    { match: { prefix: "/foo" }, path: "/foobar", matches: true, because: "a prefix knows no segments" },
    { match: { prefix: "/" }, path: "/x", matches: true, because: "everything" },
    { match: { prefix: "" }, path: "/x", matches: true, because: "everything" },
    { match: { prefix: "/foo" }, path: "/fo", matches: false, because: "too short" },
    { match: { prefix: "/foo?" }, path: "/foo?a", matches: false, because: "the query is cut off first" },
    { match: { prefix: "/FOO", case_sensitive: false }, path: "/foo", matches: true, because: "any case" },
    { match: { prefix: "/FOO", case_sensitive: true }, path: "/foo", matches: false, because: "this case" },
    { match: { path: "/foo" }, path: "/foo?x=1", matches: true, because: "without the query" },
    { match: { path: "/foo" }, path: "/foo#x", matches: true, because: "without the fragment" },
    { match: { path: "/foo" }, path: "/foo/", matches: false, because: "equality" },
    { match: { path: "/FOO", case_sensitive: false }, path: "/foo", matches: true, because: "any case" },
    {
      match: { path_separated_prefix: "/rest/api" },
      path: "/rest/apitest",
      matches: false,
      because: "a whole segment",
    },
    { match: { path_separated_prefix: "/rest/api" }, path: "/rest/api?x", matches: true, because: "equal" },
    {
      match: { path_separated_prefix: "/rest/api" },
      path: "/rest/api/",
      matches: true,
      because: "followed by a slash",
    },
    {
      match: { path_separated_prefix: "/rest/api" },
      path: "/rest/api/a",
      matches: true,
      because: "followed by a slash",
    },
    {
      match: { path_separated_prefix: "/REST", case_sensitive: false },
      path: "/rest/api",
      matches: true,
      because: "any case",
    },
    { match: { safe_regex: { regex: "/b[io]t" } }, path: "/bits", matches: false, because: "a full match" },
    {
      match: { safe_regex: { regex: "/b[io]t" } },
      path: "/bit?s",
      matches: true,
      because: "without the query",
    },
    {
      match: { safe_regex: { regex: "/foo" }, case_sensitive: false },
      path: "/FOO",
      matches: false,
      because: "case is the pattern's own",
    },
    { match: template("/a/*"), path: "/a/b?c", matches: true, because: "a template" },
    { match: template("/a/*"), path: "/A/b", matches: false, because: "a template is case-sensitive" },
  ])("$match and $path: $because", ({ match, path, matches }) => {
    expect(matched(match, { path })).toBe(matches);
  });

  it.each([
    { match: { path: "/p" }, path: "/p;env=1;v=2?a=b;c=d#f", matches: true },
    { match: { prefix: "/p/q" }, path: "/p;v=1/q", matches: false },
    { match: { safe_regex: { regex: "/p" } }, path: "/p;v=1", matches: true },
    { match: template("/p"), path: "/p;v=1", matches: false },
  ])("with path parameters ignored, $match and $path: $matches", ({ match, path, matches }) => {
    expect(matched(match, { path }, ignoring)).toBe(matches);
  });

  it("CONNECT has routes of its own, but one with a path may take others, too", () => {
    const pathless = aContext({
      headers: [
        [":method", "CONNECT"],
        [":authority", "a.com:443"],
      ],
    });
    const route = (match: Message) => said(matchRoute({ match }, routeInput({}, pathless)).holds);
    expect(route({ connect_matcher: {} })).toBe(true);
    expect(route({ prefix: "/" })).toBe(false);
    expect(matched({ prefix: "/" }, { method: "CONNECT" })).toBe(true);
    expect(matched({ connect_matcher: {} }, { method: "GET" })).toBe(false);
    expect(matched({ connect_matcher: {} }, { headers: [["upgrade", "connect-udp"]] })).toBe(true);
  });

  it("of a kind that is not evaluated are unknown", () => {
    expect(matched({ path_match_policy: { name: "x" } })).toEqual(["expression"]);
  });

  it.each([
    [{ prefix: "/a" }, "prefix /a"],
    [{ path: "/a", case_sensitive: false }, "path /a in any case"],
    [{ safe_regex: { regex: "/a.*" } }, "safe_regex /a.*"],
    [{ connect_matcher: {} }, "CONNECT"],
    [{}, "no path that we know"],
  ])("%j in words", (match, words) => {
    expect(pathWords(pathSpecifier(match))).toBe(words);
  });
});

describe("gRPC", () => {
  it.each([
    { type: "application/grpc", matches: true },
    { type: "application/grpc+proto", matches: true },
    { type: "application/grpc-web", matches: false },
    { type: "application/grpc;x", matches: false },
    { type: "text/plain", matches: false },
  ])("$type: $matches", ({ type, matches }) => {
    expect(matched({ prefix: "/", grpc: {} }, { headers: [["content-type", type]] })).toBe(matches);
  });

  it("needs a type", () => {
    expect(matched({ prefix: "/", grpc: {} })).toBe(false);
  });
});

describe("the client's certificate", () => {
  const plain = aContext().connection;
  const certificate = { uriSans: [], dnsSans: [], subject: "", isValidated: true as boolean | "unknown" };
  const tls = (own: typeof certificate | null | "unknown"): Partial<MatchContext> => ({
    connection: { ...plain, tls: { sni: "", alpn: [], certificate: own } },
  });

  it.each([
    { context: {}, asked: { presented: false }, matches: true, because: "plaintext has none" },
    { context: {}, asked: { presented: true }, matches: false, because: "plaintext has none" },
    { context: {}, asked: {}, matches: true, because: "nothing is asked" },
    { context: tls(null), asked: { presented: false, validated: false }, matches: true, because: "none" },
    {
      context: tls(certificate),
      asked: { presented: true, validated: true },
      matches: true,
      because: "a good one",
    },
    {
      context: tls({ ...certificate, isValidated: false }),
      asked: { validated: true },
      matches: false,
      because: "a bad one",
    },
    {
      context: tls({ ...certificate, isValidated: false }),
      asked: { presented: true },
      matches: true,
      because: "a bad one is there",
    },
  ])("$asked: $because", ({ context, asked, matches }) => {
    expect(matched({ prefix: "/", tls_context: asked }, {}, {}, context)).toBe(matches);
  });

  it("is unknown", () => {
    const asked = { prefix: "/", tls_context: { presented: true } };
    expect(matched(asked, {}, {}, tls("unknown"))).toEqual(["peer identity"]);
    expect(matched({ ...asked, prefix: "/x" }, {}, {}, tls("unknown"))).toBe(false);
    const validity = { prefix: "/", tls_context: { validated: true } };
    expect(matched(validity, {}, {}, tls({ ...certificate, isValidated: "unknown" }))).toEqual([
      "peer identity",
    ]);
  });
});

it("all conditions have to hold", () => {
  const match = {
    prefix: "/api",
    headers: [{ name: ":path", string_match: { exact: "/api?x=1" } }],
    query_parameters: [{ name: "x", string_match: { exact: "1" } }],
    cookies: [{ name: "c", string_match: { exact: "2" } }],
  };
  expect(matched(match, { path: "/api?x=1", headers: [["cookie", "c=2"]] })).toBe(true);
  expect(matched(match, { path: "/api?x=1", headers: [["cookie", "c=3"]] })).toBe(false);
  expect(matched(match, { path: "/api?x=1&y", headers: [["cookie", "c=2"]] })).toBe(false);
  expect(
    matched(
      { prefix: "/api", headers: [{ name: ":path", string_match: { exact: "/api" } }] },
      { path: "/api?x=1" },
    ),
  ).toBe(false);
});

it("what filters set may be unknown", () => {
  const match = {
    prefix: "/",
    dynamic_metadata: [{ filter: "f", path: [{ key: "k" }], value: { bool_match: true } }],
    filter_state: [{ key: "k", string_match: { exact: "v" } }],
  };
  expect(matched(match, {}, {}, { isComplete: false })).toEqual(["dynamic metadata", "filter state"]);
  expect(matched(match)).toBe(false);
  const set = { dynamicMetadata: new Map([["f", { k: true }]]), filterState: new Map([["k", "v"]]) };
  expect(matched(match, {}, {}, set)).toBe(true);
});

describe("a runtime fraction", () => {
  const route = (numerator: number): Message => ({
    match: { prefix: "/", runtime_fraction: { default_value: { numerator }, runtime_key: "k" } },
  });
  const input = routeInput({}, aContext());

  it.each([
    { numerator: 0, holds: false, fraction: null },
    { numerator: 100, holds: true, fraction: null },
    { numerator: 101, holds: true, fraction: null },
    { numerator: 30, holds: true, fraction: { numerator: 30, denominator: 100 } },
  ])("of $numerator", ({ numerator, holds, fraction }) => {
    expect(matchRoute(route(numerator), input)).toEqual({ holds, fraction });
  });

  it("is the runtime's where that has a value", () => {
    const off = routeInput({}, aContext({ runtime: { value: () => "0" } }));
    expect(matchRoute(route(100), off).holds).toBe(false);
  });

  it("is a condition of its own", () => {
    expect(routeConditions(route(30), input).map(({ words }) => words)).toEqual([
      "prefix /",
      "30 of 100 requests",
    ]);
    expect(routeConditions(route(100), input).map(({ words }) => words)).toEqual(["prefix /"]);
  });
});
