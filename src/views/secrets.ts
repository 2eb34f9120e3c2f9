/**
 * Secrets as `istioctl proxy-config secret` prints them, their certificates measured at the time of the capture.
 * Source: istio/istio, istioctl/pkg/writer/compare/sds of releases 1.6 to 1.31.
 */
import { X509Certificate } from "node:crypto";

import {
  resourceStates,
  type Origin,
  type ReferenceList,
  type Resource,
  type ResourceReference,
  type ResourceState,
} from "../snapshot/model.js";
import { child, contentOf, text, typeOf, unpacked, type Message } from "../snapshot/message.js";
import type { CertificateSummary } from "../shared/certificate-summary.js";
import { withJsonNames } from "../snapshot/parse/recase.js";
import { tokensIn } from "../snapshot/redaction.js";
import { inside, members, showsKinds } from "./clusters.js";
import type { View, ViewOptions } from "./view.js";

export interface SecretOptions extends ViewOptions {
  /** RFC 3339 time at which validity is measured; null when nothing tells, and then it is unknown. */
  readonly at: string | null;
  /** The certificates that redaction replaced, by token. */
  readonly certificates?: ReadonlyMap<string, CertificateSummary>;
}

export interface SecretView extends View {
  /** Names of secrets whose certificate redaction replaced without telling anything of it. */
  readonly unknown: readonly string[];
}

const columns = [
  "RESOURCE NAME",
  "TYPE",
  "STATUS",
  "VALID CERT",
  "SERIAL NUMBER",
  "NOT AFTER",
  "NOT BEFORE",
] as const;

const secretType = "envoy.extensions.transport_sockets.tls.v3.Secret";
const spiffeType = "envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig";

export function secretView(section: ReferenceList, options: SecretOptions): SecretView {
  const { istioctl, states = ["warming", "active", "unknown"] } = options;
  const held = Array.from(section, (reference, index) => ({
    reference,
    resource: section.resource(index),
  }));
  const dynamic = tableOrder
    .filter((state) => states.includes(state))
    .flatMap((state) =>
      held.filter(({ reference }) => reference.source === "dynamic" && reference.state === state),
    );
  const rows = dynamic.flatMap((secret) => rowsOf(secret, options));
  const withTrustDomain = istioctl >= 25 && rows.length > 0 && rows.every((row) => row.trustDomain !== "");
  const prefix = showsKinds(options) ? "secret/" : "";
  return {
    header: withTrustDomain ? [...columns, "TRUST DOMAIN"] : columns,
    rows: rows.map(({ name, cells, trustDomain }) => [
      `${prefix}${name}`,
      ...cells,
      ...(withTrustDomain ? [trustDomain] : []),
    ]),
    origins: rows.map(({ origin }) => origin),
    padding: 5,
    json: sectionJson(options.states === undefined ? held : dynamic),
    note:
      dynamic.length === 0
        ? "No active or warming secrets found."
        : rows.length === 0
          ? "No secret items to show."
          : "",
    unknown: [...new Set(rows.filter(({ isUnknown }) => isUnknown).map(({ name }) => name))],
  };
}

/** istioctl shows the first two; it knows no bare slice, which does not tell the list that it was taken from. */
const tableOrder: readonly ResourceState[] = [
  "warming",
  "active",
  ...resourceStates.filter((state) => state !== "warming" && state !== "active"),
];

interface HeldSecret {
  readonly reference: ResourceReference;
  readonly resource: Resource | null;
}

interface Row {
  readonly name: string;
  /** TYPE to NOT BEFORE. */
  readonly cells: readonly string[];
  /** "" where none is known. */
  readonly trustDomain: string;
  /** Whether a token stands in the certificate's place, and nothing else is known of it. */
  readonly isUnknown: boolean;
  readonly origin: Origin;
}

