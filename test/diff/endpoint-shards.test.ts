import { describe, expect, it } from "vitest";

import { endpointDivergences } from "../../src/diff/endpoint-sets.js";
import {
  endpointsAgainstShards,
  type ShardComparison,
  type ShardDivergence,
} from "../../src/diff/endpoint-shards.js";
import { meshShardGapLines, shardGapLines, shardLines } from "../../src/report/mesh-drift-wording.js";
import { present, type Istiod, type Snapshot } from "../../src/snapshot/model.js";
import { parseKnownEndpoints, parseRegistry } from "../../src/snapshot/parse/istiod-debug.js";
import { aCluster, aResource, aRow } from "../support/builders.js";
import { anAssignment, anEdsCluster, meshOf, type Held } from "../support/drift-snapshot.js";
import { outboundName } from "../support/mesh/clusters.js";
import { withResource } from "../support/mesh/edits.js";
import { addressesOf, liveAssignment } from "../support/mesh/endpoints.js";
import { variants } from "../support/mesh/healthy-variants.js";
import { bugReportLayout, ownLayout } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import type { Mesh, MeshProxy, MeshService } from "../support/mesh/model.js";
import { podsBehind } from "../support/mesh/topology.js";
import { bugReportOf, bundleOf, snapshotOf } from "../support/snapshot-of.js";

type Fields = Readonly<Record<string, unknown>>;

const host = "reviews.default.svc.cluster.local";
const cluster = `outbound|80||${host}`;
const client: Fields = { CLUSTER_ID: "c", NODE_NAME: "node-1" };

/** As `/debug/endpointShardz` has it: ready, on the network that has no name. */
const anEndpoint = (last: number, fields: Fields = {}): Fields => ({
  Addresses: [`10.0.0.${last}`],
  EndpointPort: 8080,
  ServicePortName: "http",
  Locality: { Label: "r", ClusterID: "c" },
  HealthStatus: 1,
  NodeName: "node-1",
  ...fields,
});

/** As `/debug/registryz` has it. */
const aService = (attributes: Fields = {}, fields: Fields = {}): Fields => ({
  hostname: host,
  ports: [
    { name: "http", port: 80 },
    { name: "admin", port: 81 },
  ],
  Attributes: { Namespace: "default", ...attributes },
  Resolution: 0,
  ...fields,
});

interface Given {
  readonly endpoints?: readonly Fields[];
  readonly services?: readonly Fields[];
  readonly namespace?: string;
  readonly metadata?: Fields;
  readonly holds?: Held;
  readonly type?: "sidecar" | "router" | "waypoint";
  readonly cluster?: Fields;
  readonly istiod?: Partial<Istiod>;
}

const origin = { entry: "istio", pointer: "" };

const knows = (
  endpoints: readonly Fields[],
  services: readonly Fields[],
  namespace = "default",
): Partial<Istiod> => ({
  knownEndpoints: present({
    services: parseKnownEndpoints(
      { [host]: { [namespace]: { Shards: { "Kubernetes/c": endpoints } } } },
      "shards",
    ),
    capturedAt: null,
    origin,
  }),
  registry: present({ services: parseRegistry(services, "registry"), origin }),
  mesh: present({ config: {}, origin }),
});

const holding = (addresses: readonly string[], fields: Fields = {}): Held => ({
  clusters: [anEdsCluster(cluster, fields)],
  endpoints: [anAssignment(cluster, addresses)],
});

/** A proxy that holds 10.0.0.1 and .2, and its Istiod, which knows the same. */
function given({
  endpoints = [anEndpoint(1), anEndpoint(2)],
  services = [aService()],
  namespace,
  metadata = client,
  cluster: fields = {},
  holds = holding(["10.0.0.1", "10.0.0.2"], fields),
  type = "sidecar",
  istiod = {},
}: Given = {}): Snapshot {
  const snapshot = meshOf({
    istiods: { x: { rows: [aRow("a.n")] } },
    proxies: { "a.n": { holds, metadata } },
  });
  return {
    ...snapshot,
    istiods: snapshot.istiods.map((x) => ({ ...x, ...knows(endpoints, services, namespace), ...istiod })),
    proxies: snapshot.proxies.map((proxy) => ({ ...proxy, type })),
  };
}

