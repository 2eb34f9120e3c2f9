/** What came of a file of cases: a table, a document, or JUnit's XML for a CI system. */
import { printable } from "../../../shared/printable.js";
import { textTable } from "../../../shared/text-table.js";
import type { Paint } from "../../output.js";
import type { CaseResult, ComparedField } from "./cases.js";

/** A row a case; of one that failed, a row for each field that is not as expected. */
export function casesTable(results: readonly CaseResult[], paint: Paint): string {
  const rows = results.flatMap(({ name, passed, error, fields }): string[][] => {
    if (passed) return [[name, "passed", "", "", ""]];
    if (error !== null) return [[name, "FAILED", "", "", error]];
    return fields
      .filter((field) => !field.passed)
      .map(({ field, expected, actual }) => [name, "FAILED", field, shown(expected), shown(actual)]);
  });
  const failed = failures(results).length;
  const table = textTable(["CASE", "RESULT", "FIELD", "EXPECTED", "ACTUAL"], rows, {
    padding: 2,
    paint: (cell, _row, column) => (column === 1 ? paint(cell, cell === "passed" ? "green" : "red") : cell),
  });
  return `${table.replace(/ +$/gm, "")}\n${count(results.length, "case")}: ${results.length - failed} passed, ${failed} failed.\n`;
}

export const casesJson = (results: readonly CaseResult[]): unknown => {
  const failed = failures(results).length;
  return {
    passed: results.length - failed,
    failed,
    cases: results.map(({ name, passed, error, fields }) => ({
      name,
      passed,
      error,
      fields: fields.map(({ field, expected, actual, passed: isPassed }) => ({
        field,
        expected,
        actual: actual ?? null,
        passed: isPassed,
      })),
    })),
  };
};

/** The form that Jenkins, GitLab and others read (testmoapp/junitxml): a test case for each, with what failed in it. */
export function casesJunit(results: readonly CaseResult[], suite: string): string {
  const failed = failures(results).filter(({ error }) => error === null).length;
  const errors = results.filter(({ error }) => error !== null).length;
  const counts = `tests="${results.length}" failures="${failed}" errors="${errors}"`;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites name="istio-snapshot trace" ${counts}>`,
    `  <testsuite name="${xml(suite)}" ${counts}>`,
    ...results.map((result) => junitCase(result, suite)),
    `  </testsuite>`,
    `</testsuites>`,
    ``,
  ].join("\n");
}

function junitCase({ name, passed, error, fields }: CaseResult, suite: string): string {
  const head = `    <testcase name="${xml(name)}" classname="${xml(suite)}"`;
  if (passed) return `${head}/>`;
  if (error !== null) return `${head}>\n      <error message="${xml(error)}"/>\n    </testcase>`;
  const lines = fields.filter((field) => !field.passed).map(difference);
  const body = lines.map(xml).join("\n");
  return `${head}>\n      <failure message="${xml(lines[0] ?? "")}">${body}</failure>\n    </testcase>`;
}

const difference = ({ field, expected, actual }: ComparedField): string =>
  `${field}: expected ${shown(expected)}, but it is ${shown(actual)}`;

const failures = (results: readonly CaseResult[]): readonly CaseResult[] =>
  results.filter(({ passed }) => !passed);

const shown = (value: unknown): string =>
  value === undefined ? "(none)" : typeof value === "string" ? value : JSON.stringify(value);

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Characters that XML cannot hold, such as controls, are shown as elsewhere. */
const xml = (text: string): string =>
  printable(text)
    .replace(/[\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (character) => entities[character] ?? character);
