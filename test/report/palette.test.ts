import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("../../templates/report.css", import.meta.url), "utf8");
const blocks = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) => block!);
const colours = (block: string): Record<string, string> =>
  Object.fromEntries(
    [...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name!, hex!]),
  );
const themes = { light: colours(blocks[0]!), dark: colours(blocks[1]!) };

/** Relative luminance and contrast as WCAG 2 defines them. */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

const texts = [
  ...["text", "muted", "link", "good", "bad", "waiting", "neutral"].flatMap((text) =>
    ["page", "surface"].map((ground) => ({ text, ground, least: 4.5 })),
  ),
  ...["good", "bad", "waiting", "neutral"].map((tone) => ({
    text: tone,
    ground: `${tone}-surface`,
    least: 4.5,
  })),
  // lines of differences, and the words in them that differ
  ...["good-surface", "bad-surface", "good-mark", "bad-mark"].map((ground) => ({
    text: "text",
    ground,
    least: 4.5,
  })),
  ...["good-surface", "bad-surface"].map((ground) => ({ text: "muted", ground, least: 4.5 })),
  { text: "focus", ground: "page", least: 3 },
  { text: "focus", ground: "surface", least: 3 },
  { text: "muted", ground: "neutral-surface", least: 3 },
];

describe("the colours of diff2html", () => {
  const used = readFileSync(
    createRequire(import.meta.url).resolve("diff2html/bundles/css/diff2html.min.css"),
    "utf8",
  );
  it("are ours, where it draws what we draw", () => {
    const set = new Set([...css.matchAll(/(--d2h-[a-z-]+): var\(/g)].map(([, name]) => name));
    const drawn = [...used.matchAll(/([^{}]*)\{([^{}]*)\}/g)].filter(
      ([, selector]) =>
        /d2h-(?:code|diff|ins|del|info|cntx|empty)/.test(selector!) && !selector!.includes("-color-scheme"),
    );
    const names = drawn.flatMap(([, , rules]) => [...rules!.matchAll(/var\((--[a-z0-9-]+)\)/g)]);
    expect(names.length).toBeGreaterThan(10);
    const foreign = names.map(([, name]) => name!).filter((name) => !set.has(name));
    expect([...new Set(foreign)].filter((name) => !/header|label|selected/.test(name))).toEqual([]);
  });
});

describe.each(Object.entries(themes))("the %s palette", (_, palette) => {
  it("has the same colours as the other", () => {
    expect(Object.keys(palette).sort()).toEqual(Object.keys(themes.light).sort());
  });
  it.each(texts)("$text on $ground has a contrast of $least", ({ text, ground, least }) => {
    expect(contrast(palette[text]!, palette[ground]!)).toBeGreaterThanOrEqual(least);
  });
});
