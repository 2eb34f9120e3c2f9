import { describe, expect, it } from "vitest";

import { UserError } from "../../src/shared/errors.js";
import { checkRoutes, isRouterCheck, type CheckedRoute } from "../../src/trace/router-check.js";

const config = `
virtual_hosts:
- name: www
  domains: ["*"]
  routes:
  - match: {prefix: /old}
    route: {cluster: new, prefixRewrite: /new, hostRewriteLiteral: new.com, timeout: {seconds: 30}}
    requestHeadersToAdd:
    - header: {key: x-client, value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}
    response_headers_to_add:
    - header: {key: x-route, value: "old"}
  - match: {prefix: /moved}
    redirect: {host_redirect: other.com, prefix_rewrite: /to}
  - match: {prefix: /hi}
    direct_response: {status: 200, body: {inline_string: hi}}
  - match:
      prefix: /some
      runtime_fraction: {runtime_key: on, default_value: {numerator: 30}}
    route: {cluster: some}
  - match:
      prefix: /zero
      runtime_fraction: {runtime_key: on, default_value: {numerator: 0}}
    route: {cluster: zero}
  - match:
      prefix: /meta
      dynamic_metadata: [{filter: f, path: [{key: a}, {key: b}], value: {string_match: {exact: v}}}]
    route: {cluster: meta}
  - match: {prefix: /weights}
    route: {weighted_clusters: {clusters: [{name: c0, weight: 40}, {name: c1, weight: 60}]}}
  - match: {prefix: /}
    route: {cluster: rest}
  virtual_clusters:
  - name: renamed
    headers: [{name: ":path", string_match: {prefix: /new}}]
`;

interface Test {
  readonly input?: Readonly<Record<string, unknown>>;
  readonly validate?: Readonly<Record<string, unknown>>;
}
const base = { authority: "a.com", path: "/", method: "GET" };
const checked = ({ input = {}, validate = {} }: Test, own = config): CheckedRoute => {
  const tests = JSON.stringify({ tests: [{ test_name: "t", input: { ...base, ...input }, validate }] });
  return checkRoutes(own, tests)[0]!;
};
const failing = (test: Test): string[] =>
  checked(test)
    .fields.filter(({ passed }) => !passed)
    .map(({ field, expected, actual }) => `${field}: ${expected} / ${actual}`);

