import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { chooseFilterChain, type ChainChoice } from "../../../src/trace/listener/filter-chain.js";
import type { AcceptedSocket } from "../../../src/trace/listener/accepted-socket.js";
import { aChain, address, aRange, aSocket } from "./builders.js";

const fallback = aChain("fallback");

function choose(
  chains: readonly Message[],
  socket: Partial<AcceptedSocket> = {},
  more: Message = { default_filter_chain: fallback },
): ChainChoice {
  return chooseFilterChain({ filter_chains: chains, ...more }, aSocket(socket), 36);
}

/** The name of the chain, "closed", or "unknown". */
function chosen(...given: Parameters<typeof choose>): string {
  const choice = choose(...given);
  if (choice.kind === "chain") return choice.chain.name;
  return choice.kind === "none" ? "closed" : "unknown";
}

const to = (destination: string): Partial<AcceptedSocket> => ({ destination: address(destination) });
const from = (source: string): Partial<AcceptedSocket> => ({ source: address(source) });

describe("destination port", () => {
  const chains = [aChain("a", { destination_port: 8080 }), aChain("b")];

  it("named goes before unnamed", () => {
    expect(chosen(chains)).toBe("a");
    expect(chosen(chains, to("10.0.0.1:9090"))).toBe("b");
  });

  it("named once, chains without a port are never tried for it", () => {
    const demanding = [
      aChain("a", { destination_port: 8080, application_protocols: ["istio"] }),
      aChain("b"),
    ];
    expect(chosen(demanding)).toBe("fallback");
    expect(chosen(demanding, {}, {})).toBe("closed");
    expect(chosen(demanding, { applicationProtocols: ["istio"] })).toBe("a");
  });

  it("is not asked where there is no address", () => {
    expect(chosen(chains, { destination: null })).toBe("b");
  });
});

describe("destination address", () => {
  it("longest prefix wins, and what it then loses is lost", () => {
    const chains = [
      aChain("a", { prefix_ranges: [aRange("10.0.0.0/8")], transport_protocol: "tls" }),
      aChain("b"),
    ];
    expect(chosen(chains, to("10.1.1.1:1"))).toBe("fallback");
    expect(chosen(chains, { ...to("10.1.1.1:1"), transportProtocol: "tls" })).toBe("a");
    expect(chosen(chains, to("11.1.1.1:1"))).toBe("b");
  });

  it("has its host bits masked off", () => {
    const chains = [aChain("a", { prefix_ranges: [aRange("10.1.2.3/16")] })];
    expect(chosen(chains, to("10.1.200.1:1"))).toBe("a");
    expect(chosen(chains, to("10.2.0.1:1"))).toBe("fallback");
  });

  it("without a length takes the whole family", () => {
    const chains = [aChain("a", { prefix_ranges: [aRange("10.1.2.3")] })];
    expect(chosen(chains, to("203.0.113.1:1"))).toBe("a");
    expect(chosen(chains, to("[fd00::1]:1"))).toBe("fallback");
  });

  it("of one family is not the other's", () => {
    const chains = [
      aChain("a", { prefix_ranges: [aRange("::/0")] }),
      aChain("b", { prefix_ranges: [aRange("0.0.0.0/0")] }),
    ];
    expect(chosen(chains, to("[::ffff:10.0.0.1]:1"))).toBe("a");
    expect(chosen(chains)).toBe("b");
  });

  it("that is none is looked up as 255.255.255.255", () => {
    const chains = [aChain("a", { prefix_ranges: [aRange("10.0.0.0/8")] }), aChain("b")];
    expect(chosen(chains, { destination: null })).toBe("b");
    expect(chosen([aChain("a", { prefix_ranges: [aRange("255.0.0.0/8")] })], { destination: null })).toBe(
      "a",
    );
  });

  it("that cannot be read takes nothing", () => {
    expect(chosen([aChain("a", { prefix_ranges: [aRange("reviews/8")] })])).toBe("fallback");
  });

  it("absent and written out are two entries for one range: which one counts is not defined", () => {
    const chains = [
      aChain("a", { prefix_ranges: [aRange("0.0.0.0/0")], transport_protocol: "tls" }),
      aChain("b", { transport_protocol: "raw_buffer" }),
    ];
    expect(chosen(chains)).toBe("unknown");
    expect(choose(chains)).toMatchObject({ because: [{ reason: "runtime state" }] });
    expect(chosen([aChain("a", { prefix_ranges: [aRange("0.0.0.0/0"), aRange("::/0")] })])).toBe("a");
  });
});

