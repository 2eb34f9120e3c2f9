/** The judge's own parts: a comparison that cannot fail would prove nothing. */
import { describe, expect, it } from "vitest";

import { chiSquareProbability } from "../support/judge/chi-square.js";
import { comparison, compareDecision } from "../support/judge/compare.js";
import type { Decision } from "../support/judge/decision.js";
import { shareDisagreements } from "../support/judge/expectation.js";
import { throwUnlessRestored } from "../support/judge/original-dst-probe.js";
import { predictor, type PredictedBranch } from "../support/judge/prediction.js";
import { proxyHeader } from "../support/judge/proxy-protocol.js";
import { readRecording, recordingLines } from "../support/judge/recording.js";
import { unknown } from "../../src/trace/unknown.js";
import type { TraceResult } from "../../src/trace/result.js";
import {
  chain,
  httpManager,
  listener,
  route,
  routeConfig,
  sharedCluster,
  virtualHost,
} from "../support/judge/messages.js";
import type { AdminAnswers, JudgedDecision, Trial } from "../support/judge/judge.js";

const trial: Trial = {
  name: "small",
  configuration: {
    listeners: [
      listener(
        "small",
        [
          chain("http", [
            httpManager(routeConfig([virtualHost("all", ["*"], [route("r", { prefix: "/r" })])])),
          ]),
        ],
        { address: { socket_address: { address: "127.77.100.1", port_value: 10_000 } } },
      ),
    ],
  },
  requests: [{ path: "/r" }, { path: "/r" }, { path: "/x" }],
};

const admin: AdminAnswers = {
  configDump: JSON.stringify({
    configs: [
      {
        "@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump",
        bootstrap: { node: { id: "judge" } },
      },
      {
        "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
        static_clusters: [
          { cluster: { "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", ...sharedCluster } },
        ],
      },
      {
        "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
        static_listeners: trial.configuration.listeners.map((one) => ({
          listener: { "@type": "type.googleapis.com/envoy.config.listener.v3.Listener", ...one },
        })),
      },
    ],
  }),
  clusters: JSON.stringify({ cluster_statuses: [] }),
  serverInfo: JSON.stringify({ version: "abc/1.36.4/Clean/RELEASE/BoringSSL", state: "LIVE" }),
  runtime: JSON.stringify({ layers: [], entries: {} }),
};

const connection = {
  connectedTo: { ip: "127.77.100.1", port: 10_000 },
  from: { ip: "127.77.254.1", port: 20_001 },
};

const reached: Decision = {
  listener: "small",
  filterChain: "http",
  virtualHost: "all",
  route: "r",
  cluster: "echo",
  upstreamHost: "127.77.1.1:18080",
  status: 200,
  flags: [],
  details: "via_upstream",
  isHandshakeFailed: false,
  location: null,
  responseHeaders: [],
  received: {
    at: "127.77.1.1:18080",
    tls: null,
    http: { version: "1.1", method: "GET", path: "/r", authority: "judge", headers: [] },
  },
  next: null,
};
const notFound: Decision = {
  ...reached,
  route: null,
  cluster: null,
  upstreamHost: null,
  status: 404,
  flags: ["NR"],
  details: "route_not_found",
  received: null,
};

const predict = predictor(admin);
const branches = predict({ path: "/r" }, connection);
const withHeaders: Decision = {
  ...reached,
  received: {
    ...reached.received!,
    http: {
      ...reached.received!.http!,
      headers: branches[0]!.hops[0]!.requestHeaders.filter(([name]) => !name.startsWith(":")),
    },
  },
};