function rowsOf({ reference, resource }: HeldSecret, options: SecretOptions): Row[] {
  const { istioctl } = options;
  const { name, origin } = reference;
  const message = resource === null ? {} : contentOf(resource);
  const status = statusOf(reference, istioctl);
  const validation = child(message, "validation_context");
  const pem =
    inlineBytes(child(message, "tls_certificate", "certificate_chain")) ||
    inlineBytes(child(validation, "trusted_ca"));
  if (pem === "" && istioctl >= 25) {
    const validator = child(validation, "custom_validator_config", "typed_config");
    if (typeOf(validator) === spiffeType) return bundleRows(message, validator, { status, origin, options });
    if (istioctl === 25) return []; // 1.25 alone leaves out what has neither certificate nor bundles
  }
  return [{ name, origin, ...certificateCells(pem, status, "", options) }];
}

/** One row per trust domain of a SPIFFE validator. */
function bundleRows(
  secret: Message,
  validator: Message | undefined,
  { status, origin, options }: { status: string; origin: Origin; options: SecretOptions },
): Row[] {
  return members(unpacked(validator), "trust_domains").map(([message, index]) => ({
    name: text(secret, "name"),
    origin: inside(origin, `/validation_context/custom_validator_config/typed_config/trust_domains/${index}`),
    ...certificateCells(inlineBytes(child(message, "trust_bundle")), status, text(message, "name"), options),
  }));
}

/** 1.25 and newer mean to print UNINITIALIZED too, but set it on a copy. */
function statusOf({ state, versionInfo }: ResourceReference, istioctl: number): string {
  const isUninitialized = state === "active" && versionInfo === "uninitialized";
  return isUninitialized && istioctl >= 14 && istioctl <= 24 ? "UNINITIALIZED" : state.toUpperCase();
}

/** Bytes of a DataSource, one character each; istioctl reads no other form of it. */
const inlineBytes = (source: Message | undefined): string =>
  Buffer.from(text(source, "inline_bytes"), "base64").toString("latin1");

/**
 * The cells from TYPE to NOT BEFORE; without a certificate that can be read they are empty.
 * @param given trust domain that is known from elsewhere; else it is the certificate's own
 */
function certificateCells(
  pem: string,
  status: string,
  given: string,
  { istioctl, at, certificates }: SecretOptions,
): Pick<Row, "cells" | "trustDomain" | "isUnknown"> {
  const certificate = firstCertificate(pem) ?? replacedCertificate(pem, certificates);
  if (certificate === null)
    return { cells: ["", status, "false", "", "", ""], trustDomain: "", isUnknown: false };
  if (certificate === "unknown")
    return { cells: ["-", status, "unknown", "-", "-", "-"], trustDomain: given, isUnknown: true };
  const { type, serialNumber, notBefore, notAfter, trustDomain } = certificate;
  const time = at === null ? Number.NaN : Date.parse(at);
  // up to 1.15 a certificate was valid when it could be read
  const valid =
    istioctl <= 15 ? "true" : Number.isNaN(time) ? "unknown" : String(notBefore < time && time < notAfter);
  return {
    cells: [type, status, valid, serialText(serialNumber, istioctl), timeText(notAfter), timeText(notBefore)],
    trustDomain: given === "" ? trustDomain : given,
    isUnknown: false,
  };
}

function serialText(serial: bigint, istioctl: number): string {
  if (istioctl <= 17) return serial.toString();
  const digits = serial.toString(16);
  return istioctl >= 29 ? digits.padStart(32, "0") : digits;
}

/** RFC 3339 in whole seconds, which is all that a certificate has. */
const timeText = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");

interface Certificate {
  readonly type: "CA" | "Cert Chain";
  readonly serialNumber: bigint;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Host of the last SPIFFE name, "" when it has none. */
  readonly trustDomain: string;
}

/** The first certificate of a chain, null when it cannot be read. */
function firstCertificate(pem: string): Certificate | null {
  const block = firstPemBlock(pem);
  if (block === null) return null;
  try {
    const certificate = new X509Certificate(block);
    const notBefore = Date.parse(certificate.validFrom);
    const notAfter = Date.parse(certificate.validTo);
    if (Number.isNaN(notBefore) || Number.isNaN(notAfter)) return null;
    return {
      type: certificate.ca ? "CA" : "Cert Chain",
      serialNumber: BigInt(`0x${certificate.serialNumber}`),
      notBefore,
      notAfter,
      trustDomain: trustDomainOf(certificate.subjectAltName),
    };
  } catch {
    return null; // neither OpenSSL's errors nor a negative serial number tell more than that
  }
}

