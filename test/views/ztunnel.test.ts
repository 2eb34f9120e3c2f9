import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { ProblemList } from "../../src/shared/problem.js";
import { textTable } from "../../src/shared/text-table.js";
import { readZtunnelRows, type ZtunnelDump } from "../../src/snapshot/parse/ztunnel-rows.js";
import { newestIstioctl, type View } from "../../src/views/view.js";
import {
  certificateView,
  connectionsView,
  policyView,
  serviceView,
  workloadView,
} from "../../src/views/ztunnel.js";
import { at, corpus, everythingIsRequired } from "../support/builders.js";

const entry = "ztunnel/istio-system/ztunnel-abc/config_dump";
const newest = { istioctl: newestIstioctl };
/** A time at which the goldens' leaf is valid, and their root is not. */
const goldenTime = { ...newest, at: "2026-01-01T00:00:00Z" };

/** A dump that must be read without a problem. */
function dumpOf(json: unknown): ZtunnelDump {
  const problems = new ProblemList();
  const dump = readZtunnelRows(json, entry, problems);
  expect(problems.all).toEqual([]);
  return dump;
}

const tableOf = ({ header, rows, padding }: View): string => textTable(header, rows, { padding });

/** Expects that each row has an origin, and that it is where `find` says. */
function expectOrigins(
  view: View,
  json: unknown,
  fits: (object: unknown, row: readonly string[]) => void,
): void {
  expect(view.origins).toHaveLength(view.rows.length);
  view.rows.forEach((row, index) => {
    const origin = view.origins[index]!;
    expect(origin.entry).toBe(entry);
    fits(at(json, origin.pointer), row);
  });
}

