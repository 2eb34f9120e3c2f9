import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { AcceptedSocket } from "../../../src/trace/listener/accepted-socket.js";
import {
  runListenerFilters,
  type ClientBytes,
  type ListenerFiltersResult,
} from "../../../src/trace/listener/listener-filters.js";
import type { SocketAddress } from "../../../src/trace/request.js";
import { address, aSocket } from "./builders.js";

const filterTypes = {
  tls: "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
  http: "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
  proxy: "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
  dst: "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
  src: "envoy.extensions.filters.listener.original_src.v3.OriginalSrc",
  limit: "envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit",
  state: "envoy.extensions.filters.listener.set_filter_state.v3.Config",
  tunnel: "istio.set_internal_dst_address.v1.Config",
  other: "example.Other",
} as const;

const aFilter = (name: keyof typeof filterTypes, config: Message = {}, more: Message = {}): Message => ({
  name,
  typed_config: { "@type": `type.googleapis.com/${filterTypes[name]}`, ...config },
  ...more,
});

const http: ClientBytes = { proxyHeader: null, tls: null, protocol: "http/1.1" };
const tls: ClientBytes = {
  proxyHeader: null,
  tls: { sni: "WWW.Example.com", alpn: ["h2", "http/1.1"], certificate: null },
  protocol: "h2c",
};
const serverFirst: ClientBytes = { proxyHeader: null, tls: null, protocol: "nothing" };
const proxied: ClientBytes = {
  ...http,
  proxyHeader: { source: address("192.0.2.7:7"), destination: address("10.0.0.5:80") },
};

interface Given {
  readonly client?: ClientBytes;
  readonly socket?: Partial<AcceptedSocket>;
  readonly listener?: Message;
  readonly originalDestination?: SocketAddress | null;
  readonly extensions?: Readonly<Record<string, Message>>;
}

const run = (
  filters: readonly Message[],
  { client = http, socket = {}, listener = {}, originalDestination = null, extensions = {} }: Given = {},
): ListenerFiltersResult =>
  runListenerFilters({ listener_filters: filters, ...listener }, aSocket(socket), client, {
    originalDestination,
    extensionConfig: (name) => extensions[name] ?? null,
    envoy: 36,
  });

const decisions = ({ filters }: ListenerFiltersResult): string[] =>
  filters.map(({ name, decision }) => `${name} ${decision}`);

describe("tls_inspector", () => {
  it("sets what the ClientHello says", () => {
    expect(run([aFilter("tls")], { client: tls }).socket).toMatchObject({
      transportProtocol: "tls",
      serverName: "www.example.com",
      applicationProtocols: ["h2", "http/1.1"],
    });
  });

  it("takes TLS without a server name and without ALPN", () => {
    const client = { ...tls, tls: { sni: "", alpn: [], certificate: null } };
    expect(run([aFilter("tls")], { client }).socket).toMatchObject({
      transportProtocol: "tls",
      serverName: "",
      applicationProtocols: [],
    });
  });

  it("sets nothing for plaintext, or closes where it was told to", () => {
    expect(run([aFilter("tls")])).toMatchObject({ kind: "accepted", socket: aSocket() });
    const strict = aFilter("tls", { close_connection_on_client_hello_parsing_errors: true });
    expect(run([strict])).toMatchObject({
      kind: "closed",
      because: "the listener filter tls closes the connection: the client sends no TLS ClientHello",
    });
    expect(run([strict], { client: tls }).kind).toBe("accepted");
  });

  it("is not there unless it is configured", () => {
    expect(run([], { client: tls }).socket).toEqual(aSocket());
  });
});

