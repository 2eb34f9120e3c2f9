import { describe, expect, it } from "vitest";

import type { Message } from "../../src/snapshot/message.js";
import type { ResolvedHost } from "../../src/trace/cluster/cluster-resolution.js";
import { passedOn } from "../../src/trace/internal-connection.js";
import { setFilterState } from "../../src/trace/network/filter-state-values.js";
import { aSocket } from "./listener/builders.js";

// of a host no more is read than this
const host = { host: { metadata: {} }, transport: { name: "default" } } as unknown as ResolvedHost;

const passed = (...values: Message[]): { state: Record<string, string>; isComplete: boolean } => {
  const { socket } = setFilterState(values, aSocket(), 36);
  const { filterState, isComplete } = passedOn(undefined, host, socket);
  return { state: Object.fromEntries(filterState), isComplete };
};
const value = (object_key: string, text: string, more: Message = {}): Message => ({
  object_key,
  format_string: { text_format_source: { inline_string: text } },
  ...more,
});
const local = "envoy.filters.listener.original_dst.local_ip";

it("filter state goes on to an internal listener where it is shared", () => {
  const once = { shared_with_upstream: "ONCE" };
  expect(passed(value(local, "10.0.0.1:80", once))).toEqual({
    state: { [local]: "10.0.0.1:80" },
    isComplete: true,
  });
  expect(passed(value("own", "1", { shared_with_upstream: "TRANSITIVE" })).state).toEqual({ own: "1" });
});

it("and does not where it is not", () => {
  expect(passed(value(local, "10.0.0.1:80"))).toEqual({ state: {}, isComplete: true });
});

it("nothing tells of what other filters set, but for Istio's keys", () => {
  const state = (key: string): ReturnType<typeof passedOn> =>
    passedOn(undefined, host, { filterState: new Map([[key, "1"]]), isComplete: true });
  expect(state("io.istio.peer_principal")).toMatchObject({ isComplete: true });
  expect(state("io.istio.peer_principal").filterState.size).toBe(1);
  expect(state("other")).toMatchObject({ isComplete: false });
  expect(state("other").filterState.size).toBe(0);
});

it("an empty value is - in the text, or nothing where those are left out", () => {
  const named = "%REQUESTED_SERVER_NAME%";
  const omitted = {
    format_string: { text_format_source: { inline_string: named }, omit_empty_values: true },
  };
  const set = (one: Message): string | undefined =>
    setFilterState([one], aSocket(), 36).socket.filterState.get("key");
  expect(set(value("key", named))).toBe("-");
  expect(set(value("key", named, omitted))).toBe("");
  expect(set(value("key", named, { ...omitted, skip_if_empty: true }))).toBeUndefined();
});

describe("metadata goes on", () => {
  const key = "envoy.filters.listener.original_dst";
  const socketWith = (...passthrough: Message[]): Message => ({
    name: "internal_upstream",
    typed_config: {
      "@type":
        "type.googleapis.com/envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
      passthrough_metadata: passthrough,
    },
  });
  const ofHost = { name: key, kind: { host: {} } };
  const ofCluster = { name: "istio", kind: { cluster: {} } };
  const metadata = { filter_metadata: { istio: { services: ["a"] }, [key]: { local: "no host's" } } };
  const resolved = (own: Message | null, name = "default"): ResolvedHost =>
    ({ host: { metadata: own }, transport: { name } }) as unknown as ResolvedHost;
  const of = (cluster: Message, one: ResolvedHost): ReturnType<typeof passedOn> =>
    passedOn(cluster, one, { filterState: new Map(), isComplete: true });
  const hostMetadata = { [key]: { local: "10.0.0.1:80" }, istio: { workload: "w" } };

  it("of the host and of the cluster, as the socket says", () => {
    const cluster = { metadata, transport_socket: socketWith(ofHost, ofCluster) };
    expect(of(cluster, resolved(hostMetadata)).dynamicMetadata).toEqual(
      new Map<string, unknown>([
        [key, { local: "10.0.0.1:80" }],
        ["istio", { services: ["a"] }],
      ]),
    );
  });

  it("by the socket that matched, not by that of another host", () => {
    const cluster = {
      metadata,
      transport_socket_matches: [
        { name: "hbone", transport_socket: socketWith(ofHost) },
        { name: "other", transport_socket: socketWith() },
      ],
    };
    expect(of(cluster, resolved(hostMetadata, "hbone")).dynamicMetadata.size).toBe(1);
    expect(of(cluster, resolved(hostMetadata, "other")).dynamicMetadata.size).toBe(0);
  });

  it("nothing without such a socket, and nothing that is not there", () => {
    expect(of({ metadata }, resolved(hostMetadata)).dynamicMetadata.size).toBe(0);
    const cluster = { transport_socket: socketWith(ofHost, ofCluster) };
    expect(of(cluster, resolved({})).dynamicMetadata.size).toBe(0);
  });

  it("and is not all of it where the host's metadata was not captured", () => {
    const cluster = { metadata, transport_socket: socketWith(ofHost) };
    expect(of(cluster, resolved(null)).isComplete).toBe(false);
    expect(of(cluster, resolved({})).isComplete).toBe(true);
  });
});
