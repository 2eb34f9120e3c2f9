import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { HeaderList } from "../../../src/trace/request.js";
import type { RouteEntry } from "../../../src/trace/route/route-entry.js";
import {
  mirrorsOf,
  retryPolicy,
  routeTimeout,
  subsetCriteria,
} from "../../../src/trace/route/route-policies.js";
import { aContext, aRequest } from "../requests.js";

const entry = (action: Message, overrides: Partial<RouteEntry> = {}): RouteEntry => ({
  config: {},
  virtualHost: {},
  route: { route: action },
  weighted: null,
  cluster: "c",
  ...overrides,
});
const grpc: HeaderList = [["content-type", "application/grpc"]];

describe("the timeout", () => {
  it.each([
    { action: {}, headers: [], timeout: 15_000, because: "the default" },
    { action: { timeout: "3s" }, headers: [], timeout: 3000, because: "its own" },
    { action: { timeout: "0s" }, headers: [], timeout: null, because: "none" },
    {
      action: { timeout: "3s", max_stream_duration: {} },
      headers: [],
      timeout: null,
      because: "newer settings, even empty ones",
    },
    {
      action: { timeout: "3s" },
      headers: [["x-envoy-upstream-rq-timeout-ms", "50"]],
      timeout: 50,
      because: "the request's",
    },
    {
      action: { timeout: "3s" },
      headers: [["x-envoy-upstream-rq-timeout-ms", "x"]],
      timeout: 3000,
      because: "no number",
    },
    {
      action: { timeout: "3s", max_grpc_timeout: "1s" },
      headers: [...grpc, ["grpc-timeout", "5S"]],
      timeout: 1000,
      because: "capped",
    },
    {
      action: { timeout: "3s", max_grpc_timeout: "0s" },
      headers: [...grpc, ["grpc-timeout", "5S"]],
      timeout: 5000,
      because: "not capped",
    },
    {
      action: { max_grpc_timeout: "9s", grpc_timeout_offset: "1s" },
      headers: [...grpc, ["grpc-timeout", "5S"]],
      timeout: 4000,
      because: "less the offset",
    },
    { action: { max_grpc_timeout: "9s" }, headers: grpc, timeout: 9000, because: "the request has none" },
    {
      action: { timeout: "3s", max_grpc_timeout: "1s" },
      headers: [["grpc-timeout", "5S"]],
      timeout: 3000,
      because: "it is no gRPC",
    },
  ])("of $action with $headers is $timeout: $because", ({ action, headers, timeout }) => {
    expect(routeTimeout(action, headers as HeaderList)).toBe(timeout);
  });
});

describe("retries", () => {
  const policy = { retry_on: "5xx", num_retries: 2, per_try_timeout: "1s", retriable_status_codes: [503] };

  it("are the route's, else the virtual host's", () => {
    const virtualHost = { retry_policy: { retry_on: "reset" } };
    expect(retryPolicy(entry({ retry_policy: policy }, { virtualHost }), [])).toEqual({
      retryOn: "5xx",
      retries: 2,
      perTryTimeout: 1000,
      retriableStatusCodes: [503],
    });
    expect(retryPolicy(entry({}, { virtualHost }), [])).toEqual({
      retryOn: "reset",
      retries: 1,
      perTryTimeout: null,
      retriableStatusCodes: [],
    });
    expect(retryPolicy(entry({}), [])).toBeNull();
  });

  it("are also those that the request asks for", () => {
    const headers: HeaderList = [
      ["x-envoy-retry-on", "reset"],
      ["x-envoy-max-retries", "7"],
    ];
    expect(retryPolicy(entry({ retry_policy: policy }), headers)).toMatchObject({
      retryOn: "5xx,reset",
      retries: 7,
    });
    expect(retryPolicy(entry({}), headers)).toMatchObject({ retryOn: "reset", retries: 7 });
  });
});

describe("mirrors", () => {
  const mirror = (cluster: string, numerator?: number): Message => ({
    cluster,
    ...(numerator === undefined ? {} : { runtime_fraction: { default_value: { numerator } } }),
  });
  const to = (
    action: Message,
    overrides: Partial<RouteEntry> = {},
    random: bigint | null = null,
    method = "GET",
  ) =>
    mirrorsOf(
      entry(action, overrides),
      aContext({ random, headers: aRequest({ method, headers: [["x", "h"]] }) }),
    );
  const levels = {
    virtualHost: { request_mirror_policies: [mirror("host")] },
    config: { request_mirror_policies: [mirror("config")] },
  };

  it.each([
    { action: { request_mirror_policies: [mirror("a"), mirror("b")] }, result: ["a", "b"] },
    { action: {}, result: ["host"] },
  ])("of $action are $result", ({ action, result }) => {
    expect(to(action, levels).map(({ cluster }) => cluster)).toEqual(result);
  });

  it("of the route configuration come last", () => {
    expect(to({}, { config: levels.config })).toEqual([{ cluster: "config", share: 1 }]);
  });

  it("take a share, or what the random number says", () => {
    const action = { request_mirror_policies: [mirror("a", 30), mirror("b", 0)] };
    expect(to(action)).toEqual([{ cluster: "a", share: 0.3 }]);
    expect(to(action, {}, 29n)).toEqual([{ cluster: "a", share: 1 }]);
    expect(to(action, {}, 30n)).toEqual([]);
  });

  it("may be named by a header", () => {
    expect(to({ request_mirror_policies: [{ cluster_header: "X" }] })).toEqual([{ cluster: "h", share: 1 }]);
    expect(to({ request_mirror_policies: [{ cluster_header: "y" }] })).toEqual([]);
  });

  it("are none for CONNECT", () => {
    expect(to({ request_mirror_policies: [mirror("a")] }, {}, null, "CONNECT")).toEqual([]);
  });
});

describe("the subset", () => {
  const match = (criteria: Message, filter = "envoy.lb"): Message => ({
    metadata_match: { filter_metadata: { [filter]: criteria } },
  });

  it("is the route's, over which that of the weighted entry wins", () => {
    expect(subsetCriteria(entry(match({ version: "v1", env: "x" })))).toEqual({ version: "v1", env: "x" });
    expect(
      subsetCriteria(entry(match({ version: "v1", env: "x" }), { weighted: match({ version: "v2" }) })),
    ).toEqual({
      version: "v2",
      env: "x",
    });
    expect(subsetCriteria(entry({}, { weighted: match({ version: "v2" }) }))).toEqual({ version: "v2" });
  });

  it("is none where nothing asks for one, or another filter does", () => {
    expect(subsetCriteria(entry({}))).toBeNull();
    expect(subsetCriteria(entry(match({ version: "v1" }, "istio")))).toBeNull();
  });
});
