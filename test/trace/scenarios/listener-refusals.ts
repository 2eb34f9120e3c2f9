/** Listeners and policies that Envoy refuses: a snapshot cannot hold them. */
import {
  chain,
  downstreamTls,
  extension,
  httpManager,
  listener,
  route,
  routeConfig,
  socketAddress,
  tcpProxy,
  virtualHost,
} from "../../support/judge/messages.js";
import { certificateFolder } from "../../support/judge/certificates.js";
import type { JudgedConfiguration } from "../../support/judge/judged-configuration.js";
import type { JsonObject } from "../../support/mesh/json.js";
import type { Refusal } from "./refusals.js";

const matching = (...matches: readonly JsonObject[]): JudgedConfiguration => ({
  listeners: [
    listener(
      "refused",
      matches.map((match, index) => chain(`chain ${index}`, [tcpProxy("echo")], match)),
    ),
  ],
});
const virtual = (name: string, port: number): JsonObject =>
  listener(name, [chain("tcp", [tcpProxy("echo")])], {
    address: socketAddress("10.0.0.5", port),
    bind_to_port: false,
  });
const filtered = (...filters: readonly JsonObject[]): JudgedConfiguration => ({
  listeners: [listener("refused", [chain("tcp", filters)])],
});
const policies = (permission: JsonObject): JudgedConfiguration => ({
  listeners: [
    listener("refused", [
      chain("http", [
        httpManager(routeConfig([virtualHost("all", ["*"], [route("r")])]), [
          extension("rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", {
            rules: { policies: { p: { permissions: [permission], principals: [{ any: true }] } } },
          }),
        ]),
      ]),
    ]),
  ],
});
const pinned = (validation: JsonObject): JudgedConfiguration => {
  const { transport_socket: socket } = downstreamTls() as { transport_socket: JsonObject };
  const config = socket["typed_config"] as JsonObject;
  const common = config["common_tls_context"] as JsonObject;
  return {
    listeners: [
      listener("refused", [
        chain("tls", [tcpProxy("echo")], null, {
          transport_socket: {
            ...socket,
            typed_config: { ...config, common_tls_context: { ...common, validation_context: validation } },
          },
        }),
      ]),
    ],
  };
};

export const listenerRefusals: readonly Refusal[] = [
  {
    name: "two listeners of one address",
    facts: "2.2",
    refused: { listeners: [virtual("one", 80), virtual("other", 80)] },
    says: /duplicate address/,
    taken: { listeners: [virtual("one", 80), virtual("other", 81)] },
  },
  {
    name: "a server name that is a star alone",
    facts: "3.2",
    refused: matching({ server_names: ["*"] }),
    says: /partial wildcards are not supported/,
    taken: matching({ server_names: ["*.com"] }),
  },
  {
    name: "a star in the middle of a server name",
    facts: "3.2",
    refused: matching({ server_names: ["a.*.com"] }),
    says: /partial wildcards are not supported/,
    taken: matching({ server_names: ["a.b.com"] }),
  },
  {
    name: "the suffix of an address",
    facts: "3.2",
    refused: matching({ address_suffix: "1.2.3.4", suffix_len: 8 }),
    says: /not.implemented|unimplemented/i,
    taken: matching({ prefix_ranges: [{ address_prefix: "1.2.3.4", prefix_len: 8 }] }),
  },
  {
    name: "chains that overlap in one of their combinations",
    facts: "3.2",
    refused: matching(
      { source_ports: [1, 2], prefix_ranges: [{ address_prefix: "10.0.0.1", prefix_len: 8 }] },
      { source_ports: [2, 3], prefix_ranges: [{ address_prefix: "10.0.0.1", prefix_len: 8 }] },
    ),
    says: /overlapping matching rules/,
    taken: matching(
      { source_ports: [1, 2], prefix_ranges: [{ address_prefix: "10.0.0.1", prefix_len: 8 }] },
      { source_ports: [3], prefix_ranges: [{ address_prefix: "10.0.0.1", prefix_len: 8 }] },
    ),
  },
  {
    name: "a chain that nothing ends",
    facts: "8",
    refused: filtered(
      extension("rbac", "envoy.extensions.filters.network.rbac.v3.RBAC", { stat_prefix: "judge" }),
    ),
    says: /non-terminal filter/,
    taken: filtered(tcpProxy("echo")),
  },
  {
    name: "a range of ports that is empty",
    facts: "10.1",
    refused: policies({ destination_port_range: { start: 81, end: 81 } }),
    says: /range start 81 cannot be greater or equal than range end 81/,
    taken: policies({ destination_port_range: { start: 81, end: 82 } }),
  },
  {
    name: "names of certificates without a root",
    facts: "3",
    refused: pinned({ match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: "a" } }] }),
    says: /without trusted CA is insecure/,
    taken: pinned({
      match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: "a" } }],
      trusted_ca: { filename: `${certificateFolder}/ca.pem` },
    }),
  },
];
