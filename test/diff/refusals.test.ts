/** A refusal of a whole push is the reason for the resources that it names. */
import { describe, expect, it } from "vitest";

import { driftCauses } from "../../src/diff/causes.js";
import { driftOf } from "../../src/diff/drift.js";
import { aListener, aRow, nonces } from "../support/builders.js";
import { meshOf } from "../support/drift-snapshot.js";

const names = Array.from({ length: 2000 }, (_, index) => `0.0.0.0_${index}`);

describe("a refusal", () => {
  it("that names a thousand of two thousand listeners is read once", () => {
    const named = names.slice(0, 1000);
    const error = named.map((name) => `error adding listener '${name}': ${"no ".repeat(500)}`).join("\n");
    const snapshot = meshOf({
      istiods: {
        istiod: {
          sends: { "a.b": { listeners: names.map((name) => aListener(name)) } },
          rows: [aRow("a.b", { LDS: nonces("n", "m", { error }) })],
        },
      },
      proxies: { "a.b": { holds: {} } },
    });
    const causes = driftCauses(driftOf(snapshot));
    expect(causes.map((cause) => [cause.names.length, cause.rejections.length])).toEqual([
      [1000, 1],
      [1000, 0],
    ]);
    expect(causes[0]?.names).toEqual([...named].sort());
  });
});
