import { describe, expect, it } from "vitest";

import { decodedBytes, format, headerFormat, type FormatInput } from "../../../src/trace/route/formatters.js";
import { aContext, aRequest } from "../requests.js";

const context = aContext({
  dynamicMetadata: new Map([["f", { a: { b: "v" }, n: 7 }]]),
  filterState: new Map([["io.istio.peer", "p"]]),
});
const route = { name: "r", metadata: { filter_metadata: { istio: { config: "/apis/x" } } } };
const input: FormatInput = {
  request: aRequest({
    path: "/a?b=c",
    headers: [
      ["x", "1"],
      ["x", "2"],
    ],
  }),
  response: null,
  context,
  entry: { config: {}, virtualHost: {}, route, weighted: null, cluster: "c" },
};

describe("a format", () => {
  it.each([
    { template: "plain", text: "plain" },
    { template: "", text: "" },
    { template: "100%%", text: "100%" },
    { template: "[%REQ(X)%]", text: "[1]" },
    { template: "%REQ(y?x)%", text: "1" },
    { template: "%REQ(y)%", text: "" },
    { template: "%REQ(:PATH):3%", text: "/a?" },
    { template: "%REQ_WITHOUT_QUERY(:path)%", text: "/a" },
    { template: "%PROTOCOL%", text: "HTTP/1.1" },
    { template: "%DOWNSTREAM_REMOTE_ADDRESS%", text: "10.1.2.3:40000" },
    { template: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", text: "10.1.2.3" },
    { template: "%DOWNSTREAM_REMOTE_PORT%", text: "40000" },
    { template: "%DOWNSTREAM_LOCAL_ADDRESS%", text: "10.0.0.1:80" },
    { template: "%DOWNSTREAM_LOCAL_PORT%", text: "80" },
    { template: "%DOWNSTREAM_PEER_URI_SAN%", text: "" },
    { template: "%REQUESTED_SERVER_NAME%", text: "" },
    { template: "%DYNAMIC_METADATA(f:a:b)%", text: "v" },
    { template: '%DYNAMIC_METADATA(["f", "a", "b"])%', text: "v" },
    { template: "%DYNAMIC_METADATA(f:n)%", text: "7" },
    { template: "%DYNAMIC_METADATA(f:a)%", text: '{"b":"v"}' },
    { template: "%DYNAMIC_METADATA(g:a)%", text: "" },
    { template: "%FILTER_STATE(io.istio.peer:PLAIN)%", text: "p" },
    { template: "%PER_REQUEST_STATE(io.istio.peer)%", text: "p" },
    { template: "%METADATA(ROUTE:istio:config)%", text: "/apis/x" },
    { template: "%METADATA(VIRTUAL_HOST:istio:config)%", text: "" },
    { template: "%ROUTE_NAME% to %UPSTREAM_CLUSTER_RAW%", text: "r to c" },
    { template: "%UPSTREAM_REMOTE_ADDRESS%", text: "" },
  ])("$template gives $text", ({ template, text }) => {
    expect(format(template, input)).toEqual({ text, unknowns: [] });
  });

  it.each([
    { template: "at %START_TIME%", reason: "runtime state" },
    { template: "%HOSTNAME%", reason: "runtime state" },
    { template: "%METADATA(CLUSTER:a:b)%", reason: "runtime state" },
    { template: "50% off", reason: "expression" },
    { template: "%REQ(x", reason: "expression" },
  ])("$template stays as it is written, and is unknown", ({ template, reason }) => {
    expect(format(template, input)).toMatchObject({ text: template, unknowns: [{ reason }] });
  });

  it("is unknown where the client or what filters set is", () => {
    const open = { ...input, context: aContext({ downstreamRemote: "unknown", isComplete: false }) };
    expect(format("%DOWNSTREAM_REMOTE_ADDRESS%", open).unknowns).toMatchObject([
      { reason: "client address" },
    ]);
    expect(format("%DYNAMIC_METADATA(f:a)%", open).unknowns).toMatchObject([{ reason: "dynamic metadata" }]);
    expect(format("%FILTER_STATE(k)%", open).unknowns).toMatchObject([{ reason: "filter state" }]);
  });

  it("of a response knows the response, and that a host was chosen", () => {
    const answered = { ...input, response: [["y", "z"]] as const };
    expect(format("%RESP(y)%", answered).text).toBe("z");
    expect(format("%RESP(y)%", input).text).toBe("");
    expect(format("%UPSTREAM_HOST%", answered).unknowns).toMatchObject([{ reason: "runtime state" }]);
  });

  it("is read in linear time", () => {
    expect(format("%A(".repeat(50_000), input).unknowns).toHaveLength(1);
  });
});

it("of a header stands in one of two fields", () => {
  expect(headerFormat({ key: "x", value: "v" })).toBe("v");
  expect(headerFormat({ key: "x", raw_value: "dg==" })).toBe("v");
  expect(headerFormat(undefined)).toBe("");
});

it.each([
  ["aGk=", "hi"],
  ["aGk", "hi"],
  ["w6Q=", "\u00e4"],
  ["no base64!", ""],
  ["a", ""],
])("%s is the bytes of %s", (base64, text) => {
  expect(decodedBytes(base64)).toBe(text);
});
