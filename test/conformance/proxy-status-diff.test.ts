/**
 * istioctl's own expectations of `proxy-status <pod>`: inputs and goldens of istio/istio, as the corpus' CASES.md lists
 * them. The headings must be istioctl's, the same resources must differ, in the same lines, and our diff of our text of
 * Istiod's side must give our text of Envoy's. Where we differ on purpose stands in `deviations`.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { applyPatch } from "diff";
import { afterAll, describe, expect, it } from "vitest";

import { documentOf, resourceText } from "../../src/diff/diff-text.js";
import { comparedKinds, type ComparedKind } from "../../src/diff/drift.js";
import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { kindTitles } from "../../src/report/drift-wording.js";
import type { Sections } from "../../src/snapshot/model.js";
import { comparer } from "../../src/diff/sections.js";
import { aStore, corpus, everythingIsRequired, readText, valueOf } from "../support/builders.js";

const root = join(import.meta.dirname, "../..");
const folder = join(corpus, "istioctl");
const isAbsent = !existsSync(folder) && !everythingIsRequired;
const bin = join(root, "bin/istio-snapshot.js");
const isBuilt = existsSync(bin) && existsSync(join(root, "dist/program/istio-snapshot.js"));

/** What istioctl prints otherwise, and why. */
const deviations = [
  "An empty message is `{}`, not `{`, a blank line and `}`: that is how an old printer of Go wrote it.",
  "Keys are in alphabetical order and indented by four blanks, not in that of the proto and by three.",
  "Lists whose order Envoy ignores (domains, filter chains, ...) are sorted on both sides, so their order is no difference.",
  "The text is that of the resources themselves, without the envelopes of the dump (versions, times, warming and error states).",
  "v2 messages are said in v3's fields, and types inside have v3's names too.",
  "Fields and types that istioctl does not know are compared too.",
  "Times are in UTC.",
  "Endpoints, Secrets and ECDS are compared besides, or it is said why not.",
];

interface Case {
  readonly number: number;
  readonly istiod: string;
  readonly envoy: string;
  readonly istioctl: string;
  readonly kinds: readonly ComparedKind[];
  readonly golden?: string;
}

const old = "release-1.6/writer/compare/testdata";
const pilot = `${old}/pilotconfigdump.json`;
const same = "writer/compare/testdata/configdump.json";
const cases: readonly Case[] = [
  {
    number: 45,
    istiod: same,
    envoy: same,
    istioctl: "1.30",
    kinds: ["cluster", "listener", "routeConfiguration"],
  },
  {
    number: 46,
    istiod: pilot,
    envoy: `${old}/diffenvoyconfigdump.json`,
    istioctl: "1.6",
    kinds: ["cluster"],
    golden: `${old}/clusterdiff.txt`,
  },
  { number: 47, istiod: pilot, envoy: `${old}/envoyconfigdump.json`, istioctl: "1.6", kinds: ["cluster"] },
  { number: 48, istiod: pilot, envoy: `${old}/envoyconfigdump.json`, istioctl: "1.6", kinds: ["listener"] },
  {
    number: 49,
    istiod: pilot,
    envoy: `${old}/diffenvoyconfigdump.json`,
    istioctl: "1.6",
    kinds: ["routeConfiguration"],
    golden: `${old}/routediff.txt`,
  },
  {
    number: 50,
    istiod: pilot,
    envoy: `${old}/envoyconfigdump.json`,
    istioctl: "1.6",
    kinds: ["routeConfiguration"],
  },
];

