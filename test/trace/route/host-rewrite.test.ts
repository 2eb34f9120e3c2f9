import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { rewrittenHost, withHost } from "../../../src/trace/route/host-rewrite.js";
import { headerValue, type HeaderList } from "../../../src/trace/request.js";
import { aContext, aRequest } from "../requests.js";

const rewritten = (
  action: Message,
  headers: HeaderList = [],
  path = "/rewrite-host-with-path-regex/envoyproxy.io?q",
) =>
  rewrittenHost(action, {
    request: aRequest({ path, headers }),
    response: null,
    context: aContext(),
    entry: null,
  });

describe("the host", () => {
  const regex = { host_rewrite_path_regex: { pattern: { regex: "^/.+/(.+)$" }, substitution: "\\1" } };

  it.each([
    { action: { host_rewrite_literal: "new" }, headers: [], host: "new", because: "literal" },
    {
      action: { host_rewrite_header: "X" },
      headers: [
        ["x", "a"],
        ["x", "b"],
      ],
      host: "a",
      because: "the first value",
    },
    { action: { host_rewrite_header: "x" }, headers: [], host: null, because: "an absent header" },
    { action: { host_rewrite_header: "x" }, headers: [["x", ""]], host: null, because: "an empty header" },
    { action: regex, headers: [], host: "envoyproxy.io", because: "the path without its query" },
    {
      action: { host_rewrite_path_regex: { pattern: { regex: ".*" }, substitution: "" } },
      headers: [],
      host: null,
      because: "an empty result",
    },
    { action: { host_rewrite: "%REQ(x)%.com" }, headers: [["x", "a"]], host: "a.com", because: "a format" },
    {
      action: { host_rewrite_literal: "new", host_rewrite_header: "x" },
      headers: [["x", "a"]],
      host: "new",
      because: "the first field that is set",
    },
    {
      action: { host_rewrite_header: "y", host_rewrite: "b" },
      headers: [],
      host: null,
      because: "the first field that is set",
    },
    { action: {}, headers: [], host: null, because: "none" },
  ])("$action: $because", ({ action, headers, host }) => {
    expect(rewritten(action, headers as HeaderList)).toBe(host);
  });

  it("is unknown where its source is", () => {
    expect(rewritten({ host_rewrite: "%START_TIME%" })).toMatchObject({
      because: [{ reason: "runtime state" }],
    });
  });
});

describe("the old host", () => {
  const headers = aRequest({ authority: "old.com" });
  const forwardedTo = (own: HeaderList, action: Message) =>
    headerValue(withHost(own, "new.com", action, true), "x-forwarded-host");

  it("is kept where headers of Envoy's own are not suppressed", () => {
    const kept = withHost(headers, "new.com", {}, true);
    expect(headerValue(kept, ":authority")).toBe("new.com");
    expect(headerValue(kept, "x-envoy-original-host")).toBe("old.com");
    expect(headerValue(withHost(headers, "new.com", {}, false), "x-envoy-original-host")).toBeUndefined();
  });

  it("goes to x-forwarded-host where that is asked for, once", () => {
    const action = { append_x_forwarded_host: true };
    expect(forwardedTo(headers, {})).toBeUndefined();
    expect(forwardedTo(headers, action)).toBe("old.com");
    expect(forwardedTo([...headers, ["x-forwarded-host", "first.com"]], action)).toBe("first.com,old.com");
    expect(forwardedTo([...headers, ["x-forwarded-host", "first.com,old.com"]], action)).toBe(
      "first.com,old.com",
    );
  });
});
