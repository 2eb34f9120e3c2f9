/** Requests with what they should come to, from a file (`schemas/trace-cases.schema.json`), and what they do come to. */
import { UserError } from "../../../shared/errors.js";
import { validator } from "../../../shared/validator.js";
import type { HeaderList } from "../../../trace/request.js";
import type { TraceResult } from "../../../trace/result.js";
import { namedHeader, type RequestWords } from "./request.js";
import { traceJson } from "./trace-json.js";

export interface TraceCase {
  readonly name: string;
  /** As it is named; undefined: where all of them begin. */
  readonly from: string | undefined;
  readonly namespace: string | undefined;
  readonly request: Omit<RequestWords, "headers"> & { readonly headers: RawHeaders };
  readonly expect: Readonly<Record<string, unknown>>;
}

type RawHeaders = Readonly<Record<string, string | readonly string[]>>;

/** A field that a case names, and what it is. */
export interface ComparedField {
  /** `outcome.status`, `hops[0].cluster`. */
  readonly field: string;
  readonly expected: unknown;
  /** undefined: there is no such field. */
  readonly actual: unknown;
  readonly passed: boolean;
}

export interface CaseResult {
  readonly name: string;
  readonly passed: boolean;
  /** Why it could not be run; null where it was. */
  readonly error: string | null;
  readonly fields: readonly ComparedField[];
}

interface RawCase {
  readonly name?: string;
  readonly request: Omit<RequestWords, "headers" | "random"> & {
    readonly from?: string;
    readonly namespace?: string;
    readonly headers?: RawHeaders;
    readonly random?: number | string;
  };
  readonly expect: Readonly<Record<string, unknown>>;
}

const validate = validator<{ readonly cases: readonly RawCase[] }>("traceCases");

/** @param file its name, for messages @throws BundleFormatError that names the field */
export function parseCases(value: unknown, file: string): TraceCase[] {
  return validate(value, file).cases.map(({ name, request, expect }, index) => {
    const { from, namespace, headers = {}, random, ...words } = request;
    return {
      name: name ?? `case ${index + 1}`,
      from,
      namespace,
      request: { ...words, headers, ...(random === undefined ? {} : { random: String(random) }) },
      expect,
    };
  });
}

/** Runs one case; what is wrong with it is its own failure, not that of the others. */
export function runCase(one: TraceCase, trace: (words: RequestWords) => TraceResult): CaseResult {
  try {
    const { headers, ...words } = one.request;
    const answer = traceJson(trace({ ...words, headers: headerList(headers) }));
    const fields = compared("", one.expect, answer);
    return { name: one.name, passed: fields.every(({ passed }) => passed), error: null, fields };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name: one.name, passed: false, error: error.message, fields: [] };
  }
}

const headerList = (headers: RawHeaders): HeaderList =>
  Object.entries(headers).flatMap(([name, values]) =>
    (typeof values === "string" ? [values] : values).map((value) => namedHeader(name, value)),
  );

/** The fields that are expected, each with what it is. */
function compared(field: string, expected: unknown, actual: unknown): ComparedField[] {
  if (isObject(expected) && isObject(actual))
    return Object.entries(expected).flatMap(([key, value]) =>
      compared(
        field === "" ? key : `${field}.${key}`,
        value,
        Object.hasOwn(actual, key) ? actual[key] : undefined,
      ),
    );
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length > 0 && expected.every(isObject))
    return expected.flatMap((item, index) => compared(`${field}[${index}]`, item, actual[index] as unknown));
  return [{ field, expected, actual, passed: isEqual(expected, actual) }];
}

function isEqual(expected: unknown, actual: unknown): boolean {
  if (typeof expected === "number" && typeof actual === "number") return Math.abs(expected - actual) < 1e-9; // shares
  if (Array.isArray(expected) && Array.isArray(actual))
    return expected.length === actual.length && expected.every((item, index) => isEqual(item, actual[index]));
  return expected === actual;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
