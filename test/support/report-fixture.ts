import { unifiedDiff } from "../../src/diff/diff-text.js";
import type {
  DriftFinding,
  DriftReport,
  ProxySection,
  ReportDocument,
  ResourceNotice,
  SyncCell,
  SyncRow,
  TimelineReport,
} from "../../src/report/document.js";

/** Names that strangers would choose. Whatever is drawn from them is text. */
export const hostile = {
  script: "<script>alert(1)</script>",
  image: '"><img src=x onerror=alert(1)>',
  path: "../../x",
  override: "gateway-\u202egnp.exe",
  control: "red\u001b[31mbell\u0007",
  endOfData: "</script><!--<script>\u2028",
  handlebars: "{{constructor.constructor}}",
  markdown: "a|b `c` ``d`` [e](http://f.example) *g* _h_ @octocat #12 www.i.example",
  long: `outbound|9080|v1|${"a-very-long-service-name-".repeat(10)}default.svc.cluster.local`,
} as const;

export function aCell(state = "SYNCED", overrides: Partial<SyncCell> = {}): SyncCell {
  const tone =
    state === "SYNCED"
      ? "good"
      : state === "ERROR"
        ? "bad"
        : state.startsWith("STALE")
          ? "waiting"
          : "neutral";
  return { state, text: state, tone, sentTime: null, error: "", ...overrides };
}

export function aRow(name: string, overrides: Partial<SyncRow> = {}): SyncRow {
  return {
    name,
    namespace: name.split(".")[1] ?? "",
    cluster: "Kubernetes",
    type: "sidecar",
    cds: aCell(),
    lds: aCell(),
    eds: aCell(),
    rds: aCell(),
    ecds: aCell("IGNORED"),
    istiod: "istiod-7d4f8b9c6-x2x8p",
    version: "1.24.1",
    connected: true,
    captured: true,
    anchor: "",
    ...overrides,
  };
}

export function aNotice(overrides: Partial<ResourceNotice> = {}): ResourceNotice {
  return {
    kind: "listener",
    name: "0.0.0.0_443",
    state: "rejected",
    time: "2026-03-14T10:42:07Z",
    details: "Error adding/updating listener(s) 0.0.0.0_443:\n  Invalid path: /etc/certs/tls.crt",
    evidence: {
      entry: "istio-snapshot/proxies/istio-system/gateway-6c9/config_dump?include_eds",
      pointer: "/configs/2/dynamic_listeners/4/error_state",
    },
    ...overrides,
  };
}

export function aProxy(id: string, anchor: string, overrides: Partial<ProxySection> = {}): ProxySection {
  const [pod = "", namespace = ""] = id.split(".");
  const counts = { total: 41, static: 2, active: 39, warming: 0, draining: 0, rejected: 0 };
  const newest = "2026-03-14T10:41:55.123Z";
  return {
    id,
    anchor,
    pod,
    namespace,
    type: "sidecar",
    tone: "good",
    summary: "in sync",
    facts: [
      { label: "Envoy", value: "1.32.2 (Istio 1.24.1)", missing: false },
      { label: "State", value: "LIVE, up 4d3h", missing: false },
      { label: "Node", value: `sidecar~10.244.1.17~${id}~${namespace}.svc.cluster.local`, missing: false },
      { label: "Revision", value: "the dump holds no bootstrap", missing: true },
    ],
    sync: [aRow(id, { anchor, cds: aCell("SYNCED", { sentTime: "2026-03-14T10:41:50Z" }) })],
    resources: [
      { kind: "listeners", label: "Listeners", counts, reason: "", newest },
      {
        kind: "clusters",
        label: "Clusters",
        counts: { ...counts, total: 1204, active: 1202 },
        reason: "",
        newest,
      },
      {
        kind: "endpoints",
        label: "Endpoints",
        counts: null,
        reason: "the dump was taken without include_eds",
        newest: null,
      },
    ],
    notices: [],
    drift: [],
    config: {},
    ...overrides,
  };
}

