import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";

import { YamlWalker } from "../../src/redact/yaml-walk.js";
import { aRedactor, base64, redacted, someStrings } from "./redacting.js";

const walker = new YamlWalker(someStrings());
const shown = (text: string): string => text.replace(/‹redacted:[^›]+›/g, "#");
const left = (text: string): string => shown(walker.redact(text).text);

describe("changes are made in the text", () => {
  it.each([
    ["plain", "password: hunter2 # note\nport: 80\n", 'password: "#" # note\nport: 80\n'],
    ["in quotes", `password: 'hunter2'\nb: "x"\n`, `password: "#"\nb: "x"\n`],
    [
      "in a block",
      "a:\n  password: |\n    hunter2\n    more\n  port: 80\n",
      'a:\n  password: "#"\n  port: 80\n',
    ],
    ["folded", "password: >-\n  hunter2\n  more\nport: 80\n", 'password: "#"\nport: 80\n'],
    ["in flow form", "{password: hunter2, port: 80}\n", '{password: "#", port: 80}\n'],
    ["a number", "password: 12345\nport: 80\n", "password: 0\nport: 80\n"],
    ["at an anchor", "a: &x\n  password: hunter2\nb: *x\n", 'a: &x\n  password: "#"\nb: *x\n'],
    ["a sequence", "tokens:\n- hunter2\n- x\nport: 80\n", 'tokens:\n- "#"\n- "#"\nport: 80\n'],
    ["arguments", "args: [--password, hunter2, --port, '80']\n", `args: [--password, "#", --port, '80']\n`],
    ["a named value", "- value: hunter2\n  name: DB_PASSWORD\n", '- value: "#"\n  name: DB_PASSWORD\n'],
    ["a comment", "# password=hunter2\na: 1\n", "# password=#\na: 1\n"],
    ["who changed it", "managedFields:\n- manager: x\n  time: y\nname: a\n", "managedFields: []\nname: a\n"],
    [
      "who changed it, indented",
      "m:\n  managedFields:\n  - manager: x\n  name: a\n",
      "m:\n  managedFields: []\n  name: a\n",
    ],
    ["JSON in a string", `a: '{"password":"hunter2"}'\n`, 'a: "{\\"password\\":\\"#\\"}"\n'],
  ])("%s", (_, text, expected) => {
    const json = someJson(text);
    expect(json).toBe(expected);
    expect(() => parse(json) as unknown).not.toThrow();
  });

  it("and nothing else is changed", () => {
    const text = stringify({
      apiVersion: "v1",
      items: [{ kind: "Pod", spec: { a: [1, true, null, "x"] } }],
      kind: "List",
    });
    expect(walker.redact(`# a comment\n${text}`)).toEqual({
      text: `# a comment\n${text}`,
      rules: [],
      lostItems: 0,
    });
  });
});

/** With JSON in strings walked, as the redactor does. */
const someJson = (text: string): string => shown(redacted("a.yaml", text));

describe("lists of any length", () => {
  const secret = (name: string): object => ({
    apiVersion: "v1",
    data: { key: base64("hunter2") },
    kind: "Secret",
    metadata: { name, managedFields: [{ manager: "x" }] },
  });

  it("are walked item by item", () => {
    const items = Array.from({ length: 50 }, (_, index) => secret(`s${index}`));
    const text = walker.redact(
      stringify({ apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } }),
    ).text;
    expect(text).not.toContain(base64("hunter2"));
    const list = parse(text) as { items: { metadata: unknown }[]; kind: string };
    expect(list.items.map(({ metadata }) => metadata)).toEqual(
      items.map((_, index) => ({ name: `s${index}`, managedFields: [] })),
    );
    expect(list.kind).toBe("List");
  });

  it("may be several documents, or bare items", () => {
    const documents = `---\n${stringify(secret("a"))}---\n${stringify(secret("b"))}`;
    expect(parseAllDocuments(walker.redact(documents).text)).toHaveLength(2);
    expect(walker.redact(documents).rules).toHaveLength(4);
    expect(walker.redact(stringify([secret("a"), secret("b")])).rules).toHaveLength(4);
  });

  it("of other kinds stay in their object", () => {
    const object = { kind: "ServiceAccount", secrets: [{ name: "a" }], webhooks: [{ name: "b" }], zData: 1 };
    expect(walker.redact(stringify(object)).text).toBe(stringify(object));
  });

  it("lose an item that cannot be read, and no other", () => {
    const text = `apiVersion: v1\nitems:\n- kind: Secret\n  data: {a: hunter2\n- kind: Pod\n  name: b\nkind: List\n`;
    const { text: kept, lostItems, rules } = walker.redact(text);
    expect(kept).not.toContain("hunter2");
    expect(parse(kept)).toEqual({ apiVersion: "v1", items: [{ kind: "Pod", name: "b" }], kind: "List" });
    expect({ lostItems, rules }).toEqual({ lostItems: 1, rules: ["Kubernetes object"] });
  });
});

describe("hostile documents", () => {
  it("of aliases are not unfolded", () => {
    const bomb = [
      "a: &a [x]",
      ..."bcdefghij"
        .split("")
        .map((name, index) => `${name}: &${name} [${`*${"abcdefghi"[index] ?? ""},`.repeat(9)}]`),
    ];
    expect(left(`${bomb.join("\n")}\npassword: hunter2\n`)).toContain('password: "#"');
  });

  it.each([
    ["nesting", `a: ${"[".repeat(20_000)}`],
    ["closed nesting", `a: ${"[".repeat(20_000)}hunter2${"]".repeat(20_000)}`],
    ["tabs", "a:\n\t- b"],
    ["unclosed quotes", 'password: "hunter2'],
    ["doubled keys", "password: hunter2\npassword: hunter2\n"],
    ["complex keys", "? {password: hunter2}\n: x\n"],
    ["unknown tags", "password: !vault hunter2\n"],
    ["binary", "password: !!binary aHVudGVyMg==\n"],
    ["secret keys", "? Bearer abcdefghij1\n: x\n"],
  ])("of %s leak nothing", (_, text) => {
    const kept = walker.redact(text).text;
    expect(kept).not.toContain("hunter2");
    expect(kept).not.toContain("aHVudGVyMg");
    expect(kept).not.toContain("abcdefghij1");
  });

  it("have many keys at no cost", () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `k${index}: v`).join("\n");
    expect(left(text)).toBe(text);
  });
});

describe("files", () => {
  it("say what could not be read", () => {
    const redactor = aRedactor();
    redacted("cluster/k8s-resources", "apiVersion: v1\nitems:\n- {a\nkind: List\n", redactor);
    expect(redactor.notCovered).toEqual(["YAML that could not be read, left out of cluster/k8s-resources"]);
  });

  it("may be a table, or JSON", () => {
    expect(redacted("cluster/secrets", "NAMESPACE NAME\ndefault   a\n")).toBe(
      "NAMESPACE NAME\ndefault   a\n",
    );
    expect(redacted("cluster/secrets", '{"kind":"Secret","data":{"a":"aHVudGVyMg=="}}')).not.toContain(
      "aHVudGVyMg",
    );
  });
});

it("a document in a string is one only if it is a mapping", () => {
  expect(walker.document("a: 1")).toEqual({ text: "a: 1", rules: [] });
  expect(walker.document("just a text")).toBeNull();
  expect(walker.document("{")).toBeNull();
});
