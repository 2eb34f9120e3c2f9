/** Enums of protobuf JSON: a name, or its number (facts 1.2). */
import { field, type Message } from "../snapshot/message.js";

/**
 * The name of an enum field's value; the first name where it is absent.
 * @param names by number, as the proto counts them
 */
export function enumName(message: Message | undefined, name: string, names: readonly string[]): string {
  return nameOf(field(message, name), names);
}

/** The names in a repeated enum field. */
export function enumNames(message: Message | undefined, name: string, names: readonly string[]): string[] {
  const value = field(message, name);
  return Array.isArray(value) ? value.map((one: unknown) => nameOf(one, names)) : [];
}

function nameOf(value: unknown, names: readonly string[]): string {
  if (typeof value === "string") return value;
  return names[typeof value === "number" ? value : 0] ?? "";
}
