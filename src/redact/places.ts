/**
 * Where in a document a value stands, as far as redaction cares: how strings there are treated, and which members of an
 * object there are places of their own. A place that says nothing of a member leaves it to the member's name, so a rule
 * for a field holds wherever the field stands, whatever type the object claims to be.
 */
import type { RedactionRuleName } from "../shared/redaction-rules.js";
import { folded, isBase64Field, isSecretHeader, secrecyOf, type Secrecy } from "./key-names.js";

/** What happens to a string. */
export type Treatment =
  /** Only what looks like a secret is taken out of it. */
  | { readonly kind: "look" }
  /** As `look`, and what a text for people may hold. */
  | { readonly kind: "error text" }
  /** As `look`, and its query. */
  | { readonly kind: "URL" }
  /** As `look`, and a value that could be a key is one; under `public` all of it. */
  | { readonly kind: "header value" }
  /** All of it, unless `keep` says that such a value is none. */
  | {
      readonly kind: "replace";
      readonly rule: RedactionRuleName;
      readonly keep: ((value: string) => boolean) | null;
      /** The string is base64 whatever its key is called. */
      readonly base64: boolean;
    }
  /** A certificate, of which only the fingerprint may stay. */
  | { readonly kind: "fingerprint"; readonly base64: boolean }
  /** All of it under `public`. */
  | { readonly kind: "regular expression" }
  /** A YAML document that is walked as one. */
  | { readonly kind: "YAML" };

export interface Place {
  readonly strings: Treatment;
  /** Places of members, by their names in one spelling. */
  readonly members: ReadonlyMap<string, Place>;
  /** Place of members by their true names; null where this place has nothing to say of one. */
  readonly byName: ((key: KeyName) => Place | null) | null;
  /** Place of all other members; null: their names decide. */
  readonly others: Place | null;
  /** Whose value an object's value is, is told by a sibling: whether a sibling of this content makes it a secret. */
  readonly named: NamedValues | null;
  /** Whether an object here may say where its value is fetched from; its name is then none. */
  readonly mayRefer: boolean;
  /** A whole value that is not walked but replaced by something of its own. */
  readonly whole: "rejected configuration" | "empty list" | null;
  /** Elements are arguments of a command: `--password` tells of the next one. */
  readonly isArguments: boolean;
}

export interface NamedValues {
  readonly isSecret: (name: string) => boolean;
  readonly rule: RedactionRuleName;
  /** Whether the name makes an otherwise replaced value harmless. */
  readonly isHarmless: ((name: string) => boolean) | null;
}

const noMembers: ReadonlyMap<string, Place> = new Map();

export function placeOf(settings: Partial<Place> = {}): Place {
  return {
    strings: { kind: "look" },
    members: noMembers,
    byName: null,
    others: null,
    named: null,
    mayRefer: false,
    whole: null,
    isArguments: false,
    ...settings,
  };
}

export const membersOf = (members: Readonly<Record<string, Place>>): ReadonlyMap<string, Place> =>
  new Map(Object.entries(members));

const secretNames: NamedValues = {
  isSecret: (name) => secrecyOf(folded(name)) !== "none",
  rule: "secret",
  isHarmless: null,
};

/** Anything that no rule knows: names decide, and what strings look like. */
export const anywhere = placeOf({ named: secretNames });
/** Strings that are looked at and nothing more, however deep. */
export const plain = withItself({ strings: { kind: "look" } });
export const errorText = placeOf({ strings: { kind: "error text" }, named: secretNames });
export const url = placeOf({ strings: { kind: "URL" }, named: secretNames });

/** A place whose members are as itself, but for those that are named. */
export function withItself(settings: Partial<Place>): Place {
  const place: { -readonly [K in keyof Place]: Place[K] } = placeOf(settings);
  place.others = place;
  return place;
}

export const replacing = (
  rule: RedactionRuleName,
  keep: ((value: string) => boolean) | null = null,
  base64 = false,
): Treatment => ({ kind: "replace", rule, keep, base64 });

