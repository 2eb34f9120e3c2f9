/** What the proxies of a mesh and its Istiods hold otherwise than each other, in lines. */
import type { EndpointDivergence, EndpointSet } from "../diff/endpoint-sets.js";
import type { ShardComparison, ShardDivergence, ShardGap } from "../diff/endpoint-shards.js";
import type { IstiodComparison, IstiodPart } from "../diff/istiods.js";
import type { ReplicaDivergence } from "../diff/replicas.js";
import { humanDuration } from "../shared/duration.js";
import { excerpt } from "../shared/printable.js";
import { fieldList, nameList, severalTitle } from "./drift-wording.js";

const addressesShown = 3;

/** One line for all that the same replicas lack, or have besides, or for one resource that differs. */
export function replicaLines(divergences: readonly ReplicaDivergence[]): string[] {
  const lines = new Map<string, { first: ReplicaDivergence; names: string[] }>();
  for (const divergence of divergences) {
    const { group, groupSize, kind, class: of, changes, warming, rejections, proxies } = divergence;
    const key = JSON.stringify([group, groupSize, kind, of, changes, warming, rejections, proxies]);
    const line = lines.get(key);
    if (line === undefined) lines.set(key, { first: divergence, names: [divergence.name] });
    else line.names.push(divergence.name);
  }
  return [...lines.values()].map(({ first, names }) => {
    const { kind, class: of, changes, proxies, group, groupSize } = first;
    const what = { changed: `differs in ${fieldList(changes)}`, missing: "missing", extra: "only" }[of];
    const why = [
      ...(first.warming ? ["warming there"] : []),
      ...first.rejections.map((text) => `rejected: ${excerpt(text, 160)}`),
    ];
    return [
      `${severalTitle(kind, names.sort())} ${what} on ${nameList(proxies)},`,
      `of ${groupSize} replicas of ${excerpt(group, 120)}`,
      ...(why.length === 0 ? [] : [`(${why.join("; ")})`]),
    ].join(" ");
  });
}

/** One line for all clusters of which the same clients lack the same pods, or have the same ones besides. */
export function endpointLines(divergences: readonly EndpointDivergence[]): string[] {
  const lines = new Map<string, { line: (names: readonly string[]) => string; names: string[] }>();
  for (const { cluster, scope, sets } of divergences) {
    const [most, ...others] = sets;
    for (const set of most === undefined ? [] : others) {
      const difference = differenceText(most, set);
      const key = JSON.stringify([scope, set.proxies, most?.proxies, difference]);
      const known = lines.get(key);
      if (known !== undefined) known.names.push(cluster);
      else
        lines.set(key, {
          line: (names) =>
            `${severalTitle("endpointAssignment", names)}: ${clientsText(set)} ${difference}, unlike ${clientsText(most)}`,
          names: [cluster],
        });
    }
  }
  return [...lines.values()].map(({ line, names }) => line(names));
}

/** `lack 10.0.0.1, 10.0.0.2`: by pods, since each has several ports. */
export function differenceText(most: EndpointSet | undefined, { endpoints, proxies }: EndpointSet): string {
  const own = new Set(endpoints);
  const usual = new Set(most?.endpoints);
  const [lacks, has] = podsOf(
    [...usual].filter((address) => !own.has(address)),
    endpoints.filter((address) => !usual.has(address)),
  );
  const isOne = proxies.length === 1;
  return [
    ...(lacks.length === 0 ? [] : [`${isOne ? "lacks" : "lack"} ${podList(lacks)}`]),
    ...(has.length === 0 ? [] : [`${isOne ? "has" : "have"} ${podList(has)} besides`]),
  ].join(" and ");
}

/** Both sides by pods; with the ports where a pod is on both sides, which differs in the port then. */
function podsOf(lacks: readonly string[], has: readonly string[]): readonly [string[], string[]] {
  const withoutPort = (address: string): string => address.replace(/:\d+$/, "");
  const lacking = new Set(lacks.map(withoutPort));
  return has.some((address) => lacking.has(withoutPort(address)))
    ? [[...lacks], [...has]]
    : [[...lacking], [...new Set(has.map(withoutPort))]];
}

const podList = (pods: readonly string[]): string =>
  nameList(
    pods.map((pod) => excerpt(pod)),
    addressesShown,
  );

/** One line for all clusters of which the same proxies hold the same otherwise than their Istiod knows. */
export const shardLines = (divergences: readonly ShardDivergence[]): string[] =>
  shardGroups(divergences).map(({ text }) => text);

/** The same with the clusters and one of the divergences. */
export function shardGroups(
  divergences: readonly ShardDivergence[],
): { readonly text: string; readonly clusters: readonly string[]; readonly first: ShardDivergence }[] {
  const groups = new Map<string, { text: string; clusters: string[]; first: ShardDivergence }>();
  for (const divergence of divergences) {
    const text = `${nameList(divergence.proxies)} ${againstIstiodText(divergence)}`;
    const key = JSON.stringify([text, divergence.proxies]);
    const group = groups.get(key) ?? { text, clusters: [], first: divergence };
    groups.set(key, group);
    group.clusters.push(divergence.cluster);
  }
  return [...groups.values()].map(({ text, clusters, first }) => ({
    text: `${severalTitle("endpointAssignment", clusters)}: ${text}`,
    clusters,
    first,
  }));
}

