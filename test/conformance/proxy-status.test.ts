/**
 * istioctl's own expectations of proxy-status, release by release: inputs and goldens of istio/istio, as the corpus'
 * CASES.md lists them. The words must be istioctl's; columns and the order of types are the golden's.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { describe, expect, it } from "vitest";

import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { statusText, syncStatus, type ProxyStatus } from "../../src/status/sync-status.js";
import { corpus, everythingIsRequired } from "../support/builders.js";

const root = join(import.meta.dirname, "../..");
const folder = join(corpus, "istioctl");
const isAbsent = !existsSync(folder) && !everythingIsRequired;

interface Case {
  readonly number: number;
  readonly input: string;
  readonly golden: string;
  /** Only proxies whose id contains it, as `proxy-status <pod>` filtered in the HTTP era. */
  readonly filter: string;
}

/** Cases whose command filtered the rows. */
const filters: Readonly<Record<number, string>> = { 38: "proxy2", 42: "proxy2" };

const allCases: readonly Case[] = isAbsent ? [] : casesOf(readFileSync(join(folder, "CASES.md"), "utf8"));

function casesOf(catalogue: string): Case[] {
  return catalogue
    .split(/^### case /m)
    .slice(1)
    .map((text): Case => {
      const path = (label: string): string =>
        new RegExp(`^- ${label}: \`([^\`]+)\``, "m").exec(text)?.[1] ?? "";
      const number = Number.parseInt(text, 10);
      return {
        number,
        input: join(folder, path("input")),
        golden: join(folder, path("golden")),
        filter: filters[number] ?? "",
      };
    })
    .filter(({ number }) => number >= 33 && number <= 44);
}

const caseOf = (number: number): Case => allCases.find((candidate) => candidate.number === number)!;

/** Numbers of the cases that conform. */
const run: number[] = [];

async function rowsOf({ input, filter }: Case): Promise<ProxyStatus[]> {
  const snapshot = await readSnapshot(input);
  expect(snapshot.problems).toEqual([]);
  return syncStatus(snapshot).rows.filter(({ name }) => name.includes(filter));
}

/** A golden's table as one record a row, by the words of its header. */
function recordsOf(table: string): Record<string, string>[] {
  const [header = [], ...rows] = table
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s{2,}/));
  return rows.map((cells) => Object.fromEntries(header.map((name, index) => [name, cells[index] ?? ""])));
}

const goldenOf = ({ golden }: Case): string => readFileSync(golden, "utf8");

/** Older releases printed the names of the enum. */
const asWord = (word: string): string => (word === "UNKNOWN" ? "IGNORED" : word.replaceAll("_", " "));

const isType = (column: string): boolean => /^[A-Z]+DS$/.test(column);

/** A row of ours in the golden's columns. */
function inColumns(row: ProxyStatus, columns: readonly string[]): Record<string, string> {
  const cell = (column: string): string => {
    if (isType(column)) return statusText(row.types.get(column)!);
    switch (column) {
      case "NAME":
        return row.name;
      case "CLUSTER":
        return row.cluster;
      case "ISTIOD":
      case "PILOT":
        return row.istiod;
      case "VERSION":
        return row.version;
      case "SUBSCRIBED TYPES": {
        const subscribed = [...row.types]
          .filter(([, { state }]) => state !== "IGNORED")
          .map(([name]) => name);
        return `${subscribed.length} (${subscribed.join(",")})`;
      }
      default:
        throw new Error(`a golden has the unknown column ${column}`);
    }
  };
  return Object.fromEntries(columns.map((column) => [column, cell(column)]));
}

describe.skipIf(isAbsent)("proxy-status says what istioctl says", () => {
  const tables = allCases.filter(({ golden }) => golden.endsWith(".txt"));
  it.each(tables)("case $number: every proxy, every type, in the golden's order", async (testCase) => {
    const expected = recordsOf(goldenOf(testCase)).map((record) =>
      Object.fromEntries(
        Object.entries(record).map(([column, cell]) => [column, isType(column) ? asWord(cell) : cell]),
      ),
    );
    const columns = Object.keys(expected[0]!);
    const rows = await rowsOf(testCase);
    expect(rows.map((row) => inColumns(row, columns))).toEqual(expected);
    run.push(testCase.number);
  });

  interface Answer {
    readonly resources: readonly {
      readonly node: { readonly id: string };
      readonly genericXdsConfigs: readonly { readonly typeUrl: string; readonly configStatus: string }[];
    }[];
  }
  const shortNames: Readonly<Record<string, string>> = {
    Cluster: "CDS",
    Listener: "LDS",
    RouteConfiguration: "RDS",
    ClusterLoadAssignment: "EDS",
    TypedExtensionConfig: "ECDS",
  };
  const answers = allCases.filter(({ golden }) => /\.(json|yaml)$/.test(golden));
  it.each(answers)("case $number: the types and states of the answer", async (testCase) => {
    const text = goldenOf(testCase);
    const answer = (testCase.golden.endsWith(".yaml") ? parseYaml(text) : JSON.parse(text)) as Answer;
    const expected = answer.resources.map(({ node, genericXdsConfigs }) => ({
      name: node.id,
      types: Object.fromEntries(
        genericXdsConfigs.map(({ typeUrl, configStatus }) => [
          shortNames[typeUrl.slice(typeUrl.lastIndexOf(".") + 1)],
          asWord(configStatus),
        ]),
      ),
    }));
    const rows = await rowsOf(testCase);
    expect(
      rows.map(({ name, types }) => ({
        name,
        types: Object.fromEntries([...types].map(([type, status]) => [type, statusText(status)])),
      })),
    ).toEqual(expected);
    run.push(testCase.number);
  });
});

const bin = join(root, "bin/istio-snapshot.js");
const isBuilt = existsSync(bin) && existsSync(join(root, "dist/program/istio-snapshot.js"));

describe.skipIf(isAbsent || (!isBuilt && !everythingIsRequired))(
  "the command prints istioctl's table",
  () => {
    const printed = (number: number): string => {
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        [bin, "proxy-status", "-f", caseOf(number).input],
        {
          encoding: "utf8",
          env: { ...process.env, ISTIO_SNAPSHOT: "", NO_COLOR: "1" },
        },
      );
      expect(status, stderr).toBe(1);
      return stdout;
    };

    it("case 40: to the letter", () => {
      expect(printed(40).trim()).toBe(goldenOf(caseOf(40)).trim());
    });

    it("case 33: in the columns of that release, which sorted types by their URLs", () => {
      const expected = recordsOf(goldenOf(caseOf(33)));
      expect(recordsOf(printed(33))).toEqual(expected);
    });
  },
);

it.skipIf(isAbsent)("all 12 cases of CASES.md were run", () => {
  console.info(`proxy-status: ${run.length} of istioctl's 12 cases conform`);
  expect(run.sort()).toEqual([33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44]);
});
