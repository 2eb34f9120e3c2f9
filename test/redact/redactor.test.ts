import { beforeAll, describe, expect, it } from "vitest";

import type { RedactionProfile } from "../../src/redact/types.js";
import { redactionRules } from "../../src/shared/redaction-rules.js";
import { parseClusters } from "../../src/snapshot/parse/clusters.js";
import { parsePods, parseServices } from "../../src/snapshot/parse/cluster-objects.js";
import { readConfigDump, type ConfigDump } from "../../src/snapshot/parse/config-dump.js";
import { parseServerInfo } from "../../src/snapshot/parse/server-info.js";
import { parseSyncAnswer } from "../../src/snapshot/parse/syncz.js";
import { parseJson } from "../../src/shared/json.js";
import { ProblemList } from "../../src/shared/problem.js";
import { sectionKinds } from "../../src/snapshot/model.js";
import { clusterView } from "../../src/views/clusters.js";
import { routeView } from "../../src/views/routes.js";
import { secretView } from "../../src/views/secrets.js";
import { newestIstioctl } from "../../src/views/view.js";
import { aStore } from "../support/builders.js";
import { applyFaults } from "../support/mesh/faults.js";
import { bugReportLayout, ownLayout, type ArchiveFile } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { aRedactor, anAccessKey, redacted } from "./redacting.js";

const { mesh } = applyFaults(buildMesh(), ["rejected-listener", "dump-truncated", "dump-error-text"]);
const layouts: readonly (readonly [string, () => Iterable<ArchiveFile>])[] = [
  ["our bundle", () => ownLayout(mesh)],
  ["a bug-report", () => bugReportLayout(mesh, { istioctl: "1.24" })],
];
const bytesOf = ({ body }: ArchiveFile): Buffer => Buffer.from(body);

/** Reads a file with its parser; throws where it cannot. */
function parsed(name: string, bytes: Uint8Array): unknown {
  const problems = new ProblemList(40);
  const json = (): unknown => parseJson(bytes, name).value;
  if (name.includes("config_dump")) return readConfigDump(bytes, name, aStore()).sections;
  if (name.endsWith("/server_info")) return parseServerInfo(json(), name);
  if (name.endsWith("/clusters")) return parseClusters(bytes, name, problems);
  if (name.includes("/syncz")) return parseSyncAnswer(json(), name, "", problems);
  if (name.endsWith("pods.json")) return parsePods(json(), name);
  if (name.endsWith("services.json")) return parseServices(json(), name);
  if (/\/(?:certs|runtime|debug\/[a-zA-Z]+)$/.test(name)) return json();
  return null;
}
function isParsed(name: string, bytes: Uint8Array): boolean {
  try {
    parsed(name, bytes);
    return true;
  } catch {
    return false;
  }
}

describe.each(["internal", "support", "public"] as const)("under %s", (profile: RedactionProfile) => {
  it.each(layouts)("what could be parsed in %s still can", (_, files) => {
    const redactor = aRedactor(profile, { namespaces: mesh.pods.map(({ namespace }) => namespace) });
    let count = 0;
    for (const file of files()) {
      const raw = bytesOf(file);
      const kept = redactor.file(file.name, raw);
      if (kept.outcome === "dropped") throw new Error(`${file.name} ${kept.reason}`);
      const bytes = Buffer.concat(kept.content);
      expect(bytes.length).toBe(kept.size);
      expect(isParsed(file.name, bytes), file.name).toBe(isParsed(file.name, raw));
      count++;
    }
    expect(count).toBeGreaterThan(50);
    expect(redactor.findings).toEqual([]);
  });
});

