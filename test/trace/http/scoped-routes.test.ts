import { describe, expect, it } from "vitest";

import { chooseScope, scopeKey } from "../../../src/trace/http/scoped-routes.js";
import type { HeaderList } from "../../../src/trace/request.js";

const fragment = (extractor: object) => ({ header_value_extractor: { name: "X-Scope", ...extractor } });
const builder = (...extractors: readonly object[]) => ({ fragments: extractors.map(fragment) });
const value = (...values: readonly string[]): HeaderList => values.map((one) => ["x-scope", one] as const);

describe("the key of a scope", () => {
  const elements = { element_separator: ";", element: { separator: "=", key: "tenant" } };

  it.each([
    [[{ index: 0 }], ["a,b"], ["a,b"]],
    [[{ element_separator: ",", index: 1 }], ["a,b"], ["b"]],
    [[{ element_separator: ",", index: 2 }], ["a,b"], null],
    [[{ index: 0 }], [], null],
    [[{ index: 0 }], ["first", "second"], ["first"]],
    [[elements], ["x=1;tenant=blue;tenant=red"], ["blue"]],
    [[elements], ["tenant=a=b"], ["a=b"]],
    [[elements], ["tenant"], [""]],
    [[elements], ["tenants=1"], null],
    [[{ index: 0 }, elements], ["tenant=blue"], ["tenant=blue", "blue"]],
    [[{ index: 0 }, { element_separator: ",", index: 7 }], ["a"], null],
    [[], ["a"], null],
  ])("%j of %j is %j", (extractors, values, expected) => {
    expect(scopeKey(builder(...extractors), value(...values))).toEqual(expected);
  });
});

describe("a scope", () => {
  const scope = (name: string, ...keys: readonly string[]) => ({
    name,
    key: { fragments: keys.map((string_key) => ({ string_key })) },
  });
  const scoped = { name: "set", scope_key_builder: builder({ index: 0 }) };

  it("is the one with all fragments equal", () => {
    const scopes = [scope("long", "a", "b"), scope("blue", "blue"), scope("red", "red")];
    expect(chooseScope(scoped, scopes, value("red"))).toMatchObject({
      kind: "scope",
      scope: { name: "red" },
    });
    expect(chooseScope(scoped, scopes, value("a"))).toEqual({ kind: "none", key: ["a"] });
    expect(chooseScope(scoped, scopes, [])).toEqual({ kind: "none", key: null });
  });
});
