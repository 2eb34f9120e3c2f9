import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { readAndTrace, type Traced } from "../../src/cli/commands/trace/read.js";
import { traceInput } from "../../src/cli/commands/trace/request.js";
import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { proxyViews } from "../../src/trace/proxy-view.js";
import { traceRequest } from "../../src/trace/trace.js";
import type { TraceResult } from "../../src/trace/result.js";
import { defaultLimits } from "../../src/bundle/limits.js";
import { aFolder, aSection } from "../support/builders.js";
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

/** Some of the mesh's hosts, by their short and full names. */
function someHosts(): readonly string[] {
  const names = [...dump.matchAll(/"name": "outbound\|\d+\|\|([a-z0-9.-]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  const full = [...new Set(names)].slice(0, 6);
  return full.flatMap((name) => [name, name.split(".").slice(0, 2).join(".")]);
}

/** As the command reads it. */
const traced = (file: string, of = url): Promise<Traced> =>
  readAndTrace(
    {
      ...{ _: [], $0: "", file, maxEntries: defaultLimits.entries, maxRatio: defaultLimits.ratio },
      ...{ maxEntryBytes: "1GiB", maxTotalBytes: "1GiB", maxNameBytes: 1000, maxJsonDepth: 256 },
    },
    (snapshot, from) => traceRequest(snapshot, traceInput({ url: of }, from)),
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

  it("is the same for every host, port and way to write them", async () => {
    const file = fileWith(dump);
    const snapshot = await readSnapshot(file);
    for (const host of [...someHosts(), "no-such-host", "10.99.99.99", "[fd00::1]", "localhost"])
      for (const port of [80, 443, 8000, 8080, 9080, 15001, 15006]) {
        const urls = [
          `http://${host}:${port}/`,
          `http://${host.toUpperCase()}:${port}/a/b?c=d`,
          `tcp://${host}:${port}`,
        ];
        for (const one of urls) {
          const whole = traceRequest(snapshot, traceInput({ url: one }, snapshot.proxies[0]?.id ?? ""));
          expect((await traced(file, one)).result, one).toEqual(whole);
        }
      }
  }, 60_000);

  it("finds a host only where the route configuration of its name is in force", async () => {
    const routes = (name: string, host: string): unknown => ({
      route_config: {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        name,
        virtual_hosts: [{ name: `${host}:80`, domains: [host] }],
      },
    });
    const file = fileWith(
      JSON.stringify({
        configs: [
          aSection("Routes", {
            static_route_configs: [routes("a", "replaced.example"), routes("b", "static.example")],
            dynamic_route_configs: [routes("a", "dynamic.example"), routes("c", "not-static.example")],
          }),
        ],
      }),
    );
    for (const identities of [true, false]) {
      const snapshot = await readSnapshot(file, { identities });
      const [proxy] = snapshot.proxies;
      const view = proxy === undefined ? undefined : proxyViews(snapshot)(proxy);
      const holding = (host: string): unknown =>
        view?.routeConfigurations(host).map((config) => config["name"]);
      expect(holding("replaced.example")).toEqual([]);
      expect(holding("dynamic.example")).toEqual(["a"]);
      expect(holding("Static.example")).toEqual(["b", "c"]);
      expect(holding("no.example")).toEqual([]);
    }
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
