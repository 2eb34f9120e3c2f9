/** Sections 4.3 to 4.5 and 5 of the facts, with hosts, paths and forwarding headers that are easily taken wrong. */
import { forward, proxyProtocol, route, virtualHost } from "../../support/judge/messages.js";
import {
  answered,
  httpScenario,
  noRoute,
  to,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

const host = (name: string, domains: readonly string[], overrides: JsonObject = {}): JsonObject =>
  virtualHost(name, domains, [route(`to ${name}`)], overrides);
const wins = (name: string): Expected => to(`to ${name}`, { virtualHost: name });
const missed: Expected = { ...noRoute, virtualHost: null };

const xff = (value: string) => ["x-forwarded-for", value] as const;
const from = (ip: string) => ({ source: { ip, port: 5 }, destination: { ip: "10.0.0.1", port: 81 } });
const behindProxy = { listener: { listener_filters: [proxyProtocol] } };
const tens = { internal_address_config: { cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] } };

/** Whether a request counts as internal, and what is left of it. */
const trust = [
  route("internal", { headers: [{ name: "x-envoy-internal", string_match: { exact: "true" } }] }),
  route("retries", { headers: [{ name: "x-envoy-max-retries", present_match: true }] }),
  route("rest"),
];

export const oddHostScenarios: readonly Scenario[] = [
  httpScenario("an empty host where there are domains", "5", {
    virtualHosts: [host("a", ["a.com"]), host("rest", ["*"])],
    cases: [
      [{ authority: "" }, wins("rest")],
      [{ authority: "a.com" }, wins("a")],
    ],
  }),
  httpScenario("an empty host and no domain for it", "5", {
    virtualHosts: [host("a", ["a.com", "*.b.com", "c.*"])],
    cases: [
      [{ authority: "" }, missed],
      [{ authority: "c.d" }, wins("a")],
    ],
  }),
  httpScenario("domains with several wildcards", "5", {
    virtualHosts: [host("prefix", ["a*b*"]), host("suffix", ["*x*y"]), host("rest", ["*"])],
    cases: [
      [{ authority: "a*bc" }, wins("prefix")],
      [{ authority: "axbc" }, wins("rest")],
      [{ authority: "1x*y" }, wins("suffix")],
      [{ authority: "1xzy" }, wins("rest")],
      [{ authority: "*" }, wins("rest")],
    ],
  }),
  httpScenario("a domain with a wildcard in its middle", "5", {
    virtualHosts: [host("middle", ["a.*.com"]), host("rest", ["*"])],
    cases: [
      [{ authority: "a.b.com" }, wins("rest")],
      [{ authority: "a.*.com" }, wins("middle")],
    ],
  }),
  httpScenario("several domains of one virtual host, of every class", "5", {
    virtualHosts: [host("one", ["a.com", "*.a.com", "a.*", "*"]), host("two", ["b.a.com", "a.b.*"])],
    cases: [
      [{ authority: "b.a.com" }, wins("two")],
      [{ authority: "c.a.com" }, wins("one")],
      [{ authority: "a.b.com" }, wins("two")],
      [{ authority: "a.b.a.com" }, wins("one")],
      [{ authority: "B.A.COM" }, wins("two")],
    ],
  }),
  httpScenario("trailing dots and ports of Istio's domains", "5; 12 #20", {
    virtualHosts: [
      host("svc", [
        "reviews",
        "reviews.default",
        "reviews.default.svc",
        "reviews.default.svc.cluster.local",
        "10.1.2.3",
      ]),
      host("allow", ["*"]),
    ],
    routeConfig: { ignore_port_in_host_matching: true },
    cases: [
      [{ authority: "reviews:9080" }, wins("svc")],
      [{ authority: "reviews.default.svc.cluster.local." }, wins("allow")],
      [{ authority: "reviews.default.svc.cluster.local.:9080" }, wins("allow")],
      [{ authority: "REVIEWS.default:1" }, wins("svc")],
      [{ authority: "10.1.2.3:99999" }, wins("svc")],
      [{ authority: "10.1.2.03" }, wins("allow")],
      [{ authority: "reviews:9080:9081" }, wins("allow")],
      [{ authority: "reviews.other" }, wins("allow")],
    ],
  }),
  httpScenario("ports are ignored, wildcards too", "5.2", {
    virtualHosts: [host("suffix", ["*.foo.com"]), host("prefix", ["bar.*"]), host("ported", ["baz.com:80"])],
    routeConfig: { ignore_port_in_host_matching: true },
    cases: [
      [{ authority: "a.foo.com:80" }, wins("suffix")],
      [{ authority: "bar.x:80" }, wins("prefix")],
      [{ authority: "bar.:80" }, missed], // nothing is left for "*"
      [{ authority: "baz.com:80" }, missed], // the port is cut off the request only
    ],
  }),
  httpScenario("IPv6 hosts in other forms", "5, 5.2", {
    virtualHosts: [host("six", ["[::1]"]), host("wild", ["[2001:*"])],
    routeConfig: { ignore_port_in_host_matching: true },
    cases: [
      [{ authority: "[::1]" }, wins("six")],
      [{ authority: "[::1]:" }, wins("six")],
      [{ authority: "::1" }, missed],
      [{ authority: "[2001:DB8::1]:80" }, wins("wild")],
      [{ authority: "[::1]x:80" }, missed],
    ],
  }),
  httpScenario("IPv6 hosts with capitals", "5", {
    virtualHosts: [host("six", ["[FE80::A]:80"])],
    cases: [
      [{ authority: "[fe80::a]:80" }, wins("six")],
      [{ authority: "[FE80::A]:80" }, wins("six")],
      [{ authority: "[fe80::a]" }, missed],
    ],
  }),
  httpScenario("dots and ports are stripped before the virtual host", "4.2, 4.4, 5", {
    virtualHosts: [host("a", ["a.com"]), host("dotted", ["a.com."]), host("ported", ["a.com:80"])],
    manager: { strip_trailing_host_dot: true, strip_any_host_port: true },
    cases: [
      [{ authority: "a.com.:80" }, { ...wins("a"), authority: "a.com" }],
      [{ authority: "a.com." }, { ...wins("a"), authority: "a.com" }],
      [{ authority: "a.com:080" }, { ...wins("a"), authority: "a.com" }],
      [{ authority: "a.com:http" }, { ...missed }],
    ],
  }),
  httpScenario("host: what counts as a port", "4.4", {
    routes: [route("all")],
    manager: { strip_any_host_port: true },
    cases: (
      [
        ["a.com:0", "a.com"],
        ["a.com:99999", "a.com"],
        ["a.com:4294967296", "a.com:4294967296"],
        ["a.com:+80", "a.com"],
        ["a.com:-80", "a.com:-80"],
        ["a.com:080", "a.com"],
        ["a.com:80x", "a.com:80x"],
        ["a:b:80", "a:b"],
        [":80", ""],
        ["[::1]:80", "[::1]"],
        ["::1", ":"],
        ["[::1", "[:"],
      ] as const
    ).map(([authority, received]): CasePair => [{ authority }, to("all", { authority: received })]),
  }),
  httpScenario("host: dots in odd places", "4.4", {
    routes: [route("all")],
    manager: { strip_trailing_host_dot: true },
    cases: (
      [
        [".", ""],
        ["a.:", "a:"],
        ["a.:x", "a:x"],
        ["a.b:80.", "a.b:80"],
        ["[::1.]", "[::1.]"],
      ] as const
    ).map(([authority, received]): CasePair => [{ authority }, to("all", { authority: received })]),
  }),
  httpScenario("require_tls: words that are nearly https", "5; 12 #25", {
    virtualHosts: [host("tls", ["*"], { require_tls: "ALL" })],
    cases: [
      [
        { headers: [["x-forwarded-proto", "HTTPS"]], authority: "a" },
        { status: 301, location: "https://a/" },
      ],
      [{ headers: [["x-forwarded-proto", "https,http"]], authority: "a" }, { status: 301 }],
      [
        {
          headers: [
            ["x-forwarded-proto", "https"],
            ["x-forwarded-proto", "https"],
          ],
          authority: "a",
        },
        { status: 301 },
      ],
      [{ headers: [["x-forwarded-proto", "wss"]], authority: "a" }, { status: 301 }],
      [{ headers: [["x-forwarded-proto", "https"]], authority: "a" }, wins("tls")],
    ],
  }),
  httpScenario("require_tls: before any route", "5", {
    virtualHosts: [
      virtualHost("tls", ["a.com"], [route("only", { prefix: "/only" })], { require_tls: "ALL" }),
      host("rest", ["*"]),
    ],
    cases: [
      [
        { authority: "a.com", path: "/none" },
        { status: 301, location: "https://a.com/none" },
      ],
      [
        { authority: "a.com", path: "/none", headers: [["x-forwarded-proto", "https"]] },
        { ...noRoute, virtualHost: "tls" },
      ],
      [{ authority: "b.com" }, wins("rest")],
    ],
  }),
  httpScenario("an empty x-forwarded-proto", "5", {
    routes: [route("all")],
    cases: [
      [{ headers: [["x-forwarded-proto", ""]] }, noRoute],
      [{ headers: [["x-forwarded-proto", "gopher"]] }, to("all")],
    ],
  }),
  httpScenario("x-forwarded-proto makes the scheme", "4.5", {
    routes: [
      route("https", { headers: [{ name: ":scheme", string_match: { exact: "https" } }] }),
      route("http", { headers: [{ name: ":scheme", string_match: { exact: "http" } }] }),
      route("rest"),
    ],
    cases: [
      [{ headers: [["x-forwarded-proto", "https"]] }, to("https")],
      [{ headers: [["x-forwarded-proto", "HTTPS"]] }, to("https")],
      [{ headers: [["x-forwarded-proto", "gopher"]] }, to("http")],
      [{ headers: [["x-forwarded-proto", "https,http"]] }, to("http")],
      [{ protocol: "h2", scheme: "ftp" }, to("rest")],
      [{ protocol: "h2", scheme: "http", headers: [["x-forwarded-proto", "https"]] }, to("http")],
    ],
  }),
  httpScenario("scheme_header_transformation over what came", "4.5", {
    routes: [
      route("http", { headers: [{ name: ":scheme", string_match: { exact: "http" } }] }),
      route("rest"),
    ],
    manager: { scheme_header_transformation: { scheme_to_overwrite: "http" } },
    cases: [
      [
        { headers: [["x-forwarded-proto", "https"]] },
        to("http", { headers: { "x-forwarded-proto": "http" } }),
      ],
      [{ protocol: "h2", scheme: "https" }, to("http")],
    ],
  }),
  httpScenario("the forwarded port", "4.5", {
    routes: [
      route("81", { headers: [{ name: "x-forwarded-port", string_match: { exact: "81" } }] }),
      route("rest"),
    ],
    manager: { append_x_forwarded_port: true },
    ...behindProxy,
    cases: [
      [{ proxy: from("10.9.9.9") }, to("81")],
      [
        { proxy: from("10.9.9.9"), headers: [["x-forwarded-port", "443"]] },
        to("rest", { headers: { "x-forwarded-port": "443" } }),
      ],
    ],
  }),
  httpScenario("internal: one address, no hops", "4.5", {
    routes: trust,
    manager: tens,
    cases: [
      [{ headers: [xff("10.1.1.1")] }, to("internal")],
      [{ headers: [xff(" 10.1.1.1 ")] }, to("internal")],
      [{ headers: [xff("10.1.1.1:80")] }, to("rest")],
      [{ headers: [xff("10.1.1.1,")] }, to("rest")],
      [{ headers: [xff(",10.1.1.1")] }, to("rest")],
      [{ headers: [xff("10.1.1.1"), xff("10.1.1.2")] }, to("rest")],
      [{ headers: [xff("nobody")] }, to("rest")],
      [{ headers: [xff("")] }, to("rest")],
      [{ headers: [xff("11.1.1.1"), ["x-envoy-max-retries", "2"]] }, to("rest")],
      [{ headers: [["x-envoy-max-retries", "2"]] }, to("rest")],
    ],
  }),
  httpScenario("internal: by hops it never is", "4.5", {
    routes: trust,
    manager: { ...tens, xff_num_trusted_hops: 1 },
    cases: [
      [{ headers: [xff("10.1.1.1")] }, to("rest")],
      [{ headers: [xff("10.1.1.1, 10.1.1.2")] }, to("rest")],
    ],
  }),
  httpScenario("internal: by the peer, without x-forwarded-for", "4.5", {
    routes: trust,
    manager: { ...tens, use_remote_address: true },
    ...behindProxy,
    cases: [
      [{ proxy: from("10.9.9.9"), headers: [["x-envoy-max-retries", "1"]] }, to("internal")],
      [{ proxy: from("11.9.9.9"), headers: [["x-envoy-max-retries", "1"]] }, to("rest")],
      [{ proxy: from("10.9.9.9"), headers: [xff("10.1.1.1")] }, to("rest")],
      [{ proxy: from("10.9.9.9"), headers: [xff("")] }, to("rest")], // it is there, though empty
    ],
  }),
  httpScenario("control headers from a proxy that is not at the edge", "4.5", {
    routes: trust,
    cases: [
      [{ headers: [["x-envoy-max-retries", "1"]] }, to("rest")],
      [
        {
          headers: [
            ["x-envoy-downstream-service-cluster", "c"],
            ["x-envoy-original-path", "/o"],
          ],
        },
        to("rest", { headers: { "x-envoy-downstream-service-cluster": "c", "x-envoy-original-path": "/o" } }),
      ],
    ],
  }),
  httpScenario("x-forwarded-for that is not appended to", "4.5", {
    routes: [route("all")],
    manager: { use_remote_address: true, skip_xff_append: true },
    ...behindProxy,
    cases: [
      [{ proxy: from("10.9.9.9") }, to("all", { headers: { "x-forwarded-for": null } })],
      [
        { proxy: from("10.9.9.9"), headers: [xff("1.2.3.4")] },
        to("all", { headers: { "x-forwarded-for": "1.2.3.4" } }),
      ],
    ],
  }),
  httpScenario("the address of the client", "4.5", {
    routes: [
      forward("to 11", { headers: [{ name: "x-client", present_match: true }] }, {}),
      route(
        "all",
        {},
        {
          request_headers_to_add: [
            { header: { key: "x-seen", value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" } },
          ],
        },
      ),
    ],
    manager: { use_remote_address: true, xff_num_trusted_hops: 2 },
    ...behindProxy,
    cases: [
      [
        { proxy: from("10.9.9.9"), headers: [xff("1.1.1.1, 2.2.2.2, 3.3.3.3")] },
        to("all", { headers: { "x-seen": "2.2.2.2" } }),
      ],
      [
        { proxy: from("10.9.9.9"), headers: [xff("1.1.1.1")] },
        to("all", { headers: { "x-seen": "10.9.9.9" } }),
      ],
      [{ proxy: from("10.9.9.9") }, to("all", { headers: { "x-seen": "10.9.9.9" } })],
    ],
  }),
  httpScenario("the address of the client behind other proxies", "4.5", {
    routes: [
      route(
        "all",
        {},
        {
          request_headers_to_add: [
            { header: { key: "x-seen", value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" } },
          ],
        },
      ),
    ],
    manager: { xff_num_trusted_hops: 1 },
    ...behindProxy,
    cases: [
      [
        { proxy: from("10.9.9.9"), headers: [xff("1.1.1.1, 2.2.2.2")] },
        to("all", { headers: { "x-seen": "1.1.1.1" } }),
      ],
      [
        { proxy: from("10.9.9.9"), headers: [xff("2.2.2.2")] },
        to("all", { headers: { "x-seen": "10.9.9.9" } }),
      ],
      [
        { proxy: from("10.9.9.9"), headers: [xff("::1, 2.2.2.2")] },
        to("all", { headers: { "x-seen": "::1" } }),
      ],
      [
        { proxy: from("10.9.9.9"), headers: [xff("junk, 2.2.2.2")] },
        to("all", { headers: { "x-seen": "10.9.9.9" } }),
      ],
    ],
  }),
  httpScenario("paths: escapes that are none", "4.3", {
    routes: [route("all")],
    manager: { normalize_path: true },
    cases: (
      [
        ["/a%", "/a%"],
        ["/a%2", "/a%2"],
        ["/a%zz", "/a%zz"],
        ["/%2e", "/"],
        ["/%2E%2e/a", "/a"],
        ["/a/.", "/a/"],
        ["/a/..", "/"],
        ["/a/...", "/a/..."],
        ["/a/.b", "/a/.b"],
        ["/a/..;x/b", "/a/..;x/b"],
        ["/a/%2e%2e%2fb", "/a/..%2fb"],
        ["/./a", "/a"],
        ["//../a", "/a"],
        ["/a//../b", "/a/b"],
        ["/\\a", "//a"],
        ["/a%5cb", "/a%5cb"],
        ["/%7Euser", "/~user"],
        ["/a%20b", "/a%20b"],
        ["/a+b", "/a+b"],
        ["/a|b", "/a%7Cb"],
        ['/a"b', "/a%22b"],
        ["/a?/../b", "/a?/../b"],
        ["/a?x=%2e%2e/", "/a?x=%2e%2e/"],
      ] as const
    ).map(([path, received]): CasePair => [{ path }, to("all", { path: received })]),
  }),
  httpScenario("paths: slashes that are merged after dots", "4.3", {
    routes: [route("a", { path: "/a/b" }), route("rest")],
    manager: { normalize_path: true, merge_slashes: true },
    cases: [
      [{ path: "//a///b" }, to("a")],
      [{ path: "/a//./b" }, to("a")],
      [{ path: "/a/c//../../b" }, to("a")],
      [{ path: "/a/b/" }, to("rest", { path: "/a/b/" })],
      [{ path: "/a/b//" }, to("rest", { path: "/a/b/" })],
      [{ path: "/a/b?c//d" }, to("a", { path: "/a/b?c//d" })],
    ],
  }),
  httpScenario("paths: a redirect comes after normalisation", "4.3", {
    routes: [route("all")],
    manager: {
      path_with_escaped_slashes_action: "UNESCAPE_AND_REDIRECT",
      normalize_path: true,
      merge_slashes: true,
    },
    cases: [
      [{ path: "/a%2F%2Fb%2F..%2fc?d=%2F" }, { status: 307, location: "/a/c?d=%2F", isReceived: false }],
      [{ path: "/a//b" }, to("all", { path: "/a/b" })],
      [
        { path: "/a%2Fb", headers: [["content-type", "application/grpc"]] },
        { status: 200, isReceived: false },
      ],
      [{ path: "/a%2Fb", headers: [["content-type", "application/grpc-web"]] }, { status: 307 }],
    ],
  }),
  httpScenario("paths: a NUL", "4.3", {
    routes: [route("all")],
    manager: { normalize_path: true },
    cases: [
      [{ path: "/a%00" }, answered(400, "path_normalization_failed")],
      [{ path: "/a?b=%00" }, to("all", { path: "/a?b=%00" })],
      [{ path: "/a%2500" }, to("all", { path: "/a%2500" })],
    ],
  }),
];
