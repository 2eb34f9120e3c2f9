/**
 * Leaves beside the bundled analyzer what V8 compiled of it, so that a run need not compile. It holds the functions that a
 * trace needed: more of them cost every run more than they spare. The arguments are the program, and where to write.
 */
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { Script } from "node:vm";
import { createGunzip } from "node:zlib";

import { extract } from "tar-stream";

/** What bin/program.js loads. */
interface Program {
  readonly script: Script;
  readonly fingerprint: string;
  readonly main: (args: readonly string[]) => Promise<void>;
}

const sample = "samples/bookinfo-healthy.tar.gz";

const [, , name, path] = process.argv;
if (name === undefined || path === undefined) throw new Error("usage: program-cache <program> <file>");
const folder = mkdtempSync(join(tmpdir(), "istio-snapshot-program-"));
setFlagsFromString("--no-flush-bytecode"); // else V8 forgets what has not run for a while
try {
  const { load } = createRequire(import.meta.url)("../../bin/program.js") as {
    readonly load: (args: readonly string[]) => Program;
  };
  const { script, fingerprint, main } = load([name]);
  for (const input of name === "trace"
    ? [await dumpOf("productpage")]
    : [sample, await dumpOf("productpage")])
    await main(["trace", "http://reviews:9080/", "--from", "productpage", "-f", input]);
  if (process.exitCode !== 0) throw new Error("the trace failed");
  setFlagsFromString("--flush-bytecode"); // a cache is good only for a run with the same flags
  writeFileSync(path, Buffer.concat([script.createCachedData(), Buffer.from(fingerprint)]));
} finally {
  rmSync(folder, { recursive: true });
}

/** The config dump of a pod of the sample, as a file of its own. */
async function dumpOf(pod: string): Promise<string> {
  const entries = createReadStream(sample).pipe(createGunzip()).pipe(extract());
  for await (const entry of entries) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry as AsyncIterable<Uint8Array>) chunks.push(chunk);
    if (!entry.header.name.includes(`/${pod}-`) || !entry.header.name.includes("/config_dump")) continue;
    const dump = join(folder, "config_dump.json");
    writeFileSync(dump, Buffer.concat(chunks));
    return dump;
  }
  throw new Error(`${sample} has no ${pod}`);
}
