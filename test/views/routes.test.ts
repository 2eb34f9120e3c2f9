import { describe, expect, it } from "vitest";

import type { ReferenceList } from "../../src/snapshot/model.js";
import { describeDomains, describeMatch, routeView } from "../../src/views/routes.js";
import { newestIstioctl } from "../../src/views/view.js";
import { aResource, aSection, readDump, valueOf } from "../support/builders.js";
import {
  expectSuperset,
  expectText,
  golden,
  goldenSection,
  rendered,
  withoutGoldens,
} from "../support/golden.js";

const newest = { istioctl: newestIstioctl, verbose: true };
const brief = { ...newest, verbose: false };

type Fields = Readonly<Record<string, unknown>>;
const configuration = (name: string, ...virtual_hosts: readonly Fields[]): Fields => ({
  route_config: aResource("routeConfiguration", name, { virtual_hosts }),
});
const sectionOf = (lists: Fields): ReferenceList =>
  valueOf(readDump([aSection("Routes", lists)]).sections.routeConfiguration);
const dynamic = (...dynamic_route_configs: readonly Fields[]): ReferenceList =>
  sectionOf({ dynamic_route_configs });

const host = (name: string, domains: readonly string[], ...routes: readonly Fields[]): Fields => ({
  name,
  domains,
  routes,
});
const to = (cluster: string, more: Fields = {}): Fields => ({
  match: { prefix: "/" },
  route: { cluster },
  ...more,
});

describe.skipIf(withoutGoldens)("istioctl's own cases", () => {
  const old = "release-1.6/writer/envoy/configdump/testdata";
  const folder = "writer/envoy/configdump/testdata/routes";

  it("01, 02: the routes of proxy-config all", () => {
    const view = routeView(
      goldenSection("proxyconfig/testdata/config_dump.json", "routeConfiguration"),
      {},
      {
        ...newest,
        prefixed: true,
      },
    );
    for (const file of ["config_dump_summary.txt", "config_dump_summary_withheaders.txt"]) {
      const all = golden(`proxyconfig/testdata/${file}`);
      expectText(rendered(view), /^NAME +VHOST NAME[^]*?\n\n/m.exec(all)?.[0] ?? "");
    }
  });

  it.each([
    { case: 11, name: "empty-gateway" },
    { case: 12, name: "k8s-gateway-http-route-path-prefix" },
  ])("$case: $name", ({ name }) => {
    const section = goldenSection(`${folder}/${name}/configdump.json`, "routeConfiguration");
    expectText(rendered(routeView(section, {}, newest)), golden(`${folder}/${name}/output.txt`));
  });

  it("30: --verbose=false, with the note of 1.6", () => {
    const section = goldenSection(`${old}/configdump.json`, "routeConfiguration");
    expectText(
      rendered(routeView(section, {}, { istioctl: 6, verbose: false })),
      golden(`${old}/routesummary.txt`),
    );
  });

  it("31: JSON", () => {
    const section = goldenSection(`${old}/configdump.json`, "routeConfiguration");
    expectSuperset(
      routeView(section, {}, { istioctl: 6, verbose: true }).json,
      JSON.parse(golden(`${old}/routedump.json`)),
    );
  });
});

