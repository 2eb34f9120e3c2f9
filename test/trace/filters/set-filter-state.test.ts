import { expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { evaluateSetFilterState } from "../../../src/trace/filters/set-filter-state.js";
import { evaluate, headersOf, withTls, type Setting } from "./filter-builders.js";

const value = (
  object_key: string,
  inline_string: string,
  own: Message = {},
  format: Message = {},
): Message => ({
  object_key,
  format_string: { text_format_source: { inline_string }, ...format },
  ...own,
});
const at = (
  values: readonly Message[],
  setting: Setting = {},
  routes: readonly Message[] = [],
): ReturnType<typeof evaluate> =>
  evaluate(evaluateSetFilterState, { on_request_headers: values }, setting, routes);

it("fills in a format, with a dash for what is missing", () => {
  const template = "%REQ(x-q)%|%REQ(host)%";
  const headers = headersOf({ host: "svc.local" });
  expect(at([value("k", template)], { headers }).changes.filterState).toEqual(
    new Map([["k", "-|svc.local"]]),
  );
  const omitted = value("k", template, {}, { omit_empty_values: true });
  expect(at([omitted], { headers }).changes.filterState).toEqual(new Map([["k", "|svc.local"]]));
});

it("keeps who the peer is, as waypoints do", () => {
  const principal = value("io.istio.peer_principal", "%DOWNSTREAM_PEER_URI_SAN%");
  const uri = "spiffe://cluster.local/ns/a/sa/b";
  const certificate = { uriSans: [uri], dnsSans: [], subject: "", isValidated: true };
  const known = at([principal], { connection: withTls(certificate) });
  expect(known.changes.filterState).toEqual(new Map([["io.istio.peer_principal", uri]]));
  const open = at([principal], { connection: withTls("unknown") });
  expect(open).toMatchObject({ decision: "passed", because: [{ reason: "peer identity" }] });
  expect(open.changes.hiddenFilterState).toEqual(["io.istio.peer_principal"]);
  expect(open.changes.filterState).toEqual(new Map());
});

it("leaves an empty value out where that is asked for", () => {
  const empty = (own: Message): Message => value("k", "%REQ(x)%", own, { omit_empty_values: true });
  expect(at([empty({ skip_if_empty: true })]).changes.filterState).toEqual(new Map());
  expect(at([empty({})]).changes.filterState).toEqual(new Map([["k", ""]]));
});

it("applies the levels of the route after its own", () => {
  const route = { on_request_headers: [value("k", "route")] };
  expect(at([value("k", "filter"), value("o", "1")], {}, [route]).changes.filterState).toEqual(
    new Map([
      ["k", "route"],
      ["o", "1"],
    ]),
  );
});

it("clears the route where that is asked for", () => {
  const config = { on_request_headers: [], clear_route_cache: true };
  expect(evaluate(evaluateSetFilterState, config).changes.clearsRouteCache).toBe(true);
  expect(at([]).changes.clearsRouteCache).toBe(false);
});

it("hides what a format that is no plain text gives", () => {
  const json = { object_key: "k", format_string: { json_format: {} } };
  expect(at([json]).changes.hiddenFilterState).toEqual(["k"]);
});
