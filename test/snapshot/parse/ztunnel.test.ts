import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { ProblemList } from "../../../src/shared/problem.js";
import type { ZtunnelDump } from "../../../src/snapshot/parse/ztunnel-rows.js";
import { isZtunnelDump, parseZtunnelDump } from "../../../src/snapshot/parse/ztunnel.js";
import { at, corpus, everythingIsRequired } from "../../support/builders.js";

const entry = "ztunnel/istio-system/ztunnel-abc/config_dump";
const read = (json: unknown): { dump: ZtunnelDump; problems: string[] } => {
  const problems = new ProblemList();
  const dump = parseZtunnelDump(json, entry, problems);
  return { dump, problems: problems.all.map(({ pointer, message }) => `${pointer} ${message}`) };
};
const dumpOf = (json: unknown): ZtunnelDump => read(json).dump;

const workload = {
  uid: "Kubernetes//Pod/default/a",
  name: "a",
  namespace: "default",
  workloadIps: ["10.0.0.1"],
  protocol: "HBONE",
  node: "n1",
  status: "Healthy",
};
const service = { name: "web", namespace: "default", hostname: "web.default.svc", vips: ["/10.96.0.1"] };

describe("a ztunnel's dump", () => {
  it.each([
    {
      form: "lists",
      json: { workloads: [workload], services: [service] },
      at: ["/workloads/0", "/services/0"],
    },
    {
      form: "maps",
      json: { workloads: { "net/10.0.0.1": workload }, services: { "/10.96.0.1": service } },
      at: ["/workloads/net~110.0.0.1", "/services/~110.96.0.1"],
    },
    {
      form: "maps by address, before 1.22",
      json: { by_addr: { "/10.0.0.1": workload }, by_vip: { "/10.96.0.1": service } },
      at: ["/by_addr/~110.0.0.1", "/by_vip/~110.96.0.1"],
    },
  ])("is read as $form", ({ json, at: pointers }) => {
    expect(dumpOf(json)).toMatchObject({
      workloads: [
        {
          uid: workload.uid,
          name: "a",
          namespace: "default",
          addresses: ["10.0.0.1"],
          protocol: "HBONE",
          node: "n1",
          status: "Healthy",
          origin: { entry, pointer: pointers[0] },
        },
      ],
      services: [
        {
          name: "web",
          namespace: "default",
          hostname: "web.default.svc",
          origin: { entry, pointer: pointers[1] },
        },
      ],
      policies: [],
      certificates: [],
    });
    expect(at(json, pointers[0]!)).toBe(workload);
    expect(at(json, pointers[1]!)).toBe(service);
  });

  it.each([
    { json: { workloads: [], policies: [{}, {}], certificates: [{}] }, policies: 2, certificates: 1 },
    { json: { workloads: [], policies: { a: {} }, certificates: {} }, policies: 1, certificates: 0 },
    { json: { workloads: [] }, policies: 0, certificates: 0 },
  ])("counts policies and certificates: $json", ({ json, policies, certificates }) => {
    const dump = dumpOf(json);
    expect([dump.policies.length, dump.certificates.length]).toEqual([policies, certificates]);
  });

  it.each([
    { ips: { workloadIps: ["a", "b"] }, addresses: ["a", "b"] },
    { ips: { workloadIp: "a" }, addresses: ["a"] },
    { ips: {}, addresses: [] },
    { ips: { workloadIps: [1, "a"] }, addresses: ["a"] },
  ])("has the addresses of $ips", ({ ips, addresses }) => {
    expect(dumpOf({ workloads: [{ name: "a", ...ips }] }).workloads[0]).toMatchObject({ addresses, uid: "" });
  });

  it.each([
    { json: {}, says: `${entry}: ` },
    { json: { workloads: "none" }, says: "/workloads must be array" },
  ])("of the wrong shape names entry and field: $says", ({ json, says }) => {
    expect(() => dumpOf(json)).toThrow(says);
  });

  it.each([
    { json: { workloads: [1, workload] }, says: "/workloads/0 must be object" },
    { json: { workloads: { "a/b": null, c: workload } }, says: "/workloads/a~1b must be object" },
    { json: { workloads: [workload], services: [[]] }, says: "/services/0 must be object" },
  ])("a bad row costs that row: $says", ({ json, says }) => {
    const { dump, problems } = read(json);
    expect(problems).toEqual([says]);
    expect(dump.workloads.map(({ name }) => name)).toEqual(["a"]);
  });
});

describe("isZtunnelDump", () => {
  it.each([{ workloads: [] }, { by_addr: {} }, { workloads: {}, version: {} }])(
    "knows one by its keys: %j",
    (json) => {
      expect(isZtunnelDump(json)).toBe(true);
    },
  );
  it.each([{}, { configs: [], workloads: [] }, [], null, "workloads", { pods: [] }])(
    "knows that this is none: %j",
    (json) => {
      expect(isZtunnelDump(json)).toBe(false);
    },
  );
});

describe.skipIf(!existsSync(corpus) && !everythingIsRequired)("the dumps of others", () => {
  it.each([
    { file: "release-1.20/writer/ztunnel/configdump/testdata/dump.json", policies: 0 },
    { file: "release-1.22/writer/ztunnel/configdump/testdata/dump.json", policies: 0 },
    { file: "writer/ztunnel/configdump/testdata/dump.json", policies: 2 },
  ])("are read whole: $file", ({ file, policies }) => {
    const json = JSON.parse(readFileSync(join(corpus, "istioctl", file), "utf8")) as unknown;
    expect(isZtunnelDump(json)).toBe(true);
    const dump = dumpOf(json);
    expect(dump.workloads).toHaveLength(27);
    expect(dump.services).toHaveLength(19);
    expect([dump.certificates.length, dump.policies.length]).toEqual([4, policies]);
    for (const { name, origin } of [...dump.workloads, ...dump.services])
      expect(at(json, origin.pointer)).toMatchObject({ name });
  });
});
