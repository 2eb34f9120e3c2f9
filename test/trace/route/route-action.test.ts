import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { headerValue } from "../../../src/trace/request.js";
import { actionOf, rewriteRequest, rewriteResponse } from "../../../src/trace/route/route-action.js";
import type { RouteEntry } from "../../../src/trace/route/route-entry.js";
import { aContext, aRequest } from "../requests.js";

const entry = (route: Message, overrides: Partial<RouteEntry> = {}): RouteEntry => ({
  config: {},
  virtualHost: { name: "v" },
  route: { match: { prefix: "/a" }, ...route },
  weighted: null,
  cluster: "c",
  ...overrides,
});
const context = aContext({ headers: aRequest({ path: "/a/b?q", authority: "old.com" }) });

describe("forwarding", () => {
  it("tells what the route asks for", () => {
    const action = {
      cluster: "c",
      prefix_rewrite: "/new",
      host_rewrite_literal: "new.com",
      timeout: "3s",
      priority: "HIGH",
      auto_host_rewrite: true,
      hash_policy: [{ header: { header_name: "x" } }],
      cluster_not_found_response_code: "NOT_FOUND",
    };
    expect(actionOf(entry({ route: action }), context)).toMatchObject({
      kind: "forward",
      cluster: "c",
      clusterNotFoundStatus: 404,
      weightedClusters: [],
      request: { authority: "new.com", path: "/new/b?q", unknowns: [] },
      isHostRewrittenByEndpoint: true,
      timeout: 3000,
      retries: null,
      mirrors: [],
      hashPolicies: [{ header: { header_name: "x" } }],
      subset: null,
      priority: "HIGH",
      virtualCluster: null,
    });
  });

  it("changes nothing where nothing is asked for", () => {
    expect(actionOf(entry({ route: { cluster: "c" } }), context)).toMatchObject({
      request: { headers: context.headers, authority: null, path: null },
      timeout: 15_000,
      priority: "DEFAULT",
    });
  });

  it("has the levels of filters, from the least to the most specific", () => {
    const own = entry({}, { config: { name: "r" }, weighted: { name: "w" } });
    expect(actionOf(own, context).levels).toEqual([own.config, own.virtualHost, own.route, own.weighted]);
  });

  it.each(["filter_action", "non_forwarding_action"])("%s leads to a cluster without a name", (name) => {
    expect(actionOf(entry({ [name]: {} }, { cluster: "" }), context)).toMatchObject({
      kind: "forward",
      cluster: "",
    });
  });

  it("does not hide that a virtual cluster is unknown", () => {
    const virtual_clusters = [
      { name: "x", headers: [{ name: ":path", string_match: { safe_regex: { regex: "(?=a)" } } }] },
    ];
    expect(actionOf(entry({ route: {} }, { virtualHost: { virtual_clusters } }), context)).toMatchObject({
      virtualCluster: null,
      request: { unknowns: [{ reason: "regular expression" }] },
    });
  });
});

describe("a request is rewritten", () => {
  const headersOf = (own: RouteEntry, from = context, suppressesEnvoyHeaders = false) =>
    rewriteRequest(own, from, { suppressesEnvoyHeaders }).headers;

  it("headers first: the host and the path see them", () => {
    const own = entry({
      request_headers_to_add: [{ header: { key: "x", value: "%REQ(:authority)%" } }],
      route: { host_rewrite_header: "x2", prefix_rewrite: "/new" },
    });
    const added = {
      ...own,
      virtualHost: { request_headers_to_add: [{ header: { key: "x2", value: "from-header" } }] },
    };
    const headers = headersOf(added);
    expect(headerValue(headers, "x")).toBe("old.com");
    expect(headerValue(headers, ":authority")).toBe("from-header");
  });

  it("keeps what was there in headers, unless they are suppressed", () => {
    const own = entry({ route: { host_rewrite_literal: "new.com", prefix_rewrite: "/new" } });
    const kept = headersOf(own);
    expect(headerValue(kept, "x-envoy-original-path")).toBe("/a/b?q");
    expect(headerValue(kept, "x-envoy-original-host")).toBe("old.com");
    const suppressed = headersOf(own, context, true);
    expect(headerValue(suppressed, "x-envoy-original-path")).toBeUndefined();
    expect(headerValue(suppressed, "x-envoy-original-host")).toBeUndefined();
    expect(headerValue(suppressed, ":path")).toBe("/new/b?q");
  });

  it("the host of a weighted entry may be rewritten by the route", () => {
    const weighted = { host_rewrite_literal: "weighted.com" };
    expect(headerValue(headersOf(entry({ route: {} }, { weighted })), ":authority")).toBe("weighted.com");
    const own = entry({ route: { host_rewrite_literal: "route.com" } }, { weighted });
    expect(headerValue(headersOf(own), ":authority")).toBe("route.com");
    expect(headerValue(headersOf(own), "x-envoy-original-host")).toBe("weighted.com");
  });

  it("CONNECT gets its port back", () => {
    const filterState = new Map([["envoy.router.original_connect_port", "443"]]);
    expect(headerValue(headersOf(entry({ route: {} }), { ...context, filterState }), ":authority")).toBe(
      "old.com:443",
    );
    const ported = { ...context, filterState, headers: aRequest({ authority: "old.com:80" }) };
    expect(headerValue(headersOf(entry({ route: {} }), ported), ":authority")).toBe("old.com:80");
    expect(headerValue(headersOf(entry({ route: {} })), ":authority")).toBe("old.com");
  });

  it("as far as it is known", () => {
    const regex = { pattern: { regex: "(?=a)" }, substitution: "" };
    const own = entry({ route: { host_rewrite_path_regex: regex, regex_rewrite: regex } });
    const { headers, authority, path, unknowns } = rewriteRequest(own, context);
    expect(headers).toEqual(context.headers);
    expect([authority, path]).toEqual([null, null]);
    expect(unknowns.map(({ reason }) => reason)).toEqual(["regular expression", "regular expression"]);
  });
});

it("redirects and direct responses have the headers of the response, and none of the request", () => {
  const own = entry({
    redirect: { host_redirect: "b" },
    request_headers_to_add: [{ header: { key: "x", value: "1" } }],
    response_headers_to_add: [{ header: { key: "y", value: "%REQ(:authority)%" } }],
  });
  expect(actionOf(own, context)).toMatchObject({ kind: "redirect", status: 301, location: "http://b/a/b?q" });
  expect(rewriteResponse(own, [[":status", "301"]], context).headers).toEqual([
    [":status", "301"],
    ["y", "old.com"],
  ]);
  const direct = entry(
    { direct_response: { status: 200, body: { inline_string: "hi" } } },
    { weighted: null },
  );
  expect(actionOf(direct, context)).toMatchObject({
    kind: "direct response",
    status: 200,
    body: "hi",
    location: null,
  });
});
