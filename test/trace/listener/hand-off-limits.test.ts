import { expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  takeConnection,
  type ActiveListener,
  type Arrival,
} from "../../../src/trace/listener/listener-choice.js";
import type { ClientBytes } from "../../../src/trace/listener/listener-filters.js";
import { address } from "./builders.js";

const listener = (name: string, message: Message): ActiveListener => ({ name, message });
const at = (ip: string, port: number): Message => ({
  address: { socket_address: { address: ip, port_value: port } },
});
const original = { name: "envoy.filters.listener.original_dst" };
const proxy = { name: "envoy.filters.listener.proxy_protocol" };
const plain: ClientBytes = { proxyHeader: null, tls: null, protocol: "http/1.1" };

const take = (
  listeners: readonly ActiveListener[],
  arrival: Partial<Arrival>,
): ReturnType<typeof takeConnection> =>
  takeConnection(
    listeners,
    {
      at: address("127.0.0.1:15001"),
      originalDestination: null,
      peer: address("10.9.9.9:1"),
      client: plain,
      ...arrival,
    },
    () => null,
    36,
  );

it("a connection that is handed back to the same listener meets its filters twice", () => {
  const capture = listener("capture", { ...at("0.0.0.0", 15001), use_original_dst: true });
  const back = { originalDestination: address("10.0.0.5:15001") };
  expect(take([capture], back)).toMatchObject({
    kind: "taken",
    steps: [{ how: "receives" }, { how: "takes over", listener: "capture" }],
  });
  const reading = listener("reading", { ...capture.message, listener_filters: [proxy] });
  const header = { source: address("10.9.9.9:1"), destination: address("10.0.0.5:15001") };
  expect(take([reading], { client: { ...plain, proxyHeader: header } }).kind).toBe("closed");
  const elsewhere = { ...header, destination: address("10.0.0.5:80") };
  expect(take([reading], { client: { ...plain, proxyHeader: elsewhere } }).kind).toBe("taken");
});

it("an address that is the connection's own is not restored, and not handed on", () => {
  const capture = listener("capture", { ...at("0.0.0.0", 15001), use_original_dst: true });
  const own = take([capture], { originalDestination: address("127.0.0.1:15001") });
  expect(own).toMatchObject({ kind: "taken", socket: { isRestored: false } });
  expect(own.steps).toHaveLength(1);
});

it("what arrives at an internal listener is never handed on", () => {
  const inner = listener("inner", {
    internal_listener: {},
    use_original_dst: true,
    listener_filters: [original],
  });
  const taker = listener("taker", { ...at("10.0.0.5", 80), bind_to_port: false });
  const passed = {
    dynamicMetadata: new Map([["envoy.filters.listener.original_dst", { local: "10.0.0.5:80" }]]),
    filterState: new Map(),
    isComplete: true,
  };
  expect(take([inner, taker], { at: { internalListener: "inner" }, peer: null, passed })).toMatchObject({
    kind: "taken",
    listener: { name: "inner" },
    socket: { destination: address("10.0.0.5:80") },
  });
  const capture = listener("capture", { ...at("0.0.0.0", 15001), use_original_dst: true });
  expect(take([capture, taker], { originalDestination: address("10.0.0.5:80") })).toMatchObject({
    listener: { name: "taker" },
  });
});

it("the client of an internal connection is told by filter state, not by metadata", () => {
  const key = "envoy.filters.listener.original_dst";
  const inner = listener("inner", { internal_listener: {}, listener_filters: [original] });
  const sourceWith = (metadata: Message, filterState: ReadonlyMap<string, string>): unknown => {
    const passed = { dynamicMetadata: new Map([[key, metadata]]), filterState, isComplete: true };
    const taken = take([inner], { at: { internalListener: "inner" }, peer: null, passed });
    return taken.kind === "taken" ? taken.connection.source : taken.kind;
  };
  expect(sourceWith({ remote: "10.0.0.8:1" }, new Map())).toBeNull();
  expect(sourceWith({}, new Map([[`${key}.remote_ip`, "10.0.0.8:1"]]))).toEqual(address("10.0.0.8:1"));
});