describe("http_inspector", () => {
  it.each(["http/1.0", "http/1.1", "h2c"] as const)("finds %s", (protocol) => {
    const { socket } = run([aFilter("http")], { client: { ...http, protocol } });
    expect(socket.applicationProtocols).toEqual([protocol]);
    expect(socket.transportProtocol).toBe("");
  });

  it("finds nothing in other bytes", () => {
    expect(run([aFilter("http")], { client: { ...http, protocol: "other" } }).socket).toEqual(aSocket());
  });

  it("leaves TLS alone, seen or not", () => {
    expect(run([aFilter("tls"), aFilter("http")], { client: tls }).socket.applicationProtocols).toEqual([
      "h2",
      "http/1.1",
    ]);
    expect(run([aFilter("http")], { client: tls }).socket.applicationProtocols).toEqual([]);
  });

  it("looks where the transport is raw_buffer", () => {
    const { socket } = run([aFilter("http")], { socket: { transportProtocol: "raw_buffer" } });
    expect(socket.applicationProtocols).toEqual(["http/1.1"]);
  });
});

describe("a client that waits for the server", () => {
  const inspectors = [aFilter("tls"), aFilter("http")];
  const given = (listener: Message): Given => ({ client: serverFirst, listener });

  it("waits until the timeout, 15 s by default, and is closed", () => {
    const result = run(inspectors, given({}));
    expect(result).toMatchObject({
      kind: "closed",
      because:
        "the listener filter tls waits for the client, which sends nothing first; after 15 s the listener closes the connection",
    });
    expect(decisions(result)).toEqual(["tls unknown"]);
  });

  it("or goes on with what is known, without the filters that had not run", () => {
    const listener = {
      continue_on_listener_filters_timeout: true,
      listener_filters_timeout: "0.100s",
      use_original_dst: true,
    };
    const result = run(inspectors, { ...given(listener), originalDestination: address("10.0.0.5:80") });
    expect(result).toMatchObject({ kind: "accepted", socket: { transportProtocol: "", isRestored: false } });
    expect(result.because).toContain("after 0.1 s the listener goes on");
  });

  it("or waits for ever where there is no time limit", () => {
    const listener = { continue_on_listener_filters_timeout: true, listener_filters_timeout: "0s" };
    expect(run(inspectors, given(listener))).toMatchObject({ kind: "waits" });
  });

  it("is no matter where no filter asks for bytes", () => {
    expect(run([aFilter("dst")], given({ listener_filters_timeout: "0s" })).kind).toBe("accepted");
  });

  it("sends a ClientHello all the same where it speaks TLS", () => {
    expect(run(inspectors, { client: { ...tls, protocol: "nothing" } }).kind).toBe("accepted");
  });
});

describe("filter_disabled", () => {
  const range = (start: number, end: number): Message => ({ destination_port_range: { start, end } });
  const isRun = (predicate: Message, socket: Partial<AcceptedSocket> = {}): boolean =>
    decisions(run([aFilter("tls", {}, { filter_disabled: predicate })], { client: tls, socket }))[0] ===
    "tls passed";

  it.each([
    ["a range", range(8080, 8081), false],
    ["a range that ends before it", range(80, 8080), true],
    ["a range that begins behind it", range(8081, 9000), true],
    ["anything", { any_match: true }, false],
    ["not a range", { not_match: range(8080, 8081) }, true],
    ["one of two", { or_match: { rules: [range(1, 2), range(8080, 8081)] } }, false],
    ["none of two", { or_match: { rules: [range(1, 2), range(3, 4)] } }, true],
    ["both", { and_match: { rules: [range(1, 9000), range(8080, 8081)] } }, false],
    ["one of both", { and_match: { rules: [range(1, 2), range(8080, 8081)] } }, true],
  ])("by %s", (_, predicate, runs) => {
    expect(isRun(predicate)).toBe(runs);
  });

  it("takes a socket without a port for one in any range", () => {
    expect(isRun(range(1, 2), { destination: null })).toBe(false);
  });

  it("is asked with the address that was restored before", () => {
    const filters = [
      aFilter("dst"),
      aFilter("tls", {}, { filter_disabled: range(3306, 3307) }),
      aFilter("http", {}, { filter_disabled: range(8080, 8081) }),
    ];
    const result = run(filters, { client: http, originalDestination: address("10.0.0.5:3306") });
    expect(decisions(result)).toEqual(["dst passed", "tls disabled", "http passed"]);
  });
});