const scratch = mkdtempSync(join(tmpdir(), "istio-snapshot-diff-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The two dumps where a must-gather has them. */
function mustGather({ number, istiod, envoy }: Case): string {
  const path = join(scratch, String(number));
  const pod = join(path, "namespaces/default/pods/productpage-v1");
  mkdirSync(pod, { recursive: true });
  writeFileSync(join(pod, "config_dump_istiod.json"), readFileSync(join(folder, istiod)));
  writeFileSync(join(pod, "config_dump_proxy.json"), readFileSync(join(folder, envoy)));
  return path;
}

function printed(path: string, istioctl: string): { readonly stdout: string; readonly code: number | null } {
  const { stdout, status } = spawnSync(
    process.execPath,
    [bin, "proxy-status", "productpage-v1", "-f", path, "--istioctl-version", istioctl],
    { encoding: "utf8", env: { ...process.env, ISTIO_SNAPSHOT: "", NO_COLOR: "1" } },
  );
  return { stdout, code: status };
}

/** What stands of one kind in the output: from its heading to that of the next. */
function partOf(output: string, kind: ComparedKind): string {
  const titles = comparedKinds.map((each) => kindTitles[each]);
  const isHeading = (line: string, title: string): boolean =>
    line.startsWith(`${title} `) || (line.endsWith(` ${title}`) && line.startsWith("--- "));
  const lines = output.split("\n");
  const start = lines.findIndex((line) => isHeading(line, kindTitles[kind]));
  const own = lines.slice(start);
  const end = own.findIndex((line) =>
    titles.some((title) => title !== kindTitles[kind] && isHeading(line, title)),
  );
  return own.slice(0, end).join("\n");
}

/** Lines that a diff takes away or adds, without brackets, commas and blanks. */
const changedLines = (diff: string): string[] =>
  diff
    .split("\n")
    .filter((line) => /^[-+](?![-+]{2} )/.test(line))
    .map((line) => line[0]! + line.slice(1).trim().replace(/,$/, ""))
    .filter((line) => /\w/.test(line));

const headingsOf = (diff: string): string[] =>
  diff.split("\n").filter((line) => /^(?:---|\+\+\+) |Match/.test(line));

const run: number[] = [];

describe.skipIf(isAbsent || (!isBuilt && !everythingIsRequired))(
  "proxy-status <pod> says what istioctl says",
  () => {
    it.each(cases)("case $number", async (testCase) => {
      const { number, istioctl, kinds, golden } = testCase;
      const path = mustGather(testCase);
      const { stdout, code } = printed(path, istioctl);
      const snapshot = await readSnapshot(path);
      for (const kind of kinds) {
        const part = partOf(stdout, kind);
        if (golden === undefined) {
          expect(part.trim().replace(/ \(RDS last loaded at .*\)$/, "")).toBe(`${kindTitles[kind]} Match`);
          continue;
        }
        expect(code).toBe(1);
        const expected = readFileSync(join(folder, golden), "utf8");
        expect(headingsOf(part)).toEqual(headingsOf(expected));
        expect(changedLines(part).sort()).toEqual(changedLines(expected).sort());
        const textOf = ({ config }: { readonly config: Sections }): string =>
          documentOf(
            [...valueOf(config[kind])]
              .filter(({ source, state }) => source === "dynamic" && state === "active")
              .map(({ name, hash }) => ({ name, text: resourceText(snapshot.resources.get(hash!)!) })),
          );
        const [istiod, envoy] = [snapshot.istiods[0]!.views[0]!, snapshot.proxies[0]!].map(textOf);
        expect(applyPatch(istiod!, part.slice(part.indexOf("--- ")))).toBe(envoy);
      }
      run.push(number);
    });

    it("headings by release", () => {
      const path = mustGather({ ...cases[1]!, number: 0 });
      const clusters = (istioctl: string): string[] =>
        headingsOf(partOf(printed(path, istioctl).stdout, "cluster"));
      expect(clusters("1.6")).toEqual(["--- Pilot Clusters", "+++ Envoy Clusters"]);
      expect(clusters("1.21")).toEqual(["--- Istiod Clusters", "+++ Envoy Clusters"]);
      expect(clusters("1.30")).toEqual(["Clusters Don't Match", "--- Istiod Clusters", "+++ Envoy Clusters"]);
    });

    it("all 6 cases of CASES.md were run", () => {
      console.info(`proxy-status <pod>: ${run.length} of istioctl's 6 cases conform`);
      console.info(["otherwise than istioctl, on purpose:", ...deviations].join("\n- "));
      expect(run).toEqual([45, 46, 47, 48, 49, 50]);
    });
  },
);

describe.skipIf(isAbsent)("one proxy as two releases dump it", () => {
  it("of 1.4, without types, is that of 1.6 in every resource", () => {
    const store = aStore();
    const dumps = ["release-1.4", "release-1.6"].map((release) =>
      readText(
        readFileSync(
          join(folder, release, "cmd/testdata/describe/istio-ingressgateway-5bf6c9887-vvvmj.json"),
          "utf8",
        ),
        store,
      ),
    );
    const compare = comparer();
    const [old, now] = dumps.map(({ sections }) => sections);
    for (const [kind, count] of [
      ["cluster", 123],
      ["listener", 2],
      ["routeConfiguration", 2],
    ] as const) {
      const comparison = compare.compare(kind, valueOf(old![kind]), valueOf(now![kind]));
      expect(comparison.differences.filter(({ class: of }) => of === "changed")).toEqual([]);
      expect(comparison.same).toBeGreaterThanOrEqual(count);
      expect(comparison.noise).toBe(comparison.same);
    }
  });
});