describe("server name", () => {
  const chains = [
    aChain("a", { server_names: ["*.com"] }),
    aChain("b", { server_names: ["*.example.com"] }),
    aChain("c", { server_names: ["www.example.com", "API.example.com"] }),
    aChain("d"),
  ];

  it.each([
    ["example.com", "a"],
    ["www.example.com", "c"],
    ["api.example.com", "c"],
    ["other.example.com", "b"],
    ["a.b.example.com", "b"],
    ["com", "d"],
    [".com", "a"],
    ["example.org", "d"],
    ["example.com.", "d"],
    ["", "d"],
  ])("%s -> %s", (serverName, wins) => {
    expect(chosen(chains, { serverName })).toBe(wins);
  });

  it("found, only its chains are tried", () => {
    const demanding = [aChain("a", { server_names: ["x.com"], application_protocols: ["h2"] }), aChain("b")];
    expect(chosen(demanding, { serverName: "x.com" })).toBe("fallback");
    expect(chosen(demanding, { serverName: "x.com", applicationProtocols: ["h2"] })).toBe("a");
  });

  it("is the same in capitals", () => {
    expect(chosen([aChain("a", { server_names: ["FOO.com"] })], { serverName: "foo.com" })).toBe("a");
  });
});

describe("transport protocol", () => {
  it("is raw_buffer where no inspector saw TLS, even for TLS bytes", () => {
    const chains = [aChain("a", { transport_protocol: "raw_buffer" })];
    expect(chosen(chains)).toBe("a");
    expect(chosen(chains, { transportProtocol: "tls" })).toBe("fallback");
  });

  it("named goes before unnamed", () => {
    const chains = [aChain("a"), aChain("b", { transport_protocol: "tls" })];
    expect(chosen(chains, { transportProtocol: "tls" })).toBe("b");
    expect(chosen(chains)).toBe("a");
  });
});

describe("application protocol", () => {
  const chains = [
    aChain("a", { application_protocols: ["http/1.1"] }),
    aChain("b", { application_protocols: ["h2"] }),
    aChain("c"),
  ];

  it("is the first of the client's that any chain names", () => {
    expect(chosen(chains, { applicationProtocols: ["h2", "http/1.1"] })).toBe("b");
    expect(chosen(chains, { applicationProtocols: ["spdy", "http/1.1", "h2"] })).toBe("a");
    expect(chosen(chains, { applicationProtocols: ["spdy"] })).toBe("c");
  });
});

