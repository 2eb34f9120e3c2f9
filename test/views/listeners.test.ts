import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { textTable } from "../../src/shared/text-table.js";
import type { ReferenceList } from "../../src/snapshot/model.js";
import { listenerView, type ListenerFilter, type ListenerOptions } from "../../src/views/listeners.js";
import { newestIstioctl, type View } from "../../src/views/view.js";
import {
  aListener,
  aSection,
  at,
  corpus,
  everythingIsRequired,
  readDump,
  valueOf,
} from "../support/builders.js";
import { envoyDump } from "../support/mesh/dump.js";
import { buildMesh } from "../support/mesh/mesh.js";

type Fields = Readonly<Record<string, unknown>>;

const istioctlCorpus = join(corpus, "istioctl");
const withoutCorpus = !existsSync(istioctlCorpus) && !everythingIsRequired;

const printed = ({ header, rows, padding }: View): string => textTable(header, rows, { padding });
const trimmed = (text: string): string => text.trim().replace(/[ \t]+$/gm, "");
const golden = (path: string): string => readFileSync(join(istioctlCorpus, path), "utf8");

async function listenersIn(path: string): Promise<ReferenceList> {
  const { proxies } = await readSnapshot(join(istioctlCorpus, path));
  expect(proxies).toHaveLength(1);
  return valueOf(proxies[0]!.config.listener);
}

/** A section of active dynamic listeners, then static ones. */
const sectionOf = (dynamic: readonly Fields[], statics: readonly Fields[] = []): ReferenceList =>
  valueOf(
    readDump([
      aSection("Listeners", {
        dynamic_listeners: dynamic.map((listener) => ({
          name: listener["name"],
          active_state: { listener },
        })),
        static_listeners: statics.map((listener) => ({ listener })),
      }),
    ]).sections.listener,
  );

const view = (
  section: ReferenceList,
  options: Partial<ListenerOptions> = {},
  filter: ListenerFilter = {},
): View => listenerView(section, filter, { istioctl: newestIstioctl, verbose: true, ...options });

const any = (type: string): string => `type.googleapis.com/${type}`;
const managerType = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const proxyType = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";

const manager = (config: Fields, type = managerType): Fields => ({
  name: "envoy.filters.network.http_connection_manager",
  typed_config: { "@type": any(type), ...config },
});
const routes = (name: string): Fields => manager({ rds: { route_config_name: name } });
const tcp = (cluster: string, config: Fields = {}): Fields => ({
  name: "envoy.filters.network.tcp_proxy",
  typed_config: { "@type": any(proxyType), cluster, ...config },
});
const other: Fields = { name: "istio.stats", typed_config: { "@type": any("stats.PluginConfig") } };

const chain = (filters: readonly Fields[], filter_chain_match?: Fields, more: Fields = {}): Fields => ({
  filters,
  ...(filter_chain_match === undefined ? {} : { filter_chain_match }),
  ...more,
});
const socket = (address: string, port_value: number): Fields => ({
  socket_address: { address, port_value },
});
const listener = (chains: readonly Fields[], fields: Fields = {}): Fields =>
  aListener("0.0.0.0_80", { address: socket("0.0.0.0", 80), filter_chains: chains, ...fields });

/** Cells of the last columns of the only row. */
function cellsOf(of: Fields, options: Partial<ListenerOptions> = {}): readonly string[] {
  const { rows } = view(sectionOf([of]), options);
  expect(rows).toHaveLength(1);
  return rows[0]!.slice(2);
}
const matchOf = (match: Fields, istioctl = newestIstioctl): string =>
  cellsOf(listener([chain([tcp("c")], match)]), { istioctl })[0]!;
const destinationOf = (filters: readonly Fields[], istioctl = newestIstioctl): string =>
  cellsOf(listener([chain(filters)]), { istioctl })[1]!;
const typeOf = (of: Fields, istioctl = newestIstioctl): string =>
  cellsOf(of, { verbose: false, istioctl })[0]!;

