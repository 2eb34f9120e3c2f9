import { describe, expect, it } from "vitest";

import { changesBetween } from "../../src/diff/changes.js";
import type { JsonObject } from "../../src/shared/json-value.js";
import { semanticForm } from "../../src/diff/semantic-form.js";
import { aResource } from "../support/builders.js";
import { resourceOf } from "../support/diff-resources.js";

const assignment = (fields: JsonObject): ReturnType<typeof semanticForm> =>
  semanticForm(resourceOf("endpointAssignment", aResource("endpointAssignment", "a", fields)));

const address = (ip: string, port = 80): JsonObject => ({
  socket_address: { address: ip, port_value: port },
});
const host = (ip: string, more: JsonObject = {}): JsonObject => ({
  endpoint: { address: address(ip) },
  ...more,
});
const live = (ip: string, more: JsonObject = {}): JsonObject => ({
  endpoint: { address: address(ip), health_check_config: {} },
  health_status: "HEALTHY",
  metadata: {},
  load_balancing_weight: 1,
  ...more,
});

/** What Istiod sends, and how Envoy shows it. */
const pairs: Readonly<Record<string, { sent: JsonObject; shown: JsonObject; other: JsonObject }>> = {
  "weights, health and factors written out": {
    sent: { endpoints: [{ locality: { region: "r" }, lb_endpoints: [host("10.0.0.1"), host("10.0.0.2")] }] },
    shown: {
      endpoints: [{ locality: { region: "r" }, lb_endpoints: [live("10.0.0.2"), live("10.0.0.1")] }],
      policy: { overprovisioning_factor: 140 },
    },
    other: {
      endpoints: [{ locality: { region: "r" }, lb_endpoints: [live("10.0.0.2"), live("10.0.0.1")] }],
      policy: { overprovisioning_factor: 150 },
    },
  },
  "the weight of a locality, which is the sum of its hosts'": {
    sent: {
      endpoints: [
        {
          lb_endpoints: [host("10.0.0.1", { load_balancing_weight: 3 }), host("10.0.0.2")],
          load_balancing_weight: 4,
        },
      ],
    },
    shown: {
      endpoints: [
        { locality: {}, lb_endpoints: [live("10.0.0.1", { load_balancing_weight: 3 }), live("10.0.0.2")] },
      ],
    },
    other: {
      endpoints: [
        { locality: {}, lb_endpoints: [live("10.0.0.1", { load_balancing_weight: 2 }), live("10.0.0.2")] },
      ],
    },
  },
  "the weight of a locality also where Envoy shows it (1.36)": {
    sent: { endpoints: [{ lb_endpoints: [host("10.0.0.1")], load_balancing_weight: 80 }] },
    shown: { endpoints: [{ lb_endpoints: [live("10.0.0.1")], load_balancing_weight: 80 }] },
    other: { endpoints: [{ lb_endpoints: [live("10.0.0.1")], load_balancing_weight: 20 }] },
  },
  "localities without hosts, which are gone": {
    sent: {
      endpoints: [
        { locality: { region: "r" }, lb_endpoints: [] },
        { locality: { region: "s" }, priority: 1, lb_endpoints: [host("10.0.0.1")] },
      ],
    },
    shown: { endpoints: [{ locality: { region: "s" }, lb_endpoints: [live("10.0.0.1")], priority: 1 }] },
    other: { endpoints: [{ locality: { region: "s" }, lb_endpoints: [live("10.0.0.1")] }] },
  },
  "three states of health": {
    sent: {
      endpoints: [
        {
          lb_endpoints: [
            host("10.0.0.1", { health_status: "DRAINING" }),
            host("10.0.0.2", { health_status: "TIMEOUT" }),
            host("10.0.0.3", { health_status: "UNKNOWN" }),
          ],
        },
      ],
    },
    shown: {
      endpoints: [
        {
          lb_endpoints: [
            live("10.0.0.1", { health_status: "UNHEALTHY" }),
            live("10.0.0.2", { health_status: "UNHEALTHY" }),
            live("10.0.0.3"),
          ],
        },
      ],
    },
    other: { endpoints: [{ lb_endpoints: ["1", "2", "3"].map((last) => live(`10.0.0.${last}`)) }] },
  },
  "a host that stands twice: only the first counts": {
    sent: {
      endpoints: [
        { locality: { region: "r" }, lb_endpoints: [host("10.0.0.1", { load_balancing_weight: 7 })] },
        { locality: { region: "s" }, lb_endpoints: [host("10.0.0.1"), host("10.0.0.2")] },
      ],
    },
    shown: {
      endpoints: [
        { locality: { region: "r" }, lb_endpoints: [live("10.0.0.1", { load_balancing_weight: 7 })] },
        { locality: { region: "s" }, lb_endpoints: [live("10.0.0.2")] },
      ],
    },
    other: {
      endpoints: [{ locality: { region: "s" }, lb_endpoints: [live("10.0.0.1"), live("10.0.0.2")] }],
    },
  },
  "no hosts at all": {
    sent: {},
    shown: { policy: {} },
    other: { endpoints: [{ lb_endpoints: [live("10.0.0.1")] }] },
  },
};

describe("what Envoy's dump says that nobody sent", () => {
  it.each(Object.entries(pairs))("%s", (_, { sent, shown, other }) => {
    expect(changesBetween(assignment(sent).value, assignment(shown).value)).toEqual([]);
    expect(assignment(sent).text).toBe(assignment(shown).text);
    expect(assignment(other).text).not.toBe(assignment(sent).text);
  });

  it("keeps a locality whose hosts another service tells", () => {
    const leds = { leds_cluster_locality_config: { leds_collection_name: "x" } };
    expect(assignment({ endpoints: [leds] }).text).not.toBe(assignment({}).text);
  });

  it("takes hosts as they come: 50,000 of one locality", () => {
    const hosts = (from: number): JsonObject[] =>
      Array.from({ length: 50_000 }, (_, index) => host(`10.${from}.${index >> 8}.${index & 255}`));
    const many = { endpoints: [{ lb_endpoints: hosts(1) }] };
    expect(assignment(many).text).toBe(
      assignment({ endpoints: [{ lb_endpoints: [...hosts(1)].reverse() }] }).text,
    );
  });
});
