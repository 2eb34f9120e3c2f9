import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  canonicalPath,
  mergeSlashes,
  normalizePath,
  unescapeSlashes,
  type NormalizedPath,
} from "../../../src/trace/http/path-normalization.js";
import { runtimeOf } from "../cluster/builders.js";

const normalize = (path: string, manager: Message = {}, runtime: Message = {}, envoy = 36): NormalizedPath =>
  normalizePath(path, manager, runtimeOf(runtime), envoy);

const normalizing = { normalize_path: true };

describe("normalisation", () => {
  it.each([
    ["/a/b/../c", "/a/c"],
    ["/a/..\\c", "/c"],
    ["/a/b/%2E%2E/c", "/a/c"],
    ["/a/b/%2e%2E/c", "/a/c"],
    ["/a/.%2e/b", "/b"],
    ["/a/%2F%2f/c", "/a/%2F%2f/c"],
    ["/%c0%af", "/%c0%af"],
    ["/a/./b", "/a/b"],
    ["/a/b/.", "/a/b/"],
    ["/a/b/..", "/a/"],
    ["/a/b/../", "/a/"],
    ["/..", "/"],
    ["/../../a", "/a"],
    ["/a/b/../../../c", "/c"],
    ["/a/b/..%2fc", "/a/b/..%2fc"],
    ["/a//b", "/a//b"],
    ["/a/b//../c", "/a/b/c"],
    ["//a/../b", "//b"],
    ["/a/.../b", "/a/.../b"],
    ["/a/.b", "/a/.b"],
    ["/a/..b", "/a/..b"],
    ["/.a/..", "/"],
    ["/a\\..\\b", "/b"],
    ["/a%2eb", "/a.b"],
    ["/%7e%41%2d%5f", "/~A-_"],
    ["/%5c%2e%2e", "/%5c.."],
    ["/a/b?x=/../y", "/a/b?x=/../y"],
    ["/a/b/..?x", "/a/?x"],
    ["/CASE/%4B", "/CASE/K"],
    ["/a;b=../c", "/a;b=../c"],
    ['/a"<>^`{|}b', "/a%22%3C%3E%5E%60%7B%7C%7Db"],
    ["/a[]'()*!$&,:@b", "/a[]'()*!$&,:@b"],
    ["/é", "/%C3%A9"],
    ["/%", "/%"],
    ["/%zz%4", "/%zz%4"],
    ["/%%34%31", "/%2541"],
    ["/%25%34%31", "/%2541"],
    ["/%%%34%31", "/%%2541"],
    ["/%2%35", "/%2525"],
    ["/x%%37%45y", "/x%257Ey"],
    ["a/../b", "/b"],
  ])("of %s is %s", (path, expected) => {
    expect(normalize(path, normalizing)).toEqual({ kind: "continue", path: expected });
  });

  it("refuses an escaped NUL", () => {
    expect(normalize("/a%00b", normalizing)).toMatchObject({ kind: "reject" });
    expect(normalize("/a%01b", normalizing)).toMatchObject({ kind: "continue", path: "/a%01b" });
    expect(normalize("/a%00b")).toMatchObject({ kind: "continue" });
  });

  it("is done only where it is asked for, by the field or by runtime", () => {
    const path = "/a/%2e%2e/b";
    const key = "http_connection_manager.normalize_path";
    expect(normalize(path)).toEqual({ kind: "continue", path });
    expect(normalize(path, normalizing)).toEqual({ kind: "continue", path: "/b" });
    expect(normalize(path, {}, { [key]: 100 })).toEqual({ kind: "continue", path: "/b" });
    expect(normalize(path, { normalize_path: false }, { [key]: 100 })).toEqual({ kind: "continue", path });
  });

  it("stays what it is when it is done again", () => {
    const piece = fc.constantFrom(
      "/",
      "\\",
      ".",
      "..",
      "%2e",
      "%2F",
      "%25",
      "%",
      "4",
      "a",
      "B",
      "é",
      "%41",
      "?",
      "//",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const once = canonicalPath(`/${pieces.join("")}`);
        expect(once?.startsWith("/")).toBe(true);
        expect(canonicalPath(once ?? "")).toBe(once);
      }),
    );
  });

  it("removes every dot segment", () => {
    const piece = fc.constantFrom("/", ".", "..", "%2e", "a", "\\");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const segments = (canonicalPath(`/${pieces.join("")}`) ?? "").split("/");
        expect(segments.filter((segment) => segment === "." || segment === "..")).toEqual([]);
      }),
    );
  });

  it("takes long hostile paths", () => {
    const deep = "/a".repeat(50_000) + "/..".repeat(50_000);
    expect(canonicalPath(deep)).toBe("/");
    expect(canonicalPath(`/${"%".repeat(100_000)}`)).toBe(`/${"%".repeat(100_000)}`);
  });
});

