/**
 * Istiod against Istiod: replicas of one control plane must run one version with one mesh configuration and know the same
 * endpoints. Where they do not, the proxies of one of them are told something else than the rest. Revisions are control
 * planes of their own.
 */
import { by } from "../shared/sorting.js";
import type { Collected, Istiod, Snapshot } from "../snapshot/model.js";
import { changesBetween, type Change } from "./changes.js";
import { canonicalText, type JsonValue } from "../shared/json-value.js";

/** Replicas that say the same. */
export interface IstiodPart<T> {
  readonly value: T;
  /** Ids. */
  readonly istiods: readonly string[];
}

/** Replicas whose version is not that of most replicas of their revision. */
export interface VersionDifference {
  readonly most: IstiodPart<string>;
  readonly others: readonly IstiodPart<string>[];
}

/** From the configuration of most replicas to that of the others. */
export interface MeshDifference {
  readonly istiods: readonly string[];
  readonly changes: readonly Change[];
}

export interface ShardDifference {
  readonly host: string;
  readonly shard: string;
  /** The addresses as the replicas have them; the part of most replicas first. */
  readonly parts: readonly IstiodPart<readonly string[]>[];
}

export interface IstiodComparison {
  readonly versions: readonly VersionDifference[];
  readonly mesh: readonly MeshDifference[];
  /** The first ones, by host and shard. */
  readonly shards: readonly ShardDifference[];
  /** How many shards differ: an Istiod that knows nothing differs in all of them. */
  readonly shardCount: number;
  /** How many proxies each lists; null where its list was not captured. */
  readonly proxies: readonly { readonly istiod: string; readonly count: number | null }[];
  /** Proxies in more than one list: reconnecting, or two with one id. */
  readonly listedTwice: readonly { readonly proxyId: string; readonly istiods: readonly string[] }[];
  /** What was not captured of whom, where there are replicas to compare it with. */
  readonly notCompared: readonly {
    readonly istiod: string;
    readonly what: string;
    readonly reason: string;
  }[];
}

const shardsListed = 1000;

export function compareIstiods({ istiods, pods }: Pick<Snapshot, "istiods" | "pods">): IstiodComparison {
  const replicas = revisions(istiods, pods).filter((group) => group.length > 1);
  const shards = replicas.flatMap(shardDifferences).sort(
    by(
      ({ host }) => host,
      ({ shard }) => shard,
    ),
  );
  return {
    versions: replicas.flatMap(versionDifferences),
    mesh: replicas.flatMap(meshDifferences),
    shards: shards.slice(0, shardsListed),
    shardCount: shards.length,
    proxies: istiods.map(({ id, sync }) => ({
      istiod: id,
      count: sync.state === "present" ? new Set(sync.value.states.map(({ proxyId }) => proxyId)).size : null,
    })),
    listedTwice: listedTwice(istiods),
    notCompared: replicas
      .flat()
      .flatMap(({ id, version, mesh, endpointShards }) => [
        ...missing(id, "version", version),
        ...missing(id, "mesh configuration", mesh),
        ...missing(id, "endpoints", endpointShards),
      ]),
  };
}

const missing = (
  istiod: string,
  what: string,
  part: Collected<unknown>,
): IstiodComparison["notCompared"][number][] =>
  part.state === "present" ? [] : [{ istiod, what, reason: part.reason }];

/** Istiods by revision: the label of their pods, else the name of their Deployment. */
function revisions(istiods: readonly Istiod[], pods: Snapshot["pods"]): Istiod[][] {
  const labels = new Map(
    pods.state === "present"
      ? pods.value.map(({ namespace, name, labels: own }) => [`${namespace}/${name}`, own["istio.io/rev"]])
      : [],
  );
  const groups = new Map<string, Istiod[]>();
  for (const istiod of istiods) {
    const { id, namespace } = istiod;
    const revision = labels.get(`${namespace}/${id}`) ?? id.replace(/-[a-z0-9]{5,10}-[a-z0-9]{5}$/, "");
    const group = groups.get(revision);
    if (group === undefined) groups.set(revision, [istiod]);
    else group.push(istiod);
  }
  return [...groups.values()];
}

/** Replicas by what they say, most first; those that did not say are left out. */
function partsOf<T>(istiods: readonly Istiod[], of: (istiod: Istiod) => T | null): IstiodPart<T>[] {
  const parts = new Map<T, string[]>();
  for (const istiod of istiods) {
    const value = of(istiod);
    if (value !== null) parts.set(value, [...(parts.get(value) ?? []), istiod.id]);
  }
  return [...parts]
    .map(([value, ids]) => ({ value, istiods: ids.sort() }))
    .sort(
      (a, b) => b.istiods.length - a.istiods.length || ((a.istiods[0] ?? "") < (b.istiods[0] ?? "") ? -1 : 1),
    );
}

function versionDifferences(istiods: readonly Istiod[]): VersionDifference[] {
  const [most, ...others] = partsOf(istiods, ({ version }) =>
    version.state === "present" ? version.value.version : null,
  );
  return most === undefined || others.length === 0 ? [] : [{ most, others }];
}

function meshDifferences(istiods: readonly Istiod[]): MeshDifference[] {
  const [most, ...others] = partsOf(istiods, ({ mesh }) =>
    mesh.state === "present" ? canonicalText(mesh.value.config as JsonValue) : null,
  );
  if (most === undefined) return [];
  return others.map(({ value, istiods: ids }) => ({
    istiods: ids,
    changes: changesBetween(JSON.parse(most.value) as JsonValue, JSON.parse(value) as JsonValue),
  }));
}

function shardDifferences(istiods: readonly Istiod[]): ShardDifference[] {
  const keys = new Map<string, { host: string; shard: string }>();
  const sets = new Map<string, ReadonlyMap<string, string>>();
  for (const { id, endpointShards } of istiods) {
    if (endpointShards.state === "absent") continue;
    const own = new Map<string, string>();
    for (const [host, shards] of endpointShards.value.hosts)
      for (const [shard, addresses] of shards) {
        const key = `${host}\u0000${shard}`;
        keys.set(key, { host, shard });
        own.set(key, addresses.join("\n"));
      }
    sets.set(id, own);
  }
  const asked = istiods.filter(({ id }) => sets.has(id));
  return [...keys].flatMap(([key, { host, shard }]): ShardDifference[] => {
    // a shard that a replica does not have is an empty one
    const parts = partsOf(asked, ({ id }) => sets.get(id)?.get(key) ?? "");
    if (parts.length < 2) return [];
    return [
      {
        host,
        shard,
        parts: parts.map(({ value, istiods: ids }) => ({
          value: value === "" ? [] : value.split("\n"),
          istiods: ids,
        })),
      },
    ];
  });
}

function listedTwice(istiods: readonly Istiod[]): IstiodComparison["listedTwice"] {
  const lists = new Map<string, Set<string>>();
  for (const { id, sync } of istiods)
    if (sync.state === "present")
      for (const { proxyId } of sync.value.states)
        lists.set(proxyId, (lists.get(proxyId) ?? new Set<string>()).add(id));
  return [...lists]
    .filter(([, ids]) => ids.size > 1)
    .map(([proxyId, ids]) => ({ proxyId, istiods: [...ids].sort() }))
    .sort(by(({ proxyId }) => proxyId));
}