/** The content of the first PEM block that is one, as Go's pem.Decode finds it: whatever its label says. */
function firstPemBlock(pem: string): Buffer | null {
  const begin = "-----BEGIN ";
  const end = "-----END ";
  for (let from = 0; ;) {
    const start = pem.indexOf(begin, from);
    const labelEnd = pem.indexOf("-----", start + begin.length);
    const stop = pem.indexOf(end, start);
    if (start < 0 || labelEnd < 0 || stop < 0) return null;
    const label = pem.slice(start + begin.length, labelEnd);
    const body = pem.slice(labelEnd + 5, stop).replace(/\s+/g, "");
    const isWhole = labelEnd < stop && pem.startsWith(`${label}-----`, stop + end.length);
    if (isWhole && /^[A-Za-z0-9+/]+={0,2}$/.test(body)) return Buffer.from(body, "base64");
    from = stop + end.length;
  }
}

/**
 * What is known of the first certificate of a chain whose certificates redaction replaced.
 * @returns null when there is no token in its place
 */
function replacedCertificate(
  pem: string,
  certificates: ReadonlyMap<string, CertificateSummary> | undefined,
): Certificate | "unknown" | null {
  const [token] = tokensIn(Buffer.from(pem, "latin1").toString());
  if (token === undefined) return null;
  const summary = certificates?.get(token);
  if (summary === undefined) return "unknown";
  const notBefore = Date.parse(summary.notBefore);
  const notAfter = Date.parse(summary.notAfter);
  if (Number.isNaN(notBefore) || Number.isNaN(notAfter)) return "unknown";
  return {
    type: summary.isCa ? "CA" : "Cert Chain",
    serialNumber: BigInt(`0x${summary.serial}`),
    notBefore,
    notAfter,
    trustDomain: trustDomainIn(
      summary.sans.flatMap((name) => (name.startsWith("URI:") ? [name.slice("URI:".length)] : [])),
    ),
  };
}

/** Names as Node lists them: `URI:spiffe://cluster.local/ns/a/sa/b, DNS:example.org`, in quotes where one has a comma. */
function trustDomainOf(names: string | undefined): string {
  return trustDomainIn(
    [...(names ?? "").matchAll(/(?:^|, )([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)].flatMap(
      ([, kind, name = ""]) => (kind === "URI" ? [name.replace(/^"/, "")] : []),
    ),
  );
}

/** Host of the last SPIFFE name among URIs, "" when there is none. */
function trustDomainIn(uris: readonly string[]): string {
  const hosts = uris.flatMap((uri) => /^spiffe:\/\/(?:[^@/?#]*@)?([^/?#"]*)/i.exec(uri)?.[1] ?? []);
  return hosts.at(-1) ?? "";
}

// JSON

/** `envoy.admin.v3.SecretsConfigDump`; protobuf leaves empty fields out. */
function sectionJson(held: readonly HeldSecret[]): unknown {
  const list = (wanted: (reference: ResourceReference) => boolean): unknown[] =>
    held.filter(({ reference }) => wanted(reference)).map(secretJson);
  return Object.fromEntries(
    [
      ["staticSecrets", list(({ source }) => source === "static")] as const,
      [
        "dynamicActiveSecrets",
        // a slice does not tell which list it was taken from
        list(({ source, state }) => source === "dynamic" && state !== "warming" && state !== "rejected"),
      ] as const,
      [
        "dynamicWarmingSecrets",
        list(({ source, state }) => source === "dynamic" && state === "warming"),
      ] as const,
    ].filter(([, secrets]) => secrets.length > 0),
  );
}

function secretJson({ reference, resource }: HeldSecret): unknown {
  const { name, versionInfo, lastUpdated } = reference;
  return {
    ...(name === "" ? {} : { name }),
    ...(versionInfo === "" ? {} : { versionInfo }),
    ...(lastUpdated === null ? {} : { lastUpdated }),
    ...(resource === null ? {} : { secret: withJsonNames(contentOf(resource), secretType) }),
  };
}
