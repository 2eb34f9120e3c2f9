import { expect, it } from "vitest";

import { virtualClusterName } from "../../../src/trace/route/virtual-cluster.js";
import { aRequest } from "../requests.js";

const cluster = (name: string, regex: string, method: string) => ({
  name,
  headers: [
    { name: ":path", string_match: { safe_regex: { regex } } },
    { name: ":method", string_match: { exact: method } },
  ],
});
const virtualHost = { virtual_clusters: [cluster("one", "/a/\\d+", "PUT"), cluster("two", "/a.*", "PUT")] };

it.each([
  { path: "/a/1", method: "PUT", name: "one" },
  { path: "/a/x", method: "PUT", name: "two" },
  { path: "/a/1", method: "GET", name: "other" },
])("$method $path is of $name", ({ path, method, name }) => {
  expect(virtualClusterName(virtualHost, aRequest({ path, method }), 36)).toBe(name);
});

it("has no name where there are none", () => {
  expect(virtualClusterName({}, aRequest(), 36)).toBeNull();
});

it("is unknown where a condition is, unless an earlier one holds", () => {
  const odd = cluster("odd", "(?=a)", "PUT");
  expect(virtualClusterName({ virtual_clusters: [odd] }, aRequest({ method: "PUT" }), 36)).toMatchObject({
    because: [{ reason: "regular expression" }],
  });
  expect(virtualClusterName({ virtual_clusters: [odd] }, aRequest({ method: "GET" }), 36)).toBe("other");
});
