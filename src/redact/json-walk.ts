/**
 * Walks JSON by its bytes, without a tree, and notes which values become what. What it does not name stays as it is, byte
 * for byte. Objects are judged once more at their ends (siblings.ts). JSON that ends early or breaks is walked as far as it
 * goes; nothing behind the last value that is sure is kept.
 */
import type { RedactionRuleName } from "../shared/redaction-rules.js";
import { fields } from "./fields.js";
import { isSecretFlag } from "./key-names.js";
import { everything, KeyName, memberPlace, type Place } from "./places.js";
import { asksSiblings, verdicts, type HeldMember } from "./siblings.js";
import { hashByte, hashStart, StringCache } from "./string-cache.js";
import type { RedactedString, Strings } from "./strings.js";
import { isRedacted } from "./tokens.js";

/** Some bytes and what stands in place of them. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  readonly rules: readonly RedactionRuleName[];
}

export interface Walk {
  /** In order; none overlaps another. */
  readonly edits: readonly Edit[];
  /** Up to where the input may be kept, with the edits. */
  readonly end: number;
  /** Whether the value is complete, ends too early, or breaks. */
  readonly outcome: "whole" | "cut" | "broken";
}

/** What is known of a string by its bytes. */
interface KnownString {
  readonly text: string;
  /** As a member's name. */
  key: KeyName | null;
  keyEdit: Replacement | null | undefined;
  /** As a value at a place that only looks, by the name it stands under where names matter. */
  looked: Map<string, Replacement | null> | null;
}
interface Replacement {
  readonly bytes: Uint8Array;
  readonly rules: readonly RedactionRuleName[];
}

interface Held extends HeldMember {
  readonly start: number;
  readonly end: number;
  readonly isBase64: boolean;
  /** Its edits, by their places in the list. */
  readonly firstEdit: number;
  readonly endEdit: number;
}

/** An object that is being walked. */
interface OpenObject {
  readonly place: Place;
  held: Held[] | null;
  /** The member that is being walked: where its value begins, if siblings have a say in it. */
  undecided: number;
}

/** Where the walk cannot go on. */
class Fault extends Error {
  constructor(
    readonly at: number,
    /** Whether the input ends there. */
    readonly isCut: boolean,
  ) {
    super("no JSON from here");
  }
}

/** Deeper values are taken out whole: our parsers stop before, and so must the stack. */
const deepest = 300;
const deepestInStrings = 64;
/** A name or type that is longer is none. */
const longestName = 1024;
/** Names under which one string is remembered. */
const mostKeys = 64;
/** The longest string that is looked at; V8 has twice that. */
const longestString = 2 ** 28;

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

const noKey = new KeyName("", new Map());
const secretArgument = everything("Kubernetes object");
const zero = Buffer.from("0");
const emptyList = Buffer.from("[]");

/** Walks the documents of one bundle; keeps what it learned of their strings. */
export class JsonWalker {
  readonly #cache = new StringCache<KnownString>();

  constructor(readonly strings: Strings) {}

  /**
   * Walks one value.
   * @param start its first byte
   */
  walk(bytes: Uint8Array, start: number, place: Place): Walk {
    return new OneWalk(bytes, this.strings, this.#cache).run(start, place);
  }
}

class OneWalk {
  #edits: Edit[] = [];
  readonly #open: OpenObject[] = [];
  #depth = 0;
  /** Behind the string that was passed last. */
  #stringEnd = 0;
  readonly #namesMatter: boolean;
  readonly #deepest: number;

  constructor(
    readonly bytes: Uint8Array,
    readonly strings: Strings,
    readonly cache: StringCache<KnownString>,
  ) {
    this.#namesMatter = strings.profile === "support" || strings.profile === "public";
    this.#deepest = strings.isNested ? deepestInStrings : deepest;
  }