describe("workloads", () => {
  const web = { name: "web", namespace: "shop", hostname: "web.shop.svc", vips: ["net/10.96.0.1"] };
  const one = { name: "a", namespace: "shop", workloadIps: ["10.0.0.1"], node: "n1", protocol: "HBONE" };
  const rowsOf = (workloads: unknown, filter = {}, options = newest): View["rows"] =>
    workloadView(dumpOf({ workloads, services: [web] }), filter, options).rows;

  it("have a row each", () => {
    expect(rowsOf([one])).toEqual([["shop", "a", "10.0.0.1", "n1", "None", "HBONE"]]);
  });

  it("stand by namespace and name, then node", () => {
    const workloads = [
      { ...one, name: "b" },
      { ...one, node: "n2" },
      { ...one, node: "n1" },
      { ...one, name: "z", namespace: "bank" },
    ];
    expect(rowsOf(workloads).map((row) => [row[0], row[1], row[3]])).toEqual([
      ["bank", "z", "n1"],
      ["shop", "a", "n1"],
      ["shop", "a", "n2"],
      ["shop", "b", "n1"],
    ]);
  });

  it.each([
    { waypoint: undefined, is: "None" },
    { waypoint: null, is: "None" },
    { waypoint: { destination: "net/10.96.0.1", port: 15008 }, is: "web" },
    { waypoint: { destination: "shop/web.shop.svc", hboneMtlsPort: 15008 }, is: "web" },
    { waypoint: { destination: "net/10.96.0.2" }, is: "NA" },
    { waypoint: { destination: "10.96.0.1" }, is: "NA" },
    { waypoint: {}, is: "NA" },
  ])("lead to the waypoint $is by $waypoint", ({ waypoint, is }) => {
    expect(rowsOf([{ ...one, waypoint }])[0]![4]).toBe(is);
  });

  it("take the first of two services with the waypoint's address", () => {
    const services = [web, { ...web, name: "other" }];
    const workloads = [{ ...one, waypoint: { destination: "net/10.96.0.1" } }];
    expect(workloadView(dumpOf({ workloads, services }), {}, newest).rows[0]![4]).toBe("web");
  });

  it.each([
    { fields: { workloadIps: ["10.0.0.1", "fd00::1"] }, istioctl: 31, address: "10.0.0.1,fd00::1" },
    { fields: { workloadIps: ["10.0.0.1", "fd00::1"] }, istioctl: 23, address: "10.0.0.1" },
    { fields: { workloadIps: [], hostname: "db.example" }, istioctl: 31, address: "db.example" },
    { fields: { workloadIps: [], hostname: "db.example" }, istioctl: 23, address: "" },
    { fields: {}, istioctl: 31, address: "" },
  ])("have the address $address in istioctl 1.$istioctl of $fields", ({ fields, istioctl, address }) => {
    const dump = dumpOf({ workloads: [{ name: "a", ...fields }] });
    const { header, rows } = workloadView(dump, {}, { istioctl });
    expect(rows[0]![2]).toBe(address);
    expect(header[2]).toBe(istioctl < 24 ? "IP" : "ADDRESS");
  });

  it.each([
    { filter: {}, names: ["a", "b"] },
    { filter: { namespace: "", name: "", address: "", node: "" }, names: ["a", "b"] },
    { filter: { namespace: "SHOP" }, names: ["a"] },
    { filter: { namespace: "sho" }, names: [] },
    { filter: { name: "B" }, names: ["b"] },
    { filter: { node: "N1" }, names: ["a"] },
    { filter: { address: "FD00::2" }, names: ["b"] },
    { filter: { address: "10.0.0.1" }, names: ["a"] },
    { filter: { address: "10.0.0.1", node: "n2" }, names: [] },
  ])("are filtered by $filter", ({ filter, names }) => {
    const other = { name: "b", namespace: "bank", workloadIps: ["10.0.0.2", "fd00::2"], node: "n2" };
    expect(
      rowsOf([one, other], filter)
        .map((row) => row[1])
        .sort(),
    ).toEqual(names);
  });

  it("keep what we do not know in JSON, in the order of the rows", () => {
    const unknown = { ...one, name: "b", nativeTunnel: true, gatewayAddress: null, new: { of: ["1.40"] } };
    expect(workloadView(dumpOf({ workloads: [unknown, one] }), {}, newest).json).toEqual([one, unknown]);
  });

  it("of 1.18 have one address, and waypoints that are workloads", () => {
    const workloads = {
      "10.0.0.1": { name: "a", workloadIp: "10.0.0.1", waypointAddresses: ["10.0.0.9"], nativeHbone: true },
      "10.0.0.2": { name: "b", workloadIp: "10.0.0.2", waypointAddresses: ["10.0.0.8"] },
      "10.0.0.9": { name: "w-1", workloadIp: "10.0.0.9", waypointAddresses: [], canonicalName: "w" },
    };
    expect(
      workloadView(dumpOf({ workloads }), {}, newest).rows.map((row) => [row[1], row[2], row[4]]),
    ).toEqual([
      ["a", "10.0.0.1", "w"],
      ["b", "10.0.0.2", "NA"],
      ["w-1", "10.0.0.9", "None"],
    ]);
  });
});

