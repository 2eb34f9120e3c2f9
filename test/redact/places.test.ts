import { describe, expect, it } from "vitest";

import {
  anywhere,
  dataKeys,
  everything,
  KeyName,
  memberPlace,
  membersOf,
  placeOf,
  plain,
  secretValue,
  url,
  type Place,
} from "../../src/redact/places.js";

const field = placeOf();
const fields = new Map([["known_field", field]]);
const key = (name: string): KeyName => new KeyName(name, fields);
const rule = (place: Place): string | null => (place.strings.kind === "replace" ? place.strings.rule : null);

describe("a member's name", () => {
  it("leads to the field's place in every spelling", () => {
    for (const name of ["known_field", "knownField", "KNOWN-FIELD"]) expect(key(name).place).toBe(field);
  });

  it("tells a secret, a URL, or nothing", () => {
    expect(rule(key("apiToken").place)).toBe("secret");
    expect(key("jwks_uri").place).toBe(url);
    expect(key("cluster").place).toBe(anywhere);
  });

  it("that is a host or a path tells of strings, not of objects", () => {
    const place = key("token-service.default.svc").place;
    expect(rule(place)).toBe("secret");
    expect(rule(memberPlace(place, key("mode")))).toBeNull();
    expect(rule(memberPlace(key("token").place, key("mode")))).toBe("secret");
  });

  it("that is a type's tells nothing", () => {
    expect(key("type.googleapis.com/envoy.Secret").place).toBe(anywhere);
  });
});

describe("the place of a member", () => {
  it("is what the object's place says, else what the name says", () => {
    const place = placeOf({ members: membersOf({ password: plain }) });
    expect(memberPlace(place, key("password"))).toBe(plain);
    expect(memberPlace(place, key("knownField"))).toBe(field);
  });

  it("may be decided by the true name", () => {
    const place = placeOf({ byName: ({ text }) => (text === "A" ? plain : null) });
    expect(memberPlace(place, key("A"))).toBe(plain);
    expect(memberPlace(place, key("a"))).toBe(anywhere);
  });

  it("is the same all the way down where everything goes, but for types", () => {
    const place = everything("code");
    expect(memberPlace(place, key("knownField"))).toBe(place);
    expect(memberPlace(place, key("@type"))).toBe(plain);
    expect(everything("code")).toBe(place);
  });

  it("keeps where a secret comes from", () => {
    const place = secretValue("secret");
    expect(memberPlace(place, key("filename"))).toBe(anywhere);
    expect(memberPlace(place, key("inlineString"))).toBe(place);
  });

  it("of a map of things depends on secrets for strings alone", () => {
    expect(rule(memberPlace(dataKeys, key("require-token")))).toBe("secret");
    expect(memberPlace(memberPlace(dataKeys, key("require-token")), key("mode"))).toBe(anywhere);
    expect(memberPlace(dataKeys, key("reviews"))).toBe(anywhere);
  });
});
