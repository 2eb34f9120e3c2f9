import { describe, expect, it } from "vitest";

import { holdsOpaqueValues, isBuild, isOpaque } from "../../src/redact/opaque-values.js";

describe("an opaque value", () => {
  it.each([
    "2026-03-14T08:46:11Z/202",
    "2026-03-14T08:46:11Z/2026bc320f7-be4b-4cb1-8ed1-379ddd9f5d32",
    "2026-03-14T08:46:11.796Z",
    "f0c6f4e1-5b0e-4a53-9c55-0f6f8d0e3a11",
    "60cb468474414dcddf6c21973e5820fe",
    "AB:CD:01",
    "hash_0f3a",
    "Zm9vYmFyYmF6cXV4Zm9vYg==",
    "istio-proxy:89c9ad411a1f6ec31e1130dd65387123b5bb027b",
    "1.24.2",
    "1.25-alpha.0123abc",
  ])("is %s", (value) => {
    expect(isOpaque(value)).toBe(true);
  });

  it.each(["", "acme-prod", "reviews.prod", "prod/7", "1.24.2-acme", "2026-03-14", "a".repeat(300)])(
    "is not %j",
    (value) => {
      expect(isOpaque(value)).toBe(false);
    },
  );

  it.each([
    "version_info",
    "versionInfo",
    "cluster_sent",
    "endpoint_acked",
    "sentTime",
    "serial_number",
    "nonce",
  ])("stands under %s", (key) => {
    expect(holdsOpaqueValues(key)).toBe(true);
  });

  it.each(["", "name", "app", "revision"])("does not stand under %j", (key) => {
    expect(holdsOpaqueValues(key)).toBe(false);
  });
});

describe("a build", () => {
  const sha = "21e3225b330b8d4cafa274a060217ea63a0b10a4";

  it.each([
    `1.24.2-${sha}-Clean`,
    `1.25-alpha.7-${sha}-Modified\n`,
    `${sha}/1.32.3-dev/Clean/RELEASE/BoringSSL`,
    `${sha}/1.10.0/Clean/RELEASE`,
  ])("is %s", (text) => {
    expect(isBuild(text)).toBe(true);
  });

  it.each(["1.24.2", `1.24.2-acme-${sha}-Clean`, `${sha}/1.32.3/acme/RELEASE/BoringSSL`, sha])(
    "is not %s",
    (text) => {
      expect(isBuild(text)).toBe(false);
    },
  );
});
