import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Answer } from "../../src/collect/capture.js";
import { FailureStreak } from "../../src/collect/failure-streak.js";
import { OutputError, packer } from "../../src/collect/packing.js";
import { captureSlices } from "../../src/collect/slice-capture.js";
import { slices } from "../../src/collect/slices.js";
import {
  temporaryFiles,
  type TemporaryFile,
  type TemporaryFiles,
} from "../../src/collect/temporary-files.js";
import type { Redactor } from "../../src/redact/types.js";
import {
  bundleInMemory,
  noSpace,
  passThrough,
  quickLimits,
  type BundleInMemory,
} from "../support/collector.js";

const name = "istio-snapshot/proxies/shop/cart/config_dump?include_eds";
const tooLarge = "the answer is larger than 1000 bytes (--max-dump-size)";
const admin = (type: string): string => `type.googleapis.com/envoy.admin.v3.${type}`;
const askedAt = (index: number): Date => new Date(Date.UTC(2026, 2, 14, 9, 30, index));

let disk: TemporaryFiles;
/** Files that were made and are not closed. */
let open: Set<TemporaryFile>;
let files: TemporaryFiles;
beforeEach(async () => {
  disk = await temporaryFiles(null);
  open = new Set();
  files = {
    remove: () => disk.remove(),
    create: async () => {
      const file = await disk.create();
      open.add(file);
      return {
        ...file,
        get size() {
          return file.size;
        },
        close: async () => {
          open.delete(file);
          await file.close();
        },
      };
    },
  };
});
afterEach(() => disk.remove());

/** What a small Envoy answers to a slice. */
const answers: Readonly<Record<string, string>> = {
  bootstrap: JSON.stringify({
    configs: [
      { "@type": admin("BootstrapConfigDump"), bootstrap: { node: { id: "sidecar~1~cart.shop~c" } } },
    ],
  }),
  version_info: JSON.stringify({ configs: [{ "@type": admin("ClustersConfigDump"), version_info: "7" }] }),
  static_clusters: JSON.stringify({
    configs: [{ "@type": admin("ClustersConfigDump.StaticCluster"), cluster: { name: "xds-grpc" } }],
  }),
};

type Told = string | Exclude<Answer, { outcome: "answered" }>;

/** Captures from an Envoy that answers a slice as `told` says, and `{}` where it says nothing. */
async function capture(
  told: Readonly<Record<string, Told>>,
  {
    redactor = passThrough(),
    bundle = bundleInMemory(),
    limit = 2,
  }: { redactor?: Redactor; bundle?: BundleInMemory; limit?: number } = {},
) {
  const asked: string[] = [];
  const result = await captureSlices(
    name,
    tooLarge,
    async (path) => {
      asked.push(path);
      const index = slices.findIndex((slice) => slice.path === path);
      const answer = told[slices[index]?.resource ?? ""] ?? "{}";
      if (typeof answer !== "string") return answer;
      const file = await files.create();
      await file.append(Buffer.from(answer));
      return { outcome: "answered", file, askedAt: askedAt(index) };
    },
    new FailureStreak(limit),
    { files, packer: packer(bundle, redactor), limits: { ...quickLimits, maxSize: 1000 } },
  );
  return { ...result, asked, bundle };
}

const failed = (reason: string): Told => ({ outcome: "failed", reason });