/** What differs between two values, as the document words it. */
export function aDiff(before: unknown, after: unknown, name = "outbound|80||reviews"): DriftFinding["diff"] {
  const titles = { before: `Istiod cluster ${name}`, after: `Envoy cluster ${name}` };
  const textOf = (value: unknown) =>
    value === undefined ? [] : [{ name, text: `${JSON.stringify(value, null, 4)}\n` }];
  return { ...titles, text: unifiedDiff(titles, textOf(before), textOf(after)), omitted: "" };
}

export function aFinding(overrides: Partial<DriftFinding> = {}): DriftFinding {
  const name = "outbound|80||reviews";
  const id = "ratings-v1-5f7b9c8d4-zzt6w.bookinfo";
  return {
    text: `cluster ${name} differs in connect_timeout (10s -> 1s) on ${id} on istiod-7d4f8b9c6-x2x8p`,
    tone: "bad",
    kind: "cluster",
    kindLabel: "Clusters",
    class: "changed",
    names: [name],
    fields: ["connect_timeout (10s -> 1s)"],
    proxies: [id],
    istiods: ["istiod-7d4f8b9c6-x2x8p"],
    inFlight: false,
    example: `cluster ${name} on ${id}`,
    evidence: [
      {
        entry: "istio-snapshot/istio/istio-system/istiod-7d4f8b9c6-x2x8p/debug/config_dump",
        pointer: "/configs/1/dynamic_active_clusters/7",
        excerpt: "What Istiod would send",
      },
    ],
    diff: aDiff(aCluster(name, "10s"), aCluster(name, "1s"), name),
    ...overrides,
  };
}

const aCluster = (name: string, connectTimeout: string, more: object = {}) => ({
  name,
  type: "EDS",
  edsClusterConfig: {
    edsConfig: { ads: {}, initialFetchTimeout: "0s", resourceApiVersion: "V3" },
    serviceName: name,
  },
  connectTimeout,
  lbPolicy: "LEAST_REQUEST",
  circuitBreakers: { thresholds: [{ maxConnections: 4294967295, maxRetries: 4294967295 }] },
  ...more,
});

