import { describe, expect, it } from "vitest";

import { Ledger, targetId, type TargetName } from "../../src/collect/ledger.js";

const cart: TargetName = { kind: "proxy", namespace: "shop", pod: "cart" };
const web: TargetName = { kind: "proxy", namespace: "shop", pod: "web" };
const istiod: TargetName = { kind: "istiod", namespace: "istio-system", pod: "istiod-1" };

describe("a target", () => {
  it("is called as proxy-status calls proxies", () => {
    expect(targetId(cart)).toBe("cart.shop");
  });

  it.each([
    { kept: 2, lost: 0, outcome: "captured" },
    { kept: 1, lost: 1, outcome: "partial" },
    { kept: 0, lost: 2, outcome: "failed" },
    { kept: 0, lost: 0, outcome: "failed" },
  ])("is $outcome with $kept files kept and $lost lost", ({ kept, lost, outcome }) => {
    const ledger = new Ledger([cart, web]);
    for (let file = 0; file < kept; file++) ledger.kept(cart);
    for (let file = 0; file < lost; file++) ledger.failed(cart, `file ${file}`, "no answer");
    expect(ledger.outcome(cart)).toBe(outcome);
    expect(ledger.hasFailed(cart)).toBe(lost > 0);
  });

  it("has nothing to do with the failures of another, nor with the cluster's", () => {
    const ledger = new Ledger([cart, web]);
    ledger.kept(cart);
    ledger.failed(web, "certs", "no answer");
    ledger.failed(null, "cluster/services.json", "Forbidden");
    expect(ledger.outcome(cart)).toBe("captured");
    expect(ledger.failureCount).toBe(2);
  });

  it("of one name and another kind is another", () => {
    const alike = { ...cart, kind: "ztunnel" as const };
    const ledger = new Ledger([cart, alike]);
    ledger.kept(alike);
    expect([ledger.outcome(cart), ledger.outcome(alike)]).toEqual(["failed", "captured"]);
  });
});

describe("failures", () => {
  it("are in the order of targets and files, however they came; the cluster's first", () => {
    const ledger = new Ledger([istiod, cart, web]);
    ledger.failed(web, "certs", "1");
    ledger.failed(cart, "runtime", "2");
    ledger.failed(istiod, "version", "3");
    ledger.failed(cart, "certs", "4");
    ledger.failed(null, "cluster/services.json", "5");
    expect(ledger.failures.map(({ reason }) => reason)).toEqual(["5", "4", "2", "3", "1"]);
  });
});
