/** Sections 3 and 10.1 of the facts: what the TLS of a chain takes, and what the client's protocols then mean. */
import {
  chain,
  downstreamTls,
  httpManager,
  listener,
  route,
  routeConfig,
  tcpProxy,
  tlsInspector,
  virtualHost,
} from "../../support/judge/messages.js";
import { certificateFolder } from "../../support/judge/certificates.js";
import {
  scenario,
  through,
  to,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import { isObject, type JsonObject } from "../../support/mesh/json.js";

const refused: Expected = { status: null, isReceived: false };
const client = { tls: { certificate: "client" } } as const;
const stranger = { tls: { certificate: "stranger" } } as const;
const anonymous = { tls: {} } as const;

/** Of a chain, with these in its context, and in what it checks certificates by. */
function tlsWith(context: JsonObject, validation: JsonObject | null): JsonObject {
  const { transport_socket: socket } = downstreamTls();
  const { typed_config: config } = isObject(socket) ? socket : {};
  const { common_tls_context: common } = isObject(config) ? config : {};
  return {
    transport_socket: {
      name: "envoy.transport_sockets.tls",
      typed_config: {
        ...(isObject(config) ? config : {}),
        ...context,
        common_tls_context: {
          ...(isObject(common) ? common : {}),
          ...(validation !== null && { validation_context: validation }),
        },
      },
    },
  };
}
const trusted = { trusted_ca: { filename: `${certificateFolder}/ca.pem` } };
const san = (san_type: string, matcher: JsonObject): JsonObject => ({ san_type, matcher });

const tcp = (name: string, tls: JsonObject, cases: readonly CasePair[]): Scenario =>
  scenario(
    `handshake: ${name}`,
    "3",
    {
      listeners: [
        listener(`handshake: ${name}`, [chain("tls", [tcpProxy("echo")], null, tls)], {
          listener_filters: [tlsInspector],
        }),
      ],
    },
    cases,
  );
const http = (name: string, tls: JsonObject, manager: JsonObject, cases: readonly CasePair[]): Scenario =>
  scenario(
    `handshake: ${name}`,
    "3",
    {
      listeners: [
        listener(
          `handshake: ${name}`,
          [
            chain(
              "tls",
              [httpManager(routeConfig([virtualHost("all", ["*"], [route("r")])]), [], manager)],
              null,
              tls,
            ),
          ],
          { listener_filters: [tlsInspector] },
        ),
      ],
    },
    cases,
  );

export const handshakeScenarios: readonly Scenario[] = [
  tcp(
    "names that a certificate must have",
    tlsWith(
      { require_client_certificate: true },
      {
        ...trusted,
        match_typed_subject_alt_names: [
          san("URI", { prefix: "spiffe://cluster.local/ns/other/" }),
          san("DNS", { exact: "client.judge" }),
        ],
      },
    ),
    [
      [client, through("echo")],
      [anonymous, refused],
    ],
  ),
  tcp(
    "names that the certificate does not have",
    tlsWith(
      { require_client_certificate: true },
      {
        ...trusted,
        match_typed_subject_alt_names: [
          san("URI", { prefix: "spiffe://cluster.local/ns/other/" }),
          san("DNS", { prefix: "spiffe://" }),
        ],
      },
    ),
    [[client, refused]],
  ),
  tcp(
    "names of a certificate that need not be there",
    tlsWith({}, { ...trusted, match_typed_subject_alt_names: [san("URI", { exact: "spiffe://other" })] }),
    [
      [anonymous, refused], // names are asked for, so that there has to be a certificate
      [client, refused],
    ],
  ),
  tcp(
    "certificates that are not trusted and taken",
    tlsWith(
      { require_client_certificate: true },
      { ...trusted, trust_chain_verification: "ACCEPT_UNTRUSTED" },
    ),
    [
      [client, through("echo")],
      [stranger, through("echo")],
      [anonymous, refused],
    ],
  ),
  tcp("certificates that nobody asks for", tlsWith({}, null), [
    [stranger, through("echo")],
    [client, through("echo")],
    [anonymous, through("echo")],
  ]),
  tcp(
    "certificates that are asked for, with nothing to check them by",
    tlsWith({ require_client_certificate: true }, null),
    [
      [client, through("echo")],
      [anonymous, through("echo")],
    ],
  ),
  http("h2 is agreed upon, and spoken", downstreamTls({ alpn: ["h2", "http/1.1"] }), {}, [
    [{ protocol: "h2", tls: { alpn: ["h2"] } }, to("r")],
    [{ tls: { alpn: ["http/1.1"] } }, to("r")],
    [{ tls: {} }, to("r")],
    [{ protocol: "h2", tls: {} }, to("r")],
    [{ tls: { alpn: ["other"] } }, to("r")],
  ]),
  http("a client that would speak h2 and is not asked to", downstreamTls({ alpn: ["http/1.1"] }), {}, [
    // a header that `connection` names does not go on in HTTP/1.1, and would be an error in HTTP/2
    [
      {
        tls: { alpn: ["h2", "http/1.1"] },
        headers: [
          ["connection", "x-hop"],
          ["x-hop", "1"],
        ],
      },
      to("r", { headers: { "x-hop": null } }),
    ],
  ]),
  http("a client that would speak h2 to one that agrees upon nothing", downstreamTls(), {}, [
    [
      {
        tls: { alpn: ["h2", "http/1.1"] },
        headers: [
          ["connection", "x-hop"],
          ["x-hop", "1"],
        ],
      },
      to("r", { headers: { "x-hop": null } }),
    ],
  ]),
  http(
    "a codec that is fixed, whatever is agreed upon",
    downstreamTls({ alpn: ["h2", "http/1.1"] }),
    { codec_type: "HTTP1" },
    [[{ tls: { alpn: ["h2"] } }, to("r")]],
  ),
  http("TLS for one that takes none", {}, {}, [[{ tls: { sni: "a.com" } }, {}]]),
  http("no TLS for one that takes it", downstreamTls(), {}, [[{}, { status: null, isReceived: false }]]),
];