/** Something of each kind that may differ, with hostile names. */
function aDriftReport(): DriftReport {
  const istiods = ["istiod-7d4f8b9c6-9w5rt", "istiod-7d4f8b9c6-x2x8p"];
  const reviews = Array.from(
    { length: 12 },
    (_, at) => `reviews-v2-6b8c7d9f5-${String(at).padStart(5, "p")}.bookinfo`,
  );
  const ratings = "ratings-v1-5f7b9c8d4-zzt6w.bookinfo";
  const dns = "outbound|53||kube-dns.kube-system.svc.cluster.local";
  const strange = {
    [hostile.image]: hostile.endOfData,
    lua: `${"x".repeat(2000)}1`,
    text: hostile.control,
    name: hostile.handlebars,
  };
  const listeners = Array.from({ length: 16 }, (_, at) => `10.96.${at}.1_443`);
  return {
    summary: "Istiod's view was held against Envoy's on 5 of 6 proxies: 5 causes.",
    tone: "bad",
    compared: 5,
    notCompared: [
      `Listeners of 2 proxies: ${hostile.script}`,
      "Istiod's view of broken-0.bookinfo was not captured",
    ],
    noise: 27,
    causes: [
      aFinding({
        text: `cluster ${dns} missing on 12 proxies, all on istiod-7d4f8b9c6-x2x8p`,
        class: "missing",
        names: [dns],
        fields: [],
        proxies: reviews,
        diff: aDiff(aCluster(dns, "10s"), undefined, dns),
      }),
      aFinding({
        fields: [
          "connect_timeout (10s -> 1s)",
          "lb_policy (a -> b)",
          "circuit_breakers (removed)",
          "filters (in another order)",
        ],
        diff: aDiff(
          aCluster("outbound|80||reviews", "10s", {
            transportSocket: { name: "tls", sni: "outbound_.80_._.reviews" },
          }),
          { ...aCluster("outbound|80||reviews", "1s", { altStatName: "reviews" }), lbPolicy: "ROUND_ROBIN" },
        ),
      }),
      aFinding({
        text: `16 listeners (${listeners.slice(0, 3).join(", ")} and 13 more) not of Istiod on ${ratings}, on 2 Istiods`,
        class: "extra",
        names: listeners,
        fields: [],
        istiods,
        tone: "waiting",
        inFlight: true,
        evidence: [],
        diff: {
          before: "",
          after: "",
          text: "",
          omitted: "only the first 200 differences have their text here",
        },
      }),
      aFinding({
        text: `cluster ${hostile.script} differs in ${hostile.image}`,
        names: [hostile.long],
        proxies: [`${hostile.script}.${hostile.path}`],
        example: `cluster ${hostile.override} on ${hostile.script}`,
        evidence: [{ entry: hostile.path, pointer: hostile.image, excerpt: hostile.endOfData }],
        diff: aDiff(
          strange,
          { ...strange, lua: `${"x".repeat(2000)}2`, script: hostile.script, override: hostile.override },
          `${hostile.script} ${hostile.image}`,
        ),
      }),
    ],
    replicas: [
      aFinding({
        text: `route configuration 9080 missing on ${reviews[0] ?? ""}, of 12 replicas of reviews-v2`,
        class: "missing",
        names: ["9080"],
        fields: [],
        proxies: reviews.slice(0, 1),
        istiods: [],
        diff: aDiff({ name: "9080" }, undefined, "9080"),
      }),
    ],
    endpoints: [
      {
        clusters: ["outbound|9080||reviews.bookinfo.svc.cluster.local"],
        scope: "clients in network1 and Kubernetes",
        istiods: [...istiods, ""],
        sets: [
          {
            text: "what most clients hold",
            endpoints: ["10.244.1.17:9080", "10.244.2.9:9080", "10.244.3.4:9080"],
            proxies: reviews,
            counts: [10, 1, 1],
            newest: "2026-03-14T10:41:55Z",
          },
          {
            text: "lack 10.244.3.4",
            endpoints: ["10.244.1.17:9080", "10.244.2.9:9080"],
            proxies: [ratings, "details-v1-79f774bdb9-6jl5d.bookinfo"],
            counts: [0, 2, 0],
            newest: null,
          },
          { text: "lacks all", endpoints: [], proxies: [hostile.script], counts: [0, 0, 1], newest: null },
        ],
      },
      {
        clusters: [hostile.image, hostile.long],
        scope: hostile.script,
        istiods: [hostile.override],
        sets: [
          {
            text: hostile.endOfData,
            endpoints: [hostile.control],
            proxies: [ratings],
            counts: [1],
            newest: null,
          },
        ],
      },
    ],
    known: [
      {
        text: `endpoints of outbound|9080||ratings: ${ratings} lacks 10.244.3.4, which istiod-7d4f8b9c6-x2x8p knows`,
        tone: "bad",
        clusters: ["outbound|9080||ratings", hostile.long, hostile.script, hostile.image],
        proxies: [ratings],
        istiods: ["istiod-7d4f8b9c6-x2x8p"],
        lacks: ["10.244.3.4:9080"],
        besides: [],
        inFlight: false,
      },
      {
        text: hostile.script,
        tone: "waiting",
        clusters: [hostile.image],
        proxies: [hostile.script],
        istiods: [hostile.override],
        lacks: [],
        besides: [hostile.control],
        inFlight: true,
      },
    ],
    istiods: ["version 1.24.1 on istiod-7d4f8b9c6-x2x8p, 1.24.0 on istiod-7d4f8b9c6-9w5rt", hostile.script],
  };
}

