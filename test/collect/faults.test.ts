/** Proxies that fail over HTTP, each in its own way, on real sockets. One costs itself, and no other. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { cli } from "../support/cli.js";
import { collector, type Ended } from "../support/live/collector-program.js";
import { argumentsOf, capture, type Capture } from "../support/live/collector-run.js";
import {
  answer,
  closesHalfWay,
  drips,
  empty,
  flood,
  hangs,
  hangsUp,
  harmful,
  inTurn,
  refuses,
  stopsHalfWay,
  webPage,
  wrongJson,
  type Answers,
  type Behaviour,
} from "../support/live/faulty-server.js";
import { folderForEach } from "../support/live/folder.js";
import { meshOf, versionFor } from "../support/live/named-mesh.js";
import { filesOf, gapsIn, outcomeOf, proxyFiles, readBack, viewIn } from "../support/live/read-back.js";
import { serve, type ServedMesh } from "../support/live/served-mesh.js";
import { stoppedAfterEach } from "../support/live/until-the-end.js";

const untilTheEnd = stoppedAfterEach();
const folder = folderForEach();

const timeout = 300;
const maxSize = 4 * 1024 * 1024;
const someJson = `{"certificates": [${" ".repeat(100_000)}]}`;

interface Fault {
  /** What the pod is called. */
  readonly name: string;
  readonly path: string;
  /** Of the bundle; left out: the path. */
  readonly file?: string;
  readonly behaviour: Behaviour;
  /** Requests for the path. */
  readonly tries: number;
  /** null: there is no gap. */
  readonly reason: string | RegExp | null;
}
const once = 1;
const thrice = 3;
const faults: readonly Fault[] = [
  {
    name: "hangs",
    path: "certs",
    behaviour: hangs,
    tries: thrice,
    reason: "no answer within 0.3s (--timeout)",
  },
  {
    name: "broken",
    path: "server_info",
    behaviour: refuses(500),
    tries: thrice,
    reason: "HTTP 500: Internal Server Error",
  },
  {
    name: "unready",
    path: "certs",
    behaviour: refuses(503),
    tries: thrice,
    reason: "HTTP 503: no healthy upstream",
  },
  {
    name: "dump-broken",
    path: "config_dump?include_eds",
    behaviour: refuses(500),
    tries: thrice,
    reason: "HTTP 500: Internal Server Error",
  },
  {
    name: "closes-half-way",
    path: "certs",
    behaviour: closesHalfWay(someJson),
    tries: thrice,
    reason: /^the answer ended early: /,
  },
  {
    name: "dump-closes-half-way",
    path: "config_dump?include_eds",
    behaviour: closesHalfWay(someJson),
    tries: thrice,
    reason: /^the answer ended early: /,
  },
  {
    name: "stops-half-way",
    path: "certs",
    behaviour: stopsHalfWay(someJson),
    tries: thrice,
    reason: "no more of the answer came for 0.3s (--timeout)",
  },
  {
    name: "drips",
    path: "certs",
    behaviour: drips(someJson, 1, 20),
    tries: once,
    reason: "the answer was not complete within 3s (10 times --timeout)",
  },
  {
    name: "hangs-up",
    path: "certs",
    behaviour: hangsUp,
    tries: thrice,
    reason: "no connection: socket hang up",
  },
  { name: "empty", path: "certs", behaviour: empty, tries: thrice, reason: "the answer is empty" },
  {
    name: "wrong-json",
    path: "certs",
    behaviour: wrongJson,
    tries: thrice,
    reason: "the answer is cut off after 44 bytes",
  },
  {
    name: "text-for-json",
    path: "certs",
    behaviour: answer("no certificates today\n"),
    tries: once,
    reason: "the answer is no JSON but: no certificates today",
  },
  {
    name: "html-for-json",
    path: "config_dump?include_eds",
    behaviour: webPage,
    tries: once,
    reason: /^the answer is no JSON but: <!DOCTYPE html> <html><head><title>Sign in/,
  },
  {
    name: "html-for-text",
    path: "stats",
    behaviour: webPage,
    tries: once,
    reason: /^the answer is a web page: <!DOCTYPE html>/,
  },
  {
    name: "floods",
    path: "clusters",
    behaviour: flood(Infinity),
    tries: once,
    reason: "the answer is larger than 4194304 bytes (--max-dump-size)",
  },
  {
    name: "redirects",
    path: "certs",
    behaviour: ({ response }) => {
      response.writeHead(302, { location: "http://127.0.0.1:1/elsewhere" }).end();
    },
    tries: once,
    reason: "HTTP 302: it sends us on to http://127.0.0.1:1/elsewhere, where we do not go",
  },
  { name: "unknown", path: "certs", behaviour: refuses(404), tries: once, reason: "404 page not found" },
  { name: "unauthorized", path: "certs", behaviour: refuses(401), tries: once, reason: "HTTP 401" },
  { name: "forbidden", path: "certs", behaviour: refuses(403), tries: once, reason: "HTTP 403: Forbidden" },
  {
    name: "too-many-once",
    path: "certs",
    behaviour: inTurn(refuses(429), answer('{"certificates": []}')),
    tries: 2,
    reason: null,
  },
  {
    name: "unready-once",
    path: "certs",
    behaviour: inTurn(refuses(503), answer('{"certificates": []}')),
    tries: 2,
    reason: null,
  },
  { name: "without-runtime", path: "runtime", behaviour: refuses(404), tries: once, reason: null },
];

