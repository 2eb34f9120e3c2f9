/** Everything that the analyses of `src/diff` say of a capture, one plain record each, so that tests can count them. */
import { driftCauses } from "../../src/diff/causes.js";
import type { Change } from "../../src/diff/changes.js";
import { compareSnapshots } from "../../src/diff/compare-snapshots.js";
import { driftOf } from "../../src/diff/drift.js";
import { endpointDivergences } from "../../src/diff/endpoint-sets.js";
import { compareIstiods } from "../../src/diff/istiods.js";
import { replicaDivergences } from "../../src/diff/replicas.js";
import { comparer, type Comparer } from "../../src/diff/sections.js";
import { timelineOf } from "../../src/diff/timeline.js";
import type { Snapshot } from "../../src/snapshot/model.js";

export const analyses = [
  "Istiod against Envoy",
  "replicas",
  "endpoints",
  "Istiods",
  "timeline",
  "snapshots",
] as const;
export type Analysis = (typeof analyses)[number];

export interface Finding {
  readonly by: Analysis;
  /** Kind and name: `cluster outbound|80||a.b`. */
  readonly about: string;
  /** `missing`, `changed in connect_timeout`, ...; what is known of why behind it. */
  readonly what: string;
  /** Ids of proxies or names of Istiods, in order. */
  readonly on: readonly string[];
}

/** The findings of one snapshot. @param compare shared by several, it knows what their resources mean */
export function findingsOf(snapshot: Snapshot, compare: Comparer = comparer()): Finding[] {
  return [
    ...driftCauses(driftOf(snapshot, null, compare)).map((cause): Finding => ({
      by: "Istiod against Envoy",
      about: `${cause.kind} ${cause.names.join(", ")}`,
      what: [whatOf(cause), ...(cause.inFlight ? ["in flight"] : []), ...reasonsOf(cause)].join("; "),
      on: cause.proxies,
    })),
    ...replicaDivergences(snapshot, compare).map((divergence): Finding => ({
      by: "replicas",
      about: `${divergence.kind} ${divergence.name}`,
      what: [whatOf(divergence), ...reasonsOf(divergence)].join("; "),
      on: divergence.proxies,
    })),
    ...endpointFindings(snapshot),
    ...istiodFindings(snapshot),
    ...timelineOf(snapshot, compare, null)
      .events.filter(({ missing }) => missing.length > 0)
      .map(({ kind, name, missing }): Finding => ({
        by: "timeline",
        about: `${kind} ${name}`,
        what: "not arrived",
        on: missing,
      })),
  ];
}

const whatOf = ({
  class: of,
  changes,
}: {
  readonly class: string;
  readonly changes: readonly Change[];
}): string => (of === "changed" ? `changed in ${fieldsOf(changes)}` : of);

const reasonsOf = ({
  warming,
  rejections,
}: {
  readonly warming: boolean;
  readonly rejections: readonly string[];
}): string[] => [...(warming ? ["warming"] : []), ...rejections.map((details) => `rejected: ${details}`)];

const fieldsOf = (changes: readonly Change[]): string =>
  changes.map(({ path, kind }) => (kind === "changed" ? path : `${path} (${kind})`)).join(", ");

/** Each set that is not the one of most clients. */
function endpointFindings(snapshot: Snapshot): Finding[] {
  return endpointDivergences(snapshot).flatMap(({ cluster, sets: [most, ...others] }) =>
    others.map(({ endpoints, proxies, istiods }): Finding => {
      const known = new Set(most?.endpoints);
      const own = new Set(endpoints);
      const without = [...known].filter((endpoint) => !own.has(endpoint));
      const besides = endpoints.filter((endpoint) => !known.has(endpoint));
      return {
        by: "endpoints",
        about: `endpointAssignment ${cluster}`,
        what: [
          ...without.map((endpoint) => `without ${endpoint}`),
          ...besides.map((endpoint) => `with ${endpoint}`),
          `by ${[...istiods].map(([istiod, count]) => `${count} of ${istiod}`).join(", ")}`,
        ].join("; "),
        on: proxies,
      };
    }),
  );
}

function istiodFindings(snapshot: Snapshot): Finding[] {
  const { versions, mesh, shards, listedTwice } = compareIstiods(snapshot);
  const otherVersions = versions.flatMap(({ others }) => others);
  return [
    ...otherVersions.map(({ value, istiods }): Finding => ({
      by: "Istiods",
      about: "version",
      what: value,
      on: istiods,
    })),
    ...mesh.map(({ changes, istiods }): Finding => ({
      by: "Istiods",
      about: "mesh configuration",
      what: `changed in ${fieldsOf(changes)}`,
      on: istiods,
    })),
    ...shards.flatMap(({ host, shard, parts: [most, ...others] }) =>
      others.map(({ value, istiods }): Finding => ({
        by: "Istiods",
        about: `endpoints of ${host} in ${shard}`,
        what: `${value.length} where most have ${most?.value.length ?? 0}`,
        on: istiods,
      })),
    ),
    ...listedTwice.map(({ proxyId, istiods }): Finding => ({
      by: "Istiods",
      about: `proxy ${proxyId}`,
      what: "listed twice",
      on: istiods,
    })),
  ];
}

/** The findings of two snapshots against each other; a change under several sources is one finding of each. */
export function comparisonFindings(before: Snapshot, after: Snapshot): Finding[] {
  const { sources, appeared, vanished } = compareSnapshots(before, after);
  const proxies = (what: string, ids: readonly string[]): Finding[] =>
    ids.length === 0 ? [] : [{ by: "snapshots", about: "proxies", what, on: ids }];
  return [
    ...proxies("appeared", appeared),
    ...proxies("vanished", vanished),
    ...sources.flatMap(({ source, changes }) =>
      changes.map((change): Finding => ({
        by: "snapshots",
        about: `${source}: ${change.kind} ${change.name}`,
        what: whatOf(change),
        on: change.proxies,
      })),
    ),
  ];
}
