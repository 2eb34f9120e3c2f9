import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { textTable } from "../../src/shared/text-table.js";
import type { ReferenceList } from "../../src/snapshot/model.js";
import { secretView, type SecretOptions, type SecretView } from "../../src/views/secrets.js";
import type { CertificateSummary } from "../../src/shared/certificate-summary.js";
import { newestIstioctl, type View } from "../../src/views/view.js";
import {
  aResource,
  aSection,
  at as valueAt,
  corpus,
  everythingIsRequired,
  readDump,
  valueOf,
} from "../support/builders.js";
import { createAuthority, type Certificate } from "../support/mesh/certificates.js";
import { envoyDump } from "../support/mesh/dump.js";
import { buildMesh } from "../support/mesh/mesh.js";

type Fields = Readonly<Record<string, unknown>>;

const istioctlCorpus = join(corpus, "istioctl");
const withoutCorpus = !existsSync(istioctlCorpus) && !everythingIsRequired;

const printed = ({ header, rows, padding }: View): string => textTable(header, rows, { padding });
const trimmed = (text: string): string => text.trim().replace(/[ \t]+$/gm, "");
const golden = (path: string): string => readFileSync(join(istioctlCorpus, path), "utf8");

async function secretsIn(path: string): Promise<ReferenceList> {
  const { proxies } = await readSnapshot(join(istioctlCorpus, path));
  return valueOf(proxies[0]!.config.secret);
}

const from = Date.parse("2026-03-01T00:00:00Z");
const to = Date.parse("2026-03-02T00:00:00Z");
const capture = "2026-03-01T12:00:00Z";
const authority = createAuthority(1, "cluster.local", from, to);
const leafOf = (uri?: string, dnsNames?: readonly string[]): Certificate =>
  authority.issue({
    keyName: uri ?? "none",
    notBefore: from,
    notAfter: to,
    ...(uri === undefined ? {} : { uri }),
    ...(dnsNames === undefined ? {} : { dnsNames }),
  });
const leaf = leafOf("spiffe://cluster.local/ns/default/sa/a");

const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");
const bytes = (text: string): Fields => ({ inline_bytes: base64(text) });
const chainOf = (pem: string): Fields => ({ tls_certificate: { certificate_chain: bytes(pem) } });
const rootOf = (pem: string): Fields => ({ validation_context: { trusted_ca: bytes(pem) } });

const entry = (name: string, fields: Fields, more: Fields = {}): Fields => ({
  name,
  version_info: "v1",
  last_updated: "2026-03-01T00:00:01.500Z",
  secret: aResource("secret", name, fields),
  ...more,
});
interface Lists {
  readonly active?: readonly Fields[];
  readonly warming?: readonly Fields[];
  readonly statics?: readonly Fields[];
}
const sectionOf = ({ active = [], warming = [], statics = [] }: Lists): ReferenceList =>
  valueOf(
    readDump([
      aSection("Secrets", {
        static_secrets: statics,
        dynamic_active_secrets: active,
        dynamic_warming_secrets: warming,
      }),
    ]).sections.secret,
  );

const view = (section: ReferenceList, options: Partial<SecretOptions> = {}): SecretView =>
  secretView(section, { istioctl: newestIstioctl, at: capture, ...options });
/** The cells of the only active secret, by column. */
function cellsOf(
  fields: Fields,
  options: Partial<SecretOptions> = {},
  more: Fields = {},
): Record<string, string> {
  const { header, rows } = view(sectionOf({ active: [entry("default", fields, more)] }), options);
  expect(rows).toHaveLength(1);
  return Object.fromEntries(header.map((column, index) => [column, rows[0]![index]!]));
}