describe("under internal", () => {
  const dumps = [...ownLayout(mesh)].filter(
    ({ name }) => name.includes("config_dump") && !name.includes("/debug/"),
  );
  const redactor = aRedactor();
  let pairs: { raw: ConfigDump; left: ConfigDump }[] = [];
  beforeAll(() => {
    pairs = dumps.flatMap(({ name, body }) => {
      if (!isParsed(name, Buffer.from(body))) return [];
      const read = (content: string | Uint8Array): ConfigDump =>
        readConfigDump(Buffer.from(content), name, aStore());
      return [{ raw: read(body), left: read(redacted(name, Buffer.from(body), redactor)) }];
    });
  });

  it("clusters, routes and secrets of a healthy mesh are shown as before", () => {
    expect(pairs.length).toBeGreaterThan(4);
    const options = { istioctl: newestIstioctl, verbose: true, at: "2025-01-01T00:00:00Z" };
    const tables = ({ sections }: ConfigDump): unknown => [
      sections.cluster.state === "present" && clusterView(sections.cluster.value, {}, options),
      sections.routeConfiguration.state === "present" &&
        routeView(sections.routeConfiguration.value, {}, options),
      sections.secret.state === "present" && secretView(sections.secret.value, options),
    ];
    for (const { raw, left } of pairs) expect(tables(left)).toEqual(tables(raw));
  });

  it("every resource is there, under its name", () => {
    const names = (dump: ConfigDump): unknown =>
      sectionKinds.map((kind) => {
        const section = dump.sections[kind];
        return section.state === "present"
          ? Array.from(section.value, ({ name, state }) => [name, state])
          : section.state;
      });
    for (const { raw, left } of pairs) expect(names(left)).toEqual(names(raw));
  });
});

describe("tokens", () => {
  const files = [
    ["a.json", '{"password":"hunter2"}'],
    ["b.yaml", "kind: X\npassword: hunter2\n"],
    ["proxies/a/b/config_dump", '{"clientSecret":"hunter2","password":"another"}'],
    ["a.log", "password=correct-horse"],
  ] as const;
  const tokensOf = (
    order: readonly (readonly [string, string])[],
  ): ReadonlyMap<string, readonly string[]> => {
    const redactor = aRedactor();
    return new Map(
      order.map(([name, text]) => [name, redacted(name, text, redactor).match(/‹[^›]+›/g) ?? []]),
    );
  };

  it("do not depend on the order of files", () => {
    const forwards = tokensOf(files);
    const backwards = tokensOf(files.toReversed());
    for (const [name] of files) expect(backwards.get(name)).toEqual(forwards.get(name));
  });

  it("are equal for equal values in files of all forms", () => {
    const tokens = tokensOf(files);
    const [token] = tokens.get("a.json") ?? [];
    expect(tokens.get("b.yaml")).toEqual([token]);
    expect(tokens.get("proxies/a/b/config_dump")?.[0]).toBe(token);
    expect(tokens.get("proxies/a/b/config_dump")?.[1]).not.toBe(token);
  });
});

describe("the record", () => {
  it("counts rules by their names, in the order of the list", () => {
    const redactor = aRedactor();
    redacted("a.json", '{"token":"x","client_id":"y","password":"x"}', redactor);
    redacted("b.json", '{"token":"x"}', redactor);
    expect(redactor.rules).toEqual([
      { rule: "secret", count: 3, files: 2 },
      { rule: "filter setting", count: 1, files: 1 },
    ]);
    for (const { rule } of redactor.rules) expect(Object.keys(redactionRules)).toContain(rule);
  });

  it("says once what is not covered, without names", () => {
    const redactor = aRedactor("public");
    for (const pod of ["a", "b"]) redacted(`x/proxies/shop/${pod}/istio-proxy.log`, "a line", redactor);
    expect(redactor.notCovered).toEqual(["free text in proxies/*/*/istio-proxy.log"]);
  });

  it("says that reasons of rejections are texts", () => {
    const redactor = aRedactor();
    redacted("a.json", '{"details":"no such cluster"}', redactor);
    expect(redactor.notCovered).toEqual(["free text in reasons of rejected updates"]);
  });

  it("is bounded", () => {
    const redactor = aRedactor();
    for (let index = 0; index < 150; index++) redacted(`note-${index}`, "a line", redactor);
    expect(redactor.notCovered).toHaveLength(101);
    expect(redactor.notCovered.at(-1)).toBe("and 50 other files");
  });
});

