/**
 * Certificates of the generated mesh: a root and one leaf per workload, deterministic and signed for real, so that a
 * reader can check issuer, SPIFFE identity and validity (istio/istio, pilot/pkg/security and pkg/spiffe). The keys are derived from the mesh's seed
 * and protect nothing. They are Ed25519 where Istio uses RSA or ECDSA, because only Ed25519 signs without chance.
 */

import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";

import { randomFor } from "./random.js";

export interface Certificate {
  readonly pem: string;
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** The URI name of a leaf; null for the root. */
  readonly uri: string | null;
  /** DNS names of a gateway's certificate. */
  readonly dnsNames: readonly string[];
}

export interface CertificateRequest {
  /** What the key and the serial number are derived from. */
  readonly keyName: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly uri?: string;
  readonly dnsNames?: readonly string[];
}

export interface Authority {
  readonly root: Certificate;
  issue(request: CertificateRequest): Certificate;
}

/** A certificate authority like Istiod's own one, whose subject is `O=<trust domain>`. */
export function createAuthority(
  seed: number | string,
  trustDomain: string,
  notBefore: number,
  notAfter: number,
): Authority {
  const rootKey = keyOf(`${seed}/root`);
  const rootName = name(trustDomain);
  const rootKeyId = keyIdOf(rootKey);
  const rootSerial = serialOf(seed, "root");

  const toCertificate = (
    request: CertificateRequest,
    serialNumber: string,
    key: KeyObject,
    subject: Buffer,
    extensions: readonly Buffer[],
  ): Certificate => ({
    pem: signed(
      sequence(
        explicit(0, integer("02")),
        integer(serialNumber),
        ed25519,
        rootName,
        sequence(time(request.notBefore), time(request.notAfter)),
        subject,
        publicKeyOf(key),
        explicit(3, sequence(...extensions)),
      ),
      rootKey,
    ),
    serialNumber,
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    uri: request.uri ?? null,
    dnsNames: request.dnsNames ?? [],
  });

  return {
    root: toCertificate({ keyName: "root", notBefore, notAfter }, rootSerial, rootKey, rootName, [
      extension("2.5.29.15", true, tagged(0x03, Buffer.from([0x02, 0x04]))), // key usage: certificate signing
      extension("2.5.29.19", true, sequence(boolean(true))), // a certificate authority
      extension("2.5.29.14", false, tagged(0x04, rootKeyId)),
    ]),
    issue: (request) => {
      const names = [
        ...(request.uri === undefined ? [] : [tagged(0x86, Buffer.from(request.uri))]),
        ...(request.dnsNames ?? []).map((dnsName) => tagged(0x82, Buffer.from(dnsName))),
      ];
      return toCertificate(
        request,
        serialOf(seed, request.keyName),
        keyOf(`${seed}/${request.keyName}`),
        sequence(),
        [
          extension("2.5.29.15", true, tagged(0x03, Buffer.from([0x05, 0xa0]))), // signature, key encipherment
          extension("2.5.29.37", false, sequence(oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2"))),
          extension("2.5.29.19", true, sequence()),
          extension("2.5.29.35", false, sequence(tagged(0x80, rootKeyId))),
          extension("2.5.29.17", true, sequence(...names)),
        ],
      );
    },
  };
}

const keyOf = (text: string): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([
      Buffer.from("302e020100300506032b657004220420", "hex"), // PKCS #8 around 32 bytes of Ed25519 key
      createHash("sha256").update(text).digest(),
    ]),
    format: "der",
    type: "pkcs8",
  });

const publicKeyOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: "spki", format: "der" });
const keyIdOf = (key: KeyObject): Buffer => createHash("sha1").update(publicKeyOf(key)).digest();

/** 127 bits, first digit 4 to 7, so that the number is positive and as long as Istio's. */
function serialOf(seed: number | string, keyName: string): string {
  const random = randomFor(seed, `serial/${keyName}`);
  return String(random.between(4, 7)) + random.hex(31);
}

function signed(toBeSigned: Buffer, key: KeyObject): string {
  const signature = sign(null, toBeSigned, key);
  const der = sequence(toBeSigned, ed25519, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

// The few forms of ASN.1 DER (X.690) that an X.509 certificate needs.

function tagged(tag: number, content: Buffer): Buffer {
  const length = content.length;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

const sequence = (...members: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(members));
const explicit = (number: number, content: Buffer): Buffer => tagged(0xa0 + number, content);
const integer = (hexadecimal: string): Buffer => tagged(0x02, Buffer.from(hexadecimal, "hex"));
const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}

const ed25519 = sequence(oid("1.3.101.112"));

/** A distinguished name of one organization. */
const name = (organization: string): Buffer =>
  sequence(tagged(0x31, sequence(oid("2.5.4.10"), tagged(0x0c, Buffer.from(organization)))));

/** UTCTime, which RFC 5280 asks for up to 2049. */
const time = (value: number): Buffer =>
  tagged(0x17, Buffer.from(new Date(value).toISOString().slice(2, 19).replace(/[-T:]/g, "") + "Z"));

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), tagged(0x04, value));