/** All strings of all that stands here, but types. Holds no other place: walking it twice costs no more than that. */
export function everything(rule: RedactionRuleName, base64 = false): Place {
  const name = base64 ? `${rule} in base64` : rule;
  const place =
    replaced.get(name) ??
    withItself({ strings: replacing(rule, null, base64), members: membersOf({ "@type": plain }) });
  replaced.set(name, place);
  return place;
}
const replaced = new Map<string, Place>();

/** Members that tell where a secret is, not what it is: `DataSource`, `SdsSecretConfig` and their like. */
const whereabouts = [
  "@type",
  "type_url",
  "filename",
  "file",
  "path",
  "environment_variable",
  "watched_directory",
  "sds_config",
  "header",
  "header_name",
  "namespace",
  "audience",
];

/** All strings here but those that say where the value comes from. */
export function secretValue(rule: RedactionRuleName, keep: Readonly<Record<string, Place>> = {}): Place {
  return withItself({
    strings: replacing(rule),
    mayRefer: true,
    members: membersOf({ ...Object.fromEntries(whereabouts.map((name) => [name, anywhere])), ...keep }),
  });
}

/** Values that stand beside a name: `{name, value}`, `{key, values}`. */
export const named = (settings: Partial<NamedValues>): NamedValues => ({ ...secretNames, ...settings });
export const secretHeaders: NamedValues = {
  isSecret: isSecretHeader,
  rule: "header value",
  isHarmless: null,
};

/** What a member means to its siblings. */
export type SiblingRole = "name" | "value" | "kind" | "data" | "metadata" | "jwk" | "reference";

const siblingRoles: ReadonlyMap<string, SiblingRole> = new Map(
  Object.entries({
    name: "name key header header_name tag variable field",
    value:
      "value values not_values raw_value string_value default_value literal string_match exact_match prefix_match suffix_match " +
      "contains_match regex_match safe_regex_match exact prefix suffix regex safe_regex contains inline_string inline_bytes",
    kind: "kind kty",
    data: "data",
    metadata: "metadata",
    jwk: "k d p q dp dq qi oth",
    reference: "sds_config typed_config",
  }).flatMap(([role, names]) => names.split(" ").map((name) => [name, role as SiblingRole])),
);

/** A member's name and what follows from it alone. */
export class KeyName {
  readonly folded: string;
  readonly secrecy: Secrecy;
  readonly isBase64: boolean;
  readonly siblingRole: SiblingRole | null;
  /** Place of a member of this name where the object's place does not know better. */
  readonly place: Place;

  /** @param fields the places that the names of fields have everywhere */
  constructor(
    readonly text: string,
    fields: ReadonlyMap<string, Place>,
  ) {
    this.folded = folded(text);
    this.isBase64 = isBase64Field(this.folded);
    this.siblingRole = siblingRoles.get(this.folded) ?? null;
    const field = fields.get(this.folded);
    this.secrecy =
      field === undefined && !text.startsWith("type.googleapis.com/") ? secrecyOf(this.folded) : "none";
    this.place = field ?? placeByName(text, this.folded, this.secrecy);
  }
}

function placeByName(text: string, name: string, secrecy: Secrecy): Place {
  if (secrecy !== "none") return isPlainName(text) ? secretField : secretEntry;
  return urlName.test(name) ? url : anywhere;
}
/** `jwks_uri`, `collector_endpoint`, `webhookUrl` */
const urlName = /(?:^|_)(?:url|uri|endpoint)s?$/;

const isPlainName = (text: string): boolean =>
  /^[\w$.-]{1,256}$/.test(text) && !/[a-z0-9]\.[a-z0-9]/i.test(text);
const secretField = secretValue("secret");
/** Under a host, a path or an annotation's name: a string is a secret, but an object has fields of its own. */
const secretEntry = placeOf({ strings: replacing("secret"), named: secretNames });
/** An object whose keys are names of things: that a thing is called after secrets says nothing of what it is. */
export const dataKeys = placeOf({
  byName: ({ secrecy }) => (secrecy === "none" ? null : secretEntry),
  named: secretNames,
});

/** The place of a member of an object at `place`. */
export function memberPlace(place: Place, key: KeyName): Place {
  return place.members.get(key.folded) ?? place.byName?.(key) ?? place.others ?? key.place;
}
