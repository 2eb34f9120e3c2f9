/** Section 4.6 of the facts: filters that act on a fraction of the requests. */
import { extension, route } from "../../support/judge/messages.js";
import {
  httpScenario,
  to,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

const fault = (name: string, config: JsonObject): JsonObject =>
  extension(name, "envoy.extensions.filters.http.fault.v3.HTTPFault", config);
const aborts = (status: number, percentage: JsonObject, name = "fault"): JsonObject =>
  fault(name, { abort: { http_status: status, percentage } });

const aborted = (status: number): Expected => ({
  status,
  flags: ["FI"],
  details: "fault_filter_abort",
  isReceived: false,
});
const often = 400;
const shared = (are: Readonly<Record<string, number>>): readonly CasePair[] => [
  [{}, { shares: { of: "status", are } }, often],
];

const faults = (
  name: string,
  filters: readonly JsonObject[],
  cases: readonly CasePair[],
  runtime: JsonObject = {},
): Scenario => httpScenario(`fraction: ${name}`, "4.6", { routes: [route("r")], filters, runtime, cases });

export const fractionScenarios: readonly Scenario[] = [
  faults("all aborted", [aborts(418, { numerator: 100 })], [[{}, aborted(418)]]),
  faults("none aborted", [aborts(418, { numerator: 0 })], [[{}, to("r")]]),
  faults("some aborted", [aborts(418, { numerator: 30 })], shared({ 418: 0.3, 200: 0.7 })),
  faults(
    "of ten thousand",
    [aborts(418, { numerator: 2500, denominator: "TEN_THOUSAND" })],
    shared({ 418: 0.25, 200: 0.75 }),
  ),
  faults(
    "each filter draws for itself",
    [aborts(418, { numerator: 50 }, "one"), aborts(503, { numerator: 50 }, "two")],
    shared({ 418: 0.5, 503: 0.25, 200: 0.25 }),
  ),
  faults(
    "a delay and an abort are drawn apart",
    [
      fault("fault", {
        delay: { fixed_delay: "0.001s", percentage: { numerator: 50 } },
        abort: { http_status: 418, percentage: { numerator: 40 } },
      }),
    ],
    shared({ 418: 0.4, 200: 0.6 }),
  ),
];
