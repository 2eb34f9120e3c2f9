import { describe, expect, it } from "vitest";

import type { ServerInfo } from "../../../src/snapshot/model.js";
import { parseServerInfo } from "../../../src/snapshot/parse/server-info.js";

const entry = "proxies/default/a/server_info";
const infoOf = (json: unknown): ServerInfo => parseServerInfo(json, entry);

describe("the version", () => {
  it.each([
    {
      version: "d362e791/1.32.3-dev/Clean/RELEASE/BoringSSL",
      parts: {
        revision: "d362e791",
        version: "1.32.3-dev",
        revisionStatus: "Clean",
        buildType: "RELEASE",
        ssl: "BoringSSL",
      },
      because: "it has five parts today",
    },
    {
      version: "d362e791/1.12.0/Modified/DEBUG",
      parts: {
        revision: "d362e791",
        version: "1.12.0",
        revisionStatus: "Modified",
        buildType: "DEBUG",
        ssl: null,
      },
      because: "old ones have four",
    },
    {
      version: "d362e791/1.30.1/ossm-2.6.1/RELEASE/OpenSSL",
      parts: {
        revision: "d362e791",
        version: "1.30.1",
        revisionStatus: "ossm-2.6.1",
        buildType: "RELEASE",
        ssl: "OpenSSL",
      },
      because: "vendors write other text",
    },
    {
      version: "d362e791/1.30.1/Distribution/RELEASE/BoringSSL-FIPS",
      parts: {
        revision: "d362e791",
        version: "1.30.1",
        revisionStatus: "Distribution",
        buildType: "RELEASE",
        ssl: "BoringSSL-FIPS",
      },
      because: "there are other libraries",
    },
    { version: "1.30.1", parts: null, because: "that is another grammar" },
    { version: "", parts: null, because: "there is none" },
  ])("$version: $because", ({ version, parts }) => {
    expect(infoOf({ version, state: "LIVE" })).toMatchObject({ version, parts });
  });
  it("may be missing", () => {
    expect(infoOf({ state: "LIVE" })).toMatchObject({ version: "", parts: null });
  });
});

describe("the state", () => {
  it.each(["LIVE", "DRAINING", "PRE_INITIALIZING", "INITIALIZING"])("is %s", (state) => {
    expect(infoOf({ state }).state).toBe(state);
  });
  it("is LIVE where proto3 left it out", () => {
    expect(infoOf({ version: "a/b/c/d" }).state).toBe("LIVE");
  });
});

describe("the uptime", () => {
  it.each([
    { json: { uptime_current_epoch: "86401s" }, seconds: 86401 },
    { json: { uptimeCurrentEpoch: "0s" }, seconds: 0 },
    { json: { uptime_current_epoch: "1.500s" }, seconds: 1.5 },
    { json: { uptime_current_epoch: "-1s" }, seconds: null },
    { json: { uptime_current_epoch: "1m" }, seconds: null },
    { json: {}, seconds: null },
  ])("of $json is $seconds seconds", ({ json, seconds }) => {
    expect(infoOf({ state: "LIVE", ...json }).uptimeSeconds).toBe(seconds);
  });
});

describe("the node", () => {
  it("is read where there is one", () => {
    const { node } = infoOf({ state: "LIVE", node: { id: "sidecar~10.0.0.1~a.default~d" } });
    expect(node).toMatchObject({ parts: { proxyId: "a.default" }, origin: { entry, pointer: "/node" } });
  });
  it("is null in old answers", () => {
    expect(infoOf({ state: "LIVE" }).node).toBeNull();
  });
});

describe("what is no server_info", () => {
  it.each([
    { json: {}, says: `${entry}: ` },
    { json: { configs: [] }, says: `${entry}: ` },
    { json: [], says: "must be object" },
    { json: { version: 1 }, says: "/version must be string" },
    { json: { state: "LIVE", node: "a" }, says: "/node must be object" },
    { json: { state: "LIVE", node: {} }, says: "/node/id is missing" },
  ])("is refused: $json", ({ json, says }) => {
    expect(() => infoOf(json)).toThrow(says);
  });
});