const differences = (snapshot: Snapshot): Pick<ShardDivergence, "lacks" | "besides">[] =>
  endpointsAgainstShards(snapshot).divergences.map(({ lacks, besides }) => ({ lacks, besides }));
const reasons = ({ notCompared }: ShardComparison): string[] => notCompared.map(({ reason }) => reason);

describe("a proxy against the endpoints that its Istiod knows", () => {
  it("holds the same", () => {
    expect(endpointsAgainstShards(given())).toEqual({ divergences: [], compared: 1, notCompared: [] });
  });

  it("lacks one: the last push did not reach it", () => {
    expect(endpointsAgainstShards(given({ holds: holding(["10.0.0.1"]) })).divergences).toEqual([
      {
        cluster,
        istiods: ["x"],
        lacks: ["10.0.0.2:8080"],
        besides: [],
        proxies: ["a.n"],
        inFlight: false,
        istiodsCapturedAt: null,
        proxiesCapturedAt: null,
      },
    ]);
  });

  it("has one besides: a ghost", () => {
    expect(differences(given({ holds: holding(["10.0.0.1", "10.0.0.2", "10.0.0.9"]) }))).toEqual([
      { lacks: [], besides: ["10.0.0.9:8080"] },
    ]);
  });

  it("lacks all, and holds all of none", () => {
    expect(differences(given({ holds: holding([]) }))).toEqual([
      { lacks: ["10.0.0.1:8080", "10.0.0.2:8080"], besides: [] },
    ]);
    expect(differences(given({ endpoints: [] }))).toEqual([
      { lacks: [], besides: ["10.0.0.1:8080", "10.0.0.2:8080"] },
    ]);
  });

  it("port by port", () => {
    const other = anEndpoint(3, { ServicePortName: "admin" });
    expect(differences(given({ endpoints: [anEndpoint(1), anEndpoint(2), other] }))).toEqual([]);
    expect(differences(given({ endpoints: [anEndpoint(1), { ...other, Addresses: ["10.0.0.2"] }] }))).toEqual(
      [{ lacks: [], besides: ["10.0.0.2:8080"] }],
    );
  });

  it("a service whose only port has no name", () => {
    const services = [aService({}, { ports: [{ port: 80 }] })];
    const endpoints = [anEndpoint(1, { ServicePortName: "" }), anEndpoint(3, { ServicePortName: "" })];
    expect(differences(given({ endpoints, services, holds: holding(["10.0.0.1"]) }))).toEqual([
      { lacks: ["10.0.0.3:8080"], besides: [] },
    ]);
  });
});

