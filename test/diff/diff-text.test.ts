import { applyPatch } from "diff";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { documentOf, resourceText, unifiedDiff, type NamedText } from "../../src/diff/diff-text.js";
import { semanticForm } from "../../src/diff/semantic-form.js";
import { aCluster } from "../support/builders.js";
import { meshResources, corpusResources, resourceOf } from "../support/diff-resources.js";

const headings = { before: "Istiod Clusters", after: "Envoy Clusters" };

const named = (texts: Readonly<Record<string, readonly string[]>>): NamedText[] =>
  Object.entries(texts).map(([name, lines]) => ({ name, text: lines.map((line) => `${line}\n`).join("") }));

describe("a unified diff", () => {
  it("has the headings and seven lines around a change", () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    const diff = unifiedDiff(
      headings,
      named({ a: ["first"], b: lines }),
      named({ a: ["first"], b: lines.with(15, "other") }),
    );
    expect(diff.split("\n").slice(0, 3)).toEqual([
      "--- Istiod Clusters",
      "+++ Envoy Clusters",
      "@@ -10,15 +10,15 @@",
    ]);
    expect(diff.split("\n").filter((line) => line.startsWith(" "))).toHaveLength(14);
  });

  it("is empty for equal documents", () => {
    expect(unifiedDiff(headings, named({ a: ["x"] }), named({ a: ["x"] }))).toBe("");
    expect(unifiedDiff(headings, [], [])).toBe("");
  });

  it.each([
    { says: "all came", before: {}, after: { a: ["x", "y"] }, range: "@@ -0,0 +1,2 @@" },
    { says: "all went", before: { a: ["x", "y"] }, after: {}, range: "@@ -1,2 +0,0 @@" },
    { says: "one came behind", before: { a: ["x"] }, after: { a: ["x"], b: ["y"] }, range: "@@ -1,0 +2 @@" },
    { says: "one went before", before: { a: ["x"], b: ["y"] }, after: { b: ["y"] }, range: "@@ -1 +0,0 @@" },
  ])("numbers lines where $says", ({ before, after, range }) => {
    const diff = unifiedDiff(headings, named(before), named(after));
    expect(diff).toContain(`${range}\n`);
    expect(applyPatch(documentOf(named(before)), diff)).toBe(
      documentOf(named(after as Record<string, string[]>)),
    );
  });

  const document = fc
    .dictionary(
      fc.constantFrom("a", "b", "c", "d", "__proto__"),
      fc.array(fc.constantFrom("x", "y", "z", "", "- ", "+++ b", "@@ -1 +1 @@", "\\ No newline"), {
        minLength: 1,
        maxLength: 40,
      }),
    )
    .map(named);

  it("applies to the first document and gives the second (1000 runs)", () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const diff = unifiedDiff(headings, before, after);
        const [old, now] = [documentOf(before), documentOf(after)];
        if (old === now) expect(diff).toBe("");
        else expect(applyPatch(old, diff)).toBe(now);
      }),
      { numRuns: 1000, seed: 29 },
    );
  });

  it("shows large resources as replaced, in bounded time, and still applies", () => {
    const lines = (side: string): string[] =>
      Array.from({ length: 9000 }, (_, index) => (index % 2 === 0 ? `${side} ${index}` : `${index}`));
    const all = (side: string): NamedText[] =>
      named(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`r${index}`, lines(side)])));
    const [before, after] = [all("old"), all("new")];
    expect(applyPatch(documentOf(before), unifiedDiff(headings, before, after))).toBe(documentOf(after));
  });
});

describe("the text of a resource", () => {
  it("has JSON names and what it means, so that what means the same reads the same", () => {
    const text = resourceText(
      resourceOf("cluster", aCluster("a", { connect_timeout: "1.0s", lb_policy: "ROUND_ROBIN" })),
    );
    expect(text).toBe(
      `${JSON.stringify({ "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", connectTimeout: "1s", name: "a" }, null, 4)}\n`,
    );
  });

  it("is equal for equal meanings, in whatever fields they were said (every resource)", () => {
    const texts = new Map<string, string>();
    let pairs = 0;
    for (const resource of [...meshResources(), ...corpusResources()]) {
      const meaning = `${resource.kind} ${semanticForm(resource).text}`;
      const text = resourceText(resource);
      const known = texts.get(meaning);
      if (known !== undefined) pairs++;
      expect(text).toBe(known ?? text);
      texts.set(meaning, text);
    }
    expect(pairs).toBeGreaterThan(50);
  });

  it("of a v2 resource reads as that of v3's", () => {
    const v2 = resourceOf("cluster", {
      "@type": "type.googleapis.com/envoy.api.v2.Cluster",
      name: "a",
      tls_context: { sni: "b" },
      connect_timeout: "1s",
    });
    const v3 = resourceOf(
      "cluster",
      aCluster("a", {
        connect_timeout: "1s",
        transport_socket: {
          name: "envoy.transport_sockets.tls",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            sni: "b",
          },
        },
      }),
    );
    expect(resourceText(v2)).toBe(resourceText(v3));
  });
});
