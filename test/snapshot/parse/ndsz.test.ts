import { describe, expect, it } from "vitest";

import { BundleFormatError } from "../../../src/shared/errors.js";
import { parseNameTable, type NameTable } from "../../../src/snapshot/parse/ndsz.js";
import { bytesOf } from "../../support/builders.js";

const type = "type.googleapis.com/istio.networking.nds.v1.NameTable";
const table = {
  "reviews.default.svc.cluster.local": {
    ips: ["10.96.0.1", "fd00::1"],
    registry: "Kubernetes",
    shortname: "reviews",
    namespace: "default",
  },
};

const parse = (json: unknown): NameTable | null =>
  parseNameTable(bytesOf(json), "ndsz/default/web", "web.default");
const hostsOf = (json: unknown): unknown => Object.fromEntries(parse(json)?.hosts ?? []);
const reviews = { "reviews.default.svc.cluster.local": ["10.96.0.1", "fd00::1"] };

describe("a name table", () => {
  it.each([
    ["since 1.16", { configs: [{ "@type": type, table }] }, "/configs/0"],
    ["since 1.11", { resource: { "@type": type, table } }, "/resource"],
    ["before, with a bracket that is never closed", `[${JSON.stringify({ "@type": type, table })}`, ""],
    ["in a whole list", [{ "@type": type, table }], ""],
    ["without a type", { table }, ""],
  ])("is read as Istiod writes it %s", (_, json, pointer) => {
    expect(hostsOf(json)).toEqual(reviews);
    expect(parse(json)).toMatchObject({
      proxyId: "web.default",
      origin: { entry: "ndsz/default/web", pointer },
    });
  });

  it("is empty where it names nobody", () => {
    expect(hostsOf({ configs: [{ "@type": type }] })).toEqual({});
    expect(parse({ configs: [{ "@type": type }] })).not.toBeNull();
  });

  it("is none for a proxy that does not capture DNS", () => {
    expect(parse({})).toBeNull();
    expect(parse({ configs: [] })).toBeNull();
    expect(parse({ configs: [{ "@type": "type.googleapis.com/x.Other", table }] })).toBeNull();
  });

  it("has other names for a host, and all in lower case", () => {
    expect(
      hostsOf({ table: { "A.example.com": { ips: ["10.0.0.1"], altHosts: ["B.example.com"] } } }),
    ).toEqual({
      "a.example.com": ["10.0.0.1"],
      "b.example.com": ["10.0.0.1"],
    });
    expect(hostsOf({ table: { a: { ips: ["10.0.0.1"], alt_hosts: ["b", 7] } } })).toEqual({
      a: ["10.0.0.1"],
      b: ["10.0.0.1"],
    });
  });

  it.each([
    ["addresses", { a: { ips: "10.0.0.1" } }, { a: [] }],
    ["an address", { a: { ips: [7, null, "10.0.0.1"] } }, { a: ["10.0.0.1"] }],
    ["an entry", { a: null, b: "x", c: [] }, { a: [], b: [], c: [] }],
    ["the table", [], {}],
    ["a name", { ["__proto__x"]: { ips: ["10.0.0.1"] } }, { ["__proto__x"]: ["10.0.0.1"] }],
  ])("loses no more than %s of another shape", (_, odd, hosts) => {
    expect(hostsOf({ "@type": type, table: odd })).toEqual(hosts);
  });

  it.each(["DNS capture is not enabled in the proxy\n", "", "[1, 2]", "["])("is refused as %j", (text) => {
    expect(() => parse(text)).toThrow(BundleFormatError);
  });
});