describe("comparison", () => {
  it("agrees with what Envoy does", () => {
    expect(comparison(withHeaders, branches)).toEqual({ disagreements: [], unknown: null });
    expect(comparison(notFound, predict({ path: "/x" }, connection))).toEqual({
      disagreements: [],
      unknown: null,
    });
  });

  it.each<[string, Partial<Decision>]>([
    ["listener", { listener: "other" }],
    ["filter chain", { filterChain: "other" }],
    ["virtual host", { virtualHost: "other" }],
    ["route", { route: "other" }],
    ["cluster", { cluster: "other" }],
    ["host", { upstreamHost: "127.77.1.2:18080" }],
    [
      "path at the server",
      { received: { ...withHeaders.received!, http: { ...withHeaders.received!.http!, path: "/" } } },
    ],
    [
      "authority at the server",
      { received: { ...withHeaders.received!, http: { ...withHeaders.received!.http!, authority: "b" } } },
    ],
  ])("sees another %s", (what, other) => {
    const { disagreements } = comparison({ ...withHeaders, ...other }, branches);
    expect(disagreements).toEqual([expect.stringContaining(what)]);
  });

  it("sees an answer where a host was predicted, and the other way round", () => {
    expect(comparison(notFound, branches).disagreements).not.toEqual([]);
    expect(comparison(withHeaders, predict({ path: "/x" }, connection)).disagreements).not.toEqual([]);
  });

  it.each<[string, Partial<Decision>]>([
    ["status", { status: 503 }],
    ["flags", { flags: ["NC"] }],
    ["details", { details: "cluster_not_found" }],
    ["location", { location: "http://b/" }],
  ])("sees another %s of an answer", (what, other) => {
    const { disagreements } = comparison({ ...notFound, ...other }, predict({ path: "/x" }, connection));
    expect(disagreements).toEqual([expect.stringContaining(what)]);
  });

  const [only] = branches as [PredictedBranch];
  it("takes any way with a share above 0, and no other", () => {
    const missed: PredictedBranch = predict({ path: "/x" }, connection)[0]!;
    expect(
      comparison(withHeaders, [
        { ...missed, share: 0.99 },
        { ...only, share: 0.01 },
      ]).disagreements,
    ).toEqual([]);
    expect(comparison(withHeaders, [missed, { ...only, share: 0 }]).disagreements).not.toEqual([]);
  });

  it("counts what cannot be known by its reason, and wants one", () => {
    const outcome = { ...only.outcome, kind: "unknown" as const };
    const because = [unknown("token", "A token.")];
    expect(comparison(notFound, [{ ...only, outcome, unknowns: because }]).unknown).toBe("token");
    expect(comparison(notFound, [{ ...only, outcome, unknowns: [] }]).disagreements).toEqual([
      "the outcome is unknown without a reason",
    ]);
  });

  it("reads the trace that a user gets", () => {
    const result: TraceResult = {
      request: {
        method: "GET",
        scheme: "http",
        authority: "judge",
        path: "/r",
        headers: [],
        originalDestination: null,
      },
      bypass: null,
      outcome: only.outcome,
      hops: only.hops,
      branches: [],
      assumptions: [],
      unknowns: [],
    };
    expect(compareDecision(withHeaders, result)).toEqual([]);
    expect(compareDecision(notFound, result)).not.toEqual([]);
  });
});

describe("a chi-square test", () => {
  it.each([
    // from tables of the distribution: the statistic, degrees of freedom, probability
    { statistic: 3.841, degrees: 1, probability: 0.05 },
    { statistic: 5.991, degrees: 2, probability: 0.05 },
    { statistic: 18.307, degrees: 10, probability: 0.05 },
    { statistic: 29.588, degrees: 10, probability: 0.001 },
    { statistic: 0.004, degrees: 1, probability: 0.95 },
  ])("gives $probability for $statistic at $degrees", ({ statistic, degrees, probability }) => {
    const bins = [
      { count: 1 + Math.sqrt(statistic), expected: 1 },
      ...Array.from({ length: degrees }, () => ({ count: 1, expected: 1 })),
    ];
    expect(chiSquareProbability(bins)).toBeCloseTo(probability, 2);
  });

  const taking = (first: number, second: number): Decision[] => [
    ...Array.from({ length: first }, () => ({ ...reached, cluster: "a" })),
    ...Array.from({ length: second }, () => ({ ...reached, cluster: "b" })),
  ];
  const even = { of: "cluster", are: { a: 0.5, b: 0.5 } } as const;

  it("takes shares that are near, and no others", () => {
    expect(shareDisagreements(even, taking(160, 140))).toEqual([]);
    expect(shareDisagreements(even, taking(220, 80))).not.toEqual([]);
    expect(shareDisagreements({ of: "cluster", are: { a: 1 } }, taking(299, 1))).not.toEqual([]);
    expect(shareDisagreements({ of: "cluster", are: { a: 1, b: 0 } }, taking(300, 0))).toEqual([]);
  });
});

describe("a recording", () => {
  it("reads back what was written, each different decision once", () => {
    const judged: JudgedDecision[] = [reached, reached, notFound].map((decision) => ({
      decision,
      ...connection,
    }));
    const { trials } = readRecording(recordingLines([trial], [judged], admin).join("\n"));
    expect(trials).toEqual([
      {
        name: "small",
        requests: [
          {
            request: { path: "/r" },
            connectedTo: connection.connectedTo,
            from: connection.from.ip,
            decisions: [{ times: 2, decision: reached }],
          },
          {
            request: { path: "/x" },
            connectedTo: connection.connectedTo,
            from: connection.from.ip,
            decisions: [{ times: 1, decision: notFound }],
          },
        ],
      },
    ]);
  });

  it("keeps the configuration that the tracer needs", () => {
    const lines = recordingLines([trial], [[{ decision: reached, ...connection }]], admin);
    const again = predictor(readRecording(lines.join("\n")).admin)({ path: "/r" }, connection);
    expect(again.map(({ hops }) => hops[0]?.route)).toEqual(["r"]);
  });
});

describe("the rig", () => {
  it("says what to do where loopback has connection tracking", () => {
    expect(() => throwUnlessRestored({ ...reached, listener: "probe capture" })).toThrow(
      /connection tracking/,
    );
    expect(() => throwUnlessRestored({ ...reached, listener: "probe target" })).not.toThrow();
  });

  it("writes the header of PROXY protocol v2", () => {
    const header = proxyHeader({ ip: "10.0.0.1", port: 5 }, { ip: "10.0.0.2", port: 80 });
    expect(header.toString("hex")).toBe("0d0a0d0a000d0a515549540a2111000c0a0000010a00000200050050");
    expect(() => proxyHeader({ ip: "10.0.0.1", port: 5 }, { ip: "::1", port: 80 })).toThrow(/two families/);
  });
});
