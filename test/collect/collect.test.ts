import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Refusal, type Channel } from "../../src/collect/ask.js";
import { collect, type CollectOptions, type Progress } from "../../src/collect/collect.js";
import type { Ledger } from "../../src/collect/ledger.js";
import { OutputError, packer } from "../../src/collect/packing.js";
import type { Plan, PlannedTarget } from "../../src/collect/plan.js";
import {
  envoyQuestions,
  istiodQuestionsAfter,
  istiodQuestionsBefore,
  istiodQuestionsBeside,
} from "../../src/collect/questions.js";
import {
  temporaryFiles,
  type TemporaryFile,
  type TemporaryFiles,
} from "../../src/collect/temporary-files.js";
import type { Redactor } from "../../src/redact/types.js";
import { UserError } from "../../src/shared/errors.js";
import {
  aPlan,
  aTarget,
  bundleInMemory,
  gate,
  noProgress,
  noSpace,
  notConnected,
  notFound,
  passThrough,
  quickLimits,
  serverError,
  settle,
  traffic,
  until,
  type BundleInMemory,
  type Reply,
  type Traffic,
} from "../support/collector.js";

let disk: TemporaryFiles;
/** Temporary files that are open. */
let open: Set<TemporaryFile>;
let files: TemporaryFiles;
let mesh: Traffic;
beforeEach(async () => {
  disk = await temporaryFiles(null);
  open = new Set();
  mesh = traffic();
  files = {
    remove: () => disk.remove(),
    create: async () => {
      const file = await disk.create();
      open.add(file);
      return {
        ...file,
        get size() {
          return file.size;
        },
        close: async () => {
          open.delete(file);
          await file.close();
        },
      };
    },
  };
});
afterEach(() => disk.remove());

const dumpPath = "config_dump?include_eds";
const statsPath = envoyQuestions.find(({ file }) => file === "stats")?.path ?? "";
const viewPath = (id: string): string => `debug/config_dump?proxyID=${encodeURIComponent(id)}&include_eds`;
const dnsPath = (id: string): string => `debug/ndsz?proxyID=${encodeURIComponent(id)}`;

type Replies = Readonly<Record<string, Reply>>;

const envoyAnswers: Replies = {
  ...Object.fromEntries(envoyQuestions.map(({ path, file }) => [path, JSON.stringify({ file })])),
  [statsPath]: "server.live: 1\n",
};

/** An Envoy that answers everything. */
const envoy = (name: string, changes: Replies = {}, otherwise: Reply = notFound): PlannedTarget =>
  aTarget("proxy", name, mesh.channel(name, { ...envoyAnswers, ...changes }, otherwise));

interface Held {
  /** `<pod>.<namespace>` to the connection's counter. */
  readonly connections?: Readonly<Record<string, number>>;
  /** Those of them that use Istio's DNS proxy. */
  readonly dns?: readonly string[];
}

/** An Istiod that holds these connections, and answers everything about them. */
function istiod(
  pod: string,
  { connections = {}, dns = [] }: Held = {},
  changes: Replies = {},
): PlannedTarget {
  const ids = Object.entries(connections).map(([proxy, counter]) => ({ proxy, id: `${proxy}-${counter}` }));
  const syncz = ids.map(({ proxy }) => ({ proxy }));
  const clients = ids.map(({ proxy, id }) => ({
    connectionId: id,
    ...(dns.includes(proxy) ? { metadata: { DNS_CAPTURE: "true" } } : {}),
  }));
  const questions = [...istiodQuestionsBefore, ...istiodQuestionsBeside, ...istiodQuestionsAfter];
  return aTarget(
    "istiod",
    `${pod}.istio-system`,
    mesh.channel(
      pod,
      {
        ...Object.fromEntries(questions.map(({ path }) => [path, "{}"])),
        "debug/syncz": JSON.stringify(syncz),
        "debug/adsz": JSON.stringify({ totalClients: clients.length, clients }),
        ...Object.fromEntries(ids.map(({ id }) => [viewPath(id), JSON.stringify({ view: id })])),
        ...Object.fromEntries(ids.map(({ id }) => [dnsPath(id), JSON.stringify({ names: id })])),
        ...changes,
      },
      notConnected,
    ),
  );
}

interface Outcome {
  readonly ledger: Ledger;
  readonly bundle: BundleInMemory;
  /** `<target> <what>: <reason>` */
  readonly gaps: readonly string[];
}

interface Around extends Partial<Pick<CollectOptions, "concurrency" | "progress" | "stop">> {
  readonly maxSize?: number;
  readonly bundle?: BundleInMemory;
  readonly redactor?: Redactor;
}