describe("what Istio legitimately leaves out or writes otherwise is no difference", () => {
  const healthy = [anEndpoint(1), anEndpoint(2)];
  it.each<{ says: string; more: Fields }>([
    { says: "unready", more: { HealthStatus: 2 } },
    { says: "draining", more: { HealthStatus: 3 } },
    { says: "terminating", more: { HealthStatus: 4 } },
    { says: "draining by its label", more: { Labels: { "istio.io/draining": "true" } } },
    { says: "of another Kubernetes cluster", more: { Locality: { Label: "r", ClusterID: "d" } } },
    { says: "called by a host name", more: { Addresses: ["db.example.com"] } },
    { says: "behind a gateway, without an address", more: { Addresses: [] } },
    { says: "a pipe", more: { Addresses: ["/var/run/socket"], EndpointPort: 0 } },
  ])("an endpoint that is $says", ({ more }) => {
    expect(differences(given({ endpoints: [...healthy, anEndpoint(3, more)] }))).toEqual([]);
    // the same one is a difference without that, and no ghost with it
    expect(differences(given({ endpoints: [...healthy, anEndpoint(3)] }))).toHaveLength(1);
  });

  it("nor is it a ghost where a client has it", () => {
    const endpoints = [anEndpoint(1), anEndpoint(2, { HealthStatus: 2 })];
    expect(differences(given({ endpoints }))).toEqual([]);
  });

  it("one of several addresses of a pod, and IPv6 in another spelling", () => {
    const endpoints = [anEndpoint(1, { Addresses: ["10.0.0.1", "FD00:0::1"] })];
    const six: Held = {
      clusters: [anEdsCluster(cluster)],
      endpoints: [anAssignment(cluster, ["fd00::1"])],
    };
    expect(differences(given({ endpoints, holds: six }))).toEqual([]);
    expect(differences(given({ endpoints: [anEndpoint(1)], holds: six }))).toEqual([
      { lacks: ["10.0.0.1:8080"], besides: ["fd00::1:8080"] },
    ]);
  });

  it("endpoints on other nodes, with internalTrafficPolicy Local", () => {
    const endpoints = [anEndpoint(1), anEndpoint(2), anEndpoint(3, { NodeName: "node-2" })];
    expect(differences(given({ endpoints, services: [aService({ NodeLocal: true })] }))).toEqual([]);
    expect(differences(given({ endpoints }))).toEqual([{ lacks: ["10.0.0.3:8080"], besides: [] }]);
    const here = [anEndpoint(1), anEndpoint(2), anEndpoint(3)];
    expect(differences(given({ endpoints: here, services: [aService({ NodeLocal: true })] }))).toHaveLength(
      1,
    );
  });

  it("localities that distribution leaves out, of which the client has nothing at all", () => {
    const endpoints = [
      anEndpoint(1),
      anEndpoint(2),
      anEndpoint(3, { Locality: { Label: "s", ClusterID: "c" } }),
    ];
    const weighted = { common_lb_config: { locality_weighted_lb_config: {} } };
    const distributed = present({ config: { localityLbSetting: { distribute: [{ from: "r" }] } }, origin });
    const rule = {
      metadata: { filter_metadata: { istio: { config: "/apis/n/v1/namespaces/d/destination-rule/r" } } },
    };
    expect(differences(given({ endpoints, cluster: { ...weighted, ...rule } }))).toEqual([]);
    expect(differences(given({ endpoints, cluster: weighted, istiod: { mesh: distributed } }))).toEqual([]);
    expect(differences(given({ endpoints, cluster: weighted }))).toHaveLength(1);
    expect(differences(given({ endpoints, cluster: rule }))).toHaveLength(1);
    const inHeld = [anEndpoint(1), anEndpoint(2), anEndpoint(3)];
    expect(differences(given({ endpoints: inHeld, cluster: { ...weighted, ...rule } }))).toHaveLength(1);
  });
});