describe("the table of routes", () => {
  const config = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews";
  const metadata = { filter_metadata: { istio: { config } } };
  const section = dynamic(
    configuration(
      "80",
      host("reviews:80", ["reviews", "10.0.0.1"], to("a", { metadata }), to("b", { match: { path: "/b" } })),
      host("allow_any", ["*"], to("PassthroughCluster")),
      host("blackhole:80", ["*"]),
    ),
  );

  it("has a line for each route", () => {
    const view = routeView(section, {}, newest);
    expect(view.header).toEqual(["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"]);
    expect(view.rows).toEqual([
      ["80", "reviews:80", "reviews, 10.0.0.1", "/*", "reviews.default"],
      ["80", "reviews:80", "reviews, 10.0.0.1", "/b", ""],
      ["80", "blackhole:80", "*", "/*", "404"],
    ]);
    const start = "/configs/0/dynamic_route_configs/0/route_config/virtual_hosts";
    expect(view.origins).toEqual(
      [`${start}/0/routes/0`, `${start}/0/routes/1`, `${start}/2`].map((pointer) => ({
        entry: "dump",
        pointer,
      })),
    );
    expect(view).toMatchObject({ padding: 5, note: "" });
  });

  it("hides routes to PassthroughCluster, not those of which it is one of several", () => {
    const weighted = { weighted_clusters: { clusters: [{ name: "PassthroughCluster", weight: 1 }] } };
    const view = routeView(
      dynamic(
        configuration(
          "80",
          host("a", ["*"], { match: { prefix: "/a" }, route: weighted }, to("PassthroughCluster"), to("b")),
        ),
      ),
      {},
      newest,
    );
    expect(view.rows.map((row) => row[3])).toEqual(["/a*", "/*"]);
    expect(view.origins.map(({ pointer }) => pointer.slice(-9))).toEqual(["/routes/0", "/routes/2"]);
  });

  it.each([
    { istioctl: 17, verbose: true, header: ["NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"], rows: 3 },
    { istioctl: 8, verbose: true, header: ["NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"], rows: 3 },
    { istioctl: 7, verbose: true, header: ["NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"], rows: 2 },
    { istioctl: 6, verbose: true, header: ["NAME", "VIRTUAL HOSTS"], rows: 1 },
    { istioctl: 31, verbose: false, header: ["NAME", "VIRTUAL HOSTS"], rows: 1 },
  ])("of 1.$istioctl, verbose $verbose, has the columns $header", ({ istioctl, verbose, header, rows }) => {
    const view = routeView(section, {}, { istioctl, verbose });
    expect(view.header).toEqual(header);
    expect(view.rows).toHaveLength(rows);
    expect(view.rows.every((row) => row.length === header.length)).toBe(true);
  });

  it("counts virtual hosts where it is not verbose", () => {
    const view = routeView(section, {}, brief);
    expect(view.rows).toEqual([["80", "3"]]);
    expect(view.origins[0]?.pointer).toBe("/configs/0/dynamic_route_configs/0/route_config");
  });

  it("has a note up to 1.9", () => {
    const note = "NOTE: This output only contains routes loaded via RDS.";
    expect(routeView(section, {}, { ...newest, istioctl: 9 }).note).toBe(note);
    expect(routeView(section, {}, { ...newest, istioctl: 10 }).note).toBe("");
  });

  it("knows the version of a virtual service's API by the release", () => {
    expect(routeView(section, {}, { ...newest, istioctl: 23 }).rows[0]?.[4]).toBe("<unknown>");
    expect(routeView(section, {}, { ...newest, istioctl: 24 }).rows[0]?.[4]).toBe("reviews.default");
  });

  it("filters by the exact name", () => {
    const two = dynamic(configuration("80"), configuration("8080"));
    const named = (name: string): string[] =>
      routeView(two, { name }, brief).rows.map(([shown = ""]) => shown);
    expect(named("80")).toEqual(["80"]);
    expect(named("8")).toEqual([]);
    expect(named("")).toEqual(["80", "8080"]);
    expect(routeView(two, { name: "80" }, brief).json).toEqual([{ name: "80", virtualHosts: [] }]);
  });

  it("orders numbers that stand beside each other, and nothing else", () => {
    const names = (...given: readonly string[]): string[] =>
      routeView(dynamic(...given.map((name) => configuration(name))), {}, brief).rows.map(
        ([name = ""]) => name,
      );
    expect(names("8080", "443", "80")).toEqual(["80", "443", "8080"]);
    expect(names("8080", "b", "443", "80", "a")).toEqual(["8080", "b", "80", "443", "a"]);
  });

  it("puts dynamic ones before static ones", () => {
    const view = routeView(
      sectionOf({
        static_route_configs: [configuration("s")],
        dynamic_route_configs: [configuration("d")],
      }),
      {},
      brief,
    );
    expect(view.rows).toEqual([
      ["d", "0"],
      ["s", "0"],
    ]);
  });

  it("names the kind in proxy-config all, since 1.19, after sorting", () => {
    const two = dynamic(configuration("443"), configuration("80"));
    const named = (istioctl: number): string[] =>
      routeView(two, {}, { istioctl, verbose: false, prefixed: true }).rows.map(([name = ""]) => name);
    expect(named(19)).toEqual(["route/80", "route/443"]);
    expect(named(18)).toEqual(["80", "443"]);
  });

  it("is empty where the section is", () => {
    expect(routeView(sectionOf({}), {}, newest)).toMatchObject({ rows: [], origins: [], json: [] });
  });

  it("knows API v2", () => {
    const view = routeView(
      dynamic({
        route_config: {
          "@type": "type.googleapis.com/envoy.api.v2.RouteConfiguration",
          name: "80",
          virtualHosts: [host("a", ["*"], to("a", { match: { regex: "/a.*" } }))],
        },
      }),
      {},
      newest,
    );
    expect(view.rows).toEqual([["80", "a", "*", "regex /a.*", ""]]);
    expect(view.json).toMatchObject([{ name: "80", virtualHosts: [{ name: "a" }] }]);
  });

  it("is not led astray by hosts and routes of another shape", () => {
    const section = dynamic({
      route_config: {
        ...aResource("routeConfiguration", "80"),
        virtual_hosts: [null, { domains: "*", routes: [7, to("a")] }],
      },
    });
    const view = routeView(section, {}, newest);
    expect(view.rows).toEqual([["80", "", "", "/*", ""]]);
    expect(view.origins[0]?.pointer).toMatch(/\/virtual_hosts\/1\/routes\/1$/);
  });
});

