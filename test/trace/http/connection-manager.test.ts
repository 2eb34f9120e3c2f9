import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  receiveRequest,
  routeNotFound,
  upgradeFailed,
  type HttpProtocol,
  type ReceivedRequest,
  type RefusedRequest,
  type ResetRequest,
} from "../../../src/trace/http/connection-manager.js";
import { firstHeader, type HeaderList } from "../../../src/trace/request.js";
import { aContext, noRuntime } from "../cluster/builders.js";

const { connection } = aContext();
const get = (path: string, more: HeaderList = []): HeaderList => [
  [":method", "GET"],
  [":authority", "a.com"],
  [":path", path],
  ...more,
];

const receive = (
  headers: HeaderList,
  manager: Message = {},
  protocol: HttpProtocol = "http/1.1",
): ReceivedRequest | RefusedRequest | ResetRequest =>
  receiveRequest(
    headers,
    protocol,
    { route_config: { name: "r", internal_only_headers: ["x-own"] }, ...manager },
    { connection, runtime: noRuntime, envoy: 36, nodeId: "" },
    { routes: () => undefined, scopes: () => [] },
  );

/** Status, flags and details of the answer; the path of what goes on. */
const outcome = (...request: Parameters<typeof receive>): string => {
  const result = receive(...request);
  if (result.kind === "request") return `goes on with ${firstHeader(result.headers, ":path") ?? "no path"}`;
  if (result.kind === "reset") return [...result.responseFlags, result.detail].join(" ");
  const { status, responseFlags, detail } = result.reply;
  return [status, ...responseFlags, detail].join(" ");
};

const without = (name: string): HeaderList => get("/").filter(([own]) => own !== name);
const redirecting = { path_with_escaped_slashes_action: "UNESCAPE_AND_REDIRECT" };
const connect: HeaderList = [
  [":method", "CONNECT"],
  [":authority", "a.com:443"],
];

describe("a request", () => {
  it.each([
    ["an ordinary one", get("/x"), {}, "goes on with /x"],
    ["without a host", without(":authority"), {}, "400 missing_host_header"],
    ["with an empty host", [...without(":authority"), [":authority", ""]], {}, "goes on with /"],
    [
      "OPTIONS *",
      [
        [":method", "OPTIONS"],
        [":authority", "a.com"],
        [":path", "*"],
      ],
      {},
      "404 absolute_path_rejected",
    ],
    ["a URL without a path", get("http://b.com?q"), {}, "404 absolute_path_rejected"],
    ["a fragment", get("/a#b"), {}, "400 path_normalization_failed"],
    ["an escaped NUL", get("/a%00"), { normalize_path: true }, "400 path_normalization_failed"],
    ["an escaped NUL that is not looked at", get("/a%00"), {}, "goes on with /a%00"],
    ["a dot segment", get("/a/../b"), { normalize_path: true }, "goes on with /b"],
    ["escaped slashes", get("/a%2Fb"), redirecting, "307 path_normalization_failed"],
    [
      "escaped slashes of gRPC",
      get("/a%2Fb", [["content-type", "application/grpc+proto"]]),
      redirecting,
      "400 path_normalization_failed",
    ],
    [
      "escaped slashes of gRPC-web",
      get("/a%2Fb", [["content-type", "application/grpc-web"]]),
      redirecting,
      "307 path_normalization_failed",
    ],
    [
      "a broken authority",
      [...without(":authority"), [":authority", "a b"]],
      {},
      "400 DPE http.invalid_authority",
    ],
  ] as const)("%s", (_, headers, manager, expected) => {
    expect(outcome(headers, manager)).toBe(expected);
  });

  it("of the method CONNECT needs no path, but none that is empty", () => {
    expect(outcome(connect, {}, "http/1.1")).toBe("goes on with no path");
    expect(outcome(connect, {}, "h2")).toBe("goes on with no path");
    expect(outcome([...connect, [":path", ""]], {}, "h2")).toBe("DPE http2.invalid.header.field");
  });

  it("of HTTP/2 without a path is refused", () => {
    expect(outcome(without(":path"), {}, "h2")).toBe("DPE http2.violation.of.messaging.rule");
  });

  it("of HTTP/1.0 is refused, unless that is accepted", () => {
    const accepting = { http_protocol_options: { accept_http_10: true } };
    const defaulting = { http_protocol_options: { accept_http_10: true, default_host_for_http_10: "d.com" } };
    expect(outcome(get("/"), {}, "http/1.0")).toBe("426 DPE low_version");
    expect(outcome(get("/"), accepting, "http/1.0")).toBe("goes on with /");
    expect(outcome(without(":authority"), accepting, "http/1.0")).toBe("400 missing_host_header");
    expect(firstHeader(receive(without(":authority"), defaulting, "http/1.0").headers, ":authority")).toBe(
      "d.com",
    );
  });

  it("that is redirected gets the new path as location", () => {
    expect(receive(get("/a%2Fb?c=%2F"), redirecting)).toMatchObject({
      reply: { headers: [["location", "/a/b?c=%2F"]] },
    });
  });

  it("is refused where original IP detection says so", () => {
    const extension = {
      typed_config: {
        "@type": "x/envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig",
        header_name: "x-ip",
        reject_with_status: { code: 403 },
      },
    };
    const manager = { original_ip_detection_extensions: [extension] };
    expect(outcome(get("/"), manager)).toBe("403 rejecting_because_detection_failed");
    expect(outcome(get("/", [["x-ip", "10.1.1.1"]]), manager)).toBe("goes on with /");
  });
});