describe("istioctl's own cases", () => {
  it.skipIf(withoutCorpus)("02: the block of `all --with-headers`, with prefixed names", async () => {
    const block = golden("proxyconfig/testdata/config_dump_summary_withheaders.txt")
      .split("------ LISTENER INFO ------")[1]!
      .split("------ ROUTE INFO ------")[0]!;
    const section = await listenersIn("proxyconfig/testdata/config_dump.json");
    expect(trimmed(printed(view(section, { prefixed: true })))).toBe(trimmed(block));
  });

  it.skipIf(withoutCorpus)("01: the same block of `all`", async () => {
    const block = golden("proxyconfig/testdata/config_dump_summary.txt").split("\n\n")[2]!;
    const section = await listenersIn("proxyconfig/testdata/config_dump.json");
    expect(trimmed(printed(view(section, { prefixed: true })))).toBe(trimmed(block));
  });

  const old = "release-1.6/writer/envoy/configdump/testdata";
  it.skipIf(withoutCorpus).each([
    { name: "26: all of them", filter: {}, file: "listenersummary.txt" },
    {
      name: "27: by address",
      filter: { address: "172.21.134.116" },
      file: "listenersummaryfiltered.txt",
    },
    { name: "28: by port", filter: { port: 443 }, file: "listenersummaryfiltered.txt" },
  ])("$name", async ({ filter, file }) => {
    const section = await listenersIn(`${old}/configdump.json`);
    expect(trimmed(printed(view(section, { istioctl: 6, verbose: false }, filter)))).toBe(
      trimmed(golden(`${old}/${file}`)),
    );
  });

  it.skipIf(withoutCorpus)("29: -o json", async () => {
    const section = await listenersIn(`${old}/configdump.json`);
    const expected: unknown = JSON.parse(golden(`${old}/listenerdump.json`));
    const { json } = view(section, { istioctl: 6 });
    expect(json).toMatchObject(expected as object);
    expect(json).toHaveLength((expected as unknown[]).length);
  });
});

describe("columns", () => {
  const section = sectionOf([listener([chain([tcp("outbound|80||a")])])]);

  it.each([
    { istioctl: 31, verbose: true, header: "ADDRESSES PORT MATCH DESTINATION", padding: 1 },
    { istioctl: 31, verbose: false, header: "ADDRESSES PORT TYPE", padding: 1 },
    { istioctl: 18, verbose: true, header: "ADDRESSES PORT MATCH DESTINATION", padding: 1 },
    { istioctl: 17, verbose: true, header: "ADDRESS PORT MATCH DESTINATION", padding: 1 },
    { istioctl: 7, verbose: true, header: "ADDRESS PORT MATCH DESTINATION", padding: 1 },
    { istioctl: 6, verbose: true, header: "ADDRESS PORT TYPE", padding: 5 },
    { istioctl: 6, verbose: false, header: "ADDRESS PORT TYPE", padding: 5 },
  ])("1.$istioctl verbose=$verbose: $header", ({ istioctl, verbose, header, padding }) => {
    const shown = view(section, { istioctl, verbose });
    expect(shown.header.join(" ")).toBe(header);
    expect(shown.padding).toBe(padding);
    expect(shown.rows[0]).toHaveLength(shown.header.length);
    expect(shown.note).toBe("");
  });

  it.each([true, false])("names carry their kind in `all` since 1.19 (verbose=%s)", (verbose) => {
    const shown = view(section, { verbose, prefixed: true, istioctl: 19 });
    expect(shown.header[0]).toBe("NAME");
    expect(shown.rows[0]![0]).toBe("listener/0.0.0.0_80");
    expect(view(section, { verbose, prefixed: true, istioctl: 18 }).header[0]).toBe("ADDRESSES");
  });

  it("show a nameless listener by its prefix alone", () => {
    const { rows } = view(sectionOf([], [listener([chain([tcp("c")])], { name: "" })]), { prefixed: true });
    expect(rows[0]![0]).toBe("listener/");
  });
});

describe("addresses", () => {
  const more = {
    additional_addresses: [{ address: socket("::", 80) }, { address: socket("10.0.0.1", 81) }],
  };
  const addressOf = (fields: Fields, istioctl = newestIstioctl): readonly string[] =>
    view(sectionOf([listener([chain([tcp("c")])], fields)]), { istioctl }).rows[0]!.slice(0, 2);

  it.each([
    { name: "a socket", fields: {}, istioctl: 31, shown: ["0.0.0.0", "80"] },
    { name: "more of them", fields: more, istioctl: 31, shown: ["0.0.0.0,::,10.0.0.1", "80"] },
    { name: "more of them, before 1.18", fields: more, istioctl: 17, shown: ["0.0.0.0", "80"] },
    {
      name: "a pipe",
      fields: { address: { pipe: { path: "/run/a.sock" } } },
      istioctl: 31,
      shown: ["/run/a.sock", "0"],
    },
    {
      name: "none, of an internal one",
      fields: { address: undefined, internal_listener: {} },
      istioctl: 31,
      shown: ["", "0"],
    },
  ])("$name", ({ fields, istioctl, shown }) => {
    expect(addressOf(fields, istioctl)).toEqual(shown);
  });
});

