/** What the facts say and no request can show on this Envoy; tests of pure functions hold it instead. */

export interface NotDriven {
  /** The number in section 12 of the facts, or a section. */
  readonly facts: string;
  readonly because: string;
  /** The folder of tests that holds it. */
  readonly heldBy: string;
}

export const notDriven: readonly NotDriven[] = [
  {
    facts: "12 #43, with a random number of 0",
    because: "nobody can give Envoy the number that it draws; driven by header_name instead, and by shares",
    heldBy: "test/trace/route",
  },
  {
    facts: "12 #44, the random number 60",
    because: "nobody can give Envoy the number that it draws; the two lines are driven by shares",
    heldBy: "test/trace/route",
  },
  {
    facts: "12 #60, for the network filter",
    because: "this Envoy refuses header rules in the network RBAC filter (see refusals.ts)",
    heldBy: "test/trace/filters",
  },
  {
    facts: "12 #23",
    because: "Envoy refuses the configuration: shown by refusals.ts, not by a request",
    heldBy: "test/trace/scenarios/refusals.ts",
  },
  {
    facts: "12 #32, the fragment in its path",
    because: "this Envoy answers a path with a fragment by 400 before it looks for a route",
    heldBy: "test/trace/route",
  },
  {
    facts: "2.1, which of two bound addresses the kernel takes",
    because: "the kernel decides it, and Envoy's configuration does not show in it",
    heldBy: "test/trace/listener",
  },
  {
    facts: "2.2, SO_ORIGINAL_DST",
    because: "it needs iptables; PROXY protocol restores the address instead",
    heldBy: "test/trace/listener",
  },
  {
    facts: "rules of other releases ([2020], [newer])",
    because: "one Envoy has one version",
    heldBy: "test/trace",
  },
  {
    facts: "9.2, ejected hosts and active health checks",
    because: "they are the state of a running Envoy, which takes time to come about; EDS health is driven",
    heldBy: "test/trace/cluster",
  },
  {
    facts: "3.3, filter state that a listener filter sets",
    because: "this Envoy has no such listener filter; that nobody sets it is driven",
    heldBy: "test/trace/listener",
  },
  {
    facts: "8, proxies of Redis, Thrift and other protocols",
    because: "the rig has no clients and servers of them",
    heldBy: "test/trace/network",
  },
  {
    facts: "10.4, valid tokens",
    because: "a trace never checks a signature",
    heldBy: "test/trace/filters",
  },
  {
    facts: "10.2, a connection on which nothing is sent",
    because: "nothing is logged that tells it from an allowed one until it ends",
    heldBy: "test/trace/network",
  },
  {
    facts: "4.3, 9.3: normalize_path and the panic threshold by runtime",
    because: "their keys are for the whole Envoy, which all scenarios share",
    heldBy: "test/trace/http, test/trace/cluster",
  },
  {
    facts: "7.1: a matcher plugin by something else than headers",
    because: "Envoy 1.36.4 ends with a segmentation fault at the first request",
    heldBy: "test/trace/matchers",
  },
  {
    facts: "4.2: HTTP/2 requests without a host or without a path",
    because: "the client that we have fills them in",
    heldBy: "test/trace/http",
  },
  {
    facts: "11",
    because: "it is about the router check tool, which is no Envoy",
    heldBy: "test/trace",
  },
];
