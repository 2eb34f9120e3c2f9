import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { matchPermission } from "../../../src/trace/filters/permissions.js";
import { aContext, connection, headersOf, withTls } from "./filter-builders.js";

const exact = (value: string): Message => ({ exact: value });
const range = (address_prefix: string, prefix_len: number): Message => ({ address_prefix, prefix_len });
const metadata = (filter: string, key: string, value: string, own: Message = {}): Message => ({
  filter,
  path: [{ key }],
  value: { string_match: exact(value) },
  ...own,
});
const request = aContext({
  headers: headersOf({ ":path": "/a/b?x=1#f", "x-a": "1" }),
  connection: withTls(null),
  dynamicMetadata: new Map([["own", { k: "v" }]]),
  route: { metadata: { filter_metadata: { own: { k: "of the route" } } } },
});

describe("a permission on a request", () => {
  it.each<{ what: string; permission: Message; matches: boolean }>([
    { what: "any", permission: { any: true }, matches: true },
    { what: "header", permission: { header: { name: "x-a", string_match: exact("1") } }, matches: true },
    {
      what: "header of another value",
      permission: { header: { name: "x-a", string_match: exact("2") } },
      matches: false,
    },
    {
      what: "header :path, with its query",
      permission: { header: { name: ":path", string_match: exact("/a/b?x=1#f") } },
      matches: true,
    },
    {
      what: "header :path, without",
      permission: { header: { name: ":path", string_match: exact("/a/b") } },
      matches: false,
    },
    { what: "url_path, without", permission: { url_path: { path: exact("/a/b") } }, matches: true },
    { what: "url_path, with", permission: { url_path: { path: exact("/a/b?x=1#f") } }, matches: false },
    {
      what: "uri_template",
      permission: { uri_template: { name: "t", typed_config: { path_template: "/a/*" } } },
      matches: true,
    },
    {
      what: "uri_template of another path",
      permission: { uri_template: { name: "t", typed_config: { path_template: "/b/*" } } },
      matches: false,
    },
    { what: "destination_ip", permission: { destination_ip: range("10.0.0.0", 8) }, matches: true },
    {
      what: "destination_ip elsewhere",
      permission: { destination_ip: range("11.0.0.0", 8) },
      matches: false,
    },
    { what: "destination_port", permission: { destination_port: 8080 }, matches: true },
    { what: "destination_port 80", permission: { destination_port: 80 }, matches: false },
    {
      what: "port range from its start",
      permission: { destination_port_range: { start: 8080, end: 8081 } },
      matches: true,
    },
    {
      what: "port range to its end, which is not in it",
      permission: { destination_port_range: { start: 80, end: 8080 } },
      matches: false,
    },
    {
      what: "requested_server_name",
      permission: { requested_server_name: exact("svc.local") },
      matches: true,
    },
    { what: "requested_server_name b", permission: { requested_server_name: exact("b") }, matches: false },
    { what: "metadata", permission: { metadata: metadata("own", "k", "v") }, matches: true },
    { what: "metadata that is not set", permission: { metadata: metadata("own", "q", "v") }, matches: false },
    {
      what: "metadata inverted",
      permission: { metadata: metadata("own", "k", "v", { invert: true }) },
      matches: false,
    },
    {
      what: "sourced_metadata of the request",
      permission: { sourced_metadata: { metadata_matcher: metadata("own", "k", "v") } },
      matches: true,
    },
    {
      what: "sourced_metadata of the route",
      permission: {
        sourced_metadata: {
          metadata_matcher: metadata("own", "k", "of the route"),
          metadata_source: "ROUTE",
        },
      },
      matches: true,
    },
    {
      what: "sourced_metadata of the request, which is not the route's",
      permission: { sourced_metadata: { metadata_matcher: metadata("own", "k", "of the route") } },
      matches: false,
    },
    { what: "not_rule", permission: { not_rule: { destination_port: 80 } }, matches: true },
    { what: "not_rule of what holds", permission: { not_rule: { any: true } }, matches: false },
    {
      what: "and_rules",
      permission: { and_rules: { rules: [{ any: true }, { destination_port: 8080 }] } },
      matches: true,
    },
    {
      what: "and_rules with one that fails",
      permission: { and_rules: { rules: [{ any: true }, { destination_port: 80 }] } },
      matches: false,
    },
    {
      what: "or_rules",
      permission: { or_rules: { rules: [{ destination_port: 80 }, { destination_port: 8080 }] } },
      matches: true,
    },
    {
      what: "or_rules of none",
      permission: { or_rules: { rules: [{ destination_port: 80 }] } },
      matches: false,
    },
  ])("$what: $matches", ({ permission, matches }) => {
    expect(matchPermission(permission, request)).toBe(matches);
  });

  it("cannot be told for an extension, and where it has no condition", () => {
    expect(matchPermission({ matcher: { name: "upstream_ip_port" } }, request)).toMatchObject({
      because: [{ reason: "expression", message: 'The permission "matcher" is not evaluated.' }],
    });
    expect(matchPermission({}, request)).toMatchObject({ because: [{ reason: "expression" }] });
  });
});

describe("a permission on a connection without HTTP", () => {
  const tcp = aContext({ headers: [], connection: { ...connection, destination: null } });
  const headerIsAbsent = { header: { name: "x", present_match: false } };
  const header = { header: { name: "x", string_match: exact("v") } };

  it("sees every header as missing (case 60)", () => {
    expect(matchPermission(header, tcp)).toBe(false);
    expect(matchPermission({ not_rule: header }, tcp)).toBe(true);
    expect(matchPermission(headerIsAbsent, tcp)).toBe(true);
    expect(matchPermission(headerIsAbsent, aContext({ headers: headersOf({ x: "v" }) }))).toBe(false);
  });

  it("has no path, so that url_path never matches", () => {
    const everyPath = { url_path: { path: { prefix: "" } } };
    expect(matchPermission(everyPath, tcp)).toBe(false);
    expect(matchPermission(everyPath, aContext())).toBe(true);
  });

  it("has no address on a pipe, and an empty server name without TLS", () => {
    expect(matchPermission({ destination_ip: range("0.0.0.0", 0) }, tcp)).toBe(false);
    expect(matchPermission({ destination_port_range: { start: 0, end: 65536 } }, tcp)).toBe(false);
    expect(matchPermission({ requested_server_name: exact("") }, tcp)).toBe(true);
  });

  it("matches no metadata of a route that is not there, inverted or not", () => {
    const ofRoute = (invert: boolean): Message => ({
      sourced_metadata: { metadata_matcher: metadata("a", "b", "c", { invert }), metadata_source: "ROUTE" },
    });
    expect(matchPermission(ofRoute(true), tcp)).toBe(false);
    expect(matchPermission(ofRoute(true), aContext({ route: {} }))).toBe(true);
  });
});
