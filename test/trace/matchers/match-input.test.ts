import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { matchInputOf } from "../../../src/trace/matchers/match-input.js";
import type { MatchContext } from "../../../src/trace/match-context.js";
import { aContext, aRequest } from "../requests.js";

const context = aContext({
  headers: aRequest({
    path: "/?q=1",
    headers: [
      ["x", "a"],
      ["x", "b"],
      ["cookie", "c=2"],
    ],
  }),
  filterState: new Map([["k", "v"]]),
  dynamicMetadata: new Map([["f", { a: "v" }]]),
});
const tls = {
  sni: "a.com",
  alpn: ["h2", "http/1.1"],
  certificate: { uriSans: ["spiffe://a", "spiffe://b"], dnsSans: [], subject: "CN=a", isValidated: true },
};
const withTls = (overrides: Partial<MatchContext> = {}): MatchContext =>
  aContext({ connection: { ...context.connection, tls }, ...overrides });

const read = (type: string, input: Message = {}, from: MatchContext = context): unknown =>
  matchInputOf(from)(`envoy.extensions.matching.common_inputs.network.v3.${type}`, input);

describe("a request and its connection", () => {
  it.each([
    { type: "HttpRequestHeaderMatchInput", input: { header_name: "X" }, value: "a,b" },
    { type: "HttpRequestHeaderMatchInput", input: { header_name: "host" }, value: "a.com" },
    { type: "HttpRequestHeaderMatchInput", input: { header_name: "y" }, value: undefined },
    { type: "HttpRequestQueryParamMatchInput", input: { query_param: "q" }, value: "1" },
    { type: "HttpRequestCookieMatchInput", input: { name: "c" }, value: "2" },
    { type: "DestinationIPInput", value: "10.0.0.1" },
    { type: "DestinationPortInput", value: "80" },
    { type: "SourceIPInput", value: "10.1.2.3" },
    { type: "SourcePortInput", value: "40000" },
    { type: "DirectSourceIPInput", value: "10.1.2.3" },
    { type: "SourceTypeInput", value: undefined },
    { type: "ServerNameInput", value: undefined },
    { type: "TransportProtocolInput", value: "raw_buffer" },
    { type: "ApplicationProtocolInput", value: undefined },
    { type: "FilterStateInput", input: { key: "k" }, value: "v" },
    { type: "FilterStateInput", input: { key: "l" }, value: undefined },
    { type: "DynamicMetadataInput", input: { filter: "f", path: [{ key: "a" }] }, value: { metadata: "v" } },
    { type: "UriSanInput", value: undefined },
  ])("$type $input gives $value", ({ type, input, value }) => {
    expect(read(type, input)).toEqual(value);
  });

  it.each([
    { type: "ServerNameInput", value: "a.com" },
    { type: "TransportProtocolInput", value: "tls" },
    { type: "ApplicationProtocolInput", value: "'h2','http/1.1'" },
    { type: "UriSanInput", value: "spiffe://a,spiffe://b" },
    { type: "DnsSanInput", value: undefined },
    { type: "SubjectInput", value: "CN=a" },
  ])("with TLS $type gives $value", ({ type, value }) => {
    expect(read(type, {}, withTls())).toEqual(value);
  });

  it("no certificate where the client's TLS is passed on", () => {
    expect(read("UriSanInput", {}, withTls({ isTlsTerminated: false }))).toBeUndefined();
  });

  it("local where it is with itself", () => {
    const to = (ip: string): MatchContext =>
      aContext({ connection: { ...context.connection, source: { ip, port: 1 } } });
    expect(read("SourceTypeInput", {}, to("127.0.0.1"))).toBe("local");
    expect(read("SourceTypeInput", {}, to("10.0.0.1"))).toBe("local");
    expect(read("SourceTypeInput", {}, to("10.0.0.2"))).toBeUndefined();
  });
});

describe("what is not known", () => {
  it.each([
    { type: "SourceIPInput", from: aContext({ downstreamRemote: "unknown" }), reason: "client address" },
    {
      type: "UriSanInput",
      from: aContext({ connection: { ...context.connection, tls: { ...tls, certificate: "unknown" } } }),
      reason: "peer identity",
    },
    { type: "FilterStateInput", from: aContext({ isComplete: false }), reason: "filter state" },
    { type: "DynamicMetadataInput", from: aContext({ isComplete: false }), reason: "dynamic metadata" },
    { type: "HttpAttributesCelMatchInput", from: context, reason: "expression" },
    { type: "constructor", from: context, reason: "expression" },
  ])("$type is unknown: $reason", ({ type, from, reason }) => {
    expect(read(type, {}, from)).toMatchObject({ because: [{ reason }] });
  });
});
