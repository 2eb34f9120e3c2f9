/**
 * What a proxy holds against what Istiod would send it. Istiod's dump is made from the push that the proxy last got
 * (Istio 1.14 and newer: `LastPushContext`), so a match says that the proxy has what was sent, not that this is the newest.
 */
import {
  type Collected,
  type Istiod,
  type IstiodView,
  type Proxy,
  type ReferenceList,
  type Rejection,
  type ResourceReference,
  type SectionKind,
  type Snapshot,
  type TypeSync,
} from "../snapshot/model.js";
import { selected } from "../snapshot/reference-list.js";
import { connections } from "./connections.js";
import { damagedEntries, type Damage } from "./damage.js";
import { edsClusters } from "./eds-clusters.js";
import { isExpected } from "./expected-differences.js";
import { noReferences, sectionOf } from "./optional-sections.js";
import { comparer, type Comparer, type Comparison, type Difference } from "./sections.js";

/** The kinds that Istiod sends, in the order in which istioctl and we show them. */
export const comparedKinds = [
  "cluster",
  "listener",
  "routeConfiguration",
  "endpointAssignment",
  "secret",
  "extensionConfig",
] as const satisfies readonly SectionKind[];
export type ComparedKind = (typeof comparedKinds)[number];

/** A difference, and what the snapshot knows of why. */
export interface DriftItem extends Difference {
  /** Sent by Istiod, or changed in the proxy, between the two captures: a push on its way, not drift. */
  readonly inFlight: boolean;
  /** The proxy has it, but not in force yet. */
  readonly warming: boolean;
  /** Why the proxy refused it. */
  readonly rejection: Rejection | null;
}

export type KindDrift =
  | (Omit<Comparison, "differences"> & {
      readonly state: "compared";
      readonly kind: ComparedKind;
      readonly differences: readonly DriftItem[];
      /** Why one side is not whole, so that what it lacks was left out of the differences; null when both are. */
      readonly partial: string | null;
      readonly sync: TypeAnswer;
    })
  | { readonly state: "not compared"; readonly kind: ComparedKind; readonly reason: string };

/** What the Istiod's list says of the type: how the proxy answered the last push. */
export interface TypeAnswer {
  /** null where the list does not tell, or nothing was sent. */
  readonly acknowledged: boolean | null;
  /** Why the proxy refused it; null where it did not, or the release does not tell. */
  readonly refusal: string | null;
}

export interface ProxyDrift {
  readonly proxyId: string;
  /** Whose view it was held against. */
  readonly istiod: string;
  readonly istiodEntry: string;
  readonly proxyEntry: string | null;
  /** RFC 3339; null where nothing tells. */
  readonly istiodCapturedAt: string | null;
  readonly proxyCapturedAt: string | null;
  readonly kinds: readonly KindDrift[];
  /** Newest `last_updated` of the proxy's routes by RDS, RFC 3339; null where none says. */
  readonly routesLoadedAt: string | null;
}

/** Whether something differs that is no push on its way. */
export const hasDrift = ({ kinds }: ProxyDrift): boolean =>
  kinds.some((kind) => kind.state === "compared" && kind.differences.some(({ inFlight }) => !inFlight));

/** Every view of every Istiod against the proxy that it is of. @param onlyProxy an id; null: all */
export function driftOf(
  snapshot: Snapshot,
  onlyProxy: string | null = null,
  compare: Comparer = comparer(),
): readonly ProxyDrift[] {
  const tools = {
    compare,
    edsCluster: edsClusters(),
    damage: damagedEntries(snapshot),
  };
  const proxies = new Map(snapshot.proxies.map((proxy) => [proxy.id, proxy]));
  const isStale = staleViews(snapshot);
  return snapshot.istiods.flatMap((istiod) => {
    const answers = answersOf(istiod);
    return istiod.views
      .filter(({ proxyId }) => (onlyProxy === null || proxyId === onlyProxy) && !isStale(istiod, proxyId))
      .flatMap((view) => {
        const proxy = proxies.get(view.proxyId);
        return proxy === undefined || proxy.dumpEntry === null
          ? []
          : [proxyDrift(istiod, view, proxy, tools, answers.get(proxy.id) ?? [])];
      });
  });
}

