"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");
const { Script } = require("node:vm");

const folder = join(__dirname, "../dist/program");
/** Characters of the fingerprint, a SHA-256, that the program and its cache end with. */
const fingerprintLength = 64;

/**
 * Loads the analyzer that `npm run build` bundled, or the part of it that traces, with what V8 compiled of it then. V8
 * refuses what another version of it made, and compiles anew; but it knows a program by its length alone, so the
 * fingerprint must be the same.
 */
exports.load = (args) => {
  const name = args[0] === "trace" ? "trace" : "istio-snapshot";
  const filename = join(folder, `${name}.js`);
  const source = readFileSync(filename, "latin1");
  const fingerprint = source.slice(-fingerprintLength);
  const script = new Script(source, { filename, cachedData: compiled(name, fingerprint) });
  const { main } = script.runInThisContext()(require, pathToFileURL(filename).href);
  return { script, fingerprint, main };
};

function compiled(name, fingerprint) {
  try {
    const cache = readFileSync(join(folder, `${name}.cache`));
    const end = cache.length - fingerprintLength;
    return cache.latin1Slice(end) === fingerprint ? cache.subarray(0, end) : undefined;
  } catch {
    return undefined; // only slower without
  }
}
