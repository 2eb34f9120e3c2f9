import { describe, expect, it } from "vitest";

import { buildMesh } from "../mesh/mesh.js";
import type { Mesh, MeshIstiod, MeshProxy } from "../mesh/model.js";
import { harmful, refuses, type LocalServer } from "./faulty-server.js";
import { startIstiod, type IstiodOptions } from "./istiod.js";
import { dealtOut } from "./live-envoys.js";
import { stoppedAfterEach } from "./until-the-end.js";

const untilTheEnd = stoppedAfterEach();

const bookinfo = dealtOut(buildMesh({ istiods: 2 }));
const [first, second] = bookinfo.istiods as readonly [MeshIstiod, MeshIstiod];
const known = proxyOf(bookinfo, first.syncz[0]?.proxyId ?? "");

/** The first replica of a control plane of that release. */
async function ofRelease(release: string, options: IstiodOptions = {}): Promise<LocalServer> {
  const mesh = dealtOut(buildMesh({ istiods: 2, istioVersion: `${release}.3` }));
  return untilTheEnd(await startIstiod(mesh, mesh.istiods[0]!, options));
}

const ask = async ({ url }: LocalServer, path: string): Promise<{ status: number; text: string }> => {
  const response = await fetch(`${url}/${path}`);
  return { status: response.status, text: await response.text() };
};
const askJson = async <T>(server: LocalServer, path: string): Promise<T> =>
  JSON.parse((await ask(server, path)).text) as T;

interface Row {
  readonly proxy: string;
  readonly resources?: object;
}
interface Client {
  readonly connectionId: string;
  readonly watches: object;
}
interface Section {
  readonly "@type": string;
  readonly versionInfo?: string;
  readonly dynamicActiveClusters?: readonly unknown[];
}
const rowsOf = (server: LocalServer): Promise<Row[]> => askJson(server, "debug/syncz");
const clientsOf = async (server: LocalServer): Promise<Client[]> =>
  (await askJson<{ clients: Client[] }>(server, "debug/adsz")).clients;
const dumpOf = async (server: LocalServer, query: string): Promise<Section[]> =>
  (await askJson<{ configs: Section[] }>(server, `debug/config_dump?${query}`)).configs;

