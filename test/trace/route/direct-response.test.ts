import { describe, expect, it } from "vitest";

import { directResponse, localReplyHeaders } from "../../../src/trace/route/direct-response.js";
import { aRequest } from "../requests.js";

describe("a direct response", () => {
  it.each([
    {
      direct: { status: 200, body: { inline_string: "hi" } },
      expected: { status: 200, body: "hi", location: null },
    },
    {
      direct: { status: 200, body: { inline_bytes: "aGk=" } },
      expected: { status: 200, body: "hi", location: null },
    },
    {
      direct: { status: 200, body: { filename: "/etc/body" } },
      expected: { status: 200, body: null, location: null },
    },
    {
      direct: { status: 200, body: { inline_string: "" } },
      expected: { status: 200, body: "", location: null },
    },
    { direct: { status: 404 }, expected: { status: 404, body: "", location: null } },
    { direct: { status: 201 }, expected: { status: 201, body: "", location: "http://a.com/x?y" } },
    { direct: { status: 302 }, expected: { status: 302, body: "", location: "http://a.com/x?y" } },
    { direct: { status: 200, body_format: {} }, expected: { status: 200, body: null, location: null } },
  ])("$direct", ({ direct, expected }) => {
    expect(directResponse(direct, aRequest({ path: "/x?y" }), 36)).toEqual(expected);
  });
});

it("has headers for its body, in bytes", () => {
  expect(localReplyHeaders(200, "\u00e4")).toEqual([
    [":status", "200"],
    ["content-length", "2"],
    ["content-type", "text/plain"],
  ]);
  expect(localReplyHeaders(404, "")).toEqual([[":status", "404"]]);
  expect(localReplyHeaders(200, null)).toEqual([[":status", "200"]]);
});