describe("what goes on", () => {
  it("has the host without what is stripped, which a CONNECT gets back", () => {
    const stripping = { strip_any_host_port: true };
    expect(receive(connect, stripping, "h2")).toMatchObject({ strippedPort: 443 });
    expect(firstHeader(receive(connect, stripping, "h2").headers, ":authority")).toBe("a.com");
    const plain = receive([...without(":authority"), [":authority", "a.com:443"]], stripping);
    expect(plain).toMatchObject({ strippedPort: null });
    expect(firstHeader(plain.headers, ":authority")).toBe("a.com");
  });

  it("has its routes and its client", () => {
    expect(receive(get("/"))).toMatchObject({
      source: { kind: "routes", name: "r" },
      downstreamRemote: { ip: "10.2.0.1" },
      isInternal: false,
    });
    expect(receive(get("/"), { route_config: undefined, rds: { route_config_name: "80" } })).toMatchObject({
      source: { kind: "none", name: "80" },
    });
  });

  it("lacks the internal headers of the route configuration", () => {
    expect(firstHeader(receive(get("/", [["x-own", "1"]])).headers, "x-own")).toBeUndefined();
  });

  it("lacks Expect: 100-continue, which Envoy answers", () => {
    const expecting = get("/", [["expect", "100-Continue"]]);
    expect(firstHeader(receive(expecting).headers, "expect")).toBeUndefined();
    expect(firstHeader(receive(expecting, { proxy_100_continue: true }).headers, "expect")).toBe(
      "100-Continue",
    );
  });

  it("is an upgrade where HTTP/2 says CONNECT with a protocol", () => {
    const extended: HeaderList = [
      ...get("/chat").slice(1),
      [":method", "CONNECT"],
      [":protocol", "websocket"],
    ];
    const { headers } = receive(extended, {}, "h2");
    expect([":method", "upgrade", ":path"].map((name) => firstHeader(headers, name))).toEqual([
      "GET",
      "websocket",
      "/chat",
    ]);
  });
});

it("knows Envoy's words for what comes after", () => {
  expect(routeNotFound).toMatchObject({ status: 404, responseFlags: ["NR"], detail: "route_not_found" });
  expect(upgradeFailed).toMatchObject({ status: 403, responseFlags: [], detail: "upgrade_failed" });
});