function aTimeline(): TimelineReport {
  const row = (overrides: Partial<TimelineReport["rows"][number]>): TimelineReport["rows"][number] => ({
    first: "2026-03-14T10:41:55Z",
    last: "2026-03-14T10:41:55Z",
    what: "cluster outbound|80||reviews",
    kind: "cluster",
    names: ["outbound|80||reviews"],
    proxies: ["details-v1-79f774bdb9-6jl5d.bookinfo"],
    missing: [],
    isStart: false,
    ...overrides,
  });
  const at = (first: string, overrides: Partial<TimelineReport["rows"][number]> = {}) =>
    row({ first, last: first, ...overrides });
  const many = Array.from({ length: 41 }, (_, index) => `outbound|80||s${index}.team.svc.cluster.local`);
  return {
    since: "2026-03-10T00:00:00Z",
    untimed: 3,
    rows: [
      at("2026-03-10T06:12:41Z", {
        what: `41 clusters (${many.slice(0, 3).join(", ")} and 38 more)`,
        names: many,
        isStart: true,
      }),
      at("2026-03-14T06:12:41Z", { what: "listener virtualInbound", kind: "listener" }),
      at("2026-03-14T10:02:11Z"),
      at("2026-03-14T10:38:55Z", {
        last: "2026-03-14T10:39:20Z",
        proxies: many.map((_, index) => `app-${index}.team`),
      }),
      at("2026-03-14T10:40:01Z", { missing: ["ratings-v1-5f7b9c8d4-zzt6w.bookinfo"] }),
      at("2026-03-14T10:41:30Z", {
        what: hostile.script,
        names: [hostile.image],
        missing: [hostile.override, hostile.path],
      }),
      at("2026-03-14T10:41:55Z"),
    ],
  };
}

