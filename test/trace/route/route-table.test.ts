import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { MatchContext } from "../../../src/trace/match-context.js";
import {
  nearMissesOf,
  nearMissList,
  resolveRoute,
  type RouteBranch,
  type RouteResolution,
} from "../../../src/trace/route/route-table.js";
import { aContext, aRequest, aRoute, aRouteConfig, type RequestParts } from "../requests.js";

const resolve = (
  config: Message,
  request: RequestParts = {},
  overrides: Partial<MatchContext> = {},
): RouteResolution => resolveRoute(config, aContext({ headers: aRequest(request), ...overrides }));

/** `cluster`, `301 location`, `no route`, ... */
function said({ result }: RouteBranch): string {
  if (result.kind !== "route") return result.kind;
  const { action } = result;
  if (action.kind === "forward") return action.cluster;
  return `${action.status} ${action.location ?? ""}`.trim();
}
const only = (resolution: RouteResolution): string => {
  expect(resolution.branches).toHaveLength(1);
  return said(resolution.branches[0]!);
};
const shares = ({ branches }: RouteResolution): Record<string, number | null> =>
  Object.fromEntries(branches.map((branch) => [said(branch), branch.share]));

const fraction = (numerator: number, denominator = "HUNDRED"): Message => ({
  prefix: "/",
  runtime_fraction: { default_value: { numerator, denominator } },
});
const split = (weights: readonly number[], overrides: Message = {}): Message => ({
  match: { prefix: "/" },
  route: {
    weighted_clusters: {
      clusters: weights.map((weight, index) => ({ name: `c${index}`, weight })),
      ...overrides,
    },
  },
});

describe("the route", () => {
  it("is the first that matches, not the best", () => {
    const config = aRouteConfig([aRoute("first", { prefix: "/a" }), aRoute("second", { path: "/ab" })]);
    expect(only(resolve(config, { path: "/ab" }))).toBe("first");
    expect(resolve(config, { path: "/ab" }).branches[0]?.result).toMatchObject({
      route: { name: "", index: 0, condition: "prefix /a" },
    });
  });

  it("is not looked for in another virtual host", () => {
    const config = {
      virtual_hosts: [
        { name: "a", domains: ["a.com"], routes: [aRoute("a", { prefix: "/a" })] },
        { name: "any", domains: ["*"], routes: [aRoute("any")] },
      ],
    };
    const resolution = resolve(config, { authority: "a.com", path: "/b" });
    expect(resolution.virtualHost).toMatchObject({ name: "a", domain: "a.com" });
    expect(resolution.branches).toMatchObject([{ share: 1, result: { kind: "no route" }, unknowns: [] }]);
    expect(only(resolve(config, { authority: "b.com", path: "/b" }))).toBe("any");
  });

  it("is none without a virtual host, or without a host", () => {
    const config = { virtual_hosts: [{ name: "a", domains: ["a.com"], routes: [aRoute("a")] }] };
    expect(resolve(config, { authority: "b.com" })).toMatchObject({
      virtualHost: null,
      branches: [{ result: { kind: "no route", because: "no virtual host has a domain for b.com" } }],
    });
    const hostless = resolveRoute(
      config,
      aContext({
        headers: [
          [":path", "/"],
          ["x-forwarded-proto", "http"],
        ],
      }),
    );
    expect(hostless.branches[0]?.result).toMatchObject({
      kind: "no route",
      because: "the request has no host",
    });
  });

  it("to a cluster that does not exist is the route all the same", () => {
    const config = aRouteConfig([aRoute("missing"), aRoute("second")]);
    expect(only(resolve(config))).toBe("missing");
  });

  it("with an optional plugin that Envoy lacks does not match", () => {
    const plugin = { extension: { name: "p", typed_config: { "@type": "x/Unknown" } }, is_optional: true };
    const config = aRouteConfig([
      { match: { prefix: "/" }, route: { inline_cluster_specifier_plugin: plugin } },
      aRoute("next"),
    ]);
    expect(only(resolve(config))).toBe("next");
  });

  it("is known where the cluster is not", () => {
    const plugin = { extension: { name: "p", typed_config: { "@type": "x/Unknown" } } };
    const config = aRouteConfig([
      { name: "r", match: { prefix: "/" }, route: { inline_cluster_specifier_plugin: plugin } },
    ]);
    expect(resolve(config).branches).toMatchObject([
      {
        share: null,
        result: { kind: "unknown", route: { name: "r", index: 0 } },
        unknowns: [{ reason: "code" }],
      },
    ]);
  });

  it("may redirect or answer", () => {
    expect(only(resolve(aRouteConfig([{ match: { prefix: "/" }, redirect: { host_redirect: "b" } }])))).toBe(
      "301 http://b/",
    );
    expect(only(resolve(aRouteConfig([{ match: { prefix: "/" }, direct_response: { status: 204 } }])))).toBe(
      "204",
    );
  });
});

