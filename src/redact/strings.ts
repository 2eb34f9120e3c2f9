/** What becomes of one string of a document, by the place where it stands. */
import type { CertificateSummary } from "../shared/certificate-summary.js";
import type { RedactionRuleName } from "../shared/redaction-rules.js";
import { decodedText, encodedLike, isBase64Text, redactBase64Runs } from "./base64.js";
import {
  fingerprintOf,
  redactCertificates,
  summaryOf,
  withNames,
  type CertificateSink,
} from "./certificates.js";
import { redactIssuedKeys, redactSchemes, redactWebTokens } from "./known-shapes.js";
import { isRandom, redactAddresses, redactEmails, redactHomes, redactRandomRuns } from "./log-shapes.js";
import { redactNamedValues } from "./named-values.js";
import type { Treatment } from "./places.js";
import { redactPrivateKeys } from "./private-keys.js";
import { pseudonyms, type Pseudonyms } from "./pseudonyms.js";
import { RememberedValues } from "./remembered.js";
import { isRedacted, Tokens } from "./tokens.js";
import type { RedactionProfile } from "./types.js";
import { redactQueriesInText, redactQuery, redactUserInfo } from "./urls.js";

/** Makes the token of a value and takes note of the rule. */
export type Replace = (rule: RedactionRuleName, value: string | Uint8Array, note?: string) => string;

export interface RedactedString {
  readonly text: string;
  /** One for each value that was replaced in it. */
  readonly rules: readonly RedactionRuleName[];
}

/** Documents inside strings are walked by who knows how; null where the text is none. */
export interface EmbeddedDocuments {
  json(text: string): RedactedString | null;
  yaml(text: string): RedactedString | null;
}

/** How a whole text is looked through. */
export type TextKind =
  /** A string of a document. */
  | "value"
  /** What a program says of a failure. */
  | "error text"
  | "log"
  /** Lines of names and figures. */
  | "figures";

/** Texts in texts: deeper ones are taken out whole. */
const deepest = 6;

/** Rules whose values are looked for in free texts, too. */
const remembered: ReadonlySet<RedactionRuleName> = new Set([
  "private key",
  "secret",
  "header value",
  "credential",
  "filter setting",
  "Kubernetes object",
]);

export interface StringsOptions {
  readonly profile: RedactionProfile;
  readonly salt: Uint8Array;
  readonly namespaces: ReadonlySet<string>;
  readonly embedded: EmbeddedDocuments;
}

/** The strings of one bundle. */
export class Strings {
  readonly profile: RedactionProfile;
  /** Whether any string was a text for people. */
  hasErrorTexts = false;
  readonly certificates = new Map<string, CertificateSummary>();
  readonly #pseudonyms: Pseudonyms;
  readonly #tokens: Tokens;
  readonly #embedded: EmbeddedDocuments;
  readonly #remembered = new RememberedValues();
  readonly #certificateSink: CertificateSink | null;
  /** What the rules did to the string that is being looked at. */
  #rules: RedactionRuleName[] = [];
  #depth = 0;

