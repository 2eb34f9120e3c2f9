import type { CertificateSummary } from "../shared/certificate-summary.js";
import { jsonStart, utf8 } from "../shared/json.js";
import { redactionRules, type RedactionRuleName } from "../shared/redaction-rules.js";
import { binaryReason, entryForm, placeName, sniffedForm } from "./entry-form.js";
import { isBlank, redactJsonFile } from "./json-file.js";
import { JsonWalker } from "./json-walk.js";
import { keptOnPurpose } from "./kept.js";
import { Output } from "./output.js";
import { injectionTemplate } from "./istio-fields.js";
import { anywhere, type Place } from "./places.js";
import { scan } from "./scan.js";
import { Strings, type RedactedString } from "./strings.js";
import { isRedacted } from "./tokens.js";
import { LineTooLong, redactText } from "./text-file.js";
import type {
  RedactedFile,
  RedactionProfile,
  Redactor,
  RedactorOptions,
  RuleCount,
  ScanFinding,
} from "./types.js";
import { YamlWalker } from "./yaml-walk.js";

/** A redactor for one bundle. */
export function createRedactor(options: RedactorOptions): Redactor {
  return options.profile === "none" ? new NoRedactor() : new BundleRedactor(options);
}

/** For a bundle that never leaves its owner's hands. */
class NoRedactor implements Redactor {
  readonly profile = "none";
  readonly rules: readonly RuleCount[] = [];
  readonly kept = [];
  readonly notCovered: readonly string[] = [];
  readonly findings: readonly ScanFinding[] = [];
  readonly allowed: readonly ScanFinding[] = [];
  readonly names: ReadonlyMap<string, string> = new Map();
  readonly certificates: ReadonlyMap<string, CertificateSummary> = new Map();

  file(name: string, content: Uint8Array): RedactedFile {
    return { outcome: "kept", name, content: [content], size: content.length };
  }
  text(value: string): string {
    return value;
  }
  name(value: string): string {
    return value;
  }
}

/** The lines of `notCovered` that are named one by one. */
const mostPlaces = 100;

class BundleRedactor implements Redactor {
  readonly profile: RedactionProfile;
  readonly kept: Redactor["kept"];
  readonly findings: ScanFinding[] = [];
  readonly allowed: ScanFinding[] = [];
  readonly #allowedFindings: ReadonlySet<string>;
  readonly #strings: Strings;
  readonly #json: JsonWalker;
  readonly #yaml: YamlWalker;
  readonly #counts = new Map<RedactionRuleName, { count: number; files: number }>();
  readonly #notCovered = new Set<string>();

