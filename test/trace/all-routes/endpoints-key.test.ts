import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { present, type Proxy } from "../../../src/snapshot/model.js";
import { endpointsKey } from "../../../src/trace/all-routes/endpoints-key.js";
import { anAssignment, meshOf } from "../../support/drift-snapshot.js";

const proxyWith = (addresses: readonly string[], hosts?: readonly Message[]): Proxy => {
  const holds = { endpoints: [anAssignment("a", addresses)] };
  const [proxy] = meshOf({ proxies: { "client-1.default": { holds } } }).proxies;
  if (proxy === undefined) throw new Error("no proxy");
  const messages = hosts === undefined ? [] : [{ name: "a", host_statuses: hosts }];
  return hosts === undefined
    ? proxy
    : { ...proxy, clusterStatuses: present({ messages, origins: [{ entry: "clusters", pointer: "" }] }) };
};
const keyOf = (...given: Parameters<typeof proxyWith>): string =>
  endpointsKey(proxyWith(...given))({ name: "a" });
const host = (fields: Message = {}): Message => ({
  address: { socket_address: { address: "10.0.0.2", port_value: 80 } },
  ...fields,
});

describe("endpointsKey", () => {
  it("is one for the same endpoints, another for others", () => {
    expect(keyOf(["10.0.0.2"])).toBe(keyOf(["10.0.0.2"]));
    expect(keyOf(["10.0.0.2"])).not.toBe(keyOf(["10.0.0.3"]));
    expect(endpointsKey(proxyWith(["10.0.0.2"]))({ name: "other" })).not.toBe(keyOf(["10.0.0.2"]));
  });

  it("is one for the same hosts in the same health, whatever they counted", () => {
    const counted = [host({ stats: [{ name: "rq_total", value: "1" }], success_rate: { value: 99 } })];
    expect(keyOf([], [host()])).toBe(keyOf([], counted));
    const ejected = [host({ health_status: { failed_outlier_check: true } })];
    expect(keyOf([], [host()])).not.toBe(keyOf([], ejected));
    expect(keyOf([], [host()])).not.toBe(keyOf([]));
  });

  it("takes the name of the service for the endpoints", () => {
    const cluster = { name: "b", eds_cluster_config: { service_name: "a" } };
    expect(endpointsKey(proxyWith(["10.0.0.2"]))(cluster)).toBe(keyOf(["10.0.0.2"]));
  });
});
