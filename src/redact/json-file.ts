/** Files of JSON: one value or several, with what kubectl printed before and behind them. */
import { jsonStart } from "../shared/json.js";
import type { JsonWalker } from "./json-walk.js";
import type { Output } from "./output.js";
import type { Place } from "./places.js";
import type { Strings } from "./strings.js";
import { redactText } from "./text-file.js";

export interface JsonFileOptions {
  readonly walker: JsonWalker;
  readonly strings: Strings;
  readonly place: Place;
  /** Whether the file must be JSON: what comes behind a fault is then left out, else it is looked through as a text. */
  readonly isExpected: boolean;
}

export interface JsonFileResult {
  /** Whether a text stood beside or instead of the JSON. */
  readonly hasText: boolean;
}

export function redactJsonFile(
  bytes: Uint8Array,
  { walker, strings, place, isExpected }: JsonFileOptions,
  output: Output,
): JsonFileResult {
  let at = 0;
  let hasText = false;
  while (at < bytes.length) {
    const rest = bytes.subarray(at);
    const start = jsonStart(rest);
    const before = start < 0 ? rest : rest.subarray(0, start);
    if (isBlank(before)) output.add(before);
    else {
      redactText(before, "error text", strings, output);
      hasText = true;
    }
    if (start < 0) break;
    const walk = walker.walk(bytes, at + start, place);
    output.addEdited(bytes, at + start, walk.end, walk.edits);
    at = walk.end;
    if (walk.outcome === "whole") continue;
    if (walk.outcome === "cut") break; // the last value, which has no end, goes too
    if (isExpected) leaveOut(bytes.subarray(at), strings, output);
    else {
      redactText(bytes.subarray(at), "error text", strings, output);
      hasText = true;
    }
    break;
  }
  return { hasText };
}

/** What is behind a fault may be anything. */
function leaveOut(rest: Uint8Array, strings: Strings, output: Output): void {
  const { text, rules } = strings.whole(rest, "free text");
  output.addText(text);
  output.note(rules);
}

/** Whether bytes are white space alone. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}
