import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { deliveredReply } from "../../../src/trace/filters/delivered-reply.js";
import { localReply, type LocalReply } from "../../../src/trace/filters/local-reply.js";
import type { MatchContext } from "../../../src/trace/match-context.js";
import { aContext, headersOf, theRuntime } from "./filter-builders.js";

const denied = localReply(403, "rbac_access_denied_matched_policy[none]", { body: "RBAC: access denied" });
const grpc = headersOf({ "content-type": "application/grpc" });
const deliver = (
  mappers: readonly Message[],
  reply: LocalReply = denied,
  own: Partial<MatchContext> = {},
  received = headersOf(),
): ReturnType<typeof deliveredReply> =>
  deliveredReply(reply, received, aContext(own), { local_reply_config: { mappers } });
const status = (filter: Message, ...rest: [LocalReply?, Partial<MatchContext>?]): number =>
  deliver([{ filter, status_code: 418 }], ...rest).reply.status;
const comparison = (op: string | undefined, default_value: number): Message => ({
  status_code_filter: {
    comparison: { ...(op === undefined ? {} : { op }), value: { default_value, runtime_key: "k" } },
  },
});

describe("to gRPC", () => {
  it.each([
    [400, "13"],
    [401, "16"],
    [403, "7"],
    [404, "12"],
    [429, "14"],
    [503, "14"],
    [500, "2"],
    [418, "2"],
  ])("%i is a 200 with the status %s", (own, grpcStatus) => {
    const { reply } = deliver([], localReply(own, "x"), {}, grpc);
    expect(reply.status).toBe(200);
    expect(reply.headers).toEqual([
      ["content-type", "application/grpc"],
      ["grpc-status", grpcStatus],
    ]);
    expect(deliver([], localReply(own, "x")).reply.status).toBe(own);
  });

  it("the sender's own status counts, and its body is the message", () => {
    const { reply } = deliver([], localReply(200, "x", { grpcStatus: 5, body: "b" }), {}, grpc);
    expect(reply.headers.slice(1)).toEqual([
      ["grpc-status", "5"],
      ["grpc-message", "b"],
    ]);
  });

  it.each([
    ["application/grpc+proto", 200],
    ["application/grpc-web", 403],
    ["application/grpc;x", 403],
  ])("%s: %i", (type, wanted) => {
    expect(deliver([], denied, {}, headersOf({ "content-type": type })).reply.status).toBe(wanted);
  });

  it("the mapped status is what is turned", () => {
    const { reply } = deliver([{ filter: comparison("EQ", 403), status_code: 404 }], denied, {}, grpc);
    expect(reply.headers[1]).toEqual(["grpc-status", "12"]);
  });
});

describe("a mapper", () => {
  it("changes status, body and headers, and leaves flags and details", () => {
    const mapper = {
      filter: comparison("EQ", 403),
      status_code: 418,
      body: { inline_string: "hey" },
      headers_to_add: [{ header: { key: "x-l", value: "1" } }],
    };
    expect(deliver([mapper]).reply).toEqual({
      ...denied,
      status: 418,
      body: "hey",
      headers: [
        ["x-l", "1"],
        ["content-type", "text/plain"],
      ],
    });
  });

  it("is the first whose condition holds", () => {
    const mappers = [418, 419].map((status_code) => ({ filter: comparison("EQ", 403), status_code }));
    expect(deliver(mappers).reply.status).toBe(418);
    expect(deliver([{ filter: comparison("GE", 500), status_code: 1 }, ...mappers]).reply.status).toBe(418);
    expect(deliver([{ status_code: 418 }]).reply.status).toBe(403);
  });

  it("does not see an answer that a filter encodes itself", () => {
    const cors = localReply(200, "cors_response", { isFinal: true });
    expect(status(comparison("EQ", 200), cors)).toBe(200);
    expect(status(comparison("EQ", 200), localReply(200, "x"))).toBe(418);
  });

  it("does not tell the body of a file", () => {
    const mapper = { filter: comparison("EQ", 403), body: { filename: "/x" } };
    expect(deliver([mapper]).because).toMatchObject([{ reason: "not captured" }]);
    expect(deliver([{ filter: comparison("EQ", 403) }]).because).toEqual([]);
  });
});

