/** Istiods that fail, know too little or mean another proxy, on real sockets. */
import { describe, expect, it } from "vitest";

import { syncStatus } from "../../src/status/sync-status.js";
import { capture } from "../support/live/collector-run.js";
import { answer, hangs, refuses, webPage, type LocalServer } from "../support/live/faulty-server.js";
import { folderForEach } from "../support/live/folder.js";
import { meshOf, versionFor } from "../support/live/named-mesh.js";
import { gapsIn, gapsOf, outcomeOf, viewIn, type ReadBack } from "../support/live/read-back.js";
import { serve } from "../support/live/served-mesh.js";
import { stoppedAfterEach } from "../support/live/until-the-end.js";
import { adsz } from "../support/mesh/istiod-answers.js";
import type { Mesh, MeshIstiod } from "../support/mesh/model.js";

const untilTheEnd = stoppedAfterEach();
const folder = folderForEach();

const ids = ["one.shop", "two.shop", "three.shop", "four.shop"];
/** Two Istiods that each know two of the four. */
const mesh = meshOf(ids, { istiods: 2 });
const [first, second] = mesh.istiods as [MeshIstiod, MeshIstiod];
const ownOf = ({ name }: MeshIstiod): string[] =>
  mesh.proxies.filter(({ connectedTo }) => connectedTo === name).map(({ id }) => id);

/** What a server was asked to tell of proxies, as their connections are called. */
const viewsAsked = ({ requests }: LocalServer): string[] =>
  requests
    .map(({ url }) => new URL(url, "http://istiod"))
    .filter(({ pathname }) => pathname === "/debug/config_dump")
    .map(({ searchParams }) => searchParams.get("proxyID") ?? "");

const whereOf = ({ snapshot }: ReadBack): Record<string, string> =>
  Object.fromEntries(
    syncStatus(snapshot).rows.map(({ name, connected, istiod }) => [
      name,
      connected === null ? "unknown" : connected ? istiod : "NOT CONNECTED",
    ]),
  );

const notConnected =
  /^Proxy not connected to this Pilot instance\. It may be connected to another instance\.\s*$/;

