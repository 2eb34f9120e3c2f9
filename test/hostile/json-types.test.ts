import { describe, expect, it } from "vitest";

import { applyFaults } from "../support/mesh/faults.js";
import { ownLayout } from "../support/mesh/layouts.js";
import {
  lostOf,
  outcomeOf,
  putTogether,
  readProxies,
  referenceCount,
  shortened,
  bundleFiles,
  smallMesh,
  snapshotOf,
  takeApart,
} from "../support/hostile.js";
import {
  badFolder,
  contents,
  istiodFolder,
  lostFiles,
  parsed,
  pods,
  readBeside,
  serverInfo,
  services,
  syncz,
  xdsAnswer,
  type Json,
} from "../support/hostile-neighbours.js";
import { bundle } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";
import { tried } from "../support/hostile-count.js";

/** Lists of which every element is another; of the others, two will do. */
const longLists = new Set(["configs", "dynamic_listeners"]);

/** Every place of a value: the path to it. */
function* pathsOf(
  value: Json,
  isEnd: (path: readonly string[]) => boolean,
  path: readonly string[] = [],
): Generator<string[]> {
  yield [...path];
  if (typeof value !== "object" || value === null || isEnd(path)) return;
  const keys = Array.isArray(value)
    ? [...value.keys()].slice(0, longLists.has(path.at(-1) ?? "") ? 12 : 2).map(String)
    : Object.keys(value);
  for (const key of keys) yield* pathsOf((value as Record<string, Json>)[key]!, isEnd, [...path, key]);
}

function replaced(value: Json, path: readonly string[], by: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === key ? replaced(item, rest, by) : item));
  return Object.fromEntries(
    Object.entries(value as Record<string, Json>).map(([name, item]) => [
      name,
      name === key ? replaced(item, rest, by) : item,
    ]),
  );
}

const wrongValues: readonly Json[] = [
  null,
  0,
  1.5,
  -1e300,
  "x",
  "",
  true,
  [],
  {},
  [[]],
  [null],
  { a: { b: [1] } },
];

/** A dump with something in every part of the envelope. */
const faultyDump = ((): Json => {
  const { mesh } = applyFaults(smallMesh(), [
    { fault: "rejected-listener", proxy: "catalog" },
    { fault: "warming-listener", proxy: "catalog" },
    { fault: "draining-listener", proxy: "catalog" },
    { fault: "warming-cluster", proxy: "catalog" },
  ]);
  const files = [...ownLayout(mesh)].filter(
    ({ name }) => name.includes("/catalog") && name.includes("/config_dump?"),
  );
  const whole = JSON.parse(files[0]!.body.toString()) as { configs: Record<string, Json>[] };
  const short = JSON.parse(shortened(files[0]!).body.toString()) as { configs: Record<string, Json>[] };
  // of listeners one of each state
  const configs = short.configs.map((part, index): Record<string, Json> => {
    const all = whole.configs[index]!["dynamic_listeners"];
    if (!Array.isArray(all)) return part;
    const keys = (item: Json): string => Object.keys(item as object).join();
    return { ...part, dynamic_listeners: [...new Map(all.map((item) => [keys(item), item])).values()] };
  });
  return { configs };
})();

/** Where the envelope of a dump ends: at its resources; of the bootstrap, the node is looked into. */
const isResource = (path: readonly string[]): boolean =>
  ["cluster", "listener", "route_config", "endpoint_config", "secret", "failed_configuration"].includes(
    path.at(-1) ?? "",
  ) ||
  (path.at(-2) === "bootstrap" && path.at(-1) !== "node") ||
  (path.at(-2) === "metadata" && path.includes("bootstrap"));

const never = (): boolean => false;
/** Subjects of a parser that another subject tries with all values. */
const isReadAsAbove = new Set(["what Istiod would send", "the earlier syncz", "a dump as a document"]);

