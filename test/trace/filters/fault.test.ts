import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { evaluateFault } from "../../../src/trace/filters/fault.js";
import type { FilterResult } from "../../../src/trace/filters/filter.js";
import { anEntry, evaluate, headersOf, theRuntime, type Setting } from "./filter-builders.js";

const always: Message = { numerator: 100 };
const abort = (own: Message = {}): Message => ({
  abort: { http_status: 418, percentage: always, ...own },
});
const delay = (own: Message = {}): Message => ({
  delay: { fixed_delay: "0.250s", percentage: always, ...own },
});
const at = (config: Message, setting: Setting = {}, routes: readonly Message[] = []): FilterResult =>
  evaluate(evaluateFault, config, setting, routes);
const sent = (headers: Readonly<Record<string, string>>): Setting => ({ headers: headersOf(headers) });

describe("an abort", () => {
  it("answers with its status", () => {
    expect(at(abort())).toMatchObject({
      decision: "answered",
      reply: { status: 418, detail: "fault_filter_abort", responseFlags: ["FI"], body: "fault filter abort" },
    });
    expect(at({}).decision).toBe("passed");
  });

  it("with a status of gRPC is a 200 of HTTP", () => {
    const { reply } = at({ abort: { grpc_status: 5, percentage: always } });
    expect(reply).toMatchObject({ status: 200, grpcStatus: 5 });
  });

  it.each([
    [undefined, "passed"],
    [{ numerator: 0 }, "passed"],
    [{ numerator: 50 }, "unknown"],
    [{ numerator: 100, denominator: "TEN_THOUSAND" }, "unknown"],
    [{ numerator: 10000, denominator: "TEN_THOUSAND" }, "answered"],
  ])("by a percentage of %j: %s", (percentage: Message | undefined, decision) => {
    expect(at({ abort: { http_status: 418, percentage } }).decision).toBe(decision);
  });

  it("that is drawn hangs on a number of its own, not on the stream's", () => {
    expect(at({ abort: { http_status: 418, percentage: { numerator: 50 } } }, { random: 0n })).toMatchObject({
      decision: "unknown",
      because: [{ reason: "random" }],
    });
  });

  it("follows the runtime: its percentage and its status", () => {
    const off = theRuntime({ "fault.http.abort.abort_percent": 0 });
    expect(at(abort(), { runtime: off }).decision).toBe("passed");
    const status = theRuntime({ "fault.http.abort.http_status": 503 });
    expect(at(abort(), { runtime: status }).reply?.status).toBe(503);
    const own = theRuntime({ own: 0 });
    expect(at({ ...abort(), abort_percent_runtime: "own" }, { runtime: own }).decision).toBe("passed");
  });

  it("may be switched on for clients that name their cluster", () => {
    const client = sent({ "x-envoy-downstream-service-cluster": "c" });
    const none = abort({ percentage: { numerator: 0 } });
    const runtime = theRuntime({ "fault.http.c.abort.abort_percent": 100 });
    expect(at(none, { ...client, runtime }).decision).toBe("answered");
    expect(at(none, { runtime }).decision).toBe("passed");
  });
});

describe("an abort by header", () => {
  const byHeader = { abort: { header_abort: {}, percentage: always } };
  it.each([
    [{}, "passed", undefined],
    [{ "x-envoy-fault-abort-request": "503" }, "answered", 503],
    [{ "x-envoy-fault-abort-request": "99" }, "passed", undefined],
    [{ "x-envoy-fault-abort-request": "600" }, "passed", undefined],
    [{ "x-envoy-fault-abort-request": "abc" }, "passed", undefined],
    [{ "x-envoy-fault-abort-grpc-request": "5" }, "answered", 200],
    [
      { "x-envoy-fault-abort-request": "503", "x-envoy-fault-abort-request-percentage": "0" },
      "passed",
      undefined,
    ],
    [
      { "x-envoy-fault-abort-request": "503", "x-envoy-fault-abort-request-percentage": "500" },
      "answered",
      503,
    ],
    [
      { "x-envoy-fault-abort-request": "503", "x-envoy-fault-abort-request-percentage": "5" },
      "unknown",
      undefined,
    ],
  ])("%j: %s %s", (headers: Readonly<Record<string, string>>, decision, status) => {
    const result = at(byHeader, sent(headers));
    expect([result.decision, result.reply?.status]).toEqual([decision, status]);
  });
});