/** A mesh with everything that the page must be able to show; small enough to read. */
export function aReport(overrides: Partial<ReportDocument> = {}): ReportDocument {
  const gateway = "istio-ingressgateway-6c9f7d8b5-q7k2m.istio-system";
  const ratings = "ratings-v1-5f7b9c8d4-zzt6w.bookinfo";
  const reviews = "reviews-v2-6b8c7d9f5-m4n8p.bookinfo";
  const details = "details-v1-79f774bdb9-6jl5d.bookinfo";
  const strange = `${hostile.script}.${hostile.path}`;
  const rejection = aNotice();
  const stale = aCell("STALE", { text: "STALE (3m12s)", sentTime: "2026-03-14T10:38:55Z" });
  const error = aCell("ERROR", {
    text: "ERROR (42s)",
    sentTime: "2026-03-14T10:41:25Z",
    error: rejection.details,
  });

  const gatewayRow = aRow(gateway, {
    anchor: "proxy-gateway",
    type: "router",
    lds: error,
    rds: aCell("NOT SENT"),
  });
  const ratingsRow = aRow(ratings, { anchor: "proxy-ratings", cds: stale, eds: stale });
  const strangeRow = aRow(strange, {
    anchor: "proxy-strange",
    cluster: hostile.image,
    rds: aCell("ERROR", { error: `${hostile.endOfData}\n${hostile.control}` }),
    version: hostile.override,
  });
  const unknown = aCell("-");
  const lonely = aRow(reviews, {
    anchor: "proxy-reviews",
    connected: false,
    istiod: "",
    cds: unknown,
    lds: unknown,
    eds: unknown,
    rds: unknown,
    ecds: unknown,
    version: "1.22.6",
  });
  const cutOff = aRow("broken-0.bookinfo", { anchor: "proxy-broken", captured: false });
  const listedOnly = aRow("mongodb-0.bookinfo", { captured: false });

  return {
    schemaVersion: 1,
    program: { name: "istio-snapshot", version: "0.1.0" },
    title: "Istio snapshot bookinfo-2026-03-14.tar.gz",
    verdict: {
      tone: "bad",
      headline: "4 of 7 proxies are not in sync",
      points: [
        {
          level: "error",
          text: "Envoy rejected the listener 0.0.0.0_443 on 1 proxy since 2026-03-14T10:42:07Z",
          nextStep:
            "Fix the Gateway that brings this listener, and do not restart the pod before: it would come up without it.",
          proxies: [gateway],
          evidence: [{ ...rejection.evidence, excerpt: `"details": "${rejection.details}"` }],
        },
        {
          level: "error",
          text: `1 captured proxy is in no Istiod's list: it gets no configuration`,
          nextStep: "Check that the pod reaches port 15012 of istiod.",
          proxies: [reviews],
          evidence: [],
        },
        {
          level: "warning",
          text: `2 proxies have not acknowledged a push: ${hostile.image}`,
          nextStep: "",
          proxies: [strange, ratings],
          evidence: [
            {
              entry: "istio-snapshot/istio/istio-system/istiod-7d4f8b9c6-x2x8p/debug/syncz",
              pointer: "/3/resources/type.googleapis.com~1envoy.config.cluster.v3.Cluster",
              excerpt: '{"sent": "a8c1", "acked": "77f0"}',
            },
            { entry: hostile.path, pointer: "", excerpt: hostile.endOfData },
          ],
        },
        { level: "info", text: "No age is given for 1 proxy", nextStep: "", proxies: [], evidence: [] },
      ],
    },
    capture: {
      source: { kind: "bundle", name: "bookinfo-2026-03-14.tar.gz" },
      time: "2026-03-14T10:42:07Z",
      timeSource: "manifest",
      facts: [
        { label: "Captured by", value: "istio-snapshot-collect 0.1.0", missing: false },
        { label: "Took", value: "14 s, from 10:41:53Z to 10:42:07Z", missing: false },
        { label: "Context", value: hostile.handlebars, missing: false },
        { label: "Redaction", value: "profile internal, 31 values replaced", missing: false },
        { label: "Clock skew", value: "no answer carries the time of its server", missing: true },
      ],
      weakened: [
        "Values of headers are tokens.",
        `"${hostile.script}" was applied, a rule of a newer version.`,
      ],
      completeness: {
        listed: 6,
        captured: 6,
        read: 5,
        listedNotCaptured: ["mongodb-0.bookinfo"],
        capturedNotListed: [reviews],
      },
      istiods: [
        {
          id: "istiod-7d4f8b9c6-x2x8p",
          namespace: "istio-system",
          version: "1.24.1",
          proxies: 6,
          capturedAt: "2026-03-14T10:42:05Z",
          note: "",
        },
        {
          id: "istiod-7d4f8b9c6-9w5rt",
          namespace: "istio-system",
          version: "",
          proxies: null,
          capturedAt: null,
          note: "syncz timed out",
        },
      ],
      versions: [
        { what: "Istiod", version: "1.24.1", count: 1 },
        { what: "proxy", version: "1.22.6", count: 1 },
        { what: "proxy", version: "1.24.1", count: 5 },
        { what: "Envoy", version: "1.32.2", count: 5 },
      ],
    },
    sync: {
      rows: [
        strangeRow,
        aRow(details, { anchor: "proxy-details" }),
        gatewayRow,
        listedOnly,
        ratingsRow,
        lonely,
        cutOff,
      ],
      missing: "",
    },
    proxies: [
      aProxy(strange, "proxy-strange", {
        tone: "bad",
        summary: `ERROR: RDS; 1 cluster warming ${hostile.override}`,
        sync: [strangeRow],
        facts: [
          { label: hostile.image, value: hostile.script, missing: false },
          { label: "Long", value: hostile.long, missing: false },
          { label: "Control", value: hostile.control, missing: false },
        ],
        notices: [
          aNotice({ kind: "cluster", name: hostile.long, state: "warming", time: null, details: "" }),
          aNotice({ name: hostile.script, details: `${hostile.endOfData}\n\tand ${hostile.markdown}` }),
          aNotice({ name: "10.0.0.1_80", state: "draining", details: "" }),
        ],
      }),
      aProxy(details, "proxy-details"),
      aProxy(gateway, "proxy-gateway", {
        type: "router",
        tone: "bad",
        summary: "ERROR: LDS; 1 listener rejected",
        sync: [gatewayRow],
        resources: [
          {
            kind: "listeners",
            label: "Listeners",
            counts: { total: 6, static: 2, active: 3, warming: 1, draining: 0, rejected: 1 },
            reason: "",
            newest: "2026-03-14T10:40:01Z",
          },
        ],
        notices: [rejection],
      }),
      aProxy(ratings, "proxy-ratings", {
        tone: "waiting",
        summary: "STALE: CDS, EDS",
        sync: [ratingsRow],
        drift: [
          {
            istiod: "istiod-7d4f8b9c6-x2x8p",
            capturedAt: "2026-03-14T10:42:01Z",
            kinds: [
              { label: "Clusters", text: "2 differ", tone: "bad" },
              { label: "Listeners", text: "1 differs", tone: "waiting" },
              {
                label: "Routes",
                text: "match (RDS last loaded at Sat, 14 Mar 2026 10:02:11 GMT)",
                tone: "good",
              },
              { label: "Endpoints", text: `not compared: ${hostile.script}`, tone: "neutral" },
            ],
          },
          {
            istiod: hostile.override,
            capturedAt: null,
            kinds: [{ label: "Clusters", text: "match", tone: "good" }],
          },
        ],
      }),
      aProxy(reviews, "proxy-reviews", { tone: "bad", summary: "not connected", sync: [lonely] }),
      aProxy("broken-0.bookinfo", "proxy-broken", {
        tone: "neutral",
        summary: "config dump cut off",
        sync: [cutOff],
        facts: [],
        resources: [],
      }),
    ],
    drift: aDriftReport(),
    timeline: aTimeline(),
    config: { kinds: [] },
    ztunnels: [
      {
        id: "ztunnel-8xk2p.istio-system",
        workloads: 214,
        services: 63,
        policies: 0,
        certificates: 12,
        reason: "",
      },
      {
        id: "ztunnel-q9w4z.istio-system",
        workloads: null,
        services: null,
        policies: null,
        certificates: null,
        reason: "connection refused",
      },
    ],
    problems: [
      {
        severity: "lost",
        entry: "istio-snapshot/proxies/bookinfo/broken-0/config_dump?include_eds",
        pointer: "/configs/3",
        message: "ends in the middle of a string after 1,048,576 bytes",
      },
      {
        severity: "lost",
        entry: hostile.script,
        pointer: hostile.image,
        message: `is no JSON: ${hostile.markdown}`,
      },
      {
        severity: "note",
        entry: "",
        pointer: "",
        message: "The archive holds 3 entries that belong to no proxy",
      },
    ],
    gaps: [
      { target: "istiod-7d4f8b9c6-9w5rt.istio-system", what: "debug/syncz", reason: "timed out after 30s" },
      { target: hostile.long, what: hostile.path, reason: hostile.script },
    ],
    ...overrides,
  };
}