describe("conditions of mappers", () => {
  it.each([
    [undefined, 403, 418],
    ["EQ", 404, 403],
    ["GE", 403, 418],
    ["GE", 404, 403],
    ["LE", 403, 418],
    ["LE", 402, 403],
    ["NE", 402, 418],
    ["NE", 403, 403],
  ])("403 is %s %i: %i", (op, value, wanted) => {
    expect(status(comparison(op, value))).toBe(wanted);
  });

  it("of a status follow the runtime", () => {
    expect(status(comparison("EQ", 403), denied, { runtime: theRuntime({ k: 404 }) })).toBe(403);
  });

  const flagged = localReply(503, "cluster_not_found", { responseFlags: ["NC"] });
  it.each<[string, Message, LocalReply, boolean]>([
    ["a flag", { response_flag_filter: { flags: ["NC", "NR"] } }, flagged, true],
    ["another flag", { response_flag_filter: { flags: ["UH"] } }, flagged, false],
    ["any flag", { response_flag_filter: {} }, flagged, true],
    ["no flag", { response_flag_filter: {} }, denied, false],
    ["gRPC's status", { grpc_status_filter: { statuses: ["PERMISSION_DENIED"] } }, denied, true],
    ["another of gRPC's", { grpc_status_filter: { statuses: ["OK"] } }, denied, false],
    ["all but one of gRPC's", { grpc_status_filter: { statuses: ["OK"], exclude: true } }, denied, true],
    ["no health check", { not_health_check_filter: {} }, denied, true],
    ["a health check", { not_health_check_filter: {} }, { ...denied, isHealthCheck: true }, false],
    [
      "a header",
      { header_filter: { header: { name: ":path", string_match: { exact: "/" } } } },
      denied,
      true,
    ],
    ["another header", { header_filter: { header: { name: "x", present_match: true } } }, denied, false],
    ["all", { and_filter: { filters: [comparison("GE", 1), comparison("LE", 999)] } }, denied, true],
    ["not all", { and_filter: { filters: [comparison("GE", 1), comparison("LE", 9)] } }, denied, false],
    ["one", { or_filter: { filters: [comparison("LE", 1), comparison("GE", 9)] } }, denied, true],
    ["none", { or_filter: { filters: [comparison("LE", 1)] } }, denied, false],
    ["a fraction", { runtime_filter: { percent_sampled: { numerator: 100 } } }, denied, true],
    ["no fraction", { runtime_filter: { percent_sampled: { numerator: 0 } } }, denied, false],
    ["a type of log", { log_type_filter: { types: ["NotSet"] } }, denied, true],
    ["another type of log", { log_type_filter: { types: ["TcpPeriodic"] } }, denied, false],
  ])("%s", (_, filter, reply, holds) => {
    expect(status(filter, reply)).toBe(holds ? 418 : reply.status);
  });

  it("of metadata hold where it is not set, unless they are told not to", () => {
    const matcher = { filter: "n", path: [{ key: "k" }], value: { string_match: { exact: "v" } } };
    const set = (value: string): Partial<MatchContext> => ({
      dynamicMetadata: new Map([["n", { k: value }]]),
    });
    const filter = { metadata_filter: { matcher } };
    expect(status(filter)).toBe(418);
    expect(status({ metadata_filter: { matcher, match_if_key_not_found: false } })).toBe(403);
    expect(status(filter, denied, set("v"))).toBe(418);
    expect(status(filter, denied, set("w"))).toBe(403);
  });

  it.each<Message>([
    { duration_filter: {} },
    { traceable_filter: {} },
    { extension_filter: { name: "cel" } },
    { runtime_filter: { percent_sampled: { numerator: 50 } } },
  ])("that are not evaluated leave the reply as it is, and say so: %j", (filter) => {
    const { reply, because } = deliver([{ filter, status_code: 418 }]);
    expect(reply.status).toBe(403);
    expect(because).toHaveLength(1);
  });

  it("nest without end: left open", () => {
    let filter: Message = comparison("EQ", 403);
    for (let depth = 0; depth < 10_000; depth++) filter = { and_filter: { filters: [filter] } };
    expect(deliver([{ filter, status_code: 418 }]).because).toMatchObject([{ reason: "limit" }]);
  });
});
