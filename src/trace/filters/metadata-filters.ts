/** Filters that write dynamic metadata: `header_to_metadata` and `set_metadata` (`source/extensions/filters/http`). */
import { child, children, field, flag, isMessage, text, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import { cookiesOf } from "../matchers/query-matcher.js";
import { isText, replaceAll } from "../matchers/regex.js";
import { asciiLower, regexIn } from "../matchers/string-matcher.js";
import { headerValue, withoutHeader, type HeaderList } from "../request.js";
import { decodedBytes } from "../route/formatters.js";
import { mostSpecific, passed, type FilterContext, type FilterResult, type HttpFilter } from "./filter.js";

/** Longer values of headers are not taken. */
const longestValue = 8 * 1024;

/** Rules read headers, some of which they take away. The most specific configuration takes the filter's place. */
export function evaluateHeaderToMetadata(filter: HttpFilter, context: FilterContext): FilterResult {
  const config = mostSpecific(filter) ?? filter.config;
  const written = new Map<string, Message>();
  const hidden: string[] = [];
  let { headers } = context;
  for (const rule of children(config, "request_rules")) {
    const value = valueFor(rule, headers);
    const pair = child(rule, value === undefined ? "on_header_missing" : "on_header_present");
    if (value !== undefined && flag(rule, "remove") === true)
      headers = withoutHeader(headers, headerName(rule));
    if (pair === undefined) continue;
    const namespace = text(pair, "metadata_namespace") || "envoy.filters.http.header_to_metadata";
    const entry = metadataValueOf(pair, value ?? "");
    if (entry === null) hidden.push(namespace);
    else if (entry !== undefined)
      written.set(namespace, { ...written.get(namespace), [text(pair, "key")]: entry });
  }
  return passed({
    headers,
    dynamicMetadata: written,
    hiddenMetadata: hidden,
    clearsRouteCache: flag(config, "clear_route_cache") === true,
  });
}

const headerName = (rule: Message): string => asciiLower(text(rule, "header"));

function valueFor(rule: Message, headers: HeaderList): string | undefined {
  const cookie = text(rule, "cookie");
  if (cookie === "") return headerValue(headers, headerName(rule));
  const value = cookiesOf(headers).get(cookie);
  return value === "" ? undefined : value; // an empty cookie counts as none
}

/** undefined: nothing is written, as for an empty value. null: it is a message, or by a pattern that we do not take. */
function metadataValueOf(pair: Message, read: string): string | number | undefined | null {
  const value = text(pair, "value") || rewritten(pair, read);
  if (value === null) return null;
  if (value === "" || value.length >= longestValue) return undefined;
  const decoded = enumName(pair, "encode", ["NONE", "BASE64"]) === "BASE64" ? decodedBytes(value) : value;
  if (decoded === "") return undefined;
  const type = enumName(pair, "type", ["STRING", "NUMBER", "PROTOBUF_VALUE"]);
  if (type === "NUMBER") return numberIn(decoded);
  return type === "STRING" ? decoded : null;
}

function rewritten(pair: Message, read: string): string | null {
  const rewrite = child(pair, "regex_value_rewrite");
  if (rewrite === undefined) return read;
  const result = replaceAll(regexIn(rewrite, "pattern"), read, text(rewrite, "substitution"));
  return isText(result) ? result : null;
}

function numberIn(value: string): number | undefined {
  return /^\s{0,99}[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:e[+-]?\d{1,4})?\s{0,99}$/i.test(value)
    ? Number(value)
    : undefined;
}

/** Values of the configuration; what is there is merged over only where that is allowed. */
export function evaluateSetMetadata(filter: HttpFilter, context: FilterContext): FilterResult {
  const written = new Map<string, Message>();
  for (const { namespace, value, overwrites } of metadataEntries(filter.config)) {
    const current = written.get(namespace) ?? context.dynamicMetadata.get(namespace);
    if (!isMessage(current)) written.set(namespace, value);
    else if (overwrites) written.set(namespace, merged(current, value));
  }
  return passed({ dynamicMetadata: written });
}

interface MetadataEntry {
  readonly namespace: string;
  readonly value: Message;
  readonly overwrites: boolean;
}

/** The deprecated single value comes first, and merges. */
function metadataEntries(config: Message): MetadataEntry[] {
  const single = { metadata_namespace: text(config, "metadata_namespace"), value: field(config, "value") };
  const entries = [{ ...single, allow_overwrite: true }, ...children(config, "metadata")];
  return entries.flatMap((entry: Message) => {
    const value = child(entry, "value");
    if (value === undefined) return [];
    const overwrites = flag(entry, "allow_overwrite") === true;
    return [{ namespace: text(entry, "metadata_namespace"), value, overwrites }];
  });
}

/** `StructUtil::update`: structs are merged, lists joined, other values replaced. */
function merged(current: Message, update: Message, depth = 0): Message {
  const entries = Object.entries(update).map(([key, value]) => {
    const old = field(current, key);
    if (Array.isArray(old) && Array.isArray(value))
      return [key, [...(old as unknown[]), ...(value as unknown[])]];
    const goesDeeper = isMessage(old) && isMessage(value) && depth < deepest;
    return [key, goesDeeper ? merged(old, value, depth + 1) : value];
  });
  return { ...current, ...(Object.fromEntries(entries) as Message) };
}

/** As protobuf's parser ends. */
const deepest = 100;
