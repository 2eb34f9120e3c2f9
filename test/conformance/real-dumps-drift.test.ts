/**
 * Every difference that we report on dumps which others took of real proxies, and why it is real. Pairs of Istiod and Envoy
 * are those of the corpus' CASES.md 45 to 50 and the Envoy dumps beside them; the others are two dumps of proxies.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { compareProxies, type SnapshotComparison } from "../../src/diff/compare-snapshots.js";
import { driftOf } from "../../src/diff/drift.js";
import { corpus, everythingIsRequired } from "../support/builders.js";
import { meshOf } from "../support/drift-snapshot.js";

const folder = join(corpus, "istioctl");
const isAbsent = !existsSync(folder) && !everythingIsRequired;
const textOf = (file: string): string => readFileSync(join(folder, file), "utf8");

const writer = "release-1.6/writer";
const pilot = `${writer}/compare/testdata/pilotconfigdump.json`;
const describedIn = (release: string): string => `release-${release}/cmd/testdata/describe`;

interface Pair {
  readonly says: string;
  readonly istiod: string;
  readonly envoy: string;
  /** `<kind>: <resources that are the same>`, and the differences. */
  readonly found: Readonly<Record<string, readonly string[]>>;
  readonly notCompared: readonly string[];
}

// Istiod's dumps of these releases have no endpoints, secrets and ECDS
const others = ["endpointAssignment", "secret", "extensionConfig"];

const pairs: readonly Pair[] = [
  {
    says: "cases 47, 48, 50",
    istiod: pilot,
    envoy: `${writer}/compare/testdata/envoyconfigdump.json`,
    // static resources, which Envoy alone has, are not Istiod's to send
    found: { "cluster: 1": [], "listener: 2": [], "routeConfiguration: 1": [] },
    notCompared: others,
  },
  {
    says: "cases 46, 49",
    istiod: pilot,
    envoy: `${writer}/compare/testdata/diffenvoyconfigdump.json`,
    found: {
      // Istiod writes "max_requests": 10000, the Envoy has no such line (the golden's only `-`)
      "cluster: 0": [
        "changed outbound|15004||istio-policy.istio-system.svc.cluster.local: removed circuit_breakers.thresholds[0].max_requests",
      ],
      // the last of its HTTP filters is not in the Envoy's dump; no golden, upstream never compares these listeners
      "listener: 1": [
        "changed 0.0.0.0_8080: removed filter_chains[0].filters[envoy.filters.network.http_connection_manager].typed_config.http_filters[envoy.filters.http.router]",
      ],
      // two of its domains (with and without the port) are not in the Envoy's dump: two lines of the golden
      "routeConfiguration: 0": [
        "changed 15004: removed virtual_hosts[istio-policy.istio-system.svc.cluster.local:15004].domains[3]; removed virtual_hosts[istio-policy.istio-system.svc.cluster.local:15004].domains[8]",
      ],
    },
    notCompared: others,
  },
  {
    says: "the same Istiod and the same Envoy with SDS: its secrets are not compared, as Istiod's dump has none",
    istiod: pilot,
    envoy: `${writer}/compare/sds/testdata/envoyconfigdumpsds.json`,
    found: { "cluster: 1": [], "listener: 2": [], "routeConfiguration: 1": [] },
    notCompared: others,
  },
  {
    says: "the same Istiod and the dump of istioctl's tests of tables",
    istiod: pilot,
    envoy: `${writer}/envoy/configdump/testdata/configdump.json`,
    found: {
      "cluster: 1": [],
      // two listeners more than in the dumps beside Istiod's, written for those tests
      "listener: 2": ["extra 0.0.0.0_8081", "extra 0.0.0.0_8082"],
      "routeConfiguration: 1": [],
    },
    notCompared: others,
  },
  {
    says: "case 45: a waypoint's dump against itself",
    istiod: "writer/compare/testdata/configdump.json",
    envoy: "writer/compare/testdata/configdump.json",
    found: { "cluster: 1": [], "listener: 3": [], "routeConfiguration: 1": [] },
    notCompared: others,
  },
];

describe.skipIf(isAbsent)("Istiod's dump against a proxy's", () => {
  it.each(pairs)("$says", ({ istiod, envoy, found, notCompared }) => {
    const snapshot = meshOf({
      proxies: { "a.b": { holds: textOf(envoy) } },
      istiods: { istiod: { sends: { "a.b": textOf(istiod) } } },
    });
    expect(snapshot.problems).toEqual([]);
    const [drift] = driftOf(snapshot);
    const compared = drift!.kinds.flatMap((kind) => (kind.state === "compared" ? [kind] : []));
    const lists = compared.map(({ kind, same, differences }) => [
      `${kind}: ${same}`,
      differences.map(({ class: of, name, changes }) =>
        [`${of} ${name}`, changes.map(({ kind: how, path }) => `${how} ${path}`).join("; ")]
          .filter((text) => text !== "")
          .join(": "),
      ),
    ]);
    expect(Object.fromEntries(lists)).toEqual(found);
    expect(compared.map(({ noise }) => noise)).toEqual(compared.map(() => 0));
    const left = drift!.kinds.filter(({ state }) => state === "not compared");
    expect(left.map(({ kind }) => kind)).toEqual(notCompared);
  });
});

function comparisonOf(before: string, after: string): SnapshotComparison {
  const snapshot = meshOf({
    proxies: { "before.n": { holds: textOf(before) }, "after.n": { holds: textOf(after) } },
  });
  return compareProxies(snapshot, snapshot.proxies[0]!, snapshot.proxies[1]!);
}

