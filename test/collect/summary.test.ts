import { describe, expect, it } from "vitest";

import { Ledger } from "../../src/collect/ledger.js";
import type { PlannedTarget } from "../../src/collect/plan.js";
import { dryRun, findingsText, planLine, summary, type Result } from "../../src/collect/summary.js";
import type { Redactor } from "../../src/redact/types.js";
import { aPlan, aTarget, passThrough, traffic } from "../support/collector.js";

const channel = traffic().channel("http://127.0.0.1:1", {});
const istiod = aTarget("istiod", "istiod-1.istio-system", channel);
const cart = aTarget("proxy", "cart.shop", channel);
const web = aTarget("proxy", "web.shop", channel);
const ztunnel = aTarget("ztunnel", "zt.istio-system", channel);

/** The summary of a capture in which these targets were captured whole, but for what `change` does to it. */
function summaryOf(
  targets: readonly PlannedTarget[],
  change: (ledger: Ledger) => void = () => undefined,
  { redactor = passThrough(), ...result }: Partial<Result> & { redactor?: Redactor } = {},
): string {
  const ledger = new Ledger(targets);
  targets.forEach((target) => ledger.kept(target));
  change(ledger);
  return summary(aPlan(targets), ledger, redactor, {
    path: "bundle.tar.gz",
    size: 1_440_000,
    took: 42_000,
    interrupted: false,
    mapPath: null,
    ...result,
  });
}

describe("the line before a capture", () => {
  it.each([
    { targets: [istiod, cart, web, ztunnel], cluster: "", said: "1 Istiod, 2 proxies, 1 ztunnel" },
    { targets: [cart], cluster: "prod", said: "1 proxy of prod" },
    { targets: [istiod, istiod], cluster: "a\u001b[2Jb", said: "2 Istiods of a\\u001b[2Jb" },
  ])("says what is asked: $said", ({ targets, cluster, said }) => {
    expect(planLine(aPlan(targets, { cluster }))).toBe(`Asking ${said}. Nothing in the mesh is changed.`);
  });
});