describe("a value of another type than it must have", () => {
  const subjects: readonly {
    what: string;
    place: string;
    value: Json;
    isEnd: (path: readonly string[]) => boolean;
  }[] = [
    { what: "a dump", place: `${badFolder}/config_dump`, value: faultyDump, isEnd: isResource },
    {
      what: "what Istiod would send",
      place: `${istiodFolder}/debug/config_dump/default/bad`,
      value: parsed(contents[`${istiodFolder}/debug/config_dump/default/bad`]),
      isEnd: isResource,
    },
    { what: "syncz", place: `${istiodFolder}/debug/syncz`, value: parsed(syncz), isEnd: never },
    { what: "the XDS answer", place: `${istiodFolder}/debug/syncz`, value: xdsAnswer, isEnd: never },
    {
      what: "the earlier syncz",
      place: `${istiodFolder}/debug/syncz.before`,
      value: parsed(syncz),
      isEnd: never,
    },
    {
      what: "server_info",
      place: `${badFolder}/server_info`,
      value: parsed(serverInfo),
      isEnd: (path) =>
        path.includes("command_line_options") || (path.at(-2) === "metadata" && path.length > 2),
    },
    { what: "the pods", place: "bug-report/cluster/pods.json", value: parsed(pods), isEnd: never },
    {
      what: "the services",
      place: "bug-report/cluster/services.json",
      value: parsed(services),
      isEnd: never,
    },
    {
      what: "a ztunnel's dump",
      place: "bug-report/ztunnel/istio-system/z-1/config_dump",
      value: parsed(contents["bug-report/ztunnel/istio-system/z-1/config_dump"]),
      isEnd: never,
    },
  ];

  it.each(subjects)("costs a piece at most: in $what", async ({ what, place, value, isEnd }) => {
    expect(lostFiles(await readBeside({ [place]: JSON.stringify(value) }))).toEqual([]);
    const paths = [...pathsOf(value, isEnd)];
    expect(paths.length).toBeGreaterThan(10);
    for (const path of paths)
      for (const wrong of isReadAsAbove.has(what) ? wrongValues.slice(0, 4) : wrongValues) {
        tried("wrong types");
        await readBeside({ [place]: JSON.stringify(replaced(value, path, wrong)) });
      }
  });

  it.each([
    { what: "a dump as a document", value: faultyDump, isEnd: isResource },
    { what: "syncz as a document", value: parsed(syncz), isEnd: never },
    { what: "the XDS answer", value: xdsAnswer, isEnd: never },
    {
      what: "the answers of all Istiods",
      value: { "istiod-1": parsed(syncz), "istiod-2": xdsAnswer },
      isEnd: never,
    },
  ])("never ends the program: in $what", async ({ what, value, isEnd }) => {
    await snapshotOf(Buffer.from(JSON.stringify(value)));
    for (const path of pathsOf(value, isEnd))
      for (const wrong of isReadAsAbove.has(what) ? wrongValues.slice(0, 4) : wrongValues) {
        tried("wrong types");
        await outcomeOf(Buffer.from(JSON.stringify(replaced(value, path, wrong))));
      }
  });

  it("costs a manifest, and the files are read all the same", async () => {
    const { manifest, members } = takeApart(
      await bundle(
        bundleFiles().filter(({ name }) => name.includes("/config_dump?")),
        manifestOf(smallMesh()),
      ),
    );
    const short = { ...manifest, files: manifest.files.slice(0, 2) };
    const value = JSON.parse(
      JSON.stringify({ ...short, failures: [{ target: "a", what: "b", reason: "c" }] }),
    ) as Json;
    for (const path of pathsOf(value, never))
      for (const wrong of wrongValues) {
        tried("wrong types");
        const snapshot = await snapshotOf(putTogether(members, replaced(value, path, wrong)));
        expect(readProxies(snapshot)).toHaveLength(2);
      }
  });

  it("costs in a dump no other element, and is said with its place", async () => {
    const references = referenceCount(await snapshotOf(Buffer.from(JSON.stringify(faultyDump))));
    const paths = [...pathsOf(faultyDump, isResource)].filter(
      (path) => path.length === 4 && path[2] !== "bootstrap",
    );
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths) {
      tried("wrong types");
      const snapshot = await snapshotOf(Buffer.from(JSON.stringify(replaced(faultyDump, path, 1.5))));
      expect(lostOf(snapshot).map(({ pointer }) => pointer)).toEqual([`/${path.join("/")}`]);
      expect(references - referenceCount(snapshot)).toBeLessThanOrEqual(2);
      expect(references - referenceCount(snapshot)).toBeGreaterThanOrEqual(1);
    }
  });
});