describe("filters", () => {
  const section = sectionOf([
    listener([chain([tcp("c")])], {
      name: "tcp",
      additional_addresses: [{ address: socket("FD00::1", 80) }],
    }),
    listener([chain([routes("9080")])], { name: "http", address: socket("10.0.0.1", 9080) }),
  ]);
  const names = (filter: ListenerFilter, options: Partial<ListenerOptions> = {}): unknown[] => {
    const shown = view(section, options, filter);
    const json = shown.json as { name: string }[];
    expect(shown.rows).toHaveLength(json.length);
    return json.map(({ name }) => name);
  };

  it.each<{ filter: ListenerFilter; found: string[] }>([
    { filter: {}, found: ["tcp", "http"] },
    { filter: { address: "", port: 0, type: "" }, found: ["tcp", "http"] },
    { filter: { address: "10.0.0.1" }, found: ["http"] },
    { filter: { address: "10.0.0" }, found: [] },
    { filter: { address: "fd00::1" }, found: ["tcp"] },
    { filter: { port: 80 }, found: ["tcp"] },
    { filter: { port: 8 }, found: [] },
    { filter: { type: "http" }, found: ["http"] },
    { filter: { type: "HTTP+TCP" }, found: [] },
    { filter: { address: "10.0.0.1", port: 80 }, found: [] },
    { filter: { address: "10.0.0.1", port: 9080, type: "HTTP" }, found: ["http"] },
  ])("$filter finds $found", ({ filter, found }) => {
    expect(names(filter)).toEqual(found);
  });

  it("know no additional addresses before 1.18", () => {
    expect(names({ address: "fd00::1" }, { istioctl: 17 })).toEqual([]);
  });
});

describe("TYPE", () => {
  it.each([
    { name: "an HTTP connection manager", filters: [[other, routes("80")]], type: "HTTP" },
    { name: "a TCP proxy", filters: [[other, tcp("c")]], type: "TCP" },
    { name: "chains of both", filters: [[routes("80")], [tcp("c")]], type: "HTTP+TCP" },
    { name: "neither", filters: [[other]], type: "UNKNOWN" },
    { name: "the black hole", filters: [[tcp("BlackHoleCluster")]], type: "UNKNOWN" },
    {
      name: "the black hole's name anywhere in the proxy",
      filters: [[tcp("c", { access_log: [{ name: "BlackHoleCluster" }] })]],
      type: "UNKNOWN",
    },
    {
      name: "the black hole beside HTTP",
      filters: [[routes("80")], [tcp("BlackHoleCluster")]],
      type: "HTTP",
    },
    { name: "no chain", filters: [], type: "UNKNOWN" },
  ])("$name: $type", ({ filters, type }) => {
    expect(typeOf(listener(filters.map((own) => chain(own))))).toBe(type);
  });

  it("counts the default chain since 1.8", () => {
    const both = listener([chain([routes("80")])], { default_filter_chain: chain([tcp("c")]) });
    expect(typeOf(both)).toBe("HTTP+TCP");
    expect(typeOf(both, 8)).toBe("HTTP+TCP");
    expect(typeOf(both, 7)).toBe("HTTP");
  });
});

