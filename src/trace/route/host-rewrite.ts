/** Rewriting of the host (`RouteEntryImplBase::finalizeHostHeader`, `Utility::updateAuthority`). */
import { child, flag, text, type Message } from "../../snapshot/message.js";
import { pathOnly } from "../matchers/path-matcher.js";
import { replaceAll } from "../matchers/regex.js";
import { asciiLower, regexIn } from "../matchers/string-matcher.js";
import { firstHeader, headerValue, withHeader, type HeaderList } from "../request.js";
import type { UnknownTruth } from "../ternary.js";
import { format, type FormatInput } from "./formatters.js";
import { withAdded } from "./header-mutations.js";

/** The host that a route sends on, the first of its fields that is set; null where it stays. */
export function rewrittenHost(action: Message | undefined, input: FormatInput): string | null | UnknownTruth {
  const host = hostIn(action, input);
  return host === "" ? null : host;
}

function hostIn(action: Message | undefined, input: FormatInput): string | UnknownTruth {
  const literal = text(action, "host_rewrite_literal");
  if (literal !== "") return literal;
  const header = asciiLower(text(action, "host_rewrite_header"));
  if (header !== "") return firstHeader(input.request, header) ?? "";
  const regex = child(action, "host_rewrite_path_regex");
  if (regex !== undefined) {
    const path = pathOnly(headerValue(input.request, ":path") ?? "");
    return replaceAll(regexIn(regex, "pattern"), path, text(regex, "substitution"));
  }
  const { text: formatted, unknowns } = format(text(action, "host_rewrite"), input);
  return unknowns.length > 0 ? { because: unknowns } : formatted;
}

/** Puts a host in the place of the old one, which may be kept in other headers. */
export function withHost(
  headers: HeaderList,
  host: string,
  action: Message | undefined,
  keepsOriginal: boolean,
): HeaderList {
  const old = headerValue(headers, ":authority") ?? "";
  const forwarded =
    (flag(action, "append_x_forwarded_host") ?? false) && old !== ""
      ? withForwardedHost(headers, old)
      : headers;
  const kept = keepsOriginal ? withHeader(forwarded, "x-envoy-original-host", old) : forwarded;
  return withHeader(kept, ":authority", host);
}

/** Not where it is the last of them already. */
function withForwardedHost(headers: HeaderList, host: string): HeaderList {
  const before = headerValue(headers, "x-forwarded-host") ?? "";
  const last = before
    .split(",")
    .filter((one) => one !== "")
    .at(-1);
  return last === host ? headers : withAdded(headers, "x-forwarded-host", host);
}
