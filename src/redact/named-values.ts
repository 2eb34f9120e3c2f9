/**
 * Secrets that a text names: `password=...`, `"token": "..."`, `Authorization: ...`, `--api-key ...`, in the text form of
 * protobuf `private_key { inline_string: "..." }` and `key: "authorization" value: "..."`, in what Envoy prints of headers
 * (`'cookie', '...'`), in queries. Reads a text once from left to right; a value is never read twice.
 */
import { folded, isSecretHeader, secrecyOf, type Secrecy } from "./key-names.js";
import type { Replace } from "./strings.js";
import { isRedacted, tokenSource } from "./tokens.js";

/** A name and what joins it to its value: `=`, `:`, `=>`, `':` with the quote of the name, `{` of a block. */
const assignment = new RegExp(
  `${tokenSource}|` +
    /(?<![A-Za-z0-9_.])([A-Za-z][A-Za-z0-9_.-]{1,127})(\\{0,31}["'`])?[ \t]{0,64}/.source +
    /(?:(=>|:=|[:=]|%3[Dd])[ \t]{0,64}(?:\r?\n[ \t]{0,40}(?=["'{]))?|(?=\{))/.source,
  "g",
);
/** `--password value` */
const flag =
  /(?<![\w-])--([A-Za-z][\w-]{1,60})[ \t]{1,4}(?!-)("[^"\n]{0,4096}"|'[^'\n]{0,4096}'|[^\s"'‹]{1,4096})/g;
/** `'authorization', 'Basic ...'` */
const headerPair = /'([\w-]{2,64})',[ \t]?'([^'\n]{0,65536})'/g;

/** Longer values are cut where they are this long: no closing quote is looked for beyond. */
const longestValue = 64 * 1024;
const longestBlock = 16 * 1024;
const longestNameValue = 100;

export interface NamedValueOptions {
  /** Whether `name: value` without quotes counts: not in statistics, where every line is of that form. */
  readonly bare: boolean;
}

export function redactNamedValues(text: string, replace: Replace, { bare }: NamedValueOptions): string {
  const reader = new Reader(text, replace, bare);
  return redactFlags(reader.read(), replace);
}

function redactFlags(text: string, replace: Replace): string {
  let result = text;
  if (result.includes("--"))
    result = result.replace(flag, (whole, name: string, value: string) => {
      const plain = value.replace(/^["']|["']$/g, "");
      if (secrecyOf(folded(name)) === "none" || isRedacted(plain)) return whole;
      return whole.slice(0, whole.length - value.length) + replace("secret in text", plain);
    });
  if (!result.includes("',")) return result;
  return result.replace(headerPair, (whole, name: string, value: string) =>
    value === "" || !isSecretHeader(name) || isRedacted(value)
      ? whole
      : `'${name}', '${replace("secret in text", value)}'`,
  );
}

/** Names under which a value stands beside its name. */
const nameFields: ReadonlySet<string> = new Set(["key", "name", "header", "header_name"]);
const valueFields: ReadonlySet<string> = new Set([
  "value",
  "raw_value",
  "exact",
  "prefix",
  "suffix",
  "contains",
  "exact_match",
  "prefix_match",
  "inline_string",
  "inline_bytes",
]);
/** How far behind its name a value may stand. */
const nearby = 256;
/** Members of a block that say where a secret is. */
const whereabouts: ReadonlySet<string> = new Set([
  "name",
  "filename",
  "path",
  "environment_variable",
  "provider_name",
  "@type",
]);

/** Backslashes before a quote: texts in texts in texts. */
const mostEscapes = 32;

interface Value {
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

class Reader {
  readonly #pieces: string[] = [];
  #done = 0;
  /** Until where a value is a secret because of the name before it. */
  #secretUntil = -1;

  constructor(
    readonly text: string,
    readonly replace: Replace,
    readonly bare: boolean,
  ) {}

  read(): string {
    const { text } = this;
    assignment.lastIndex = 0;
    for (let match = assignment.exec(text); match !== null; match = assignment.exec(text)) {
      const [, name, , mark] = match;
      if (name === undefined) continue; // a token of ours
      const end = this.#assigned(knownName(name), assignment.lastIndex, mark);
      assignment.lastIndex = Math.max(end, assignment.lastIndex);
    }
    return this.#done === 0 ? text : this.#pieces.join("") + text.slice(this.#done);
  }

  /** @returns from where to read on */
  #assigned(name: Name, at: number, mark: string | undefined): number {
    const { text } = this;
    if (text[at] === "{") return name.secrecy === "none" ? at : this.#block(at);
    if (mark === undefined) return at;
    const isPaired = at <= this.#secretUntil && valueFields.has(name.folded);
    if (name.secrecy === "none" && !isPaired) {
      if (nameFields.has(name.folded)) this.#noteName(at);
      return at;
    }
    const value = this.#value(at, isPaired ? "strong" : name.secrecy, mark, name.isHeader);
    if (value === null) return at;
    this.#secretUntil = -1;
    this.#cut(value);
    return value.end;
  }

  #noteName(at: number): void {
    const value = quotedValue(this.text, at, longestNameValue);
    if (value === null) return;
    const name = this.text.slice(value.start, value.end);
    if (isSecretHeader(name) || secrecyOf(folded(name)) !== "none") this.#secretUntil = value.end + nearby;
  }

  #value(at: number, secrecy: Secrecy, mark: string, isHeader: boolean): Value | null {
    const { text } = this;
    const quoted = quotedValue(text, at);
    if (quoted !== null) return quoted.end > quoted.start ? quoted : null;
    const isDefinition = mark.startsWith(":") || mark === "=>";
    if (isDefinition && !this.bare) return null;
    const block = blockScalar(text, at);
    if (block !== null) return block;
    // a header's value goes to the end of the line, a list's to its bracket
    const pattern = text[at] === "[" ? listValue : isHeader && isDefinition ? lineValue : wordValue;
    pattern.lastIndex = at;
    const length = pattern.exec(text)?.[0].length ?? 0;
    if (length === 0) return null;
    const value = { start: at, end: at + length, quoted: false };
    const plain = text.slice(value.start, value.end);
    if (secrecy === "weak" && isDefinition && !/[^A-Za-z]/.test(plain) && length < 16) return null;
    return plain === "{" || isNothing(plain) ? null : value;
  }

  #cut({ start, end }: Value): void {
    const plain = this.text.slice(start, end);
    if (isRedacted(plain)) return;
    this.#pieces.push(this.text.slice(this.#done, start), this.replace("secret in text", unescaped(plain)));
    this.#done = end;
  }

  /** All quoted strings of a block in the text form of protobuf, or of an object in JSON. */
  #block(at: number): number {
    const { text } = this;
    const limit = Math.min(text.length, at + longestBlock);
    let depth = 0;
    let position = at;
    while (position < limit) {
      const character = text[position];
      if (character === "{") depth++;
      else if (character === "}" && --depth === 0) return position + 1;
      const quoted = quotedValue(text, position);
      if (quoted === null) {
        position++;
        continue;
      }
      const after = closingEnd(text, quoted);
      if (!isFieldName(text, after) && !whereabouts.has(fieldBefore(text, position)))
        if (quoted.end > quoted.start) this.#cut(quoted);
      position = after;
    }
    return position;
  }
}

const listValue = /\[[^\]\n]{1,65536}\]?/y;
const lineValue = /[^\r\n]{1,65536}/y;
const wordValue = new RegExp(
  `(?:${[tokenSource, /\$[({][\w.:-]{1,100}[)}]/.source, /[^\s,;&"'`<>{})\]\\]/.source].join("|")}){1,65536}`,
  "y",
);
/** What stands where there is no value. */
const isNothing = (value: string): boolean =>
  /^(?:null|nil|none|true|false|undefined|%[sdvqw+#]{1,3}|\$[({][\w.:-]{1,100}[)}]|[*x.]+|-+)$/i.test(value);

/** A block scalar of YAML, `name: |`, that begins at an offset: the lines below that are indented more than its own. */
function blockScalar(text: string, at: number): Value | null {
  blockHeader.lastIndex = at;
  if (!blockHeader.test(text)) return null;
  const start = blockHeader.lastIndex;
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  const indent = indentation(text, lineStart);
  let end = start;
  while (end < text.length && end - start < longestValue) {
    const newline = text.indexOf("\n", end);
    const next = newline < 0 ? text.length : newline + 1;
    if (text.slice(end, next).trim() !== "" && indentation(text, end) <= indent) break;
    end = next;
  }
  const first = start + indentation(text, start);
  return end > first
    ? { start: first, end: first + text.slice(first, end).trimEnd().length, quoted: false }
    : null;
}
const blockHeader = /[|>][-+\d]{0,2}[ \t]*\r?\n/y;

function indentation(text: string, at: number): number {
  let end = at;
  while (text[end] === " ") end++;
  return end - at;
}

/** The text between the quotes that open at an offset, escaped as often as they are; null where none open. */
function quotedValue(text: string, at: number, longest = longestValue): Value | null {
  let open = at;
  while (text[open] === "\\" && open - at < mostEscapes) open++;
  const quote = text[open];
  if (quote !== '"' && quote !== "'" && quote !== "`") return null;
  const escapes = open - at;
  const start = open + 1;
  const limit = Math.min(text.length, start + longest);
  for (let index = start; index < limit; index++) {
    if (text[index] === "\n" && escapes === 0 && quote !== "`") return { start, end: index, quoted: true };
    if (text[index] !== quote) continue;
    let slashes = 0;
    while (slashes <= escapes && text[index - 1 - slashes] === "\\") slashes++;
    if (slashes <= escapes) return { start, end: index - slashes, quoted: true };
  }
  return { start, end: limit, quoted: true };
}