describe("proxies that fail in one answer each", () => {
  const ids = [...faults.map(({ name }) => `${name}.shop`), "healthy.shop"];
  let home: string;
  let served: ServedMesh;
  let capturing: Capture;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "istio-snapshot-faults-"));
    const answers = faults.map(({ name, path, behaviour }) => [`${name}.shop`, { [path]: behaviour }]);
    served = await serve(meshOf(ids), {
      envoys: Object.fromEntries(answers) as Record<string, Answers>,
    });
    const limits = { timeout, maxSize };
    capturing = await capture(home, { ...served.ways, limits, concurrency: ids.length });
  });
  afterAll(async () => {
    await served.stop();
    await rm(home, { recursive: true, force: true });
  });

  it.each(faults)("$name: $reason, after $tries tries", ({ name, path, tries, reason }) => {
    const id = `${name}.shop`;
    const file = path;
    const isAnswered = reason === null && name !== "without-runtime";
    expect(gapsIn(capturing, id)).toEqual(
      reason === null
        ? []
        : [
            typeof reason === "string"
              ? `${id}: ${file}: ${reason}`
              : expect.stringMatching(reasonAfter(`${id}: ${file}: `, reason)),
          ],
    );
    expect(outcomeOf(capturing, id)).toBe(reason === null ? "captured" : "partial");
    expect(filesOf(capturing, id)).toEqual(proxyFiles.filter((each) => isAnswered || each !== file));
    const requests = served.envoys.get(id)?.requests ?? [];
    expect(requests.filter(({ url }) => url === `/${path}` || url.startsWith(`/${path}?`))).toHaveLength(
      tries,
    );
  });

  it("stop no other one", () => {
    expect(gapsIn(capturing, "healthy.shop")).toEqual([]);
    expect(outcomeOf(capturing, "healthy.shop")).toBe("captured");
    expect(filesOf(capturing, "healthy.shop")).toEqual(proxyFiles);
    const [istiod] = served.mesh.istiods;
    expect(outcomeOf(capturing, `${istiod?.name ?? ""}.istio-system`)).toBe("captured");
    for (const id of ids) {
      expect(viewIn(capturing, istiod?.name ?? "", id), id).toContain(versionFor(id));
    }
  });

  it("make the exit code 1, and stand in the summary and in what verify says", async () => {
    expect(capturing.code).toBe(1);
    const count = faults.filter(({ reason }) => reason !== null).length;
    expect(capturing.stderr).toContain(`Not captured (${count}):`);
    expect(capturing.stderr).not.toMatch(/^ +at /m);
    const { code, stdout } = await cli(["verify", capturing.path]);
    expect(code).toBe(1);
    for (const { name } of faults.filter(({ reason }) => reason !== null))
      expect(stdout).toMatch(new RegExp(`${name}\\.shop: .* was not captured: `));
  });

  it("are asked for nothing that changes them", () => {
    for (const { requests } of [...served.envoys.values(), ...served.istiods])
      expect(harmful(requests)).toEqual([]);
  });
});