describe("sources", () => {
  it("direct and other are looked up one after the other", () => {
    const chains = [
      aChain("a", { direct_source_prefix_ranges: [aRange("10.0.0.0/8")] }),
      aChain("b", { source_prefix_ranges: [aRange("192.168.0.0/16")] }),
    ];
    const proxied = { directSource: address("10.9.9.9:1"), source: address("192.168.0.1:1") };
    expect(chosen(chains, proxied)).toBe("a");
    expect(chosen(chains, { ...proxied, directSource: address("11.0.0.1:1") })).toBe("b");
    expect(
      chosen(chains, { ...proxied, directSource: address("11.0.0.1:1"), source: address("10.0.0.1:1") }),
    ).toBe("fallback");
  });

  it("by port: named, else unnamed", () => {
    const chains = [aChain("a", { source_ports: [5, 6] }), aChain("b")];
    expect(chosen(chains, from("10.0.0.9:6"))).toBe("a");
    expect(chosen(chains, from("10.0.0.9:7"))).toBe("b");
  });

  it.each([
    ["127.0.0.1:6", "local"],
    ["[::1]:6", "local"],
    ["10.0.0.1:6", "local"],
    ["127.0.0.2:6", "external"],
    ["10.0.0.2:6", "external"],
  ])("%s is %s", (source, type) => {
    const chains = [
      aChain("local", { source_type: "SAME_IP_OR_LOOPBACK" }),
      aChain("external", { source_type: 2 }),
    ];
    expect(chosen(chains, from(source))).toBe(type);
  });

  it("of a pipe is local, of a socket inside of Envoy it is not", () => {
    const chains = [aChain("local", { source_type: "SAME_IP_OR_LOOPBACK" }), aChain("any")];
    expect(chosen(chains, { source: null, isPipe: true })).toBe("local");
    expect(chosen(chains, { source: null })).toBe("any");
  });

  it("local once, chains for any source are out of reach", () => {
    const chains = [aChain("a", { source_type: "SAME_IP_OR_LOOPBACK", source_ports: [5] }), aChain("b")];
    expect(chosen(chains, from("127.0.0.1:6"))).toBe("fallback");
    expect(chosen(chains, from("127.0.0.1:5"))).toBe("a");
    expect(chosen(chains, from("10.0.0.9:6"))).toBe("b");
  });
});

describe("a source that is not known", () => {
  it("is no matter where every client gets the same chain", () => {
    const split = [
      aChain("a", { source_prefix_ranges: [aRange("0.0.0.0/1"), aRange("128.0.0.0/1")] }),
      aChain("b", { destination_port: 1 }),
    ];
    expect(chosen([aChain("a")], { source: "unknown" })).toBe("a");
    expect(chosen(split, { source: "unknown", directSource: "unknown" })).toBe("a");
    expect(choose(split, { source: "unknown", directSource: "unknown" })).toMatchObject({
      chain: { matched: [] },
    });
  });

  it.each([
    ["a range", { source_prefix_ranges: [aRange("10.0.0.0/8")] }],
    ["a direct range", { direct_source_prefix_ranges: [aRange("10.0.0.0/8")] }],
    ["a type", { source_type: "EXTERNAL" }],
    ["a port", { source_ports: [5] }],
  ])("leaves the chain unknown where one asks for %s", (_, match) => {
    const choice = choose(
      [aChain("a", match), aChain("b")],
      { source: "unknown", directSource: "unknown" },
      {},
    );
    expect(choice).toMatchObject({ kind: "unknown", because: [{ reason: "client address" }] });
    expect(choice.kind === "unknown" && choice.possible.map((one) => one?.name ?? "none").sort()).toEqual(
      expect.arrayContaining(["a"]),
    );
  });

  it("is one peer unless PROXY protocol told them apart", () => {
    const chains = [
      aChain("a", {
        direct_source_prefix_ranges: [aRange("10.0.0.0/8")],
        source_prefix_ranges: [aRange("10.0.0.0/8")],
      }),
      aChain("b"),
    ];
    const both = choose(chains, { source: "unknown", directSource: "unknown" }, {});
    expect(both.kind === "unknown" && both.possible.map((one) => one?.name)).toEqual(["a", "b"]);
    const direct = choose(chains, { source: address("11.0.0.1:1"), directSource: "unknown" }, {});
    expect(direct.kind === "unknown" && direct.possible.map((one) => one?.name)).toEqual(["b", undefined]);
  });

  it("has a port that is not known where the port is 0", () => {
    const chains = [aChain("a", { source_ports: [5] }), aChain("b")];
    expect(chosen(chains, from("10.0.0.9:0"))).toBe("unknown");
    expect(chosen([aChain("b")], from("10.0.0.9:0"))).toBe("b");
  });

  it("is not tried in every way where that are too many", () => {
    const ranges = Array.from({ length: 600 }, (_, at) => aRange(`10.${at >> 8}.${at & 255}.0/24`));
    const chains = ranges.map((range, at) => aChain(`c${at}`, { source_prefix_ranges: [range] }));
    expect(chosen(chains, { source: "unknown" })).toBe("unknown");
    expect(chosen(chains, from("10.1.7.3:1"))).toBe("c263");
  });
});

