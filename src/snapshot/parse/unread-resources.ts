/**
 * Resources of which only type and name are read, for whoever asks for a few of many: a trace. The rest is read when it is
 * first asked for, and what is wrong in it is found only then.
 */
import { messageOf } from "../../shared/errors.js";
import { JsonScanner, ScanError } from "../../shared/json-scan.js";
import { isObject, type JsonObject, type JsonValue } from "../../shared/json-value.js";
import type { DumpedContent, Resource, ResourceKind } from "../model.js";
import { saysTypesOnce, UnreadableResource } from "./dumped-json.js";
import { identityForm, memberName } from "./identity.js";
import { defaultTypes, type Platform, type ResourceStore } from "./resources.js";
import { typeName } from "./type-url.js";

const openBrace = 0x7b;
const openBracket = 0x5b;
const quote = 0x22;
const comma = 0x2c;

/** Bytes of dumps that are held on to; those beyond it are read whole. */
const mostBytes = 256 * 1024 * 1024;

/**
 * A store that does not know two resources to be the same, and gives each a key in place of its hash. It holds on to the
 * bytes of the dumps.
 * @param whole for what must be read at once
 */
export function unreadResources(
  whole: ResourceStore,
  { searched }: Pick<Platform, "searched">,
  capacity = mostBytes,
): ResourceStore {
  const { maxDepth } = whole;
  const resources = new Map<string, Resource>();
  let dump: Dump | null = null;
  let held = 0;
  const kept = <T extends Resource>(resource: T): T => {
    resources.set(resource.hash, resource);
    return resource;
  };
  const dumpOf = (bytes: Uint8Array): Dump => {
    if (dump?.scanner.bytes === bytes) return dump;
    const isHeld = held === 0 || held + bytes.length <= capacity;
    if (isHeld) held += bytes.length;
    return (dump = { scanner: new JsonScanner(bytes), maxDepth, isHeld, beginning: null });
  };
  /** One that JSON.parse can read; what else may be wrong with it the whole store tells. */
  const unread = (bytes: Uint8Array, start: number, end: number, kind: ResourceKind): Resource | null => {
    const from = dumpOf(bytes);
    const head = from.isHeld ? headOf(from, start, kind) : null;
    if (head === null) return null;
    const resource = new UnreadResource(`unread ${resources.size}`, kind, head, from, start, end);
    return resource.isReadable() ? resource : null;
  };
  return {
    resources,
    maxDepth,
    find(bytes, start, kind) {
      const from = dumpOf(bytes);
      if (!from.isHeld) return whole.find(bytes, start, kind);
      if (bytes[start] !== openBrace && bytes[start] !== openBracket) return null;
      const { end, depth } = from.scanner.skipValue(start);
      const head = depth > maxDepth ? null : headOf(from, start, kind);
      if (head === null) return null;
      const key = `unread ${resources.size}`;
      return { value: kept(new UnreadResource(key, kind, head, from, start, end)), end };
    },
    store(bytes, start, end, kind) {
      const resource = unread(bytes, start, end, kind) ?? whole.store(bytes, start, end, kind);
      return "error" in resource ? resource : kept(resource);
    },
    searchIn: (bytes) => (dumpOf(bytes).isHeld ? (from, to) => searched(bytes.subarray(from, to)) : null),
    intern: (text) => whole.intern(text),
  };
}

interface Dump {
  readonly scanner: JsonScanner;
  readonly maxDepth: number;
  readonly isHeld: boolean;
  /** What the last resource began with, up to its name, and what that says of the type. */
  beginning: { readonly start: number; readonly length: number; readonly type: string } | null;
}

interface Member {
  readonly key: string;
  readonly value: string;
}

interface PlacedMember extends Member {
  /** Where the value stands, and what follows it. */
  readonly at: number;
  readonly end: number;
}

interface Head {
  readonly type: string;
  readonly name: string;
}

/** Type and name, as `identityForm` finds them; null where reading all of it is the only way to be sure. */
function headOf(dump: Dump, start: number, kind: ResourceKind): Head | null {
  return likeTheLast(dump, start) ?? inFirstMembers(dump, start) ?? inAllMembers(dump.scanner, start, kind);
}

/** Most resources begin as the one before, all but the name. */
function likeTheLast({ scanner, beginning }: Dump, start: number): Head | null {
  if (beginning === null || !scanner.isSame(beginning.start, start, start + beginning.length)) return null;
  const at = start + beginning.length;
  const name = scanner.plainString(at, scanner.skipValue(at).end);
  return name === null ? null : { type: beginning.type, name };
}

/** Where Envoy writes them, in the first two members; null where other ones stand there. */
function inFirstMembers(dump: Dump, start: number): Head | null {
  const { scanner } = dump;
  if (scanner.bytes[start] !== openBrace) return null;
  const first = memberAt(scanner, start + 1);
  if (first?.key !== "@type" || scanner.bytes[first.end] !== comma) return null;
  const second = memberAt(scanner, first.end + 1);
  if (second?.key !== "name" && second?.key !== "cluster_name") return null;
  const type = typeName(first.value);
  dump.beginning = { start, length: second.at - start, type };
  return { type, name: second.value };
}