describe("istioctl's own cases", () => {
  const at = "2025-04-11T15:00:00Z";

  it.skipIf(withoutCorpus)("13: certificates, and a secret without one", async () => {
    const folder = "writer/envoy/configdump/testdata/secret/istio";
    const section = await secretsIn(`${folder}/config_dump.json`);
    expect(printed(view(section, { at }))).toBe(golden(`${folder}/output`));
  });

  it.skipIf(withoutCorpus)("32: serial numbers of 1.17", async () => {
    const folder = "release-1.17/writer/envoy/configdump/testdata/secret";
    const section = await secretsIn(`${folder}/config_dump.json`);
    expect(trimmed(printed(view(section, { at, istioctl: 17 })))).toBe(trimmed(golden(`${folder}/output`)));
  });

  it.skipIf(withoutCorpus)("01 and 02: the blocks of `all`, with prefixed names", async () => {
    const section = await secretsIn("proxyconfig/testdata/config_dump.json");
    const text = trimmed(printed(view(section, { at, prefixed: true })));
    const plain = golden("proxyconfig/testdata/config_dump_summary.txt").split("\n\n")[4]!;
    const headed = golden("proxyconfig/testdata/config_dump_summary_withheaders.txt")
      .split("------ SECRET INFO ------")[1]!
      .split("------ ENDPOINTS INFO ------")[0]!;
    expect(text).toBe(trimmed(plain));
    expect(text).toBe(trimmed(headed));
  });

  it.skipIf(withoutCorpus)("the four secrets of a 1.6 sidecar", async () => {
    const section = await secretsIn("release-1.6/writer/compare/sds/testdata/envoyconfigdumpsds.json");
    expect(view(section, { istioctl: 6 }).rows).toHaveLength(4);
  });
});

describe("a certificate that redaction replaced", () => {
  const summaryOf = (pem: string, sans: readonly string[] = []): CertificateSummary => {
    const certificate = new X509Certificate(pem);
    const time = (text: string): string => new Date(text).toISOString();
    return {
      subject: certificate.subject,
      issuer: certificate.issuer,
      serial: certificate.serialNumber.toLowerCase().replace(/^0+(?=.)/, ""),
      notBefore: time(certificate.validFrom),
      notAfter: time(certificate.validTo),
      sans,
      sha256: "0".repeat(64),
      isCa: certificate.ca,
    };
  };
  const token = (digits: string): string => `‹redacted:certificate:1025-2048:${digits.padStart(16, "0")}›`;
  const inBase64 = (text: string): Fields => ({ inline_bytes: Buffer.from(text).toString("base64") });
  const chain = (text: string): Fields => ({ tls_certificate: { certificate_chain: inBase64(text) } });
  const certificates = new Map([
    [token("1"), summaryOf(leaf.pem, ["DNS:a.example", "URI:spiffe://cluster.local/ns/default/sa/a"])],
    [token("2"), summaryOf(authority.root.pem)],
  ]);
  const cells = (fields: Fields, options: Partial<SecretOptions> = {}): Record<string, string> =>
    cellsOf(fields, { certificates, ...options });

  it.each([6, 14, 15, 16, 17, 18, 24, 25, 29, 31])(
    "has the cells of its PEM in istioctl 1.%i",
    (istioctl) => {
      const pems = [chainOf(leaf.pem + authority.root.pem), rootOf(authority.root.pem)];
      const tokens = [
        chain(`${token("1")}\n${token("2")}\n`),
        { validation_context: { trusted_ca: inBase64(token("2")) } },
      ];
      pems.forEach((pem, index) => {
        expect(cells(tokens[index]!, { istioctl })).toEqual(cellsOf(pem, { istioctl }));
      });
    },
  );

  it("is measured at the time of the capture, as its PEM is", () => {
    for (const at of ["2026-02-28T23:59:59Z", "2026-03-01T00:00:01Z", "2026-03-02T00:00:00Z", null]) {
      expect(cells(chain(token("1")), { at })).toEqual(cellsOf(chainOf(leaf.pem), { at }));
    }
  });

  it("in a bundle of a trust domain has the cells of its PEM", () => {
    const bundleOf = (trustBundle: Fields): Fields => ({
      validation_context: {
        custom_validator_config: {
          typed_config: {
            "@type":
              "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig",
            trust_domains: [{ name: "example.org", trust_bundle: trustBundle }],
          },
        },
      },
    });
    expect(cells(bundleOf(inBase64(token("2"))))).toEqual(cellsOf(bundleOf(bytes(authority.root.pem))));
  });

  it.each([
    { what: "is not in certificates.json", known: new Map<string, CertificateSummary>() },
    {
      what: "was never valid",
      known: new Map([[token("1"), { ...summaryOf(leaf.pem), notAfter: "2026-13-99T00:00:00Z" }]]),
    },
  ])("is unknown where it $what, not invalid, and its secret is named", ({ known }) => {
    const section = sectionOf({
      active: [entry("default", chain(token("1"))), entry("ROOTCA", rootOf("x"))],
    });
    const { rows, unknown } = view(section, { certificates: known });
    expect(rows).toEqual([
      ["default", "-", "ACTIVE", "unknown", "-", "-", "-"],
      ["ROOTCA", "", "ACTIVE", "false", "", "", ""],
    ]);
    expect(unknown).toEqual(["default"]);
    expect(view(section, { certificates }).unknown).toEqual([]);
  });
});