/** Behind the closing quote of a value. */
function closingEnd(text: string, value: Value): number {
  let end = value.end;
  while (text[end] === "\\" && end - value.end < mostEscapes) end++;
  return Math.min(text.length, end + 1);
}

const isFieldName = (text: string, at: number): boolean => {
  afterName.lastIndex = at;
  return afterName.test(text);
};
const afterName = /\s{0,8}:/y;

/** The name of the field whose value begins at an offset. */
function fieldBefore(text: string, at: number): string {
  const before = /([A-Za-z@][\w@]{0,60})\\{0,31}["'`]?\s{0,8}[:=]\s{0,8}$/.exec(
    text.slice(Math.max(0, at - 100), at),
  );
  return folded(before?.[1] ?? "");
}

const unescaped = (value: string): string => {
  if (!value.includes("\\")) return value;
  try {
    return JSON.parse(`"${value}"`) as string;
  } catch {
    return value;
  }
};

interface Name {
  readonly folded: string;
  readonly secrecy: Secrecy;
  /** Its value goes to the end of the line. */
  readonly isHeader: boolean;
}

const lineHeaders: ReadonlySet<string> = new Set([
  "authorization",
  "proxy_authorization",
  "cookie",
  "set_cookie",
]);
const knownNames = new Map<string, Name>();

function knownName(text: string): Name {
  const known = knownNames.get(text);
  if (known !== undefined) return known;
  if (knownNames.size >= 20_000) knownNames.clear();
  const name = folded(text);
  const isHeader = lineHeaders.has(name) || [...lineHeaders].some((header) => name.endsWith(`_${header}`));
  const made = { folded: name, secrecy: secrecyOf(name), isHeader };
  knownNames.set(text, made);
  return made;
}
