/** Secrets of known shapes, and places that no rule of redaction names: there only the shape can tell. */

import { gzipSync } from "node:zlib";

import { SeedBed, type Canary } from "./canary.js";
import {
  awsKeyId,
  azureAccountKey,
  base64,
  googleApiKey,
  jsonWebToken,
  password,
  privateKey,
  token,
} from "./values.js";

const bed = new SeedBed();
const plant = bed.at("stray", "bundle", /./);
const pem = plant("PEM", privateKey("RSA PRIVATE KEY"));

/** Texts that hold one canary each. */
export const strayShapes: Readonly<Record<string, string>> = {
  "PEM private key": pem,
  "encrypted PEM private key": plant("encrypted PEM", privateKey("ENCRYPTED PRIVATE KEY")),
  "PEM private key as JSON": JSON.stringify(pem).slice(1, -1),
  "PEM private key in base64": base64(pem),
  "PEM private key in base64 in base64": base64(base64(pem)),
  "JSON web token": plant("JWT", jsonWebToken),
  "bearer credentials": `Authorization: Bearer ${plant("Bearer", token)}`,
  "basic credentials": `Authorization: Basic ${base64(`ledger:${plant("Basic", password)}`)}`,
  "AWS key id": plant("AWS", awsKeyId),
  "Google API key": plant("Google", googleApiKey),
  "Google service account": base64(JSON.stringify({ type: "service_account", private_key: pem })),
  "Azure account key": `AccountName=x;AccountKey=${plant("Azure", azureAccountKey)};EndpointSuffix=x`,
};
export const strayCanaries: readonly Canary[] = bed.canaries;

export interface StrayPlace {
  readonly name: string;
  readonly write: (text: string) => string | Buffer;
}

const dumpName = "istio-snapshot/proxies/default/a/config_dump?include_eds";
const dump = (fields: object): string =>
  JSON.stringify({
    configs: [
      {
        "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
        dynamic_active_clusters: [
          {
            version_info: "1",
            cluster: {
              "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
              name: "outbound|80||a.default.svc.cluster.local",
              ...fields,
            },
          },
        ],
      },
    ],
  });

/** Where JSON that is whole can hold a text. */
export const strayFields = {
  "an unknown field of a dump": {
    name: dumpName,
    write: (text) => dump({ brand_new_field: { note: text } }),
  },
  "a known field of text": { name: dumpName, write: (text) => dump({ alt_stat_name: `x ${text} x` }) },
} as const satisfies Readonly<Record<string, StrayPlace>>;

export const strayPlaces: Readonly<Record<string, StrayPlace>> = {
  ...strayFields,
  "an unknown text file": { name: "notes/x.txt", write: (text) => `see\n${text}\nthere` },
  "a text file in UTF-16": {
    name: "notes/x.txt",
    write: (text) => Buffer.from(`\ufeffsee\r\n${text}\r\nthere`, "utf16le"),
  },
  "an unknown JSON file": {
    name: "istio-snapshot/x.json",
    write: (text) => JSON.stringify({ a: [{ b: text }] }),
  },
  "an unknown gzip file": { name: "namespaces/a/x.gz", write: (text) => gzipSync(`see ${text}`) },
  "a gzip file in a gzip file": {
    name: "namespaces/a/x.gz",
    write: (text) => gzipSync(gzipSync(`see ${text}`)),
  },
  "a binary file": {
    name: "proxies/a/b/cores/0.core",
    write: (text) => Buffer.concat([Buffer.from([0x7f, 0x45, 0, 0xff, 0xc3]), Buffer.from(`\n${text}\n`)]),
  },
  "a key of a map": {
    name: dumpName,
    write: (text) => dump({ metadata: { filter_metadata: { [text]: {} } } }),
  },
  "a dump in UTF-16": {
    name: dumpName,
    write: (text) => Buffer.from(`\ufeff${dump({ brand_new_field: text })}`, "utf16le"),
  },
  "text before a dump": { name: dumpName, write: (text) => `warning: ${text}\n${dump({})}` },
  "text after a dump": { name: dumpName, write: (text) => `${dump({})}\nwarning: ${text}\n` },
  "a dump that is cut off": {
    name: dumpName,
    write: (text) => dump({ brand_new_field: text, rest: "x".repeat(40) }).slice(0, -30),
  },
  "an error text under a dump's name": { name: dumpName, write: (text) => `error: ${text} is bad` },
  statistics: { name: "istio-snapshot/proxies/default/a/stats", write: (text) => `a.note: "${text}"\n` },
  "an answer of Istiod": {
    name: "istio-snapshot/istio/istio-system/istiod-0/debug/push_status",
    write: (text) => JSON.stringify({ a: { b: { proxy: "", message: `failed: ${text}` } } }),
  },
  "a YAML file": {
    name: "bug-report/cluster/crs",
    write: (text) =>
      `apiVersion: v1\nitems:\n- kind: Note\n  spec:\n    description: ${JSON.stringify(text)}\n`,
  },
  "a block of YAML": {
    name: "bug-report/cluster/crs",
    write: (text) =>
      `apiVersion: v1\nitems:\n- kind: Note\n  spec:\n    description: |\n      ${text.replaceAll("\n", "\n      ")}\n`,
  },
};

/** Texts that look a little like secrets and are none. */
export const harmlessTexts: Readonly<Record<string, string>> = {
  "a SHA-256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "a nonce": "2026-03-02T09:00:00Z/41f6c0de-53a4-4c1e-9d2b-7b1f0e5a9c3d",
  "the name of a resource": "outbound|9080|v1|reviews.default.svc.cluster.local",
  "a type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
  "a SPIFFE id": "spiffe://cluster.local/ns/default/sa/bookinfo-reviews",
  "the word bearer": "no bearer token was sent",
  "Envoy's own redaction": "[redacted]",
  "a cipher suite": "ECDHE-ECDSA-AES256-GCM-SHA384",
};
