/** What istioctl prints of its own test data (`shared/corpus/istioctl`, commands in its CASES.md). */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "vitest";

import { textTable } from "../../src/shared/text-table.js";
import type { ReferenceList, SectionKind } from "../../src/snapshot/model.js";
import type { View } from "../../src/views/view.js";
import { corpus, everythingIsRequired, readText, valueOf } from "./builders.js";

const folder = join(corpus, "istioctl");

/** Whether the tests that need the data are to be passed over. */
export const withoutGoldens = !existsSync(folder) && !everythingIsRequired;

export const golden = (path: string): string => readFileSync(join(folder, path), "utf8");

/** A section of one of the dumps. */
export const goldenSection = (path: string, kind: SectionKind): ReferenceList =>
  valueOf(readText(golden(path)).sections[kind]);

/** The text that the command prints of a view. */
export function rendered(view: View): string {
  const note = view.note === "" ? "" : `${view.note}\n`;
  // a view without a header is lines and nothing else
  const [header = [], ...rows] = view.header.length === 0 ? view.rows : [view.header, ...view.rows];
  return note + textTable(header, rows, { padding: view.padding });
}

/** Equal but for white space at the ends of the whole and of its lines. */
export function expectText(actual: string, expected: string): void {
  expect(tidy(actual)).toBe(tidy(expected));
}

const tidy = (text: string): string =>
  text
    .trim()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");

/** All of the golden is there. There may be more: istioctl drops fields that its protos do not know. */
export function expectSuperset(actual: unknown, expected: unknown, pointer = ""): void {
  if (Array.isArray(expected)) {
    expect(Array.isArray(actual), `an array at ${pointer}`).toBe(true);
    const items = actual as readonly unknown[];
    expect(items.length, `elements of ${pointer}`).toBe(expected.length);
    expected.forEach((item, index) => expectSuperset(items[index], item, `${pointer}/${index}`));
  } else if (typeof expected === "object" && expected !== null) {
    expect(
      typeof actual === "object" && actual !== null && !Array.isArray(actual),
      `an object at ${pointer}`,
    ).toBe(true);
    const members = actual as Readonly<Record<string, unknown>>;
    for (const [key, item] of Object.entries(expected)) {
      expect(Object.keys(members), `keys of ${pointer}`).toContain(key);
      expectSuperset(members[key], item, `${pointer}/${key}`);
    }
  } else {
    expect(actual, pointer).toBe(expected);
  }
}
