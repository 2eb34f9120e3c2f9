import { describe, expect, it } from "vitest";

import { decodeRequest } from "../../../src/trace/http/codec.js";
import { firstHeader, type HeaderList } from "../../../src/trace/request.js";

const request = (path: string, method = "GET", authority = "a.com"): HeaderList => [
  [":method", method],
  [":authority", authority],
  [":path", path],
];
const decoded = (headers: HeaderList, manager = {}): unknown => {
  const result = decodeRequest(headers, "http/1.1", manager);
  if (result.kind === "refused") return result.reply.detail;
  if (result.kind === "reset") return result.detail;
  return [":scheme", ":authority", ":path"].map((name) => firstHeader(result.headers, name) ?? null);
};

describe("the target of a request", () => {
  it.each([
    ["/a?b", [null, "a.com", "/a?b"]],
    ["http://b.com/x?y", ["http", "b.com", "/x?y"]],
    ["http://b.com:81", ["http", "b.com:81", "/"]],
    ["HTTPS://b.com/x", ["https", "b.com", "/x"]],
    ["http://b.com?q=1", ["http", "b.com", "?q=1"]],
    ["ftp://b.com/x", "http1.invalid_scheme"],
    ["http:///x", "http1.invalid_url"],
    ["*", "http1.invalid_url"],
    ["http://user@b.com:81/x", ["http", "b.com:81", "/x"]],
    ["http://a@b@c/x", "http1.invalid_url"],
    ["http://b.com:99999/", "http1.invalid_url"],
    ["http://[::1]:80/x", ["http", "[::1]:80", "/x"]],
    ["http://[zz]/x", "http1.invalid_url"],
    ["/a b", "http1.codec_error"],
    ["foo", "http1.codec_error"],
    ["", "http1.codec_error"],
  ])("%s", (path, expected) => {
    expect(decoded(request(path))).toEqual(expected);
  });

  it("may be * for OPTIONS", () => {
    expect(decoded(request("*", "OPTIONS"))).toEqual([null, "a.com", "*"]);
  });

  it("is left alone where absolute URLs are not allowed", () => {
    const manager = { http_protocol_options: { allow_absolute_url: false } };
    expect(decoded(request("http://b.com/x"), manager)).toEqual([null, "a.com", "http://b.com/x"]);
  });
});

it("refuses what is no method and no authority, as a protocol error of the client", () => {
  expect(decoded(request("/", "G@T"))).toBe("http1.codec_error");
  expect(decoded(request("/", "GET", "a b"))).toBe("http.invalid_authority");
  expect(decoded(request("/", "GET", "a{b"))).toBe("http.invalid_authority");
  expect(decoded(request("/", "GET", "user@[::1]:80"))).toEqual([null, "user@[::1]:80", "/"]);
  expect(decodeRequest(request("foo"), "http/1.1", {})).toMatchObject({
    reply: { status: 400, responseFlags: ["DPE"] },
  });
});

describe("HTTP/2", () => {
  const detailOf = (headers: HeaderList): unknown => {
    const result = decodeRequest(headers, "h2", {});
    return result.kind === "reset" ? [...result.responseFlags, result.detail] : result.kind;
  };
  const violation = ["DPE", "http2.violation.of.messaging.rule"];

  it.each([
    [
      "a host in its own header",
      [...request("/").filter(([name]) => name !== ":authority"), ["host", "a"]],
      "request",
    ],
    ["no host", request("/").filter(([name]) => name !== ":authority"), violation],
    ["no path", request("/").filter(([name]) => name !== ":path"), violation],
    ["a path without a slash", request("x"), violation],
    ["an empty path", request(""), ["DPE", "http2.invalid.header.field"]],
    [
      "CONNECT without a path",
      request("/", "CONNECT", "a:1").filter(([name]) => name !== ":path"),
      "request",
    ],
  ] as const)("%s", (_, headers, expected) => {
    expect(detailOf(headers)).toEqual(expected);
  });
});

it("takes headers as long as they may be", () => {
  const long = (length: number): HeaderList => [...request("/"), ["x", "a".repeat(length)]];
  expect(decoded(long(60 * 1024))).toBe("http1.headers_too_large");
  expect(decoded(long(60 * 1024 - 100))).toEqual([null, "a.com", "/"]);
  expect(decoded(long(60 * 1024), { max_request_headers_kb: 61 })).toEqual([null, "a.com", "/"]);
});
