import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";

import { defaultLimits } from "../src/bundle/limits.js";
import { openBundle } from "../src/bundle/open.js";
import { bundle, tarGz } from "./support/pack.js";
import { sampleReport } from "./support/sample-report.js";
import { samples } from "./support/samples.js";

const url = (file: string): URL => new URL(`../samples/${file}`, import.meta.url);

/** Names and contents of an archive's entries, after inflating: zlib's own bytes differ between its releases. */
async function contents(source: string | Buffer): Promise<Map<string, string>> {
  const stdin = typeof source === "string" ? {} : { stdin: chunks(source) };
  const archive = await openBundle(typeof source === "string" ? source : "-", {
    limits: defaultLimits,
    seek: false,
    ...stdin,
  });
  const all = new Map<string, string>();
  for await (const entry of archive.entries(() => undefined)) {
    const { bytes } = await entry.read();
    all.set(entry.name, Buffer.from(bytes).toString("base64"));
  }
  await archive.close();
  return all;
}

// eslint-disable-next-line @typescript-eslint/require-await -- the shape of a stream
async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** A manifest names places in the compressed file, which depend on zlib's release. */
function withoutPlaces(all: Map<string, string>): Map<string, string> {
  const name = "istio-snapshot/manifest.json";
  const manifest = all.get(name);
  if (manifest === undefined) return all;
  const json = JSON.parse(Buffer.from(manifest, "base64").toString()) as { files: { member?: unknown }[] };
  for (const file of json.files) delete file.member;
  return new Map([...all, [name, JSON.stringify(json)]]);
}

describe.each(samples)("sample $name", ({ name, files, manifest }) => {
  it("is what the generator makes: npm run samples", async () => {
    const made = manifest === null ? await tarGz(files()) : await bundle(files(), manifest);
    expect(withoutPlaces(await contents(fileURLToPath(url(`${name}.tar.gz`))))).toEqual(
      withoutPlaces(await contents(made)),
    );
  });

  it("gives the report beside it, and that follows its schema", async () => {
    const report = await sampleReport(url(`${name}.tar.gz`));
    expect(JSON.parse(report)).toEqual(JSON.parse(readFileSync(url(`${name}.report.json`), "utf8")));
    const schema = JSON.parse(
      readFileSync(new URL("../schemas/report.schema.json", import.meta.url), "utf8"),
    ) as object;
    const validate = new Ajv({ allErrors: true }).compile(schema);
    validate(JSON.parse(report));
    expect(validate.errors).toBeNull();
  });
});

it("the samples are small enough to commit", () => {
  for (const { name } of samples) expect(readFileSync(url(`${name}.tar.gz`)).length).toBeLessThan(300_000);
});