describe("what cannot be told is not compared, with the reason", () => {
  const lacking = [anEndpoint(1), anEndpoint(2), anEndpoint(3)];
  const inNamespace = (namespace: string): Fields => ({
    metadata: { filter_metadata: { istio: { services: [{ host, name: "reviews", namespace }] } } },
  });
  it.each<{ reason: string; given: Given; twin?: Given }>([
    { reason: "Istiod's list of services does not have the host", given: { services: [] } },
    {
      reason: "Istiod's list of services does not have the port",
      given: { services: [aService({}, { ports: [{ name: "http", port: 8000 }] })] },
    },
    {
      reason: "services of several namespaces have the host",
      given: { services: [aService(), aService({ Namespace: "other" })] },
      twin: { services: [aService(), aService({ Namespace: "other" })], cluster: inNamespace("default") },
    },
    {
      reason: "several services have the host, and differ",
      given: { services: [aService(), aService({}, { ports: [{ name: "web", port: 80 }] })] },
      twin: { services: [aService(), aService()] },
    },
    {
      reason: "clients look the addresses up by themselves",
      given: { services: [aService({}, { Resolution: 1 })] },
    },
    {
      reason: "clients get the endpoints of their own node only, and the proxy's node is not known",
      given: { services: [aService({ NodeLocal: true })], metadata: { CLUSTER_ID: "c" } },
      twin: { services: [aService({ NodeLocal: true })] },
    },
    {
      reason: "an inference pool has the endpoints of all of its ports",
      given: { services: [aService({ Labels: { "internal.istio.io/service-semantics": "inferencepool" } })] },
    },
    {
      reason: "gateways may reach the service through its waypoint",
      given: { services: [aService({ Labels: { "istio.io/use-waypoint": "w" } })], type: "router" },
      twin: { services: [aService({ Labels: { "istio.io/use-waypoint": "w" } })] },
    },
    { reason: "Istiod's list of endpoints does not have the service", given: { namespace: "other" } },
    {
      reason: "the ports in Istiod's list of endpoints are not those of the service",
      given: { endpoints: lacking.map((endpoint) => ({ ...endpoint, ServicePortName: "web" })) },
    },
    {
      reason: "endpoints in another network than the proxy's are reached through gateways",
      given: {
        endpoints: [...lacking, anEndpoint(4, { Network: "west" })],
        metadata: { ...client, NETWORK: "east" },
      },
      twin: {
        endpoints: [...lacking, anEndpoint(4, { Network: "east" })],
        metadata: { ...client, NETWORK: "east" },
      },
    },
    {
      reason: "the proxy asked for the endpoints of some networks only",
      given: { metadata: { ...client, REQUESTED_NETWORK_VIEW: "east" } },
      twin: { metadata: { ...client, REQUESTED_NETWORK_VIEW: "" } },
    },
    {
      reason: "the endpoints of sidecars and gateways only can be told from Istiod's list",
      given: { type: "waypoint" },
      twin: { type: "router" },
    },
    {
      reason: "not captured",
      given: { istiod: { registry: { state: "absent", reason: "not captured" } } },
    },
    {
      reason: "not captured",
      given: { istiod: { knownEndpoints: { state: "absent", reason: "not captured" } } },
    },
    {
      reason: "the proxy reaches the endpoints by HBONE or a pipe, not by their addresses",
      given: {
        holds: {
          clusters: [anEdsCluster(cluster)],
          endpoints: [
            aResource("endpointAssignment", cluster, {
              endpoints: [
                {
                  lb_endpoints: [
                    {
                      endpoint: {
                        address: {
                          envoy_internal_address: {
                            server_listener_name: "connect_originate",
                            endpoint_id: "10.0.0.1:8080",
                          },
                        },
                      },
                    },
                  ],
                },
              ],
            }),
          ],
        },
      },
    },
  ])("$reason", ({ reason, given: unsure, twin = {} }) => {
    const comparison = endpointsAgainstShards(given({ endpoints: lacking, ...unsure }));
    expect({ ...comparison, notCompared: reasons(comparison) }).toEqual({
      divergences: [],
      compared: 0,
      notCompared: [reason],
    });
    expect(differences(given({ endpoints: lacking, ...twin }))).toHaveLength(1);
  });

  it("subsets, whose labels only their DestinationRule has", () => {
    const subset = `outbound|80|v1|${host}`;
    const comparison = endpointsAgainstShards(
      given({ holds: { clusters: [anEdsCluster(subset)], endpoints: [anAssignment(subset, [])] } }),
    );
    expect(comparison.divergences).toEqual([]);
    expect(comparison.notCompared).toEqual([
      {
        reason: "subsets: which pods belong to one is in its DestinationRule, which is not read",
        clusters: [subset],
        proxies: ["a.n"],
      },
    ]);
  });

  it("nothing is said of clusters that are none of EDS, of inbound ones and of endpoints that a proxy lacks altogether", () => {
    const inbound = "inbound|8080||";
    const silent: Held[] = [
      { clusters: [aCluster(cluster, { type: "STRICT_DNS" })], endpoints: [anAssignment(cluster, [])] },
      { clusters: [anEdsCluster(inbound)], endpoints: [anAssignment(inbound, [])] },
      { clusters: [anEdsCluster("xds-grpc")], endpoints: [anAssignment("xds-grpc", [])] },
      { clusters: [], endpoints: [anAssignment(cluster, [])] },
      { clusters: [anEdsCluster(cluster)], endpoints: [] },
    ];
    for (const holds of silent)
      expect(endpointsAgainstShards(given({ holds }))).toEqual({
        divergences: [],
        compared: 0,
        notCompared: [],
      });
  });
});