describe("the answer", () => {
  it("names the conditions that applied", () => {
    const match = {
      destination_port: 8080,
      prefix_ranges: [aRange("10.0.0.0/8")],
      server_names: ["*.example.com"],
      transport_protocol: "tls",
      application_protocols: ["istio"],
      source_type: "EXTERNAL",
      source_ports: [40000],
    };
    const socket = { serverName: "a.example.com", transportProtocol: "tls", applicationProtocols: ["istio"] };
    expect(choose([aChain("other"), aChain("a", match)], socket)).toMatchObject({
      kind: "chain",
      chain: {
        name: "a",
        index: 1,
        matched: [
          "destination port 8080",
          "destination 10.0.0.0/8",
          "server name *.example.com",
          "transport protocol tls",
          "application protocol istio",
          "source type EXTERNAL",
          "source port 40000",
        ],
      },
    });
  });

  it("is the default chain by its place", () => {
    expect(choose([])).toMatchObject({
      chain: { name: "fallback", index: "default", matched: ["default filter chain"] },
    });
  });

  it("tells where the search was lost", () => {
    const chains = [aChain("a", { destination_port: 8080, application_protocols: ["istio"] }), aChain("b")];
    expect(choose(chains, {}, {})).toMatchObject({
      kind: "none",
      detail: "filter_chain_not_found",
      lostAt: "application protocol",
      because:
        "of 1 filter chains for destination port 8080, none takes it at the level of application protocol: " +
        "no application protocol is known",
    });
    expect(choose([], {}, {})).toMatchObject({ because: "the listener has no filter chain", lostAt: null });
  });

  it("names the chains that were near: out of reach first, then those with one condition that fails", () => {
    const chains = [
      aChain("a", { destination_port: 8080, application_protocols: ["istio"] }),
      aChain("b"),
      aChain("c", { destination_port: 9090 }),
      aChain("d", { destination_port: 9090, transport_protocol: "tls" }),
    ];
    expect(choose(chains, {}, {}).nearMisses).toEqual([
      {
        what: "filter chain",
        name: "b",
        because: "chains that ask for destination port 8080 are looked at alone, whatever else they ask for",
      },
      {
        what: "filter chain",
        name: "a",
        because: "it takes application protocol istio, and no application protocol is known",
      },
      {
        what: "filter chain",
        name: "c",
        because: "it takes destination port 9090, and it goes to port 8080",
      },
    ]);
    expect(
      choose(chains, { applicationProtocols: ["istio"] }).nearMisses.map(({ name }) => name),
    ).not.toContain("a");
  });
});