describe("original_dst", () => {
  it("restores what the kernel knows", () => {
    expect(run([aFilter("dst")], { originalDestination: address("10.0.0.5:80") }).socket).toMatchObject({
      destination: { ip: "10.0.0.5", port: 80 },
      isRestored: true,
    });
    expect(run([aFilter("dst")]).socket.isRestored).toBe(false);
    expect(run([], { originalDestination: address("10.0.0.5:80") }).socket.isRestored).toBe(false);
  });

  it("is implied by use_original_dst, behind the others, and overwrites what PROXY protocol said", () => {
    const given: Given = { client: proxied, listener: { use_original_dst: true } };
    const result = run([aFilter("proxy")], { ...given, originalDestination: address("10.0.0.6:81") });
    expect(decisions(result)).toEqual(["proxy passed", "envoy.filters.listener.original_dst passed"]);
    expect(result.socket.destination).toEqual(address("10.0.0.6:81"));
    expect(run([aFilter("proxy")], given).socket).toMatchObject({
      destination: address("10.0.0.5:80"),
      isRestored: true,
    });
    expect(run([], { listener: { use_original_dst: false } }).filters).toEqual([]);
  });

  const key = "envoy.filters.listener.original_dst";
  const internal = { destination: null, source: null };
  it("takes over what an internal connection brings, metadata before filter state", () => {
    const filterState = new Map([
      [`${key}.local_ip`, "10.0.0.5:80"],
      [`${key}.remote_ip`, "192.0.2.7:7"],
    ]);
    const socket = { ...internal, filterState };
    expect(run([aFilter("dst")], { socket }).socket).toMatchObject({
      destination: address("10.0.0.5:80"),
      source: address("192.0.2.7:7"),
      isRestored: true,
    });
    const dynamicMetadata = new Map([[key, { local: "10.0.0.6:81" }]]);
    expect(run([aFilter("dst")], { socket: { ...socket, dynamicMetadata } }).socket.destination).toEqual(
      address("10.0.0.6:81"),
    );
    expect(run([aFilter("dst")], { socket: internal }).socket).toMatchObject({
      destination: null,
      isRestored: false,
    });
  });

  it.each([["a text"], [null], [7], [{ local: 7 }]])("is not misled by metadata that is %j", (value) => {
    const dynamicMetadata = new Map<string, unknown>([[key, value]]);
    expect(run([aFilter("dst")], { socket: { ...internal, dynamicMetadata } }).socket.isRestored).toBe(false);
  });

  it("says what it would have to know", () => {
    const result = run([aFilter("dst")], { socket: { ...internal, isComplete: false } });
    expect(result.unknowns).toMatchObject([{ reason: "filter state" }]);
    expect(decisions(result)).toEqual(["dst unknown"]);
  });

  it("had a forerunner for the tunnels of waypoints", () => {
    const dynamicMetadata = new Map([["tunnel", { destination: "10.0.0.5:80" }]]);
    expect(run([aFilter("tunnel")], { socket: { ...internal, dynamicMetadata } }).socket.destination).toEqual(
      address("10.0.0.5:80"),
    );
    expect(run([aFilter("tunnel")], { socket: internal }).unknowns).toMatchObject([
      { reason: "filter state" },
    ]);
  });
});

