import { expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { FilterResult } from "../../../src/trace/filters/filter.js";
import { evaluateOauth2 } from "../../../src/trace/filters/oauth2.js";
import { evaluate, headersOf } from "./filter-builders.js";

const config: Message = {
  redirect_path_matcher: { path: { exact: "/cb" } },
  signout_path: { path: { exact: "/out" } },
  pass_through_matcher: [{ name: "x-pass", present_match: true }],
  deny_redirect_matcher: [{ name: "x-ajax", present_match: true }],
};
const at = (headers: Readonly<Record<string, string>>): FilterResult =>
  evaluate(evaluateOauth2, { config }, { headers: headersOf(headers) });

it("sends who has no cookie to log in, past all mappers", () => {
  expect(at({})).toMatchObject({
    decision: "answered",
    reply: { status: 302, detail: "oauth.missing_credentials", isFinal: true },
  });
});

it("refuses with 401 where that must not be redirected", () => {
  expect(at({ "x-ajax": "1" })).toMatchObject({
    decision: "answered",
    reply: { status: 401, detail: "" },
    because: [{ reason: "runtime state" }],
  });
});

it("lets pass what is not its own", () => {
  expect(at({ "x-pass": "1" }).decision).toBe("passed");
  expect(evaluate(evaluateOauth2, {}).decision).toBe("passed");
});

it("signs out", () => {
  expect(at({ ":path": "/out" }).reply).toMatchObject({
    status: 302,
    detail: "oauth.sign_out",
    headers: [["location", "http://svc.local/"]],
  });
});

it.each([[{ cookie: "BearerToken=1" }], [{ authorization: "Bearer 1" }], [{ ":path": "/cb?code=1" }]])(
  "cannot tell whether %j is good",
  (headers: Readonly<Record<string, string>>) => {
    expect(at(headers)).toMatchObject({ decision: "unknown", because: [{ reason: "token" }] });
  },
);