/** A mesh in which nothing is wrong and nothing more was captured than one proxy. */
export function aHealthyReport(overrides: Partial<ReportDocument> = {}): ReportDocument {
  const id = "details-v1-79f774bdb9-6jl5d.bookinfo";
  const report = aReport();
  return {
    ...report,
    verdict: { tone: "good", headline: "The one proxy is in sync", points: [] },
    capture: {
      ...report.capture,
      completeness: { listed: 1, captured: 1, read: 1, listedNotCaptured: [], capturedNotListed: [] },
      istiods: report.capture.istiods.slice(0, 1).map((istiod) => ({ ...istiod, proxies: 1 })),
      versions: [{ what: "proxy", version: "1.24.1", count: 1 }],
    },
    sync: { rows: [aRow(id, { anchor: "proxy-details" })], missing: "" },
    proxies: [aProxy(id, "proxy-details")],
    drift: {
      summary: "Istiod's view was held against Envoy's on 1 of 1 proxy: no difference.",
      tone: "good",
      compared: 1,
      notCompared: [],
      noise: 0,
      causes: [],
      replicas: [],
      endpoints: [],
      known: [],
      istiods: [],
    },
    timeline: { since: null, untimed: 0, rows: [] },
    ztunnels: [],
    problems: [],
    gaps: [],
    ...overrides,
  };
}