describe("MATCH", () => {
  it.each([
    { match: {}, text: "ALL" },
    { match: { server_names: ["a.test", "b.test"] }, text: "SNI: a.test,b.test" },
    { match: { transport_protocol: "tls" }, text: "Trans: tls" },
    { match: { application_protocols: ["http/1.0", "http/1.1", "h2c"] }, text: "App: HTTP" },
    { match: { application_protocols: ["http/1.1", "h2c"] }, text: "App: http/1.1,h2c" },
    { match: { application_protocols: ["h2c", "http/1.1", "http/1.0"] }, text: "App: h2c,http/1.1,http/1.0" },
    {
      match: { application_protocols: ["istio", "istio-http/1.0", "istio-http/1.1", "istio-h2"] },
      text: "App: Istio HTTP Plain",
    },
    {
      match: {
        application_protocols: [
          "http/1.0",
          "http/1.1",
          "h2c",
          "istio-http/1.0",
          "istio-http/1.1",
          "istio-h2",
        ],
      },
      text: "App: HTTP TLS",
    },
    { match: { application_protocols: ["istio-peer-exchange", "istio"] }, text: "App: TCP TLS" },
    { match: { application_protocols: ["constructor"] }, text: "App: constructor" },
    {
      match: {
        prefix_ranges: [
          { address_prefix: "10.0.0.1", prefix_len: 32 },
          { address_prefix: "10.1.0.0", prefix_len: 16 },
        ],
      },
      text: "Addr: 10.0.0.1/32,10.1.0.0/16",
    },
    {
      match: { prefix_ranges: [{ address_prefix: "0.0.0.0", prefix_len: 0 }], destination_port: 80 },
      text: "Addr: 0.0.0.0/0:80",
    },
    { match: { prefix_ranges: [{ address_prefix: "0.0.0.0" }] }, text: "Addr: 0.0.0.0/0" },
    { match: { destination_port: 15006 }, text: "Addr: *:15006" },
    { match: { source_type: "EXTERNAL", source_ports: [1], suffix_len: 8 }, text: "ALL" },
    {
      match: {
        destination_port: 443,
        application_protocols: ["istio-peer-exchange", "istio"],
        transport_protocol: "tls",
        server_names: ["*"],
      },
      text: "SNI: *; Trans: tls; App: TCP TLS; Addr: *:443",
    },
  ])("$text", ({ match, text }) => {
    expect(matchOf(match)).toBe(text);
  });

  it("of a chain without any", () => {
    expect(cellsOf(listener([chain([tcp("c")])]))[0]).toBe("ALL");
  });

  it.each([
    { match: { destination_port: 80 }, newer: "Addr: *:80", old: "ALL" },
    {
      match: { address_suffix: "10.0.0.1", destination_port: 80 },
      newer: "Addr: *:80",
      old: "Addr: 10.0.0.1:80",
    },
    {
      match: { address_suffix: "1", prefix_ranges: [{ address_prefix: "10.0.0.1", prefix_len: 32 }] },
      newer: "Addr: 10.0.0.1/32",
      old: "Addr: 1; Addr: 10.0.0.1/32",
    },
  ])("1.7 has $old where newer ones have $newer", ({ match, newer, old }) => {
    expect(matchOf(match, 8)).toBe(newer);
    expect(matchOf(match, 7)).toBe(old);
  });
});

describe("DESTINATION", () => {
  const inline = (...virtual_hosts: readonly Fields[]): Fields =>
    manager({ route_config: { virtual_hosts } });
  const host = (domains: readonly string[], ...matches: readonly Fields[]): Fields => ({
    name: "h",
    domains,
    routes: matches.map((match) => ({ match, route: { cluster: "inbound|80||" } })),
  });

  it.each([
    { name: "RDS", filters: [routes("9080")], text: "Route: 9080" },
    { name: "neither RDS nor inline", filters: [manager({ scoped_routes: { name: "s" } })], text: "HTTP" },
    { name: "a cluster", filters: [tcp("outbound|80||a")], text: "Cluster: outbound|80||a" },
    { name: "a cluster of Istio's own", filters: [tcp("PassthroughCluster")], text: "PassthroughCluster" },
    {
      name: "weighted clusters",
      filters: [tcp("", { cluster: undefined, weighted_clusters: { clusters: [{ name: "a", weight: 1 }] } })],
      text: "Cluster: ",
    },
    { name: "the black hole", filters: [tcp("BlackHoleCluster")], text: "Non-HTTP/Non-TCP" },
    {
      name: "what stands behind the black hole",
      filters: [tcp("BlackHoleCluster"), routes("80")],
      text: "Route: 80",
    },
    { name: "the first that decides", filters: [other, tcp("a"), routes("80")], text: "Cluster: a" },
    { name: "no filter", filters: [], text: "Non-HTTP/Non-TCP" },
    {
      name: "an inline route for all",
      filters: [inline(host(["*"], { prefix: "/" }))],
      text: "Cluster: inbound|80||",
    },
    {
      name: "an inline route for one path",
      filters: [inline(host(["*"], { path: "/ready" }))],
      text: "Inline Route: /ready",
    },
    {
      name: "an inline route for one domain",
      filters: [inline(host(["a.test"], { prefix: "/" }))],
      text: "Inline Route: a.test /*",
    },
    {
      name: "two virtual hosts",
      filters: [
        inline(host(["a.test", "b.test"], { prefix: "/" }, { path: "/x" }), host(["*"], { prefix: "/y" })),
      ],
      text: "Inline Route: a.test/b.test /*, /x; /y*",
    },
    {
      name: "every kind of path",
      filters: [
        inline(
          host(
            ["*"],
            { prefix: "/a" },
            { path_separated_prefix: "/b" },
            { path: "/c" },
            { safe_regex: { regex: "/d.*" } },
            { connect_matcher: {} },
            { regex: "/v2.*" },
          ),
        ),
      ],
      text: "Inline Route: /a*, PathPrefix:/b, /c, regex /d.*, , regex /v2.*",
    },
    { name: "an empty inline configuration", filters: [inline()], text: "Inline Route: " },
    {
      name: "an inline redirect of all",
      filters: [
        inline({ domains: ["*"], routes: [{ match: { prefix: "/" }, redirect: { https_redirect: true } }] }),
      ],
      text: "Inline Route: /*",
    },
    {
      name: "an inline route to a cluster of Istio's own",
      filters: [
        inline({
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "InboundPassthroughClusterIpv4" } }],
        }),
      ],
      text: "InboundPassthroughClusterIpv4",
    },
  ])("$name: $text", ({ filters, text }) => {
    expect(destinationOf(filters)).toBe(text);
  });

  it("shows the path of an inline route for all in 1.7, the cluster since 1.8", () => {
    const filters = [inline(host(["*"], { prefix: "/" }))];
    expect(destinationOf(filters, 7)).toBe("Inline Route: /*");
    expect(destinationOf(filters, 8)).toBe("Cluster: inbound|80||");
  });

  it("knows path prefixes since 1.21", () => {
    const filters = [inline(host(["*"], { path_separated_prefix: "/b" }))];
    expect(destinationOf(filters, 20)).toBe("Inline Route: ");
    expect(destinationOf(filters, 21)).toBe("Inline Route: PathPrefix:/b");
  });
});

