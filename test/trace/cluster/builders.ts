/** Hosts, clusters and requests for the tests of this folder. */
import type { MatchContext, Runtime } from "../../../src/trace/match-context.js";
import type { Host } from "../../../src/trace/cluster/hosts.js";
import { healthInConfiguration } from "../../../src/trace/cluster/host-health.js";
import type { ProxyClusters, UpstreamRequest } from "../../../src/trace/cluster/cluster-resolution.js";
import { noHostSources } from "../../../src/trace/cluster/hosts.js";

export const noRuntime: Runtime = { value: () => undefined };
export const runtimeOf = (values: Readonly<Record<string, unknown>>): Runtime => ({
  value: (key) => (Object.hasOwn(values, key) ? values[key] : undefined),
});

/** A host at 10.0.0.<last>:80. */
export const aHost = (last: number, more: Partial<Host> = {}): Host => ({
  address: { kind: "ip", ip: `10.0.0.${last}`, port: 80 },
  hostname: "",
  priority: 0,
  locality: { region: "", zone: "", subZone: "" },
  weight: 1,
  localityWeight: 0,
  health: healthInConfiguration({}, 36),
  metadata: {},
  localityMetadata: {},
  origin: { entry: "dump", pointer: "" },
  ...more,
});

export const withHealth = (status: string): Pick<Host, "health"> => ({
  health: healthInConfiguration({ health_status: status }, 36),
});

export const inZone = (zone: string, localityWeight: number): Pick<Host, "locality" | "localityWeight"> => ({
  locality: { region: "r", zone, subZone: "" },
  localityWeight,
});

type Fields = Readonly<Record<string, unknown>>;

/** An endpoint of an assignment at 10.0.0.<last>:80. */
export const anEndpoint = (last: number, more: Fields = {}): Fields => ({
  endpoint: { address: { socket_address: { address: `10.0.0.${last}`, port_value: 80 } } },
  ...more,
});

/** A STATIC cluster; every argument after the fields is the endpoints of one priority. */
export const aStaticCluster = (
  name: string,
  fields: Fields = {},
  ...priorities: readonly (readonly Fields[])[]
): Fields => ({
  name,
  load_assignment: {
    cluster_name: name,
    endpoints: priorities.map((lb_endpoints, priority) => ({ priority, lb_endpoints })),
  },
  ...fields,
});

export const aContext = (more: Partial<MatchContext> = {}): MatchContext => ({
  headers: [
    [":method", "GET"],
    [":authority", "reviews:9080"],
    [":path", "/"],
  ],
  connection: {
    destination: { ip: "10.1.0.1", port: 9080 },
    source: { ip: "10.2.0.1", port: 40000 },
    directSource: { ip: "10.2.0.1", port: 40000 },
    tls: null,
    protocol: "http/1.1",
  },
  downstreamRemote: { ip: "10.2.0.1", port: 40000 },
  dynamicMetadata: new Map(),
  filterState: new Map(),
  isComplete: true,
  route: null,
  runtime: noRuntime,
  random: null,
  envoy: 36,
  ...more,
});

export const aRequest = (more: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  context: aContext(),
  protocol: "http/1.1",
  priority: "DEFAULT",
  criteria: null,
  hasHash: false,
  isRestored: true,
  session: null,
  alpn: [],
  serverName: "",
  ...more,
});

export const theProxy = (more: Partial<ProxyClusters> = {}): ProxyClusters => ({
  sources: noHostSources,
  cluster: () => undefined,
  hasLocalCluster: false,
  workload: "unknown",
  ...more,
});
