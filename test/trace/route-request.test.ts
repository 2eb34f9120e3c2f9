import { describe, expect, it } from "vitest";
import fc from "fast-check";

import type { Message } from "../../src/snapshot/message.js";
import { headerValue, type HeaderList } from "../../src/trace/request.js";
import { evading, requestFor } from "../../src/trace/route-request.js";
import { matchRoute, routeInput } from "../../src/trace/route/route-match.js";
import { chooseVirtualHost } from "../../src/trace/route/virtual-host.js";
import { aContext, aRouteConfig } from "./requests.js";

const of = (match: Message, domains: readonly string[] = ["*"], others: readonly Message[] = []) => {
  const route = { match, route: { cluster: "a" } };
  const virtualHost = { name: "own", domains, routes: [route] };
  const config = aRouteConfig([], { virtual_hosts: [virtualHost, ...others] });
  return { config, virtualHost, route, request: requestFor(config, virtualHost, route, aContext()) };
};
const made = (match: Message, domains?: readonly string[], others?: readonly Message[]): HeaderList => {
  const { request } = of(match, domains, others);
  if (request.kind === "none") throw new Error(request.because);
  return request.headers;
};
const reason = (match: Message, domains?: readonly string[], others?: readonly Message[]): string => {
  const { request } = of(match, domains, others);
  return request.kind === "none" ? request.because : "";
};
const pathOf = (match: Message): string | undefined => headerValue(made(match), ":path");