  constructor({ profile, salt, namespaces = [], allowedFindings = new Set() }: RedactorOptions) {
    this.profile = profile;
    this.kept = keptOnPurpose(profile);
    this.#allowedFindings = allowedFindings;
    this.#strings = new Strings({
      profile,
      salt,
      namespaces: new Set(namespaces),
      embedded: {
        json: (text) => this.#embeddedJson(text),
        yaml: (text) => this.#yaml.document(text),
      },
    });
    this.#json = new JsonWalker(this.#strings);
    this.#yaml = new YamlWalker(this.#strings);
  }

  get names(): ReadonlyMap<string, string> {
    return this.#strings.names;
  }

  get certificates(): ReadonlyMap<string, CertificateSummary> {
    return this.#strings.certificates;
  }

  get rules(): readonly RuleCount[] {
    return (Object.keys(redactionRules) as RedactionRuleName[]).flatMap((rule) => {
      const count = this.#counts.get(rule);
      return count === undefined ? [] : [{ rule, ...count }];
    });
  }

  get notCovered(): readonly string[] {
    const places = [
      ...(this.#strings.hasErrorTexts ? ["free text in reasons of rejected updates"] : []),
      ...[...this.#notCovered].sort(),
    ];
    return places.length <= mostPlaces
      ? places
      : [...places.slice(0, mostPlaces), `and ${places.length - mostPlaces} other files`];
  }

  file(name: string, content: Uint8Array): RedactedFile {
    const output = new Output();
    const newName = this.#counted(this.#strings.name(name), name);
    try {
      const reason = this.#redact(name, utf8(content), output);
      if (reason !== null) return { outcome: "dropped", name: newName, reason };
    } catch (error) {
      if (!(error instanceof LineTooLong)) throw error;
      return {
        outcome: "dropped",
        name: newName,
        reason: "has a line that is too long to be looked through",
      };
    }
    this.#count(output.rules);
    const redacted = output.finish();
    for (const finding of scan(newName, redacted.content))
      (this.#allowedFindings.has(finding.fingerprint) ? this.allowed : this.findings).push(finding);
    return { outcome: "kept", name: newName, ...redacted };
  }

  text(value: string): string {
    return this.#counted(this.#strings.text(value, "error text"), value);
  }

  name(value: string, kind?: "context"): string {
    const redacted = kind === "context" ? this.#strings.context(value) : this.#strings.name(value);
    return this.#counted(redacted, value);
  }

  /** @returns why nothing of the file may be kept; null where `output` has what is left of it */
  #redact(name: string, bytes: Uint8Array, output: Output): string | null {
    const form = entryForm(name);
    const reason = form.kind === "binary" ? form.reason : binaryReason(bytes);
    if (reason !== null) return reason;
    switch (form.kind) {
      case "JSON":
        this.#redactJson(name, bytes, form.place, true, output);
        break;
      case "injection template":
        this.#redactTemplate(bytes, output);
        break;
      case "YAML":
        this.#redactYaml(name, bytes, output);
        break;
      case "log":
        this.#redactFreeText(name, bytes, "log", output);
        break;
      case "figures":
        if (this.#sniffed(bytes) === "JSON") this.#redactJson(name, bytes, anywhere, true, output);
        else redactText(bytes, "figures", this.#strings, output);
        break;
      case "cluster context":
        this.#redactContext(bytes, output);
        break;
      case "unknown":
        this.#redactUnknown(name, bytes, output);
    }
    return null;
  }

  /** All of it goes, whatever form it has. */
  #redactTemplate(bytes: Uint8Array, output: Output): void {
    const start = jsonStart(bytes);
    const walk = start === 0 ? this.#json.walk(bytes, 0, injectionTemplate) : null;
    if (walk?.outcome === "whole" && isBlank(bytes.subarray(walk.end))) {
      output.addEdited(bytes, 0, walk.end, walk.edits);
      output.add(bytes.subarray(walk.end));
      return;
    }
    const text = new TextDecoder().decode(bytes);
    const redacted =
      isBlank(bytes) || isRedacted(text) ? null : this.#strings.whole(bytes, "injection template");
    output.addText(redacted?.text ?? text);
    output.note(redacted?.rules ?? []);
  }

  #redactUnknown(name: string, bytes: Uint8Array, output: Output): void {
    const sniffed = this.#sniffed(bytes);
    if (sniffed === "JSON") this.#redactJson(name, bytes, anywhere, false, output);
    else if (sniffed === "YAML") this.#redactYaml(name, bytes, output);
    else this.#redactFreeText(name, bytes, "error text", output);
  }

  #redactJson(name: string, bytes: Uint8Array, place: Place, isExpected: boolean, output: Output): void {
    const { hasText } = redactJsonFile(
      bytes,
      { walker: this.#json, strings: this.#strings, place, isExpected },
      output,
    );
    if (hasText) this.#noteFreeText(name);
  }

  #redactYaml(name: string, bytes: Uint8Array, output: Output): void {
    // `kubectl -o json`, or a table
    const sniffed = this.#sniffed(bytes);
    if (sniffed === "JSON" && this.#isJson(bytes)) this.#redactJson(name, bytes, anywhere, true, output);
    else if (sniffed === "text" && !/\.ya?ml$/.test(name))
      this.#redactFreeText(name, bytes, "error text", output);
    else {
      const { text, rules, lostItems } = this.#yaml.redact(new TextDecoder().decode(bytes));
      output.addText(text);
      output.note(rules);
      if (lostItems > 0)
        this.#notCovered.add(`YAML that could not be read, left out of ${this.#placeName(name)}`);
    }
  }

  /** Whether it is JSON from end to end: what begins with a brace may be YAML in flow form. */
  #isJson(bytes: Uint8Array): boolean {
    const walk = this.#json.walk(bytes, jsonStart(bytes), anywhere);
    return walk.outcome === "whole" && isBlank(bytes.subarray(walk.end));
  }

  #redactFreeText(name: string, bytes: Uint8Array, kind: "log" | "error text", output: Output): void {
    redactText(bytes, kind, this.#strings, output);
    this.#noteFreeText(name);
  }

  /** The names of a context and of an API server are free: nothing tells them from other words. */
  #redactContext(bytes: Uint8Array, output: Output): void {
    const { profile } = this;
    const lines = new TextDecoder().decode(bytes).split("\n");
    const left = lines.map((line) => {
      if (profile === "internal" || line.trim() === "" || isRedacted(line)) return line;
      const redacted = this.#strings.whole(line, "environment identity");
      output.note(redacted.rules);
      return redacted.text;
    });
    const text = left.join("\n");
    const redacted = profile === "internal" ? this.#strings.text(text, "error text") : null;
    output.addText(redacted?.text ?? text);
    output.note(redacted?.rules ?? []);
  }

  #sniffed(bytes: Uint8Array): "JSON" | "YAML" | "text" {
    return sniffedForm(new TextDecoder().decode(bytes.subarray(0, 8192)));
  }

  #noteFreeText(name: string): void {
    this.#notCovered.add(`free text in ${this.#placeName(name)}`);
  }

  #placeName(name: string): string {
    const place = placeName(name);
    return this.#strings.name(place)?.text ?? place;
  }

  /** JSON in a string; null where the string is not JSON from end to end. */
  #embeddedJson(text: string): RedactedString | null {
    const bytes = Buffer.from(text);
    const start = text.length - text.trimStart().length;
    const walk = this.#json.walk(bytes, Buffer.byteLength(text.slice(0, start)), anywhere);
    if (walk.outcome !== "whole" || bytes.subarray(walk.end).toString().trim() !== "") return null;
    const output = new Output();
    output.addEdited(bytes, 0, walk.end, walk.edits);
    output.add(bytes.subarray(walk.end));
    return { text: Buffer.concat(output.finish().content).toString(), rules: output.rules };
  }

  #counted(redacted: RedactedString | null, otherwise: string): string {
    if (redacted === null) return otherwise;
    this.#count(redacted.rules, 0);
    return redacted.text;
  }

  #count(rules: readonly RedactionRuleName[], files = 1): void {
    for (const rule of new Set(rules)) {
      const known = this.#counts.get(rule);
      if (known === undefined) this.#counts.set(rule, { count: 0, files });
      else known.files += files;
    }
    for (const rule of rules) {
      const known = this.#counts.get(rule);
      if (known !== undefined) known.count++;
    }
  }
}
