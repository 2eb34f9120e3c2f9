/** What the times of captures and the lists of Istiods tell about a difference between Istiod and Envoy. */
import { describe, expect, it } from "vitest";

import { driftOf, hasDrift, type DriftItem } from "../../src/diff/drift.js";
import type { Snapshot, TypeSync } from "../../src/snapshot/model.js";
import { aCluster, aRow, nonces } from "../support/builders.js";
import { meshOf, type Held } from "../support/drift-snapshot.js";

const held = (timeout: string, lastUpdated?: string): Held => ({
  clusters: [aCluster("a", { connect_timeout: timeout })],
  ...(lastUpdated === undefined ? {} : { lastUpdated }),
});

interface Given {
  readonly istiodAt: string;
  readonly proxyAt: string;
  readonly type?: Partial<TypeSync>;
  readonly lastUpdated?: string;
}

const meshWith = ({ istiodAt, proxyAt, type, lastUpdated }: Given): Snapshot =>
  meshOf({
    istiods: {
      istiod: {
        sends: { "a.b": held("2s") },
        capturedAt: istiodAt,
        rows: type === undefined ? [] : [aRow("a.b", { CDS: type })],
      },
    },
    proxies: { "a.b": { holds: held("1s", lastUpdated), capturedAt: proxyAt } },
  });

function itemOf(snapshot: Snapshot): DriftItem {
  const kind = driftOf(snapshot)[0]?.kinds[0];
  const [item] = kind?.state === "compared" ? kind.differences : [];
  if (item === undefined) throw new Error("no difference");
  return item;
}

const proxyAt = "2026-03-14T09:30:00Z";
const istiodAt = "2026-03-14T09:30:10Z";
const sentTime = "2026-03-14T09:30:05Z";

describe("a push between the captures", () => {
  it("is in flight, unless the proxy refused it", () => {
    const of = (type: Partial<TypeSync>): Snapshot => meshWith({ istiodAt, proxyAt, type });
    expect(itemOf(of(nonces("n", "m", { sentTime }))).inFlight).toBe(true);
    const refused = of(nonces("n", "m", { sentTime, error: "no" }));
    expect(itemOf(refused).inFlight).toBe(false);
    expect(driftOf(refused).some(hasDrift)).toBe(true);
  });

  it("before or after both is not", () => {
    for (const other of ["2026-03-14T09:29:59Z", "2026-03-14T09:30:11.1Z", "0001-01-01T00:00:00Z"])
      expect(
        itemOf(meshWith({ istiodAt, proxyAt, type: nonces("n", "m", { sentTime: other }) })).inFlight,
      ).toBe(false);
  });
});

describe("a capture whose time is in whole seconds", () => {
  it("may have been at any time of its second", () => {
    const second = { istiodAt: "2026-03-14T09:30:00Z", proxyAt: "2026-03-14T09:30:00Z" };
    expect(itemOf(meshWith({ ...second, lastUpdated: "2026-03-14T09:30:00.400Z" })).inFlight).toBe(true);
    expect(itemOf(meshWith({ ...second, lastUpdated: "2026-03-14T09:30:01Z" })).inFlight).toBe(false);
    const exact = { istiodAt: "2026-03-14T09:30:00Z", proxyAt: "2026-03-14T09:30:00.300Z" };
    expect(itemOf(meshWith({ ...exact, lastUpdated: "2026-03-14T09:30:00.200Z" })).inFlight).toBe(true);
  });

  it("says nothing of a proxy whose clock is ahead", () => {
    expect(itemOf(meshWith({ istiodAt, proxyAt, lastUpdated: "2027-01-01T00:00:00Z" })).inFlight).toBe(false);
  });
});

describe("two Istiods with a view of one proxy", () => {
  const of = (listing: readonly string[]): readonly string[] =>
    driftOf(
      meshOf({
        istiods: Object.fromEntries(
          ["istiod-1", "istiod-2"].map((id) => [
            id,
            { sends: { "a.b": held("1s") }, rows: listing.includes(id) ? [aRow("a.b")] : [] },
          ]),
        ),
        proxies: { "a.b": { holds: held("1s") } },
      }),
    ).map(({ istiod }) => istiod);

  it("count as far as they list it", () => {
    expect(of(["istiod-1", "istiod-2"])).toEqual(["istiod-1", "istiod-2"]);
    expect(of(["istiod-2"])).toEqual(["istiod-2"]);
    expect(of([])).toEqual(["istiod-1", "istiod-2"]);
  });
});