describe("what a test asserts", () => {
  it.each([
    { what: "a cluster", input: {}, validate: { cluster_name: "rest" } },
    {
      what: "the virtual host, and that none of its virtual clusters is meant",
      input: {},
      validate: { virtual_host_name: "www", virtual_cluster_name: "other" },
    },
    {
      what: "the path after the rewrite, by which virtual clusters are found",
      input: { path: "/old/a?b" },
      validate: { path_rewrite: "/new/a?b", host_rewrite: "new.com", virtual_cluster_name: "renamed" },
    },
    {
      what: "the path where nothing rewrites it",
      input: { path: "/x" },
      validate: { path_rewrite: "/x", host_rewrite: "a.com", path_redirect: "", code_redirect: 0 },
    },
    {
      what: "headers of the request",
      input: { path: "/old" },
      validate: {
        request_header_matches: [
          { name: "x-client", string_match: { exact: "127.0.0.1" } },
          { name: "x-envoy-original-path", string_match: { exact: "/old" } },
        ],
        request_header_fields: [
          { key: "X-Client", value: "127.0.0.1" },
          { key: "absent", value: "" },
        ],
      },
    },
    {
      what: "headers of the response",
      input: { path: "/old", additional_response_headers: [{ key: "X-Own", value: "1" }] },
      validate: {
        response_header_matches: [{ name: "x-route", stringMatch: { exact: "old" } }, { name: "x-own" }],
        response_header_fields: [{ key: "x-route", value: "old" }],
      },
    },
    {
      what: "a redirect, which has no cluster",
      input: { path: "/moved/a", ssl: true },
      validate: {
        path_redirect: "https://other.com/to/a",
        code_redirect: 301,
        cluster_name: "",
        virtual_host_name: "",
        path_rewrite: "",
      },
    },
    {
      what: "a direct response, with its own URL",
      input: { path: "/hi" },
      validate: {
        path_redirect: "http://a.com/hi",
        code_redirect: 200,
        response_header_matches: [{ name: "content-length", string_match: { exact: "2" } }],
      },
    },
    {
      what: "fields in the other spelling",
      input: { path: "/old" },
      validate: { clusterName: "new", pathRewrite: "/new" },
    },
    { what: "nothing", input: {}, validate: {} },
  ])("$what", ({ input, validate }) => {
    expect(failing({ input, validate })).toEqual([]);
    expect(checked({ input, validate }).passed).toBe(true);
  });

  it("fails in the fields that are different, and says how", () => {
    const validate = {
      cluster_name: "other",
      virtual_host_name: "www",
      code_redirect: 301,
      request_header_matches: [{ name: "x-client", present_match: false }, { name: "x-client" }],
      response_header_matches: [{ name: "x-route", string_match: { exact: "new" } }, { name: "missing" }],
    };
    expect(failing({ input: { path: "/old" }, validate })).toEqual([
      "cluster_name: other / new",
      "code_redirect: 301 / 0",
      'request_header_matches[0]: x-client absent / x-client "127.0.0.1"',
      'response_header_matches[0]: x-route exact "new" / x-route "old"',
      "response_header_matches[1]: missing present / missing absent",
    ]);
  });

  it("is only what is there", () => {
    expect(checked({ validate: { cluster_name: "rest" } }).fields.map(({ field }) => field)).toEqual([
      "cluster_name",
    ]);
  });
});

describe("what a test puts in", () => {
  const cluster = (input: Readonly<Record<string, unknown>>): string =>
    checked({ input, validate: { cluster_name: "" } }).fields[0]!.actual;

  it.each([
    { input: { path: "/some" }, result: "rest", because: "without a runtime no fraction matches" },
    {
      input: { path: "/some", runtime: "on", random_value: 29 },
      result: "some",
      because: "the default counts",
    },
    {
      input: { path: "/some", runtime: "on", random_value: 30 },
      result: "rest",
      because: "the default counts",
    },
    { input: { path: "/some", runtime: "off", random_value: 0 }, result: "rest", because: "another key" },
    { input: { path: "/zero", runtime: "on" }, result: "zero", because: "0 is raised to 1" },
    { input: { path: "/zero", runtime: "on", random_value: 1 }, result: "rest", because: "but not to 2" },
    { input: { path: "/weights", random_value: 39 }, result: "c0", because: "the random value" },
    { input: { path: "/weights", random_value: "40" }, result: "c1", because: "the random value as text" },
    {
      input: { path: "/weights", random_value: 2147483648 },
      result: "c1",
      because: "2^64 - 2^31 mod 100 is 68",
    },
    { input: { path: "/weights", random_value: "4294967296" }, result: "c0", because: "cut to 32 bits" },
    { input: { path: "/weights" }, result: "c0", because: "0 by default" },
  ])("$input leads to $result: $because", ({ input, result }) => {
    expect(cluster(input)).toBe(result);
  });

  const entry = (value: unknown, allow_overwrite?: boolean) => ({
    metadata_namespace: "f",
    value,
    ...(allow_overwrite === undefined ? {} : { allow_overwrite }),
  });

  it.each([
    { metadata: [entry({ a: { b: "v" } })], result: "meta", because: "set" },
    { metadata: [], result: "rest", because: "not set" },
    {
      metadata: [entry({ a: { b: "x" } }), entry({ a: { b: "v" } })],
      result: "rest",
      because: "the second is ignored",
    },
    {
      metadata: [entry({ a: { b: "x" } }), entry({ a: { b: "v" } }, true)],
      result: "meta",
      because: "unless it may overwrite",
    },
    {
      metadata: [entry({ a: { b: "v" } }), entry({ a: { c: "x" } }, true)],
      result: "meta",
      because: "and then it is merged",
    },
    {
      metadata: [{ metadata_namespace: "f", typed_value: { a: 1 } }],
      result: "rest",
      because: "typed values are not matched",
    },
  ])("metadata $metadata leads to $result: $because", ({ metadata, result }) => {
    expect(cluster({ path: "/meta", dynamic_metadata: metadata })).toBe(result);
  });

  it("headers as several values", () => {
    const own =
      "virtual_hosts: [{name: v, domains: ['*'], routes: [{match: {prefix: /, headers: [{name: x, string_match: {exact: 'b'}}]}, route: {cluster: c}}]}]";
    const input = {
      additional_request_headers: [
        { key: "X", value: "a" },
        { key: "x", value: "b" },
      ],
    };
    expect(checked({ input, validate: { cluster_name: "c" } }, own).passed).toBe(true);
    const tests = JSON.stringify({
      tests: [{ input: { ...base, ...input }, validate: { cluster_name: "c" } }],
    });
    expect(checkRoutes(own, tests, { envoy: 36 })[0]?.passed).toBe(false);
  });

  it.each([
    { input: { authority: "" }, expected: "an authority" },
    { input: { path: "" }, expected: "a path" },
    { input: { method: "GE" }, expected: "a method of at least 3 characters" },
  ])("$input is too little: that test fails", ({ input, expected }) => {
    expect(checked({ input, validate: {} })).toMatchObject({
      passed: false,
      fields: [{ field: "input", expected }],
    });
  });
});

