import { describe, expect, it } from "vitest";

import { configMapData, secretData, secretMetadata } from "../../src/redact/kubernetes-fields.js";
import {
  anywhere,
  KeyName,
  named,
  placeOf,
  plain,
  secretValue,
  type Place,
} from "../../src/redact/places.js";
import { asksSiblings, verdicts, type HeldMember } from "../../src/redact/siblings.js";

const members = (object: Readonly<Record<string, string | null>>): HeldMember[] =>
  Object.entries(object).map(([key, text]) => ({ key: new KeyName(key, new Map()), text }));

/** What becomes of which member. */
function judged(
  object: Readonly<Record<string, string | null>>,
  place: Place = anywhere,
  isWhole = true,
): Readonly<Record<string, string>> {
  const names = new Map<Place, string>([
    [plain, "plain"],
    [secretData, "data of a Secret"],
    [configMapData, "data of a ConfigMap"],
    [secretMetadata, "metadata of a Secret"],
  ]);
  return Object.fromEntries(
    verdicts(place, members(object), isWhole).map(({ member, place: truth }) => [
      member.key.text,
      names.get(truth) ?? (truth.strings.kind === "replace" ? truth.strings.rule : "?"),
    ]),
  );
}

describe("values beside a name", () => {
  it.each([
    ["a variable", { name: "DB_PASSWORD", value: "x" }, { value: "secret" }],
    ["a variable, the other way round", { value: "x", name: "DB_PASSWORD" }, { value: "secret" }],
    [
      "a matcher",
      { name: "x-token", string_match: null, exact_match: "x" },
      { string_match: "secret", exact_match: "secret" },
    ],
    [
      "two names, one of which says secret",
      { name: "a", key: "password", values: null },
      { values: "secret" },
    ],
    ["a harmless name", { name: "PORT", value: "x" }, {}],
    ["no name", { value: "x" }, {}],
    ["a name that is no text", { name: null, value: "x" }, {}],
    ["no value", { name: "DB_PASSWORD", kind: "x" }, {}],
  ])("%s", (_, object, expected) => expect(judged(object)).toEqual(expected));

  it("of an object that broke off may be anything", () => {
    expect(judged({ value: "x" }, anywhere, false)).toEqual({ value: "secret" });
    expect(judged({ value: "x", name: "PORT" }, anywhere, false)).toEqual({});
  });

  it("are kept where all names are harmless", () => {
    const place = placeOf({
      named: named({ isSecret: () => true, isHarmless: (name) => name === "source.ip" }),
    });
    expect(judged({ key: "source.ip", values: null }, place)).toEqual({ values: "plain" });
    expect(judged({ key: "request.headers[x]", values: null }, place)).toEqual({ values: "secret" });
  });
});

describe("data of Kubernetes", () => {
  it.each([
    [
      "Secret",
      { data: null, kind: "Secret", metadata: null },
      { data: "data of a Secret", metadata: "metadata of a Secret" },
    ],
    ["ConfigMap", { data: null, kind: "ConfigMap", metadata: null }, { data: "data of a ConfigMap" }],
    ["no kind", { data: null, metadata: null }, { data: "data of a Secret" }],
    ["another kind", { data: null, kind: "Other", metadata: null }, {}],
    ["no object of Kubernetes", { data: null }, {}],
    ["a Secret twice over", { data: null, kind: "Secret" }, { data: "data of a Secret" }],
  ])("%s", (_, object, expected) => expect(judged(object)).toEqual(expected));

  it("is that of a Secret where the kind was cut off", () => {
    expect(judged({ data: null }, anywhere, false)).toEqual({ data: "data of a Secret" });
  });
});

it("numbers of a web key go, its name stays", () => {
  expect(judged({ kty: "oct", k: "x", kid: "y" })).toEqual({ k: "secret" });
  expect(judged({ k: "x", d: "y" })).toEqual({});
});

it("the name of a secret that is fetched stays", () => {
  const place = secretValue("secret");
  expect(judged({ name: "a", sds_config: null }, place)).toEqual({ name: "plain" });
  expect(judged({ name: "a", inline_string: "b" }, place)).toEqual({});
  expect([asksSiblings(place), asksSiblings(anywhere), asksSiblings(plain)]).toEqual([true, true, false]);
});
