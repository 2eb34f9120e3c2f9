/**
 * The rules of redaction by name: the words of the manifest, of `src/redact` which applies them, and of the commands
 * which say what an applied rule takes from their answers.
 */

export interface RedactionRule {
  /** What an analysis can no longer tell where this rule replaced something, as a sentence; null: nothing that we answer. */
  readonly weakens: string | null;
}

export const redactionRules = {
  "private key": { weakens: null },
  secret: { weakens: null },
  "header value": {
    weakens:
      "Values of headers and of parameters of queries are tokens: equal ones are still equal, but what they were is not known.",
  },
  credential: { weakens: null },
  "filter setting": { weakens: "Settings of filters that hold credentials are tokens." },
  code: { weakens: "Lua code and Wasm configuration are replaced by their size and a token." },
  "response body": { weakens: "Bodies of direct responses and local replies are tokens." },
  "telemetry setting": { weakens: null },
  "node metadata": { weakens: "Metadata of nodes that no analysis needs are tokens." },
  "command line": { weakens: null },
  "runtime value": { weakens: "Runtime values other than numbers and booleans are tokens." },
  "rejected configuration": {
    weakens: "The configuration that a proxy rejected is left out; its reason stays.",
  },
  "secret in text": { weakens: "What looked like a secret in an error text or a log is a token." },
  "mesh config": { weakens: null },
  "Istio config": {
    weakens: "Values of EnvoyFilter, WasmPlugin and of conditions that may hold secrets are tokens.",
  },
  "injection template": { weakens: null },
  "Kubernetes object": { weakens: null },
  "URL part": { weakens: "Queries and user information in URLs are tokens." },
  "e-mail address": { weakens: null },
  "client address": { weakens: null },
  certificate: {
    weakens: "Certificates are tokens; their names, validity and fingerprints are in certificates.json.",
  },
  "environment identity": {
    weakens: "Names of the cluster's environment (context, API server, cloud account) are tokens.",
  },
  "host name": { weakens: "Host names are tokens, label by label; wildcards still match." },
  address: { weakens: "IP addresses are others in the same order of prefixes; ranges still match." },
  name: { weakens: "Names of namespaces, workloads and pods are tokens." },
  "regular expression": {
    weakens: "Regular expressions over names were replaced; whether they match is not known.",
  },
  "free text": { weakens: "Texts in plain words are tokens." },
} as const satisfies Readonly<Record<string, RedactionRule>>;

export type RedactionRuleName = keyof typeof redactionRules;