  constructor({ profile, salt, namespaces, embedded }: StringsOptions) {
    this.profile = profile;
    this.#tokens = new Tokens(salt);
    this.#embedded = embedded;
    this.#pseudonyms = pseudonyms({
      profile,
      salt,
      namespaces,
      onReplace: (rule) => void this.#rules.push(rule),
    });
    this.#certificateSink =
      profile === "support" || profile === "public"
        ? { take: (source) => this.#takeCertificate(source) }
        : null;
  }

  /**
   * @param key the name of the member that the string stands under, "" for none
   * @param isBase64 whether decoders expect base64 there
   * @returns null where it stays as it is
   */
  redact(text: string, treatment: Treatment, key: string, isBase64: boolean): RedactedString | null {
    if (text === "") return null;
    return this.#noted(text, () => this.#treated(text, treatment, key, isBase64));
  }

  /** A member's name, which may be data. @returns null where it stays as it is */
  key(name: string): RedactedString | null {
    return this.#noted(name, () => this.#pseudonyms.key(this.#shapes(name, "value")));
  }

  /** A text that is no string of a document: an error, lines of a log. @returns null where it stays as it is */
  text(text: string, kind: TextKind): RedactedString | null {
    return this.#noted(text, () => {
      const left = this.#shapes(text, kind);
      return this.#renames ? left.replace(/[^\n]+/g, (line) => this.#pseudonyms.value(line, "")) : left;
    });
  }

  /** Token -> what it stands for. */
  get names(): ReadonlyMap<string, string> {
    return this.#pseudonyms.names;
  }

  /** The whole text by one rule. */
  whole(text: string | Uint8Array, rule: RedactionRuleName): RedactedString {
    const outer = this.#rules;
    this.#rules = [];
    try {
      return { text: this.#replace(rule, text), rules: this.#rules };
    } finally {
      this.#rules = outer;
    }
  }

  /** An entry's name or a pod's. */
  name(name: string): RedactedString | null {
    return this.#noted(name, () => this.#pseudonyms.name(this.#shapes(name, "value")));
  }

  /** The name of a context of kubectl: nothing but its place tells what it is. */
  context(name: string): RedactedString | null {
    return this.#noted(name, () => this.#renamed(this.#shapes(name, "value"), "context"));
  }

  /** Whether a document inside a string is being walked. */
  get isNested(): boolean {
    return this.#depth > 0;
  }

  get #renames(): boolean {
    return this.#certificateSink !== null;
  }

  #noted(text: string, redact: () => string): RedactedString | null {
    const outer = this.#rules;
    this.#rules = [];
    try {
      const left = redact();
      return left === text ? null : { text: left, rules: this.#rules };
    } finally {
      this.#rules = outer;
    }
  }

  readonly #replace: Replace = (rule, value, note) => {
    this.#rules.push(rule);
    if (remembered.has(rule) && typeof value === "string") this.#remembered.add(value);
    return this.#tokens.of(rule, value, note);
  };

  #treated(text: string, treatment: Treatment, key: string, isBase64: boolean): string {
    if (isRedacted(text)) return text;
    switch (treatment.kind) {
      case "look":
        return this.#looked(text, key);
      case "error text":
        this.hasErrorTexts = true;
        return this.#renamed(this.#shapes(text, "error text"), key);
      case "URL":
        return this.#renamed(this.#shapes(redactQuery(text, this.#replace), "value"), key);
      case "header value":
        return this.#headerValue(text, key, isBase64);
      case "regular expression":
        return this.profile === "public" && /\w/.test(text)
          ? this.#replace("regular expression", text)
          : this.#looked(text, key);
      case "fingerprint":
        return this.#fingerprint(text, treatment.base64);
      case "YAML":
        return this.#yaml(text, key);
      case "replace":
        if (treatment.keep?.(text) === true) return this.#looked(text, key);
        return this.#replaced(treatment.rule, text, isBase64 || treatment.base64);
    }
  }

  /** Equal values have equal tokens, whether they came in base64 or not. */
  #replaced(rule: RedactionRuleName, text: string, isBase64: boolean): string {
    if (!isBase64) return this.#replace(rule, text);
    const plain = decodedText(text);
    if (plain !== null && isRedacted(plain)) return text;
    return coded(this.#replace(rule, plain ?? Buffer.from(text, "base64")));
  }

  #looked(text: string, key: string): string {
    return (
      this.#document(text) ?? this.#codedText(text, key) ?? this.#renamed(this.#shapes(text, "value"), key)
    );
  }

  /** A text that is base64 from end to end stays base64 of a text. @returns null where it is none */
  #codedText(text: string, key: string): string | null {
    if (!isBase64Text(text) || this.#depth >= deepest) return null;
    const decoded = decodedText(text);
    if (decoded === null) return null;
    const left = isRedacted(decoded) ? decoded : this.#deeper(() => this.#looked(decoded, key));
    return left === decoded ? text : encodedLike(left, text);
  }

  /** JSON in a string is walked as JSON. @returns null where it is none */
  #document(text: string): string | null {
    const start = text.trimStart()[0];
    if (start !== "{" && start !== "[") return null;
    if (this.#depth >= deepest) return this.#replace("free text", text);
    const walked = this.#deeper(() => this.#embedded.json(text));
    if (walked === null) return null;
    this.#rules.push(...walked.rules);
    return walked.text;
  }

  #yaml(text: string, key: string): string {
    if (this.#depth >= deepest) return this.#replace("free text", text);
    const walked = this.#deeper(() => this.#embedded.yaml(text));
    if (walked === null) return this.#looked(text, key);
    this.#rules.push(...walked.rules);
    return walked.text;
  }

  #headerValue(text: string, key: string, isBase64: boolean): string {
    const plain = isBase64 ? (decodedText(text) ?? text) : text;
    const isSecret = this.profile === "public" || isRandom(plain) || this.#hasSecret(plain);
    return isSecret ? this.#replaced("header value", text, isBase64) : this.#looked(text, key);
  }

  #hasSecret(text: string): boolean {
    return this.#noted(text, () => this.#shapes(text, "value")) !== null;
  }

  #fingerprint(text: string, isBase64: boolean): string {
    const plain = isBase64 ? (decodedText(text) ?? text) : text;
    const sink = this.#certificateSink ?? {
      take: (source: string | Uint8Array) => {
        const sha256 = fingerprintOf(source);
        return this.#replace("certificate", source, sha256 === null ? "" : `sha256=${sha256}`);
      },
    };
    const left = redactCertificates(plain, sink);
    const all = left === plain ? this.#replace("certificate", plain) : left;
    return isBase64 ? coded(all) : all;
  }

  #takeCertificate(source: string | Uint8Array): string {
    const token = this.#replace("certificate", source);
    if (!this.certificates.has(token)) {
      const summary = summaryOf(source);
      if (summary !== null)
        this.certificates.set(
          token,
          withNames(summary, (name) => this.#pseudonyms.value(name, "")),
        );
    }
    return token;
  }

  #renamed(text: string, key: string): string {
    return this.#renames && text !== "" ? this.#pseudonyms.value(text, key) : text;
  }

  /** Takes out what looks like a secret. */
  #shapes(text: string, kind: TextKind): string {
    if (text.length < 4) return text;
    const replace = this.#replace;
    let left = kind === "log" ? redactQueriesInText(text, replace) : text;
    left = redactPrivateKeys(left, replace);
    if (this.#certificateSink !== null) left = redactCertificates(left, this.#certificateSink);
    // a web token is base64 too, and goes as a whole
    left = redactWebTokens(left, replace);
    left = this.#decoded(left, kind);
    if (left.length >= 16) left = redactIssuedKeys(left, replace);
    left = redactNamedValues(left, replace, { bare: kind !== "figures" });
    left = redactSchemes(left, replace);
    left = redactUserInfo(left, replace);
    if (kind === "value" || kind === "figures") return left;
    return this.#freeText(left, kind);
  }

  /** What only texts for people hold. */
  #freeText(text: string, kind: "error text" | "log"): string {
    const replace = this.#replace;
    let left = this.#remembered.redact(text, (value) => replace("secret in text", value));
    if (kind === "log") {
      left = redactEmails(left, replace);
      left = redactAddresses(left, replace);
    }
    left = redactRandomRuns(left, replace);
    return this.#renames ? redactHomes(left, replace) : left;
  }

  /** Texts in base64 and percent-encoded ones, each looked at as any text is; names go with those of the whole text. */
  #decoded(text: string, kind: TextKind): string {
    const look = (decoded: string): string => {
      if (isRedacted(decoded)) return decoded;
      if (this.#depth >= deepest) return this.#replace("free text", decoded);
      return this.#deeper(() => this.#document(decoded) ?? this.#shapes(decoded, kind));
    };
    const left = redactBase64Runs(text, {
      replace: this.#replace,
      look,
      certificates: this.#certificateSink,
    });
    return left.includes("%") ? redactPercentEncoded(left, look) : left;
  }

  #deeper<T>(walk: () => T): T {
    this.#depth++;
    try {
      return walk();
    } finally {
      this.#depth--;
    }
  }
}

const coded = (text: string): string => Buffer.from(text).toString("base64");

/** Words with percent-encoded characters (RFC 3986, section 2.1); sequences that are no UTF-8 are decoded as far as they are. */
const word = /[^\s"'<>‹]+/g;
const percentEncoded = /(?:%[0-9A-Fa-f]{2})+/g;

function redactPercentEncoded(text: string, look: (decoded: string) => string): string {
  return text.replace(word, (encoded) => {
    if (!encoded.includes("%")) return encoded;
    const decoded = encoded.replace(percentEncoded, (codes) =>
      Buffer.from(codes.replaceAll("%", ""), "hex").toString("utf8"),
    );
    if (decoded === encoded) return encoded;
    const left = look(decoded);
    return left === decoded ? encoded : encodeURI(left.toWellFormed());
  });
}
