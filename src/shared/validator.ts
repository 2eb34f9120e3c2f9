import type { ErrorObject, ValidateFunction } from "ajv";

import * as compiled from "../generated/validators.js";
import { BundleFormatError } from "./errors.js";
import { excerpt } from "./printable.js";

/** Names of `schemas/<name>.schema.json` that input is checked against. */
export type SchemaName = keyof typeof compiled;

/**
 * A check of input against a schema of `schemas/`, compiled by ajv when the program is built.
 * @returns a function that gives the value back, typed, or throws a BundleFormatError that names entry and field
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the type that the schema describes
export function validator<T>(name: SchemaName): (value: unknown, entry: string, pointer?: string) => T {
  return (value, entry, pointer = "") => {
    const validate = compiled[name] as unknown as ValidateFunction<T>;
    if (validate(value)) return value;
    const error = validate.errors?.[0];
    throw new BundleFormatError(entry, pointer + (error?.instancePath ?? ""), wording(error));
  };
}

function wording(error: ErrorObject | undefined): string {
  const message = error?.message ?? "has the wrong shape";
  if (error?.keyword === "additionalProperties")
    return `has a field that is not known here: ${excerpt(String(error.params["additionalProperty"]))}`;
  return error?.keyword === "enum"
    ? `${message}: ${(error.params["allowedValues"] as string[]).join(", ")}`
    : message;
}
