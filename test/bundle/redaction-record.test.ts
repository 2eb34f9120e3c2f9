import { describe, expect, it } from "vitest";

import {
  isStricter,
  mergedRecord,
  parseRedactionRecord,
  type RedactionRecord,
} from "../../src/bundle/redaction-record.js";
import { bytesOf } from "../support/builders.js";

const aRecord = (fields: Partial<RedactionRecord> = {}): RedactionRecord => ({
  profile: "support",
  rules: [],
  ...fields,
});

describe("the record of a redaction", () => {
  it("is read with what it says beyond our fields", () => {
    const record = { profile: "public", rules: [{ rule: "name", count: 3, files: 2 }], later: true };
    expect(parseRedactionRecord(bytesOf(record), "r.json")).toEqual(record);
  });

  it.each([
    { what: "no JSON", content: "gone", says: /^r\.json: is not JSON/ },
    {
      what: "another profile",
      content: '{"profile":"all","rules":[]}',
      says: /\/profile must be .*: internal, support/,
    },
    { what: "no rules", content: '{"profile":"public"}', says: /must have required property 'rules'/ },
    {
      what: "a count below 0",
      content: '{"profile":"public","rules":[{"rule":"a","count":-1,"files":0}]}',
      says: /\/rules\/0\/count must be >= 0/,
    },
    { what: "two values", content: '{"profile":"public","rules":[]} {}', says: /more than one JSON value/ },
  ])("is none with $what", ({ content, says }) => {
    expect(() => parseRedactionRecord(bytesOf(content), "r.json")).toThrow(says);
  });
});

describe("two redactions, one after the other", () => {
  it.each([
    { before: "none", now: "internal", both: "internal" },
    { before: "internal", now: "support", both: "support" },
    { before: "public", now: "support", both: "public" },
    { before: "support", now: "support", both: "support" },
  ] as const)("of $before and $now are one of $both", ({ before, now, both }) => {
    expect(mergedRecord(aRecord({ profile: before }), aRecord({ profile: now }), 1).profile).toBe(both);
    expect(isStricter(aRecord({ profile: before }), now)).toBe(before === "public");
  });

  it("add their counts, but name no more files than there are", () => {
    const rules = [{ rule: "secret", count: 2, files: 3 }];
    expect(mergedRecord(aRecord({ rules }), aRecord({ rules }), 4).rules).toEqual([
      { rule: "secret", count: 4, files: 4 },
    ]);
    expect(mergedRecord(aRecord({ rules }), aRecord({ rules }), 10).rules).toEqual([
      { rule: "secret", count: 4, files: 6 },
    ]);
  });

  it("kept what the stricter one kept", () => {
    const internal = aRecord({ profile: "internal", kept: [{ what: "certificates", why: "internal" }] });
    const support = aRecord({ kept: [{ what: "ports", why: "needed" }] });
    expect(mergedRecord(internal, support, 1).kept).toEqual(support.kept);
    expect(mergedRecord(support, internal, 1).kept).toEqual(support.kept);
  });

  it("say once where neither could look, and list all that was let pass or lost", () => {
    const finding = { file: "a", rule: "JSON web token", fingerprint: "0123456789abcdef" };
    const one = aRecord({
      notCovered: ["logs", "events"],
      allowedFindings: [finding],
      leftOut: [{ file: "a", reason: "is binary" }],
    });
    const two = aRecord({ notCovered: ["logs"], leftOut: [{ file: "", reason: "is cut off" }] });
    expect(mergedRecord(one, two, 1)).toMatchObject({
      notCovered: ["logs", "events"],
      allowedFindings: [finding],
      leftOut: [
        { file: "a", reason: "is binary" },
        { file: "", reason: "is cut off" },
      ],
    });
  });

  it("are the second alone where there was no first", () => {
    const now = aRecord({ rules: [{ rule: "secret", count: 1, files: 1 }] });
    expect(mergedRecord(null, now, 1)).toBe(now);
  });
});
