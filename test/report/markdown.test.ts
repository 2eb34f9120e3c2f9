import { describe, expect, it } from "vitest";

import { code, prose, renderMarkdown } from "../../src/report/markdown.js";
import {
  aBareReport,
  aCell,
  aHealthyReport,
  aLargeReport,
  aReport,
  aRow,
  hostile,
} from "../support/report-fixture.js";

describe("prose", () => {
  it.each([
    { text: "2 of 7 proxies (3m12s)", written: "2 of 7 proxies (3m12s)" },
    { text: "a|b", written: "a\\|b" },
    { text: "`c`", written: "\\`c\\`" },
    { text: "[e](f)", written: "\\[e\\](f)" },
    { text: "*g* _h_ ~i~", written: "\\*g\\* \\_h\\_ \\~i\\~" },
    { text: "<b>&amp;", written: "&lt;b&gt;&amp;amp;" },
    { text: "back\\slash", written: "back\\\\slash" },
    { text: "two\nlines", written: "two lines" },
    { text: "# head", written: "`#` head" },
    { text: "1. item", written: "1\\. item" },
    { text: "- item", written: "\\- item" },
    { text: "http://e.example www.e.example", written: "http\\://e.example www\\.e.example" },
    { text: "@octocat a@b", written: "`@`octocat a@b" },
    { text: "see #12 and o/r#12", written: "see `#`12 and o/r`#`12" },
    { text: hostile.override, written: "gateway-\\\\u202egnp.exe" },
  ])("$text", ({ text, written }) => expect(prose(text)).toBe(written));
});

describe("code", () => {
  it.each([
    { text: "a_b", where: "text", written: "`a_b`" },
    { text: "outbound|80||x", where: "text", written: "`outbound|80||x`" },
    { text: "outbound|80||x", where: "cell", written: "`outbound\\|80\\|\\|x`" },
    { text: "`c`", where: "text", written: "`` `c` ``" },
    { text: "a``b", where: "text", written: "``` a``b ```" },
    { text: "a\nb", where: "cell", written: "`a b`" },
    { text: "", where: "cell", written: "-" },
  ] as const)("$text in $where", ({ text, where, written }) => expect(code(text, where)).toBe(written));
});

describe("the comment", () => {
  const text = renderMarkdown(aReport());

  it("says what redaction took, and nothing where it took nothing", () => {
    expect(text).toContain("Redaction took from this analysis:\n\n- Values of headers are tokens.\n- ");
    expect(renderMarkdown(aBareReport())).not.toContain("Redaction took");
  });

  it("begins with the verdict", () => {
    expect(text.split("\n")[0]).toBe("## 4 of 7 proxies are not in sync");
  });
  it("says what is next, for which proxies, and where to see it", () => {
    expect(text).toContain("  - Next: Check that the pod reaches port 15012 of istiod.");
    expect(text).toContain("  - 1 proxy: `reviews-v2-6b8c7d9f5-m4n8p.bookinfo`");
    expect(text).toContain("config_dump?include_eds#/configs/2/dynamic_listeners/4/error_state`");
  });
  it("shows the rows that are not in sync, and counts the others", () => {
    expect(text).toContain("| `ratings-v1-5f7b9c8d4-zzt6w.bookinfo` | Kubernetes | STALE (3m12s) | SYNCED |");
    expect(text).not.toContain("| `details-v1");
    expect(text).toContain("\n\nand 3 in sync\n\n");
  });
  it("shows a proxy that no Istiod lists", () => {
    expect(text).toContain("| not connected | 1.22.6 |");
  });
  it("gives Envoy's reason for a rejection", () => {
    expect(text).toContain("listener `0.0.0.0_443`: `Error adding/updating listener(s)");
  });
  it("says what could not be read, and what not captured", () => {
    expect(text).toContain(
      "- **Lost:** `istio-snapshot/proxies/bookinfo/broken-0/config_dump?include_eds#/configs/3`",
    );
    expect(text).toContain("- `istiod-7d4f8b9c6-9w5rt.istio-system` debug/syncz: timed out after 30s");
  });
  it("has the cells of a table in each of its rows", () => {
    const rows = text.split("\n").filter((line) => line.startsWith("| ") && !line.includes("---"));
    const cells = rows.map((row) => row.replaceAll("\\|", "").split("|").length - 2);
    expect([...new Set(cells)].sort()).toEqual([2, 9]);
  });
  it("lets no HTML through outside of code", () => {
    // code spans hold text as it is: what stands outside of them must be escaped
    const outside = text.replace(/(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, "");
    expect(outside).not.toMatch(/<|@octocat|(?<!\\)\]\(/);
  });
  it("shows control characters", () => {
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/); // eslint-disable-line no-control-regex
  });
});

describe("a comment that must fit", () => {
  it("caps the table and counts the rest", () => {
    const rows = Array.from({ length: 70 }, (_, at) => aRow(`p${at}.ns`, { eds: aCell("STALE") }));
    const text = renderMarkdown(aHealthyReport({ sync: { rows: [...rows, aRow("fine.ns")], missing: "" } }));
    expect(text.match(/^\| `p\d+\.ns`/gm)).toHaveLength(50);
    expect(text).toContain("\n\nand 20 more not in sync\n\nand 1 in sync\n");
  });
  it("fits into a comment of Jira, whatever is in the mesh", () => {
    expect(renderMarkdown(aLargeReport(2000)).length).toBeLessThan(32_767);
  });
  it("cuts long names", () => {
    expect(code("x".repeat(5000)).length).toBeLessThan(300);
  });
  it("caps proxies, problems and gaps", () => {
    const problems = Array.from({ length: 40 }, (_, at) => ({
      severity: "lost" as const,
      entry: `e${at}`,
      pointer: "",
      message: "is cut off",
    }));
    const text = renderMarkdown(aLargeReport(900));
    expect(text).toContain("and 95 proxies more");
    expect(renderMarkdown(aHealthyReport({ problems }))).toContain("- and 25 entries more");
  });
});

describe("a mesh without trouble", () => {
  it.each([
    { rows: 1, line: "The one proxy listed is in sync." },
    { rows: 3, line: "All 3 are in sync." },
    { rows: 0, line: "No Istiod lists a proxy." },
  ])("of $rows: $line", ({ rows, line }) => {
    const all = Array.from({ length: rows }, (_, at) => aRow(`p${at}.ns`));
    const text = renderMarkdown(aHealthyReport({ sync: { rows: all, missing: "" } }));
    expect(text).toContain(line);
    expect(text).not.toContain("| NAME |");
  });
  it("does not call a mesh in sync that no Istiod told about", () => {
    const text = renderMarkdown(aBareReport());
    expect(text).toContain("### Sync\n\nNo Istiod's answer was captured, so the sync state is not known.\n");
    expect(text).not.toMatch(/in sync\./);
  });
});
