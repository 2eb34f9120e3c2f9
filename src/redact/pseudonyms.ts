/**
 * Names, hosts and addresses under the profiles `support` and `public`: one value has one token in a bundle, the same in
 * entry names, keys, values and texts, and another in the next bundle.
 *
 * `support` replaces hosts outside the mesh, public addresses and the names of the environment. `public` replaces every
 * word that is not Envoy's, Istio's or Kubernetes' own (`vocabulary.ts`) and every address, and keeps the grammar
 * between them. Under both a token is left when it is met again. An address bears no mark that could tell: pass each
 * string once.
 *
 * What per-label tokens cannot keep: parts of labels (`*-api.example.com`, the prefix `/rev` of `/reviews`), regular
 * expressions, and the order of names.
 */
import type { RedactionRuleName } from "../shared/redaction-rules.js";
import { addresses } from "./addresses.js";
import { replaceEntryName } from "./entry-names.js";
import { holdsEnvironment, replaceEnvironment } from "./environment.js";
import { nameTokens } from "./name-token.js";
import { holdsOpaqueValues, isBuild, isOpaque } from "./opaque-values.js";
import { holdsHosts, outsideHosts } from "./outside-hosts.js";
import { replacePieces } from "./pieces.js";
import { publicNames } from "./public-names.js";
import { isRedacted } from "./tokens.js";
import type { RedactionProfile } from "./types.js";
import { isFieldName, isWellKnown } from "./vocabulary.js";

/** Gives names, hosts and addresses their tokens. Under `internal` and `none` everything stays. */
export interface Pseudonyms {
  /** A string of a JSON, YAML or text document; `key` is the member it stands under ("" for text and for array elements of unknown key). */
  value(value: string, key: string): string;
  /** A member's name that may be data: a host, an address, a namespace. */
  key(key: string): string;
  /** An entry's path, or a bare name of a pod, namespace, context. */
  name(value: string): string;
  /** Token -> what it stands for, words in lower case. */
  readonly names: ReadonlyMap<string, string>;
}

export interface PseudonymOptions {
  readonly profile: RedactionProfile;
  readonly salt: Uint8Array;
  readonly namespaces: ReadonlySet<string>;
  /** Told of each value in which something was replaced, once for each rule that did. */
  readonly onReplace: (rule: RedactionRuleName) => void;
}

export function pseudonyms(options: PseudonymOptions): Pseudonyms {
  const { profile } = options;
  if (profile === "internal" || profile === "none") return unchanged;
  const names = new Map<string, string>();
  const replace = remembering(replacement(profile, options, names));
  const replaced = (value: string, kind: KeyKind): string => {
    const { text, rules } = replace(value, kind);
    for (const rule of rules) options.onReplace(rule);
    return text;
  };
  const kindOf = remembered(kindOfKey);
  return {
    names,
    value: (value, key) => (value === "" ? value : replaced(value, kindOf(key))),
    key: (key) => (isFieldName(key) ? key : replaced(key, "other")),
    name: (path) => replaceEntryName(path, (name) => replaced(name, "other")),
  };
}

const same = (value: string): string => value;
const unchanged: Pseudonyms = { value: same, key: same, name: same, names: new Map() };

/** What a member's key says of its value. */
type KeyKind = "environment" | "hosts" | "connection" | "opaque" | "other";

function kindOfKey(key: string): KeyKind {
  if (holdsEnvironment(key)) return "environment";
  if (holdsOpaqueValues(key)) return "opaque";
  if (/^connection_?id$/i.test(key)) return "connection";
  return holdsHosts(key) ? "hosts" : "other";
}

interface Replaced {
  readonly text: string;
  readonly rules: readonly RedactionRuleName[];
}

type Replace = (value: string, kind: KeyKind) => Replaced;

/** How a profile replaces one string. */
function replacement(
  profile: "support" | "public",
  { salt, namespaces }: PseudonymOptions,
  names: Map<string, string>,
): Replace {
  const tokens = nameTokens(salt, names);
  const addressMap = addresses(salt, profile === "support" ? "public" : "all");
  const words = publicNames(tokens, namespaces);
  const hosts = outsideHosts((label) => words.label(label), namespaces);

  return (value, kind) => {
    if (stays(value, kind)) return { text: value, rules: [] };
    const rules = new Set<RedactionRuleName>();
    const noted = (rule: RedactionRuleName, before: string, after: string): string => {
      if (after !== before) rules.add(rule);
      return after;
    };
    const address = (text: string): string | undefined => {
      const made = addressMap.replace(text);
      if (made === undefined || made === text) return made;
      names.set(made, text);
      return noted("address", text, made);
    };
    const name = (text: string, start: number, whole: string): string =>
      profile === "support"
        ? noted("host name", text, hosts.name(text, start, whole, kind === "hosts"))
        : noted(text.includes(".") ? "host name" : "name", text, words.name(text, start, whole));
    const pieces = (text: string): string => replacePieces(text, { address, name });

    const coded = inBase64(value, address);
    if (coded !== undefined) return { text: coded, rules: [...rules] };
    const withoutEnvironment = noted(
      "environment identity",
      value,
      replaceEnvironment(value, kind === "environment", tokens),
    );
    const [id, counter] = kind === "connection" ? counted(withoutEnvironment) : [withoutEnvironment, ""];
    return { text: pieces(id) + counter, rules: [...rules] };
  };
}

const stays = (value: string, kind: KeyKind): boolean =>
  isRedacted(value) || isWellKnown(value) || isBuild(value) || (kind === "opaque" && isOpaque(value));

/** Istiod's answers about ambient meshes have the text of an address in base64, as a field of bytes. */
function inBase64(value: string, address: (text: string) => string | undefined): string | undefined {
  if (value.length > 64 || value.length % 4 !== 0 || !/^[A-Za-z0-9+/]{8,}={0,2}$/.test(value))
    return undefined;
  const text = Buffer.from(value, "base64").toString("latin1");
  const made = /^[0-9A-Fa-f:.]+$/.test(text) ? address(text) : undefined;
  return made === undefined ? undefined : Buffer.from(made, "latin1").toString("base64");
}

/** `pod.namespace-12`: Istiod numbers its connections. */
function counted(id: string): [id: string, counter: string] {
  const hyphen = id.lastIndexOf("-");
  return hyphen > 0 && /^\d+$/.test(id.slice(hyphen + 1))
    ? [id.slice(0, hyphen), id.slice(hyphen)]
    : [id, ""];
}

/** Longer strings are texts, which hardly come twice. */
const longestRemembered = 1024;
const mostRemembered = 200_000;

function remembering(replace: Replace): Replace {
  const known = new Map<KeyKind, (value: string) => Replaced>();
  return (value, kind) => {
    if (value.length > longestRemembered) return replace(value, kind);
    const ofKind = known.get(kind) ?? remembered((text: string) => replace(text, kind));
    known.set(kind, ofKind);
    return ofKind(value);
  };
}

function remembered<Value>(make: (key: string) => Value): (key: string) => Value {
  const known = new Map<string, Value>();
  return (key) => {
    const kept = known.get(key);
    if (kept !== undefined) return kept;
    if (known.size >= mostRemembered) known.clear();
    const made = make(key);
    known.set(key, made);
    return made;
  };
}