describe("an Istiod", () => {
  it("that tells everything is asked for its own proxies, and for no other's", async () => {
    const served = untilTheEnd(await serve(mesh));
    const capturing = await capture(folder(), served.ways);
    expect(capturing.code).toBe(0);
    expect(gapsOf(capturing.manifest)).toEqual([]);
    expect(served.istiods.map((istiod) => viewsAsked(istiod).length)).toEqual([2, 2]);
    for (const istiod of mesh.istiods)
      for (const id of ids) {
        const view = viewIn(capturing, istiod.name, id);
        if (ownOf(istiod).includes(id)) expect(view).toContain(versionFor(id));
        else expect(view).toBeUndefined();
      }
  });

  it("whose syncz fails is known by its connections", async () => {
    const served = untilTheEnd(
      await serve(mesh, { istiods: [{ instead: { "debug/syncz": refuses(500) } }] }),
    );
    const capturing = await capture(folder(), served.ways);
    expect(capturing.code).toBe(1);
    const target = `${first.name}.istio-system`;
    expect(gapsOf(capturing.manifest)).toEqual([
      `${target}: debug/syncz: HTTP 500: Internal Server Error`,
      `${target}: debug/syncz.before: HTTP 500: Internal Server Error`,
    ]);
    expect(outcomeOf(capturing, target)).toBe("partial");
    for (const id of ownOf(first)) expect(viewIn(capturing, first.name, id)).toContain(versionFor(id));
    expect(served.istiods.map((istiod) => viewsAsked(istiod).length)).toEqual([2, 2]);
    // its list is missing, so nobody can be said to be without a connection
    const where = whereOf(capturing);
    for (const id of ids) expect(where[id]).toBe(ownOf(first).includes(id) ? "unknown" : second.name);
  });

  it("that does not say who is connected is asked for every proxy, and is no liar when it knows half of them", async () => {
    const served = untilTheEnd(
      await serve(mesh, { istiods: [{ instead: { "debug/syncz": webPage, "debug/adsz": refuses(404) } }] }),
    );
    const capturing = await capture(folder(), served.ways);
    const target = `${first.name}.istio-system`;
    expect(gapsOf(capturing.manifest)).toEqual([
      `${target}: debug/adsz: 404 page not found`,
      expect.stringContaining(`${target}: debug/syncz: the answer is no JSON but: <!DOCTYPE html>`),
      expect.stringContaining(`${target}: debug/syncz.before: the answer is no JSON but: <!DOCTYPE html>`),
    ]);
    expect(served.istiods.map((istiod) => viewsAsked(istiod).length)).toEqual([4, 2]);
    for (const id of ownOf(first)) {
      expect(viewIn(capturing, first.name, id)).toContain(versionFor(id));
      expect(viewIn(capturing, second.name, id)).toBeUndefined();
    }
    for (const id of ownOf(second)) {
      expect(viewIn(capturing, first.name, id)).toMatch(notConnected);
      expect(viewIn(capturing, second.name, id)).toContain(versionFor(id));
    }
    expect(capturing.snapshot.istiods.map(({ views }) => views.map(({ proxyId }) => proxyId).sort())).toEqual(
      mesh.istiods.map((istiod) => ownOf(istiod).sort()),
    );
  });

  it.each([
    { status: 401, tries: 1 },
    { status: 500, tries: 3 },
  ])(
    "that answers everything with $status is given up, and costs no other one",
    async ({ status, tries }) => {
      const refused = Object.fromEntries(
        ["debug/syncz", "debug/adsz", "debug/config_dump", "debug/configz", "version"].map((path) => [
          path,
          refuses(status),
        ]),
      );
      const served = untilTheEnd(await serve(mesh, { istiods: [{ instead: refused }] }));
      const capturing = await capture(folder(), served.ways);
      expect(capturing.code).toBe(1);
      const target = `${first.name}.istio-system`;
      const gaps = gapsIn(capturing, target);
      expect(gaps).toContain(`${target}: debug/config_dump: not asked: nothing else was answered`);
      expect(gaps.filter((gap) => gap.includes(`HTTP ${status}`)).length).toBeGreaterThanOrEqual(2);
      expect(gapsOf(capturing.manifest)).toEqual(gaps);
      expect(viewsAsked(served.istiods[0]!)).toEqual([]);
      const asked = served.istiods[0]!.requests.map(({ url }) => url);
      expect(asked.filter((url) => url === "/debug/adsz")).toHaveLength(tries);
      for (const id of ownOf(second)) expect(viewIn(capturing, second.name, id)).toContain(versionFor(id));
      for (const id of ids) expect(outcomeOf(capturing, id)).toBe("captured");
    },
  );

  it("that hangs over one proxy costs what it would send that one", async () => {
    const [slow = "", quick = ""] = ownOf(first);
    const connection = `${slow}-3`; // the rig's first
    const path = `debug/config_dump?proxyID=${connection}&include_eds`;
    const served = untilTheEnd(await serve(mesh, { istiods: [{ instead: { [path]: hangs } }] }));
    const capturing = await capture(folder(), { ...served.ways, limits: { timeout: 300 } });
    expect(gapsOf(capturing.manifest)).toEqual([
      `${first.name}.istio-system: debug/config_dump/shop/${slow.split(".")[0] ?? ""}: no answer within 0.3s (--timeout)`,
    ]);
    expect(viewsAsked(served.istiods[0]!).filter((id) => id === connection)).toHaveLength(3);
    expect(viewIn(capturing, first.name, quick)).toContain(versionFor(quick));
    expect(outcomeOf(capturing, slow)).toBe("captured");
  });

  it.each([true, false])("that knows of other clusters (%s) has no gap", async (multicluster) => {
    const served = untilTheEnd(await serve(mesh, { istiods: [{ multicluster }, { multicluster }] }));
    const capturing = await capture(folder(), served.ways);
    expect(gapsOf(capturing.manifest)).toEqual([]);
    expect(capturing.code).toBe(0);
    const file = `istio/istio-system/${first.name}/debug/clusterz`;
    expect(capturing.files.has(file)).toBe(multicluster);
  });
});

