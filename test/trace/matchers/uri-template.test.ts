import { describe, expect, it } from "vitest";

import {
  matchTemplate,
  rewriteByTemplate,
  templatePattern,
} from "../../../src/trace/matchers/uri-template.js";
import { said } from "../requests.js";

describe("a URI template", () => {
  it.each([
    { template: "/api/*", path: "/api/users", matches: true, because: "one segment" },
    { template: "/api/*", path: "/api/users/1", matches: false, because: "one segment only" },
    { template: "/api/*", path: "/api/", matches: false, because: "not none" },
    { template: "/api/{id}", path: "/api/7", matches: true, because: "a variable is one segment" },
    { template: "/api/{rest=**}", path: "/api/a/b/", matches: true, because: "any number" },
    { template: "/api/**", path: "/api/", matches: true, because: "also none" },
    { template: "/{x=a/*/b}/c", path: "/a/1/b/c", matches: true, because: "nested" },
    { template: "/{x=a/*/b}/c", path: "/a/1/c", matches: false, because: "nested" },
    { template: "/**.m3u8", path: "/a/b.m3u8", matches: true, because: "a suffix" },
    { template: "/**.m3u8", path: "/a/bxm3u8", matches: false, because: "a dot is a dot" },
    {
      template: "/api/v{version}/users",
      path: "/api/v2/users",
      matches: true,
      because: "a variable beside a literal",
    },
    { template: "/API", path: "/api", matches: false, because: "always case-sensitive" },
    {
      template: "/a+(b)$",
      path: "/a+(b)$",
      matches: true,
      because: "signs of regular expressions are literal",
    },
    { template: "/*", path: "/a b", matches: false, because: "a blank is in no segment" },
  ])("$template and $path: $because", ({ template, path, matches }) => {
    expect(matchTemplate(template, path, 36)).toBe(matches);
  });

  it("takes an asterisk in the path since 1.35", () => {
    expect(matchTemplate("/*", "/a*b", 36)).toBe(true);
    expect(matchTemplate("/*", "/a*b", 34)).toBe(false);
  });

  it.each(["", "a", "/{", "/{1a}", "/{x=}", "/a b", "/{averyverylongname}"])("%s is none", (template) => {
    expect(templatePattern(template, 36)).toBeNull();
    expect(said(matchTemplate(template, "/a", 36))).toEqual(["expression"]);
  });
});

describe("a rewrite by a template", () => {
  it.each([
    {
      template: "/xx/{country}/{lang}/**",
      rewrite: "/m/{lang}/{country}",
      path: "/xx/en/us/x",
      result: "/m/us/en",
    },
    { template: "/{a=x/*}/{b=**}", rewrite: "/{b}/{a}", path: "/x/1/2/3", result: "/2/3/x/1" },
    { template: "/{a}", rewrite: "/fixed", path: "/1", result: "/fixed" },
    { template: "/{a}", rewrite: "/{a}", path: "/1/2", result: null },
  ])("$template to $rewrite makes $result of $path", ({ template, rewrite, path, result }) => {
    expect(rewriteByTemplate(template, rewrite, path, 36)).toBe(result);
  });

  it("is unknown where a variable is not in the template", () => {
    expect(rewriteByTemplate("/{a}", "/{b}", "/1", 36)).toMatchObject({
      because: [{ reason: "expression" }],
    });
    expect(rewriteByTemplate("{", "/{b}", "/1", 36)).toMatchObject({ because: [{ reason: "expression" }] });
  });
});
