import { describe, expect, it } from "vitest";

import { originalDestination } from "../../../src/trace/cluster/original-dst.js";
import { aContext } from "./builders.js";

const context = aContext();
const withHeader = (value: string, name = "x-envoy-original-dst-host") =>
  aContext({ headers: [...context.headers, [name, value]] });
const cluster = (original_dst_lb_config: object) => ({
  name: "c",
  type: "ORIGINAL_DST",
  original_dst_lb_config,
});
const byHeader = cluster({ use_http_header: true });

describe("the original destination", () => {
  it("is where the connection was going", () => {
    expect(originalDestination({ name: "c" }, context, true)).toEqual({
      kind: "host",
      address: { ip: "10.1.0.1", port: 9080 },
      by: "connection",
    });
  });

  it("is none where nothing was restored", () => {
    expect(originalDestination({ name: "c" }, context, false)).toEqual({ kind: "none" });
    const internal = aContext({ connection: { ...context.connection, destination: null } });
    expect(originalDestination({ name: "c" }, internal, true)).toEqual({ kind: "none" });
  });

  it("is what the first header line names, where headers may", () => {
    expect(originalDestination(byHeader, withHeader("10.9.9.9:80"), false)).toMatchObject({
      address: { ip: "10.9.9.9", port: 80 },
      by: "header",
    });
    expect(originalDestination({ name: "c" }, withHeader("10.9.9.9:80"), true)).toMatchObject({
      by: "connection",
    });
    expect(originalDestination(byHeader, withHeader("nonsense"), true)).toMatchObject({ by: "connection" });
    const named = cluster({ use_http_header: true, http_header_name: "X-To" });
    expect(originalDestination(named, withHeader("10.9.9.9:80", "x-to"), false)).toMatchObject({
      by: "header",
    });
  });

  it("is what filter state names, before anything else", () => {
    const filterState = new Map([["envoy.network.transport_socket.original_dst_address", "[fd00::1]:15008"]]);
    expect(originalDestination(byHeader, { ...withHeader("10.9.9.9:80"), filterState }, true)).toMatchObject({
      address: { ip: "fd00::1", port: 15008 },
      by: "filter state",
    });
  });

  it("is what metadata names, unknown where filters may have set it", () => {
    const keyed = cluster({ metadata_key: { key: "f", path: [{ key: "to" }] } });
    const set = aContext({ dynamicMetadata: new Map([["f", { to: "10.8.8.8:1" }]]) });
    expect(originalDestination(keyed, set, true)).toMatchObject({
      address: { ip: "10.8.8.8", port: 1 },
      by: "metadata",
    });
    expect(originalDestination(keyed, context, true)).toMatchObject({ by: "connection" });
    expect(originalDestination(keyed, aContext({ isComplete: false }), true)).toMatchObject({
      kind: "unknown",
      because: { reason: "dynamic metadata" },
    });
  });

  it("may get another port", () => {
    expect(originalDestination(cluster({ upstream_port_override: 15008 }), context, true)).toMatchObject({
      address: { ip: "10.1.0.1", port: 15008 },
    });
  });
});
