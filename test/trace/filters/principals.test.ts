import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { matchPrincipal } from "../../../src/trace/filters/principals.js";
import type { ClientCertificate } from "../../../src/trace/request.js";
import { aContext, connection, headersOf, withTls } from "./filter-builders.js";

const certificate: ClientCertificate = {
  uriSans: ["spiffe://cluster.local/ns/default/sa/productpage"],
  dnsSans: ["productpage.example.com"],
  subject: "CN=productpage",
  isValidated: true,
};
const named = (matcher: Message): Message => ({ authenticated: { principal_name: matcher } });
const exact = (value: string): Message => named({ exact: value });

describe("authenticated", () => {
  it.each([
    ["a URI name", "spiffe://cluster.local/ns/default/sa/productpage"],
    ["a DNS name", "productpage.example.com"],
    ["the subject, though there are other names", "CN=productpage"],
  ])("matches %s", (_, name) => {
    expect(matchPrincipal(exact(name), aContext({ connection: withTls(certificate) }))).toBe(true);
  });

  it("does not match another name, nor plain text", () => {
    expect(matchPrincipal(exact("other"), aContext({ connection: withTls(certificate) }))).toBe(false);
    expect(matchPrincipal(exact("CN=productpage"), aContext())).toBe(false);
  });

  it("takes Istio's expression for a namespace", () => {
    const ofNamespace = (name: string): Message => named({ safe_regex: { regex: `.*/ns/${name}/.*` } });
    const context = aContext({ connection: withTls(certificate) });
    expect(matchPrincipal(ofNamespace("default"), context)).toBe(true);
    expect(matchPrincipal(ofNamespace("other"), context)).toBe(false);
  });

  it("without a name is any TLS, also without a client's certificate, but not plain text", () => {
    const anyTls = { authenticated: {} };
    expect(matchPrincipal(anyTls, aContext({ connection: withTls(null) }))).toBe(true);
    expect(matchPrincipal(anyTls, aContext({ connection: withTls("unknown") }))).toBe(true);
    expect(matchPrincipal(anyTls, aContext())).toBe(false);
  });

  it("compares an empty subject where the client has no certificate", () => {
    const context = aContext({ connection: withTls(null) });
    expect(matchPrincipal(named({ prefix: "" }), context)).toBe(true);
    expect(matchPrincipal(exact("CN=productpage"), context)).toBe(false);
  });

  it("cannot be told where the certificate is not known", () => {
    expect(matchPrincipal(exact("a"), aContext({ connection: withTls("unknown") }))).toMatchObject({
      because: [{ reason: "peer identity" }],
    });
  });

  it("sees no TLS that the chain passes on", () => {
    const passedOn = aContext({ connection: withTls(certificate), isTlsTerminated: false });
    expect(matchPrincipal({ authenticated: {} }, passedOn)).toBe(false);
    expect(matchPrincipal({ authenticated: {} }, { ...passedOn, isTlsTerminated: true })).toBe(true);
  });
});

describe("addresses", () => {
  const range = (address_prefix: string): Message => ({ address_prefix, prefix_len: 32 });
  it.each([
    { principal: "source_ip", own: "10.1.1.1", others: ["10.1.1.2", "192.168.0.9"] },
    { principal: "direct_remote_ip", own: "10.1.1.2", others: ["10.1.1.1", "192.168.0.9"] },
    { principal: "remote_ip", own: "192.168.0.9", others: ["10.1.1.1", "10.1.1.2"] },
  ])("$principal is $own", ({ principal, own, others }) => {
    expect(matchPrincipal({ [principal]: range(own) }, aContext())).toBe(true);
    for (const other of others) expect(matchPrincipal({ [principal]: range(other) }, aContext())).toBe(false);
  });

  it.each(["source_ip", "direct_remote_ip", "remote_ip"])(
    "%s cannot be told of an unknown client",
    (name) => {
      const unknownClient = aContext({
        connection: { ...connection, source: "unknown", directSource: "unknown" },
        downstreamRemote: "unknown",
      });
      expect(matchPrincipal({ [name]: range("10.1.1.1") }, unknownClient)).toMatchObject({
        because: [{ reason: "client address" }],
      });
      const pipe = aContext({
        connection: { ...connection, source: null, directSource: null },
        downstreamRemote: null,
      });
      expect(matchPrincipal({ [name]: { address_prefix: "0.0.0.0", prefix_len: 0 } }, pipe)).toBe(false);
    },
  );

  it("compares an IPv4 client with no range of IPv6", () => {
    expect(matchPrincipal({ remote_ip: { address_prefix: "::", prefix_len: 0 } }, aContext())).toBe(false);
    expect(matchPrincipal({ remote_ip: { address_prefix: "0.0.0.0", prefix_len: 0 } }, aContext())).toBe(
      true,
    );
  });
});