describe("what cannot be looked through", () => {
  it.each([
    ["proxies/a/b/cores/0.core", Buffer.from("ELF"), "is a core dump: memory of a process"],
    ["a.gz", Buffer.from([0x1f, 0x8b, 8, 0]), "is compressed"],
    ["a.bin", Buffer.from("a\0b"), "is no text: it holds zero bytes"],
  ])("%s is dropped", (name, content, reason) => {
    expect(aRedactor().file(name, content)).toEqual({ outcome: "dropped", name, reason });
  });

  it("but stays where nothing is redacted", () => {
    expect(aRedactor("none").file("a.bin", Buffer.from("a\0b"))).toMatchObject({ outcome: "kept", size: 3 });
  });
});

describe("the cluster's context", () => {
  const context = "admin@prod\nhttps://api.prod.example:6443\n";
  it("stays under internal", () => expect(redacted("cluster/cluster-context", context)).toBe(context));
  it.each(["support", "public"] as const)("goes under %s, line by line", (profile) => {
    const left = redacted("cluster/cluster-context", context, profile);
    expect(left).toMatch(/^‹redacted:environment-identity:[^›]+›\n‹redacted:environment-identity:[^›]+›\n$/);
    expect(redacted("cluster/cluster-context", left, profile)).toBe(left);
  });
});

describe("short texts", () => {
  it("are gone through as errors, names as names", () => {
    const redactor = aRedactor();
    expect(redactor.text("exit code 1: token=hunter2")).toMatch(/^exit code 1: token=‹redacted:/);
    expect(redactor.text("the answer timed out")).toBe("the answer timed out");
    expect(redactor.name(`proxies/a/${anAccessKey}`)).not.toContain(anAccessKey);
    expect(redactor.name("proxies/a/b")).toBe("proxies/a/b");
    expect(redactor.rules).toEqual([
      { rule: "credential", count: 1, files: 0 },
      { rule: "secret in text", count: 1, files: 0 },
    ]);
  });

  it("stay where nothing is redacted", () => {
    const redactor = aRedactor("none");
    expect(redactor.text("token=hunter2")).toBe("token=hunter2");
    expect(redactor.name("a")).toBe("a");
    expect([redactor.rules, redactor.kept, redactor.notCovered, redactor.allowed]).toEqual([[], [], [], []]);
    expect([redactor.names.size, redactor.certificates.size]).toEqual([0, 0]);
  });

  it("of contexts say so", () => {
    expect(aRedactor("support").name("admin@prod", "context")).not.toContain("prod");
    expect(aRedactor("support").name("reviews-v1-abc")).toBe("reviews-v1-abc");
  });
});

describe("costs one pass", () => {
  const units = [
    ...'a|a-|A1|/|@|a@|a:a@|%|%20|\\|\\"|"|\'|{|a{|?|=|a=|--a |<|::|1.|0:0:|a.|a_|http://a:|a://|token=|QUJD|[|{"a":'.split(
      "|",
    ),
    ..."-----BEGIN |-----BEGIN PRIVATE KEY-----|-----BEGIN CERTIFICATE-----|eyJ|eyJa.|Bearer |AKIA|password: \\|\n|secret { ".split(
      "|",
    ),
    ..."a\n|',' |'a', '|‹|‹redacted:|/home/|arn:aws:|projects/|gke_a_".split("|"),
  ];
  it.each(units)("over many %j", (unit) => {
    const text = unit.repeat(Math.ceil(100_000 / unit.length));
    for (const profile of ["internal", "public"] as const) {
      const redactor = aRedactor(profile);
      expect(redactor.file("a.log", Buffer.from(text)).outcome).toBe("kept");
      expect(redactor.file("a.json", Buffer.from(JSON.stringify({ a: text, [text]: 1 }))).outcome).toBe(
        "kept",
      );
    }
  });
});

it("redacting twice changes nothing, in a whole mesh", () => {
  const redactor = aRedactor();
  for (const file of bugReportLayout(mesh, { istioctl: "1.24" })) {
    const once = redacted(file.name, bytesOf(file), redactor);
    expect(redacted(file.name, once, redactor), file.name).toBe(once);
  }
});