describe("whose knowledge counts", () => {
  const two = (rows: Readonly<Record<string, readonly string[]>>, ofY: readonly Fields[]): Snapshot => {
    const snapshot = meshOf({
      istiods: Object.fromEntries(
        Object.entries(rows).map(([id, names]) => [id, { rows: names.map((name) => aRow(name)) }]),
      ),
      proxies: { "a.n": { holds: holding(["10.0.0.1"]), metadata: client } },
    });
    return {
      ...snapshot,
      istiods: snapshot.istiods.map((istiod) => ({
        ...istiod,
        ...knows(istiod.id === "y" ? ofY : [anEndpoint(1), anEndpoint(2)], [aService()]),
      })),
    };
  };

  it("that of the Istiod which lists the proxy", () => {
    const alone = [anEndpoint(1)];
    expect(endpointsAgainstShards(two({ x: [], y: ["a.n"] }, alone)).divergences).toEqual([]);
    expect(endpointsAgainstShards(two({ x: ["a.n"], y: [] }, alone)).divergences).toMatchObject([
      { istiods: ["x"], lacks: ["10.0.0.2:8080"] },
    ]);
  });

  it("where none or both list it, that of all, if they agree", () => {
    for (const rows of [
      { x: [], y: [] },
      { x: ["a.n"], y: ["a.n"] },
    ]) {
      expect(endpointsAgainstShards(two(rows, [anEndpoint(1), anEndpoint(2)])).divergences).toMatchObject([
        { istiods: ["x", "y"], lacks: ["10.0.0.2:8080"] },
      ]);
      const unsure = endpointsAgainstShards(two(rows, [anEndpoint(1)]));
      expect(unsure.divergences).toEqual([]);
      expect(reasons(unsure)).toEqual([
        "which Istiod the proxy is connected to is not known, and they do not know the same endpoints",
      ]);
    }
  });

  it("not where Istiod's own view of the endpoints was captured, which tells more", () => {
    const snapshot = given({ holds: holding(["10.0.0.1"]) });
    const withView = (sends: Held): Snapshot => ({
      ...snapshot,
      istiods: snapshot.istiods.map((istiod) => ({
        ...istiod,
        views: meshOf({ istiods: { x: { sends: { "a.n": sends } } } }).istiods.flatMap(({ views }) => views),
      })),
    });
    expect(endpointsAgainstShards(withView(holding(["10.0.0.1"]))).compared).toBe(0);
    expect(endpointsAgainstShards(snapshot).divergences).toHaveLength(1);
  });

  it("only of the proxies that are asked about", () => {
    const snapshot = given({ holds: holding(["10.0.0.1"]) });
    expect(endpointsAgainstShards(snapshot, (id) => id === "b.n").compared).toBe(0);
    expect(endpointsAgainstShards(snapshot, (id) => id === "a.n").compared).toBe(1);
  });
});