describe("the match of a route", () => {
  it.each([
    { match: { prefix: "/a" }, shown: "/a*" },
    { match: { path: "/a" }, shown: "/a" },
    { match: { safe_regex: { google_re2: {}, regex: "/a.*" } }, shown: "regex /a.*" },
    { match: { path_separated_prefix: "/a" }, shown: "PathPrefix:/a" },
    { match: { path_separated_prefix: "/a" }, istioctl: 20, shown: "" },
    { match: { path_separated_prefix: "/a" }, istioctl: 21, shown: "PathPrefix:/a" },
    { match: { prefix: "/a", headers: [{ name: "x" }] }, shown: "/a*" },
    { match: { connect_matcher: {} }, shown: "" },
    { match: undefined, shown: "" },
  ])("$match -> $shown", ({ match, istioctl = newestIstioctl, shown }) => {
    expect(describeMatch(match, istioctl)).toBe(shown);
  });
});

describe("the domains of a virtual host", () => {
  const service = ["a.b.svc.cluster.local", "a", "a.b.svc", "a.b", "10.0.0.1"];
  it.each([
    { domains: [], shown: "", because: "there is none" },
    { domains: ["a:80"], shown: "a:80", because: "the only one" },
    { domains: ["a", "b"], shown: "a, b", because: "two" },
    { domains: ["a", "b", "c"], shown: "a, b + 1 more...", because: "more than two" },
    { domains: service, shown: "a, a.b + 1 more...", because: "the long forms of a.b are dropped" },
    {
      domains: ["a.b.svc.cluster.local", "a.b.svc"],
      shown: "a.b.svc.cluster.local, a.b.svc",
      because: "just .svc is no shorter form of it",
    },
    { domains: ["a.b.svc", "a.b"], shown: "a.b", because: "but a.b is one of a.b.svc" },
    {
      domains: ["a.b.svc.cluster.local", "c"],
      shown: "a.b.svc.cluster.local, c",
      because: "no shorter form",
    },
    { domains: ["a", "a:80"], shown: "a", because: "those with a port are dropped" },
    { domains: ["a:80", "b:80"], shown: "", because: "even all of them" },
    { domains: ["[fd00:10:96::1]", "a"], shown: "[fd00:10:96::1], a", because: "IPv6 without a port" },
    { domains: ["[fd00:10:96::1]:80", "a"], shown: "a", because: "IPv6 with a port" },
    { domains: ["[fd00:10:96::1]", "a"], istioctl: 13, shown: "a", because: "no IPv6 before 1.14" },
    { domains: service, istioctl: 11, shown: "a, a.b + 1 more...", because: "since 1.11" },
    { domains: service, istioctl: 10, shown: "a", because: "the shortest, up to 1.10" },
    { domains: ["reviews", "10.0.0.1", "1"], istioctl: 10, shown: "reviews", because: "no digit first" },
    {
      domains: ["10.0.0.1", "reviews.default"],
      istioctl: 10,
      shown: "10.0.0.1",
      because: "but for the first",
    },
  ])("$domains -> $shown: $because", ({ domains, istioctl = newestIstioctl, shown }) => {
    expect(describeDomains(domains, istioctl)).toBe(shown);
  });
});
