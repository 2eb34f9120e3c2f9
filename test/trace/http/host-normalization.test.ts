import { describe, expect, it } from "vitest";

import { normalizeHost } from "../../../src/trace/http/host-normalization.js";

const any = { strip_any_host_port: true };
const matching = { strip_matching_host_port: true };
const dot = { strip_trailing_host_dot: true };

describe("the authority", () => {
  it.each([
    ["foo.com:80", {}, "foo.com:80", null],
    ["foo.com:80", any, "foo.com", 80],
    ["foo.com", any, "foo.com", null],
    ["foo.com:abc", any, "foo.com:abc", null],
    ["foo.com:", any, "foo.com:", null],
    [":80", any, "", 80],
    ["[::1]:80", any, "[::1]", 80],
    ["[::1]", any, "[::1]", null],
    ["foo.com:0080", any, "foo.com", 80],
    ["foo.com:+80", any, "foo.com", 80],
    ["foo.com:4294967295", any, "foo.com", 4294967295],
    ["foo.com:4294967296", any, "foo.com:4294967296", null],
    ["foo.com:8080", matching, "foo.com", 8080],
    ["foo.com:80", matching, "foo.com:80", null],
    ["foo.com.", {}, "foo.com.", null],
    ["foo.com.", dot, "foo.com", null],
    ["foo.com.:80", dot, "foo.com:80", null],
    ["foo.com.:80", { ...dot, ...any }, "foo.com", 80],
    ["foo..:80", dot, "foo.:80", null],
    ["foo.com.:", dot, "foo.com:", null],
    ["a.b:80", dot, "a.b:80", null],
    [".", dot, "", null],
  ])("%s under %j is %s", (authority, manager, expected, strippedPort) => {
    expect(normalizeHost(authority, manager, 8080)).toEqual({ authority: expected, strippedPort });
  });
});
