/**
 * YAML as `kubectl get -o yaml` prints it: lists of any length, so it is parsed item by item. Each item is walked by the
 * places of JSON, and changes are made in its text, so that what no rule names stays as it was written. An item that
 * cannot be parsed is left out: nothing tells which of its lines are `data` of a Secret.
 */
import { isMap, isScalar, isSeq, parseDocument, type Node, type Scalar } from "yaml";

import type { RedactionRuleName } from "../shared/redaction-rules.js";
import { fields } from "./fields.js";
import { isSecretFlag } from "./key-names.js";
import { anywhere, everything, KeyName, memberPlace, type Place } from "./places.js";
import { asksSiblings, verdicts, type HeldMember } from "./siblings.js";
import type { RedactedString, Strings } from "./strings.js";

/** Objects of Kubernetes are at most a few megabytes. */
const longestItem = 8 * 1024 * 1024;
const deepest = 200;
const mostKnownKeys = 20_000;

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly rules: readonly RedactionRuleName[];
}

interface Held extends HeldMember {
  readonly node: Node;
  readonly firstEdit: number;
  readonly endEdit: number;
}

export class YamlWalker {
  readonly #keys = new Map<string, KeyName>();

  constructor(readonly strings: Strings) {}

  /** All documents of a text, with the rules that changed them and whether an item had to be left out. */
  redact(text: string): RedactedString & { readonly lostItems: number } {
    const pieces: string[] = [];
    const rules: RedactionRuleName[] = [];
    let lostItems = 0;
    for (const item of itemsOf(text)) {
      const redacted = this.#item(item);
      if (redacted === null) {
        const token = this.strings.whole(item, "Kubernetes object");
        rules.push(...token.rules);
        pieces.push(`# ${token.text}\n`);
        lostItems++;
      } else {
        pieces.push(redacted.text);
        for (const rule of redacted.rules) rules.push(rule);
      }
    }
    return { text: pieces.join(""), rules, lostItems };
  }

  /** A document inside a string. @returns null where it is no YAML mapping */
  document(text: string): RedactedString | null {
    const contents = parsed(text)?.contents ?? null;
    return isMap(contents) ? this.#edited(text, contents) : null;
  }

  /** @returns null where it cannot be parsed */
  #item(item: string): RedactedString | null {
    const document = parsed(item);
    if (document === null) return null;
    const { contents } = document;
    return this.#comments(contents === null ? { text: item, rules: [] } : this.#edited(item, contents));
  }

  #edited(text: string, document: Node): RedactedString {
    const edits: Edit[] = [];
    new ItemWalk(text, this.strings, (name) => this.#keyName(name), edits).node(document, anywhere, noKey, 0);
    edits.sort((a, b) => a.start - b.start);
    let at = 0;
    const pieces: string[] = [];
    for (const edit of edits) {
      pieces.push(text.slice(at, edit.start), edit.text);
      at = edit.end;
    }
    return { text: pieces.join("") + text.slice(at), rules: edits.flatMap(({ rules }) => rules) };
  }

  /** Comments belong to no value: they are gone through as texts. */
  #comments({ text, rules }: RedactedString): RedactedString {
    if (!text.includes("#")) return { text, rules };
    const all = [...rules];
    const left = text.replace(comment, (line) => {
      const redacted = this.strings.text(line, "error text");
      if (redacted === null) return line;
      all.push(...redacted.rules);
      return redacted.text;
    });
    return { text: left, rules: all };
  }

  #keyName(name: string): KeyName {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    if (this.#keys.size >= mostKnownKeys) this.#keys.clear();
    const made = new KeyName(name, fields);
    this.#keys.set(name, made);
    return made;
  }
}

const comment = /^[ \t]*#[^\n]+/gm;
const noKey = new KeyName("", new Map());
const secretArgument = everything("Kubernetes object");

/** A text cut where documents begin, and where the items of a `List` do. */
function* itemsOf(text: string): Generator<string> {
  let start = 0;
  let isInItems = false;
  /** The key at the left margin that stood last in this document. */
  let key: string | null = null;
  for (const match of text.matchAll(/^(?:---|-(?=[ \r\n])|([A-Za-z][\w.-]{0,100}):)/gm)) {
    const isItem = match[0] === "-";
    if (isItem && !isInItems && key !== null && key !== "items") continue; // a list of some other kind
    const isCut = match[0] === "---" || isItem || isInItems;
    if (isCut && match.index > start) {
      yield text.slice(start, match.index);
      start = match.index;
    }
    isInItems = isItem;
    if (!isItem) key = match[1] ?? null;
  }
  yield text.slice(start);
}

/** @returns null where it is no YAML or too large */
function parsed(text: string): { readonly contents: Node | null } | null {
  if (text.length > longestItem) return null;
  try {
    const document = parseDocument(text, { uniqueKeys: false, logLevel: "silent", prettyErrors: false });
    return document.errors.length > 0 ? null : { contents: document.contents as Node | null };
  } catch {
    return null; // nested too deeply for the parser's stack
  }
}

