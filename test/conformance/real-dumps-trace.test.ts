/**
 * Requests through dumps that others took of real proxies (the corpus' istioctl/): what comes of them can be read off the
 * dumps, most of which are cut down to a few resources.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { corpus, everythingIsRequired } from "../support/builders.js";
import { inProcess } from "../support/in-process.js";

const folder = join(corpus, "istioctl");
const isAbsent = !existsSync(folder) && !everythingIsRequired;

const described = "release-1.6/cmd/testdata/describe";
const waypoint = "proxyconfig/testdata/config_dump.json";
const compared = "release-1.6/writer/compare/testdata";

interface Asked {
  readonly dump: string;
  readonly args: readonly string[];
  readonly outcome: string;
  /** Listener, virtual host, cluster; "-" for what is not reached. */
  readonly hop: string;
  readonly because: string;
}

/** Of the listeners there are two. */
const cutDown = (dump: string): Asked => ({
  dump,
  args: ["http://istio-policy.istio-system:15004/"],
  outcome: "closed",
  hop: "- - -",
  because: "the dump has no virtualOutbound",
});

const requests: readonly Asked[] = [
  {
    dump: `${described}/productpage-v1-c7765c886-v99jb.json`,
    args: ["http://productpage:9080/productpage"],
    outcome: "unknown",
    hop: "0.0.0.0_9080 productpage.default.svc.cluster.local:9080 outbound|9080||productpage.default.svc.cluster.local",
    because: "Mixer is asked, and the dump has no endpoints",
  },
  {
    dump: `${described}/productpage-v1-c7765c886-v99jb.json`,
    args: ["http://bookinfo.com/"],
    outcome: "endpoint",
    hop: "virtualOutbound - PassthroughCluster",
    because: "no listener is for port 80",
  },
  {
    dump: `${described}/ratings-v1-f745cf57b-vfwcv.json`,
    args: ["http://productpage:9080/productpage"],
    outcome: "404 NR route_not_found",
    hop: "0.0.0.0_9080 - -",
    because: "its namespace has no such service",
  },
  {
    dump: `${described}/istio-ingressgateway-5bf6c9887-vvvmj.json`,
    args: ["http://bookinfo.com/productpage"],
    outcome: "unknown",
    hop: "0.0.0.0_80 *:80 outbound|9080|v1|productpage.default.svc.cluster.local",
    because: "the bootstrap cannot be read, and the listeners are a gateway's; the dump has no endpoints",
  },
  {
    dump: `release-1.4/cmd/testdata/describe/istio-ingressgateway-5bf6c9887-vvvmj.json`,
    args: ["http://bookinfo.com:9080/productpage"],
    outcome: "closed",
    hop: "- - -",
    because: "nothing listens on 9080",
  },
  {
    dump: waypoint,
    args: ["http://httpbin:8000/get", "--original-dst", "10.104.171.68:8000"],
    outcome: "unknown",
    hop: "main_internal inbound|http|8000 inbound-vip|8000|http|httpbin.default.svc.cluster.local",
    because: "of that service, whose endpoints the dump does not have",
  },
  {
    dump: waypoint,
    args: ["http://httpbin:8000/get", "--original-dst", "192.168.195.248:8080"],
    outcome: "503 NC cluster_not_found",
    hop: "main_internal inbound|http|0 encap",
    because: "of a pod, by a cluster that the dump does not have",
  },
  {
    dump: waypoint,
    args: ["http://httpbin:8000/get", "--original-dst", "10.104.171.69:8000"],
    outcome: "closed NR filter_chain_not_found",
    hop: "main_internal - -",
    because: "of no service of the waypoint",
  },
  {
    dump: waypoint,
    args: ["http://httpbin:8000/get"],
    outcome: "unknown",
    hop: "",
    because: "nothing tells the service's address",
  },
  {
    dump: "writer/compare/testdata/configdump.json",
    args: ["http://details:9080/", "--original-dst", "10.96.1.201:9080"],
    outcome: "503 NC cluster_not_found",
    hop: "main_internal inbound|http|9080 inbound-vip|9080|http|details.default.svc.cluster.local",
    because: "no bootstrap, but a waypoint's listeners; the dump has ratings' cluster alone",
  },
  {
    dump: "authz/testdata/configdump.yaml",
    args: ["http://httpbin/", "--original-dst", "10.0.0.1:80"],
    outcome: "unknown",
    hop: "0.0.0.0_80 - -",
    because: "no bootstrap, but a sidecar's listeners; the dump has no routes",
  },
  {
    dump: "authz/testdata/configdump.yaml",
    args: ["http://httpbin/", "--direction", "inbound"],
    outcome: "403 rbac_access_denied_matched_policy[none]",
    hop: "virtualInbound inbound|http|8000 inbound|80||",
    because: "its policies let nobody through without a certificate",
  },
  ...["envoyconfigdump.json", "diffenvoyconfigdump.json"].map((file) => cutDown(`${compared}/${file}`)),
  cutDown("release-1.6/writer/compare/sds/testdata/envoyconfigdumpsds.json"),
];

interface Answer {
  readonly outcome: {
    readonly kind: string;
    readonly status: number | null;
    readonly responseFlags: readonly string[];
    readonly detail: string;
  };
  readonly hops: readonly {
    readonly listener: { readonly name: string } | null;
    readonly virtualHost: string | null;
    readonly cluster: string | null;
  }[];
}

const inShort = ({ outcome: { kind, status, responseFlags, detail } }: Answer): string =>
  kind === "failure"
    ? [status ?? "closed", ...responseFlags, detail].filter((part) => part !== "").join(" ")
    : kind;

describe.skipIf(isAbsent)("a request through a real dump", () => {
  it.each(requests)("$dump $args: $outcome, $because", async ({ dump, args, outcome, hop }) => {
    const { stdout, code } = await inProcess(["trace", "-f", join(folder, dump), "-o", "json", ...args]);
    const answer = JSON.parse(stdout) as Answer;
    expect(inShort(answer)).toBe(outcome);
    const [first, ...more] = answer.hops;
    expect(more).toEqual([]);
    const parts = [first?.listener?.name, first?.virtualHost, first?.cluster];
    expect(first === undefined ? "" : parts.map((part) => part ?? "-").join(" ")).toBe(hop);
    expect(code).toBe(["endpoint", "unknown"].includes(outcome) ? 0 : 1);
  });
});
