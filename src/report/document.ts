/**
 * The report's one JSON document: the whole analysis. HTML and Markdown are drawn from it alone, so everything that
 * a page shows is sorted, counted and worded here. Its JSON Schema is `schemas/report.schema.json`.
 */

export const reportSchemaVersion = 1;

/** One statement of the verdict, e.g. "2 of 7 proxies are not in sync". */
export interface VerdictPoint {
  /** `error`: wrong now; `warning`: risky or not provable; `info`: worth knowing. */
  level: "error" | "warning" | "info";
  text: string;
  /** What a reader does next, in one sentence; "" when nothing is to be done. */
  nextStep: string;
  /** Proxy ids that the point is about, sorted. */
  proxies: string[];
  /** Where a reader can see it. */
  evidence: { entry: string; pointer: string; excerpt: string }[];
}

/** One cell of the sync table. */
export interface SyncCell {
  /** SYNCED, NOT SENT, STALE, STALE (Never Acknowledged), ERROR, IGNORED, UNKNOWN, - */
  state: string;
  /** What the table prints: the state, with age or progress where known, e.g. "STALE (3m12s)". */
  text: string;
  /** How the cell is coloured. */
  tone: "good" | "bad" | "waiting" | "neutral";
  /** RFC 3339 time of the last push; null when the release does not tell. */
  sentTime: string | null;
  /** The proxy's NACK text; "" when there is none. */
  error: string;
}

export interface SyncRow {
  /** The proxy id, `<pod>.<namespace>`. */
  name: string;
  namespace: string;
  cluster: string;
  type: string;
  cds: SyncCell;
  lds: SyncCell;
  eds: SyncCell;
  rds: SyncCell;
  ecds: SyncCell;
  istiod: string;
  version: string;
  /** null: the snapshot cannot tell. */
  connected: boolean | null;
  /** Whether the snapshot holds this proxy's config dump. */
  captured: boolean;
  /** Id of the element of the proxy's section in the page, "" when it has none. */
  anchor: string;
}

/** A value, or why there is none. */
export interface Fact {
  label: string;
  value: string;
  /** Set where the value is not known: the reason. */
  missing: boolean;
}

export interface ResourceNotice {
  kind: string;
  name: string;
  state: "rejected" | "warming" | "draining";
  /** RFC 3339; null when the dump does not say. */
  time: string | null;
  /** Envoy's text for a rejection; "" otherwise. */
  details: string;
  evidence: { entry: string; pointer: string };
}

export interface ProxySection {
  id: string;
  /** Begins with `proxy-`, so that it is none of the page's own ids. */
  anchor: string;
  pod: string;
  namespace: string;
  type: string;
  /** Any cell bad, any resource rejected, not live, or not connected. */
  tone: "good" | "bad" | "waiting" | "neutral";
  /** One line, e.g. "STALE: CDS; 1 listener rejected". */
  summary: string;
  /** Envoy version, state, uptime, node id, Istiod, revision, ... in reading order. */
  facts: Fact[];
  sync: SyncRow[];
  /**
   * Counts per resource kind, in a fixed order; a section that was not captured has `counts: null` and a reason. `total`
   * counts what the proxy holds, in any state; `static` those of them that come from the bootstrap; `rejected` is beside it.
   */
  resources: {
    kind: string;
    label: string;
    counts: {
      total: number;
      static: number;
      active: number;
      warming: number;
      draining: number;
      rejected: number;
    } | null;
    reason: string;
    /** RFC 3339 of the newest update in the section; null when unknown. */
    newest: string | null;
  }[];
  notices: ResourceNotice[];
  /** What it holds against what each Istiod would send it; none where that was not captured. */
  drift: {
    istiod: string;
    /** RFC 3339 of Istiod's answer; null when unknown. */
    capturedAt: string | null;
    kinds: { label: string; text: string; tone: SyncCell["tone"] }[];
  }[];
  /** What the proxy holds; empty where the document holds no tables. */
  config: Partial<Record<ConfigKind, HeldConfig>>;
}

/** A difference of two texts, as a unified diff that applies to the first. */
export interface DiffText {
  /** What the first text is, e.g. "istiod-7d4f8 cluster outbound|80||a.b.svc.cluster.local". */
  before: string;
  after: string;
  /** With its two headings; "" where it was left out, then `omitted` says why. */
  text: string;
  omitted: string;
}

/** One difference, on however many proxies. */
export interface DriftFinding {
  /** The line that `ps --drift` prints. */
  text: string;
  tone: SyncCell["tone"];
  kind: string;
  kindLabel: string;
  /** `missing`: not held; `extra`: held besides; `changed`: another content. */
  class: "missing" | "extra" | "changed";
  /** Of the resources; one for `changed`. */
  names: string[];
  /** The fields of `changed`, each as a line. */
  fields: string[];
  /** Ids, sorted. */
  proxies: string[];
  istiods: string[];
  /** A push on its way, not drift. */
  inFlight: boolean;
  /** The proxy (and resource) that `diff` is of. */
  example: string;
  /** Where the two stand in the snapshot. */
  evidence: { entry: string; pointer: string; excerpt: string }[];
  diff: DiffText;
}