describe("the content of old releases", () => {
  const v2Manager = "envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager";
  const v2Proxy = "envoy.config.filter.network.tcp_proxy.v2.TcpProxy";

  it.each([
    {
      name: "old names",
      filter: {
        name: "envoy.tcp_proxy",
        typed_config: { "@type": any(v2Proxy), cluster: "outbound|80||a" },
      },
      text: "Cluster: outbound|80||a",
    },
    {
      name: "v2 types",
      filter: manager({ rds: { routeConfigName: "80" } }, v2Manager),
      text: "Route: 80",
    },
    {
      name: "config in place of typed_config",
      filter: { name: "envoy.http_connection_manager", config: { rds: { route_config_name: "80" } } },
      text: "Route: 80",
    },
    {
      name: "config in the other spelling",
      filter: {
        name: "envoy.http_connection_manager",
        config: {
          routeConfig: {
            virtualHosts: [{ domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "a" } }] }],
          },
        },
      },
      text: "Cluster: a",
    },
    {
      name: "the black hole in config",
      filter: { name: "envoy.tcp_proxy", config: { cluster: "BlackHoleCluster" } },
      text: "Non-HTTP/Non-TCP",
    },
    {
      name: "a removed field as Envoy 1.14 prints it",
      filter: {
        name: "envoy.tcp_proxy",
        hidden_envoy_deprecated_config: { cluster: "outbound|80||a" },
      },
      text: "Cluster: outbound|80||a",
    },
    {
      name: "a TypedStruct",
      filter: manager(
        { type_url: any(managerType), value: { rds: { routeConfigName: "80" } } },
        "udpa.type.v1.TypedStruct",
      ),
      text: "Route: 80",
    },
    { name: "no configuration at all", filter: { name: "envoy.tcp_proxy" }, text: "Cluster: " },
  ])("$name: $text", ({ filter, text }) => {
    expect(destinationOf([filter])).toBe(text);
  });

  it("as a whole: a listener of API v2 in the section of Envoy 1.12", () => {
    const { sections } = readDump([
      aSection(
        "Listeners",
        {
          dynamic_active_listeners: [
            {
              listener: {
                name: "virtual",
                address: { socketAddress: { address: "0.0.0.0", portValue: 15001 } },
                filterChains: [
                  {
                    filterChainMatch: { sniDomains: ["a.test"] },
                    filters: [{ name: "envoy.tcp_proxy", config: { cluster: "PassthroughCluster" } }],
                  },
                ],
                useOriginalDst: true,
              },
            },
          ],
        },
        "envoy.admin.v2alpha",
      ),
    ]);
    const shown = view(valueOf(sections.listener));
    expect(shown.rows).toEqual([["0.0.0.0", "15001", "SNI: a.test", "PassthroughCluster"]]);
    expect(shown.json).toMatchObject([{ name: "virtual", useOriginalDst: true }]);
  });
});