describe("a delay", () => {
  it("sets its flag, and lets the request pass, or an abort follow", () => {
    expect(at(delay())).toMatchObject({ decision: "passed", changes: { responseFlags: ["DI"] } });
    expect(at({ ...delay(), ...abort() }).reply?.responseFlags).toEqual(["DI", "FI"]);
  });

  it("that is drawn leaves the decision known", () => {
    const half = delay({ percentage: { numerator: 50 } });
    expect(at(half)).toMatchObject({ decision: "passed", because: [{ reason: "random" }] });
    expect(at(half).changes.responseFlags).toEqual([]);
    expect(at({ ...half, ...abort() })).toMatchObject({ decision: "answered", reply: { status: 418 } });
  });

  it.each([
    ["0s", {}, false],
    ["0.0001s", {}, false],
    ["1s", { "fault.http.delay.fixed_duration_ms": 0 }, false],
    ["1s", {}, true],
  ])("of %s with %j: %s", (fixed_delay, values, isDelayed) => {
    const { changes } = at(delay({ fixed_delay }), { runtime: theRuntime(values) });
    expect(changes.responseFlags).toEqual(isDelayed ? ["DI"] : []);
  });

  it("by header needs the header", () => {
    const byHeader = { delay: { header_delay: {}, percentage: always } };
    const asked = sent({ "x-envoy-fault-delay-request": "10" });
    expect(at(byHeader).changes.responseFlags ?? []).toEqual([]);
    expect(at(byHeader, asked).changes.responseFlags).toEqual(["DI"]);
  });
});

describe("the gates", () => {
  it("the route's cluster has to be the one that is named", () => {
    expect(at({ ...abort(), upstream_cluster: "up" }).decision).toBe("answered");
    expect(at({ ...abort(), upstream_cluster: "other" }).decision).toBe("passed");
    expect(at({ ...abort(), upstream_cluster: "up" }, { entry: null }).decision).toBe("passed");
    const direct = anEntry({ route: { direct_response: { status: 200 } }, cluster: "" });
    expect(at({ ...abort(), upstream_cluster: "up" }, { entry: direct }).decision).toBe("passed");
    expect(at(abort(), { entry: direct }).decision).toBe("answered");
    expect(at(abort(), { entry: null }).decision).toBe("answered");
  });

  it("the client has to be one of the nodes", () => {
    const config = { ...abort(), downstream_nodes: ["n1"] };
    expect(at(config).decision).toBe("passed");
    expect(at(config, sent({ "x-envoy-downstream-service-node": "n1" })).decision).toBe("answered");
    expect(at(config, sent({ "x-envoy-downstream-service-node": "n2" })).decision).toBe("passed");
  });

  it("headers have to match", () => {
    const config = { ...abort(), headers: [{ name: "end-user", string_match: { exact: "jason" } }] };
    expect(at(config, sent({ "end-user": "jason" })).decision).toBe("answered");
    expect(at(config).decision).toBe("passed");
  });

  it("there has to be room for one more fault", () => {
    expect(at({ ...abort(), max_active_faults: 0 }).decision).toBe("passed");
    expect(at({ ...abort(), max_active_faults: 5 })).toMatchObject({
      decision: "unknown",
      because: [{ reason: "runtime state" }],
    });
  });

  it("the most specific configuration takes the place of all others", () => {
    expect(at(abort(), {}, [{}]).decision).toBe("passed");
    expect(at({}, {}, [{}, abort()]).decision).toBe("answered");
  });
});
