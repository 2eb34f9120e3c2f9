import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { currentContext } from "../../src/collect/kube-context.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "istio-snapshot-kubeconfig-"));
  const configs: Readonly<Record<string, string>> = {
    prod: "apiVersion: v1\nkind: Config\ncurrent-context: prod\nusers: [{name: jane, user: {token: s3cret}}]\n",
    json: '{"current-context": "from-json"}',
    none: "apiVersion: v1\nkind: Config\ncontexts: []\n",
    empty: "",
    unset: 'current-context: ""\n',
    number: "current-context: 5\n",
    list: "- current-context: prod\n",
    broken: "current-context: [\n",
    twice: "current-context: a\ncurrent-context: b\n",
    tag: "current-context: !odd tagged\n",
    bomb: `a0: &a0 [x,x]\n${Array.from({ length: 40 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n},*a${n}]\n`).join("")}current-context: bomb\n`,
  };
  for (const [name, text] of Object.entries(configs)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const paths = (...names: string[]): string => names.map((name) => join(folder, name)).join(delimiter);

describe("the context that kubectl will use", () => {
  it.each([
    { names: ["prod"], context: "prod", because: "its file says so" },
    { names: ["json"], context: "from-json", because: "JSON is YAML" },
    { names: ["none", "prod"], context: "prod", because: "the first file that names one decides" },
    { names: ["json", "prod"], context: "from-json", because: "the first file that names one decides" },
    { names: ["unset", "prod"], context: "prod", because: "an empty name is none" },
    { names: ["missing", "prod"], context: "prod", because: "a file that is not there is passed over" },
    {
      names: ["broken", "prod"],
      context: "prod",
      because: "one that is no YAML is kubectl's to complain about",
    },
    { names: ["missing"], context: "", because: "nothing names one" },
    { names: ["empty"], context: "", because: "nothing names one" },
    { names: ["number"], context: "", because: "a name is a text" },
    { names: ["list"], context: "", because: "a list has no context" },
    { names: ["twice"], context: "", because: "two are no answer" },
    { names: ["bomb"], context: "", because: "aliases of aliases are not followed" },
  ])("is $context of KUBECONFIG=$names: $because", async ({ names, context }) => {
    expect(await currentContext(null, { KUBECONFIG: paths(...names) })).toBe(context);
  });

  it("is that of --kubeconfig alone, where it is given", async () => {
    expect(await currentContext(join(folder, "json"), { KUBECONFIG: paths("prod") })).toBe("from-json");
    expect(await currentContext(join(folder, "none"), { KUBECONFIG: paths("prod") })).toBe("");
  });

  it("is that of the home folder, where nothing else is named", async () => {
    vi.stubEnv("HOME", join(folder, "home"));
    expect(await currentContext(null, { KUBECONFIG: "" })).toBe("");
    vi.unstubAllEnvs();
  });

  it("is found without a warning on the terminal", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    expect(await currentContext(null, { KUBECONFIG: paths("tag") })).toBe("tagged");
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });
});
