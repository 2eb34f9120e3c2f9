/**
 * Public certificates: under `support` and `public` a token stands in place of each, and what analyses need of it goes
 * into `certificates.json` by that token.
 */
import { X509Certificate } from "node:crypto";

import type { CertificateSummary } from "../shared/certificate-summary.js";

/** Where certificates go that are taken out. */
export interface CertificateSink {
  /** @returns the token that stands for the certificate from now on; `source` may be no certificate at all */
  take(source: string | Uint8Array): string;
}

const block =
  /-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----([A-Za-z0-9+/=\s\\]{1,65536})(?:-----END \1-----)?/g;

/** Replaces each certificate of a text by its own token, so that a chain stays one; also one that was cut off. */
export function redactCertificates(text: string, sink: CertificateSink): string {
  if (!text.includes("CERTIFICATE")) return text;
  return text.replace(block, (pem) => sink.take(canonicalPem(pem)));
}

/** Line ends that are escaped or missing are made true ones: OpenSSL wants lines. */
function canonicalPem(pem: string): string {
  const [, label = "", body = ""] = new RegExp(block.source).exec(pem) ?? [];
  const base64 = body.replace(/\\+[nrt]/g, "").replace(/[\s\\]+/g, "");
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** @returns the token of a certificate in DER; null where it is none */
export function redactDerCertificate(der: Uint8Array, sink: CertificateSink): string | null {
  return parsed(der) === null ? null : sink.take(der);
}

function parsed(source: string | Uint8Array): X509Certificate | null {
  try {
    return new X509Certificate(source);
  } catch {
    return null; // OpenSSL's errors tell no more than that
  }
}

/** SHA-256 over the DER in lower-case hex; null where it is no certificate. */
export function fingerprintOf(source: string | Uint8Array): string | null {
  return parsed(source)?.fingerprint256.replaceAll(":", "").toLowerCase() ?? null;
}

/** @returns null where it cannot be read */
export function summaryOf(source: string | Uint8Array): CertificateSummary | null {
  const certificate = parsed(source);
  if (certificate === null) return null;
  const notBefore = timeOf(certificate.validFrom);
  const notAfter = timeOf(certificate.validTo);
  if (notBefore === null || notAfter === null) return null;
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    serial: certificate.serialNumber.toLowerCase().replace(/^0+(?=.)/, ""),
    notBefore,
    notAfter,
    sans: alternativeNames(certificate.subjectAltName),
    sha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    isCa: certificate.ca,
  };
}

/** Node has one attribute a line. */
const nameOf = (name: string | undefined): string => (name ?? "").split("\n").join(", ");

/** RFC 3339 in whole seconds, which is all that a certificate has. */
function timeOf(text: string): string | null {
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Names as Node lists them: `URI:spiffe://a/b, DNS:example.org`, in quotes where one has a comma. */
function alternativeNames(names: string | undefined): string[] {
  return [...(names ?? "").matchAll(/(?:^|, )([A-Za-z ]{1,40}):("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(
    ([, kind = "", value = ""]) => `${kind === "IP Address" ? "IP" : kind}:${unquoted(value)}`,
  );
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return JSON.parse(value) as string;
  } catch {
    return value.slice(1, -1);
  }
}

/** A certificate's summary with its names as `rename` has them. */
export function withNames(summary: CertificateSummary, rename: (name: string) => string): CertificateSummary {
  const prefixed = (name: string): string => {
    const colon = name.indexOf(":");
    return name.slice(0, colon + 1) + rename(name.slice(colon + 1));
  };
  const attributes = (name: string): string =>
    name
      .split(", ")
      .map((attribute) => {
        const equals = attribute.indexOf("=");
        return attribute.slice(0, equals + 1) + rename(attribute.slice(equals + 1));
      })
      .join(", ");
  return {
    ...summary,
    subject: attributes(summary.subject),
    issuer: attributes(summary.issuer),
    sans: summary.sans.map(prefixed),
  };
}
