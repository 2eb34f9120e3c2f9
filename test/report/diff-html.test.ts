import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { unifiedDiff } from "../../src/diff/diff-text.js";
import { diffDrawer, type DrawnDiff } from "../../src/report/diff-html.js";
import { printable } from "../../src/shared/printable.js";
import { hostile } from "../support/report-fixture.js";

const titles = { before: "Istiod cluster a", after: "Envoy cluster a" };

/** The difference of two texts, as the document has it. */
function diffOf(before: readonly string[], after: readonly string[], headings = titles) {
  const textOf = (lines: readonly string[]) => [
    { name: "a", text: lines.map((line) => `${line}\n`).join("") },
  ];
  return { ...headings, text: unifiedDiff(headings, textOf(before), textOf(after)), omitted: "" };
}

function drawn(diff: ReturnType<typeof diffOf>, draw = diffDrawer()): DrawnDiff {
  const drawing = draw(diff);
  if ("reason" in drawing) throw new Error(drawing.reason);
  return drawing;
}

const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', amp: "&", nbsp: " " };
const plain = (html: string): string =>
  html
    .replace(/<[^>]*>/g, "")
    .replace(/&(?:#x([0-9A-F]+)|(\w+));/gi, (_, code: string | undefined, name: string) =>
      code === undefined ? (entities[name] ?? "?") : String.fromCodePoint(Number.parseInt(code, 16)),
    );
/** The lines of a view, each with its mark, as a reader sees them. */
const linesOf = (html: string): string[] =>
  [
    ...html.matchAll(
      /<tr class="(d2h-(?:cntx|del|ins)[^"]*)">.*?<td class="d2h-code-(?:side-)?line(?: [^"]*)?">(.*?)<\/td><\/tr>/gs,
    ),
  ].flatMap(([, type, cell]) => (type!.includes("placeholder") ? [] : [plain(cell!)]));
/** What is drawn of the lines of a unified diff. */
const expected = (text: string): string[] =>
  text
    .split("\n")
    .slice(2, -1)
    .filter((line) => !/^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@$/.test(line))
    .map((line) => line.slice(0, 1) + printable(line.slice(1)));

/** Tags with nothing but a class and a role; any other would come from a text. */
function expectOnlyOurMarkup(html: string): void {
  const ours =
    /^<(?:\/?(?:div|table|tbody|tr|td|span|ins|del)|(?:div|table|tbody|tr|td|span|ins|del)(?: (?:class|role)="[a-z0-9 -]*")*)>$/;
  const tags = html.match(/<[^>]*>?/g) ?? [];
  expect(tags.length).toBeGreaterThan(4);
  expect(tags.filter((tag) => !ours.test(tag))).toEqual([]);
}

describe("a difference", () => {
  const before = ["{", '    "name": "a",', '    "connectTimeout": "10s"', "}"];
  const after = ["{", '    "name": "a",', '    "connectTimeout": "1s",', '    "type": "EDS"', "}"];
  const both = drawn(diffOf(before, after));

  it("is drawn inline and side by side, with numbers and the words that differ", () => {
    expect(linesOf(both.inline)).toEqual([
      " {",
      '     "name": "a",',
      '-    "connectTimeout": "10s"',
      '+    "connectTimeout": "1s",',
      '+    "type": "EDS"',
      " }",
    ]);
    expect(linesOf(both.sideBySide)).toEqual([
      ...[" {", '     "name": "a",', '-    "connectTimeout": "10s"', " }"],
      ...[" {", '     "name": "a",', '+    "connectTimeout": "1s",', '+    "type": "EDS"', " }"],
    ]);
    expect(both.inline).toContain("<del>10s</del>");
    expect(both.inline).toContain("<ins>1s</ins>");
    expect(both.inline).toContain('<span class="line-num1"></span><span class="line-num2">4</span>');
    expect(both).toMatchObject({ removed: 1, added: 2, leftOut: "" });
  });
  it("has as many rows on one side as on the other", () => {
    const [left, right] = both.sideBySide.split("d2h-right").map((side) => side.match(/<tr /g)?.length);
    expect(left).toBe(right);
  });
  it("has one side only where a resource is missing", () => {
    const diff = { ...titles, text: unifiedDiff(titles, [{ name: "a", text: "{}\n" }], []), omitted: "" };
    const missing = drawn(diff);
    expect(linesOf(missing.inline)).toEqual(["-{}"]);
    expect(plain(missing.inline)).toContain("@@ -1,1 +0,0 @@");
    expect(missing).toMatchObject({ removed: 1, added: 0 });
  });
  it("says why it is not drawn", () => {
    const draw = diffDrawer();
    expect(draw({ ...titles, text: "", omitted: "it is too long" })).toEqual({ reason: "it is too long" });
    for (const text of [
      "",
      "no diff\n",
      "--- a\n+++ b\n@@ -1,9 +1 @@\n-a\n+b\n",
      "--- a\n+++ b\n@@ what @@\n x\n",
    ]) {
      expect(draw({ ...titles, text, omitted: "" }), text).toMatchObject({
        reason: expect.any(String) as string,
      });
    }
    expect(draw(diffOf(["a"], ["b"]))).toHaveProperty("inline");
  });
});

describe("text of strangers", () => {
  it.each([
    "--- a",
    "+++ b",
    "-- a",
    "++ b",
    "@@ -1 +1 @@",
    "diff --git a/x b/x",
    "Index: x",
    "Binary files a/x and b/x differ",
    "GIT binary patch",
    "rename from x",
    "new file mode 100644",
    "* x",
    "\\ No newline at end of file",
    "",
    "</td></tr></table><script>",
    "&lt;",
    "{{x}}",
    "{{{content}}}",
    ...Object.values(hostile),
  ])("is a line, whatever it begins with: %j", (line) => {
    for (const [before, after] of [
      [
        ["{", line, "}"],
        ["{", "}"],
      ],
      [
        ["{", "}"],
        ["{", line, "}"],
      ],
      [
        ["{", line, "1", "}"],
        ["{", line, "2", "}"],
      ],
      [[line], [`${line} `]],
    ] as const) {
      const diff = diffOf(before, after);
      const { inline, sideBySide } = drawn(diff);
      expect(linesOf(inline).sort()).toEqual(expected(diff.text).sort());
      expectOnlyOurMarkup(inline);
      expectOnlyOurMarkup(sideBySide);
    }
  });
  it.each([...Object.values(hostile), "a\n@@ -1 +1 @@\n-x\n+y", "a\n+++ b\n@@ -1 +1 @@", "@@ "])(
    "is no part of the drawing where it heads a diff: %j",
    (name) => {
      const drawing = diffDrawer()(diffOf(["{", "}"], ["{", "1", "}"], { before: name, after: name }));
      if ("reason" in drawing) expect(name).toContain("\n");
      else {
        expect(linesOf(drawing.inline)).not.toContain(name);
        expectOnlyOurMarkup(drawing.inline);
      }
    },
  );
  it("is drawn as it is, whatever it is", () => {
    const line = fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.replace(/[\n\r]/g, ""));
    const document = fc.array(line, { maxLength: 12 });
    fc.assert(
      fc.property(document, document, (before, after) => {
        const diff = diffOf(before, after);
        fc.pre(diff.text !== "");
        const { inline, sideBySide } = drawn(diff);
        expect(linesOf(inline).sort()).toEqual(expected(diff.text).sort());
        expectOnlyOurMarkup(inline);
        expectOnlyOurMarkup(sideBySide);
      }),
      { numRuns: 200 },
    );
  });
});