describe("a fragment", () => {
  it.each([
    ["is refused", {}, 36, null],
    [
      "is cut off where the guard is off, as Istio sets it",
      { "envoy.reloadable_features.http_reject_path_with_fragment": "false" },
      36,
      "/a",
    ],
    ["is kept by old releases", {}, 14, "/a#b?c"],
    [
      "is kept where both guards are off",
      {
        "envoy.reloadable_features.http_reject_path_with_fragment": false,
        "envoy.reloadable_features.http_strip_fragment_from_path_unsafe_if_disabled": false,
      },
      20,
      "/a#b?c",
    ],
  ])("%s", (_, runtime, envoy, expected) => {
    const found = normalize("/a#b?c", {}, runtime, envoy);
    expect(found).toMatchObject(
      expected === null ? { kind: "reject" } : { kind: "continue", path: expected },
    );
  });
});

describe("escaped slashes", () => {
  const action = (path_with_escaped_slashes_action: unknown): Message => ({
    path_with_escaped_slashes_action,
  });

  it.each([
    ["KEEP_UNCHANGED", "continue", "/a%2Fb"],
    ["IMPLEMENTATION_SPECIFIC_DEFAULT", "continue", "/a%2Fb"],
    ["REJECT_REQUEST", "reject", null],
    ["UNESCAPE_AND_REDIRECT", "redirect", "/a/b"],
    ["UNESCAPE_AND_FORWARD", "continue", "/a/b"],
    [4, "continue", "/a/b"],
  ])("under %s", (name, kind, path) => {
    expect(normalize("/a%2Fb", action(name))).toMatchObject(path === null ? { kind } : { kind, path });
  });

  it("are looked for in the path only", () => {
    expect(normalize("/a?b=%2F", action("REJECT_REQUEST"))).toEqual({ kind: "continue", path: "/a?b=%2F" });
    expect(normalize("/a%5cb", action("REJECT_REQUEST"))).toMatchObject({ kind: "reject" });
    expect(unescapeSlashes("/%2f%2F%5c%5C?%2f")).toBe("///\\\\?%2f");
  });

  it("have a default in runtime", () => {
    const key = "http_connection_manager.path_with_escaped_slashes_action";
    expect(normalize("/a%2Fb", {}, { [key]: 2 })).toMatchObject({ kind: "reject" });
    expect(normalize("/a%2Fb", action("KEEP_UNCHANGED"), { [key]: 2 })).toMatchObject({ kind: "continue" });
  });

  it("are unescaped before dot segments are resolved and slashes merged", () => {
    const all = { ...normalizing, merge_slashes: true, ...action("UNESCAPE_AND_FORWARD") };
    expect(normalize("/a%2F../b", all)).toMatchObject({ path: "/b" });
    expect(normalize("/a%2f%2fb?%2f", all)).toMatchObject({ path: "/a/b?%2f" });
    expect(normalize("/..%2f..%2fa", all)).toMatchObject({ path: "/a" });
  });
});

describe("slashes", () => {
  it.each([
    ["//a//b?x=//", "/a/b?x=//"],
    ["/a//", "/a/"],
    ["/a/b//c///", "/a/b/c/"],
    ["/a//?//", "/a/?//"],
    ["/a/b", "/a/b"],
    ["/?a//b", "/?a//b"],
    ["//", "//"], // as Envoy does it: one at each end
  ])("of %s are merged to %s", (path, expected) => {
    expect(mergeSlashes(path)).toBe(expected);
    expect(normalize(path, { merge_slashes: true })).toMatchObject({ path: expected });
    expect(normalize(path)).toMatchObject({ path });
  });
});