describe("services", () => {
  const workloads = [
    { uid: "u1", name: "a", status: "Healthy" },
    { uid: "u2", name: "b", status: "Unhealthy" },
    { uid: "u3", name: "c", status: "healthy" },
  ];
  const web = {
    name: "web",
    namespace: "shop",
    hostname: "web.shop.svc",
    vips: ["net/10.96.0.1", "/fd00::1"],
  };
  const rowsOf = (services: unknown, filter = {}, istioctl = newestIstioctl): View["rows"] =>
    serviceView(dumpOf({ workloads, services }), filter, { istioctl }).rows;

  it.each([
    { endpoints: {}, are: "0/0" },
    { endpoints: undefined, are: "0/0" },
    {
      endpoints: { a: { workloadUid: "u1" }, b: { workloadUid: "u2" }, c: { workloadUid: "u3" } },
      are: "1/3",
    },
    { endpoints: { a: { workloadUid: "gone" }, b: null, c: { workloadUid: "u1" } }, are: "1/3" },
    { endpoints: [{ workloadUid: "u1" }], are: "1/1" },
  ])("have $are healthy endpoints of $endpoints", ({ endpoints, are }) => {
    expect(rowsOf([{ ...web, endpoints }])).toEqual([["shop", "web", "10.96.0.1,fd00::1", "None", are]]);
  });

  it.each([
    { istioctl: 24, row: ["shop", "web", "10.96.0.1,fd00::1", "None", "0/0"] },
    { istioctl: 23, row: ["shop", "web", "10.96.0.1", "None", "0/0"] },
    { istioctl: 22, row: ["shop", "web", "10.96.0.1", "None"] },
  ])("have the columns of istioctl 1.$istioctl", ({ istioctl, row }) => {
    const view = serviceView(dumpOf({ workloads, services: [web] }), {}, { istioctl });
    expect(view.rows).toEqual([row]);
    expect(view.header).toHaveLength(row.length);
  });

  it.each([
    { vips: [], is: "" },
    { vips: undefined, is: "" },
    { vips: ["10.96.0.1"], is: "" },
    { vips: ["net/a/b"], is: "a/b" },
  ])("show the vips $vips as $is", ({ vips, is }) => {
    expect(rowsOf([{ ...web, vips }])[0]![2]).toBe(is);
  });

  it("have waypoints, by vip or by name", () => {
    const services = [
      { ...web, name: "a", waypoint: { destination: "net/10.96.0.7" } },
      { ...web, name: "b", waypoint: { destination: "shop/w.shop.svc" } },
      { ...web, name: "c", waypoint: { destination: "shop/other" } },
      { name: "w", namespace: "shop", hostname: "w.shop.svc", vips: ["net/10.96.0.7"] },
    ];
    expect(rowsOf(services).map((row) => row[3])).toEqual(["w", "w", "NA", "None"]);
  });

  it("stand by namespace, name and hostname, and are filtered by namespace", () => {
    const services = [
      { ...web, hostname: "b" },
      { ...web, hostname: "a" },
      { ...web, namespace: "bank" },
    ];
    const hosts = (filter: object): unknown =>
      (serviceView(dumpOf({ services }), filter, newest).json as typeof services).map((row) => row.hostname);
    expect(hosts({})).toEqual(["web.shop.svc", "a", "b"]);
    expect(hosts({ namespace: "Shop" })).toEqual(["a", "b"]);
  });
});

describe("policies", () => {
  const policies = {
    "shop/b": { name: "b", namespace: "shop", action: "Deny", scope: "Namespace", rules: [[[{}]]] },
    "shop/a": { name: "a", namespace: "shop", action: "Allow", scope: "WorkloadSelector", rules: [] },
    "istio-system/g": { name: "g", namespace: "istio-system", action: "Allow", scope: "Global" },
  };

  it.each([
    { form: "a map", json: { workloads: [], policies } },
    { form: "a list", json: { workloads: [], policies: Object.values(policies) } },
  ])("are read from $form and stand by namespace and name", ({ json }) => {
    const view = policyView(dumpOf(json), {}, newest);
    expect(view.rows).toEqual([
      ["istio-system", "g", "Allow", "Global"],
      ["shop", "a", "Allow", "WorkloadSelector"],
      ["shop", "b", "Deny", "Namespace"],
    ]);
    expect(view.json).toEqual([policies["istio-system/g"], policies["shop/a"], policies["shop/b"]]);
    expectOrigins(view, json, (policy, row) => expect(policy).toMatchObject({ name: row[1] }));
  });

  it("are filtered by namespace", () => {
    const view = policyView(dumpOf({ policies }), { namespace: "ISTIO-system" }, newest);
    expect(view.rows.map((row) => row[1])).toEqual(["g"]);
  });

  it("are none where the dump has none", () => {
    expect(policyView(dumpOf({ workloads: [] }), {}, newest)).toEqual({
      header: ["NAMESPACE", "POLICY NAME", "ACTION", "SCOPE"],
      rows: [],
      origins: [],
      padding: 1,
      json: [],
      note: "",
    });
  });
});