/** The member behind a bracket or a comma, where it is a plain text. */
function memberAt(scanner: JsonScanner, from: number): PlacedMember | null {
  const { bytes } = scanner;
  const start = scanner.skipSpace(from);
  if (bytes[start] !== quote) return null;
  const keyEnd = scanner.skipValue(start).end;
  const colon = scanner.skipSpace(keyEnd);
  const at = scanner.skipSpace(colon + 1);
  if (bytes[colon] !== 0x3a || bytes[at] !== quote) return null;
  const { end } = scanner.skipValue(at);
  const key = scanner.plainString(start, keyEnd);
  const value = scanner.plainString(at, end);
  return key === null || value === null ? null : { key, value, at, end: scanner.skipSpace(end) };
}

/** Wherever they stand. */
function inAllMembers(scanner: JsonScanner, start: number, kind: ResourceKind): Head | null {
  if (scanner.bytes[start] !== openBrace) return { type: "", name: "" };
  const found: { readonly key: string; readonly value: string | null }[] = [];
  try {
    scanner.object(start, (key, at) => {
      const { end } = scanner.skipValue(at);
      if (isOfHead(key) && scanner.bytes[at] === quote)
        found.push({ key, value: scanner.plainString(at, end) });
      return end;
    });
  } catch (error) {
    if (!(error instanceof ScanError)) throw error;
    return null;
  }
  const members = found.flatMap(({ key, value }) => (value === null ? [] : [{ key, value }]));
  const [first, ...more] = members.filter(({ key }) => key === "@type");
  if (members.length < found.length || more.length > 0) return null;
  const type = first === undefined ? defaultTypes[kind] : typeName(first.value);
  return { type, name: nameIn(members, type) };
}

const isOfHead = (key: string): boolean => key === "@type" || /^(?:cluster_?[nN]|n)ame$/.test(key);

function nameIn(members: readonly Member[], type: string): string {
  let name = "";
  for (const { key, value } of members) {
    const field = memberName(type, key);
    if (field === "name" || (field === "cluster_name" && name === "")) name = value;
  }
  return name;
}

class UnreadResource implements Resource {
  readonly type: string;
  readonly name: string;
  readonly #dump: Dump;
  readonly #start: number;
  readonly #end: number;
  #text: string | null = null;

  constructor(
    readonly hash: string,
    readonly kind: ResourceKind,
    { type, name }: Head,
    dump: Dump,
    start: number,
    end: number,
  ) {
    this.type = type;
    this.name = name;
    this.#dump = dump;
    this.#start = start;
    this.#end = end;
  }

  get dumped(): DumpedContent {
    const text = (): string => this.#dump.scanner.text(this.#start, this.#end);
    return {
      text,
      value: () =>
        this.#readable(() => {
          const json = text();
          const value = JSON.parse(json) as JsonValue;
          if (isObject(value)) this.#check(this.type, nameIn(textsOf(value), this.type));
          return saysTypesOnce(json, value) ? value : (JSON.parse(this.text) as JsonValue);
        }),
      without: (members) => this.#readable(() => this.#without(members)),
    };
  }

  isReadable(): boolean {
    try {
      this.dumped.value();
      return true;
    } catch (error) {
      if (!(error instanceof UnreadableResource)) throw error;
      return false;
    }
  }

  /** @throws UnreadableResource */
  get text(): string {
    return (this.#text ??= this.#readable(() => {
      const { scanner, maxDepth } = this.#dump;
      const json = scanner.text(this.#start, this.#end);
      const { type, name, text } = identityForm(json, defaultTypes[this.kind], maxDepth);
      this.#check(type, name);
      return text;
    }));
  }

  #without(members: ReadonlySet<string>): ReturnType<DumpedContent["without"]> {
    const { scanner } = this.#dump;
    const names = new Set<string>();
    const left: string[] = [];
    const kept: string[] = [];
    let count = 0;
    /** Where members begin that stay; behind the last one. */
    let from = -1;
    let to = -1;
    const keep = (): void => {
      if (from >= 0) kept.push(scanner.text(from, to));
      from = -1;
    };
    scanner.object(this.#start, (key, at, keyStart) => {
      const { end } = scanner.skipValue(at);
      const name = memberName(this.type, key);
      names.add(name);
      count++;
      if (members.has(name)) {
        left.push(name);
        keep();
      } else {
        if (from < 0) from = keyStart;
        to = end;
      }
      return end;
    });
    keep();
    const json = `{${kept.join(",")}}`;
    const value = JSON.parse(json) as JsonObject;
    return names.size === count && saysTypesOnce(json, value) ? { value, left } : null;
  }

  /** One that says its name or its type twice is not what it was taken for. */
  #check(type: string, name: string): void {
    if (type !== this.type || name !== this.name) throw new Error("names itself twice");
  }

  #readable<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw new UnreadableResource(`the ${this.kind} "${this.name}" ${messageOf(error)}`, { cause: error });
    }
  }
}

const textsOf = (value: JsonObject): Member[] =>
  Object.keys(value).flatMap((key) => {
    const text = isOfHead(key) ? value[key] : undefined;
    return typeof text === "string" ? [{ key, value: text }] : [];
  });