class ItemWalk {
  constructor(
    readonly text: string,
    readonly strings: Strings,
    readonly keyName: (name: string) => KeyName,
    private edits: Edit[],
  ) {}

  node(node: unknown, place: Place, key: KeyName, depth: number): void {
    if (isScalar(node)) this.#scalar(node, place, key);
    else if (isMap(node)) {
      if (place.whole !== null || depth >= deepest) this.#whole(node, place);
      else this.#map(node.items, place, depth);
    } else if (isSeq(node)) {
      if (place.whole !== null || depth >= deepest) this.#whole(node, place);
      else this.#sequence(node.items, place, key, depth);
    }
    // an alias stands for a node that is walked where it has its anchor
  }

  #map(
    pairs: readonly { readonly key: unknown; readonly value: unknown }[],
    place: Place,
    depth: number,
  ): void {
    const held: Held[] | null = asksSiblings(place) ? [] : null;
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? textOf(key) : "";
      const keyName = this.keyName(name);
      if (isScalar(key)) this.#edit(key, this.strings.key(name));
      else this.node(key, anywhere, noKey, depth + 1);
      const firstEdit = this.edits.length;
      const valuePlace = memberPlace(place, keyName);
      if (valuePlace.whole === "empty list") this.#emptied(key, value);
      else this.node(value, valuePlace, keyName, depth + 1);
      if (held !== null && keyName.siblingRole !== null && value !== null)
        held.push({
          key: keyName,
          text: isScalar(value) ? textOf(value) : null,
          node: value as Node,
          firstEdit,
          endEdit: this.edits.length,
        });
    }
    if (held === null) return;
    for (const { member, place: truePlace } of verdicts(place, held, true).toReversed().sort(byLastEdit)) {
      const edits = this.edits;
      this.edits = [];
      this.node(member.node, truePlace, member.key, depth + 1);
      const behind = edits.splice(member.firstEdit).slice(member.endEdit - member.firstEdit);
      for (const edit of this.edits) edits.push(edit);
      for (const edit of behind) edits.push(edit);
      this.edits = edits;
    }
  }

  #sequence(items: readonly unknown[], place: Place, key: KeyName, depth: number): void {
    let previous = "";
    for (const item of items) {
      const isSecret = place.isArguments && isSecretFlag(previous);
      this.node(item, isSecret ? secretArgument : place, key, depth + 1);
      previous = isScalar(item) ? textOf(item) : "";
    }
  }

  #scalar(scalar: Scalar, place: Place, key: KeyName): void {
    if (typeof scalar.value === "string")
      this.#edit(scalar, this.strings.redact(scalar.value, place.strings, key.text, key.isBase64));
    else if (scalar.value instanceof Uint8Array)
      this.#edit(scalar, this.strings.redact(base64(scalar.value), place.strings, key.text, true));
    else if (typeof scalar.value === "number" && place.strings.kind === "replace" && key.secrecy === "strong")
      this.#zero(scalar);
  }

  #zero(scalar: Scalar): void {
    if (scalar.value !== 0) this.#replace(scalar, "0", ["secret"]);
  }

  /** What is nested too deeply, and what a proxy rejected. */
  #whole(node: Node, place: Place): void {
    const source = node.range ? this.text.slice(node.range[0], node.range[1]) : "";
    this.#edit(
      node,
      this.strings.whole(source, place.whole === null ? "free text" : "rejected configuration"),
    );
  }

  /** A list that is left out. It may begin at the margin of its key, where `[]` may not stand. */
  #emptied(key: unknown, value: unknown): void {
    if (!isSeq(value) || value.items.length === 0 || !value.range || !isScalar(key) || !key.range) return;
    const colon = this.text.indexOf(":", key.range[1]);
    const end = value.range[1];
    const tail = trailingLineEnd(this.text, colon, end);
    this.edits.push({ start: colon + 1, end, text: ` []${tail}`, rules: ["Kubernetes object"] });
  }

  #edit(node: Node, redacted: RedactedString | null): void {
    if (redacted !== null) this.#replace(node, JSON.stringify(redacted.text), redacted.rules);
  }

  #replace(node: Node, text: string, rules: readonly RedactionRuleName[]): void {
    if (!node.range) return;
    const [start, end] = node.range;
    this.edits.push({ start, end, text: text + trailingLineEnd(this.text, start, end), rules });
  }
}

/** A block ends with its last line: the line end and what is before the next line stay. */
function trailingLineEnd(text: string, start: number, end: number): string {
  return /\n *$/.exec(text.slice(Math.max(start, end - 256), end))?.[0] ?? "";
}

const byLastEdit = (a: { readonly member: Held }, b: { readonly member: Held }): number =>
  b.member.firstEdit - a.member.firstEdit;

/** What `!!binary` holds. */
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

function textOf(scalar: Scalar): string {
  if (typeof scalar.value === "string") return scalar.value;
  return scalar.source ?? String(scalar.value);
}
