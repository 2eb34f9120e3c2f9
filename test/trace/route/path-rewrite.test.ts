import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { rewrittenPath } from "../../../src/trace/route/path-rewrite.js";
import { aContext, aRequest } from "../requests.js";

const rewritten = (match: Message, action: Message, path: string, envoy = 36) =>
  rewrittenPath({ match, route: action }, path, {
    request: aRequest({ path, headers: [["x", "/from-header"]] }),
    response: null,
    context: aContext({ envoy }),
    entry: null,
  });

describe("by prefix", () => {
  it.each([
    {
      match: { prefix: "/foo" },
      rewrite: "/",
      path: "/foo/bar?q",
      result: "//bar?q",
      because: "no slash is repaired",
    },
    {
      match: { prefix: "/foo/" },
      rewrite: "/",
      path: "/foo/bar",
      result: "/bar",
      because: "the slash is in the prefix",
    },
    {
      match: { prefix: "/API", case_sensitive: false },
      rewrite: "/v2",
      path: "/api/x",
      result: "/v2/x",
      because: "by length",
    },
    { match: { path: "/a" }, rewrite: "/b", path: "/a?x", result: "/b?x", because: "the query stays" },
    {
      match: { path_separated_prefix: "/a" },
      rewrite: "/b",
      path: "/a/c",
      result: "/b/c",
      because: "by length",
    },
    {
      match: { safe_regex: { regex: "/any/.*" } },
      rewrite: "/new",
      path: "/any/thing?x=1",
      result: "/new?x=1",
      because: "the whole path",
    },
    {
      match: { safe_regex: { regex: "/any" } },
      rewrite: "/new",
      path: "/any#f",
      result: "/new#f",
      because: "the whole path",
    },
    {
      match: { connect_matcher: {} },
      rewrite: "/new",
      path: "/a",
      result: "/new",
      because: "the whole path",
    },
    { match: { prefix: "/" }, rewrite: "", path: "/a", result: null, because: "empty is not set" },
    {
      match: { path: "/p" },
      rewrite: "/q",
      path: "/p;v=1?x",
      result: "/q;v=1?x",
      because: "path parameters stay",
    },
  ])("$match, $rewrite on $path: $because", ({ match, rewrite, path, result }) => {
    expect(rewritten(match, { prefix_rewrite: rewrite }, path)).toBe(result);
  });
});

describe("by regular expression", () => {
  const rewrite = (regex: string, substitution: string): Message => ({
    regex_rewrite: { pattern: { google_re2: {}, regex }, substitution },
  });

  it.each([
    {
      own: rewrite("^/service/([^/]+)(/.*)$", "\\2/instance/\\1"),
      path: "/service/foo/v1?x=/service/a/b",
      result: "/v1/instance/foo?x=/service/a/b",
    },
    { own: rewrite("one", "two"), path: "/xxx/one/yyy/one/zzz?one", result: "/xxx/two/yyy/two/zzz?one" },
    { own: rewrite("nothing", "x"), path: "/a", result: "/a" },
  ])("$own on $path", ({ own, path, result }) => {
    expect(rewritten({ prefix: "/" }, own, path)).toBe(result);
  });

  it("that leaves nothing is none, since 1.37", () => {
    expect(rewritten({ prefix: "/" }, rewrite(".*", ""), "/a?x", 37)).toBeNull();
    expect(rewritten({ prefix: "/" }, rewrite("^.*$", ""), "/a?x", 36)).toBe("?x");
  });

  it("is unknown where it is refused", () => {
    expect(rewritten({ prefix: "/" }, rewrite("(?=a)", ""), "/a")).toMatchObject({
      because: [{ reason: "regular expression" }],
    });
  });
});

describe("by policy and by format", () => {
  const match = {
    path_match_policy: {
      typed_config: {
        "@type": "x/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
        path_template: "/{a}/{b=**}",
      },
    },
  };
  const policy = (path_template_rewrite: string): Message => ({
    path_rewrite_policy: {
      typed_config: {
        "@type": "x/envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig",
        path_template_rewrite,
      },
    },
  });

  it("of a URI template", () => {
    expect(rewritten(match, policy("/{b}/{a}"), "/1/2/3?q")).toBe("/2/3/1?q");
    expect(rewritten(match, policy("/{c}"), "/1/2/3?q")).toMatchObject({
      because: [{ reason: "expression" }],
    });
  });

  it("of another type is unknown", () => {
    expect(
      rewritten(match, { path_rewrite_policy: { typed_config: { "@type": "x/Other" } } }, "/1/2"),
    ).toMatchObject({
      because: [{ reason: "expression" }],
    });
  });

  it("fills in a format and keeps the query", () => {
    expect(rewritten({ prefix: "/" }, { path_rewrite: "%REQ(x)%" }, "/a?q", 37)).toBe("/from-header?q");
    expect(rewritten({ prefix: "/" }, { path_rewrite: "%REQ(y)%" }, "/a?q", 37)).toBeNull();
    expect(rewritten({ prefix: "/" }, { path_rewrite: "%START_TIME%" }, "/a?q", 37)).toMatchObject({
      because: [{ reason: "runtime state" }],
    });
  });
});

it("there is none without a field for it", () => {
  expect(rewritten({ prefix: "/" }, { cluster: "c" }, "/a")).toBeNull();
});
