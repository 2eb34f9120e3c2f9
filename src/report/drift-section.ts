/** What differs in the mesh, worded: Istiod and Envoys by cause, replicas, clients of a cluster, Istiods, and the timeline. */
import type { Change } from "../diff/changes.js";
import type { DriftCause } from "../diff/causes.js";
import { editBudget, meaningText, resourceText, unifiedDiff } from "../diff/diff-text.js";
import type { DriftItem, KindDrift, ProxyDrift } from "../diff/drift.js";
import type { EndpointDivergence } from "../diff/endpoint-sets.js";
import type { MeshDrift } from "../diff/mesh-drift.js";
import { withoutSelf } from "../diff/own-names.js";
import type { ReplicaDivergence } from "../diff/replicas.js";
import type { Holding } from "../diff/sections.js";
import type { Timeline } from "../diff/timeline.js";
import { humanTime } from "../shared/http-date.js";
import { excerpt } from "../shared/printable.js";
import type { Proxy, Resource, SectionKind, Snapshot } from "../snapshot/model.js";
import type {
  DiffText,
  DriftFinding,
  DriftReport,
  EndpointMatrix,
  KnownEndpointsFinding,
  ProxySection,
  SyncCell,
  TimelineReport,
} from "./document.js";
import {
  causeLine,
  changeText,
  kindTitles,
  resourceTitle,
  severalTitle,
  timelineRows,
} from "./drift-wording.js";
import { driftGaps } from "./drift-gaps.js";
import {
  differenceText,
  istiodLines,
  meshShardGapLines,
  replicaLines,
  shardGroups,
} from "./mesh-drift-wording.js";
import { countOf } from "./wording.js";

type Tone = SyncCell["tone"];

/** Texts beyond which a reader is sent to the command that prints one proxy's: the search for differences costs time. */
const most = { diffs: 200, characters: 1_000_000, fields: 50 };

export function driftReport(snapshot: Snapshot, drift: MeshDrift): DriftReport {
  const { drifts, causes, istiods } = drift;
  const diffs = diffTexts();
  const replicas = replicaFindings(snapshot, drift, diffs);
  const endpoints = endpointMatrices(drift.endpoints);
  const known = knownEndpoints(drift);
  const compared = new Set(drifts.map(({ proxyId }) => proxyId)).size;
  const noise = drifts
    .flatMap(({ kinds }) => kinds)
    .reduce((sum, kind) => sum + (kind.state === "compared" ? kind.noise : 0), 0);
  const wrong =
    causes.filter(({ inFlight }) => !inFlight).length +
    replicas.length +
    endpoints.length +
    known.filter(({ inFlight }) => !inFlight).length;
  const lines = istiodLines(istiods);
  return {
    summary: summaryOf(snapshot, compared, { causes, replicas, endpoints, known }),
    tone:
      wrong > 0
        ? "bad"
        : causes.length + lines.length + known.length > 0
          ? "waiting"
          : compared === 0
            ? "neutral"
            : "good",
    compared,
    notCompared: [
      ...driftGaps(drifts),
      ...meshShardGapLines(drift.shards.notCompared),
      ...istiods.notCompared.map(
        ({ istiod, what, reason }) => `${what} of ${istiod}: ${excerpt(reason, 160)}`,
      ),
    ],
    noise,
    causes: causes.map((cause) => causeFinding(cause, diffs)),
    replicas,
    endpoints,
    known,
    istiods: lines,
  };
}