/** Views by an Istiod that a proxy has left, where the one that it is connected to has a view of it, too. */
function staleViews(snapshot: Snapshot): (istiod: Istiod, proxyId: string) => boolean {
  const connected = connections(snapshot);
  const viewed = new Map(
    snapshot.istiods.map((istiod) => [istiod, new Set(istiod.views.map(({ proxyId }) => proxyId))]),
  );
  return (istiod, proxyId) => {
    const current = connected.get(proxyId) ?? [];
    return !current.includes(istiod) && current.some((other) => viewed.get(other)?.has(proxyId) === true);
  };
}

/** What is worked out once for the whole mesh. */
interface Tools {
  readonly compare: Comparer;
  readonly edsCluster: ReturnType<typeof edsClusters>;
  readonly damage: Damage;
}

/** How each proxy in an Istiod's list answered, by id. */
function answersOf({ sync }: Istiod): ReadonlyMap<string, readonly TypeSync[]> {
  return new Map(
    sync.state === "absent" ? [] : sync.value.states.map(({ proxyId, types }) => [proxyId, types]),
  );
}

const typeUrls: Readonly<Record<ComparedKind, string>> = {
  cluster: "envoy.config.cluster.v3.Cluster",
  listener: "envoy.config.listener.v3.Listener",
  routeConfiguration: "envoy.config.route.v3.RouteConfiguration",
  endpointAssignment: "envoy.config.endpoint.v3.ClusterLoadAssignment",
  secret: "envoy.extensions.transport_sockets.tls.v3.Secret",
  extensionConfig: "envoy.config.core.v3.TypedExtensionConfig",
};

const typeOf = (kind: ComparedKind, types: readonly TypeSync[]): TypeSync | undefined =>
  types.find(({ typeUrl }) => typeUrl === typeUrls[kind]);

function answerOf(kind: ComparedKind, types: readonly TypeSync[]): TypeAnswer {
  const type = typeOf(kind, types);
  if (type === undefined) return { acknowledged: null, refusal: null };
  const { evidence, error } = type;
  const acknowledged =
    evidence.form === "nonces"
      ? evidence.sent === ""
        ? null
        : evidence.sent === evidence.acked
      : ({ SYNCED: true, STALE: false, ERROR: false, UNKNOWN: null, NOT_SENT: null } as const)[
          evidence.status
        ];
  return { acknowledged, refusal: error.trim() === "" ? null : error.trim() };
}

function proxyDrift(
  istiod: Istiod,
  view: IstiodView,
  proxy: Proxy,
  tools: Tools,
  types: readonly TypeSync[],
): ProxyDrift {
  return {
    proxyId: proxy.id,
    istiod: istiod.id,
    istiodEntry: view.entry,
    proxyEntry: proxy.dumpEntry,
    istiodCapturedAt: view.capturedAt,
    proxyCapturedAt: proxy.capturedAt,
    kinds: comparedKinds.map((kind) => kindDrift(kind, view, proxy, tools, types)),
    routesLoadedAt: newest(proxy.config.routeConfiguration),
  };
}

function kindDrift(
  kind: ComparedKind,
  view: IstiodView,
  proxy: Proxy,
  { compare, edsCluster, damage }: Tools,
  types: readonly TypeSync[],
): KindDrift {
  const sent = view.config[kind];
  const held = sectionOf(kind, proxy, damage);
  if (sent.state === "absent")
    return { state: "not compared", kind, reason: `Istiod's side: ${sent.reason}` };
  if (held.state === "absent")
    return { state: "not compared", kind, reason: `the proxy's side: ${held.reason}` };
  const { before, after } = comparedReferences(kind, view, proxy, edsCluster);
  const { same, noise, differences } = compare.compare(kind, before, after);
  const expected = differences.filter(isExpected);
  const lost = {
    sent: damage(view.entry, view.config, kind),
    held: damage(proxy.dumpEntry ?? "", proxy.config, kind),
  };
  const captures = [view.capturedAt, proxy.capturedAt];
  const sync = answerOf(kind, types);
  // what was sent and refused will not arrive
  const sentBetween = sync.refusal === null && isBetween(typeOf(kind, types)?.sentTime ?? null, captures);
  const explain = explainer(held.value, captures, sentBetween);
  return {
    state: "compared",
    kind,
    same: same + expected.length,
    noise: noise + expected.length,
    partial:
      lost.held !== null
        ? `the proxy's dump is not whole: ${lost.held}`
        : lost.sent !== null
          ? `Istiod's dump is not whole: ${lost.sent}`
          : null,
    sync,
    differences: differences
      .filter((difference) => !isExpected(difference))
      .filter(
        ({ class: of }) =>
          !(of === "missing" && lost.held !== null) && !(of === "extra" && lost.sent !== null),
      )
      .map(explain),
  };
}