describe("what filters set", () => {
  const principal = "spiffe://cluster.local/ns/a/sa/b";
  const peer = (value: string): Message => ({
    filter_state: { key: "io.istio.peer_principal", string_match: { exact: value } },
  });

  it("is read from the filter state", () => {
    const filterState = new Map([["io.istio.peer_principal", principal]]);
    expect(matchPrincipal(peer(principal), aContext({ filterState }))).toBe(true);
    expect(matchPrincipal(peer("spiffe://other"), aContext({ filterState }))).toBe(false);
  });

  it("is missing where all is known, and cannot be told where not", () => {
    expect(matchPrincipal(peer(principal), aContext())).toBe(false);
    expect(matchPrincipal(peer(principal), aContext({ isComplete: false }))).toMatchObject({
      because: [{ reason: "filter state" }],
    });
  });

  it("compares addresses in the filter state with ranges", () => {
    const filterState = new Map([["ip", "10.0.0.7"]]);
    const address = (address_prefix: string): Message => ({
      filter_state: { key: "ip", address_match: { ranges: [{ address_prefix, prefix_len: 24 }] } },
    });
    expect(matchPrincipal(address("10.0.0.0"), aContext({ filterState }))).toBe(true);
    expect(matchPrincipal(address("10.9.0.0"), aContext({ filterState }))).toBe(false);
  });

  it("are claims of a token in dynamic metadata", () => {
    const claim = {
      metadata: {
        filter: "envoy.filters.http.jwt_authn",
        path: [{ key: "payload" }, { key: "groups" }],
        value: { list_match: { one_of: { string_match: { exact: "admin" } } } },
      },
    };
    const withClaims = (groups: readonly string[]): ReturnType<typeof aContext> =>
      aContext({ dynamicMetadata: new Map([["envoy.filters.http.jwt_authn", { payload: { groups } }]]) });
    expect(matchPrincipal(claim, withClaims(["admin"]))).toBe(true);
    expect(matchPrincipal(claim, withClaims(["user"]))).toBe(false);
    expect(matchPrincipal(claim, aContext())).toBe(false);
    expect(matchPrincipal(claim, aContext({ isComplete: false }))).toMatchObject({
      because: [{ reason: "dynamic metadata" }],
    });
  });
});

describe("other principals", () => {
  it.each<{ principal: Message; matches: boolean }>([
    { principal: { any: true }, matches: true },
    { principal: { header: { name: "x", present_match: true } }, matches: true },
    { principal: { header: { name: "y", present_match: true } }, matches: false },
    { principal: { url_path: { path: { prefix: "/a" } } }, matches: true },
    { principal: { url_path: { path: { prefix: "/b" } } }, matches: false },
    { principal: { not_id: { any: true } }, matches: false },
    { principal: { and_ids: { ids: [{ any: true }, { not_id: { any: true } }] } }, matches: false },
    { principal: { or_ids: { ids: [{ any: true }, { not_id: { any: true } }] } }, matches: true },
  ])("$principal: $matches", ({ principal, matches }) => {
    const context = aContext({ headers: headersOf({ x: "1", ":path": "/a?b" }) });
    expect(matchPrincipal(principal, context)).toBe(matches);
  });

  const mtls = (config: Message): Message => ({
    custom: {
      name: "mtls",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.rbac.principals.mtls_authenticated.v3.Config",
        ...config,
      },
    },
  });

  it("mtls_authenticated asks for a certificate that was validated", () => {
    const anyOne = mtls({ any_validated_client_certificate: {} });
    const at = (shown: Parameters<typeof withTls>[0]): ReturnType<typeof matchPrincipal> =>
      matchPrincipal(anyOne, aContext({ connection: withTls(shown) }));
    expect(at(certificate)).toBe(true);
    expect(at({ ...certificate, isValidated: false })).toBe(false);
    expect(at(null)).toBe(false);
    expect(at("unknown")).toMatchObject({ because: [{ reason: "peer identity" }] });
    expect(at({ ...certificate, isValidated: "unknown" })).toMatchObject({
      because: [{ reason: "peer identity" }],
    });
  });

  it("mtls_authenticated compares names of the kind it asks for", () => {
    const san = (san_type: string, value: string): Message =>
      mtls({ san_matcher: { san_type, matcher: { exact: value } } });
    const context = aContext({ connection: withTls(certificate) });
    expect(matchPrincipal(san("DNS", "productpage.example.com"), context)).toBe(true);
    expect(matchPrincipal(san("URI", "productpage.example.com"), context)).toBe(false);
    expect(matchPrincipal(san("EMAIL", "a@b"), context)).toMatchObject({ because: [{}] });
  });

  it("another extension cannot be told", () => {
    expect(matchPrincipal({ custom: { name: "own", typed_config: {} } }, aContext())).toMatchObject({
      because: [{ reason: "expression" }],
    });
  });
});
