import { describe, expect, it } from "vitest";

import { ProblemList } from "../../../src/shared/problem.js";
import type { CertificateSummary } from "../../../src/shared/certificate-summary.js";
import { parseCertificates } from "../../../src/snapshot/parse/certificates.js";

const summary: CertificateSummary = {
  subject: "",
  issuer: "O=cluster.local",
  serial: "1f2e",
  notBefore: "2026-03-01T00:00:00Z",
  notAfter: "2026-03-02T00:00:00Z",
  sans: ["URI:spiffe://cluster.local/ns/default/sa/a"],
  sha256: "0".repeat(64),
  isCa: false,
};

function parsed(json: unknown): { certificates: Record<string, CertificateSummary>; problems: string[] } {
  const problems = new ProblemList();
  const certificates = Object.fromEntries(parseCertificates(json, "certificates.json", problems));
  return { certificates, problems: problems.all.map(({ pointer, message }) => `${pointer} ${message}`) };
}

describe("certificates.json", () => {
  it("is read by token", () => {
    expect(parsed({ "token-a": summary })).toEqual({ certificates: { "token-a": summary }, problems: [] });
  });

  it("is empty where it has none", () => {
    expect(parsed({})).toEqual({ certificates: {}, problems: [] });
  });

  it.each<{ what: string; bad: unknown; says: string }>([
    { what: "that is no object", bad: "x", says: "/bad must be object" },
    {
      what: "without a serial number",
      bad: { ...summary, serial: undefined },
      says: "/bad must have required property 'serial'",
    },
    {
      what: "whose serial number is no number",
      bad: { ...summary, serial: "0x1" },
      says: "/bad/serial must match pattern",
    },
    {
      what: "that was never valid",
      bad: { ...summary, notAfter: "soon" },
      says: "/bad/notAfter must match pattern",
    },
    { what: "whose names are one text", bad: { ...summary, sans: "DNS:a" }, says: "/bad/sans must be array" },
  ])("loses a summary $what, and that one alone", ({ bad, says }) => {
    const { certificates, problems } = parsed(JSON.parse(JSON.stringify({ bad, good: summary })));
    expect(certificates).toEqual({ good: summary });
    expect(problems).toEqual([expect.stringContaining(says)]);
  });

  it("takes a token that is called as a property of every object", () => {
    const json = JSON.parse(`{"__proto__": ${JSON.stringify(summary)}}`) as unknown;
    const problems = new ProblemList();
    expect([...parseCertificates(json, "c", problems).keys()]).toEqual(["__proto__"]);
  });

  it.each([null, [], "x", 1])("is none where it is %j", (json) => {
    expect(() => parsed(json)).toThrow("certificates.json: must be object");
  });
});