/**
 * What is held against each other: what Istiod would send, and what the proxy has in force of it. Endpoints only of the
 * clusters that both have: a cluster that is missing is one difference, not two.
 */
export function comparedReferences(
  kind: ComparedKind,
  view: Pick<IstiodView, "config">,
  proxy: Proxy,
  edsCluster = edsClusters(),
): { before: ReferenceList; after: ReferenceList } {
  const sent = listOf(view.config[kind]);
  const held = listOf(proxy.config[kind]);
  if (kind === "endpointAssignment") {
    // static and dynamic follow the cluster's origin there; the names that EDS is asked for tell what Istiod sends
    const names = [namesAsked(view.config.cluster, edsCluster), namesAsked(proxy.config.cluster, edsCluster)];
    const isAsked = (name: string): boolean => names.every((set) => set?.has(name) ?? true);
    return {
      before: selected(sent, (index) => isAsked(sent.name(index))),
      after: selected(held, (index) => isInForce(held, index) && isAsked(held.name(index))),
    };
  }
  const isSent = (index: number): boolean =>
    held.source(index) === "dynamic" && !(kind === "secret" && isAgents(held.name(index)));
  return { before: sent, after: selected(held, (index) => isInForce(held, index) && isSent(index)) };
}

/** Not what warms, drains or was refused. */
function isInForce(list: ReferenceList, index: number): boolean {
  const state = list.state(index);
  return list.resource(index) !== null && (state === "active" || state === "unknown");
}

const listOf = (list: Collected<ReferenceList>): ReferenceList =>
  list.state === "absent" ? noReferences : list.value;

/** Secrets that the agent beside Envoy serves from its own certificate and files; Istiod never sends them. */
const isAgents = (name: string): boolean =>
  name === "default" || name === "ROOTCA" || name.startsWith("file-");

/** Names that EDS is asked for on behalf of these clusters; null where they are not known. */
function namesAsked(
  clusters: Collected<ReferenceList>,
  edsCluster: Tools["edsCluster"],
): ReadonlySet<string> | null {
  if (clusters.state === "absent") return null;
  const names = new Set<string>();
  for (let index = 0; index < clusters.value.length; index++) {
    const resource = clusters.value.resource(index);
    const eds = resource === null ? null : edsCluster(resource);
    // a warming cluster has no entry among the endpoints yet
    if (eds !== null && isInForce(clusters.value, index)) names.add(eds.serviceName);
  }
  return names;
}

/** What the snapshot knows of the difference in a resource that the proxy holds, in whatever state. */
function explainer(
  held: ReferenceList,
  captures: readonly (string | null)[],
  sentBetween: boolean,
): (difference: Difference) => DriftItem {
  let byName: Map<string, ResourceReference[]> | null = null;
  return (difference) => {
    byName ??= grouped(held);
    const own = byName.get(difference.name) ?? [];
    const rejection = own.find((reference) => reference.rejection !== null)?.rejection ?? null;
    return {
      ...difference,
      inFlight:
        (sentBetween && rejection === null) || isBetween(difference.after?.lastUpdated ?? null, captures),
      warming: own.some(({ state }) => state === "warming"),
      rejection,
    };
  };
}

function grouped(references: ReferenceList): Map<string, ResourceReference[]> {
  const groups = new Map<string, ResourceReference[]>();
  for (const reference of references) {
    const group = groups.get(reference.name);
    if (group === undefined) groups.set(reference.name, [reference]);
    else group.push(reference);
  }
  return groups;
}

/** A capture's time in whole seconds, as of a tar entry, stands for all of its second. */
const endOf = (capture: number): number => (capture % 1000 === 0 ? capture + 999 : capture);

/** Whether a time lies between the two captures, so that one saw it and the other could not. */
export function isBetween(time: string | null, captures: readonly (string | null)[]): boolean {
  const [first, second] = captures.map((capture) => (capture === null ? Number.NaN : Date.parse(capture)));
  if (time === null || first === undefined || second === undefined) return false;
  const at = Date.parse(time);
  return at >= Math.min(first, second) && at <= Math.max(endOf(first), endOf(second));
}

function newest(list: Collected<ReferenceList>): string | null {
  if (list.state === "absent") return null;
  let best: string | null = null;
  for (const { source, lastUpdated } of list.value)
    if (
      source === "dynamic" &&
      lastUpdated !== null &&
      (best === null || Date.parse(lastUpdated) > Date.parse(best))
    )
      best = lastUpdated;
  return best;
}