describe("certificates", () => {
  const dates = { validFrom: "2024-01-01T00:00:00Z", expirationTime: "2024-01-02T00:00:00Z" };
  const item = (serialNumber: string): object => ({ pem: "", serialNumber, ...dates });
  const viewOf = (certificates: unknown, time: string | null = "2024-01-01T12:00:00Z"): View =>
    certificateView(dumpOf({ workloads: [], certificates }), {}, { ...newest, at: time });

  it.each([
    { chain: 1, roots: 0, types: ["Leaf"] },
    { chain: 2, roots: 0, types: ["Leaf", "Root"] },
    { chain: 3, roots: 0, types: ["Leaf", "Intermediate", "Root"] },
    { chain: 1, roots: 1, types: ["Leaf", "Root"] },
    { chain: 2, roots: 2, types: ["Leaf", "Intermediate", "Root", "Root"] },
    { chain: 0, roots: 1, types: ["NA"] },
  ])("with a chain of $chain and $roots roots are $types", ({ chain, roots, types }) => {
    const list = (length: number): object[] => Array.from({ length }, (_, index) => item(String(index)));
    const json = [{ identity: "i", state: "Available", certChain: list(chain), rootCerts: list(roots) }];
    expect(viewOf(json).rows.map((row) => row[1])).toEqual(types);
  });

  it("have an origin each, and a padding of 5", () => {
    const certificates = [
      { identity: "a", certChain: [item("1"), item("2")], rootCerts: [item("3")] },
      { identity: "b", certChain: [] },
    ];
    const view = viewOf(certificates);
    expect(view.origins.map(({ pointer }) => pointer)).toEqual([
      "/certificates/0/certChain/0",
      "/certificates/0/certChain/1",
      "/certificates/0/rootCerts/0",
      "/certificates/1",
    ]);
    expect(view.padding).toBe(5);
    expect(view.json).toEqual(certificates);
  });

  it.each([
    { at: "2024-01-01T12:00:00Z", valid: "true" },
    { at: "2024-01-01T00:00:00.001Z", valid: "true" },
    { at: "2024-01-01T00:00:00Z", valid: "false" },
    { at: "2024-01-02T00:00:00Z", valid: "false" },
    { at: "2024-01-02T01:00:00+02:00", valid: "true" },
    { at: "2030-01-01T00:00:00Z", valid: "false" },
    { at: null, valid: "unknown" },
  ])("are $valid at $at", ({ at: time, valid }) => {
    expect(viewOf([{ certChain: [item("1")] }], time).rows[0]![3]).toBe(valid);
  });

  it.each([
    { fields: {} },
    { fields: { validFrom: "2024-01-01T00:00:00Z" } },
    { fields: { ...dates, expirationTime: "tomorrow" } },
    { fields: { ...dates, expirationTime: "2025" } },
  ])("without two dates are never valid: $fields", ({ fields }) => {
    for (const time of ["2024-01-01T12:00:00Z", null])
      expect(viewOf([{ certChain: [{ serialNumber: "1", ...fields }] }], time).rows[0]![3]).toBe("false");
  });

  it.each([
    { serial: "255", hex: "ff" },
    { serial: "305554775863395697262503895661564044819", hex: "e5dfb59150b2ba7f108d93dcec5aa613" },
    { serial: "007", hex: "7" },
    { serial: 16, hex: "10" },
    { serial: "", hex: "NA" },
    { serial: "0x10", hex: "NA" },
    { serial: "9".repeat(100_000), hex: "NA" },
    { serial: undefined, hex: "NA" },
  ])("have the serial number $hex", ({ serial, hex }) => {
    expect(viewOf([{ certChain: [{ ...dates, serialNumber: serial }] }]).rows[0]![4]).toBe(hex);
  });

  it.each([
    { state: "Initializing", shown: "Initializing" },
    { state: "Unavailable: the identity is no longer needed", shown: "Unavailable" },
  ])("without a chain are shown as $shown", ({ state, shown }) => {
    const certificates = { key: { identity: "i", state, certChain: [] } };
    for (const time of ["2024-01-01T12:00:00Z", null])
      expect(viewOf(certificates, time).rows).toEqual([["i", "NA", shown, "false", "NA", "NA", "NA"]]);
    expect(viewOf(certificates).json).toEqual([certificates.key]);
  });

  it("of 1.21 and older have their leaf in ca_cert", () => {
    const old = (serial: string): object => ({
      serial_number: serial,
      valid_from: dates.validFrom,
      expiration_time: dates.expirationTime,
    });
    const view = viewOf([{ identity: "i", state: "Available", ca_cert: [old("1")], cert_chain: [old("2")] }]);
    expect(view.rows).toEqual([
      ["i", "Leaf", "Available", "true", "1", dates.expirationTime, dates.validFrom],
      ["i", "Root", "Available", "true", "2", dates.expirationTime, dates.validFrom],
    ]);
    expect(view.origins.map(({ pointer }) => pointer)).toEqual([
      "/certificates/0/ca_cert/0",
      "/certificates/0/cert_chain/0",
    ]);
  });
});