  run(start: number, place: Place): Walk {
    try {
      const end = this.#value(start, place, noKey, false);
      return { edits: this.#edits, end, outcome: "whole" };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { ...this.#untilFault(error.at), outcome: error.isCut ? "cut" : "broken" };
    }
  }

  /** What may be kept of a value that broke off: not the member whose name was still to come. */
  #untilFault(at: number): { edits: readonly Edit[]; end: number } {
    this.#depth = 0;
    let end = Math.min(at, this.bytes.length);
    for (const { undecided } of this.#open) if (undecided >= 0) end = Math.min(end, undecided);
    for (const open of this.#open.toReversed()) this.#judge(open, false);
    return { edits: this.#edits.filter((edit) => edit.end <= end), end };
  }

  // values

  /** @returns the offset behind the value */
  #value(start: number, place: Place, key: KeyName, isBase64: boolean): number {
    const byte = this.bytes[start];
    if (byte === quote) return this.#stringValue(start, place, key, isBase64);
    if (byte === openBrace || byte === openBracket) {
      if (place.whole !== null || this.#depth >= this.#deepest) return this.#wholeValue(start, place);
      this.#depth++;
      const end = byte === openBrace ? this.#object(start, place) : this.#array(start, place, key, isBase64);
      this.#depth--;
      return end;
    }
    const end = this.#scalar(start);
    if (place.strings.kind === "replace" && key.secrecy === "strong" && isNumberStart(byte))
      this.#replaceNumber(start, end);
    return end;
  }

  #object(start: number, place: Place): number {
    const { bytes } = this;
    const open: OpenObject = { place, held: null, undecided: -1 };
    const asks = asksSiblings(place);
    this.#open.push(open);
    let at = this.#space(start + 1);
    if (bytes[at] === closeBrace) at++;
    else
      for (;;) {
        if (bytes[at] !== quote) throw this.#fault(at);
        const keyStart = at;
        const known = this.#string(at);
        const key = (known.key ??= new KeyName(known.text, fields));
        this.#editKey(known, keyStart, this.#stringEnd);
        at = this.#space(this.#stringEnd);
        if (bytes[at] !== colon) throw this.#fault(at, keyStart);
        at = this.#space(at + 1);
        if (asks && key.siblingRole !== null) at = this.#heldMember(at, open, key);
        else at = this.#value(at, memberPlace(place, key), key, key.isBase64);
        at = this.#space(at);
        if (bytes[at] === closeBrace) {
          at++;
          break;
        }
        if (bytes[at] !== comma) throw this.#fault(at);
        at = this.#space(at + 1);
      }
    this.#open.pop();
    this.#judge(open, true);
    return at;
  }

  #heldMember(at: number, open: OpenObject, key: KeyName): number {
    const firstEdit = this.#edits.length;
    const text = this.bytes[at] === quote ? this.#string(at).text : null;
    const isUndecided =
      key.siblingRole === "value" || key.siblingRole === "data" || key.siblingRole === "jwk";
    if (isUndecided) open.undecided = at;
    const end = this.#value(at, memberPlace(open.place, key), key, key.isBase64);
    open.undecided = -1;
    (open.held ??= []).push({
      key,
      text,
      start: at,
      end,
      isBase64: key.isBase64,
      firstEdit,
      endEdit: this.#edits.length,
    });
    return end;
  }

  /** Walks members once more whose siblings say what they are. */
  #judge({ place, held }: OpenObject, isWhole: boolean): void {
    if (held === null) return;
    const judged = verdicts(place, held, isWhole);
    if (judged.length === 0) return;
    judged.sort((a, b) => b.member.firstEdit - a.member.firstEdit || b.member.start - a.member.start);
    for (const verdict of judged) {
      const { start, firstEdit, endEdit, isBase64, key } = verdict.member;
      const edits = this.#edits;
      this.#edits = [];
      this.#value(start, verdict.place, key, isBase64);
      const behind = edits.splice(firstEdit).slice(endEdit - firstEdit);
      for (const edit of this.#edits) edits.push(edit);
      for (const edit of behind) edits.push(edit);
      this.#edits = edits;
    }
  }

  #array(start: number, place: Place, key: KeyName, isBase64: boolean): number {
    const { bytes } = this;
    let at = this.#space(start + 1);
    if (bytes[at] === closeBracket) return at + 1;
    let previous = "";
    for (;;) {
      const isSecret = place.isArguments && isSecretFlag(previous);
      if (place.isArguments) previous = bytes[at] === quote ? this.#string(at).text : "";
      at = this.#space(this.#value(at, isSecret ? secretArgument : place, key, isBase64));
      if (bytes[at] === closeBracket) return at + 1;
      if (bytes[at] !== comma) throw this.#fault(at);
      at = this.#space(at + 1);
    }
  }

