import { describe, expect, it } from "vitest";

import { proxyKind } from "../../src/trace/proxy-kind.js";
import { aProxy } from "../support/builders.js";

const capturing = { name: "virtualOutbound", message: { use_original_dst: true } };
const bound = { name: "0.0.0.0_8080", message: { use_original_dst: false } };
const inTunnel = { name: "main_internal", message: { internal_listener: {} } };

describe("what a proxy is", () => {
  it.each([
    ["sidecar", "sidecar"],
    ["router", "gateway"],
    ["waypoint", "waypoint"],
  ] as const)("its node tells: %s is a %s, whatever it listens on", (type, kind) => {
    for (const listeners of [[capturing], [bound], [inTunnel], []])
      expect(proxyKind({ proxy: { ...aProxy("a.default"), type }, listeners })).toEqual({
        kind,
        assumptions: [],
      });
  });

  it.each([
    ["that captures is a sidecar's", [bound, capturing], "sidecar"],
    ["that captures is a sidecar's, though it takes tunnels too", [inTunnel, capturing], "sidecar"],
    ["for what is in tunnels is a waypoint's", [bound, inTunnel], "waypoint"],
    ["of that name with a socket is not for tunnels", [{ ...bound, name: "main_internal" }], "gateway"],
    ["of another kind is a gateway's", [bound], "gateway"],
    ["there is none", [], "gateway"],
  ] as const)("without a node a listener %s", (_, listeners, kind) => {
    const proxy = { ...aProxy("a.default"), type: "unknown" as const };
    expect(proxyKind({ proxy, listeners })).toEqual({
      kind,
      assumptions: [`a.default is taken for a ${kind}, by its listeners: no node tells what it is.`],
    });
  });

  it("nothing is taken for granted of listeners that nobody has seen", () => {
    const proxy = { ...aProxy("a.default"), type: "unknown" as const };
    expect(proxyKind({ proxy, listeners: { reason: "timed out" } }).assumptions).toEqual([]);
  });
});