/** Two replicas that hold the same, and 1,200 clusters; names of theirs are hostile. */
export function aReportWithConfig(): ReportDocument {
  const ids = ["details-v1-a.bookinfo", "details-v1-b.bookinfo"];
  const leadsTo = (names: Partial<Record<"routes" | "clusters" | "endpoints", string[]>>) => ({
    routes: [],
    clusters: [],
    endpoints: [],
    ...names,
  });
  const target = "outbound|9080||reviews.bookinfo.svc.cluster.local";
  const names = [hostile.script, hostile.override, target].concat(
    Array.from({ length: 1197 }, (_, at) => `outbound|80||s${at}.team.svc.cluster.local`),
  );
  const all = (count: number, states = {}) => ({
    indexes: Array.from({ length: count }, (_, at) => at),
    states,
  });
  const config = {
    listener: all(2),
    routeConfiguration: all(1),
    cluster: all(names.length, { "1": "warming" }),
    endpointAssignment: all(2),
    secret: { reason: "the dump was cut off" },
  };
  return aHealthyReport({
    sync: { rows: ids.map((id) => aRow(id, { anchor: `proxy-${id}` })), missing: "" },
    proxies: ids.map((id) => aProxy(id, `proxy-${id}`, { config })),
    config: {
      kinds: [
        {
          kind: "listener",
          label: "Listeners",
          header: ["ADDRESSES", "PORT", "MATCH", "DESTINATION"],
          resources: [
            {
              name: "0.0.0.0_9080",
              rows: [
                ["0.0.0.0", "9080", "Trans: raw_buffer; App: http/1.1,h2c", "Route: 9080"],
                ["0.0.0.0", "9080", "ALL", "PassthroughCluster"],
              ],
              json: { name: "0.0.0.0_9080", [hostile.image]: hostile.endOfData },
              refersTo: leadsTo({ routes: ["9080"], clusters: ["PassthroughCluster"] }),
            },
            {
              name: hostile.script,
              rows: [["", "15001", hostile.image, "Route: absent"]],
              json: { name: hostile.control },
              refersTo: leadsTo({ routes: ["absent"] }),
            },
          ],
        },
        {
          kind: "routeConfiguration",
          label: "Routes",
          header: ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"],
          resources: [
            {
              name: "9080",
              rows: [["9080", "reviews", "reviews + 1 more...", "/*", "reviews.bookinfo"]],
              json: { name: "9080" },
              refersTo: leadsTo({ clusters: [target, "not held"] }),
            },
          ],
        },
        {
          kind: "cluster",
          label: "Clusters",
          header: ["SERVICE FQDN", "PORT", "TYPE"],
          resources: names.map((name, at) => ({
            name,
            rows: [[name.split("|")[3] ?? name, String(9000 + at), "EDS"]],
            json: { name },
            refersTo: leadsTo({ endpoints: [name] }),
          })),
        },
        {
          kind: "endpointAssignment",
          label: "Endpoints",
          header: ["NAME", "STATUS", "LOCALITY", "CLUSTER"],
          resources: [
            {
              name: target,
              rows: ["10.0.0.1:9080", "10.0.0.2:9080"].map((address) => [address, "HEALTHY", "", target]),
              json: { clusterName: target },
              refersTo: leadsTo({ clusters: [target] }),
            },
            {
              name: names[500] ?? "",
              rows: [],
              json: { clusterName: names[500] ?? "" },
              refersTo: leadsTo({ clusters: [names[500] ?? ""] }),
            },
          ],
        },
        { kind: "secret", label: "Secrets", header: ["RESOURCE NAME"], resources: [] },
      ],
    },
  });
}