describe("requestFor", () => {
  it("asks for no more than the route does", () => {
    expect(made({ prefix: "/" }, ["reviews"])).toEqual([
      [":method", "GET"],
      [":scheme", "http"],
      [":authority", "reviews"],
      [":path", "/"],
      ["x-forwarded-proto", "http"],
    ]);
  });

  it.each([
    [{ prefix: "/a" }, "/a"],
    [{ prefix: "" }, "/"],
    [{ path: "/a/b" }, "/a/b"],
    [{ path_separated_prefix: "/a" }, "/a"],
    [{ safe_regex: { regex: "/v[0-9]+/(users|items)(/.*)?" } }, "/v1/users"],
    [{ safe_regex: { regex: "/[a-z]{3}/\\d{2,4}\\.json" } }, "/xxx/11.json"],
    [{ safe_regex: { regex: "(?i)/(?P<name>\\w+)$" } }, "/x"],
    [
      {
        path_match_policy: {
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
            path_template: "/api/{version=*}/**",
          },
        },
      },
      "/api/x/x",
    ],
    [{ prefix: "/", query_parameters: [{ name: "q", string_match: { prefix: "a" } }] }, "/?q=a"],
    [{ prefix: "/", query_parameters: [{ name: "q", present_match: false }] }, "/"],
  ])("finds a path for %j", (match, path) => {
    expect(pathOf(match)).toBe(path);
  });

  it("makes a CONNECT request without a path", () => {
    const headers = made({ connect_matcher: {} });
    expect(headerValue(headers, ":method")).toBe("CONNECT");
    expect(headerValue(headers, ":path")).toBeUndefined();
  });

  it.each([
    [{ name: "x", string_match: { exact: "a" } }, "a"],
    [{ name: "x", string_match: { safe_regex: { regex: "v[12]" } } }, "v1"],
    [{ name: "x", present_match: true }, "x"],
    [{ name: "x", present_match: true, invert_match: true }, undefined],
    [{ name: "x", string_match: { exact: "a" }, invert_match: true }, "not-a"],
    [{ name: "x", range_match: { start: "5", end: "7" } }, "5"],
    [{ name: "x", range_match: { start: 5, end: 7 }, invert_match: true }, "7"],
    [{ name: "x", prefix_match: "old" }, "old"],
    [{ name: ":method", string_match: { exact: "POST" } }, undefined],
  ])("has the header that %j asks for", (matcher, value) => {
    expect(headerValue(made({ prefix: "/", headers: [matcher] }), "x")).toBe(value);
  });

  it("has one value for all conditions of a header", () => {
    const headers = [
      { name: "x", string_match: { prefix: "a" } },
      { name: "x", string_match: { exact: "a" }, invert_match: true },
      { name: "x", string_match: { exact: "ab" } },
    ];
    expect(headerValue(made({ prefix: "/", headers }), "x")).toBe("ab");
    const [first, second] = headers;
    const contradiction = [first, { ...second, invert_match: false }, { ...second, invert_match: true }];
    expect(reason({ prefix: "/", headers: contradiction })).toBe(
      'no request was found for header x prefix "a"',
    );
  });

  it("has cookies, and the content type of gRPC", () => {
    const headers = made({
      prefix: "/",
      grpc: {},
      cookies: [
        { name: "a", string_match: { exact: "1" } },
        { name: "b", string_match: { exact: "1" }, invert_match: true },
      ],
    });
    expect(headerValue(headers, "cookie")).toBe("a=1");
    expect(headerValue(headers, "content-type")).toBe("application/grpc");
  });

  it("takes for granted what is not the request's", () => {
    const match = {
      prefix: "/",
      tls_context: { presented: true },
      dynamic_metadata: [{ filter: "a", path: [{ key: "b" }], value: { present_match: true } }],
      filter_state: [{ key: "a", string_match: { exact: "b" } }],
    };
    expect(made(match)).toEqual(made({ prefix: "/" }));
  });

  it("comes by a domain that no other virtual host takes from it", () => {
    const other = (domain: string): Message => ({ name: domain, domains: [domain], routes: [] });
    const authority = (domains: readonly string[], ...others: readonly string[]): string | undefined =>
      headerValue(made({ prefix: "/" }, domains, others.map(other)), ":authority");
    expect(authority(["*"], "host.example")).toBe("other.invalid");
    expect(authority(["*.a.com"], "any.a.com")).toBe("some-other.a.com");
    expect(authority(["a.*"], "a.com")).toBe("a.host.example");
    expect(reason({ prefix: "/" }, ["*.com"], ["any.com", "some-other.com", "x7.com"].map(other))).toBe(
      "other virtual hosts take every request for its domains",
    );
  });

  it("says for what it finds none", () => {
    expect(reason({ safe_regex: { regex: "a.*" } })).toBe("no path was found for safe_regex a.*");
    expect(reason({ prefix: "/", headers: [{ name: ":path", string_match: { exact: "x" } }] })).toBe(
      "no request was found for prefix /",
    );
    expect(reason({})).toBe("no path was found for none ");
  });

  it("has others with other paths", () => {
    const { request } = of({ prefix: "/a" });
    const paths =
      request.kind === "none" ? [] : [...request.others()].map((one) => headerValue(one, ":path"));
    expect(paths).toEqual(["/ax", "/a/x"]);
    const { request: exact } = of({ path: "/a" });
    expect(exact.kind === "none" ? null : [...exact.others()]).toEqual([]);
  });

  const word = fc.string({ unit: fc.constantFrom(...Array.from("ab1-.")), minLength: 1, maxLength: 5 });
  const stringMatch = fc.oneof(
    ...["exact", "prefix", "suffix", "contains"].map((kind) =>
      fc.record({ [kind]: word, ignore_case: fc.boolean() }),
    ),
    fc.constantFrom(
      { safe_regex: { regex: "[a-f]+(-[0-9]{1,3})?" } },
      { safe_regex: { regex: "a|b.*c" } },
      { safe_regex: { regex: "\\d+\\.\\d+" } },
    ),
  );
  const header = fc.oneof(
    fc.record({
      name: fc.constantFrom("x-a", "x-b", "X-C"),
      string_match: stringMatch,
      invert_match: fc.boolean(),
    }),
    fc.record({
      name: fc.constantFrom("x-d", "x-e"),
      present_match: fc.boolean(),
      invert_match: fc.boolean(),
    }),
    fc.record({
      name: fc.constant("x-f"),
      range_match: fc.record({ start: fc.integer({ min: -5, max: 5 }), end: fc.integer({ min: 6, max: 9 }) }),
      invert_match: fc.boolean(),
    }),
    fc.record({
      name: fc.constant(":method"),
      string_match: fc.constantFrom({ exact: "GET" }, { exact: "PATCH" }),
      invert_match: fc.boolean(),
    }),
  );
  const path = word.map((one) => `/${one}`);
  const specifier = fc.oneof(
    path.map((prefix) => ({ prefix })),
    path.map((one) => ({ path: one, case_sensitive: false })),
    path.map((path_separated_prefix) => ({ path_separated_prefix })),
    fc.constantFrom({ safe_regex: { regex: "/(a|b)/[^/]+(/.*)?" } }, { safe_regex: { regex: "/.*\\.php" } }),
    fc.constant({ connect_matcher: {} }),
  );
  const unlikeNames = (list: readonly { readonly name: string }[]): boolean =>
    new Set(list.map(({ name }) => name)).size === list.length;
  const match = fc
    .record(
      {
        headers: fc.array(header, { maxLength: 4 }).filter(unlikeNames),
        query_parameters: fc
          .array(fc.record({ name: fc.constantFrom("p", "q"), string_match: stringMatch }), { maxLength: 2 })
          .filter(unlikeNames),
        cookies: fc
          .array(
            fc.record({
              name: fc.constantFrom("c", "d"),
              string_match: stringMatch,
              invert_match: fc.boolean(),
            }),
            { maxLength: 2 },
          )
          .filter(unlikeNames),
        grpc: fc.constant({}),
      },
      { requiredKeys: [] },
    )
    .chain((conditions) => specifier.map((one): Message => ({ ...conditions, ...one })));

  it("makes a request that the route matches and its virtual host gets", () => {
    let found = 0;
    let tried = 0;
    fc.assert(
      fc.property(match, fc.constantFrom("*", "a.com", "*.a.com", "a.*"), (one, domain) => {
        tried++;
        const { config, virtualHost, route, request } = of(one, [domain]);
        if (request.kind === "none") return;
        found++;
        for (const headers of [request.headers, ...request.others()]) {
          const context = aContext({ headers });
          expect(matchRoute(route, routeInput(config, context)).holds).toBe(true);
          expect(chooseVirtualHost(config, headers)?.virtualHost).toBe(virtualHost);
        }
      }),
      { numRuns: 500 },
    );
    // CONNECT has neither query nor, by a condition on the method, another method
    expect(found / tried).toBeGreaterThan(0.8);
  });
});