/** The sets of endpoints that the clients of the same clusters hold, by the Istiod that each is connected to. */
export interface EndpointMatrix {
  clusters: string[];
  /** Clients in one network and cluster, which must see the same. */
  scope: string;
  /** Columns: Istiods, "" where that is not known. */
  istiods: string[];
  /** Rows; the set of most clients first. */
  sets: {
    /** "most" or what it lacks and has besides. */
    text: string;
    /** `ip:port`, of the first of the clusters. */
    endpoints: string[];
    proxies: string[];
    /** How many of the proxies, by column. */
    counts: number[];
    /** RFC 3339 of the newest of them; null where the dumps do not say. */
    newest: string | null;
  }[];
}

/** Endpoints that proxies hold otherwise than their Istiod knows, where its own view of them was not captured. */
export interface KnownEndpointsFinding {
  /** The line that `ps --drift` prints. */
  text: string;
  tone: SyncCell["tone"];
  clusters: string[];
  /** Ids, sorted. */
  proxies: string[];
  /** Who knows it so: the Istiod that the proxies are connected to, or all where that is not known. */
  istiods: string[];
  /** `ip:port`, of the first of the clusters. */
  lacks: string[];
  besides: string[];
  /** A push on its way, not drift. */
  inFlight: boolean;
}

/** What differs in the mesh: Istiod and Envoys, replicas, clients, Istiods. */
export interface DriftReport {
  /** How many proxies were held against Istiod's view of them, and what came of it. */
  summary: string;
  tone: SyncCell["tone"];
  compared: number;
  /** What could not be compared, or in part, and why. */
  notCompared: string[];
  /** Resources that are written differently and mean the same. */
  noise: number;
  causes: DriftFinding[];
  replicas: DriftFinding[];
  endpoints: EndpointMatrix[];
  known: KnownEndpointsFinding[];
  /** How Istiods of one revision differ from each other, a line each. */
  istiods: string[];
}

/** What arrived when, what arrived at one time on the same proxies being one row. */
export interface TimelineReport {
  /** RFC 3339; what came before is left out. null: nothing is. */
  since: string | null;
  /** Resources whose time no dump tells. */
  untimed: number;
  rows: {
    /** RFC 3339 of the first and of the last arrival. */
    first: string;
    last: string;
    /** What arrived, e.g. "3 clusters (a, b, c)". */
    what: string;
    kind: string;
    names: string[];
    proxies: string[];
    /** Replicas that have not got it, and proxies that Istiod would send it to and that do not hold it. */
    missing: string[];
    /** Whether the proxies had started then. */
    isStart: boolean;
  }[];
}

/** The kinds of resource that the document has tables of, as `resources` names them. */
export type ConfigKind =
  "cluster" | "listener" | "routeConfiguration" | "endpointAssignment" | "secret" | "extensionConfig";

/** What a proxy holds of a kind, or the reason why that is not known. */
export type HeldConfig =
  | {
      /** Places in the kind's `resources`, ascending; twice what it holds twice. */
      indexes: number[];
      /** The state of those that are not active, by their place. */
      states: Record<string, string>;
    }
  | { reason: string };

/** One distinct resource, of however many proxies. */
export interface ConfigResource {
  name: string;
  /** What `proxy-config` prints of it; [] where that is nothing. */
  rows: string[][];
  /** With JSON names; null when its content was not dumped. */
  json: unknown;
  /** Names of the resources that it leads to, whether a proxy holds them or not; `endpoints` are assignments. */
  refersTo: { routes: string[]; clusters: string[]; endpoints: string[] };
}

export interface ReportDocument {
  schemaVersion: typeof reportSchemaVersion;
  program: { name: "istio-snapshot"; version: string };
  title: string;
  verdict: { tone: "good" | "bad" | "waiting" | "neutral"; headline: string; points: VerdictPoint[] };
  capture: {
    source: { kind: string; name: string };
    /** RFC 3339; null = unknown. */
    time: string | null;
    /** "manifest", "tar entry", ...; "" when unknown. */
    timeSource: string;
    facts: Fact[];
    /** What redaction took from this analysis, a sentence each. */
    weakened: string[];
    completeness: {
      /** Distinct proxies that any Istiod lists; null when no list was captured. */
      listed: number | null;
      /** Proxies with anything captured. */
      captured: number;
      /** Proxies whose config dump was read whole. */
      read: number;
      listedNotCaptured: string[];
      capturedNotListed: string[];
    };
    istiods: {
      id: string;
      namespace: string;
      version: string;
      proxies: number | null;
      capturedAt: string | null;
      note: string;
    }[];
    versions: { what: "Istiod" | "proxy" | "Envoy"; version: string; count: number }[];
  };
  sync: { rows: SyncRow[]; /** Set when no Istiod answer was captured. */ missing: string };
  proxies: ProxySection[];
  /** null where the document was written without comparing. */
  drift: DriftReport | null;
  /** null where the document was written without it. */
  timeline: TimelineReport | null;
  /** The tables of `proxy-config`, each distinct resource once; no kinds where the document holds no tables. */
  config: {
    kinds: {
      kind: ConfigKind;
      label: string;
      header: string[];
      /** In the table's order; what it shows nothing of is last. */
      resources: ConfigResource[];
    }[];
  };
  ztunnels: {
    id: string;
    workloads: number | null;
    services: number | null;
    policies: number | null;
    certificates: number | null;
    reason: string;
  }[];
  /** What could not be read, and why; first what was lost, then notes. */
  problems: { severity: "lost" | "note"; entry: string; pointer: string; message: string }[];
  /** What the collector could not capture. */
  gaps: { target: string; what: string; reason: string }[];
}