describe("require_tls", () => {
  const config = (require_tls: string | number): Message => ({
    virtual_hosts: [
      {
        name: "v",
        domains: ["*"],
        require_tls,
        routes: [{ match: { prefix: "/" }, redirect: { host_redirect: "elsewhere" } }],
      },
    ],
  });
  const internal = [["x-envoy-internal", "true"]] as const;

  it.each([
    { tls: "ALL", request: {}, redirected: true, because: "plain" },
    { tls: 2, request: {}, redirected: true, because: "as a number" },
    { tls: "ALL", request: { forwardedProto: "https" }, redirected: false, because: "https" },
    { tls: "ALL", request: { forwardedProto: "HTTPS" }, redirected: true, because: "compared exactly" },
    { tls: "ALL", request: { headers: internal }, redirected: true, because: "internal requests, too" },
    { tls: "EXTERNAL_ONLY", request: {}, redirected: true, because: "external" },
    { tls: "EXTERNAL_ONLY", request: { headers: internal }, redirected: false, because: "internal" },
    { tls: "NONE", request: {}, redirected: false, because: "nothing is asked" },
  ])("$tls for $request: $because", ({ tls, request, redirected }) => {
    const [branch] = resolve(config(tls), { authority: "a.com:80", path: "/x?y", ...request }).branches;
    expect(branch?.result).toMatchObject(
      redirected
        ? { kind: "TLS redirect", status: 301, location: "https://a.com:80/x?y" }
        : { kind: "route" },
    );
  });

  it("without x-forwarded-proto there is no route", () => {
    expect(resolve(config("NONE"), { forwardedProto: "" }).branches[0]?.result.kind).toBe("no route");
  });
});

