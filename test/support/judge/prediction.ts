/** What the tracer says about a judged request, from what the judge's Envoy showed: its dump and nothing else. */
import type { Entry } from "../../../src/bundle/entry.js";
import { roleOf } from "../../../src/bundle/roles.js";
import { everything } from "../../../src/ingest/read-snapshot.js";
import { SnapshotBuilder } from "../../../src/ingest/snapshot-builder.js";
import { ProblemList } from "../../../src/shared/problem.js";
import type { Proxy, Snapshot } from "../../../src/snapshot/model.js";
import { hopLeaves } from "../../../src/trace/hop.js";
import { hopSentTo, type HopInput, type Leaf } from "../../../src/trace/leaf.js";
import type { Arrival } from "../../../src/trace/listener/listener-choice.js";
import { proxyViews } from "../../../src/trace/proxy-view.js";
import type { Connection, HeaderList, SocketAddress, TlsClient } from "../../../src/trace/request.js";
import type { Hop, Outcome } from "../../../src/trace/result.js";
import type { Unknown } from "../../../src/trace/unknown.js";
import { aStore } from "../builders.js";
import { clientIdentities } from "./certificates.js";
import type { AdminAnswers } from "./judge.js";
import { markerHeader, type JudgedRequest } from "./judged-request.js";

/** One way that a request may go. */
export interface PredictedBranch {
  /** 0..1; null where it cannot be told. */
  readonly share: number | null;
  readonly outcome: Outcome;
  readonly hops: readonly Hop[];
  readonly unknowns: readonly Unknown[];
}

export interface JudgedConnection {
  readonly connectedTo: SocketAddress;
  /** Of the TCP peer. */
  readonly from: SocketAddress;
}

export type Predict = (request: JudgedRequest, connection: JudgedConnection) => readonly PredictedBranch[];

/** The snapshot of a bundle with nothing but this Envoy's answers. */
export function snapshotOfJudge(admin: AdminAnswers): Snapshot {
  const builder = new SnapshotBuilder({
    name: "judge",
    form: "archive",
    store: aStore(),
    problems: new ProblemList(),
    want: new Set([...everything, "runtime"]),
    at: null,
    as: null,
  });
  const files = {
    config_dump: admin.configDump,
    clusters: admin.clusters,
    server_info: admin.serverInfo,
    runtime: admin.runtime,
  };
  for (const [file, text] of Object.entries(files)) {
    const name = `proxies/judge/envoy/${file}`;
    const bytes = Buffer.from(text);
    const entry: Entry = {
      name,
      role: roleOf(name),
      size: null,
      capturedAt: { time: new Date(0).toISOString(), source: "manifest" },
      read: () => Promise.resolve({ bytes, cut: false }),
      readHead: () => Promise.resolve(bytes),
    };
    builder.seen(entry);
    builder.read(entry, bytes, false);
  }
  return builder.build();
}

export function predictor(admin: AdminAnswers): Predict {
  const snapshot = snapshotOfJudge(admin);
  const [proxy] = snapshot.proxies;
  if (proxy === undefined) throw new Error("the snapshot of the judge has no proxy");
  return predictorOf(snapshot, proxy);
}

function predictorOf(snapshot: Snapshot, proxy: Proxy): Predict {
  const view = proxyViews(snapshot)(proxy);
  return (request, { connectedTo, from }) =>
    follow({
      view,
      direction: "gateway",
      arrival: {
        at: connectedTo,
        originalDestination: null, // loopback has none, which the judge has checked
        peer: from,
        client: { proxyHeader: request.proxy ?? null, tls: tlsOf(request), protocol: protocolOf(request) },
      },
      request: headersOf(request),
      tunnelled: null,
      random: null,
      podOf: () => null,
    });
}

/** Through the internal listeners of the same Envoy. */
function follow(input: HopInput): PredictedBranch[] {
  return hopLeaves(input).flatMap((leaf) => [...ends(leaf), ...inside(leaf, input)]);
}

const endpoint: Outcome = { kind: "endpoint", status: null, responseFlags: [], detail: "", location: null };

function ends({ share, outcome, hop, onward, unknowns }: Leaf): PredictedBranch[] {
  const branch = { share, hops: [hop], unknowns };
  if (outcome !== null) return [{ ...branch, outcome }];
  const outside = onward.filter(({ host }) => host.host.address.kind !== "internal");
  const hops = new Set(outside.map((one) => hopSentTo(hop, one)));
  return [...hops].map((own) => ({ ...branch, hops: [own], outcome: endpoint }));
}

const inside = ({ hop, onward, unknowns }: Leaf, input: HopInput): PredictedBranch[] =>
  onward.flatMap(({ share, host, sent, passed }) => {
    const { address } = host.host;
    if (address.kind !== "internal" || sent.tls === "unknown") return [];
    const arrival: Arrival = {
      at: { internalListener: address.listener },
      originalDestination: null,
      peer: null,
      client: { proxyHeader: null, tls: sent.tls, protocol: sent.protocol },
      passed,
    };
    return follow({ ...input, arrival, request: sent.request, tunnelled: sent.tunnelled }).map((branch) => ({
      ...branch,
      share: share === null || branch.share === null ? null : share * branch.share,
      hops: [hop, ...branch.hops],
      unknowns: [...unknowns, ...branch.unknowns],
    }));
  });

function tlsOf({ tls }: JudgedRequest): TlsClient | null {
  if (tls === undefined) return null;
  const { sni = "", alpn = [], certificate } = tls;
  return {
    sni,
    alpn,
    certificate:
      certificate === undefined
        ? null
        : { ...clientIdentities[certificate], isValidated: certificate === "client" },
  };
}

function protocolOf({ protocol = "http/1.1" }: JudgedRequest): Connection["protocol"] {
  switch (protocol) {
    case "h2":
      return "h2c";
    case "tcp":
      return "other";
    case "silent":
      return "nothing";
    default:
      return protocol;
  }
}

/** As the codec hands them on: the client's, with pseudo headers; `:scheme` is the client's to say in HTTP/2 only. */
function headersOf(request: JudgedRequest): HeaderList | null {
  const {
    protocol = "http/1.1",
    method = "GET",
    path = "/",
    authority = "judge",
    scheme = "http",
    headers = [],
  } = request;
  if (protocol === "tcp" || protocol === "silent") return null;
  const isConnect = method === "CONNECT";
  const isTunnel = isConnect && protocol !== "h2"; // its target is the host, whatever Host says
  const target = isTunnel ? null : path;
  const host = isTunnel ? path : authority;
  return [
    [":method", method],
    ...(protocol === "h2" ? [[":scheme", scheme] as const] : []),
    ...(host === null ? [] : [[":authority", host] as const]),
    ...(target === null ? [] : [[":path", target] as const]),
    [markerHeader, "marker"],
    ...headers.map(([name, value]) => [name.toLowerCase(), value] as const),
  ];
}