describe("order", () => {
  it("is by port, address and type", () => {
    const section = sectionOf([
      listener([chain([tcp("c")])], { address: socket("10.0.0.2", 80) }),
      listener([chain([tcp("c")])], { address: socket("10.0.0.10", 80) }),
      listener([chain([tcp("c")])], { address: socket("10.0.0.10", 9) }),
      listener([chain([routes("80")])], { address: socket("10.0.0.10", 80) }),
    ]);
    expect(view(section, { verbose: false }).rows).toEqual([
      ["10.0.0.10", "9", "TCP"],
      ["10.0.0.10", "80", "HTTP"],
      ["10.0.0.10", "80", "TCP"],
      ["10.0.0.2", "80", "TCP"],
    ]);
  });

  it("of equal listeners is that of the dump, dynamic ones first", () => {
    const section = sectionOf(
      [listener([chain([tcp("first")])]), listener([chain([tcp("second")])])],
      [listener([chain([tcp("static")])])],
    );
    expect(view(section).rows.map((row) => row[3])).toEqual([
      "Cluster: first",
      "Cluster: second",
      "Cluster: static",
    ]);
  });

  it("was that of the dump up to 1.6", () => {
    const section = sectionOf([
      listener([chain([tcp("c")])], { address: socket("10.0.0.2", 80) }),
      listener([chain([tcp("c")])], { address: socket("10.0.0.1", 9) }),
    ]);
    expect(view(section, { istioctl: 6 }).rows.map((row) => row[1])).toEqual(["80", "9"]);
    expect(view(section, { istioctl: 7 }).rows.map((row) => row[1])).toEqual(["9", "80"]);
  });

  it("of JSON is that of the dump", () => {
    const section = sectionOf(
      [listener([chain([tcp("c")])], { name: "b", address: socket("0.0.0.0", 90) })],
      [listener([chain([tcp("c")])], { name: "a" })],
    );
    expect((view(section).json as { name: string }[]).map(({ name }) => name)).toEqual(["b", "a"]);
  });

  it("of chains is by destination, downwards, with their places", () => {
    const section = sectionOf([
      listener(
        [
          chain([tcp("a")]),
          chain([routes("80")]),
          chain([tcp("b")]),
          chain([tcp("a")], { destination_port: 1 }),
        ],
        {
          default_filter_chain: chain([tcp("PassthroughCluster")]),
        },
      ),
    ]);
    const shown = view(section);
    expect(shown.rows.map((row) => row.slice(2))).toEqual([
      ["ALL", "Route: 80"],
      ["ALL", "PassthroughCluster"],
      ["ALL", "Cluster: b"],
      ["ALL", "Cluster: a"],
      ["Addr: *:1", "Cluster: a"],
    ]);
    const start = "/configs/0/dynamic_listeners/0/active_state/listener";
    expect(shown.origins.map(({ pointer }) => pointer)).toEqual([
      `${start}/filter_chains/1`,
      `${start}/default_filter_chain`,
      `${start}/filter_chains/2`,
      `${start}/filter_chains/0`,
      `${start}/filter_chains/3`,
    ]);
    expect(view(section, { istioctl: 7 }).rows).toHaveLength(4);
    expect(view(section, { verbose: false }).origins).toEqual([{ entry: "dump", pointer: start }]);
  });
});

describe("states", () => {
  const section = valueOf(
    readDump([
      aSection("Listeners", {
        dynamic_listeners: [
          {
            name: "a",
            active_state: { listener: listener([chain([tcp("active")])]) },
            warming_state: { listener: listener([chain([tcp("warming")])]) },
            draining_state: { listener: listener([chain([tcp("draining")])]) },
          },
          { name: "rejected", error_state: { details: "no" } },
        ],
        static_listeners: [{ listener: listener([chain([tcp("static")])]) }],
      }),
    ]).sections.listener,
  );
  const shown = (states?: ListenerOptions["states"]): unknown[] =>
    view(section, states === undefined ? {} : { states }).rows.map((row) => row[3]);

  it("active ones by default", () => {
    expect(shown()).toEqual(["Cluster: active", "Cluster: static"]);
  });
  it("those that are asked for", () => {
    expect(shown(["warming", "draining"])).toEqual(["Cluster: warming", "Cluster: draining"]);
  });
  it("none of a rejected one without content", () => {
    expect(shown(["rejected"])).toEqual([]);
  });
});

