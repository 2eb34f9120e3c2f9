/** Section 4.2 of the facts: what becomes of odd request lines and headers before a route is looked for. */
import { downstreamTls, forward, route } from "../../support/judge/messages.js";
import {
  answered,
  httpScenario,
  noRoute,
  to,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";

/** A stream that ends without a response. */
const cut = (details: string, flag = "DPE"): Expected => ({
  status: null,
  flags: [flag],
  details,
  isReceived: false,
});

/** Answered by the codec: there is no such request. */
const broken = (details: string, more: Expected = {}): Expected =>
  answered(400, details, { flags: ["DPE"], ...more });

const many = (count: number) => Array.from({ length: count }, (_, index) => [`x-${index}`, "1"] as const);

const websocket = (connection: string, upgrade: string) =>
  [
    ["connection", connection],
    ["upgrade", upgrade],
  ] as const;

export const requestLineScenarios: readonly Scenario[] = [
  httpScenario("methods", "4.2.3", {
    routes: [
      route("head", { headers: [{ name: ":method", string_match: { exact: "HEAD" } }] }),
      route("rest"),
    ],
    cases: [
      [{ method: "HEAD" }, { route: "head", status: 200 }],
      [{ method: "DELETE" }, to("rest", { method: "DELETE" })],
      [{ method: "PROPFIND" }, to("rest", { method: "PROPFIND" })],
      [{ method: "get" }, broken("http1.codec_error")],
      [{ method: "FOO" }, broken("http1.codec_error")],
      [{ method: "G@T" }, broken("http1.codec_error")],
      [
        { protocol: "h2", method: "FOO" },
        { route: "rest", cluster: "echo" },
      ],
    ],
  }),
  httpScenario("methods of one's own", "4.2.3", {
    routes: [route("all")],
    manager: { http_protocol_options: { allow_custom_methods: true } },
    cases: [
      [{ method: "get" }, { route: "all", cluster: "echo" }],
      [{ method: "G@T" }, broken("http1.codec_error")],
    ],
  }),
  httpScenario("targets without a slash", "4.2.4", {
    routes: [route("all")],
    cases: [
      [{ path: "x" }, broken("http1.codec_error")],
      [{ path: "?x" }, broken("http1.codec_error")],
      [{ method: "GET", path: "*" }, broken("http1.invalid_url")],
      [{ path: "/?" }, to("all", { path: "/?" })],
      [{ method: "OPTIONS", path: "*x" }, answered(404, "absolute_path_rejected")],
      [{ protocol: "h2", path: "x" }, cut("http2.violation.of.messaging.rule")],
      [{ protocol: "h2", path: "?x" }, cut("http2.violation.of.messaging.rule")],
      [{ protocol: "h2", path: "*" }, cut("http2.violation.of.messaging.rule")],
      [{ protocol: "h2", path: "" }, cut("http2.invalid.header.field")],
      [{ protocol: "h2", path: "/a b" }, cut("http2.invalid.header.field")],
      [{ protocol: "h2", method: "OPTIONS", path: "*" }, answered(404, "absolute_path_rejected")],
      [{ protocol: "h2", path: "/x?y" }, to("all", { path: "/x?y" })],
    ],
  }),
  httpScenario("targets with a scheme", "4.2.1", {
    routes: [
      route("https", { headers: [{ name: ":scheme", string_match: { exact: "https" } }] }),
      route("x", { path: "/x" }),
      route("rest"),
    ],
    cases: [
      [{ path: "HTTP://Abs.com/x" }, to("x", { authority: "Abs.com" })],
      [{ path: "http://abs.com" }, to("rest", { authority: "abs.com", path: "/" })],
      [{ path: "http://abs.com?q" }, answered(404, "absolute_path_rejected")],
      [{ path: "https://abs.com/x" }, to("https", { authority: "abs.com", path: "/x" })],
      [{ path: "ftp://abs.com/x" }, broken("http1.invalid_scheme")],
      [{ path: "http://" }, broken("http1.invalid_url")],
      [{ path: "http:///x" }, broken("http1.invalid_url")],
      [{ path: "http://user@abs.com/x" }, to("x", { authority: "abs.com" })],
      ...[
        "http://a@b@c/x",
        "http://a.com:/x",
        "http://a.com:99999/x",
        "http://a_b.com/x",
        "http://[zz]/x",
      ].map((path): CasePair => [{ path }, broken("http1.invalid_url")]),
      ...["http://a@@b/x", "http://a.com#q", "http:a.com/", "/a b", "/a\tb", "/caf\u00e9"].map(
        (path): CasePair => [{ path }, broken("http1.codec_error")],
      ),
      [{ path: "h2://abs.com/x" }, broken("http1.invalid_scheme")],
      [{ path: "/a\u0001b" }, broken("http1.invalid_characters")],
      [{ path: "http://[::1]:80/x" }, to("x", { authority: "[::1]:80" })],
    ],
  }),
  httpScenario("targets with a scheme are refused", "4.2.1", {
    routes: [route("all")],
    manager: { http_protocol_options: { allow_absolute_url: false } },
    cases: [
      [{ path: "http://abs.com/x" }, answered(404, "absolute_path_rejected")],
      [{ path: "/x" }, to("all")],
    ],
  }),
  httpScenario("an absolute target and no Host header", "4.2.1", {
    routes: [route("all")],
    cases: [
      [{ path: "http://abs.com/x", authority: null }, to("all", { authority: "abs.com" })],
      [{ path: "/x", authority: null }, answered(400, "missing_host_header")],
    ],
  }),
  httpScenario("two Host headers", "4.2", {
    routes: [route("all")],
    cases: [
      [{ authority: "a.com", headers: [["host", "b.com"]] }, to("all", { authority: "a.com,b.com" })],
      [{ authority: "a.com" }, to("all")],
    ],
  }),
  httpScenario("HTTP/2 with a host header", "4.2.1", {
    routes: [
      route("a", { headers: [{ name: ":authority", string_match: { exact: "a.com" } }] }),
      route("b", { headers: [{ name: ":authority", string_match: { exact: "b.com" } }] }),
      route("rest"),
    ],
    cases: [
      [{ protocol: "h2", authority: "a.com", headers: [["host", "b.com"]] }, to("a", { authority: "a.com" })],
      [{ protocol: "h2", authority: null, headers: [["host", "b.com"]] }, to("b", { authority: "b.com" })],
    ],
  }),
  httpScenario("characters of a host", "4.2.3", {
    routes: [route("all")],
    cases: [
      ...["a/b", "a?b", "a#b", "a\\b", 'a"b', "a<b", "a|b", "a^b", "a`b", "a{b", "caf\u00e9"].map(
        (authority): CasePair => [{ authority }, broken("http.invalid_authority")],
      ),
      ...["a~b!$&'()*+,;=", "a%20b", "-", "..", ":80", "[::1", "a@b@c"].map((authority): CasePair => [
        { authority },
        to("all", { authority }),
      ]),
    ],
  }),
  httpScenario("HTTP/2: the target", "4.2", {
    routes: [route("all")],
    cases: [
      [{ protocol: "h2", path: "/a#b" }, answered(400, "path_normalization_failed")],
      [{ protocol: "h2", scheme: "HTTPS" }, to("all")],
      ...["a b", "a/b", "user@a"].map((authority): CasePair => [
        { protocol: "h2", authority },
        cut("http2.invalid.header.field"),
      ]),
      [{ protocol: "h2", method: "G T" }, cut("http2.invalid.header.field")],
      [{ protocol: "h2", authority: "A.com:80" }, to("all", { authority: "A.com:80" })],
    ],
  }),
  httpScenario("a long path", "4.2", {
    routes: [
      route("long", { safe_regex: { regex: "/a{1,30}b?" } }),
      route("prefix", { prefix: `/${"x".repeat(600)}` }),
    ],
    cases: [
      [{ path: `/${"a".repeat(30)}` }, to("long")],
      [{ path: `/${"a".repeat(31)}` }, noRoute],
      [{ path: `/${"x".repeat(1800)}` }, to("prefix")],
      [{ path: `/${"x".repeat(599)}` }, noRoute],
    ],
  }),
  httpScenario("more headers than a request may have", "4.2.3", {
    routes: [route("all")],
    manager: { common_http_protocol_options: { max_headers_count: 20 }, max_request_headers_kb: 2 },
    cases: [
      [{ headers: many(18) }, to("all")], // beside host and the marker
      [{ headers: many(19) }, answered(431, "http1.too_many_headers", { flags: ["DPE"] })],
      [{ headers: [["x", "a".repeat(1900)]] }, to("all")],
      [{ headers: [["x", "a".repeat(2100)]] }, answered(431, "http1.headers_too_large", { flags: ["DPE"] })],
      [{ protocol: "h2", headers: many(15) }, to("all")],
      [{ protocol: "h2", headers: many(16) }, cut("http2.too_many_headers", "DR")],
    ],
  }),
  httpScenario("how a body is announced", "4.2.3", {
    routes: [route("all")],
    cases: [
      [{ headers: [["content-length", "0"]] }, to("all")],
      ...["x", "+0", ""].map((value): CasePair => [
        { headers: [["content-length", value]] },
        broken("http1.codec_error"),
      ]),
      [
        { headers: [["transfer-encoding", "gzip"]] },
        answered(501, "http1.invalid_transfer_encoding", { flags: ["DPE"] }),
      ],
      [
        {
          headers: [
            ["transfer-encoding", "chunked"],
            ["content-length", "5"],
          ],
        },
        broken("http1.content_length_and_chunked_not_allowed"),
      ],
    ],
  }),
  httpScenario("names and values of odd characters", "4.2.3", {
    routes: [route("all")],
    cases: [
      ...["x y", "x(", 'x"', ""].map((name): CasePair => [
        { headers: [[name, "1"]] },
        broken("http1.codec_error"),
      ]),
      [{ headers: [["x'!", "1"]] }, to("all")],
      [{ headers: [["x", "a\u0001"]] }, broken("http1.invalid_characters")],
      [{ headers: [["x", "\u00e9"]] }, to("all")],
    ],
  }),
  httpScenario("names with an underscore", "4.2.3", {
    routes: [route("seen", { headers: [{ name: "x_a", present_match: true }] }), route("rest")],
    cases: [[{ headers: [["x_a", "1"]] }, to("seen")]],
  }),
  httpScenario("names with an underscore are refused", "4.2.3", {
    routes: [route("rest")],
    manager: { common_http_protocol_options: { headers_with_underscores_action: "REJECT_REQUEST" } },
    cases: [
      [{ headers: [["x_a", "1"]] }, broken("http1.unexpected_underscore")],
      [{ protocol: "h2", headers: [["x_a", "1"]] }, cut("http2.unexpected_underscore", "DR")],
      [{ headers: [["x-a", "1"]] }, to("rest")],
    ],
  }),
  httpScenario("names with an underscore are dropped", "4.2.3", {
    routes: [route("seen", { headers: [{ name: "x_a", present_match: true }] }), route("rest")],
    manager: { common_http_protocol_options: { headers_with_underscores_action: "DROP_HEADER" } },
    cases: [
      [{ headers: [["x_a", "1"]] }, to("rest", { headers: { x_a: null } })],
      [{ protocol: "h2", headers: [["x_a", "1"]] }, to("rest", { headers: { x_a: null } })],
    ],
  }),
  httpScenario("blanks around values", "4.2", {
    routes: [
      route("exact", { headers: [{ name: "x", string_match: { exact: "a b" } }] }),
      route("tab", { headers: [{ name: "x", string_match: { exact: "a\tb" } }] }),
      route("rest"),
    ],
    cases: [
      [{ headers: [["x", "  a b \t"]] }, to("exact")],
      [{ headers: [["x", "a\tb"]] }, to("tab")],
      [{ headers: [["x", "a  b"]] }, to("rest")],
      [{ authority: " a.com " }, to("rest", { authority: "a.com" })],
    ],
  }),
  httpScenario("upgrades by odd headers", "4.5, 4.6", {
    routes: [route("upgraded", { headers: [{ name: "upgrade", present_match: true }] }), route("rest")],
    manager: { upgrade_configs: [{ upgrade_type: "websocket" }] },
    cases: [
      [{ headers: websocket("keep-alive, Upgrade", "WebSocket") }, { route: "upgraded", status: 101 }],
      [{ headers: websocket("keep-alive", "websocket") }, to("rest", { headers: { upgrade: null } })],
      [{ headers: [["upgrade", "websocket"]] }, to("rest", { headers: { upgrade: null } })],
      [{ headers: [["connection", "upgrade"]] }, to("rest")],
      [{ headers: websocket("upgrade", "websocket, other") }, answered(403, "upgrade_failed")],
      [{ headers: websocket("upgrade", "other") }, answered(403, "upgrade_failed")],
    ],
  }),
  httpScenario("an upgrade to h2c is passed over", "4.5", {
    routes: [route("upgraded", { headers: [{ name: "upgrade", present_match: true }] }), route("rest")],
    cases: [
      [
        {
          headers: [
            ["http2-settings", "AAMAAABkAAQCAAAAAAIAAAAA"],
            ...websocket("Upgrade, HTTP2-Settings", "h2c"),
          ],
        },
        to("rest"),
      ],
    ],
  }),
  httpScenario("headers that a connection names", "4.5", {
    routes: [route("seen", { headers: [{ name: "x-a", present_match: true }] }), route("rest")],
    cases: [
      [
        {
          headers: [
            ["connection", "x-a"],
            ["x-a", "1"],
          ],
        },
        to("rest", { headers: { "x-a": null } }),
      ],
      [{ headers: [["x-a", "1"]] }, to("seen")],
      [{ headers: [["connection", "close"]] }, to("rest")],
      ...["x-forwarded-for", ":path", "a,b,c,d,e,f,g,h,i,j"].map((tokens): CasePair => [
        { headers: [["connection", tokens]] },
        broken("http1.connection_header_rejected"),
      ]),
      [{ headers: [["connection", "a,b,c,d,e,f,g,h,i"]] }, to("rest")],
      [{ headers: [["connection", "host"]] }, answered(400, "missing_host_header")],
    ],
  }),
  httpScenario("TE in odd forms", "4.5", {
    routes: [route("te", { headers: [{ name: "te", string_match: { exact: "trailers" } }] }), route("rest")],
    cases: [
      [{ headers: [["te", "gzip, trailers"]] }, to("te")],
      [{ headers: [["te", "trailers;q=1"]] }, to("rest")],
      [{ headers: [["te", "Trailers"]] }, to("rest")],
      [
        {
          headers: [
            ["te", "gzip"],
            ["te", "trailers"],
          ],
        },
        to("te"),
      ],
    ],
  }),
  httpScenario("HTTP/1.0 that is accepted", "4.2", {
    routes: [route("all")],
    manager: { http_protocol_options: { accept_http_10: true, default_host_for_http_10: "default.host" } },
    cases: [
      [{ protocol: "http/1.0", authority: null }, to("all", { authority: "default.host" })],
      [{ protocol: "http/1.0", authority: "a.com" }, to("all", { authority: "a.com" })],
      [{ protocol: "http/1.1", authority: null }, answered(400, "missing_host_header")],
    ],
  }),
  httpScenario("CONNECT with and without a port", "4.2, 4.4, 7.2", {
    routes: [forward("connect", { connect_matcher: {} }, { upgrade_configs: [{ upgrade_type: "CONNECT" }] })],
    manager: { strip_any_host_port: true },
    cases: [
      [
        { method: "CONNECT", path: "a.com:443", authority: "a.com:443" },
        { route: "connect", status: 200, authority: "a.com:443" },
      ],
    ],
  }),
  httpScenario("CONNECT: the target is the host", "4.2", {
    routes: [forward("connect", { connect_matcher: {} }, { upgrade_configs: [{ upgrade_type: "CONNECT" }] })],
    cases: [
      [
        { method: "CONNECT", path: "a.com:80", authority: "b.com" },
        { route: "connect", status: 200, authority: "a.com:80" },
      ],
      ...["a.com", "/a", "http://a.com:80/", "a.com:99999"].map((path): CasePair => [
        { method: "CONNECT", path },
        broken("http1.invalid_url"),
      ]),
    ],
  }),
  httpScenario("CONNECT that is not enabled", "4.6", {
    routes: [
      forward(
        "off",
        { connect_matcher: {}, headers: [{ name: "off", present_match: true }] },
        { upgrade_configs: [{ upgrade_type: "CONNECT", enabled: false }] },
      ),
      forward("connect", { connect_matcher: {} }, {}),
    ],
    manager: { upgrade_configs: [{ upgrade_type: "CONNECT" }] },
    cases: [
      [
        { method: "CONNECT", path: "a.com:443", authority: "a.com:443" },
        { route: "connect", status: 200 },
      ],
      [
        { method: "CONNECT", path: "a.com:443", authority: "a.com:443", headers: [["off", "1"]] },
        answered(403, "upgrade_failed", { route: "off" }),
      ],
    ],
  }),
  httpScenario("an upgrade that the manager has switched off", "4.6", {
    routes: [
      forward("on", { prefix: "/on" }, { upgrade_configs: [{ upgrade_type: "WEBSOCKET" }] }),
      route("rest"),
    ],
    manager: { upgrade_configs: [{ upgrade_type: "websocket", enabled: false }] },
    cases: [
      [
        { path: "/on", headers: websocket("upgrade", "websocket") },
        { route: "on", status: 101 },
      ],
      [
        { path: "/x", headers: websocket("upgrade", "websocket") },
        answered(403, "upgrade_failed", { route: "rest" }),
      ],
      [{ path: "/x" }, to("rest")],
    ],
  }),
  httpScenario("an upgrade of a redirect", "4.6", {
    routes: [
      route("redirect", { prefix: "/r" }, { redirect: { host_redirect: "b" } }),
      route("direct", { prefix: "/d" }, { direct_response: { status: 200 } }),
    ],
    cases: [
      [
        { path: "/r", headers: websocket("upgrade", "websocket") },
        answered(403, "upgrade_failed", { route: "redirect" }),
      ],
      [
        { path: "/d", headers: websocket("upgrade", "websocket") },
        answered(403, "upgrade_failed", { route: "direct" }),
      ],
      [{ path: "/d" }, answered(200, "direct_response")],
    ],
  }),
  httpScenario("TLS and a scheme that does not fit", "4.5", {
    routes: [
      route("https", { headers: [{ name: ":scheme", string_match: { exact: "https" } }] }),
      route("http"),
    ],
    chain: downstreamTls({ alpn: ["h2", "http/1.1"] }),
    cases: [
      [{ protocol: "h2", scheme: "http", tls: { alpn: ["h2"] } }, to("http")],
      [{ protocol: "http/1.1", path: "http://judge/x", tls: { alpn: ["http/1.1"] } }, to("http")],
    ],
  }),
];
