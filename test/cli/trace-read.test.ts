import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { readAndTrace, type Traced } from "../../src/cli/commands/trace/read.js";
import { traceInput } from "../../src/cli/commands/trace/request.js";
import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { traceRequest } from "../../src/trace/trace.js";
import type { TraceResult } from "../../src/trace/result.js";
import { defaultLimits } from "../../src/bundle/limits.js";
import { aFolder } from "../support/builders.js";
import { envoyDump } from "../support/mesh/dump.js";
import { print } from "../support/mesh/json.js";
import { buildMesh } from "../support/mesh/mesh.js";

const folder = await aFolder();
afterAll(() => folder.remove());

const mesh = buildMesh({ proxies: 4, services: 12 });
const sidecar = mesh.proxies.find(({ type }) => type === "sidecar");
if (sidecar === undefined) throw new Error("the mesh has no sidecar");
const dump = print(envoyDump(sidecar, true), 1).toString();
const url = "http://billing-api-1.team-1:8000/";
const cluster = "outbound|8000||billing-api-1.team-1.svc.cluster.local";

function fileWith(text: string): string {
  const file = join(folder.path, "dump.json");
  writeFileSync(file, text);
  return file;
}

/** As the command reads it. */
const traced = (file: string): Promise<Traced> =>
  readAndTrace(
    {
      ...{ _: [], $0: "", file, maxEntries: defaultLimits.entries, maxRatio: defaultLimits.ratio },
      ...{ maxEntryBytes: "1GiB", maxTotalBytes: "1GiB", maxNameBytes: 1000, maxJsonDepth: 256 },
    },
    (snapshot, from) => traceRequest(snapshot, traceInput({ url }, from)),
  );

/** As it is when all of the snapshot was read. */
async function tracedWhole(file: string): Promise<TraceResult> {
  const snapshot = await readSnapshot(file);
  return traceRequest(snapshot, traceInput({ url }, snapshot.proxies[0]?.id ?? ""));
}

/** The text with something else in the place of the first match behind another one. */
function damaged(behind: string, what: RegExp, damage: string): string {
  const at = dump.indexOf(behind);
  const end = dump.slice(at);
  expect(at).toBeGreaterThan(0);
  expect(end).toMatch(what);
  return dump.slice(0, at) + end.replace(what, damage);
}

describe("a trace through a dump", () => {
  it("is the same as when all of it was read", async () => {
    const file = fileWith(dump);
    const { result, snapshot } = await traced(file);
    expect(result.hops.map((hop) => hop.cluster)).toEqual([cluster]);
    expect(result).toEqual(await tracedWhole(file));
    expect(snapshot.problems).toEqual([]);
  });

  it("does not look into what it does not come by", async () => {
    const { result, snapshot } = await traced(
      fileWith(damaged('"name": "outbound|15012|', /"connect_timeout": "10s"/, '"connect_timeout": 10s')),
    );
    expect(result).toEqual(await tracedWhole(fileWith(dump)));
    expect(snapshot.problems).toEqual([]);
  });

  it.each([
    { what: "the cluster", behind: `"name": "${cluster}"`, where: /"connect_timeout": "10s"/, put: "" },
    {
      what: "the virtual host",
      behind: '"name": "billing-api-1.team-1.svc',
      where: /"domains"/,
      put: '"domains":1 ',
    },
    {
      what: "the listener's chain",
      behind: '"name": "0.0.0.0_8000"',
      where: /"filters": \[/,
      put: '"filters": [ , ',
    },
    { what: "the bootstrap", behind: '"bootstrap": {', where: /"admin": \{/, put: '"admin": {,' },
    {
      what: "the endpoints",
      behind: `"cluster_name": "${cluster}"`,
      where: /"address": \{/,
      put: '"address": {,',
    },
  ])("leaves out and reports $what where that is damaged", async ({ behind, where, put }) => {
    const file = fileWith(damaged(behind, where, put));
    const { result, snapshot } = await traced(file);
    expect(result).toEqual(await tracedWhole(file));
    expect(result).not.toEqual(await tracedWhole(fileWith(dump)));
    expect(snapshot.problems.filter(({ severity }) => severity === "lost")).toHaveLength(1);
  });
});