function summaryOf(
  { source, proxies }: Snapshot,
  compared: number,
  {
    causes,
    replicas,
    endpoints,
    known,
  }: Pick<MeshDrift, "causes"> & Pick<DriftReport, "replicas" | "endpoints" | "known">,
): string {
  const against =
    compared > 0
      ? `Istiod's view was held against Envoy's on ${compared} of ${countOf(proxies.length, "proxy")}: ${causes.length === 0 ? "no difference" : countOf(causes.length, "cause")}.`
      : source.kind === "bug-report"
        ? "A bug-report never holds Istiod's view of a proxy, so proxies were held against each other and against the endpoints that Istiod knows; istio-snapshot-collect captures it."
        : "Istiod's view of no proxy was captured, so proxies were held against each other and against the endpoints that Istiod knows.";
  const others = [
    ...(replicas.length === 0 ? [] : [`replicas differ in ${countOf(replicas.length, "way")}`]),
    ...(endpoints.length === 0
      ? []
      : [`clients of one cluster hold different endpoints in ${countOf(endpoints.length, "way")}`]),
    ...(known.length === 0
      ? []
      : [`proxies hold other endpoints than their Istiod knows in ${countOf(known.length, "way")}`]),
  ];
  return others.length === 0
    ? `${against} Replicas and clients of one cluster hold the same, as far as they were captured.`
    : `${against} ${sentence(others.join("; "))}.`;
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What comes of holding a proxy against each Istiod's view of it. */
export const proxyDrift = (drifts: readonly ProxyDrift[]): ProxySection["drift"] =>
  drifts.map(({ istiod, istiodCapturedAt, kinds, routesLoadedAt }) => ({
    istiod,
    capturedAt: istiodCapturedAt,
    kinds: kinds.map((kind) => ({ label: kindTitles[kind.kind], ...kindState(kind, routesLoadedAt) })),
  }));

function kindState(kind: KindDrift, routesLoadedAt: string | null): { text: string; tone: Tone } {
  if (kind.state === "not compared") return { text: `not compared: ${kind.reason}`, tone: "neutral" };
  const { differences, partial, noise } = kind;
  const isWrong = differences.some(({ inFlight }) => !inFlight);
  const notes = [
    ...(kind.kind === "routeConfiguration" && routesLoadedAt !== null
      ? [`RDS last loaded at ${humanTime(routesLoadedAt)}`]
      : []),
    ...(noise > 0 ? [`${noise} written differently`] : []),
    ...(partial === null ? [] : [`in part: ${partial}`]),
  ];
  return {
    text: [
      differences.length === 0
        ? "match"
        : `${differences.length} ${differences.length === 1 ? "differs" : "differ"}`,
      ...(notes.length === 0 ? [] : [`(${notes.join("; ")})`]),
    ].join(" "),
    tone: isWrong ? "bad" : differences.length > 0 ? "waiting" : partial === null ? "good" : "neutral",
  };
}

function causeFinding(cause: DriftCause, diffs: DiffTexts): DriftFinding {
  const { kind, class: of, names, proxies, istiods, inFlight, changes, example } = cause;
  const { before, after, name } = example.item;
  const text = kind === "secret" ? nameOf : resourceText;
  return {
    text: causeLine(cause),
    tone: inFlight ? "waiting" : "bad",
    kind,
    kindLabel: kindTitles[kind],
    class: of,
    names: [...names],
    fields: fieldLines(changes),
    proxies: [...proxies],
    istiods: [...istiods],
    inFlight,
    example: `${resourceTitle(kind, name)} on ${example.proxyId}`,
    evidence: evidenceOf(example.item),
    diff: diffs(
      { before: `Istiod ${resourceTitle(kind, name)}`, after: `Envoy ${resourceTitle(kind, name)}` },
      name,
      before === null ? null : () => text(before.resource),
      after === null ? null : () => text(after.resource),
    ),
  };
}

/** Of a secret only the name is compared, and shown. */
const nameOf = ({ name }: Resource): string => `${JSON.stringify(name)}\n`;

const fieldLines = (changes: readonly Change[]): string[] => [
  ...changes.slice(0, most.fields).map(changeText),
  ...(changes.length > most.fields ? [`and ${changes.length - most.fields} more`] : []),
];

/** Where the resource stands, and why the proxy refused it. */
function evidenceOf({ before, after, rejection }: DriftItem): DriftFinding["evidence"] {
  const place = (whose: string, holding: Holding | null): DriftFinding["evidence"] =>
    holding === null
      ? []
      : [
          {
            ...holding.origin,
            excerpt: `${whose}${holding.lastUpdated === null ? "" : `, last updated ${holding.lastUpdated}`}`,
          },
        ];
  return [
    ...place("What Istiod would send", before),
    ...place("What Envoy holds", after).map((one, at) =>
      at === 0 && rejection !== null ? { ...one, excerpt: excerpt(rejection.details, 200) } : one,
    ),
  ];
}

/** Resources that the same replicas lack, have besides, or have in the same way otherwise. */
function replicaFindings(
  snapshot: Snapshot,
  { replicas, compare }: MeshDrift,
  diffs: DiffTexts,
): DriftFinding[] {
  const proxies = new Map(snapshot.proxies.map((proxy) => [proxy.id, proxy]));
  const groups = new Map<string, ReplicaDivergence[]>();
  for (const divergence of replicas) {
    const { group, groupSize, kind, class: of, changes, warming, rejections, proxies: ids } = divergence;
    const key = JSON.stringify([group, groupSize, kind, of, changes, warming, rejections, ids]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [divergence]);
    else known.push(divergence);
  }
  return [...groups.values()].map((group): DriftFinding => {
    const [first] = group as [ReplicaDivergence];
    const { kind, name, class: of, changes, proxies: ids, reference } = first;
    const [minority, majority] = [proxies.get(ids[0] ?? ""), proxies.get(reference)];
    const held = [heldIn(majority, kind, name), heldIn(minority, kind, name)];
    const textOf = (proxy: Proxy | undefined, one: Place | null | undefined): (() => string) | null =>
      proxy === undefined || one == null
        ? null
        : () => meaningText(withoutSelf(one.resource, proxy, compare).value, one.resource.type);
    return {
      text: replicaLines(group)[0] ?? "",
      tone: "bad",
      kind,
      kindLabel: kindTitles[kind as keyof typeof kindTitles],
      class: of,
      names: group.map(({ name: own }) => own).sort(),
      fields: fieldLines(changes),
      proxies: [...ids],
      istiods: [],
      inFlight: false,
      example: `${resourceTitle(kind, name)} on ${ids[0] ?? ""}`,
      evidence: held.flatMap((one, at) =>
        one === null ? [] : [{ ...one.origin, excerpt: at === 0 ? reference : (ids[0] ?? "") }],
      ),
      diff: diffs(
        {
          before: `${excerpt(reference, 120)} ${resourceTitle(kind, name)}`,
          after: `${excerpt(ids[0] ?? "", 120)} ${resourceTitle(kind, name)}`,
        },
        name,
        textOf(majority, held[0]),
        textOf(minority, held[1]),
      ),
    };
  });
}

interface Place {
  readonly resource: Resource;
  readonly origin: { readonly entry: string; readonly pointer: string };
}

/** The resource in force of that name. */
function heldIn(proxy: Proxy | undefined, kind: SectionKind, name: string): Place | null {
  const list = proxy?.config[kind];
  if (list?.state !== "present") return null;
  for (let index = 0; index < list.value.length; index++) {
    const resource = list.value.name(index) === name ? list.value.resource(index) : null;
    if (resource !== null && list.value.state(index) === "active")
      return { resource, origin: list.value.at(index).origin };
  }
  return null;
}

/** One matrix for all clusters of which the same clients hold the same pods. */
function endpointMatrices(divergences: readonly EndpointDivergence[]): EndpointMatrix[] {
  const matrices = new Map<string, EndpointMatrix>();
  for (const { cluster, scope, sets } of divergences) {
    const [usual] = sets;
    const texts = sets.map((set, at) => (at === 0 ? "what most clients hold" : differenceText(usual, set)));
    const key = JSON.stringify([scope, sets.map(({ proxies }, at) => [proxies, texts[at]])]);
    const known = matrices.get(key);
    if (known !== undefined) {
      known.clusters.push(cluster);
      continue;
    }
    const istiods = [...new Set(sets.flatMap((set) => [...set.istiods.keys()]))].sort();
    matrices.set(key, {
      clusters: [cluster],
      scope,
      istiods,
      sets: sets.map((set, at) => ({
        text: texts[at] ?? "",
        endpoints: [...set.endpoints],
        proxies: [...set.proxies],
        counts: istiods.map((istiod) => set.istiods.get(istiod) ?? 0),
        newest: set.newest,
      })),
    });
  }
  return [...matrices.values()];
}

/** Endpoints against what each proxy's Istiod knows. */
const knownEndpoints = ({ shards }: MeshDrift): KnownEndpointsFinding[] =>
  shardGroups(shards.divergences).map(
    ({ text, clusters, first: { proxies, istiods, lacks, besides, inFlight } }) => ({
      text,
      tone: inFlight ? "waiting" : "bad",
      clusters: [...clusters],
      proxies: [...proxies].sort(),
      istiods: [...istiods],
      lacks: [...lacks],
      besides: [...besides],
      inFlight,
    }),
  );

type DiffTexts = (
  titles: { readonly before: string; readonly after: string },
  name: string,
  before: (() => string) | null,
  after: (() => string) | null,
) => DiffText;

/** Diffs as long as there are not too many. */
function diffTexts(): DiffTexts {
  const budget = editBudget();
  let drawn = 0;
  return (titles, name, before, after) => {
    if (drawn >= most.diffs)
      return {
        ...titles,
        text: "",
        omitted: `only the first ${most.diffs} differences have their text here: proxy-status <proxy> prints it`,
      };
    drawn++;
    const named = (text: (() => string) | null) => (text === null ? [] : [{ name, text: text() }]);
    const text = unifiedDiff(titles, named(before), named(after), budget);
    return text.length > most.characters
      ? {
          ...titles,
          text: "",
          omitted: `its text is ${text.length} characters long: proxy-status <proxy> prints it`,
        }
      : { ...titles, text, omitted: text === "" ? "the texts are the same" : "" };
  };
}

export const timelineReport = (timeline: Timeline): TimelineReport => ({
  since: timeline.since,
  untimed: timeline.untimed,
  rows: timelineRows(timeline).map(({ first, last, kind, names, proxies, missing, isStart }) => ({
    first,
    last,
    what: severalTitle(kind, names),
    kind,
    names: [...names],
    proxies: [...proxies],
    missing: [...missing],
    isStart,
  })),
});
