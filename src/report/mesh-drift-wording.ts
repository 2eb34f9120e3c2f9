/** What the proxies of a mesh and its Istiods hold otherwise than each other, in lines. */
import type { EndpointDivergence, EndpointSet } from "../diff/endpoint-sets.js";
import type { IstiodComparison, IstiodPart } from "../diff/istiods.js";
import type { ReplicaDivergence } from "../diff/replicas.js";
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
function differenceText(most: EndpointSet | undefined, { endpoints, proxies }: EndpointSet): string {
  const podsOf = (addresses: readonly string[]): string[] => [
    ...new Set(addresses.map((address) => address.replace(/:\d+$/, ""))),
  ];
  const own = new Set(endpoints);
  const usual = new Set(most?.endpoints);
  const lacks = podsOf([...usual].filter((address) => !own.has(address)));
  const has = podsOf(endpoints.filter((address) => !usual.has(address)));
  const list = (pods: readonly string[]): string =>
    nameList(
      pods.map((pod) => excerpt(pod)),
      addressesShown,
    );
  const isOne = proxies.length === 1;
  return [
    ...(lacks.length === 0 ? [] : [`${isOne ? "lacks" : "lack"} ${list(lacks)}`]),
    ...(has.length === 0 ? [] : [`${isOne ? "has" : "have"} ${list(has)} besides`]),
  ].join(" and ");
}

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