describe("the random number", () => {
  it("that is not given makes branches, with their shares", () => {
    expect(shares(resolve(aRouteConfig([split([1, 3])])))).toEqual({ c0: 0.25, c1: 0.75 });
    expect(shares(resolve(aRouteConfig([aRoute("some", fraction(30)), aRoute("rest")])))).toEqual({
      some: 0.3,
      rest: 0.7,
    });
    expect(shares(resolve(aRouteConfig([aRoute("some", fraction(30))])))).toEqual({
      some: 0.3,
      "no route": 0.7,
    });
  });

  it("is one number for all of them: two fractions of 30 % are one", () => {
    const config = aRouteConfig([
      aRoute("first", fraction(30)),
      aRoute("never", fraction(30)),
      aRoute("rest"),
    ]);
    expect(shares(resolve(config))).toEqual({ first: 0.3, rest: 0.7 });
  });

  it("is one number for a fraction and the weights behind it", () => {
    const config = aRouteConfig([{ ...split([50, 50]), match: fraction(30) }, aRoute("rest")]);
    expect(shares(resolve(config))).toEqual({ c0: 0.3, rest: 0.7 });
    const other = aRouteConfig([{ ...split([1, 1]), match: fraction(30) }, aRoute("rest")]);
    expect(shares(resolve(other))).toEqual({ c0: 0.15, c1: 0.15, rest: 0.7 });
  });

  it("that is given decides", () => {
    const config = aRouteConfig([aRoute("some", fraction(30)), split([0, 1, 9])]);
    expect(only(resolve(config, {}, { random: 29n }))).toBe("some");
    expect(only(resolve(config, {}, { random: 30n }))).toBe("c1");
    expect(only(resolve(config, {}, { random: 31n }))).toBe("c2");
    expect(resolve(config, {}, { random: 31n }).branches[0]?.share).toBe(1);
  });

  it("does not matter where a header has one", () => {
    const config = aRouteConfig([split([40, 40], { header_name: "h" })]);
    expect(only(resolve(config, { headers: [["h", "10"]] }, { random: 60n }))).toBe("c0");
    expect(
      only(
        resolve(
          config,
          {
            headers: [
              ["h", "10"],
              ["h", "10"],
            ],
          },
          { random: 60n },
        ),
      ),
    ).toBe("c1");
  });

  it("does not matter where a hash chooses: which cluster is unknown", () => {
    const route = split([1, 1], { use_hash_policy: true });
    const hashed = {
      ...route,
      route: { ...(route["route"] as Message), hash_policy: [{ header: { header_name: "x" } }] },
    };
    const { branches } = resolve(aRouteConfig([hashed]), { headers: [["x", "v"]] }, { random: 5n });
    expect(branches).toMatchObject([
      { share: null, unknowns: [{ reason: "random" }] },
      { share: null, unknowns: [{ reason: "random" }] },
    ]);
  });

  it("whose residues are too many to count leaves shares unknown", () => {
    const config = aRouteConfig([
      aRoute("a", fraction(1, "MILLION")),
      aRoute("b", fraction(33)),
      split([999_983, 1]),
      split([1, 1]),
    ]);
    const { branches } = resolve(config);
    expect(branches.map(said)).toContain("c1");
    expect(branches.some(({ share, unknowns }) => share === null && unknowns[0]?.reason === "random")).toBe(
      true,
    );
  });

  it("makes shares that sum to 1 and are those of many draws (a law)", () => {
    const weights = fc
      .array(fc.nat(5), { minLength: 1, maxLength: 3 })
      .filter((list) => list.some((weight) => weight > 0));
    const route = fc.oneof(
      fc.nat(100).map((numerator) => aRoute(`f${numerator}`, fraction(numerator))),
      fc
        .tuple(weights, fc.nat(100))
        .map(([list, numerator]): Message => ({ ...split(list), match: fraction(numerator) })),
    );
    fc.assert(
      fc.property(fc.array(route, { maxLength: 4 }), weights, (routes, last) => {
        const config = aRouteConfig([...routes, split(last)]);
        const { branches } = resolve(config);
        const total = branches.reduce((sum, { share }) => sum + (share ?? NaN), 0);
        expect(total).toBeCloseTo(1, 9);
        const predicted = new Map<string, number>();
        for (const branch of branches)
          predicted.set(said(branch), (predicted.get(said(branch)) ?? 0) + (branch.share ?? 0));
        const drawn = new Map<string, number>();
        const period = 300; // draws that cover 100 and small totals evenly enough
        for (let number = 0; number < period; number++) {
          const cluster = only(resolve(config, {}, { random: BigInt(number) }));
          drawn.set(cluster, (drawn.get(cluster) ?? 0) + 1 / period);
        }
        for (const [cluster, share] of drawn) {
          expect(predicted.get(cluster)).toBeGreaterThan(0);
          expect(Math.abs(share - (predicted.get(cluster) ?? 0))).toBeLessThan(0.1);
        }
      }),
      { numRuns: 60, seed: 7 },
    );
  });
});

describe("what is not known", () => {
  const maybe = aRoute("maybe", {
    prefix: "/",
    dynamic_metadata: [{ filter: "f", path: [{ key: "k" }], value: { bool_match: true } }],
  });

  it("makes a branch for each way, without shares", () => {
    const { branches } = resolve(aRouteConfig([maybe, aRoute("else")]), {}, { isComplete: false });
    expect(branches.map(said)).toEqual(["maybe", "else"]);
    expect(branches).toMatchObject([
      { share: null, unknowns: [{ reason: "dynamic metadata" }] },
      { share: null, unknowns: [{ reason: "dynamic metadata" }] },
    ]);
  });

  it("does not matter behind a route that takes the request", () => {
    const { branches } = resolve(aRouteConfig([aRoute("first"), maybe]), {}, { isComplete: false });
    expect(branches).toMatchObject([{ share: 1, unknowns: [] }]);
  });

  it("does not matter where another condition fails", () => {
    const { branches } = resolve(aRouteConfig([maybe, aRoute("else")]), {}, { isComplete: true });
    expect(branches.map(said)).toEqual(["else"]);
  });

  it("ends somewhere", () => {
    const many = aRouteConfig(Array.from({ length: 1000 }, () => maybe));
    const { branches } = resolve(many, {}, { isComplete: false });
    expect(branches.length).toBeLessThan(300);
    expect(branches.at(-1)).toMatchObject({ result: { kind: "unknown" }, unknowns: [{ reason: "limit" }] });
  });
});