describe("JSON", () => {
  it("has JSON names, without the type of the listener itself", () => {
    const section = sectionOf([
      listener([chain([routes("80")], { destination_port: 80 })], {
        metadata: { filter_metadata: { a_b: { c_d: 1 } } },
      }),
    ]);
    expect(view(section).json).toEqual([
      {
        name: "0.0.0.0_80",
        address: { socketAddress: { address: "0.0.0.0", portValue: 80 } },
        filterChains: [
          {
            filterChainMatch: { destinationPort: 80 },
            filters: [
              {
                name: "envoy.filters.network.http_connection_manager",
                typedConfig: { "@type": any(managerType), rds: { routeConfigName: "80" } },
              },
            ],
          },
        ],
        metadata: { filterMetadata: { a_b: { c_d: 1 } } },
      },
    ]);
  });
});

describe("the waypoint's form", () => {
  const to = (name: string): Fields => ({
    action: { name, typed_config: { "@type": any("google.protobuf.StringValue"), value: name } },
  });
  const further = (matcher: Fields): Fields => ({ matcher });
  const exact = (name: string, map: Fields, on_no_match?: Fields): Fields => ({
    matcher_tree: { input: { name }, exact_match_map: { map } },
    ...(on_no_match === undefined ? {} : { on_no_match }),
  });
  const ips = (range_matchers: readonly Fields[], on_no_match?: Fields): Fields => ({
    matcher_tree: {
      input: { name: "ip" },
      custom_match: {
        name: "ip",
        typed_config: { "@type": any("xds.type.matcher.v3.IPMatcher"), range_matchers },
      },
    },
    ...(on_no_match === undefined ? {} : { on_no_match }),
  });
  const named = (name: string): Fields => chain([tcp(name)], { destination_port: 1 }, { name });
  const internal = (name: string, chains: readonly Fields[], fields: Fields = {}): Fields =>
    aListener(name, { internal_listener: {}, filter_chains: chains, ...fields });
  const rowsOf = (...listeners: readonly Fields[]): readonly (readonly string[])[] =>
    view(sectionOf(listeners), { waypoint: true }).rows;
  /** The MATCH cells of a chain under a matcher. */
  const matches = (filter_chain_matcher: Fields, name = "a"): string[] =>
    rowsOf(internal("main_internal", [named(name)], { filter_chain_matcher })).map((row) => row[2]!);

  it("has its own columns and ignores filters", () => {
    const section = sectionOf([internal("main_internal", [named("a")])]);
    const shown = view(section, { waypoint: true }, { port: 80 });
    expect(shown.header).toEqual(["LISTENER", "CHAIN", "MATCH", "DESTINATION"]);
    expect(shown.rows).toEqual([["envoy://main_internal", "a", "Addr: *:1", "Cluster: a"]]);
    expect(shown.padding).toBe(1);
    expect(shown.json).toHaveLength(1);
    expect(shown.origins[0]!.pointer).toMatch(/\/listener\/filter_chains\/0$/);
  });

  it("says `internal` where the only chain is named as the listener's address", () => {
    expect(rowsOf(internal("x", [named("envoy://x")]))[0]![0]).toBe("internal");
    expect(rowsOf(internal("x", [named("x")]))[0]![0]).toBe("envoy://x");
    expect(rowsOf(internal("x", [named("envoy://x"), named("y")]))[0]![0]).toBe("envoy://x");
    expect(rowsOf(listener([named("envoy://0.0.0.0_80")]))[0]![0]).toBe("envoy://0.0.0.0_80");
  });

  it("has internal listeners by name, others by port, address and type", () => {
    const rows = rowsOf(
      listener([named("c")], { name: "z", address: socket("0.0.0.0", 15008) }),
      internal("main_internal", [named("c")]),
      internal("connect_originate", [named("c")]),
    );
    expect(rows.map(([name]) => name)).toEqual([
      "envoy://connect_originate",
      "envoy://main_internal",
      "envoy://z",
    ]);
  });

  it.each([
    { name: "an exact key", matcher: exact("port", { 80: to("a"), 81: to("b") }), paths: ["port=80"] },
    {
      name: "several keys",
      matcher: exact("port", { 9: to("a"), 80: to("a") }),
      paths: ["port=80", "port=9"],
    },
    {
      name: "a prefix",
      matcher: { matcher_tree: { input: { name: "sni" }, prefix_match_map: { map: { "a.": to("a") } } } },
      paths: ["sni^a."],
    },
    {
      name: "ranges of addresses",
      matcher: ips([
        {
          ranges: [
            { address_prefix: "10.0.0.0", prefix_len: 8 },
            { address_prefix: "10.0.0.1", prefix_len: 32 },
            { address_prefix: "fd00::1", prefix_len: 128 },
            { address_prefix: "0.0.0.0" },
          ],
          on_match: to("a"),
        },
      ]),
      paths: ["ip=0.0.0.0/0", "ip=10.0.0.0/8", "ip=10.0.0.1", "ip=fd00::1"],
    },
    {
      name: "a way through the tree",
      matcher: ips([
        {
          ranges: [{ address_prefix: "10.0.0.1", prefix_len: 32 }],
          on_match: further(exact("port", { 80: to("a"), 81: to("b") })),
        },
        { ranges: [{ address_prefix: "10.0.0.2", prefix_len: 32 }], on_match: to("b") },
      ]),
      paths: ["ip=10.0.0.1 -> port=80"],
    },
    {
      name: "what a further matcher does not match",
      matcher: ips([
        {
          ranges: [{ address_prefix: "10.0.0.1", prefix_len: 32 }],
          on_match: further(exact("port", { 80: to("b") }, to("a"))),
        },
      ]),
      paths: ["ip=10.0.0.1 -> ANY"],
    },
    { name: "what nothing matches", matcher: exact("port", { 80: to("b") }, to("a")), paths: ["UNMATCHED"] },
    { name: "no way", matcher: exact("port", { 80: to("b") }), paths: ["NONE"] },
    { name: "an empty matcher", matcher: {}, paths: ["NONE"] },
    {
      name: "a list of matchers, which istioctl does not know",
      matcher: { matcher_list: {} },
      paths: ["NONE"],
    },
    {
      name: "a matcher for the rest, which stands for the whole tree",
      matcher: exact("port", { 80: to("b") }, further(exact("sni", { x: to("a") }))),
      paths: ["sni=x"],
    },
    {
      name: "a matcher for the rest that does not lead there",
      matcher: exact("port", { 80: to("a") }, further(exact("sni", { x: to("b") }))),
      paths: ["NONE"],
    },
    {
      name: "a branch whose matcher for the rest does not lead there",
      matcher: exact("port", {
        80: further(exact("sni", { x: to("a") }, further(exact("alpn", { y: to("b") })))),
      }),
      paths: ["port=80 -> NONE"],
    },
    {
      name: "an unknown custom match",
      matcher: { matcher_tree: { custom_match: { name: "x" } } },
      paths: ["NONE"],
    },
  ])("$name: $paths", ({ matcher, paths }) => {
    expect(matches(matcher)).toEqual(paths);
  });

  it.skipIf(withoutCorpus)("of a real waypoint", async () => {
    const section = await listenersIn("proxyconfig/testdata/config_dump.json");
    expect(view(section, { waypoint: true }).rows.map((row) => row.slice(0, 3))).toEqual([
      [
        "envoy://main_internal",
        "inbound-vip|8000||httpbin.default.svc.cluster.local-http",
        "ip=10.104.171.68 -> port=8000",
      ],
      [
        "envoy://main_internal",
        "inbound-vip|8100||httpbin.default.svc.cluster.local-http",
        "ip=10.104.171.68 -> port=8100",
      ],
      ["envoy://main_internal", "direct-tcp", "ip=192.168.195.248 -> ANY"],
      ["envoy://main_internal", "direct-http", "ip=192.168.195.248 -> application-protocol='h2c'"],
      ["envoy://main_internal", "direct-http", "ip=192.168.195.248 -> application-protocol='http/1.1'"],
      ["envoy://", "", "ALL"],
    ]);
  });
});

describe("a generated mesh", () => {
  it.each(["1.4.10", "1.10.6", "1.24.2"])(
    "of %s: every row has a place, and all chains a destination",
    (istioVersion) => {
      for (const proxy of buildMesh({ istioVersion }).proxies) {
        const dump = envoyDump(proxy, false);
        const section = valueOf(readDump(dump["configs"] as unknown[]).sections.listener);
        const { rows, origins, header } = view(section);
        expect(rows.length).toBeGreaterThan(2);
        expect(origins).toHaveLength(rows.length);
        for (const [index, row] of rows.entries()) {
          expect(row).toHaveLength(header.length);
          expect(at(dump, origins[index]!.pointer)).toHaveProperty("filters");
          expect(row[3]).toMatch(/^(?:Cluster: .|Route: .|Inline Route: .|\w*Cluster|Non-HTTP\/Non-TCP$)/);
        }
        expect(JSON.stringify(view(section).json)).not.toContain('"filter_chains"');
      }
    },
  );
});