describe("a filter chain matcher", () => {
  const byPort = (map: Record<string, string>): Message => ({
    filter_chain_matcher: {
      matcher_tree: {
        input: {
          typed_config: {
            "@type":
              "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.DestinationPortInput",
          },
        },
        exact_match_map: {
          map: Object.fromEntries(
            Object.entries(map).map(([port, value]) => [
              port,
              {
                action: {
                  name: value,
                  typed_config: { "@type": "type.googleapis.com/google.protobuf.StringValue", value },
                },
              },
            ]),
          ),
        },
      },
    },
  });
  const input = (name: string, more: Message): Message => ({
    typed_config: {
      ...more,
      "@type": `type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.${name}`,
    },
  });
  const chain = (value: string): Message => ({
    action: {
      name: value,
      typed_config: { "@type": "type.googleapis.com/google.protobuf.StringValue", value },
    },
  });
  const when = (name: string, value: string, more: Message = {}): Message => ({
    filter_chain_matcher: {
      matcher_list: {
        matchers: [
          {
            predicate: { single_predicate: { input: input(name, more), value_match: { exact: value } } },
            on_match: chain("x"),
          },
        ],
      },
      on_no_match: chain("y"),
    },
  });
  const chains = [aChain("x", { destination_port: 1 }), aChain("y")];

  it("names the chain, whatever the chains ask for themselves", () => {
    const choice = choose(chains, {}, byPort({ 8080: "x" }));
    expect(choice).toMatchObject({ kind: "chain", chain: { name: "x", matched: ["destination port 8080"] } });
  });

  it("without a result leaves the default chain", () => {
    expect(chosen(chains, {}, { ...byPort({ 1: "x" }), default_filter_chain: fallback })).toBe("fallback");
    expect(chosen(chains, {}, byPort({ 1: "x" }))).toBe("closed");
  });

  it("that names a chain which is not there closes, without the default chain", () => {
    expect(chosen(chains, {}, { ...byPort({ 8080: "z" }), default_filter_chain: fallback })).toBe("closed");
  });

  it.each([
    ["DestinationIPInput", "10.0.0.1", {}],
    ["DestinationPortInput", "8080", {}],
    ["SourceIPInput", "10.9.9.9", {}],
    ["SourcePortInput", "40000", {}],
    ["DirectSourceIPInput", "10.8.8.8", { directSource: address("10.8.8.8:1") }],
    ["SourceTypeInput", "local", { source: address("127.0.0.1:5") }],
    ["SourceTypeInput", "local", { source: null, isPipe: true }],
    ["ServerNameInput", "a.com", { serverName: "a.com" }],
    ["TransportProtocolInput", "raw_buffer", {}],
    ["TransportProtocolInput", "tls", { transportProtocol: "tls" }],
    ["ApplicationProtocolInput", "'h2','http/1.1'", { applicationProtocols: ["h2", "http/1.1"] }],
  ])("reads %s as %s", (name, value, socket) => {
    expect(chosen(chains, socket, when(name, value))).toBe("x");
    expect(chosen(chains, socket, when(name, `not ${value}`))).toBe("y");
  });

  it.each([
    ["DestinationIPInput", "", { destination: null }],
    ["SourceIPInput", "", { source: null }],
    ["SourceTypeInput", "", {}],
    ["ServerNameInput", "", {}],
    ["ApplicationProtocolInput", "", {}],
    ["NetworkNamespaceInput", "", {}],
  ])("finds no value of %s where there is none", (name, value, socket) => {
    expect(chosen(chains, socket, when(name, value))).toBe("y");
  });

  it.each([
    ["SourceIPInput", { source: "unknown" as const }, "client address"],
    ["SourcePortInput", { source: address("10.0.0.9:0") }, "client address"],
    ["SourceTypeInput", { source: "unknown" as const }, "client address"],
    ["SomethingElseInput", {}, "expression"],
    ["FilterStateInput", { isComplete: false }, "filter state"],
  ])("is unknown by %s", (name, socket, reason) => {
    expect(choose(chains, socket, when(name, "10.9.9.9"))).toMatchObject({
      kind: "unknown",
      because: [{ reason }],
    });
  });

  it("reads filter state", () => {
    const matcher = when("FilterStateInput", "a", { key: "io.istio.authority" });
    expect(chosen(chains, { filterState: new Map([["io.istio.authority", "a"]]) }, matcher)).toBe("x");
    expect(chosen(chains, { filterState: new Map([["io.istio.authority", "b"]]) }, matcher)).toBe("y");
    expect(chosen(chains, {}, matcher)).toBe("y");
  });

  it("with an action of another type is unknown", () => {
    const other = { action: { name: "x", typed_config: { "@type": "type.googleapis.com/x.Other" } } };
    expect(choose(chains, {}, { filter_chain_matcher: { on_no_match: other } })).toMatchObject({
      kind: "unknown",
      because: [{ reason: "expression" }],
    });
  });
});