it("more clusters than are followed end in one branch that is unknown", () => {
  const { branches } = resolve(aRouteConfig([split(Array.from({ length: 1000 }, () => 1))]));
  expect(branches.at(0)).toMatchObject({ share: 0.001, unknowns: [] });
  expect(branches.at(-1)).toMatchObject({ share: null, unknowns: [{ reason: "limit" }] });
  expect(branches.filter(({ result }) => result.kind === "unknown")).toHaveLength(1);
  expect(resolve(aRouteConfig([split([1, 1])])).branches.every(({ share }) => share === 0.5)).toBe(true);
});

describe("configurations that Envoy would have refused", () => {
  it.each([
    {
      because: "a domain stands twice",
      config: { virtual_hosts: [{ name: "a", domains: ["a.com", "A.com"], routes: [aRoute("a")] }] },
    },
    {
      because: "routes and a matcher",
      config: { virtual_hosts: [{ name: "a", domains: ["*"], routes: [aRoute("a")], matcher: {} }] },
    },
    { because: "weights of 0", config: aRouteConfig([split([0])]) },
  ])("are unknown: $because", ({ config }) => {
    expect(resolve(config).branches).toMatchObject([
      { result: { kind: "unknown" }, unknowns: [{ reason: "expression" }] },
    ]);
  });

  it.each([
    {},
    { virtual_hosts: "x" },
    { virtual_hosts: [{ domains: ["*"], routes: "x" }] },
    { virtual_hosts: [null] },
  ])("of other shapes throw nothing: %j", (config) => {
    expect(resolve(config).branches[0]?.result.kind).toBe("no route");
  });
});

describe("a matcher tree", () => {
  const action = (type: string, config: Message): Message => ({
    action: {
      name: "a",
      typed_config: { "@type": `type.googleapis.com/envoy.config.route.v3.${type}`, ...config },
    },
  });
  const config = (map: Message, on_no_match?: Message): Message => ({
    virtual_hosts: [
      {
        name: "v",
        domains: ["*"],
        matcher: {
          matcher_tree: {
            input: {
              typed_config: {
                "@type": "x/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
                header_name: "x",
              },
            },
            exact_match_map: { map },
          },
          ...(on_no_match === undefined ? {} : { on_no_match }),
        },
      },
    ],
  });
  const tree = config({
    one: action("Route", aRoute("one", { prefix: "/one" })),
    list: action("RouteList", { routes: [aRoute("first", { prefix: "/first" }), aRoute("second")] }),
  });

  it.each([
    { header: "one", path: "/one", led: "one" },
    { header: "one", path: "/two", led: "no route" },
    { header: "list", path: "/first", led: "first" },
    { header: "list", path: "/x", led: "second" },
    { header: "none", path: "/x", led: "no route" },
  ])("with $header and $path leads to $led", ({ header, path, led }) => {
    expect(only(resolve(tree, { path, headers: [["x", header]] }))).toBe(led);
  });

  it("has no way back: the route's own condition has to hold", () => {
    const rest = action("Route", aRoute("rest"));
    const own = config({ one: action("Route", aRoute("one", { prefix: "/one" })) }, rest);
    expect(only(resolve(own, { path: "/two", headers: [["x", "one"]] }))).toBe("no route");
    expect(only(resolve(own, { path: "/two" }))).toBe("rest");
  });
});

describe("near misses", () => {
  const config = {
    virtual_hosts: [
      {
        name: "a",
        domains: ["a.com"],
        routes: [
          aRoute("v2", { prefix: "/", headers: [{ name: "v", string_match: { exact: "2" } }] }),
          aRoute("v1"),
        ],
      },
      { name: "b", domains: ["b.com:80"], routes: [aRoute("b")] },
    ],
  };

  it("tell of virtual hosts and of routes", () => {
    const context = aContext({ headers: aRequest({ authority: "a.com" }) });
    const misses = nearMissesOf(config, resolveRoute(config, context), context);
    expect(nearMissList(misses)).toEqual([
      {
        what: "route",
        name: "route 1",
        because: 'all but one of its conditions hold: header v exact "2" does not',
      },
    ]);
    const other = aContext({ headers: aRequest({ authority: "b.com" }) });
    expect(nearMissList(nearMissesOf(config, resolveRoute(config, other), other))).toEqual([
      {
        what: "virtual host",
        name: "b",
        because: "its domain b.com:80 would match with the port: b.com has none",
      },
    ]);
  });
});