it("a route that is not known fails, and says why", () => {
  const own =
    "virtual_hosts: [{name: v, domains: ['*'], routes: [{match: {safe_regex: {regex: '(?=a)'}}, route: {cluster: c}}]}]";
  expect(checked({ validate: { cluster_name: "c" } }, own)).toMatchObject({
    passed: false,
    fields: [
      { field: "route", passed: false, actual: expect.stringContaining("(?=a)") },
      { field: "cluster_name" },
    ],
  });
});

describe("files", () => {
  const tests =
    '{"tests": [{"test_name": "t", "input": {"authority": "a.com", "path": "/", "method": "GET"},},],}';

  it("may be JSON with commas too many, or YAML", () => {
    expect(checkRoutes(config, tests)).toMatchObject([{ name: "t", passed: true }]);
    expect(
      checkRoutes(config, "tests:\n- test_name: t\n  input: {authority: a.com, path: /, method: GET}\n"),
    ).toHaveLength(1);
  });

  it.each([
    { own: config, of: 'tests {\n test_name: "a"\n}', says: "text format" },
    { own: 'virtual_hosts {\n name: "a"\n}', of: tests, says: "text format" },
    { own: config, of: "[1", says: "neither JSON nor YAML" },
    { own: config, of: "{}", says: 'no list "tests"' },
    { own: config, of: '{"tests": [1]}', says: 'no list "tests"' },
    { own: "{}", of: tests, says: 'no list "virtual_hosts"' },
    { own: "- 1", of: tests, says: 'no list "virtual_hosts"' },
    {
      own: `virtual_hosts: ${"[".repeat(5000)}${"]".repeat(5000)}`,
      of: tests,
      says: "The route configuration",
    },
    {
      own: "a: &a [1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]",
      of: tests,
      says: "neither JSON nor YAML",
    },
  ])("that are neither are refused: $says", ({ own, of, says }) => {
    expect(() => checkRoutes(own, of)).toThrow(UserError);
    expect(() => checkRoutes(own, of)).toThrow(says);
  });

  it("of tests are recognised by their inputs", () => {
    expect(isRouterCheck({ tests: [{ input: {} }] })).toBe(true);
    expect(isRouterCheck({ tests: [{ url: "http://a" }] })).toBe(false);
    expect(isRouterCheck(null)).toBe(false);
  });
});