describe("a push on its way", () => {
  const sentAt = (time: string): Snapshot => {
    const snapshot = given({ holds: holding(["10.0.0.1"]) });
    const [x] = snapshot.istiods;
    const { knownEndpoints } = x!;
    return {
      ...snapshot,
      proxies: snapshot.proxies.map((proxy) => ({ ...proxy, capturedAt: "2026-01-01T00:00:00Z" })),
      istiods: meshOf({
        istiods: { x: { rows: [aRow("a.n", { EDS: { sentTime: time } })] } },
      }).istiods.map((istiod) => ({
        ...istiod,
        registry: x!.registry,
        knownEndpoints:
          knownEndpoints.state === "absent"
            ? knownEndpoints
            : present({ ...knownEndpoints.value, capturedAt: "2026-01-01T00:00:12Z" }),
      })),
    };
  };

  it.each([
    {
      sent: "2026-01-01T00:00:05Z",
      inFlight: true,
      why: "in flight: Istiod sent endpoints between the two captures; ",
    },
    { sent: "2025-12-31T23:00:00Z", inFlight: false, why: "" },
  ])("sent at $sent", ({ sent, inFlight, why }) => {
    const { divergences } = endpointsAgainstShards(sentAt(sent));
    expect(divergences).toMatchObject([
      {
        inFlight,
        istiodsCapturedAt: { first: "2026-01-01T00:00:12Z", last: "2026-01-01T00:00:12Z" },
        proxiesCapturedAt: { first: "2026-01-01T00:00:00Z", last: "2026-01-01T00:00:00Z" },
      },
    ]);
    expect(shardLines(divergences)).toEqual([
      `endpoints of ${cluster}: a.n lacks 10.0.0.2, which x knows (${why}captured 12s apart)`,
    ]);
  });
});

describe("in words", () => {
  const of = (fields: Partial<ShardDivergence>): ShardDivergence => ({
    cluster,
    istiods: ["x"],
    lacks: [],
    besides: [],
    proxies: ["a.n"],
    inFlight: false,
    istiodsCapturedAt: { first: "2026-01-01T00:00:00Z", last: "2026-01-01T00:00:00Z" },
    proxiesCapturedAt: { first: "2026-01-01T00:00:00Z", last: "2026-01-01T00:00:00Z" },
    ...fields,
  });
  it.each([
    { fields: { lacks: ["10.0.0.1:80"] }, line: "a.n lacks 10.0.0.1, which x knows" },
    { fields: { besides: ["fd00::1:80"] }, line: "a.n has fd00::1, which x does not know" },
    {
      fields: { lacks: ["10.0.0.1:80"], besides: ["10.0.0.2:80"], proxies: ["a.n", "b.n"] },
      line: "a.n, b.n lack 10.0.0.1, which x knows, and have 10.0.0.2, which x does not know",
    },
    {
      fields: { lacks: ["10.0.0.1:80"], istiods: ["x", "y"] },
      line: "a.n lacks 10.0.0.1, which x, y know",
    },
    {
      fields: { lacks: ["10.0.0.1:80"], proxiesCapturedAt: null },
      line: "a.n lacks 10.0.0.1, which x knows (when both were captured is not known)",
    },
  ])("$line", ({ fields, line }) => {
    expect(shardLines([of(fields)])).toEqual([`endpoints of ${cluster}: ${line}`]);
  });

  it("one line for all clusters of one pod, and for all of one reason", () => {
    const other = `outbound|81||${host}`;
    expect(
      shardLines([of({ lacks: ["10.0.0.1:80"] }), of({ lacks: ["10.0.0.1:81"], cluster: other })]),
    ).toEqual([`2 lists of endpoints (${cluster}, ${other}): a.n lacks 10.0.0.1, which x knows`]);
    const gap = { reason: "subsets", clusters: [cluster], proxies: ["a.n", "b.n"] };
    expect(meshShardGapLines([gap, { ...gap, clusters: [], proxies: ["a.n"] }])).toEqual([
      `endpoints of ${cluster} not compared with what Istiod knows on 2 proxies: subsets`,
      "endpoints not compared with what Istiod knows on 1 proxy: subsets",
    ]);
    expect(shardGapLines([gap, { ...gap, clusters: [] }])).toEqual([
      `Not compared: endpoints of ${cluster}: subsets`,
      "Not compared: subsets",
    ]);
  });
});

