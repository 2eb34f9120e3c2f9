/**
 * How many inputs the hostile tests have tried, by class. With HOSTILE_COUNTS=<file> each test file appends its own numbers,
 * a line of class, tab and count, so that a table can be made of them.
 */
import { appendFileSync } from "node:fs";

import { afterAll } from "vitest";

const counts = new Map<string, number>();

/** Counts one more input (or several) of a class. */
export function tried(inputs: string, number = 1): void {
  counts.set(inputs, (counts.get(inputs) ?? 0) + number);
}

/** How many were tried so far in this test file. */
export const countOf = (inputs: string): number => counts.get(inputs) ?? 0;

afterAll(() => {
  const file = process.env["HOSTILE_COUNTS"] ?? "";
  if (file !== "")
    appendFileSync(file, [...counts].map(([inputs, number]) => `${inputs}\t${number}\n`).join(""));
});