/** `lacks 10.0.0.1, which istiod-x knows (captured 4s apart)`. */
function againstIstiodText(divergence: ShardDivergence): string {
  const { istiods, proxies } = divergence;
  const [lacks, besides] = podsOf(divergence.lacks, divergence.besides);
  const isOne = proxies.length === 1;
  const who = nameList(istiods);
  const [knows, knowsNot] = istiods.length === 1 ? ["knows", "does not know"] : ["know", "do not know"];
  const why = [
    ...(divergence.inFlight ? ["in flight: Istiod sent endpoints between the two captures"] : []),
    ...apartText(divergence),
  ];
  return [
    [
      ...(lacks.length === 0 ? [] : [`${isOne ? "lacks" : "lack"} ${podList(lacks)}, which ${who} ${knows}`]),
      ...(besides.length === 0
        ? []
        : [`${isOne ? "has" : "have"} ${podList(besides)}, which ${who} ${knowsNot}`]),
    ].join(", and "),
    ...(why.length === 0 ? [] : [`(${why.join("; ")})`]),
  ].join(" ");
}

/** How far apart the two sides were captured at most: pods may have come or gone meanwhile. */
function apartText({ istiodsCapturedAt: theirs, proxiesCapturedAt: own }: ShardDivergence): string[] {
  if (theirs === null || own === null) return ["when both were captured is not known"];
  const apart = Math.max(
    Math.abs(Date.parse(theirs.last) - Date.parse(own.first)),
    Math.abs(Date.parse(own.last) - Date.parse(theirs.first)),
  );
  return apart < 1000 ? [] : [`captured ${humanDuration(apart)} apart`];
}

/** How much was held against what Istiods know. */
export const shardSummary = ({ compared, divergences }: ShardComparison): string =>
  `${compared} ${compared === 1 ? "list" : "lists"} of endpoints compared${divergences.length === 0 ? ", no difference" : ""}.`;

/** What of one proxy could not be compared, a line for each reason. */
export const shardGapLines = (gaps: readonly ShardGap[]): string[] =>
  gaps.map(
    ({ reason, clusters }) =>
      `Not compared: ${clusters.length === 0 ? "" : `${severalTitle("endpointAssignment", clusters)}: `}${excerpt(reason, 200)}`,
  );

/** The same over the mesh. */
export const meshShardGapLines = (gaps: readonly ShardGap[]): string[] =>
  gaps.map(({ reason, clusters, proxies }) => {
    const what = clusters.length === 0 ? "endpoints" : severalTitle("endpointAssignment", clusters);
    const where = `${proxies.length} ${proxies.length === 1 ? "proxy" : "proxies"}`;
    return `${what} not compared with what Istiod knows on ${where}: ${excerpt(reason, 200)}`;
  });

/** `a`, or `12 proxies, all on istiod-x`, or `12 proxies (9 on istiod-x, 3 on istiod-y)`. */
function clientsText(set: EndpointSet | undefined): string {
  if (set === undefined) return "nobody";
  const { proxies, istiods } = set;
  const [only] = proxies;
  if (only !== undefined && proxies.length === 1) return only;
  const shares = [...istiods].map(([istiod, count]) => ({
    istiod: istiod === "" ? "no known Istiod" : istiod,
    count,
  }));
  const [first] = shares;
  const whose =
    first !== undefined && shares.length === 1
      ? `, all on ${first.istiod}`
      : ` (${shares.map(({ istiod, count }) => `${count} on ${istiod}`).join(", ")})`;
  return `${proxies.length} proxies${whose}`;
}

export function istiodLines({ versions, mesh, shards, shardCount, listedTwice }: IstiodComparison): string[] {
  const on = <T>({ istiods }: IstiodPart<T>): string => nameList(istiods);
  return [
    ...versions.map(
      ({ most, others }) =>
        `version ${[most, ...others].map((part) => `${excerpt(part.value)} on ${on(part)}`).join(", ")}`,
    ),
    ...mesh.map(
      ({ istiods, changes }) => `mesh configuration of ${nameList(istiods)} differs in ${fieldList(changes)}`,
    ),
    ...shards.slice(0, shardsShown).map(({ host, shard, parts: [most, ...others] }) => {
      const counts = [most, ...others].flatMap((part) =>
        part === undefined ? [] : [`${part.value.length} on ${on(part)}`],
      );
      return `endpoints of ${excerpt(host)} in ${excerpt(shard)}: ${counts.join(", ")}`;
    }),
    ...(shardCount > shardsShown ? [`and endpoints of ${shardCount - shardsShown} more`] : []),
    ...listedTwice.map(({ proxyId, istiods }) => `${proxyId} is in the lists of ${istiods.join(" and ")}`),
  ];
}

const shardsShown = 10;