describe("connections", () => {
  const json = {
    workloads: [
      { name: "web-1", namespace: "shop", workloadIps: ["10.0.0.1", "10.0.0.11"] },
      { name: "six", namespace: "shop", workloadIps: ["fd00::6"] },
      { name: "hidden", namespace: "shop", workloadIps: ["10.96.0.1"] },
      { name: "nowhere", namespace: "shop" },
    ],
    services: [{ name: "api", namespace: "shop", hostname: "api.shop.svc", vips: ["net/10.96.0.1"] }],
    workloadState: {
      "u/2": {
        state: "Up",
        connections: {
          inbound: [{ src: "10.0.0.9:5000", originalDst: null, actualDst: "10.0.0.1:80", protocol: "HBONE" }],
          outbound: [
            {
              src: "10.0.0.1:6000",
              originalDst: "10.96.0.1:80",
              actualDst: "[fd00::6]:15008",
              protocol: "TCP",
            },
          ],
        },
        info: { name: "web-1", namespace: "shop", serviceAccount: "web" },
        new: 1,
      },
      "u/1": {
        connections: { inbound: [{ src: "10.0.0.11:1", originalDst: "10.96.0.1:80", actualDst: "no port" }] },
        info: { name: "db-1", namespace: "bank", trustDomain: "td", serviceAccount: "db" },
      },
    },
  };
  const dump = dumpOf(json);
  const inbound = ["web-1.shop", "Inbound", "web-1.shop:80", "10.0.0.9:5000", "", "HBONE"];
  const outbound = ["web-1.shop", "Outbound", "web-1.shop:6000", "six.shop:15008", "api.shop.svc:80", "TCP"];
  // only the first address of a workload is known by name, and the target of inbound connections is never replaced
  const other = ["db-1.bank", "Inbound", "no port", "10.0.0.11:1", "10.96.0.1:80", ""];

  it("have names in the place of addresses, services before workloads", () => {
    const view = connectionsView(dump, {}, newest);
    expect(view.rows).toEqual([other, inbound, outbound]);
    expect(view.origins.map(({ pointer }) => pointer)).toEqual([
      "/workloadState/u~11/connections/inbound/0",
      "/workloadState/u~12/connections/inbound/0",
      "/workloadState/u~12/connections/outbound/0",
    ]);
    expectOrigins(view, json, (connection) => expect(connection).toHaveProperty("actualDst"));
  });

  it("have addresses when they are wanted raw", () => {
    expect(connectionsView(dump, { raw: true, name: "web-1" }, newest).rows).toEqual([
      ["web-1.shop", "Inbound", "10.0.0.1:80", "10.0.0.9:5000", "", "HBONE"],
      ["web-1.shop", "Outbound", "10.0.0.1:6000", "[fd00::6]:15008", "10.96.0.1:80", "TCP"],
    ]);
  });

  it.each([
    { filter: { namespace: "BANK" }, rows: [other] },
    { filter: { name: "WEB-1" }, rows: [inbound, outbound] },
    { filter: { name: "web-1.shop" }, rows: [inbound, outbound] },
    { filter: { name: "web-1.bank" }, rows: [] },
    { filter: { name: "web-1", namespace: "bank" }, rows: [] },
    { filter: { name: "web-1.shop", namespace: "shop" }, rows: [] },
    { filter: { direction: "inbound" } as const, rows: [other, inbound] },
    { filter: { direction: "outbound" } as const, rows: [outbound] },
  ])("are filtered by $filter", ({ filter, rows }) => {
    expect(connectionsView(dump, filter, newest).rows).toEqual(rows);
  });

  it("have no protocol before istioctl 1.26", () => {
    const { header, rows } = connectionsView(dump, {}, { istioctl: 25 });
    expect(header).toEqual(["WORKLOAD", "DIRECTION", "LOCAL", "REMOTE", "REMOTE TARGET"]);
    expect(rows).toEqual([other, inbound, outbound].map((row) => row.slice(0, 5)));
  });

  it("are in JSON what istioctl knows of them, all of a workload's, whatever the direction", () => {
    expect(connectionsView(dump, { direction: "outbound", raw: true }, newest).json).toEqual([
      {
        connections: {
          inbound: [{ src: "10.0.0.11:1", originalDst: "10.96.0.1:80", actualDst: "no port", protocol: "" }],
          outbound: null,
        },
        info: { name: "db-1", namespace: "bank", trustDomain: "td", serviceAccount: "db" },
      },
      {
        state: "Up",
        connections: {
          inbound: [{ src: "10.0.0.9:5000", originalDst: "", actualDst: "10.0.0.1:80", protocol: "HBONE" }],
          outbound: json.workloadState["u/2"].connections.outbound,
        },
        info: { name: "web-1", namespace: "shop", trustDomain: "", serviceAccount: "web" },
      },
    ]);
  });
});

