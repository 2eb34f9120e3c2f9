import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isKept, isProse } from "../../src/redact/vocabulary.js";
import { aPseudonyms, aSalt } from "./readable-tokens.js";

const letters = "abcdefghijklmnopqrstuvwxyz".split("");
/** What nobody but the owner of a mesh calls something. */
const word = fc
  .array(fc.constantFrom(...letters, ..."0123456789-".split("")), { minLength: 1, maxLength: 20 })
  .map((characters) => `q${characters.join("")}z`)
  .filter((name) => !isKept(name) && !isProse(name) && !name.includes("--"));
const host = fc.array(word, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
const separator = fc.constantFrom(..."|/:.,;=~@[]{}()\"' \t\n*?&%+$_\\‹›é".split(""), "::", "://", "._");
const text = fc
  .array(
    fc.oneof(word, separator, fc.constantFrom("outbound", "9080", "svc.cluster.local", "v1", "10.1.2.3")),
  )
  .map((parts) => parts.join(""));

const profiles = ["support", "public"] as const;
const publicNames = aPseudonyms("public");
const value = (input: string): string => publicNames.value(input, "name");

describe("names", () => {
  it("none is left under public, whatever stands between them", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(word, separator), { minLength: 1, maxLength: 8 }), (parts) => {
        const left = new Set(value(parts.flat().join("")).split(/[^a-z0-9-]+/));
        expect(parts.filter(([name]) => left.has(name))).toEqual([]);
      }),
    );
  });

  it("are equal afterwards where they were before, and only there", () => {
    fc.assert(
      fc.property(word, word, (left, right) => {
        expect(value(left) === value(right)).toBe(left === right);
        expect(value(left.toUpperCase())).toBe(value(left));
      }),
    );
  });

  it("are others under another salt", () => {
    const other = aPseudonyms("public", { salt: aSalt(8) });
    fc.assert(
      fc.property(word, (name) => {
        expect(other.value(name, "name")).not.toBe(value(name));
      }),
    );
  });

  it("are the same wherever they stand", () => {
    fc.assert(
      fc.property(word, word, (namespace, pod) => {
        const [ns, name] = [value(namespace), value(pod)];
        expect(value(`${pod}.${namespace}`)).toBe(`${name}.${ns}`);
        expect(value(`spiffe://cluster.local/ns/${namespace}/sa/${pod}`)).toBe(
          `spiffe://cluster.local/ns/${ns}/sa/${name}`,
        );
        expect(publicNames.key(`${pod}.${namespace}`)).toBe(`${name}.${ns}`);
        expect(publicNames.name(`proxies/${namespace}/${pod}/certs`)).toBe(`proxies/${ns}/${name}/certs`);
      }),
    );
  });
});

describe.each(profiles)("a token of %s", (profile) => {
  it("is not replaced again, in this bundle or the next", () => {
    const first = aPseudonyms(profile);
    const next = aPseudonyms("public", { salt: aSalt(9) });
    fc.assert(
      fc.property(
        fc.oneof(host, word),
        fc.constantFrom("", "outbound|80|v1|", "https://", "*."),
        (name, before) => {
          const once = first.value(before + name, "hosts");
          expect(first.value(once, "hosts")).toBe(once);
          expect(first.key(once)).toBe(once);
          if (profile === "public") expect(next.value(once, "hosts")).toBe(once);
        },
      ),
    );
  });
});

describe("hosts", () => {
  it.each(profiles)("end in one another as before: %s", (profile) => {
    const names = aPseudonyms(profile);
    const replaced = (input: string): string => names.value(input, "domains");
    fc.assert(
      fc.property(
        fc.oneof(
          host,
          host.map((name) => `${name}.qa.z`),
        ),
        host,
        fc.boolean(),
        (left, right, below) => {
          const inner = below ? `${left}.${right}` : left;
          // a single label is inside the mesh for all that support can know
          fc.pre(profile === "public" || right.includes("."));
          expect(replaced(inner).endsWith(`.${replaced(right)}`)).toBe(inner.endsWith(`.${right}`));
          expect(replaced(`*.${right}`)).toBe(`*.${replaced(right)}`);
        },
      ),
    );
  });

  it.each(profiles)("keep port, subset and direction around them: %s", (profile) => {
    const names = aPseudonyms(profile);
    fc.assert(
      fc.property(host, fc.nat(65_535), fc.constantFrom("outbound", "inbound"), (name, port, direction) => {
        const full = `${name}.example.com`;
        const token = names.value(full, "hosts");
        expect(names.value(`${direction}|${port}|v1|${full}`, "name")).toBe(
          `${direction}|${port}|v1|${token}`,
        );
        expect(names.value(`${direction}_.${port}_.v1_.${full}`, "sni")).toBe(
          `${direction}_.${port}_.v1_.${token}`,
        );
        expect(names.value(`${full}:${port}`, "domains")).toBe(`${token}:${port}`);
      }),
    );
  });
});

describe("any string", () => {
  it.each(profiles)("is gone through without fail, and alike each time: %s", (profile) => {
    const [one, two] = [aPseudonyms(profile), aPseudonyms(profile)];
    fc.assert(
      fc.property(
        fc.oneof(text, fc.string({ unit: "binary", maxLength: 200 })),
        fc.string(),
        (input, key) => {
          const replaced = one.value(input, key);
          expect(one.value(input, key)).toBe(replaced);
          expect(two.value(input, key)).toBe(replaced);
          expect(one.name(input)).toBe(two.name(input));
          expect(one.key(input)).toBe(two.key(input));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("keeps what stands between the words", () => {
    const separators = (input: string): string => input.replace(/[\p{L}\p{N}\p{M}-]+/gu, "");
    fc.assert(
      fc.property(text, (input) => {
        // an address may be written otherwise
        fc.pre(!input.includes("10.1.2.3") && !input.includes("::") && input.split(":").length < 7);
        expect(separators(value(input))).toBe(separators(input));
      }),
    );
  });
});