describe("evading", () => {
  const evaded = (taker: Message, route: Message = { prefix: "/" }, headers: HeaderList = []): unknown => {
    const request: HeaderList = [[":method", "GET"], [":path", "/"], ...headers];
    return evading(request, { match: taker }, { match: route }, aContext());
  };
  const x = { name: "x", string_match: { exact: "1" } };
  it("takes away the header that the other route wants, or adds the one that it excludes", () => {
    expect(evaded({ prefix: "/", headers: [x] }, undefined, [["x", "1"]])).toEqual([
      [":method", "GET"],
      [":path", "/"],
    ]);
    expect(evaded({ prefix: "/", headers: [{ name: "x", present_match: false }] })).toEqual([
      [":method", "GET"],
      [":path", "/"],
      ["x", "x"],
    ]);
  });
  it("takes another method", () => {
    const get = { name: ":method", string_match: { exact: "GET" } };
    expect(evaded({ prefix: "/", headers: [get] })).toEqual([
      [":method", "POST"],
      [":path", "/"],
    ]);
  });
  it("leaves alone what the route itself asks for, and finds nothing where nothing tells them apart", () => {
    expect(evaded({ prefix: "/", headers: [x] }, { prefix: "/", headers: [x] }, [["x", "1"]])).toBeNull();
    expect(evaded({ prefix: "/" })).toBeNull();
  });
});