describe("a dump with bad rows", () => {
  it("costs those rows alone", () => {
    const problems = new ProblemList();
    const dump = readZtunnelRows(
      {
        workloads: [{ name: "a" }, null, "b", { name: 5, workloadIps: [1, "10.0.0.1"], waypoint: [] }],
        services: { x: [], "y/z": { name: "s", vips: "net/1.2.3.4", endpoints: 3 } },
        policies: 7,
        certificates: [{ certChain: [1, { serialNumber: "1" }], rootCerts: "none" }],
        workloadState: { a: { info: [], connections: { inbound: [null, {}], outbound: 1 } }, b: false },
      },
      entry,
      problems,
    );
    expect(problems.all.map(({ pointer, message, severity }) => `${severity} ${pointer} ${message}`)).toEqual(
      [
        "lost /workloads/1 must be object",
        "lost /workloads/2 must be object",
        "lost /services/x must be object",
        "lost /policies must be array or object",
        "lost /certificates/0/certChain/0 must be object",
        "lost /certificates/0/rootCerts must be array or object",
        "lost /workloadState/b must be object",
        "lost /workloadState/a/connections/inbound/0 must be object",
        "lost /workloadState/a/connections/outbound must be array or object",
      ],
    );
    expect(workloadView(dump, {}, newest).rows.map((row) => [row[1], row[2]])).toEqual([
      ["", "10.0.0.1"],
      ["a", ""],
    ]);
    expect(serviceView(dump, {}, newest).rows).toEqual([["", "s", "1.2.3.4", "None", "0/0"]]);
    expect(policyView(dump, {}, newest).rows).toEqual([]);
    expect(certificateView(dump, {}, goldenTime).rows).toHaveLength(1);
    expect(connectionsView(dump, {}, newest).rows).toEqual([[".", "Inbound", "", "", "", ""]]);
  });

  it.each([null, [], "text", 1])("or that is no dump at all is empty: %j", (json) => {
    const problems = new ProblemList();
    const dump = readZtunnelRows(json, entry, problems);
    expect(problems.all).toMatchObject([{ entry, pointer: "", message: "must be object" }]);
    expect(Object.values(dump)).toEqual([[], [], [], [], []]);
  });
});

