import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { EarlierRoutes } from "../../../src/trace/all-routes/earlier-routes.js";
import { matchRoute, routeInput, type RouteInput } from "../../../src/trace/route/route-match.js";
import { aContext, aRequest, aRoute, aRouteConfig } from "../requests.js";

const inputFor = (path: string, config: Message = aRouteConfig([])): RouteInput =>
  routeInput(config, aContext({ headers: aRequest({ path }) }));
const earlier = (routes: readonly Message[], left = 1000): EarlierRoutes => {
  const list = new EarlierRoutes({ left });
  for (const route of routes) list.add(route);
  return list;
};

describe("EarlierRoutes", () => {
  it("finds the first that takes a request", () => {
    const [a, b, rest] = [
      aRoute("a", { path: "/a" }),
      aRoute("b", { safe_regex: { regex: "/b.*" } }),
      aRoute("rest"),
    ];
    const list = earlier([a, b, rest]);
    expect(list.taker(inputFor("/a?q"))).toBe(a);
    expect(list.taker(inputFor("/b"))).toBe(b);
    expect(list.taker(inputFor("/c"))).toBe(rest);
    expect(earlier([a, b]).taker(inputFor("/c"))).toBeNull();
  });

  it("takes one for a fraction, or whose conditions are not known, for none that takes it", () => {
    const half = aRoute("a", { prefix: "/", runtime_fraction: { default_value: { numerator: 50 } } });
    const whole = aRoute("b", { prefix: "/", runtime_fraction: { default_value: { numerator: 100 } } });
    expect(earlier([half]).taker(inputFor("/"))).toBeNull();
    expect(earlier([half, whole]).taker(inputFor("/"))).toBe(whole);
    const unknownPath = aRoute("c", {});
    expect(earlier([unknownPath]).taker(inputFor("/"))).toBeNull();
  });

  it("gives up where too many would have to be tried", () => {
    const routes = Array.from({ length: 6 }, (_, index) =>
      aRoute("a", { prefix: "/", headers: [{ name: `x-${index}`, present_match: true }] }),
    );
    const list = earlier(routes, 10);
    expect(list.taker(inputFor("/"))).toBeNull();
    expect(list.taker(inputFor("/"))).toBeNull();
    expect(list.taker(inputFor("/"))).toBe("not known");
    // paths tell most routes apart without a try
    const paths = Array.from({ length: 1000 }, (_, index) => aRoute("a", { path: `/${index}` }));
    expect(earlier(paths, 1).taker(inputFor("/999"))).toBe(paths[999]);
  });

  it("finds the same as trying all of them in order", () => {
    const path = fc
      .string({ unit: fc.constantFrom(...Array.from("/aA;?x")), maxLength: 4 })
      .map((one) => `/${one}`);
    const match = fc.oneof(
      fc.record({ prefix: path, case_sensitive: fc.boolean() }),
      fc.record({ path, case_sensitive: fc.boolean() }),
      fc.record({ path_separated_prefix: path, case_sensitive: fc.boolean() }),
      fc.constantFrom({ safe_regex: { regex: "/a.*" } }, { connect_matcher: {} }),
    );
    fc.assert(
      fc.property(fc.array(match, { maxLength: 8 }), path, fc.boolean(), (matches, asked, ignores) => {
        const routes = matches.map((one) => aRoute("a", one));
        const config = aRouteConfig([], { ignore_path_parameters_in_path_matching: ignores });
        const input = inputFor(asked, config);
        const first = routes.find((route) => matchRoute(route, input).holds === true) ?? null;
        expect(earlier(routes).taker(input)).toBe(first);
      }),
      { numRuns: 500 },
    );
  });
});