/** Each changed resource once, with its fields; one that comes from several sources stands under each. */
const changedIn = ({ sources }: SnapshotComparison): Record<string, string[]> =>
  Object.fromEntries(
    sources
      .flatMap(({ changes }) => changes)
      .filter(({ class: of }) => of === "changed")
      .map(({ kind, name, changes }) => [
        `${kind} ${name}`,
        changes.map(({ kind: how, path }) => `${how} ${path}`),
      ]),
  );

const namesOf = ({ sources }: SnapshotComparison, of: "appeared" | "vanished"): string[] =>
  [
    ...new Set(
      sources
        .flatMap(({ changes }) => changes)
        .filter((change) => change.class === of)
        .map(({ kind, name }) => `${kind} ${name}`),
    ),
  ].sort();

type Json = Readonly<Record<string, unknown>>;

/** Kind and name of each resource of a dump, taken from its text without our parser. */
function resourcesIn(file: string): ReadonlySet<string> {
  const { configs } = JSON.parse(textOf(file)) as { configs: readonly Json[] };
  const names = configs.flatMap((section) =>
    Object.entries({ cluster: "clusters", listener: "listeners", route_config: "route_configs" }).flatMap(
      ([key, lists]) =>
        Object.entries(section)
          .filter(([name]) => name.endsWith(lists))
          .flatMap(([, list]) => list as readonly Json[])
          .map((entry) => (entry[key] ?? (entry["active_state"] as Json)[key]) as Json)
          .map(
            ({ name }) =>
              `${key === "route_config" ? "routeConfiguration" : key} ${typeof name === "string" ? name : ""}`,
          ),
    ),
  );
  return new Set(names);
}

const without = (names: ReadonlySet<string>, others: ReadonlySet<string>): string[] =>
  [...names].filter((name) => !others.has(name)).sort();

describe.skipIf(isAbsent)("a proxy's dump against another's", () => {
  it("one gateway as 1.4 and as 1.6 dump it: nothing, but what is broken in the file", () => {
    const gateway = "istio-ingressgateway-5bf6c9887-vvvmj.json";
    const comparison = comparisonOf(`${describedIn("1.4")}/${gateway}`, `${describedIn("1.6")}/${gateway}`);
    expect(comparison.sources).toEqual([]);
    // 123 clusters and more: types are named in one of them only
    expect(comparison.noise).toBeGreaterThanOrEqual(128);
    // in the file of 1.6 two members of one message have one name, in two of its static parts
    expect(comparison.notCompared.map(({ kind, reason }) => `${kind}: ${reason}`)).toContain(
      "listener: after, in part: /configs/2/static_listeners/0/listener has two @type members",
    );
  });

  it("two workloads of two meshes, of 1.4 and of 1.2", () => {
    const productpage = `${describedIn("1.6")}/productpage-v1-c7765c886-v99jb.json`;
    const ratings = `${describedIn("1.6")}/ratings-v1-f745cf57b-vfwcv.json`;
    const comparison = comparisonOf(productpage, ratings);
    // other services: what has another name, by the dumps' own text
    const [before, after] = [resourcesIn(productpage), resourcesIn(ratings)];
    expect(namesOf(comparison, "vanished")).toEqual(without(before, after));
    expect(namesOf(comparison, "appeared")).toEqual(without(after, before));
    expect([before.size, after.size]).toEqual([28, 110]);
    const connectionManager = "filter_chains[0].filters[envoy.filters.network.http_connection_manager]";
    expect(changedIn(comparison)).toEqual({
      // ten seconds in one mesh, a second in the other
      "cluster BlackHoleCluster": ["changed connect_timeout"],
      "cluster PassthroughCluster": [
        "removed circuit_breakers", // limits, which the other has not
        "changed connect_timeout",
        "changed lb_policy", // ORIGINAL_DST_LB in 1.2, CLUSTER_PROVIDED in 1.4
      ],
      // one mesh has mTLS to its control plane, on port 15011, the other has not, on 15010
      "cluster xds-grpc": [
        "changed load_assignment.endpoints[priority 0].lb_endpoints[istio-pilot.istio-system:15010].endpoint.address.socket_address.port_value",
        "removed transport_socket",
      ],
      "listener 0.0.0.0_9080": [
        // in 1.4 it sniffs protocols, has a direction, normalises paths and calls Mixer
        "removed continue_on_listener_filters_timeout",
        `removed ${connectionManager}.typed_config.http_filters[mixer]`,
        `removed ${connectionManager}.typed_config.normalize_path`,
        `changed ${connectionManager}.typed_config.stat_prefix`, // outbound_0.0.0.0_9080 and 0.0.0.0_9080
        "removed filter_chains[1]", // in 1.4, what goes to the pod's own address is dropped
        "removed listener_filters_timeout",
        "removed traffic_direction",
      ],
      // the services of port 9080: bookinfo in `default`, and its fork in `bookinfo`
      "routeConfiguration 9080": [
        "removed virtual_hosts[allow_any]", // 1.4 lets unknown hosts pass by a virtual host
        "removed virtual_hosts[details.default.svc.cluster.local:9080]",
        "removed virtual_hosts[productpage.default.svc.cluster.local:9080]",
        "removed virtual_hosts[reviews.default.svc.cluster.local:9080]",
        "added virtual_hosts[myreviews.bookinfo.svc.cluster.local:9080]",
        "added virtual_hosts[ratings.bookinfo.svc.cluster.local:9080]",
      ],
    });
    expect(comparison.notCompared.map(({ kind }) => kind)).toEqual(["endpointAssignment", "secret"]);
  });
});
