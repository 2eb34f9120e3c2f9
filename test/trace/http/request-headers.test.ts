import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  internalOnlyHeaders,
  mutateRequest,
  type MutatedRequest,
} from "../../../src/trace/http/request-headers.js";
import {
  headerValue,
  unknownValue,
  type Connection,
  type HeaderList,
  type TlsClient,
} from "../../../src/trace/request.js";
import { aContext, noRuntime } from "../cluster/builders.js";

const { connection } = aContext();
const tls: TlsClient = {
  sni: "",
  alpn: [],
  certificate: { uriSans: ["spiffe://a/ns/b/sa/c"], dnsSans: ["c.b"], subject: "CN=c", isValidated: true },
};

const mutate = (
  headers: HeaderList,
  manager: Message = {},
  from: Partial<Connection> = {},
  internalOnly: readonly string[] = [],
): MutatedRequest =>
  mutateRequest(headers, manager, {
    connection: { ...connection, ...from },
    internalOnly,
    runtime: noRuntime,
    envoy: 36,
    nodeId: "sidecar~1",
  });

const valueOf = (name: string, ...request: Parameters<typeof mutate>): string | null =>
  headerValue(mutate(...request).headers, name) ?? null;

const peer = { use_remote_address: true };
const inside = { internal_address_config: { cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] } };

describe("headers of a connection", () => {
  it.each([
    "connection",
    "upgrade",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "x-envoy-internal",
  ])("%s goes no further", (name) => {
    expect(valueOf(name, [[name, "x"]])).toBeNull();
  });

  it("stay in an upgrade", () => {
    const upgrade: HeaderList = [
      ["connection", "keep-alive, Upgrade"],
      ["upgrade", "websocket"],
    ];
    expect(valueOf("upgrade", upgrade)).toBe("websocket");
    expect(valueOf("upgrade", [["upgrade", "websocket"]])).toBeNull();
  });

  it("TE stays for trailers", () => {
    expect(valueOf("te", [["te", "gzip, trailers"]])).toBe("trailers");
    expect(valueOf("te", [["te", "gzip"]])).toBeNull();
  });
});

describe("x-forwarded-proto and :scheme", () => {
  const proto = (value: string): HeaderList => [["x-forwarded-proto", value]];

  it.each([
    ["from the connection", [], {}, null, "http", "http"],
    ["from a TLS connection", [], {}, tls, "https", "https"],
    ["what a client says is kept", proto("https"), {}, null, "https", "https"],
    ["overwritten at the edge", proto("https"), peer, null, "http", "http"],
    [
      "kept behind a trusted proxy",
      proto("https"),
      { ...peer, xff_num_trusted_hops: 1 },
      null,
      "https",
      "https",
    ],
    ["a scheme is in lower case", proto("HTTPS"), {}, null, "HTTPS", "https"],
    ["a proto that is no scheme makes none", proto("ftp"), {}, tls, "ftp", "https"],
    ["a scheme of its own stays", [[":scheme", "HTTP"]], {}, tls, "https", "http"],
    [
      "both are overwritten",
      [...proto("http"), [":scheme", "http"]],
      { scheme_header_transformation: { scheme_to_overwrite: "https" } },
      null,
      "https",
      "https",
    ],
    [
      "by the port of a load balancer",
      [],
      { forward_proto_config: { https_destination_ports: [9080] } },
      null,
      "https",
      "https",
    ],
  ] as const)("%s", (_, headers, manager, client, forwarded, scheme) => {
    const { headers: after } = mutate(headers, manager, { tls: client });
    expect([headerValue(after, "x-forwarded-proto"), headerValue(after, ":scheme")]).toEqual([
      forwarded,
      scheme,
    ]);
  });

  it("come with the port where that is asked for", () => {
    expect(valueOf("x-forwarded-port", [], { append_x_forwarded_port: true })).toBe("9080");
    expect(valueOf("x-forwarded-port", [], {})).toBeNull();
    const given: HeaderList = [["x-forwarded-port", "1"]];
    expect(valueOf("x-forwarded-port", given, { append_x_forwarded_port: true })).toBe("1");
    expect(valueOf("x-forwarded-port", given, { ...peer, append_x_forwarded_port: true })).toBe("9080");
  });
});

