/** What a bundled program does to start fast: it loads packages and parts of Node.js when it first uses them. */
import { readFileSync } from "node:fs";

import type { Plugin } from "esbuild";

/** What takes milliseconds to load, and most runs do without. */
const late = ["re2js", "yaml", "node:crypto", "node:zlib"];

/** What yargs asks of packages at every start, answered without them as long as the answer is simple. */
const shortcuts: Readonly<Record<string, string>> = {
  // its regular expressions and its segmenter take 25 ms to make
  "string-width": `export default (text, options) =>
    typeof text === "string" && /^[\\x20-\\x7e]*$/.test(text) ? text.length : require("string-width").default(text, options);`,
  // yargs would search for a package.json from where its user stands; it reads no more of it than the version
  "escalade/sync": `import { fileURLToPath } from "node:url";
    export default () => fileURLToPath(new URL("../../package.json", import.meta.url));`,
  assert: `export const strictEqual = (a, b, message) => { if (!Object.is(a, b)) require("assert").strictEqual(a, b, message); };
    export const notStrictEqual = (a, b, message) => { if (Object.is(a, b)) require("assert").notStrictEqual(a, b, message); };`,
};

/** Whether what esbuild names among its inputs is a file, and no stand-in. */
export const isFile = (input: string): boolean => !input.startsWith("late:");

export const lateLoading: Plugin = {
  name: "late-loading",
  setup(build) {
    const packages = [...late, ...Object.keys(shortcuts)];
    build.onResolve({ filter: new RegExp(`^(?:${packages.join("|")})$`) }, (asked) => {
      if (asked.namespace === "late") return undefined; // the stand-in asks for the package itself
      const { path, importer, resolveDir } = asked;
      return { path: `${path} for ${importer}`, namespace: "late", pluginData: { path, resolveDir } };
    });
    build.onLoad({ filter: /[\\/]yargs[\\/]build[\\/]lib[\\/]command\.js$/ }, ({ path }) => ({
      contents: withoutHelp(readFileSync(path, "utf8")),
    }));
    build.onLoad({ filter: /^/, namespace: "late" }, async ({ pluginData }) => {
      const { path, resolveDir } = pluginData as { readonly path: string; readonly resolveDir: string };
      return { contents: shortcuts[path] ?? (await standIn(path)), resolveDir };
    });
  },
};

/** A module with the same exports, each of which loads the package when it is first read. */
async function standIn(name: string): Promise<string> {
  const quoted = JSON.stringify(name);
  const getters = Object.keys((await import(name)) as object)
    .filter((key) => key !== "default")
    .map((key) => JSON.stringify(key))
    .map((key) => `get [${key}]() { return require(${quoted})[${key}]; }`);
  return `module.exports = { ${getters.join(", ")} };`;
}

/** yargs lays out the help of every command that it runs, should it fail; what we print of a failure is one line. */
function withoutHelp(commands: string): string {
  const statement = "yargs.getInternalMethods().getUsageInstance().cacheHelpMessage();";
  if (!commands.includes(statement)) throw new Error(`yargs has changed: it has no "${statement}"`);
  return commands.replace(statement, "");
}
