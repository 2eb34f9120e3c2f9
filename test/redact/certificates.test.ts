import { X509Certificate } from "node:crypto";

import { describe, expect, it } from "vitest";

import {
  fingerprintOf,
  redactCertificates,
  redactDerCertificate,
  summaryOf,
  withNames,
  type CertificateSink,
} from "../../src/redact/certificates.js";
import { leaf, root, withComma } from "./certificate-fixtures.js";

const taken = (): { sink: CertificateSink; sources: (string | Uint8Array)[] } => {
  const sources: (string | Uint8Array)[] = [];
  return { sources, sink: { take: (source) => `#${sources.push(source)}` } };
};

describe("certificates in a text", () => {
  it.each([
    ["alone", leaf.pem, "#1\n"],
    ["a chain", `${leaf.pem}${root.pem}`, "#1\n#2\n"],
    ["with escaped line ends", leaf.pem.replaceAll("\n", "\\n"), "#1\\n"],
    ["cut off", `x ${leaf.pem.slice(0, 200)}`, "x #1"],
  ])("%s", (_, text, expected) => {
    const { sink, sources } = taken();
    expect(redactCertificates(text, sink)).toBe(expected);
    if (!text.startsWith("x")) for (const source of sources) expect(summaryOf(source)).not.toBeNull();
  });

  it("are the same certificate, however their lines end", () => {
    const { sink, sources } = taken();
    redactCertificates(leaf.pem + leaf.pem.replaceAll("\n", "\\n") + leaf.pem.replaceAll("\n", "\r\n"), sink);
    expect(new Set(sources).size).toBe(1);
  });

  it.each(["-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "no CERTIFICATE"])(
    "none in %j",
    (text) => expect(redactCertificates(text, taken().sink)).toBe(text),
  );

  it("cost one pass, however many begin", () => {
    const text = "-----BEGIN CERTIFICATE-----\n".repeat(20_000);
    expect(redactCertificates(text, taken().sink)).toContain("#20000");
  });
});

it("knows a certificate without armour", () => {
  const der = new X509Certificate(leaf.pem).raw;
  expect(redactDerCertificate(der, taken().sink)).toBe("#1");
  expect(redactDerCertificate(der.subarray(1), taken().sink)).toBeNull();
});

describe("what is known of a certificate", () => {
  it("is its public part", () => {
    expect(summaryOf(leaf.pem)).toEqual({
      subject: "",
      issuer: "O=cluster.local",
      serial: new X509Certificate(leaf.pem).serialNumber.toLowerCase().replace(/^0+/, ""),
      notBefore: "2024-03-01T00:00:00Z",
      notAfter: "2024-03-02T00:00:00Z",
      sans: ["URI:spiffe://cluster.local/ns/default/sa/reviews", "DNS:reviews.example"],
      sha256: fingerprintOf(leaf.pem),
      isCa: false,
    });
    expect(summaryOf(root.pem)?.isCa).toBe(true);
  });

  it("is nothing where it cannot be read", () => {
    expect(summaryOf("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")).toBeNull();
    expect(fingerprintOf("")).toBeNull();
  });

  it("keeps kinds and attributes where names are replaced", () => {
    const summary = summaryOf(leaf.pem);
    expect(summary && withNames(summary, (name) => name.toUpperCase())).toMatchObject({
      issuer: "O=CLUSTER.LOCAL",
      sans: ["URI:SPIFFE://CLUSTER.LOCAL/NS/DEFAULT/SA/REVIEWS", "DNS:REVIEWS.EXAMPLE"],
      sha256: fingerprintOf(leaf.pem),
    });
  });

  it("is not misled by a comma in a name", () => {
    expect(summaryOf(withComma.pem)?.sans).toEqual(["URI:spiffe://cluster.local/ns/a, DNS:b"]);
  });
});