describe("what is big", () => {
  const numbered = (count: number, word: string): string[] =>
    Array.from({ length: count }, (_, at) => `"${word}-${at}"`);

  it("is drawn in part, and says so, and is drawn whole up to there", () => {
    const whole = drawn(diffOf(numbered(200, "a"), numbered(200, "b")));
    expect(whole).toMatchObject({ removed: 200, added: 200, leftOut: "" });
    expect(linesOf(whole.inline)).toHaveLength(400);
    const part = drawn(diffOf(numbered(201, "a"), numbered(200, "b")));
    expect(linesOf(part.inline)).toHaveLength(400);
    expect(part).toMatchObject({ removed: 201, added: 200 });
    expect(part.leftOut).toBe(
      "Of 401 lines the first 400 are drawn: the JSON of this report holds it whole, and istio-snapshot proxy-status <proxy> prints what differs from Istiod.",
    );
  });
  it("has long lines cut, with the number of characters left out, where they begin to differ", () => {
    const start = "x".repeat(500_000);
    const [before, after] = [`    "${start}old${"y".repeat(500_000)}"`, `    "${start}new${"z".repeat(9)}"`];
    const { inline, sideBySide } = drawn(diffOf(["{", before, "}"], ["{", after, "}"]));
    expect(linesOf(inline)[1]).toMatch(
      /^- {4}…\(499945 characters\)… x{60}oldy{237} …\(499764 more characters\)$/,
    );
    expect(linesOf(inline)[2]).toBe(`+    …(499945 characters)… ${"x".repeat(60)}newzzzzzzzzz"`);
    expect(inline.length + sideBySide.length).toBeLessThan(10_000);
  });
  it("leaves a line of the limit as it is, cuts one that stands alone at its end, and parts no character", () => {
    const line = (length: number): string => "x".repeat(length);
    expect(linesOf(drawn(diffOf([], [line(299)])).inline)).toEqual([`+${line(299)}`]);
    expect(linesOf(drawn(diffOf([], [line(302)])).inline)).toEqual([`+${line(300)} …(2 more characters)`]);
    expect(linesOf(drawn(diffOf([], [`${line(299)}😀x`])).inline)).toEqual([
      `+${line(299)} …(3 more characters)`,
    ]);
  });
  it("stays bounded over the page, with something of many", () => {
    const draw = diffDrawer();
    const one = diffOf(numbered(200, "as Istiod would send it"), numbered(200, "as Envoy holds it"));
    const drawings = Array.from({ length: 1000 }, () => draw(one));
    const size = drawings.reduce(
      (sum, drawing) => sum + ("reason" in drawing ? 0 : drawing.inline.length + drawing.sideBySide.length),
      0,
    );
    expect(size).toBeLessThan(12_000_000);
    const counts = drawings.map((drawing) => ("reason" in drawing ? 0 : linesOf(drawing.inline).length));
    expect([counts[0], counts[100], counts[999]]).toEqual([400, 40, 0]);
    expect(drawings[999]).toEqual({
      reason: "this page draws only as many as stay readable; the JSON of this report holds it whole",
    });
  });
  it("costs little where every word of many lines differs", () => {
    // pairs of lines are compared word by word only up to a length, and only few with each other
    const words = (seed: number): string[] =>
      Array.from({ length: 200 }, (_, line) =>
        Array.from({ length: 120 }, (__, at) => ((at * 7919 + line * 31 + seed) % 46_656).toString(36)).join(
          " ",
        ),
      );
    const { inline } = drawn(diffOf(words(1), words(2)));
    expect(inline).not.toContain("<ins>");
    expect(linesOf(inline)).toHaveLength(400);
  });
});