describe("a proxy that goes over to another replica while it is captured", () => {
  const moves = "one.shop";
  const rows = first.syncz.filter(({ proxyId }) => proxyId === moves);
  const after: Mesh = {
    ...mesh,
    istiods: [
      { ...first, syncz: first.syncz.filter(({ proxyId }) => proxyId !== moves) },
      { ...second, syncz: [...second.syncz, ...rows] },
    ],
  };

  it("is found there, and the one that it left is no failure", async () => {
    expect(ownOf(first)).toContain(moves);
    // who is connected was told before it moved
    const told = mesh.istiods.map((istiod) => ({ instead: { "debug/adsz": answer(adsz(mesh, istiod)) } }));
    const served = untilTheEnd(await serve(after, { istiods: told }));
    const capturing = await capture(folder(), served.ways);
    expect(gapsOf(capturing.manifest)).toEqual([]);
    expect(capturing.code).toBe(0);
    expect(viewIn(capturing, first.name, moves)).toMatch(notConnected);
    expect(viewIn(capturing, second.name, moves)).toContain(versionFor(moves));
    expect(whereOf(capturing)[moves]).toBe(second.name);
  });
});

describe("proxies whose names are parts of each other's", () => {
  const viewsOf = async (rivals: readonly string[], instead = {}): Promise<Record<string, string>> => {
    const rivalMesh = meshOf(rivals);
    const [istiod] = rivalMesh.istiods as [MeshIstiod];
    const served = untilTheEnd(await serve(rivalMesh, { istiods: [{ instead }] }));
    const capturing = await capture(folder(), served.ways);
    const target = `${istiod.name}.istio-system`;
    return Object.fromEntries(
      rivals.map((id) => [
        id,
        /"version_?info":\s*"(version of [^"]*)"/i.exec(viewIn(capturing, istiod.name, id) ?? "")?.[1] ??
          gapsIn(capturing, target).find((gap) =>
            gap.includes(`debug/config_dump/${id.split(".").reverse().join("/")}:`),
          ) ??
          "nothing",
      ]),
    );
  };

  it("each have their own configuration, because it is their connection that is asked for", async () => {
    const rivals = ["a.b", "my-a.b", "a.b-1", "a.b-12"];
    // the connections are called a.b-3, my-a.b-4, a.b-1-5 and a.b-12-6
    expect(await viewsOf(rivals)).toEqual(Object.fromEntries(rivals.map((id) => [id, versionFor(id)])));
  });

  it("have none rather than another one's, where the connection is part of another one, too", async () => {
    const rivals = ["a.b", "my-a.b", "a.b-3"]; // a.b-3 is the connection of the first, and within a.b-3-5
    expect(await viewsOf(rivals)).toEqual({
      "a.b": expect.stringContaining("not asked: Istiod might take another proxy for a.b") as unknown,
      "my-a.b": versionFor("my-a.b"),
      "a.b-3": versionFor("a.b-3"),
    });
  });

  it("have none rather than another one's, where nobody tells the connections", async () => {
    expect(await viewsOf(["a.b", "my-a.b", "c.b"], { "debug/adsz": refuses(404) })).toEqual({
      "a.b": expect.stringContaining("not asked: Istiod might take another proxy for a.b") as unknown,
      "my-a.b": versionFor("my-a.b"),
      "c.b": versionFor("c.b"),
    });
  });
});

describe("the DNS table of a proxy", () => {
  it.each(["1.12.2", "1.20.3", "1.24.1"])("is kept where the proxy captures DNS: %s", async (release) => {
    const served = untilTheEnd(
      await serve(mesh, {
        istiods: mesh.istiods.map(() => ({ release, dnsCapture: new Set(["one.shop"]) })),
      }),
    );
    const capturing = await capture(folder(), served.ways);
    expect(gapsOf(capturing.manifest)).toEqual([]);
    const tables = [...capturing.files.keys()].filter((name) => name.includes("/debug/ndsz/"));
    expect(tables).toEqual([`istio/istio-system/${first.name}/debug/ndsz/shop/one`]);
    expect(capturing.files.get(tables[0] ?? "")).toContain("shortname");
  });
});
