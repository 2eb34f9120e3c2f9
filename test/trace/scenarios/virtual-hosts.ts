/** Section 5 of the facts: which virtual host a request gets. */
import { route, virtualHost } from "../../support/judge/messages.js";
import {
  answered,
  httpScenario,
  noRoute,
  to,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

const host = (name: string, domains: readonly string[], overrides: JsonObject = {}): JsonObject =>
  virtualHost(name, domains, [route(`to ${name}`)], overrides);
const wins = (name: string): Expected => to(`to ${name}`, { virtualHost: name });
const missed: Expected = { ...noRoute, virtualHost: null };

export const virtualHostScenarios: readonly Scenario[] = [
  httpScenario("a virtual host for every domain", "5", {
    virtualHosts: [host("all", ["*"])],
    cases: [
      [{ authority: "any.thing:99" }, wins("all")],
      [{ authority: "" }, wins("all")], // present, though empty
      [{ authority: null }, answered(400, "missing_host_header")],
    ],
  }),
  httpScenario("an exact domain", "5.3", {
    virtualHosts: [host("exact", ["www.foo.com"])],
    cases: [
      [{ authority: "www.foo.com" }, wins("exact")],
      [{ authority: "WWW.Foo.Com" }, wins("exact")],
      [{ authority: "foo.com" }, missed],
      [{ authority: "www.foo.com." }, missed],
      [{ authority: "user@www.foo.com" }, missed],
    ],
  }),
  httpScenario("a domain with capitals", "5", {
    virtualHosts: [host("capitals", ["WWW.Foo.COM", "*.Bar.Com", "Baz.*"])],
    cases: [
      [{ authority: "www.foo.com" }, wins("capitals")],
      [{ authority: "X.bar.cOM" }, wins("capitals")],
      [{ authority: "BAZ.x" }, wins("capitals")],
      [{ authority: "www.fooo.com" }, missed],
    ],
  }),
  httpScenario("suffix beats prefix, exact beats both", "5; 12 #18", {
    virtualHosts: [
      host("suffix", ["*w.example.com"]),
      host("prefix", ["www.example.c*"]),
      host("exact", ["www.example.cc"]),
    ],
    cases: [
      [{ authority: "www.example.com" }, wins("suffix")],
      [{ authority: "www.example.cc" }, wins("exact")],
      [{ authority: "www.example.co" }, wins("prefix")],
      [{ authority: "www.example.c" }, missed],
      [{ authority: "w.example.com" }, missed],
    ],
  }),
  httpScenario("a suffix wildcard stands for at least one character", "5.4; 12 #19", {
    virtualHosts: [host("suffix", ["*.foo.com"])],
    cases: [
      [{ authority: "foo.com" }, missed],
      [{ authority: ".foo.com" }, missed],
      [{ authority: "www.foo.com" }, wins("suffix")],
      [{ authority: "a.b.foo.com" }, wins("suffix")],
      [{ authority: "www.foo.com:80" }, missed],
    ],
  }),
  httpScenario("the longest suffix wins, wherever it stands", "5.4", {
    virtualHosts: [host("short", ["*.com"]), host("long", ["*.foo.com"]), host("dash", ["*-bar.foo.com"])],
    cases: [
      [{ authority: "a.foo.com" }, wins("long")],
      [{ authority: "a-bar.foo.com" }, wins("dash")],
      [{ authority: "-bar.foo.com" }, wins("long")],
      [{ authority: "a.b.com" }, wins("short")],
    ],
  }),
  httpScenario("prefix wildcards, the longest first", "5.5", {
    virtualHosts: [host("short", ["foo.*"]), host("long", ["foo.bar.*"]), host("net", ["10.0.0.*"])],
    cases: [
      [{ authority: "foo.x" }, wins("short")],
      [{ authority: "foo.bar.x" }, wins("long")],
      [{ authority: "foo.bar." }, wins("short")],
      [{ authority: "foo." }, missed],
      [{ authority: "10.0.0.7:8080" }, wins("net")],
      [{ authority: "foo.x:80" }, wins("short")],
    ],
  }),
  httpScenario("a prefix wildcard loses to a shorter suffix wildcard", "5, class beats length", {
    virtualHosts: [host("suffix", ["*m"]), host("prefix", ["www.example.co*"])],
    cases: [
      [{ authority: "www.example.com" }, wins("suffix")],
      [{ authority: "www.example.cox" }, wins("prefix")],
    ],
  }),
  httpScenario("no port in a domain", "5; 12 #20", {
    virtualHosts: [host("plain", ["www.foo.com"]), host("rest", ["*"])],
    cases: [
      [{ authority: "www.foo.com:8090" }, wins("rest")],
      [{ authority: "www.foo.com" }, wins("plain")],
    ],
  }),
  httpScenario("a port in a domain", "5.3", {
    virtualHosts: [host("ported", ["www.foo.com:8090", "*.bar.com:80"])],
    cases: [
      [{ authority: "www.foo.com:8090" }, wins("ported")],
      [{ authority: "a.bar.com:80" }, wins("ported")],
      [{ authority: "www.foo.com" }, missed],
      [{ authority: "a.bar.com:8" }, missed],
    ],
  }),
  httpScenario("ignore_port_in_host_matching", "5.2; 12 #21", {
    virtualHosts: [host("plain", ["www.foo.com"])],
    routeConfig: { ignore_port_in_host_matching: true },
    cases: [
      [{ authority: "www.foo.com:8090" }, { ...wins("plain"), authority: "www.foo.com:8090" }],
      [{ authority: "www.foo.com:http" }, wins("plain")],
      [{ authority: "www.foo.com:" }, wins("plain")],
      [{ authority: "www.fo.com:8090" }, missed],
    ],
  }),
  httpScenario("IPv6 hosts while ports are ignored", "5.2; 12 #22", {
    virtualHosts: [host("six", ["[12:34:56:7890::]"])],
    routeConfig: { ignore_port_in_host_matching: true },
    cases: [
      [{ authority: "[12:34:56:7890::]:8090" }, wins("six")],
      [{ authority: "[12:34:56:7890::]" }, wins("six")],
      [{ authority: "[12:34:56:7891::]:8090" }, missed],
    ],
  }),
  httpScenario("IPv6 hosts are compared as text", "5", {
    virtualHosts: [host("six", ["[::1]:80"])],
    cases: [
      [{ authority: "[::1]:80" }, wins("six")],
      [{ authority: "[0:0:0:0:0:0:0:1]:80" }, missed],
    ],
  }),
  httpScenario("no fall-through to another virtual host", "5; 12 #24", {
    virtualHosts: [
      virtualHost("narrow", ["a.com"], [route("narrow", { prefix: "/only" })]),
      host("rest", ["*"]),
    ],
    cases: [
      [
        { authority: "a.com", path: "/other" },
        { ...noRoute, virtualHost: "narrow" },
      ],
      [{ authority: "a.com", path: "/only/x" }, to("narrow")],
      [{ authority: "b.com", path: "/other" }, wins("rest")],
    ],
  }),
  httpScenario("require_tls ALL", "5; 12 #25", {
    virtualHosts: [
      virtualHost("tls", ["*"], [route("elsewhere", {}, { redirect: { host_redirect: "else.where" } })], {
        require_tls: "ALL",
      }),
    ],
    cases: [
      [
        { authority: "a.com:81", path: "/p?q=1" },
        { status: 301, location: "https://a.com:81/p?q=1" },
      ],
      [
        { authority: "a.com", headers: [["x-forwarded-proto", "https"]] },
        { status: 301, route: "elsewhere", location: "https://else.where/" },
      ],
    ],
  }),
  httpScenario("require_tls EXTERNAL_ONLY with no internal addresses", "5, 4.5", {
    virtualHosts: [host("tls", ["*"], { require_tls: "EXTERNAL_ONLY" })],
    cases: [
      [{ authority: "a.com" }, { status: 301, location: "https://a.com/" }],
      [
        { authority: "a.com", headers: [["x-envoy-internal", "true"]] },
        { status: 301, location: "https://a.com/" },
      ],
      [{ authority: "a.com", headers: [["x-forwarded-proto", "https"]] }, wins("tls")],
    ],
  }),
  httpScenario("require_tls EXTERNAL_ONLY for an internal request", "5, 4.5; 12 #26", {
    virtualHosts: [host("tls", ["*"], { require_tls: "EXTERNAL_ONLY" })],
    manager: {
      internal_address_config: { cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] },
    },
    cases: [
      [{ headers: [["x-forwarded-for", "10.1.2.3"]] }, wins("tls")],
      [{ headers: [["x-forwarded-for", "11.1.2.3"]] }, { status: 301 }],
      [{ headers: [["x-forwarded-for", "10.1.2.3, 10.1.2.4"]] }, { status: 301 }],
      [{}, { status: 301 }],
    ],
  }),
  httpScenario("a domain of a wildcard at both ends", "5", {
    virtualHosts: [host("odd", ["*.foo.*"]), host("rest", ["*"])],
    cases: [
      [{ authority: "a.foo.com" }, wins("rest")],
      [{ authority: "a.foo.x" }, wins("rest")],
    ],
  }),
  httpScenario("the order of virtual hosts does not count", "5", {
    virtualHosts: [host("rest", ["*"]), host("exact", ["b.com"])],
    cases: [
      [{ authority: "b.com" }, wins("exact")],
      [{ authority: "c.com" }, wins("rest")],
    ],
  }),
];