async function run(plan: Plan | readonly PlannedTarget[], around: Around = {}): Promise<Outcome> {
  const { bundle = bundleInMemory(), redactor = passThrough(), maxSize = 1_000_000 } = around;
  const ledger = await collect("targets" in plan ? plan : aPlan(plan), {
    limits: { ...quickLimits, maxSize },
    concurrency: around.concurrency ?? 8,
    files,
    packer: packer(bundle, redactor),
    stop: around.stop ?? new AbortController().signal,
    progress: around.progress ?? noProgress,
  });
  const gaps = ledger.failures.map(
    ({ target, what, reason }) => `${target === null ? "cluster" : target.pod} ${what}: ${reason}`,
  );
  return { ledger, bundle, gaps };
}

const askedOf = (target: string): string[] =>
  mesh.asked.filter((each) => each.target === target).map(({ path }) => path);
const viewsAskedOf = (target: string): string[] =>
  askedOf(target).filter((path) => path.startsWith("debug/config_dump"));

const folder = "istio-snapshot";
const cart = "cart.shop";
const web = "web.shop";

describe("a mesh that answers", () => {
  it("is captured whole: every file in its place", async () => {
    const { ledger, bundle, gaps } = await run([
      istiod("istiod-1", { connections: { [cart]: 7 }, dns: [cart] }),
      envoy(cart),
    ]);
    expect(gaps).toEqual([]);
    expect(ledger.targets.map((target) => ledger.outcome(target))).toEqual(["captured", "captured"]);
    expect([...bundle.files.keys()].sort()).toEqual(
      [
        ...["certs", "clusters", "config_dump?include_eds", "runtime", "server_info", "stats"].map(
          (file) => `${folder}/proxies/shop/cart/${file}`,
        ),
        ...[
          ...["adsz", "ambientz", "clusterz", "config_dump/shop/cart", "configz", "endpointShardz", "mesh"],
          ...["ndsz/shop/cart", "networkz", "push_status", "registryz", "syncz", "syncz.before"],
        ].map((file) => `${folder}/istio/istio-system/istiod-1/debug/${file}`),
        `${folder}/istio/istio-system/istiod-1/version`,
      ].sort(),
    );
    expect(bundle.files.get(`${folder}/istio/istio-system/istiod-1/debug/config_dump/shop/cart`)?.text).toBe(
      JSON.stringify({ view: "cart.shop-7" }),
    );
    expect(open.size).toBe(0);
  });

  it("is captured with the time at which each file was asked for", async () => {
    const answered = gate();
    const before = new Date();
    const running = run([envoy(cart, { certs: () => answered.passed.then(() => "{}") })]);
    await until(() => askedOf(cart).includes("certs"));
    const asked = new Date();
    await settle();
    answered.open();
    const { bundle } = await running;
    const { capturedAt } = bundle.files.get(`${folder}/proxies/shop/cart/certs`) ?? {};
    expect(capturedAt?.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(capturedAt?.getTime()).toBeLessThanOrEqual(asked.getTime());
  });

  it("has the lists of pods and services first", async () => {
    const askedAt = new Date("2026-03-14T09:30:00Z");
    const plan = aPlan([envoy(cart)], {
      lists: {
        pods: { items: [], askedAt },
        services: { items: [{ name: "cart" }], askedAt },
      },
    });
    const { bundle, gaps } = await run(plan);
    expect(gaps).toEqual([]);
    const [[podsName, pods] = [], [servicesName, services] = []] = [...bundle.files];
    expect([podsName, servicesName]).toEqual([
      `${folder}/cluster/pods.json`,
      `${folder}/cluster/services.json`,
    ]);
    expect(JSON.parse(pods?.text ?? "")).toEqual({ pods: [] });
    expect(JSON.parse(services?.text ?? "")).toEqual({ services: [{ name: "cart" }] });
    expect(pods?.capturedAt).toEqual(askedAt);
  });

  it("has no list that could not be made, and what the plan says of it stays a gap", async () => {
    const failure = { target: null, what: "cluster/services.json", reason: "Forbidden" };
    const plan = aPlan([envoy(cart)], {
      lists: { pods: { items: [], askedAt: new Date() }, services: null },
      failures: [failure],
    });
    const { bundle, gaps } = await run(plan);
    expect(gaps).toEqual(["cluster cluster/services.json: Forbidden"]);
    expect(bundle.files.has(`${folder}/cluster/services.json`)).toBe(false);
  });
});

describe("the order", () => {
  it("is every Istiod's sync state, then everything else, then every Istiod's sync state", async () => {
    await run([
      istiod("istiod-1", { connections: { [cart]: 1 } }),
      istiod("istiod-2", { connections: { [web]: 2 } }),
      envoy(cart),
      envoy(web),
      aTarget("ztunnel", "zt.istio-system", mesh.channel("zt", { config_dump: "{}" })),
    ]);
    const asked = mesh.asked.map(({ target, path }) => ({ target, path }));
    const syncz = asked.flatMap(({ path }, index) => (path === "debug/syncz" ? [index] : []));
    expect(syncz).toHaveLength(4);
    const others = asked.flatMap(({ path }, index) =>
      /^(?:debug\/(?:syncz|adsz)|version)$/.test(path) ? [] : [index],
    );
    expect(Math.max(...syncz.slice(0, 2))).toBeLessThan(Math.min(...others));
    expect(Math.min(...syncz.slice(2))).toBeGreaterThan(Math.max(...others));
  });

  it("begins no proxy before the slowest Istiod has told who is connected", async () => {
    const slow = gate();
    const running = run([
      istiod("istiod-1"),
      istiod("istiod-2", {}, { "debug/adsz": () => slow.passed.then(() => "{}") }),
      envoy(cart),
    ]);
    await until(() => askedOf("istiod-2").includes("debug/adsz"));
    await settle();
    expect(askedOf(cart)).toEqual([]);
    slow.open();
    await running;
    expect(askedOf(cart)).toHaveLength(envoyQuestions.length);
  });

  it("ends with the sync state when the slowest proxy has answered", async () => {
    const slow = gate();
    const running = run([
      istiod("istiod-1"),
      envoy(cart, { [statsPath]: () => slow.passed.then(() => "a: 1\n") }),
    ]);
    await until(() => askedOf(cart).includes(statsPath));
    await settle();
    expect(askedOf("istiod-1").filter((path) => path === "debug/syncz")).toHaveLength(1);
    slow.open();
    await running;
    expect(askedOf("istiod-1").filter((path) => path === "debug/syncz")).toHaveLength(2);
  });

  it("has a proxy's dump and what Istiod would send it asked for at the same time", async () => {
    const view = gate();
    const dump = gate();
    // each answers only when the other one has been asked
    await run([
      istiod(
        "istiod-1",
        { connections: { [cart]: 7 } },
        {
          [viewPath("cart.shop-7")]: () => {
            view.open();
            return dump.passed.then(() => "{}");
          },
        },
      ),
      envoy(cart, {
        [dumpPath]: () => {
          dump.open();
          return view.passed.then(() => "{}");
        },
      }),
    ]);
    expect(askedOf(cart)).toHaveLength(envoyQuestions.length);
  });
});

describe("kindness", () => {
  it("asks one thing of a proxy at a time", async () => {
    const names = Array.from({ length: 5 }, (_, index) => `p${index}.shop`);
    const connections = Object.fromEntries(names.map((name, index) => [name, index]));
    await run([
      istiod("istiod-1", { connections, dns: names }),
      istiod("istiod-2", { connections }),
      ...names.map((name) => envoy(name)),
    ]);
    expect(names.map((name) => mesh.loadOf(name).peak)).toEqual(names.map(() => 1));
  });

  it("asks two things of an Istiod at a time, however many proxies it has", async () => {
    const names = Array.from({ length: 6 }, (_, index) => `p${index}.shop`);
    const held = gate();
    const views = Object.fromEntries(
      names.map((name) => [viewPath(`${name}-1`), (): Promise<string> => held.passed.then(() => "{}")]),
    );
    const connections = Object.fromEntries(names.map((name) => [name, 1]));
    const running = run([istiod("istiod-1", { connections }, views), ...names.map((name) => envoy(name))]);
    await until(() => mesh.loadOf("istiod-1").inFlight === 2 && viewsAskedOf("istiod-1").length === 2);
    await settle();
    expect(mesh.loadOf("istiod-1").inFlight).toBe(2);
    held.open();
    await running;
    expect(mesh.loadOf("istiod-1").peak).toBe(2);
    expect(viewsAskedOf("istiod-1")).toHaveLength(6);
  });

  it.each([1, 3, 12])(
    "has no more than --concurrency %i requests under way, and that many",
    async (concurrency) => {
      const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
      const names = Array.from({ length: 20 }, (_, index) => `p${index}.shop`);
      const held = gate();
      const running = run(
        names.map((name) => envoy(name, { [dumpPath]: () => held.passed.then(() => "{}") })),
        { concurrency },
      );
      await until(() => mesh.load.inFlight === concurrency);
      await settle();
      expect(mesh.load.inFlight).toBe(concurrency);
      held.open();
      await running;
      expect(mesh.load.peak).toBe(concurrency);
      expect(warned).not.toHaveBeenCalled();
      warned.mockRestore();
    },
  );

  it("has one request under way where the user wants one, and gets through", async () => {
    const { gaps } = await run(
      [
        istiod("istiod-1", { connections: { [cart]: 1, [web]: 2 }, dns: [cart] }),
        envoy(cart),
        envoy(web),
        aTarget("ztunnel", "zt.istio-system", mesh.channel("zt", { config_dump: "{}" })),
      ],
      { concurrency: 1 },
    );
    expect(gaps).toEqual([]);
    expect(mesh.load.peak).toBe(1);
  });

  it("lets no proxy that hangs keep an Istiod from answering for the others", async () => {
    const hung = gate();
    const names = Array.from({ length: 6 }, (_, index) => `p${index}.shop`);
    const connections = Object.fromEntries(names.map((name) => [name, 1]));
    const running = run(
      [
        istiod("istiod-1", { connections }),
        ...names.map((name, index) =>
          envoy(name, index < 3 ? { [dumpPath]: () => hung.passed.then(() => "{}") } : {}),
        ),
      ],
      { concurrency: 4 },
    );
    await until(() => viewsAskedOf("istiod-1").length === 6);
    hung.open();
    const { gaps } = await running;
    expect(gaps).toEqual([]);
  });
});

describe("what Istiod would send a proxy", () => {
  it("is asked of the replica that lists it and of no other", async () => {
    const { gaps } = await run([
      istiod("istiod-1", { connections: { [cart]: 1 } }),
      istiod("istiod-2", { connections: { [web]: 2 } }),
      envoy(cart),
      envoy(web),
    ]);
    expect(gaps).toEqual([]);
    expect(viewsAskedOf("istiod-1")).toEqual([viewPath("cart.shop-1")]);
    expect(viewsAskedOf("istiod-2")).toEqual([viewPath("web.shop-2")]);
  });

  it("is asked of every replica that lists it", async () => {
    const { bundle } = await run([
      istiod("istiod-1", { connections: { [cart]: 1 } }),
      istiod("istiod-2", { connections: { [cart]: 2 } }),
      envoy(cart),
    ]);
    expect([...bundle.files.keys()].filter((name) => name.includes("/debug/config_dump/"))).toHaveLength(2);
  });

  it("is asked of nobody where nobody lists it, and that is no gap", async () => {
    const { gaps } = await run([istiod("istiod-1", { connections: { [web]: 1 } }), envoy(cart)]);
    expect(gaps).toEqual([]);
    expect(viewsAskedOf("istiod-1")).toEqual([]);
  });

  it("is found by the sync state alone, where the connections are not told", async () => {
    const { gaps } = await run([
      istiod(
        "istiod-1",
        { connections: { [cart]: 1 } },
        {
          "debug/adsz": "not for you",
          [viewPath("cart.shop")]: "{}",
        },
      ),
      envoy(cart),
    ]);
    expect(viewsAskedOf("istiod-1")).toEqual([viewPath("cart.shop")]);
    expect(gaps).toEqual(["istiod-1 debug/adsz: the answer is no JSON but: not for you"]);
  });

  it("is asked for every proxy of a replica that does not tell its own", async () => {
    const silent = { "debug/syncz": serverError, "debug/adsz": notFound };
    const { bundle } = await run([
      istiod("istiod-1", {}, { ...silent, [viewPath("cart.shop")]: '{"of":"cart"}' }),
      envoy(cart),
      envoy(web),
    ]);
    expect(viewsAskedOf("istiod-1").sort()).toEqual([viewPath("cart.shop"), viewPath("web.shop")]);
    const of = `${folder}/istio/istio-system/istiod-1/debug/config_dump/shop`;
    expect(bundle.files.get(`${of}/cart`)?.text).toBe('{"of":"cart"}');
    expect(bundle.files.get(`${of}/web`)?.text).toBe(`${notConnected.message}\n`);
  });

  it("is an answer, too, where it is that the proxy is not connected", async () => {
    const { ledger, bundle, gaps } = await run([
      istiod("istiod-1", { connections: { [cart]: 1 } }, { [viewPath("cart.shop-1")]: notConnected }),
      envoy(cart),
    ]);
    expect(gaps).toEqual([]);
    expect(ledger.targets.map((target) => ledger.outcome(target))).toEqual(["captured", "captured"]);
    expect(bundle.files.get(`${folder}/istio/istio-system/istiod-1/debug/config_dump/shop/cart`)?.text).toBe(
      `${notConnected.message}\n`,
    );
  });

  it("is found at the replica that a proxy has gone over to", async () => {
    const { bundle, gaps } = await run([
      istiod("istiod-1", { connections: { [cart]: 1 } }, { [viewPath("cart.shop-1")]: notConnected }),
      istiod("istiod-2", {}, { [viewPath("cart.shop")]: '{"at":2}' }),
      istiod("istiod-3"),
      envoy(cart),
    ]);
    expect(gaps).toEqual([]);
    expect(bundle.files.get(`${folder}/istio/istio-system/istiod-2/debug/config_dump/shop/cart`)?.text).toBe(
      '{"at":2}',
    );
    expect(viewsAskedOf("istiod-3")).toEqual([]);
  });

  it("is found at the same replica where a proxy has connected anew", async () => {
    const { bundle, gaps } = await run([
      istiod(
        "istiod-1",
        { connections: { [cart]: 1 } },
        {
          [viewPath("cart.shop-1")]: notConnected,
          [viewPath("cart.shop")]: '{"anew":true}',
        },
      ),
      istiod("istiod-2"),
      envoy(cart),
    ]);
    expect(gaps).toEqual([]);
    expect(bundle.files.get(`${folder}/istio/istio-system/istiod-1/debug/config_dump/shop/cart`)?.text).toBe(
      '{"anew":true}',
    );
    expect(viewsAskedOf("istiod-2")).toEqual([]);
  });

  it("is nobody's where the name that was asked by fits another proxy's connection, too", async () => {
    const connections = (...ids: string[]): string =>
      JSON.stringify({ clients: ids.map((connectionId) => ({ connectionId })) });
    const narrowed = (adsz: string) =>
      run([
        istiod(
          "istiod-1",
          { connections: { [cart]: 1 } },
          {
            [viewPath("cart.shop-1")]: notConnected,
            [viewPath("cart.shop")]: '{"whose":"?"}',
            "debug/adsz?proxyID=cart.shop": adsz,
          },
        ),
        envoy(cart),
      ]);
    const place = `${folder}/istio/istio-system/istiod-1/debug/config_dump/shop/cart`;

    const sure = await narrowed(connections("cart.shop-7"));
    expect(sure.gaps).toEqual([]);
    expect(sure.bundle.files.has(place)).toBe(true);

    const unsure = await narrowed(connections("cart.shop-7", "new-cart.shop-8"));
    expect(unsure.gaps).toEqual([
      "istiod-1 debug/config_dump/shop/cart: Istiod might have taken new-cart.shop for it",
    ]);
    expect(unsure.bundle.files.has(place)).toBe(false);
  });

  it("is not asked by a name that another proxy's contains", async () => {
    const { gaps } = await run([
      istiod("istiod-1", { connections: { [cart]: 1, "my-cart.shop": 2 } }, { "debug/adsz": notFound }),
      envoy(cart),
      envoy("my-cart.shop"),
    ]);
    expect(viewsAskedOf("istiod-1")).toEqual([viewPath("my-cart.shop")]);
    expect(gaps).toContainEqual(
      expect.stringMatching(/^istiod-1 debug\/config_dump\/shop\/cart: not asked: .*another proxy/),
    );
  });

  it("is not asked by a name that one contains that is listed and not captured", async () => {
    const { gaps } = await run([
      istiod(
        "istiod-1",
        { connections: { [cart]: 1, "my-cart.shop": 2 } },
        { [viewPath("cart.shop-1")]: notConnected },
      ),
      envoy(cart),
    ]);
    expect(viewsAskedOf("istiod-1")).toEqual([viewPath("cart.shop-1")]);
    expect(gaps).toEqual([]);
  });

  it("is a gap where it cannot be had, and the proxy's own files are there", async () => {
    const { bundle, gaps, ledger } = await run([
      istiod("istiod-1", { connections: { [cart]: 1 } }, { [viewPath("cart.shop-1")]: serverError }),
      istiod("istiod-2"),
      envoy(cart),
    ]);
    expect(gaps).toEqual([`istiod-1 debug/config_dump/shop/cart: ${serverError.message}`]);
    expect(ledger.targets.map((target) => ledger.outcome(target))).toEqual([
      "partial",
      "captured",
      "captured",
    ]);
    expect(bundle.files.has(`${folder}/proxies/shop/cart/stats`)).toBe(true);
    expect(viewsAskedOf("istiod-2")).toEqual([]); // it is connected to the one that failed
  });

  it("has a DNS table with it where the proxy captures DNS, and only there", async () => {
    const { bundle } = await run([
      istiod("istiod-1", { connections: { [cart]: 1, [web]: 2 }, dns: [web] }),
      envoy(cart),
      envoy(web),
    ]);
    expect([...bundle.files.keys()].filter((name) => name.includes("/ndsz/"))).toEqual([
      `${folder}/istio/istio-system/istiod-1/debug/ndsz/shop/web`,
    ]);
    expect(askedOf("istiod-1").filter((path) => path.includes("ndsz"))).toEqual([dnsPath("web.shop-2")]);
  });

  it("has no DNS table where the proxy is not connected", async () => {
    await run([
      istiod(
        "istiod-1",
        { connections: { [web]: 2 }, dns: [web] },
        { [viewPath("web.shop-2")]: notConnected },
      ),
      envoy(web),
    ]);
    expect(askedOf("istiod-1").filter((path) => path.includes("ndsz"))).toEqual([]);
  });
});

describe("a target that fails", () => {
  it("is given up after two failures in a row, and what was not asked is said", async () => {
    const { ledger, gaps } = await run([envoy(cart, { server_info: serverError, certs: serverError })]);
    expect(askedOf(cart)).toEqual([dumpPath, "server_info", "certs"]);
    expect(gaps).toEqual([
      `cart certs: ${serverError.message}`,
      "cart clusters, runtime, stats: not asked: 2 requests in a row had failed",
      `cart server_info: ${serverError.message}`,
    ]);
    expect(ledger.outcome(ledger.targets[0]!)).toBe("partial");
  });

  it("is asked to the end where an answer comes between", async () => {
    const { gaps } = await run([
      envoy(cart, {
        server_info: serverError,
        "clusters?format=json": serverError,
        [statsPath]: serverError,
      }),
    ]);
    expect(askedOf(cart)).toHaveLength(envoyQuestions.length);
    expect(gaps).toHaveLength(3);
  });

  it("has its dump counted: one that answers nothing is asked twice", async () => {
    const { ledger, gaps } = await run([
      envoy(cart, Object.fromEntries(envoyQuestions.map(({ path }) => [path, serverError]))),
    ]);
    expect(askedOf(cart)).toEqual([dumpPath, "server_info"]);
    expect(gaps).toContain("cart certs, clusters, runtime, stats: not asked: 2 requests in a row had failed");
    expect(ledger.outcome(ledger.targets[0]!)).toBe("failed");
  });

  it("stops no other one", async () => {
    const dead = Object.fromEntries(envoyQuestions.map(({ path }) => [path, serverError]));
    const { ledger } = await run([envoy(cart, dead), envoy(web)]);
    expect(ledger.targets.map((target) => ledger.outcome(target))).toEqual(["failed", "captured"]);
  });

  it("has no gap where it does not know what not every release knows", async () => {
    const optional = istiodQuestionsBeside.filter((question) => question.optional).map(({ path }) => path);
    expect(optional.length).toBeGreaterThan(3);
    const { gaps, ledger } = await run([
      istiod("istiod-1", {}, Object.fromEntries([...optional, "version"].map((path) => [path, notFound]))),
      envoy(cart, { runtime: notFound }),
    ]);
    expect(gaps).toEqual([]);
    expect(ledger.targets.map((target) => ledger.outcome(target))).toEqual(["captured", "captured"]);
  });

  it("has one where it does not know what every release knows", async () => {
    const { gaps } = await run([
      istiod("istiod-1", {}, { "debug/configz": notFound }),
      envoy(cart, { server_info: notFound }),
    ]);
    expect(gaps).toEqual([
      `cart server_info: ${notFound.message}`,
      `istiod-1 debug/configz: ${notFound.message}`,
    ]);
  });

  it("has none where multicluster is off", async () => {
    const off = new Refusal("lasting", "HTTP 400: multicluster is off");
    const { gaps } = await run([istiod("istiod-1", {}, { "debug/clusterz": off })]);
    expect(gaps).toEqual([]);
  });

  it("is an Istiod that says nothing at all: it is not asked once more for each proxy", async () => {
    const questions = [...istiodQuestionsBefore, ...istiodQuestionsBeside, ...istiodQuestionsAfter];
    const dead = Object.fromEntries(questions.map(({ path }) => [path, serverError]));
    const { gaps, ledger } = await run([istiod("istiod-1", {}, dead), envoy(cart), envoy(web)]);
    expect(viewsAskedOf("istiod-1")).toEqual([]);
    expect(gaps).toContain("istiod-1 debug/config_dump: not asked: nothing else was answered");
    expect(ledger.targets.map((target) => ledger.outcome(target))).toEqual([
      "failed",
      "captured",
      "captured",
    ]);
    expect(askedOf("istiod-1").at(-1)).toBe("debug/syncz"); // the last try: it may have come back
  });

  it("is an Istiod that fails for one proxy after the other: it is given up, and what was not asked is said", async () => {
    const names = Array.from({ length: 9 }, (_, index) => `p${index}.shop`);
    const connections = Object.fromEntries(names.map((name) => [name, 1]));
    const views = Object.fromEntries(names.map((name) => [viewPath(`${name}-1`), serverError]));
    const { gaps } = await run([
      istiod("istiod-1", { connections }, views),
      ...names.map((name) => envoy(name)),
    ]);
    const asked = viewsAskedOf("istiod-1").length;
    expect(asked).toBeGreaterThanOrEqual(5);
    expect(asked).toBeLessThanOrEqual(6); // one more may be under way
    const notAsked = gaps.filter((gap) => /not asked: \d requests in a row had failed$/.test(gap));
    expect(notAsked).toHaveLength(9 - asked);
    expect(gaps).toHaveLength(9);
  });

  it("is an Istiod that fails for some: it is asked for all", async () => {
    const names = Array.from({ length: 9 }, (_, index) => `p${index}.shop`);
    const connections = Object.fromEntries(names.map((name) => [name, 1]));
    const views = Object.fromEntries(
      names.flatMap((name, index) => (index % 3 === 0 ? [] : [[viewPath(`${name}-1`), serverError]])),
    );
    await run([istiod("istiod-1", { connections }, views), ...names.map((name) => envoy(name))]);
    expect(viewsAskedOf("istiod-1")).toHaveLength(9);
  });

  it("is not asked where it cannot be reached", async () => {
    const pending = aTarget("proxy", cart, mesh.channel(cart, {}), "not asked: the pod is Pending");
    const { gaps, ledger } = await run([istiod("istiod-1", { connections: { [cart]: 1 } }), pending]);
    expect(gaps).toEqual(["cart all files: not asked: the pod is Pending"]);
    expect(askedOf(cart)).toEqual([]);
    expect(viewsAskedOf("istiod-1")).toEqual([]);
    expect(ledger.outcome(pending)).toBe("failed");
  });

  it("is told by redaction that a file is not stored", async () => {
    const redactor = passThrough({
      file: (name, content) =>
        name.endsWith("/certs")
          ? { outcome: "dropped", name, reason: "it is no JSON" }
          : { outcome: "kept", name, content: [content], size: content.length },
    });
    const { gaps, bundle } = await run([envoy(cart)], { redactor });
    expect(gaps).toEqual(["cart certs: it is no JSON"]);
    expect(bundle.files.size).toBe(envoyQuestions.length - 1);
  });

  it("is the cluster, where redaction stores none of its lists", async () => {
    const redactor = passThrough({
      file: (name, content) =>
        name.includes("/cluster/")
          ? { outcome: "dropped", name, reason: "no" }
          : { outcome: "kept", name, content: [content], size: content.length },
    });
    const plan = aPlan([envoy(cart)], {
      lists: { pods: { items: [], askedAt: new Date() }, services: null },
    });
    const { gaps } = await run(plan, { redactor });
    expect(gaps).toEqual(["cluster cluster/pods.json: no"]);
  });
});

describe("a dump over the cap", () => {
  it("is put together from slices, and Istiod's view of it is there", async () => {
    const bootstrap = { "@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", bootstrap: {} };
    const { bundle, gaps, ledger } = await run(
      [
        istiod("istiod-1", { connections: { [cart]: 1 } }),
        envoy(
          cart,
          {
            [dumpPath]: JSON.stringify({ configs: ["x".repeat(2000)] }),
            "config_dump?mask=bootstrap,last_updated": JSON.stringify({ configs: [bootstrap] }),
          },
          "{}",
        ),
      ],
      { maxSize: 1000 },
    );
    expect(gaps).toEqual([]);
    const dump = bundle.files.get(`${folder}/proxies/shop/cart/config_dump?include_eds`);
    expect(dump?.text).toContain("BootstrapConfigDump");
    expect(dump?.slices?.[0]?.resource).toBe("bootstrap");
    expect(ledger.targets.map((target) => ledger.outcome(target))).toEqual(["captured", "captured"]);
    expect(mesh.loadOf(cart).peak).toBe(1);
    expect(open.size).toBe(0);
  });

  it("is a gap where its slices are, too", async () => {
    const large = JSON.stringify({ configs: ["x".repeat(2000)] });
    const { gaps, ledger } = await run([envoy(cart, { [dumpPath]: large }, large)], { maxSize: 1000 });
    expect(gaps).toEqual([
      "cart config_dump?include_eds: the answer is larger than 1000 bytes (--max-dump-size), and this Envoy does not answer with parts of it",
    ]);
    expect(ledger.outcome(ledger.targets[0]!)).toBe("partial");
  });
});

describe("a user who stops", () => {
  it("keeps what there is, and is told what was not asked", async () => {
    const stop = new AbortController();
    const hung: Reply = (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    const running = run(
      [
        istiod("istiod-1", { connections: { [cart]: 1, [web]: 2 } }),
        envoy(cart, { certs: hung }),
        envoy(web),
        aTarget("ztunnel", "zt.istio-system", mesh.channel("zt", { config_dump: "{}" })),
      ],
      { stop: stop.signal, concurrency: 2 },
    );
    await until(() => askedOf(cart).includes("certs"));
    stop.abort();
    const { gaps, bundle, ledger } = await running;
    expect(bundle.files.has(`${folder}/proxies/shop/cart/server_info`)).toBe(true);
    expect(gaps).toContain("cart certs: the capture was stopped");
    expect(gaps).toContain("cart clusters, runtime, stats: not asked: the capture was stopped");
    expect(gaps).toContain("istiod-1 debug/syncz: not asked: the capture was stopped");
    expect(askedOf("istiod-1").filter((path) => path === "debug/syncz")).toHaveLength(1);
    expect(ledger.outcome(ledger.targets[1]!)).toBe("partial");
    expect(open.size).toBe(0);
    expect(mesh.load.inFlight).toBe(0);
  });

  it("before anything was asked gets a bundle without files, and each target says why", async () => {
    const { gaps, bundle } = await run(
      [
        istiod("istiod-1"),
        envoy(cart),
        aTarget("ztunnel", "zt.istio-system", mesh.channel("zt", { config_dump: "{}" })),
      ],
      { stop: AbortSignal.abort() },
    );
    expect(mesh.asked).toEqual([]);
    expect(bundle.files.size).toBe(0);
    expect(gaps).toEqual([
      "cart all files: not asked: the capture was stopped",
      "istiod-1 debug/configz, debug/endpointShardz, debug/registryz, debug/mesh, debug/networkz, debug/ambientz, debug/clusterz, debug/push_status: not asked: the capture was stopped",
      "istiod-1 debug/syncz: not asked: the capture was stopped",
      "istiod-1 debug/syncz.before, debug/adsz, version: not asked: the capture was stopped",
      "zt config_dump: not asked: the capture was stopped",
    ]);
  });
});

describe("what ends everything", () => {
  it("is a full disk: the first words of it are told, and nothing goes on behind its back", async () => {
    let added = 0;
    const bundle = bundleInMemory(() => {
      if (++added === 3) throw noSpace();
      if (added > 3) throw new Error("write after end");
    });
    const names = Array.from({ length: 12 }, (_, index) => `p${index}.shop`);
    const running = run(
      names.map((name) => envoy(name)),
      { bundle, concurrency: 4 },
    );
    await expect(running).rejects.toThrow(OutputError);
    await expect(running).rejects.toThrow("cannot write the bundle: ENOSPC: no space left on device, write");
    const asked = mesh.asked.length;
    expect(mesh.load.inFlight).toBe(0);
    await settle();
    expect(mesh.asked).toHaveLength(asked);
    expect(asked).toBeLessThan(names.length * envoyQuestions.length);
    expect(bundle.files.size).toBe(2);
  });

  it("ends requests that are under way, and waits for them", async () => {
    const begun = gate();
    let ended = false;
    const slow: Channel = {
      ...mesh.channel(cart, {}),
      get: async (_path, _onBytes, signal) => {
        begun.open();
        await new Promise((resolve) => {
          signal.addEventListener("abort", resolve, { once: true });
        });
        await settle();
        ended = true;
        throw signal.reason;
      },
    };
    const bundle = bundleInMemory(async () => {
      await begun.passed;
      throw noSpace();
    });
    await expect(run([aTarget("proxy", cart, slow), envoy(web)], { bundle })).rejects.toThrow("ENOSPC");
    expect(ended).toBe(true);
  });

  it("is a program that cannot be started", async () => {
    const missing = (): never => {
      throw new UserError("cannot start kubectl: there is no such program");
    };
    const running = run([
      istiod("istiod-1", { connections: { [cart]: 1 } }),
      envoy(cart, { [dumpPath]: missing }),
      envoy(web),
    ]);
    await expect(running).rejects.toThrow("cannot start kubectl: there is no such program");
    expect(mesh.load.inFlight).toBe(0);
  });

  it("is a mistake of ours, which is not taken for a target's", async () => {
    const mistake = (): never => {
      throw new TypeError("undefined is not a function");
    };
    await expect(run([envoy(cart, { certs: mistake })])).rejects.toThrow(TypeError);
  });

  it("ends the ways to the targets, too", async () => {
    const bundle = bundleInMemory(() => {
      throw noSpace();
    });
    const zt = aTarget("ztunnel", "zt.istio-system", mesh.channel("zt", { config_dump: "{}" }));
    await expect(run([zt], { bundle })).rejects.toThrow(OutputError);
    expect(mesh.closed).toEqual(["zt"]);
  });
});

describe("a ztunnel", () => {
  it("is asked for its dump, and the way to it is closed", async () => {
    const { bundle, gaps } = await run([
      aTarget("ztunnel", "zt.istio-system", mesh.channel("zt", { config_dump: '{"workloads":[]}' })),
    ]);
    expect(gaps).toEqual([]);
    expect([...bundle.files].map(([name, { text }]) => [name, text])).toEqual([
      [`${folder}/ztunnel/istio-system/zt/config_dump`, '{"workloads":[]}'],
    ]);
    expect(mesh.closed).toEqual(["zt"]);
  });
});

describe("the progress", () => {
  it("tells every target once, bytes that only grow, and failures", async () => {
    const done: string[] = [];
    const bytes: number[] = [];
    const failures: number[] = [];
    const progress: Progress = {
      targetDone: ({ pod }) => void done.push(pod),
      bytes: (total) => void bytes.push(total),
      failures: (count) => void failures.push(count),
    };
    const { bundle, gaps } = await run(
      [
        istiod("istiod-1", { connections: { [cart]: 1 } }),
        envoy(cart, { certs: serverError }),
        aTarget("proxy", web, mesh.channel(web, {}), "not asked: the pod is Pending"),
        aTarget("ztunnel", "zt.istio-system", mesh.channel("zt", { config_dump: "{}" })),
      ],
      { progress },
    );
    expect(done.sort()).toEqual(["cart", "istiod-1", "web", "zt"]);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(bytes.at(-1)).toBe(
      [...bundle.files.values()].reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
    );
    expect(failures.at(-1)).toBe(gaps.length);
  });
});
