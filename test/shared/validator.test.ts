import { describe, expect, it } from "vitest";

import { BundleFormatError } from "../../src/shared/errors.js";
import { validator } from "../../src/shared/validator.js";

describe("a validator", () => {
  const validate = validator<{ readonly proxy: string }>("syncz");

  it("gives back what it accepts, with the fields that it does not know", () => {
    const row = { proxy: "a.default", field_of_a_later_release: 1 };
    expect(validate(row, "syncz")).toBe(row);
  });

  it.each([
    { value: {}, pointer: "", says: "syncz: must have required property 'proxy'" },
    { value: { proxy: 1 }, pointer: "", says: "syncz: /proxy must be string" },
    { value: { proxy: 1 }, pointer: "/7", says: "syncz: /7/proxy must be string" },
    { value: null, pointer: "/7", says: "syncz: /7 must be object" },
  ])("names entry and field of what it does not: $says", ({ value, pointer, says }) => {
    expect(() => validate(value, "syncz", pointer)).toThrow(BundleFormatError);
    expect(() => validate(value, "syncz", pointer)).toThrow(says);
  });

  it("lists the words that are allowed", () => {
    const manifest = {
      formatVersion: 1,
      program: { name: "a", version: "1" },
      cluster: "",
      start: "2026-03-14T09:30:00Z",
      end: "2026-03-14T09:30:00Z",
      targets: [],
      files: [],
      failures: [],
      redaction: { profile: "secret", rules: [] },
    };
    expect(() => validator("manifest")(manifest, "manifest.json")).toThrow(
      /^manifest\.json: \/redaction\/profile must be .*: internal, support, public, none$/,
    );
  });
});
