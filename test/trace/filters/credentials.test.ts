import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { evaluateApiKeyAuth, evaluateBasicAuth } from "../../../src/trace/filters/credentials.js";
import { evaluate, headersOf } from "./filter-builders.js";

describe("basic_auth", () => {
  const at = (headers: Readonly<Record<string, string>>, config: Message = {}): ReturnType<typeof evaluate> =>
    evaluate(
      evaluateBasicAuth,
      { users: { inline_string: "[redacted]" }, ...config },
      { headers: headersOf(headers) },
    );

  it.each([
    [{}, "no_credential_for_basic_auth"],
    [{ authorization: "Bearer x" }, "invalid_scheme_for_basic_auth"],
    [{ authorization: "Basic x" }, "invalid_format_for_basic_auth"],
    [{ authorization: "Basic !!" }, "invalid_format_for_basic_auth"],
  ])("%j: 401 %s", (headers: Readonly<Record<string, string>>, detail) => {
    expect(at(headers)).toMatchObject({ decision: "denied", reply: { status: 401, detail } });
  });

  it("cannot tell whether a user and a password are good", () => {
    const encoded = { authorization: `Basic ${btoa("user:password")}` };
    expect(at(encoded)).toMatchObject({ decision: "unknown", because: [{ reason: "redacted" }] });
  });

  it("may read another header", () => {
    const config = { authentication_header: "X-Auth" };
    expect(at({ authorization: `Basic ${btoa("a:b")}` }, config).decision).toBe("denied");
    expect(at({ "x-auth": `Basic ${btoa("a:b")}` }, config).decision).toBe("unknown");
  });

  it("challenges with its realm", () => {
    expect(at({ ":path": "/a" }).reply?.headers).toEqual([
      ["www-authenticate", 'Basic realm="http://svc.local/a"'],
    ]);
  });
});

describe("api_key_auth", () => {
  const credentials = [{ key: "[redacted]", client: "c" }];
  const key_sources = [{ header: "X-Key" }, { query: "key" }, { cookie: "k" }];
  const at = (
    config: Message,
    headers: Readonly<Record<string, string>> = {},
    routes: readonly Message[] = [],
  ): ReturnType<typeof evaluate> =>
    evaluate(evaluateApiKeyAuth, config, { headers: headersOf(headers) }, routes);

  it.each([
    [{}, "missing_key_sources"],
    [{ key_sources }, "missing_credentials"],
    [{ key_sources, credentials }, "missing_api_key"],
  ])("%j: 401 %s", (config: Message, detail) => {
    expect(at(config)).toMatchObject({ decision: "denied", reply: { status: 401, detail } });
  });

  it.each([[{ "x-key": "1" }], [{ ":path": "/?key=1" }], [{ cookie: "k=1" }]])(
    "cannot tell whether a key is good: %j",
    (headers: Readonly<Record<string, string>>) => {
      expect(at({ key_sources, credentials }, headers)).toMatchObject({
        decision: "unknown",
        because: [{ reason: "redacted" }],
      });
    },
  );

  it("reads an empty key as none", () => {
    expect(at({ key_sources, credentials }, { "x-key": "Bearer " }).decision).toBe("denied");
  });

  it("takes each list from the route where that has one", () => {
    expect(at({ credentials }, { "x-key": "1" }, [{ key_sources }]).decision).toBe("unknown");
  });
});