describe("a certificate", () => {
  it("of a workload", () => {
    expect(cellsOf(chainOf(leaf.pem + authority.root.pem), { istioctl: 24 })).toEqual({
      "RESOURCE NAME": "default",
      TYPE: "Cert Chain",
      STATUS: "ACTIVE",
      "VALID CERT": "true",
      "SERIAL NUMBER": leaf.serialNumber,
      "NOT AFTER": "2026-03-02T00:00:00Z",
      "NOT BEFORE": "2026-03-01T00:00:00Z",
    });
  });

  it("of an authority", () => {
    expect(cellsOf(rootOf(authority.root.pem))).toMatchObject({
      TYPE: "CA",
      "SERIAL NUMBER": authority.root.serialNumber,
    });
  });

  it.each([
    {
      name: "the first of a chain tells the type",
      fields: chainOf(authority.root.pem + leaf.pem),
      type: "CA",
    },
    {
      name: "the chain goes before the root",
      fields: { ...rootOf(authority.root.pem), ...chainOf(leaf.pem) },
      type: "Cert Chain",
    },
    {
      name: "an empty chain does not",
      fields: {
        ...rootOf(authority.root.pem),
        tls_certificate: { certificate_chain: { filename: "/etc/cert" } },
      },
      type: "CA",
    },
    { name: "text before it is passed over", fields: chainOf(`subject=\n${leaf.pem}`), type: "Cert Chain" },
    {
      name: "so is a block that is cut off or no base64",
      fields: chainOf(
        `-----BEGIN X-----\n!!\n-----END X-----\n-----BEGIN Y-----\nAAAA\n-----END Z-----\n${leaf.pem}`,
      ),
      type: "Cert Chain",
    },
    { name: "CRLF", fields: chainOf(leaf.pem.replaceAll("\n", "\r\n")), type: "Cert Chain" },
  ])("$name", ({ fields, type }) => {
    expect(cellsOf(fields)["TYPE"]).toBe(type);
  });

  it.each([
    { name: "no data", fields: {} },
    { name: "a file name", fields: { tls_certificate: { certificate_chain: { filename: "/etc/cert" } } } },
    {
      name: "inline text, which istioctl does not read",
      fields: { tls_certificate: { certificate_chain: { inline_string: leaf.pem } } },
    },
    { name: "no PEM", fields: chainOf("certificate") },
    {
      name: "DER",
      fields: { tls_certificate: { certificate_chain: { inline_bytes: leaf.pem.replace(/-.*-|\n/g, "") } } },
    },
    {
      name: "a block that is no certificate, before one",
      fields: chainOf(`-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${leaf.pem}`),
    },
    { name: "a damaged certificate", fields: chainOf(leaf.pem.replace(/^MII?/m, "AAAA")) },
    { name: "a cut one", fields: chainOf(leaf.pem.slice(0, 300)) },
    { name: "no base64", fields: { tls_certificate: { certificate_chain: { inline_bytes: "\u0000!" } } } },
    { name: "a number", fields: { tls_certificate: { certificate_chain: { inline_bytes: 7 } } } },
  ])("$name costs its cells only", ({ fields }) => {
    const section = sectionOf({ active: [entry("bad", fields), entry("good", chainOf(leaf.pem))] });
    const [bad, good] = view(section).rows;
    expect(bad).toEqual(["bad", "", "ACTIVE", "false", "", "", ""]);
    expect(good!.slice(0, 4)).toEqual(["good", "Cert Chain", "ACTIVE", "true"]);
  });

  it("is not searched for at the square of the length", () => {
    const started = performance.now();
    expect(cellsOf(chainOf("-----BEGIN A-----\n".repeat(200_000)))["TYPE"]).toBe("");
    expect(cellsOf(chainOf("-----BEGIN A-----\n-----END B-----".repeat(100_000)))["TYPE"]).toBe("");
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("VALID CERT is measured at the capture", () => {
  it.each([
    { at: capture, valid: "true" },
    { at: "2026-02-28T23:59:59Z", valid: "false" },
    { at: "2026-03-01T00:00:00Z", valid: "false" },
    { at: "2026-03-01T00:00:00.001Z", valid: "true" },
    { at: "2026-03-02T00:00:00Z", valid: "false" },
    { at: "2026-03-02T01:00:00+02:00", valid: "true" },
    { at: null, valid: "unknown" },
    { at: "yesterday", valid: "unknown" },
  ])("$at: $valid", ({ at, valid }) => {
    expect(cellsOf(chainOf(leaf.pem), { at })["VALID CERT"]).toBe(valid);
    expect(cellsOf(chainOf(leaf.pem), { at, istioctl: 16 })["VALID CERT"]).toBe(valid);
    // up to 1.15 it only had to be readable
    expect(cellsOf(chainOf(leaf.pem), { at, istioctl: 15 })["VALID CERT"]).toBe("true");
  });

  it("what is no certificate is not valid at any time", () => {
    expect(cellsOf({}, { at: null })["VALID CERT"]).toBe("false");
    expect(cellsOf({}, { istioctl: 15 })["VALID CERT"]).toBe("false");
  });
});

describe("SERIAL NUMBER", () => {
  /** A certificate whose serial number begins with zeros. */
  const short = leaf.pem.replace(/-----\n([\s\S]*)-----END/, (_, body: string) => {
    const der = Buffer.from(body, "base64");
    const place = der.indexOf(Buffer.from(leaf.serialNumber, "hex"));
    der.fill(0, place, place + 1);
    der[place + 1] = 0xab;
    return `-----\n${der.toString("base64")}\n-----END`;
  });
  const shortNumber = `ab${leaf.serialNumber.slice(4)}`;

  it.each([
    { istioctl: 17, serial: BigInt(`0x${shortNumber}`).toString() },
    { istioctl: 18, serial: shortNumber },
    { istioctl: 28, serial: shortNumber },
    { istioctl: 29, serial: shortNumber.padStart(32, "0") },
    { istioctl: 31, serial: shortNumber.padStart(32, "0") },
  ])("1.$istioctl: $serial", ({ istioctl, serial }) => {
    expect(cellsOf(chainOf(short), { istioctl })["SERIAL NUMBER"]).toBe(serial);
  });
});

describe("rows", () => {
  const section = sectionOf({
    active: [entry("z", chainOf(leaf.pem)), entry("a", rootOf(authority.root.pem))],
    warming: [entry("w", {})],
    statics: [entry("s", chainOf(leaf.pem))],
  });

  it("are warming ones, then active ones, in the order of the dump, and no static ones", () => {
    const { rows, origins, padding } = view(section);
    expect(rows.map((row) => [row[0], row[2]])).toEqual([
      ["w", "WARMING"],
      ["z", "ACTIVE"],
      ["a", "ACTIVE"],
    ]);
    expect(origins.map(({ pointer }) => pointer)).toEqual([
      "/configs/0/dynamic_warming_secrets/0/secret",
      "/configs/0/dynamic_active_secrets/0/secret",
      "/configs/0/dynamic_active_secrets/1/secret",
    ]);
    expect(padding).toBe(5);
  });

  it("are those of the states that are asked for", () => {
    const shown = view(section, { states: ["active"] });
    expect(shown.rows.map(([name]) => name)).toEqual(["z", "a"]);
    expect(Object.keys(shown.json as object)).toEqual(["dynamicActiveSecrets"]);
  });

  it("carry their kind in `all` since 1.19", () => {
    expect(view(section, { prefixed: true, istioctl: 19 }).rows[0]![0]).toBe("secret/w");
    expect(view(section, { prefixed: true, istioctl: 18 }).rows[0]![0]).toBe("w");
  });

  it("are said to be none", () => {
    const none = sectionOf({ statics: [entry("s", chainOf(leaf.pem))] });
    expect(view(none)).toMatchObject({ rows: [], note: "No active or warming secrets found." });
    expect(view(section).note).toBe("");
  });

  it("of a slice say that their state is not known", () => {
    const slice = readDump([
      { "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump.DynamicSecret", ...entry("a", {}) },
    ]);
    expect(view(valueOf(slice.sections.secret)).rows.map((row) => row[2])).toEqual(["UNKNOWN"]);
  });

  it.each([
    { istioctl: 13, status: "ACTIVE" },
    { istioctl: 14, status: "UNINITIALIZED" },
    { istioctl: 24, status: "UNINITIALIZED" },
    { istioctl: 25, status: "ACTIVE" },
    { istioctl: 31, status: "ACTIVE" },
  ])("of version `uninitialized` are $status in 1.$istioctl", ({ istioctl, status }) => {
    const more = { version_info: "uninitialized" };
    expect(cellsOf(chainOf(leaf.pem), { istioctl }, more)["STATUS"]).toBe(status);
    const warming = sectionOf({ warming: [entry("w", {}, more)] });
    expect(view(warming, { istioctl: 24 }).rows[0]![2]).toBe("WARMING");
  });

  it("without data are left out by 1.25 alone", () => {
    const empty = sectionOf({ active: [entry("a", {})] });
    expect(view(empty, { istioctl: 24 }).rows).toHaveLength(1);
    expect(view(empty, { istioctl: 25 })).toMatchObject({ rows: [], note: "No secret items to show." });
    expect(view(empty, { istioctl: 26 }).rows).toHaveLength(1);
  });
});

describe("TRUST DOMAIN", () => {
  const domainOf = (certificate: Certificate, istioctl = newestIstioctl): string | undefined =>
    cellsOf(chainOf(certificate.pem), { istioctl })["TRUST DOMAIN"];

  it.each([
    { name: "a SPIFFE name", certificate: leaf, domain: "cluster.local" },
    {
      name: "a SPIFFE name beside others",
      certificate: leafOf("spiffe://td.test/ns/a/sa/b", ["b.test"]),
      domain: "td.test",
    },
    { name: "the scheme in capitals", certificate: leafOf("SPIFFE://td.test/a"), domain: "td.test" },
    { name: "a comma in the path", certificate: leafOf("spiffe://td.test/a,b"), domain: "td.test" },
    { name: "another scheme", certificate: leafOf("https://td.test/a"), domain: undefined },
    { name: "no URI", certificate: leafOf(undefined, ["td.test"]), domain: undefined },
    {
      name: "a DNS name that looks like one",
      certificate: leafOf(undefined, ["a, URI:spiffe://td.test/a"]),
      domain: undefined,
    },
  ])("$name: $domain", ({ certificate, domain }) => {
    expect(domainOf(certificate)).toBe(domain);
  });

  it("is shown since 1.25", () => {
    expect(domainOf(leaf, 24)).toBeUndefined();
    expect(domainOf(leaf, 25)).toBe("cluster.local");
  });

  it("is shown only when every row has one", () => {
    const both = sectionOf({
      active: [entry("default", chainOf(leaf.pem)), entry("ROOTCA", rootOf(authority.root.pem))],
    });
    expect(view(both).header).not.toContain("TRUST DOMAIN");
    expect(view(sectionOf({})).header).not.toContain("TRUST DOMAIN");
  });
});

describe("a SPIFFE validator", () => {
  const validator = (...trust_domains: readonly Fields[]): Fields => ({
    validation_context: {
      custom_validator_config: {
        name: "envoy.tls.cert_validator.spiffe",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig",
          trust_domains,
        },
      },
    },
  });
  const domain = (name: string, pem = authority.root.pem): Fields => ({ name, trust_bundle: bytes(pem) });
  const two = validator(domain("a.test"), domain("b.test"));

  it("has a row for each trust domain", () => {
    const { header, rows, origins } = view(sectionOf({ active: [entry("ROOTCA", two)] }));
    expect(header.at(-1)).toBe("TRUST DOMAIN");
    expect(rows.map((row) => [row[0], row[1], row[7]])).toEqual([
      ["ROOTCA", "CA", "a.test"],
      ["ROOTCA", "CA", "b.test"],
    ]);
    expect(origins[1]!.pointer).toMatch(
      /\/secret\/validation_context\/custom_validator_config\/typed_config\/trust_domains\/1$/,
    );
  });

  it("has a trust domain only with a bundle that can be read", () => {
    const { header, rows } = view(
      sectionOf({ active: [entry("ROOTCA", validator(domain("a.test"), domain("b.test", "none")))] }),
    );
    expect(header).not.toContain("TRUST DOMAIN");
    expect(rows[1]).toEqual(["ROOTCA", "", "ACTIVE", "false", "", "", ""]);
  });

  it("was not read before 1.25", () => {
    expect(cellsOf(two, { istioctl: 24 })["TYPE"]).toBe("");
  });

  it("yields to a trusted CA beside it", () => {
    const context = { ...(two["validation_context"] as object), trusted_ca: bytes(authority.root.pem) };
    expect(view(sectionOf({ active: [entry("ROOTCA", { validation_context: context })] })).rows).toHaveLength(
      1,
    );
  });

  it("without trust domains has no row", () => {
    const shown = view(sectionOf({ active: [entry("ROOTCA", validator())] }));
    expect(shown).toMatchObject({ rows: [], note: "No secret items to show." });
  });
});

describe("the content of old releases", () => {
  it("v2 types in JSON's spelling", () => {
    const secret = {
      "@type": "type.googleapis.com/envoy.api.v2.auth.Secret",
      name: "default",
      tlsCertificate: { certificateChain: { inlineBytes: base64(leaf.pem) } },
    };
    const section = valueOf(
      readDump([
        {
          "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump",
          dynamicActiveSecrets: [{ name: "default", versionInfo: "1", secret }],
        },
      ]).sections.secret,
    );
    expect(view(section, { istioctl: 6 }).rows[0]![1]).toBe("Cert Chain");
    expect(view(section).json).toEqual({
      dynamicActiveSecrets: [{ name: "default", versionInfo: "1", secret }],
    });
  });
});

describe("JSON", () => {
  it("is the message of the section", () => {
    const section = sectionOf({
      active: [entry("a", rootOf("x"))],
      warming: [entry("w", {}, { version_info: "" })],
      statics: [entry("s", {}, { last_updated: undefined })],
    });
    const type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
    expect(view(section).json).toEqual({
      staticSecrets: [{ name: "s", versionInfo: "v1", secret: { "@type": type, name: "s" } }],
      dynamicActiveSecrets: [
        {
          name: "a",
          versionInfo: "v1",
          lastUpdated: "2026-03-01T00:00:01.500Z",
          secret: {
            "@type": type,
            name: "a",
            validationContext: { trustedCa: { inlineBytes: base64("x") } },
          },
        },
      ],
      dynamicWarmingSecrets: [
        { name: "w", lastUpdated: "2026-03-01T00:00:01.500Z", secret: { "@type": type, name: "w" } },
      ],
    });
  });

  it("leaves empty lists out", () => {
    expect(view(sectionOf({})).json).toEqual({});
  });
});

it("shows the certificates of a generated mesh, valid at its capture", () => {
  const mesh = buildMesh();
  for (const proxy of mesh.proxies) {
    const dump = envoyDump(proxy, false);
    const section = valueOf(readDump(dump["configs"] as unknown[]).sections.secret);
    const { rows, origins } = view(section, { at: mesh.options.epoch });
    expect(rows.map((row) => row[0])).toContain("ROOTCA");
    for (const [index, row] of rows.entries()) {
      expect(row[1]).toBe(row[0] === "ROOTCA" ? "CA" : "Cert Chain");
      expect(row[3]).toBe("true");
      expect(valueAt(dump, origins[index]!.pointer)).toHaveProperty("@type");
    }
  }
});