describe("inside and outside", () => {
  const control: HeaderList = [
    ["x-envoy-retry-on", "5xx"],
    ["x-envoy-upstream-rq-timeout-ms", "1"],
    ["x-envoy-decorator-operation", "x"],
    ["x-secret", "x"],
  ];
  const names = ({ headers }: MutatedRequest): string[] =>
    headers.map(([name]) => name).filter((name) => control.some(([own]) => own === name));

  it("an internal request keeps its control headers and is marked", () => {
    const request = mutate(control, { ...peer, ...inside }, {}, ["X-Secret"]);
    expect(request).toMatchObject({ isInternal: true, isEdge: false });
    expect(headerValue(request.headers, "x-envoy-internal")).toBe("true");
    expect(names(request)).toHaveLength(4);
    expect(headerValue(request.headers, "x-envoy-external-address")).toBeUndefined();
  });

  it("an edge request loses them", () => {
    const request = mutate(control, peer, {}, ["X-Secret"]);
    expect(request).toMatchObject({ isInternal: false, isEdge: true });
    expect(names(request)).toEqual([]);
    expect(headerValue(request.headers, "x-envoy-external-address")).toBe("10.2.0.1");
  });

  it("an outside request behind other proxies keeps what they decorate", () => {
    const request = mutate(control, {});
    expect(request).toMatchObject({ isInternal: false, isEdge: false });
    expect(names(request)).toEqual(["x-envoy-decorator-operation", "x-secret"]);
  });

  it("is outside where it came over a proxy", () => {
    const request = mutate([["x-forwarded-for", "10.1.1.1"]], { ...peer, ...inside });
    expect(request).toMatchObject({ isInternal: false, isEdge: true });
  });

  it("is not known where the client is not", () => {
    expect(mutate([], { ...peer, ...inside }, { source: "unknown" }).unknowns).toMatchObject([
      { reason: "client address" },
    ]);
    expect(mutate([], { ...peer, ...inside }).unknowns).toEqual([]);
  });
});

describe("x-request-id", () => {
  const given: HeaderList = [["x-request-id", "abc"]];

  it.each([
    ["is made", [], {}, unknownValue],
    ["is kept inside", given, {}, "abc"],
    ["is made new at the edge", given, peer, unknownValue],
    ["is kept at the edge on request", given, { ...peer, preserve_external_request_id: true }, "abc"],
    ["is not made on request", [], { generate_request_id: false }, null],
  ] as const)("%s", (_, headers, manager, expected) => {
    expect(valueOf("x-request-id", headers, manager)).toBe(expected);
  });
});

describe("x-forwarded-client-cert", () => {
  const given: HeaderList = [["x-forwarded-client-cert", "By=x"]];
  const mode = (forward_client_cert_details: string, details: Message = {}): Message => ({
    forward_client_cert_details,
    set_current_client_cert_details: details,
  });
  const own = `By=${unknownValue};Hash=${unknownValue}`;

  it.each([
    ["SANITIZE", {}, tls, null],
    ["FORWARD_ONLY", {}, tls, "By=x"],
    ["FORWARD_ONLY", {}, null, null],
    ["ALWAYS_FORWARD_ONLY", {}, null, "By=x"],
    ["APPEND_FORWARD", {}, tls, `By=x,${own}`],
    ["APPEND_FORWARD", {}, null, null],
    ["SANITIZE_SET", {}, tls, own],
    ["SANITIZE_SET", {}, { ...tls, certificate: null }, null],
    [
      "SANITIZE_SET",
      { subject: true, uri: true, dns: true },
      tls,
      `${own};Subject="CN=c";URI=spiffe://a/ns/b/sa/c;DNS=c.b`,
    ],
    ["SANITIZE_SET", { uri: true }, { ...tls, certificate: "unknown" }, `${own};URI=${unknownValue}`],
  ] as const)("%s %j", (name, details, client, expected) => {
    expect(valueOf("x-forwarded-client-cert", given, mode(name, details), { tls: client })).toBe(expected);
  });
});

it("adds via and the user agent where it is told to", () => {
  expect(valueOf("via", [["via", "a"]], { via: "b" })).toBe("a, b");
  expect(valueOf("via", [], {})).toBeNull();
  const agent = mutate([], { add_user_agent: true }).headers;
  expect(headerValue(agent, "x-envoy-downstream-service-node")).toBe("sidecar~1");
  expect(headerValue(agent, "user-agent")).toBe(unknownValue);
  expect(valueOf("user-agent", [["user-agent", "curl"]], { add_user_agent: true })).toBe("curl");
});

it("does not evaluate early mutations, and says so", () => {
  expect(mutate([], { early_header_mutation_extensions: [{}] }).unknowns).toMatchObject([
    { reason: "unsupported filter" },
  ]);
});

it("reads the internal headers of a route configuration", () => {
  expect(internalOnlyHeaders({ internal_only_headers: ["x-a"] })).toEqual(["x-a"]);
  expect(internalOnlyHeaders(null)).toEqual([]);
});