describe("proxy_protocol", () => {
  it("puts the addresses of the header in place of the connection's, and is read once", () => {
    const result = run([aFilter("proxy")], { client: proxied });
    expect(result.socket).toMatchObject({
      destination: address("10.0.0.5:80"),
      source: address("192.0.2.7:7"),
      directSource: address("10.9.9.9:40000"),
      isRestored: true,
    });
    expect(result.client.proxyHeader).toBeNull();
  });

  it("restores nothing where the header names the local address", () => {
    const socket = { destination: address("10.0.0.5:80") };
    expect(run([aFilter("proxy")], { client: proxied, socket }).socket.isRestored).toBe(false);
  });

  it("leaves the addresses for a LOCAL header", () => {
    const result = run([aFilter("proxy")], { client: { ...http, proxyHeader: "local" } });
    expect(result).toMatchObject({ kind: "accepted", socket: aSocket(), client: { proxyHeader: null } });
  });

  it("closes without a header, unless that is allowed", () => {
    expect(run([aFilter("proxy")]).kind).toBe("closed");
    expect(run([aFilter("proxy", { allow_requests_without_proxy_protocol: true })]).kind).toBe("accepted");
    expect(
      run([aFilter("proxy")], { client: serverFirst, listener: { listener_filters_timeout: "0s" } }).kind,
    ).toBe("waits");
  });

  it("is implied by the first chain's use_proxy_proto", () => {
    const chains = (...flags: boolean[]): Message => ({
      filter_chains: flags.map((use) => ({ use_proxy_proto: use })),
    });
    expect(run([], { listener: chains(true, false) }).kind).toBe("closed");
    expect(run([], { listener: chains(false, true) }).kind).toBe("accepted");
  });

  it("missing, the inspectors meet the header instead of what follows", () => {
    const client = { ...proxied, tls: tls.tls };
    expect(run([aFilter("tls"), aFilter("http")], { client }).socket).toEqual(aSocket());
    expect(run([aFilter("proxy"), aFilter("tls")], { client }).socket.transportProtocol).toBe("tls");
  });
});

describe("other filters", () => {
  it("by their names where they have no type, as first releases wrote them", () => {
    const result = run(
      [{ name: "envoy.listener.tls_inspector" }, { name: "envoy.filters.listener.original_src" }],
      {
        client: tls,
      },
    );
    expect(decisions(result)).toEqual([
      "envoy.listener.tls_inspector passed",
      "envoy.filters.listener.original_src passed",
    ]);
    expect(result.socket.transportProtocol).toBe("tls");
  });

  it("by their types, whatever their names are", () => {
    expect(
      run([{ ...aFilter("tls"), name: "envoy.filters.listener.http_inspector" }], { client: tls }).socket
        .transportProtocol,
    ).toBe("tls");
  });

  it.each([
    ["other", "unsupported filter"],
    ["limit", "rate limit"],
  ] as const)("%s is unknown, and the chain goes on", (name, reason) => {
    const result = run([aFilter(name), aFilter("tls")], { client: tls });
    expect(result.unknowns).toMatchObject([{ reason }]);
    expect(decisions(result)).toEqual([`${name} unknown`, "tls passed"]);
    expect(result.socket).toMatchObject({ transportProtocol: "tls", isComplete: false });
  });

  it("set filter state from what they know", () => {
    const value = (key: string, format: string, more: Message = {}): Message => ({
      object_key: key,
      format_string: { text_format_source: { inline_string: format } },
      ...more,
    });
    const filter = aFilter("state", {
      on_accept: [
        value("a", "to %DOWNSTREAM_LOCAL_ADDRESS%"),
        value("b", "%FILTER_STATE(a:PLAIN)%"),
        value("c", "", { skip_if_empty: true }),
        value("d", "%START_TIME%"),
      ],
    });
    const result = run([filter]);
    expect([...result.socket.filterState]).toEqual([
      ["a", "to 10.0.0.1:8080"],
      ["b", "to 10.0.0.1:8080"],
    ]);
    expect(result.unknowns).toMatchObject([{ reason: "runtime state" }]);
  });

  it("come by ECDS, and without their configuration close the connection", () => {
    const filter = { name: "late", config_discovery: {} };
    expect(run([filter])).toMatchObject({ kind: "closed" });
    const extensions = { late: { "@type": `type.googleapis.com/${filterTypes.tls}` } };
    expect(run([filter], { client: tls, extensions }).socket.transportProtocol).toBe("tls");
  });
});