describe("a dump over the cap", () => {
  it("is one file of the bundle, with the time of every slice", async () => {
    const { isKept, failures, bundle, asked } = await capture(answers);
    expect({ isKept, failures }).toEqual({ isKept: true, failures: [] });
    expect(asked).toEqual(slices.map(({ path }) => path));
    expect([...bundle.files.keys()]).toEqual([name]);
    const file = bundle.files.get(name);
    expect(JSON.parse(file?.text ?? "")).toMatchObject({
      configs: [
        { "@type": admin("BootstrapConfigDump"), bootstrap: { node: { id: "sidecar~1~cart.shop~c" } } },
        {
          "@type": admin("ClustersConfigDump"),
          version_info: "7",
          static_clusters: [{ cluster: { name: "xds-grpc" } }],
        },
        { "@type": admin("EndpointsConfigDump") },
        { "@type": admin("ListenersConfigDump") },
        { "@type": admin("ScopedRoutesConfigDump") },
        { "@type": admin("RoutesConfigDump") },
        { "@type": admin("SecretsConfigDump") },
      ],
    });
    expect(file?.capturedAt).toEqual(askedAt(0));
    expect(file?.slices).toEqual(
      slices.map(({ resource }, index) => ({ resource, capturedAt: askedAt(index).toISOString() })),
    );
    expect(open.size).toBe(0);
  });

  it("is larger than what is written at a time", async () => {
    const clusters = Array.from({ length: 40_000 }, (_, index) => ({
      "@type": admin("ClustersConfigDump.DynamicCluster"),
      cluster: { name: `outbound|80||host-${index}.shop.svc.cluster.local` },
    }));
    const { bundle } = await capture({
      ...answers,
      dynamic_active_clusters: JSON.stringify({ configs: clusters }),
    });
    const held = JSON.stringify(clusters.map(({ cluster }) => ({ cluster })));
    expect(held.length).toBeGreaterThan(2 * 1024 * 1024);
    expect(bundle.files.get(name)?.text.includes(`"dynamic_active_clusters":${held}`)).toBe(true);
  });

  it("lacks the section of a slice that is over the cap itself", async () => {
    const { isKept, failures, bundle } = await capture({
      ...answers,
      dynamic_listeners: { outcome: "too large", reason: tooLarge },
    });
    expect(isKept).toBe(true);
    expect(failures).toEqual([
      {
        what: "config_dump: ListenersConfigDump",
        reason: `the whole dump is larger than 1000 bytes, and its slice dynamic_listeners failed: ${tooLarge}`,
      },
    ]);
    const { text, slices: captured } = bundle.files.get(name) ?? {};
    expect(text).not.toContain("ListenersConfigDump");
    expect(captured?.map(({ resource }) => resource)).not.toContain("dynamic_listeners");
    expect(captured?.map(({ resource }) => resource)).toContain("static_listeners");
    expect(open.size).toBe(0);
  });

  it("has no filters by ECDS where Envoy refuses the mask for them", async () => {
    const said = "HTTP 400: FieldMask ecds_filters could not be successfully applied to any configs.";
    const { failures } = await capture({ ...answers, ecds_filters: failed(said) });
    expect(failures).toEqual([]);
    const { failures: other } = await capture({ ...answers, ecds_filters: failed("HTTP 503: busy") });
    expect(other.map(({ what }) => what)).toEqual(["config_dump: EcdsConfigDump"]);
  });

  it("lacks what the user did not wait for", async () => {
    const stopped: Told = { outcome: "interrupted", reason: "the capture was stopped" };
    const after = Object.fromEntries(slices.slice(5).map(({ resource }) => [resource, stopped]));
    const { isKept, failures, bundle } = await capture({ ...answers, ...after });
    expect(isKept).toBe(true);
    expect(bundle.files.get(name)?.text).toContain("xds-grpc");
    expect(failures.map(({ what }) => what)).toContain("config_dump: SecretsConfigDump");
    expect(failures.map(({ reason }) => reason).join()).toContain("the capture was stopped");
  });

  it("is not asked for any more where two slices in a row fail", async () => {
    const hung = failed("no answer within 30s (--timeout)");
    const { asked, failures, isKept } = await capture({
      ...answers,
      static_listeners: hung,
      dynamic_listeners: hung,
    });
    expect(isKept).toBe(true);
    expect(asked.at(-1)).toBe("config_dump?resource=dynamic_listeners");
    expect(failures.map(({ what }) => what)).toEqual([
      "config_dump: ListenersConfigDump",
      "config_dump: ScopedRoutesConfigDump",
      "config_dump: RoutesConfigDump",
      "config_dump: SecretsConfigDump",
    ]);
    expect(failures.at(-1)?.reason).toMatch(/failed: not asked: 2 requests in a row had failed$/);
  });

  it("is asked for to the end where single ones fail", async () => {
    const { asked } = await capture({
      ...answers,
      static_listeners: failed("HTTP 500"),
      static_secrets: failed("HTTP 500"),
    });
    expect(asked).toHaveLength(slices.length);
  });
});