/** One bare config dump: no Istiod, no capture time. */
export function aBareReport(): ReportDocument {
  const id = "details-v1-79f774bdb9-6jl5d.bookinfo";
  const report = aHealthyReport();
  return {
    ...report,
    title: "Istio snapshot config_dump.json",
    verdict: {
      tone: "neutral",
      headline: "Whether the proxy is in sync cannot be told: no Istiod's answer was captured",
      points: [],
    },
    capture: {
      source: { kind: "config dump", name: "config_dump.json" },
      time: null,
      timeSource: "",
      facts: [],
      weakened: [],
      completeness: { listed: null, captured: 1, read: 1, listedNotCaptured: [], capturedNotListed: [] },
      istiods: [],
      versions: [],
    },
    drift: null,
    timeline: null,
    sync: { rows: [], missing: "No Istiod's answer was captured, so the sync state is not known." },
    proxies: [aProxy(id, "proxy-details", { tone: "neutral", sync: [], summary: "sync not known" })],
  };
}

/** A mesh of `count` proxies, every ninth STALE. */
export function aLargeReport(count = 300): ReportDocument {
  const ids = Array.from(
    { length: count },
    (_, at) => `app-${at}-7c9d5b6f8-${(at * 7919).toString(36)}.team-${at % 12}`,
  );
  const rows = ids.map((id, at) =>
    aRow(id, {
      anchor: `proxy-app-${at}`,
      ...(at % 9 === 0 ? { eds: aCell("STALE", { text: "STALE (7m)" }) } : {}),
    }),
  );
  const stale = ids.filter((_, at) => at % 9 === 0);
  const report = aHealthyReport();
  return {
    ...report,
    title: "Istio snapshot large.tar.gz",
    verdict: {
      tone: "waiting",
      headline: `${stale.length} of ${count} proxies are not in sync`,
      points: [
        {
          level: "warning",
          text: `${stale.length} proxies have not acknowledged the newest endpoints`,
          nextStep: "Take a second snapshot: what is STALE in both is stuck.",
          proxies: stale,
          evidence: [],
        },
      ],
    },
    capture: {
      ...report.capture,
      completeness: {
        listed: count,
        captured: count,
        read: count,
        listedNotCaptured: [],
        capturedNotListed: [],
      },
    },
    sync: { rows, missing: "" },
    proxies: ids.map((id, at) =>
      aProxy(id, `proxy-app-${at}`, {
        sync: rows.slice(at, at + 1),
        ...(at % 9 === 0 ? { tone: "waiting" as const, summary: "STALE: EDS" } : {}),
      }),
    ),
  };
}

/** `count` causes, each with a difference of about `lines` lines, and `rows` rows in the timeline. */
export function aDriftedReport(count = 200, lines = 400, rows = 2000): ReportDocument {
  const report = aHealthyReport();
  const ids = Array.from({ length: 300 }, (_, at) => `app-${at}-7c9d5b6f8.team-${at % 12}`);
  const cluster = (at: number, value: string) =>
    Object.fromEntries(Array.from({ length: lines / 2 }, (_, line) => [`field_${at}_${line}`, value]));
  const causes = Array.from({ length: count }, (_, at) => {
    const name = `outbound|80||s${at}.team.svc.cluster.local`;
    return aFinding({
      text: `cluster ${name} differs in ${lines / 2} fields on 300 proxies, all on istiod-7d4f8b9c6-x2x8p`,
      names: [name],
      proxies: ids,
      example: `cluster ${name} on ${ids[0] ?? ""}`,
      diff: aDiff(cluster(at, "as Istiod would send it"), cluster(at, "as Envoy holds it"), name),
    });
  });
  return {
    ...report,
    drift: { ...(report.drift ?? aDriftReport()), tone: "bad", summary: `${count} causes.`, causes },
    timeline: {
      since: null,
      untimed: 0,
      rows: Array.from({ length: rows }, (_, at) => {
        const first = new Date(Date.UTC(2026, 2, 14) + at * 1000).toISOString();
        const [what, kind] = [`cluster s${at}`, "cluster"];
        return {
          first,
          last: first,
          what,
          kind,
          names: [`s${at}`],
          proxies: ids,
          missing: [],
          isStart: false,
        };
      }),
    },
  };
}