describe("a generated mesh", () => {
  const options = { istioVersion: "1.24.2", services: 8, proxies: 18, replicas: 3, istiods: 2 } as const;
  const healthy = buildMesh(options);
  const withoutViews = (mesh: Mesh): Snapshot => snapshotOf(ownLayout(mesh, { istiodDumps: false }));
  const layouts = { "our own without Istiod's dumps": withoutViews, "a bug-report": bugReportOf } as const;

  const service =
    healthy.services.find((one) => podsBehind(one, healthy.pods).length === 3 && one.subsets.length === 0) ??
    expect.fail("no service of three pods");
  const name = outboundName(service, service.ports[0]!.port);
  const pod = podsBehind(service, healthy.pods)[1]!;
  const left = (of: MeshService): ReturnType<typeof addressesOf> =>
    addressesOf(of, of.ports[0]!, "", healthy.pods).filter(({ address }) => address !== pod.ip);
  const without = (proxies: (proxy: MeshProxy) => boolean, mesh: Mesh = healthy): Mesh => {
    const live = liveAssignment(name, left(service));
    return withResource(mesh, { list: "endpoints", name, side: "Envoy", proxies }, () => live);
  };

  describe.each(Object.entries(layouts))("in %s", (_layout, read) => {
    it.each(["1.8.6", "1.12.9", "1.17.8", "1.24.2", "1.30.0"])(
      "Istio %s: all is as Istiod knows it",
      (istioVersion) => {
        const comparison = endpointsAgainstShards(read(buildMesh({ ...options, istioVersion })));
        expect(comparison.divergences).toEqual([]);
        expect(comparison.compared).toBeGreaterThan(300);
        expect(reasons(comparison).map((reason) => reason.slice(0, 7))).toEqual(["subsets"]);
      },
    );

    it.each(Object.entries(variants))("%s gives nothing", (_variant, vary) => {
      const comparison = endpointsAgainstShards(
        read(vary(buildMesh({ ...options, replicas: 4, proxies: 20 }))),
      );
      expect(comparison.divergences).toEqual([]);
      expect(comparison.compared).toBeGreaterThan(100);
    });

    it("a proxy that did not get the last push lacks what its Istiod knows", () => {
      const victim = healthy.proxies.at(-1)!;
      expect(endpointsAgainstShards(read(without(({ id }) => id === victim.id))).divergences).toMatchObject([
        {
          cluster: name,
          istiods: [victim.connectedTo],
          lacks: [`${pod.ip}:${service.ports[0]!.targetPort}`],
          besides: [],
          proxies: [victim.id],
          inFlight: false,
        },
      ]);
    });

    it("an Istiod that misses a pod told its clients what it knows: they differ from the others, not from it", () => {
      const blind = healthy.istiods[0]!;
      const isItsOwn = ({ connectedTo }: MeshProxy): boolean => connectedTo === blind.name;
      const unseen = {
        ...healthy,
        istiods: healthy.istiods.map((istiod) =>
          istiod === blind ? { ...istiod, unseenAddresses: new Set([pod.ip]) } : istiod,
        ),
      };
      const snapshot = read(without(isItsOwn, unseen));
      expect(endpointsAgainstShards(snapshot).divergences).toEqual([]);
      expect(endpointDivergences(snapshot).map(({ cluster: of }) => of)).toEqual([name]);
      // and the twin: its clients still have the pod
      const ghosts = endpointsAgainstShards(read(unseen)).divergences;
      expect(ghosts.map(({ cluster: of }) => of)).toContain(name);
      for (const { istiods, lacks, besides } of ghosts) {
        expect({ istiods, lacks }).toEqual({ istiods: [blind.name], lacks: [] });
        expect(besides).toEqual([expect.stringContaining(`${pod.ip}:`)]);
      }
    });
  });

  it("is not compared where Istiod's own view tells more", () => {
    expect(endpointsAgainstShards(bundleOf(healthy))).toEqual({
      divergences: [],
      compared: 0,
      notCompared: [],
    });
  });

  it("tells why, where a bug-report is without Istiod's folder", () => {
    const files = [...bugReportLayout(healthy, { istioctl: "1.24" })].filter(
      ({ name: file }) => !file.includes("/istio/"),
    );
    expect(reasons(endpointsAgainstShards(snapshotOf(files)))).toEqual(["no Istiod was captured"]);
  });
});