describe.skipIf(!existsSync(corpus) && !everythingIsRequired)("the dumps of others", () => {
  const testdata = "writer/ztunnel/configdump/testdata";
  const read = (path: string): string => readFileSync(join(corpus, "istioctl", path), "utf8");
  const jsonOf = (path: string): unknown => JSON.parse(read(path)) as unknown;
  const golden = (name: string): string => trimmed(read(`${testdata}/${name}`));
  const trimmed = (text: string): string => text.replace(/[ \t]+$/gm, "").trim();
  const current = (): ZtunnelDump => dumpOf(jsonOf(`${testdata}/dump.json`));

  it("case 51: certificates", () => {
    const table = tableOf(certificateView(current(), {}, goldenTime));
    expect(trimmed(table)).toBe(golden("secretsummary.txt"));
  });

  it("case 52: workloads", () => {
    expect(trimmed(tableOf(workloadView(current(), {}, newest)))).toBe(golden("workloadsummary.txt"));
  });

  it("case 53: one workload", () => {
    const filter = { name: "productpage-v1-675fc69cf-jscn2", namespace: "bookinfo" };
    const table = tableOf(workloadView(current(), filter, newest));
    expect(trimmed(table)).toBe(golden("workloadsummary_workload.txt"));
  });

  it("case 54: policies", () => {
    expect(trimmed(tableOf(policyView(current(), {}, newest)))).toBe(golden("policies.txt"));
  });

  it("case 55: connections", () => {
    expect(trimmed(tableOf(connectionsView(current(), {}, newest)))).toBe(golden("connectionsummary.txt"));
  });

  it("case 56: connections as JSON", () => {
    const { json } = connectionsView(current(), {}, newest);
    expect(json).toEqual(jsonOf(`${testdata}/connectionsdump.json`));
  });

  it("case 57: all tables", () => {
    const dump = current();
    const views = [
      workloadView(dump, {}, newest),
      serviceView(dump, {}, newest),
      policyView(dump, {}, newest),
      certificateView(dump, {}, goldenTime),
      connectionsView(dump, {}, newest),
    ];
    expect(trimmed(views.map((view) => `\n${tableOf(view)}`).join(""))).toBe(golden("allsummary.txt"));
  });

  it.each(["release-1.20", "release-1.22"])("have the same workloads and certificates in %s", (release) => {
    const json = jsonOf(`${release}/${testdata}/dump.json`);
    const dump = dumpOf(json);
    const workloads = workloadView(dump, {}, newest);
    expect(trimmed(tableOf(workloads))).toBe(golden("workloadsummary.txt"));
    expectOrigins(workloads, json, (workload, row) => expect(workload).toMatchObject({ name: row[1] }));
    const certificates = certificateView(dump, {}, goldenTime);
    expect(trimmed(tableOf(certificates))).toBe(golden("secretsummary.txt"));
    expect(serviceView(dump, {}, newest).rows).toEqual(serviceView(current(), {}, newest).rows);
    expect(policyView(dump, {}, newest).rows).toEqual([]);
    expect(connectionsView(dump, {}, newest).rows).toEqual([]);
  });

  it("have raw objects in JSON", () => {
    const json = jsonOf(`${testdata}/dump.json`) as Record<string, object>;
    const dump = dumpOf(json);
    for (const [view, key] of [
      [workloadView(dump, {}, newest), "workloads"],
      [serviceView(dump, {}, newest), "services"],
      [policyView(dump, {}, newest), "policies"],
    ] as const) {
      const rows = view.json as unknown[];
      expect(rows).toHaveLength(Object.keys(json[key]!).length);
      expect(new Set(rows)).toEqual(new Set(Object.values(json[key]!)));
    }
    expect(certificateView(dump, {}, goldenTime).json).toEqual(json["certificates"]);
  });
});