  #scalar(start: number): number {
    const { bytes } = this;
    const byte = bytes[start];
    if (isNumberStart(byte)) {
      let at = start + 1;
      while (isNumberByte(bytes[at])) at++;
      return at;
    }
    const word = byte === 0x74 ? "true" : byte === 0x66 ? "false" : "null";
    for (let index = 0; index < word.length; index++)
      if (bytes[start + index] !== word.charCodeAt(index)) throw this.#fault(start + index, start);
    return start + word.length;
  }

  #replaceNumber(start: number, end: number): void {
    if (end - start === 1 && this.bytes[start] === 0x30) return;
    this.#edits.push({ start, end, bytes: zero, rules: ["secret"] });
  }

  #wholeValue(start: number, place: Place): number {
    const end = this.#skip(start);
    if (place.whole === "empty list") {
      if (end - start > 2) this.#edits.push({ start, end, bytes: emptyList, rules: ["Kubernetes object"] });
      return end;
    }
    const { text, rules } =
      place.whole === null
        ? quoted(this.strings.whole(this.bytes.subarray(start, end), "free text"))
        : this.#rejected(start, end);
    if (rules.length > 0) this.#edits.push({ start, end, bytes: Buffer.from(text), rules });
    return end;
  }

  /** What a proxy rejected, as type, name and token. */
  #rejected(start: number, end: number): RedactedString {
    const outer = this.bytes[start] === openBrace ? this.#typeAndName(start) : null;
    if (outer?.isTokenOnly === true) return { text: "", rules: [] };
    const { text: token, rules } = this.strings.whole(
      this.bytes.subarray(start, end),
      "rejected configuration",
    );
    const name = outer?.name ?? null;
    const left = name === null ? null : this.strings.redact(name, { kind: "look" }, "name", false);
    const kept = {
      ...(outer?.type === undefined || outer.type === null ? {} : { "@type": outer.type }),
      ...(name === null ? {} : { name: left?.text ?? name }),
      redacted: token,
    };
    return { text: JSON.stringify(kept), rules: [...rules, ...(left?.rules ?? [])] };
  }

  #typeAndName(start: number): { type: string | null; name: string | null; isTokenOnly: boolean } {
    const { bytes } = this;
    const found = { type: null as string | null, name: null as string | null, isTokenOnly: false };
    let isOther = false;
    let at = this.#space(start + 1);
    while (bytes[at] === quote) {
      const key = this.#string(at).text;
      at = this.#space(this.#space(this.#stringEnd) + 1);
      const value = bytes[at] === quote ? this.#string(at).text : null;
      at = this.#space(this.#skip(at));
      if (key === "@type" && value !== null && value.length <= longestName) found.type = value;
      else if (key === "name" && value !== null && value.length <= longestName) found.name = value;
      else if (key === "redacted" && value !== null && isRedacted(value)) found.isTokenOnly = true;
      else isOther = true;
      if (bytes[at] !== comma) break;
      at = this.#space(at + 1);
    }
    found.isTokenOnly &&= !isOther;
    return found;
  }

  // strings

  #stringValue(start: number, place: Place, key: KeyName, isBase64: boolean): number {
    const known = this.#string(start);
    const end = this.#stringEnd;
    const replacement = this.#replacementOf(known, place, key, isBase64);
    if (replacement !== null)
      this.#edits.push({ start, end, bytes: replacement.bytes, rules: replacement.rules });
    return end;
  }

  #replacementOf(known: KnownString, place: Place, key: KeyName, isBase64: boolean): Replacement | null {
    const { text } = known;
    if (place.strings.kind !== "look")
      return replacementOf(this.strings.redact(text, place.strings, key.text, isBase64));
    const name = this.#namesMatter ? key.text : "";
    const byName = (known.looked ??= new Map<string, Replacement | null>());
    const seen = byName.get(name);
    if (seen !== undefined) return seen;
    const replacement = replacementOf(this.strings.redact(text, place.strings, key.text, isBase64));
    // inside of strings the depth decides too
    if (byName.size < mostKeys && !this.strings.isNested) byName.set(name, replacement);
    return replacement;
  }

  #editKey(known: KnownString, start: number, end: number): void {
    if (known.keyEdit === undefined) known.keyEdit = replacementOf(this.strings.key(known.text));
    const edit = known.keyEdit;
    if (edit !== null) this.#edits.push({ start, end, bytes: edit.bytes, rules: edit.rules });
  }

  /** The string that begins at an offset; `#stringEnd` is behind it. */
  #string(start: number): KnownString {
    const { bytes } = this;
    let hash = hashStart;
    let at = start + 1;
    for (;;) {
      const byte = bytes[at];
      if (byte === quote) break;
      if (byte === undefined) throw this.#fault(at, start);
      hash = hashByte(hash, byte);
      at++;
      if (byte === backslash) {
        const escaped = bytes[at];
        if (escaped === undefined) throw this.#fault(at, start);
        hash = hashByte(hash, escaped);
        at++;
      }
    }
    this.#stringEnd = at + 1;
    const known = this.cache.get(bytes, start + 1, at, hash);
    if (known !== undefined) return known;
    const made: KnownString = {
      text: this.#decoded(start, at + 1),
      key: null,
      keyEdit: undefined,
      looked: null,
    };
    this.cache.set(bytes, start + 1, at, hash, made);
    return made;
  }

  #decoded(start: number, end: number): string {
    if (end - start > longestString) throw this.#fault(start);
    const token = decoder.decode(this.bytes.subarray(start, end));
    if (!token.includes("\\")) return token.slice(1, -1);
    try {
      // control characters that were not escaped are what they are
      const escaped = token.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
      return JSON.parse(escaped) as string;
    } catch {
      throw this.#fault(start);
    }
  }

  // bytes

  #space(from: number): number {
    const { bytes } = this;
    let at = from;
    for (;;) {
      const byte = bytes[at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
      at++;
    }
  }

  /** Behind the value that begins at an offset, by its brackets and quotes. */
  #skip(start: number): number {
    const { bytes } = this;
    const first = bytes[start];
    if (first === quote) {
      this.#string(start);
      return this.#stringEnd;
    }
    if (first !== openBrace && first !== openBracket) return this.#scalar(start);
    let depth = 0;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === quote) {
        at++;
        while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
      } else if (byte === openBrace || byte === openBracket) depth++;
      else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return at + 1;
    }
    throw this.#fault(bytes.length, start);
  }

  /** @param keepUntil where what is sure ends */
  #fault(at: number, keepUntil = at): Fault {
    return new Fault(keepUntil, at >= this.bytes.length);
  }
}

/** `ignoreBOM` so that a U+FEFF inside a text stays. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const isNumberStart = (byte: number | undefined): boolean =>
  byte === 0x2d || (byte !== undefined && byte >= 0x30 && byte <= 0x39);
const isNumberByte = (byte: number | undefined): boolean =>
  isNumberStart(byte) || byte === 0x2e || byte === 0x2b || byte === 0x65 || byte === 0x45;

const quoted = ({ text, rules }: RedactedString): RedactedString => ({ text: JSON.stringify(text), rules });

const replacementOf = (redacted: RedactedString | null): Replacement | null =>
  redacted === null ? null : { bytes: Buffer.from(JSON.stringify(redacted.text)), rules: redacted.rules };