describe("the summary", () => {
  it("of a capture without gaps has what was captured, where it is, and what to do next", () => {
    expect(summaryOf([istiod, cart, web])).toBe(
      [
        "Captured 1 of 1 Istiod, 2 of 2 proxies in 42s.",
        "Redacted (internal): no value had to be replaced.",
        "Wrote bundle.tar.gz (1.4 MB).",
        "Next: istio-snapshot ps -f bundle.tar.gz",
        "",
      ].join("\n"),
    );
  });

  it("counts targets that were captured in part, or not at all", () => {
    const ledger = (book: Ledger): void => {
      book.failed(cart, "certs", "HTTP 500");
      book.failed(ztunnel, "config_dump", "gone");
    };
    const text = summaryOf([istiod, cart, web, ztunnel], ledger);
    expect(text).toContain(
      "Captured 1 of 1 Istiod, 2 of 2 proxies (1 in part), 1 of 1 ztunnel (1 in part)\n  in 42s.\n",
    );

    const nothing = new Ledger([cart]);
    nothing.failed(cart, "all files", "gone");
    const result = { path: "b", size: 1, took: 0, interrupted: false, mapPath: null };
    expect(summary(aPlan([cart]), nothing, passThrough(), result)).toContain("Captured 0 of 1 proxy in 0s.");
  });

  it("lists gaps with their reasons, the cluster's first", () => {
    const text = summaryOf([istiod, cart], (ledger) => {
      ledger.failed(cart, "certs", "HTTP 500: busy");
      ledger.failed(null, "cluster/services.json", "Forbidden");
    });
    expect(text).toContain(
      [
        "Not captured (2):",
        "  cluster: cluster/services.json: Forbidden",
        "  cart.shop: certs: HTTP 500: busy",
        "",
      ].join("\n"),
    );
  });

  it("lists ten of them and says where the others are", () => {
    const failing = (count: number) => (ledger: Ledger) => {
      for (let index = 0; index < count; index++) ledger.failed(cart, `file ${index}`, "gone");
    };
    expect(summaryOf([cart], failing(10)).match(/gone/g)).toHaveLength(10);
    expect(summaryOf([cart], failing(10))).not.toContain("more");
    expect(summaryOf([cart], failing(12)).match(/gone/g)).toHaveLength(10);
    expect(summaryOf([cart], failing(12))).toContain('  and 2 more ("istio-snapshot verify" lists all)\n');
  });

  it("shows what strangers wrote on one line, without steering the terminal, and not all of it", () => {
    const text = summaryOf([cart], (ledger) =>
      ledger.failed(cart, "ce\u001b[2Jrts", `a\n\u202eb ${"x".repeat(5000)}`),
    );
    const line = text.split("\n").find((each) => each.startsWith("  cart.shop"));
    expect(line).toMatch(/^ {2}cart\.shop: ce\\u001b\[2Jrts: a \\u202eb x+…$/);
    expect(line!.length).toBeLessThan(250);
  });

  it("says that it was stopped", () => {
    expect(summaryOf([cart], undefined, { interrupted: true })).toMatch(
      /^Stopped\. Captured 1 of 1 proxy in /,
    );
  });

  it("says loudly that nothing was redacted", () => {
    const text = summaryOf([cart], undefined, { redactor: passThrough({ profile: "none" }) });
    expect(text).toContain(
      "NOT redacted (--redact none): treat the bundle as you treat the mesh's secrets.\n",
    );
  });

  it("counts what each rule replaced, in lines that fit", () => {
    const rules: Redactor["rules"] = [
      { rule: "private key", count: 3, files: 2 },
      { rule: "header value", count: 12, files: 4 },
      { rule: "secret", count: 0, files: 0 },
      { rule: "environment identity", count: 1, files: 1 },
      { rule: "telemetry setting", count: 7, files: 1 },
    ];
    expect(summaryOf([cart], undefined, { redactor: passThrough({ profile: "support", rules }) })).toContain(
      [
        "Redacted (support): private key 3, header value 12, environment identity 1,",
        "  telemetry setting 7.",
        "",
      ].join("\n"),
    );
  });

  it("names the map of tokens, and that it is private", () => {
    expect(summaryOf([cart], undefined, { mapPath: "bundle.tar.gz.map.json" })).toContain(
      "What the tokens stand for is in bundle.tar.gz.map.json:\n  keep it to yourself, it is not in the bundle.\n",
    );
  });

  it("of a bundle on standard output names no file", () => {
    const text = summaryOf([cart], undefined, { path: "-" });
    expect(text).toContain("The bundle has 1.4 MB.\n");
    expect(text).not.toContain("Next:");
    expect(text).not.toContain("Wrote");
  });

  it("fits 80 columns where no name or reason is longer", () => {
    const rules = Array.from(
      { length: 20 },
      () => ({ rule: "header value", count: 1234, files: 1 }) as const,
    );
    const text = summaryOf(
      [istiod, cart, web, ztunnel],
      (ledger) => ledger.failed(cart, "certs", "HTTP 500"),
      {
        interrupted: true,
        mapPath: "bundle.tar.gz.map.json",
        redactor: passThrough({ profile: "public", rules }),
      },
    );
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });
});

describe("a dry run", () => {
  it("has every request that would be made", () => {
    const text = dryRun(aPlan([istiod, cart, ztunnel]));
    expect(text.replaceAll("GET http://127.0.0.1:1/", "/").replace(/stats\?filter=\S+/, "stats?filter=..."))
      .toBe(`istiod istiod-1.istio-system
  /debug/syncz
  /debug/adsz
  /version
  /debug/config_dump?proxyID=<each proxy that it lists>&include_eds
  /debug/ndsz?proxyID=<each of them with DNS capture>
  /debug/configz
  /debug/endpointShardz
  /debug/registryz
  /debug/mesh
  /debug/networkz
  /debug/ambientz
  /debug/clusterz
  /debug/push_status
  /debug/syncz (again, at the end)
proxy cart.shop
  /config_dump?include_eds
  /server_info
  /certs
  /clusters?format=json
  /runtime
  /stats?filter=...
ztunnel zt.istio-system
  /config_dump
`);
  });

  it("says why a target would not be asked, and cannot be steered by it", () => {
    const odd = aTarget("proxy", "cart.shop", channel, "not asked: the pod is \u001b[2JOdd\n");
    expect(dryRun(aPlan([odd]))).toBe("proxy cart.shop\n  not asked: the pod is \\u001b[2JOdd\\n\n");
  });
});

describe("findings", () => {
  const finding = {
    file: "istio-snapshot/proxies/shop/cart/stats",
    rule: "private key",
    offset: 17,
    pointer: "",
    fingerprint: "0123456789abcdef",
  };

  it("are a table: where, what it looks like, and the fingerprint that lets it pass", () => {
    expect(findingsText([finding, { ...finding, file: "x/certs", pointer: "/certificates/0" }])).toBe(
      [
        "FILE                                    WHERE            LOOKS LIKE   FINGERPRINT",
        "istio-snapshot/proxies/shop/cart/stats  byte 17          private key  0123456789abcdef",
        "x/certs                                 /certificates/0  private key  0123456789abcdef",
        "",
      ].join("\n"),
    );
  });

  it("cannot steer the terminal", () => {
    expect(findingsText([{ ...finding, pointer: "/a\u001b[2J\n" }])).toContain("/a\\u001b[2J\\n");
  });
});
