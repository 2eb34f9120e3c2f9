/** Redaction of small inputs for tests: what a sentence does not mention is filled in here. */
import { createRedactor } from "../../src/redact/redactor.js";
import { Strings, type EmbeddedDocuments, type Replace } from "../../src/redact/strings.js";
import type { RedactionProfile, Redactor, RedactorOptions } from "../../src/redact/types.js";

export const salt = new Uint8Array(32).fill(7);

export const aRedactor = (
  profile: RedactionProfile = "internal",
  options: Partial<RedactorOptions> = {},
): Redactor => createRedactor({ profile, salt, namespaces: ["default", "istio-system"], ...options });

/** The redacted text of one file. */
export function redacted(
  name: string,
  content: string | Uint8Array,
  redactor: Redactor | RedactionProfile = "internal",
): string {
  const file = (typeof redactor === "string" ? aRedactor(redactor) : redactor).file(
    name,
    typeof content === "string" ? Buffer.from(content) : content,
  );
  if (file.outcome === "dropped") throw new Error(`dropped: ${file.reason}`);
  return Buffer.concat(file.content).toString();
}

/** A JSON document as an Envoy's dump would hold it, after redaction. */
export const redactedJson = (
  document: unknown,
  redactor: Redactor | RedactionProfile = "internal",
  name = "proxies/default/a/config_dump",
): unknown => JSON.parse(redacted(name, JSON.stringify(document), redactor));

/** A replacement that shows what it replaced. */
export const marked: Replace = (rule, value) => `<${rule}: ${String(value)}>`;

/** Notes what was replaced. */
export function noting(): { replace: Replace; values: string[] } {
  const values: string[] = [];
  return {
    values,
    replace: (rule, value) => {
      values.push(String(value));
      return `‹redacted:${rule.replaceAll(" ", "-")}:1:0123456789abcdef›`;
    },
  };
}

const noDocuments: EmbeddedDocuments = { json: () => null, yaml: () => null };
export const someStrings = (
  profile: RedactionProfile = "internal",
  embedded: EmbeddedDocuments = noDocuments,
): Strings => new Strings({ profile, salt, namespaces: new Set(["default"]), embedded });

const pemLines = (seed: number): string =>
  Array.from({ length: 4 }, (_, line) =>
    Buffer.from(
      Uint8Array.from({ length: 48 }, (_, index) => (seed * 31 + line * 7 + index * 13) & 0xff),
    ).toString("base64"),
  ).join("\n");
/** Armour of a private key around bytes that are none. */
export const aPrivateKey = (seed = 1, kind = "PRIVATE KEY"): string =>
  `-----BEGIN ${kind}-----\n${pemLines(seed)}\n-----END ${kind}-----\n`;

export const aWebToken = (subject = "someone"): string =>
  [{ alg: "HS256", typ: "JWT" }, { sub: subject, iat: 1516239022 }, { signature: "of nobody at all" }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");

/** Looks like an access key of AWS; made up of parts so that nobody takes it for one. */
export const anAccessKey = `AKIA${"QZ7X".repeat(4)}`;

export const base64 = (text: string): string => Buffer.from(text).toString("base64");
