/**
 * What the connection manager does to a path before it is routed.
 * Sources: envoyproxy/envoy, source/common/http/conn_manager_utility.cc (maybeNormalizePath), path_utility.cc, and the URL
 * library that it calls (url_canon_path.cc); checked against Envoy 1.36, byte by byte.
 */
import { field, flag, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import type { EnvoyMinor, Runtime } from "../match-context.js";
import { runtimeGuard, runtimeNumber } from "../runtime-values.js";

export type NormalizedPath =
  | { readonly kind: "continue"; readonly path: string }
  /** 307 to the new path (400 for gRPC). */
  | { readonly kind: "redirect"; readonly path: string }
  /** 400 */
  | { readonly kind: "reject"; readonly because: string };

const slashActions = [
  "IMPLEMENTATION_SPECIFIC_DEFAULT",
  "KEEP_UNCHANGED",
  "REJECT_REQUEST",
  "UNESCAPE_AND_REDIRECT",
  "UNESCAPE_AND_FORWARD",
] as const;

/** Envoy looked at fragments from this release on (and from the last patches of 1.16 to 1.19). */
const firstToSeeFragments: EnvoyMinor = 16;

/** @param manager the HttpConnectionManager */
export function normalizePath(
  path: string,
  manager: Message,
  runtime: Runtime,
  envoy: EnvoyMinor,
): NormalizedPath {
  const hash = path.indexOf("#");
  const seesFragment =
    hash >= 0 &&
    envoy >= firstToSeeFragments &&
    runtimeGuard(runtime, "http_strip_fragment_from_path_unsafe_if_disabled", true);
  if (seesFragment && runtimeGuard(runtime, "http_reject_path_with_fragment", true))
    return { kind: "reject", because: "the path has a fragment" };
  let at = seesFragment ? path.slice(0, hash) : path;

  const action = slashAction(manager, runtime);
  const unescaped = action === "KEEP_UNCHANGED" ? at : unescapeSlashes(at);
  const wasEscaped = unescaped !== at;
  if (wasEscaped && action === "REJECT_REQUEST")
    return { kind: "reject", because: "the path has escaped slashes" };
  at = unescaped;

  if (isNormalizing(manager, runtime)) {
    const canonical = canonicalPath(at);
    if (canonical === null) return { kind: "reject", because: "the path has an escaped NUL" };
    at = canonical;
  }
  if (flag(manager, "merge_slashes") === true) at = mergeSlashes(at);
  return { kind: wasEscaped && action === "UNESCAPE_AND_REDIRECT" ? "redirect" : "continue", path: at };
}

function slashAction(manager: Message, runtime: Runtime): string {
  const configured = enumName(manager, "path_with_escaped_slashes_action", slashActions);
  if (configured !== "IMPLEMENTATION_SPECIFIC_DEFAULT") return configured;
  const override = runtimeNumber(runtime, "http_connection_manager.path_with_escaped_slashes_action", 0);
  return slashActions[override === 0 ? 1 : override] ?? "KEEP_UNCHANGED";
}

function isNormalizing(manager: Message, runtime: Runtime): boolean {
  if (field(manager, "normalize_path") !== undefined) return flag(manager, "normalize_path") === true;
  return runtimeNumber(runtime, "http_connection_manager.normalize_path", 0) >= 100;
}

/** The path, and the query with its "?". */
function split(path: string): readonly [path: string, query: string] {
  const at = path.indexOf("?");
  return at < 0 ? [path, ""] : [path.slice(0, at), path.slice(at)];
}

export function unescapeSlashes(whole: string): string {
  const [path, query] = split(whole);
  return path.replaceAll(/%2[Ff]/g, "/").replaceAll(/%5[Cc]/g, "\\") + query;
}

/** Only between slashes: one stands at the beginning and one at the end where there were some. */
export function mergeSlashes(whole: string): string {
  const [path, query] = split(whole);
  if (!path.includes("//")) return whole;
  const parts = path.split("/").filter((part) => part !== "");
  return (path.startsWith("/") ? "/" : "") + parts.join("/") + (path.endsWith("/") ? "/" : "") + query;
}

/**
 * RFC 3986 normalisation as the URL library does it: dot segments, backslashes, what need not be escaped, what must be.
 * @returns null where the path has a NUL, also an escaped one
 */
export function canonicalPath(whole: string): string | null {
  const [path, query] = split(whole);
  const input = new TextEncoder().encode(path);
  const output: string[] = [];
  if (!isSlash(input[0])) output.push("/");
  let isValid = true;
  /** Where in the output the last "%" stands that began no escape. */
  let lastBarePercent = -1;
  for (let at = 0; at < input.length; at++) {
    const byte = input[at] ?? 0;
    const dot = dotAt(input, at);
    if (dot > 0) {
      const segment = output.at(-1) === "/" ? afterDot(input, at + dot) : null;
      if (segment === null) {
        output.push(".");
        at += dot - 1;
        continue;
      }
      if (segment.isUp) backUp(output);
      if (lastBarePercent >= output.length) lastBarePercent = -1;
      at += dot + segment.length - 1;
    } else if (byte === backslash) {
      output.push("/");
    } else if (byte === percent) {
      const value = escapeAt(input, at);
      if (value === null) {
        lastBarePercent = output.length;
        output.push("%");
        continue;
      }
      if (isUnreserved(value)) {
        output.push(String.fromCharCode(value));
        const isNear = lastBarePercent >= 0 && lastBarePercent >= output.length - 3;
        if (isNear && formsEscape(output, lastBarePercent, input, at + 3)) {
          output[lastBarePercent] = "%25"; // else unescaping once would have made another escape
          lastBarePercent = -1;
        }
      } else {
        output.push("%", String.fromCharCode(input[at + 1] ?? 0), String.fromCharCode(input[at + 2] ?? 0));
        if (value === 0) isValid = false;
      }
      at += 2;
    } else if (mustBeEscaped(byte)) {
      output.push(`%${byte.toString(16).toUpperCase().padStart(2, "0")}`);
      if (byte === 0) isValid = false;
    } else {
      output.push(String.fromCharCode(byte));
    }
  }
  return isValid ? output.join("") + query : null;
}

const slash = 0x2f;
const backslash = 0x5c;
const percent = 0x25;

const isSlash = (byte: number | undefined): boolean => byte === slash || byte === backslash;

/** How many bytes a dot takes here, "." or "%2e"; 0 where there is none. */
function dotAt(input: Uint8Array, at: number): number {
  if (input[at] === 0x2e) return 1;
  return input[at] === percent && escapeAt(input, at) === 0x2e ? 3 : 0;
}

/** What a dot after a slash means, and how many bytes go with it; null: it begins an ordinary name. */
function afterDot(input: Uint8Array, at: number): { readonly isUp: boolean; readonly length: number } | null {
  if (at >= input.length) return { isUp: false, length: 0 };
  if (isSlash(input[at])) return { isUp: false, length: 1 };
  const second = dotAt(input, at);
  if (second === 0) return null;
  if (at + second >= input.length) return { isUp: true, length: second };
  return isSlash(input[at + second]) ? { isUp: true, length: second + 1 } : null;
}

/** Removes the last segment; the output ends in "/" before and after. */
function backUp(output: string[]): void {
  if (output.length === 1) return;
  do output.pop();
  while (output.length > 1 && output.at(-1) !== "/");
}

/** The value of "%xx"; null where it is none. */
function escapeAt(input: Uint8Array, at: number): number | null {
  const high = hexValue(input[at + 1]);
  const low = hexValue(input[at + 2]);
  return high === null || low === null ? null : high * 16 + low;
}

function hexValue(byte: number | undefined): number | null {
  if (byte === undefined) return null;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : null;
}

/** Whether the bare "%" is followed by two hex digits, in the output and then in what comes next. */
function formsEscape(output: readonly string[], at: number, input: Uint8Array, next: number): boolean {
  const following = output.slice(at + 1).map((part) => part.charCodeAt(0));
  for (let index = next; following.length < 2 && index < input.length; index++)
    following.push(input[index] ?? 0);
  return hexValue(following[0]) !== null && hexValue(following[1]) !== null;
}

function isUnreserved(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || unreserved.has(byte);
}
const unreserved: ReadonlySet<number> = new Set(new TextEncoder().encode("-._~"));

const mustBeEscaped = (byte: number): boolean => byte <= 0x20 || byte >= 0x7f || escaped.has(byte);
const escaped: ReadonlySet<number> = new Set(new TextEncoder().encode('"#<>?^`{|}'));