describe("an Istiod of a release", () => {
  const asked = ["syncz", "adsz", "configz", "endpointShardz", "registryz", "push_status", "mesh"];
  asked.push("networkz", "clusterz", "ambientz", "list");

  it.each([
    { release: "1.8", lacks: ["mesh", "networkz", "clusterz", "ambientz", "list"] },
    { release: "1.9", lacks: ["networkz", "clusterz", "ambientz", "list"] },
    { release: "1.10", lacks: ["clusterz", "ambientz", "list"] },
    { release: "1.12", lacks: ["ambientz"] },
    { release: "1.17", lacks: ["ambientz"] },
    { release: "1.20", lacks: ["ambientz"] },
    { release: "1.24", lacks: [] },
    { release: "1.28", lacks: [] },
  ])("offers what it has: $release", async ({ release, lacks }) => {
    const istiod = await ofRelease(release);
    const missing: string[] = [];
    for (const name of asked) {
      const { status, text } = await ask(istiod, `debug/${name}`);
      if (status === 200) {
        expect(() => JSON.parse(text) as unknown, name).not.toThrow();
      } else {
        missing.push(name);
        expect({ status, text }).toEqual({ status: 404, text: "404 page not found\n" });
      }
    }
    expect(missing).toEqual(lacks);
    expect((await ask(istiod, "version")).text).toMatch(new RegExp(`^${release}\\.3-[0-9a-f]{40}-Clean$`));
    expect((await ask(istiod, "ready")).status).toBe(200);
  });

  it("lists what it offers, what changes something too", async () => {
    const listed = async (release: string): Promise<string[]> =>
      askJson<string[]>(await ofRelease(release), "debug/list");
    expect(await listed("1.11")).not.toContain("mcsz");
    expect(await listed("1.28")).toEqual(expect.arrayContaining(["adsz?push=true", "ambientz", "syncz"]));
  });

  it.each([
    { release: "1.8", sections: 6, endpoints: false },
    { release: "1.12", sections: 6, endpoints: false },
    { release: "1.15", sections: 6, endpoints: true },
    { release: "1.17", sections: 7, endpoints: true },
    { release: "1.28", sections: 7, endpoints: true },
  ])("dumps in its own form: $release", async ({ release, sections, endpoints }) => {
    const istiod = await ofRelease(release);
    const plain = await dumpOf(istiod, `proxyID=${known.id}`);
    const whole = await dumpOf(istiod, `proxyID=${known.id}&include_eds`);
    expect(plain).toHaveLength(sections);
    expect(whole).toHaveLength(sections + (endpoints ? 1 : 0));
    expect(plain[0]).toEqual({ "@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump" });
    expect(plain[1]?.dynamicActiveClusters?.length).toBeGreaterThan(5);
    const text = JSON.stringify(whole);
    expect(text).not.toMatch(/last_?updated/i);
    expect(text).not.toContain("dynamic_active_clusters");
  });

  it.each([
    { release: "1.8", has: ["proxy", "cluster_sent"], lacks: ["cluster_id", "proxy_type", "resources"] },
    { release: "1.17", has: ["cluster_id"], lacks: ["proxy_type", "resources"] },
    { release: "1.20", has: ["cluster_id", "proxy_type"], lacks: ["resources"] },
    { release: "1.24", has: ["cluster_id", "proxy_type", "resources"], lacks: [] },
  ])("tells in syncz what it knows: $release", async ({ release, has, lacks }) => {
    const rows = await rowsOf(await ofRelease(release));
    expect(rows).toHaveLength(first.syncz.length);
    const keys = Object.keys(rows[0] ?? {});
    expect(keys).toEqual(expect.arrayContaining(has));
    expect(keys.filter((key) => lacks.includes(key))).toEqual([]);
  });

  it.each([
    { release: "1.8", metadata: false, labels: false },
    { release: "1.12", metadata: true, labels: false },
    { release: "1.16", metadata: true, labels: true },
  ])("tells in adsz what it knows: $release", async ({ release, metadata, labels }) => {
    const clients = await clientsOf(await ofRelease(release));
    expect(clients).toHaveLength(first.syncz.length);
    for (const client of clients) {
      expect(client.connectionId).toMatch(/^[a-z0-9-]+\.[a-z0-9-]+-\d+$/);
      expect("metadata" in client).toBe(metadata);
      expect("labels" in client).toBe(labels);
    }
  });

  it.each([
    { release: "1.8", lineBreak: "" },
    { release: "1.11", lineBreak: "\n" },
    { release: "1.28", lineBreak: "\n" },
  ])("refuses in its own words: $release", async ({ release, lineBreak }) => {
    const istiod = await ofRelease(release);
    for (const path of ["debug/config_dump", "debug/ndsz"]) {
      expect(await ask(istiod, path)).toEqual({
        status: 400,
        text: `You must provide a proxyID in the query string${lineBreak}`,
      });
      expect(await ask(istiod, `${path}?proxyID=nobody.nowhere`)).toEqual({
        status: 404,
        text: `Proxy not connected to this Pilot instance. It may be connected to another instance.${lineBreak}`,
      });
    }
  });

  it.each([
    { release: "1.8", shows: /^\[\{[^]*"table"[^]*\}\s*$/, without: 200 }, // never closed
    { release: "1.12", shows: /^\{"resource":\{"@type"/, without: 200 },
    { release: "1.15", shows: /^\{"resource":\{"@type"/, without: 400 },
    { release: "1.28", shows: /^\{"configs":\[\{"@type"/, without: 200 },
  ])("shows a name table in its own form: $release", async ({ release, shows, without }) => {
    const capturing = await ofRelease(release, { dnsCapture: new Set([known.id]) });
    const shown = await ask(capturing, `debug/ndsz?proxyID=${known.id}-`);
    expect(shown.status).toBe(200);
    expect(shown.text).toMatch(shows);
    expect(shown.text).toContain("reviews.default.svc.cluster.local");
    expect((await clientsOf(capturing)).filter(({ watches }) => hasNameTable(watches))).toHaveLength(1);

    const plain = await ofRelease(release);
    expect((await ask(plain, `debug/ndsz?proxyID=${known.id}-`)).status).toBe(without);
    expect((await clientsOf(plain)).filter(({ watches }) => hasNameTable(watches))).toEqual([]);
  });

  it("tells since 1.23 in syncz who has a name table", async () => {
    const dnsCapture = new Set([known.id]);
    const capturing = async (release: string): Promise<string[]> =>
      (await rowsOf(await ofRelease(release, { dnsCapture })))
        .filter(({ resources }) => hasNameTable(resources ?? {}))
        .map(({ proxy }) => proxy);
    expect(await capturing("1.24")).toEqual([known.id]);
    expect(await capturing("1.20")).toEqual([]);
  });
});

describe("an Istiod", () => {
  it("takes a proxyID for part of a connection's id, and the wrong one first", async () => {
    const mesh = renamed(bookinfo, ["reviews.default", "my-reviews.default"]);
    const istiod = untilTheEnd(await startIstiod(mesh, mesh.istiods[0]!));
    const dumped = async (proxyID: string): Promise<string | undefined> =>
      (await dumpOf(istiod, `proxyID=${proxyID}`))[1]?.versionInfo;
    expect(await dumped("reviews.default")).toBe("version of my-reviews.default");
    const clients = await clientsOf(istiod);
    expect(clients).toHaveLength(2);
    for (const { connectionId } of clients)
      // the longer name contains the shorter one's, with its counter it does not
      expect(await dumped(connectionId)).toBe(`version of ${connectionId.replace(/-\d+$/, "")}`);
    expect((await ask(istiod, "debug/config_dump?proxyID=reviews.default-999")).status).toBe(404);
  });

  it("knows its own half of the proxies only", async () => {
    const istiods = [
      untilTheEnd(await startIstiod(bookinfo, first)),
      untilTheEnd(await startIstiod(bookinfo, second)),
    ];
    const listed: string[][] = [];
    for (const istiod of istiods) listed.push((await rowsOf(istiod)).map(({ proxy }) => proxy));
    expect(listed.flat().sort()).toEqual(bookinfo.proxies.map(({ id }) => id).sort());
    expect(listed.map(({ length }) => length).sort()).toEqual([3, 4]);
    for (const { id } of bookinfo.proxies) {
      const answers: number[] = [];
      for (const istiod of istiods)
        answers.push((await ask(istiod, `debug/config_dump?proxyID=${id}`)).status);
      expect(answers).toEqual(listed.map((ids) => (ids.includes(id) ? 200 : 404)));
    }
  });

  it("gives the later sample of syncz from the second time on", async () => {
    const earlier = { ...first, synczBefore: first.syncz.slice(0, 1) };
    const istiod = untilTheEnd(await startIstiod(bookinfo, earlier));
    const counts: number[] = [];
    for (let time = 0; time < 3; time++) counts.push((await rowsOf(istiod)).length);
    expect(counts).toEqual([1, first.syncz.length, first.syncz.length]);
  });

  it("refuses clusterz where it reads no other clusters", async () => {
    const alone = untilTheEnd(await startIstiod(bookinfo, first, { multicluster: false }));
    expect(await ask(alone, "debug/clusterz")).toEqual({ status: 400, text: "" });
    const among = untilTheEnd(await startIstiod(bookinfo, first));
    expect(await askJson(among, "debug/clusterz")).toHaveLength(1);
  });

  it("remembers what it was asked, and tells harm from harmless", async () => {
    const istiod = untilTheEnd(await startIstiod(bookinfo, first));
    await ask(istiod, "debug/syncz");
    await ask(istiod, `debug/config_dump?proxyID=${known.id}&include_eds`);
    expect(istiod.requests).toEqual([
      { method: "GET", url: "/debug/syncz" },
      { method: "GET", url: `/debug/config_dump?proxyID=${known.id}&include_eds` },
    ]);
    expect(harmful(istiod.requests)).toEqual([]);
    await ask(istiod, "debug/adsz?push=true");
    await ask(istiod, "debug/cachez?clear=true");
    await ask(istiod, "debug/force_disconnect?proxyID=x");
    await fetch(`${istiod.url}/debug/syncz`, { method: "POST" });
    expect(harmful(istiod.requests)).toHaveLength(4);
  });

  it("can be told to answer otherwise", async () => {
    const query = `proxyID=${known.id}`;
    const istiod = untilTheEnd(
      await startIstiod(bookinfo, first, {
        instead: { "debug/syncz": refuses(503), [`debug/config_dump?${query}`]: "no" },
      }),
    );
    expect((await ask(istiod, "debug/syncz")).status).toBe(503);
    expect((await ask(istiod, `debug/config_dump?${query}`)).text).toBe("no");
    expect(await dumpOf(istiod, `${query}&include_eds`)).toHaveLength(8);
  });
});

const hasNameTable = (types: object): boolean =>
  Object.keys(types).some((type) => type.endsWith("istio.networking.nds.v1.NameTable"));

function proxyOf(mesh: Mesh, id: string): MeshProxy {
  const found = mesh.proxies.find((proxy) => proxy.id === id);
  if (found === undefined) throw new Error(`no proxy ${id}`);
  return found;
}

/** The first proxies of the first Istiod under other names, each with a version that tells which it is. */
function renamed(mesh: Mesh, ids: readonly string[]): Mesh {
  const istiod = mesh.istiods[0]!;
  const rows = ids.map((proxyId, index) => ({ ...istiod.syncz[index]!, proxyId }));
  const proxies = ids.map((id, index): MeshProxy => {
    const proxy = proxyOf(mesh, istiod.syncz[index]!.proxyId);
    return { ...proxy, id, desired: { ...proxy.desired, versionInfo: `version of ${id}` } };
  });
  return { ...mesh, proxies, istiods: [{ ...istiod, syncz: rows, synczBefore: rows }] };
}
