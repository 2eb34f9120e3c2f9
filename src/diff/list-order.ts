/**
 * Lists whose order Envoy ignores, put in an order of their own. Every list that is not here keeps its order: routes,
 * filters, matchers, header changes.
 */
import { addressOf, localityOf } from "./item-names.js";
import { canonicalText, isObject, type JsonValue } from "../shared/json-value.js";

/** What a list is sorted by. */
type Key = (item: JsonValue) => string;

const whole: Key = canonicalText;

/** By members, so that an item keeps its place when something else in it changes; the rest settles what they do not. */
const byMembers =
  (...names: readonly string[]): Key =>
  (item) => {
    const members = names.map((name) => (isObject(item) ? canonicalText(item[name] ?? null) : ""));
    return [...members, whole(item)].join("\u0000");
  };

const named = byMembers("name");
// as changes name them, so that what has one name in two lists has one place in both
const hosts: Key = (item) => `${addressOf(item) ?? ""}\u0000${whole(item)}`;
const localities: Key = (item) => {
  const priority = isObject(item) ? Number(item["priority"] ?? 0) : 0;
  return `${String(priority).padStart(4, "0")}\u0000${localityOf(item) ?? ""}\u0000${whole(item)}`;
};

const route = "envoy.config.route.v3";
const listener = "envoy.config.listener.v3";

/** By the v3 name of the message, the lists in it. */
export const unorderedLists: ReadonlyMap<string, ReadonlyMap<string, Key>> = new Map(
  Object.entries({
    // virtual hosts are found by their domains, and a domain stands in one of them only
    [`${route}.RouteConfiguration`]: {
      virtual_hosts: named,
      internal_only_headers: whole,
      request_headers_to_remove: whole,
      response_headers_to_remove: whole,
    },
    [`${route}.VirtualHost`]: {
      domains: whole,
      request_headers_to_remove: whole,
      response_headers_to_remove: whole,
    },
    [`${route}.Route`]: { request_headers_to_remove: whole, response_headers_to_remove: whole },
    [`${route}.RetryPolicy`]: { retriable_status_codes: whole },
    [`${route}.RouteMatch`]: { headers: named, query_parameters: named }, // all of them must hold
    // filter chains are chosen by the most specific match, never by their place
    [`${listener}.Listener`]: { filter_chains: byMembers("name", "filter_chain_match") },
    [`${listener}.FilterChainMatch`]: {
      prefix_ranges: whole,
      server_names: whole,
      application_protocols: whole,
      source_prefix_ranges: whole,
      direct_source_prefix_ranges: whole,
      source_ports: whole,
    },
    "envoy.config.endpoint.v3.ClusterLoadAssignment": { endpoints: localities },
    "envoy.config.endpoint.v3.LocalityLbEndpoints": { lb_endpoints: hosts },
    "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext": {
      match_subject_alt_names: whole,
      match_typed_subject_alt_names: whole,
      verify_certificate_hash: whole,
      verify_certificate_spki: whole,
    },
    "envoy.config.rbac.v3.Policy": { permissions: whole, principals: whole }, // any of them
    "envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector": { keys: whole },
  }).map(([type, lists]) => [type, new Map<string, Key>(Object.entries(lists))]),
);

/** The list in its own order; the same list where its order matters. */
export function orderOf(type: string, fieldName: string, list: readonly JsonValue[]): readonly JsonValue[] {
  const key = unorderedLists.get(type)?.get(fieldName);
  if (key === undefined || list.length < 2) return list;
  return list
    .map((item) => ({ item, key: key(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ item }) => item);
}
