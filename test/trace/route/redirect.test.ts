import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { redirectStatus, redirectTarget, tlsRedirectLocation } from "../../../src/trace/route/redirect.js";
import { headerValue } from "../../../src/trace/request.js";
import { aRequest, type RequestParts } from "../requests.js";

const location = (
  redirect: Message,
  request: RequestParts = {},
  match: Message = { prefix: "/" },
  envoy = 36,
) => redirectTarget({ match, redirect }, aRequest(request), envoy).location;

it.each([
  [{}, 301],
  [{ response_code: "FOUND" }, 302],
  [{ response_code: "SEE_OTHER" }, 303],
  [{ response_code: "TEMPORARY_REDIRECT" }, 307],
  [{ response_code: "PERMANENT_REDIRECT" }, 308],
  [{ response_code: 1 }, 302],
])("%j has the status %i", (redirect, status) => {
  expect(redirectStatus(redirect)).toBe(status);
});

describe("the location", () => {
  it.each([
    {
      redirect: { path_redirect: "/n" },
      request: { path: "/o?bar=1" },
      result: "http://a.com/n?bar=1",
      because: "the query stays",
    },
    {
      redirect: { path_redirect: "/n", strip_query: true },
      request: { path: "/o?bar=1" },
      result: "http://a.com/n",
      because: "unless it is stripped",
    },
    {
      redirect: { path_redirect: "/n?foo=2", strip_query: true },
      request: { path: "/o?bar=1" },
      result: "http://a.com/n?foo=2",
      because: "a query of its own is used whole",
    },
    { redirect: { path_redirect: "n" }, request: {}, result: "http://a.com/n", because: "a slash is added" },
    {
      redirect: { strip_query: true, host_redirect: "b" },
      request: { path: "/o?bar=1" },
      result: "http://b/o",
      because: "of the own path",
    },
    {
      redirect: { host_redirect: "b.com:8080" },
      request: { path: "/o" },
      result: "http://b.com:8080/o",
      because: "the host verbatim",
    },
    {
      redirect: { https_redirect: true },
      request: { authority: "a.com:80" },
      result: "https://a.com/",
      because: "the default port goes",
    },
    {
      redirect: { https_redirect: true },
      request: { authority: "a.com:8080" },
      result: "https://a.com:8080/",
      because: "another port stays",
    },
    {
      redirect: { https_redirect: true },
      request: { authority: "a.com:443", scheme: "https" },
      result: "https://a.com:443/",
      because: "the scheme stays, so does the port",
    },
    {
      redirect: { scheme_redirect: "http" },
      request: { authority: "a.com:443", scheme: "https" },
      result: "http://a.com/",
      because: "the other way round",
    },
    {
      redirect: { scheme_redirect: "ws", https_redirect: true },
      request: {},
      result: "ws://a.com/",
      because: "the scheme that is named wins",
    },
    {
      redirect: { host_redirect: "b" },
      request: { scheme: "https", forwardedProto: "http" },
      result: "https://b/",
      because: "the scheme is the request's",
    },
    {
      redirect: { port_redirect: 8080 },
      request: { authority: "a.com:80" },
      result: "http://a.com:8080/",
      because: "another port",
    },
    {
      redirect: { port_redirect: 80 },
      request: { authority: "a.com" },
      result: "http://a.com:80/",
      because: "also the default port",
    },
    {
      redirect: { https_redirect: true, port_redirect: 443 },
      request: { authority: "[::1]:80" },
      result: "https://[::1]:443/",
      because: "behind brackets",
    },
    {
      redirect: { https_redirect: true },
      request: { authority: "[::1]" },
      result: "https://[::1]/",
      because: "colons in brackets",
    },
    { redirect: {}, request: { path: "/a?b" }, result: "http://a.com/a?b", because: "a redirect to itself" },
  ])("of $redirect for $request: $because", ({ redirect, request, result }) => {
    expect(location(redirect, request)).toBe(result);
  });

  it.each([
    {
      redirect: { prefix_rewrite: "/new" },
      match: { prefix: "/old" },
      path: "/old/a?q",
      result: "http://a.com/new/a?q",
    },
    {
      redirect: { prefix_rewrite: "/new" },
      match: { safe_regex: { regex: "/o.*" } },
      path: "/old/a?q",
      result: "http://a.com/new?q",
    },
    {
      redirect: { regex_rewrite: { pattern: { regex: "/(\\w+)" }, substitution: "/x\\1" } },
      match: { prefix: "/" },
      path: "/a/b?/c",
      result: "http://a.com/xa/xb?/c",
    },
    {
      redirect: { regex_rewrite: { pattern: { regex: ".*" }, substitution: "" } },
      match: { prefix: "/" },
      path: "/x",
      result: "http://a.com/x",
    },
  ])("after $redirect of $path is $result", ({ redirect, match, path, result }) => {
    expect(location(redirect, { path }, match)).toBe(result);
  });

  it("lost the query of the request in old releases", () => {
    expect(location({ path_redirect: "/n" }, { path: "/o?bar=1" }, undefined, 14)).toBe("http://a.com/n");
  });

  it("is unknown where its pattern is refused", () => {
    const redirect = { regex_rewrite: { pattern: { regex: "(?=a)" }, substitution: "" } };
    const target = redirectTarget({ match: { prefix: "/" }, redirect }, aRequest(), 36);
    expect(target).toMatchObject({ location: null, unknowns: [{ reason: "regular expression" }] });
  });

  it("comes of a path that is rewritten once, and kept", () => {
    const { headers } = redirectTarget(
      { match: { prefix: "/a" }, redirect: { prefix_rewrite: "/a/a" } },
      aRequest({ path: "/a/b" }),
      36,
    );
    expect(headerValue(headers, ":path")).toBe("/a/a/b");
    expect(headerValue(headers, "x-envoy-original-path")).toBe("/a/b");
  });
});

it("to TLS keeps host and path, the port too", () => {
  expect(tlsRedirectLocation(aRequest({ authority: "a.com:80", path: "/x?y" }))).toBe("https://a.com:80/x?y");
});