describe("no dump", () => {
  it("comes from an Envoy that answers every slice with the whole", async () => {
    const large: Told = { outcome: "too large", reason: tooLarge };
    const { isKept, failures, asked, bundle } = await capture(
      Object.fromEntries(slices.map(({ resource }) => [resource, large])),
    );
    expect({ isKept, failures }).toEqual({
      isKept: false,
      failures: [
        {
          what: "config_dump?include_eds",
          reason: `${tooLarge}, and this Envoy does not answer with parts of it`,
        },
      ],
    });
    expect(asked).toHaveLength(2);
    expect(bundle.files.size).toBe(0);
  });

  it("comes from one that answers none", async () => {
    const { isKept, failures, bundle } = await capture(
      Object.fromEntries(slices.map(({ resource }) => [resource, failed("HTTP 500")])),
    );
    expect(isKept).toBe(false);
    expect(failures[0]).toEqual({ what: "config_dump?include_eds", reason: tooLarge });
    expect(bundle.files.size).toBe(0);
  });

  it("is made of nothing but empty lists", async () => {
    const { isKept, bundle } = await capture({ bootstrap: failed("HTTP 500") });
    expect(isKept).toBe(false);
    expect(bundle.files.size).toBe(0);
  });
});

describe("redaction", () => {
  it("sees each slice alone, and what it gives is what is packed, under the name that it gives", async () => {
    const seen: string[] = [];
    const redactor = passThrough({
      file: (entry, content) => {
        seen.push(entry);
        const text = Buffer.from(content).toString("utf8").replaceAll("xds-grpc", "‹token›");
        const halves = [Buffer.from(text.slice(0, 9)), Buffer.from(text.slice(9))];
        return { outcome: "kept", name: "token/config_dump", content: halves, size: Buffer.byteLength(text) };
      },
    });
    const { bundle } = await capture(answers, { redactor });
    expect(seen).toEqual(slices.map(() => name));
    expect([...bundle.files.keys()]).toEqual(["token/config_dump"]);
    expect(bundle.files.get("token/config_dump")?.text).toContain("‹token›");
    expect(bundle.files.get("token/config_dump")?.text).not.toContain("xds-grpc");
  });

  it("drops a section with a slice that it cannot look through", async () => {
    const redactor = passThrough({
      file: (entry, content) => {
        if (Buffer.from(content).includes("xds-grpc")) throw new SyntaxError('Unexpected token "s3cret"');
        return { outcome: "kept", name: entry, content: [content], size: content.length };
      },
    });
    const { isKept, failures, bundle } = await capture(answers, { redactor });
    expect(isKept).toBe(true);
    expect(failures).toEqual([
      {
        what: "config_dump: ClustersConfigDump",
        reason:
          "the whole dump is larger than 1000 bytes, and its slice static_clusters failed: it could not be redacted (SyntaxError)",
      },
    ]);
    expect(bundle.files.get(name)?.text).not.toContain("ClustersConfigDump");
    expect(open.size).toBe(0);
  });
});

describe("what ends everything", () => {
  it("is a bundle that cannot be written, and no temporary file stays", async () => {
    const bundle = bundleInMemory(() => {
      throw noSpace();
    });
    await expect(capture(answers, { bundle })).rejects.toThrow(OutputError);
    expect(open.size).toBe(0);
  });

  it("is a temporary file that cannot be written", async () => {
    let made = 0;
    files = {
      ...files,
      create: async () => {
        const file = await disk.create();
        // the bootstrap's answer, its content, and then
        return ++made < 3 ? file : { ...file, append: () => Promise.reject(noSpace()) };
      },
    };
    await expect(capture(answers)).rejects.toThrow("ENOSPC");
  });
});