const reasonAfter = (start: string, { source }: RegExp): RegExp =>
  new RegExp(`^${start.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}${source.replace(/^\^/, "")}`);

describe("a proxy", () => {
  const ids = ["gone.shop", "healthy.shop"];
  const expectHealthy = (capturing: Capture): void => {
    expect(gapsIn(capturing, "healthy.shop")).toEqual([]);
    expect(filesOf(capturing, "healthy.shop")).toEqual(proxyFiles);
  };

  it("that is gone when it is asked is given up after two requests", async () => {
    const served = untilTheEnd(await serve(meshOf(ids)));
    await served.envoys.get("gone.shop")?.stop();
    const capturing = await capture(folder(), served.ways);
    expect(capturing.code).toBe(1);
    expect(outcomeOf(capturing, "gone.shop")).toBe("failed");
    expect(gapsIn(capturing, "gone.shop")).toEqual([
      "gone.shop: certs, clusters, runtime, stats: not asked: 2 requests in a row had failed",
      expect.stringMatching(/^gone\.shop: config_dump\?include_eds: no connection: connect ECONNREFUSED /),
      expect.stringMatching(/^gone\.shop: server_info: no connection: connect ECONNREFUSED /),
    ]);
    expect(filesOf(capturing, "gone.shop")).toEqual([]);
    expectHealthy(capturing);
    // what Istiod would send it is no proxy's to refuse
    expect(viewIn(capturing, served.mesh.istiods[0]?.name ?? "", "gone.shop")).toContain(
      versionFor("gone.shop"),
    );
  });

  it.each([401, 403])("that answers everything with %d is asked twice and no more", async (status) => {
    const all = Object.fromEntries(
      ["config_dump", "server_info", "certs", "clusters", "runtime", "stats"].map((path) => [
        path,
        refuses(status),
      ]),
    );
    const served = untilTheEnd(await serve(meshOf(ids), { envoys: { "gone.shop": all } }));
    const capturing = await capture(folder(), served.ways);
    expect(served.envoys.get("gone.shop")?.requests.map(({ url }) => url)).toEqual([
      "/config_dump?include_eds",
      "/server_info",
    ]);
    expect(gapsIn(capturing, "gone.shop")[1]).toMatch(
      new RegExp(`^gone\\.shop: config_dump\\?include_eds: HTTP ${status}`),
    );
    expectHealthy(capturing);
  });

  it("that sends a gigabyte is cut off at the cap, and takes no memory even for that", async () => {
    const gigabyte = 1024 ** 3;
    const megabyte = 1024 ** 2;
    const calm = untilTheEnd(await serve(meshOf(ids)));
    const flooded = untilTheEnd(
      await serve(meshOf(ids), {
        envoys: { "gone.shop": { "config_dump?include_eds": flood(gigabyte), stats: flood(gigabyte) } },
      }),
    );
    const path = join(folder(), "bundle.tar.gz");
    const run = (ways: ServedMesh["ways"]): Promise<Ended> =>
      collector([...argumentsOf(ways), "--max-dump-size", "96MiB", "-o", path], { folder: folder() });
    const before = await run(calm.ways);
    const during = await run(flooded.ways);
    expect([before.code, during.code]).toEqual([0, 1]);
    expect(before.peakMemory).toBeGreaterThan(30 * megabyte);
    expect(during.peakMemory).toBeLessThan((before.peakMemory ?? 0) + 96 * megabyte);

    const bundle = await readBack(path);
    expectHealthy({ ...bundle, code: 1, stdout: "", stderr: "", path });
    // the dump came by its slices
    expect(gapsIn(bundle, "gone.shop")).toEqual([
      "gone.shop: stats: the answer is larger than 100663296 bytes (--max-dump-size)",
    ]);
    expect(filesOf(bundle, "gone.shop")).toEqual(proxyFiles.filter((file) => file !== "stats"));
  });
});
