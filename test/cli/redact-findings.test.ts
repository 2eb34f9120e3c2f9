/** What the command does when the scan of the redacted files finds something; a redactor with a hole serves for that. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import type { Redactor, RedactorOptions, ScanFinding } from "../../src/redact/types.js";
import { aFolder } from "../support/builders.js";
import { smallBundle } from "../support/hostile.js";
import { inProcess } from "../support/in-process.js";
import { tarGz } from "../support/pack.js";

const leftovers: readonly ScanFinding[] = [
  {
    file: "proxies/a/b/certs",
    rule: "JSON web token",
    offset: 7,
    pointer: "",
    fingerprint: "00000000000000a1",
  },
  {
    file: "proxies/a/b/server_info",
    rule: "private key",
    offset: 99,
    pointer: "/x/0",
    fingerprint: "00000000000000b2",
  },
  {
    file: "proxies/a/c/server_info",
    rule: "private key",
    offset: 50,
    pointer: "/x/1",
    fingerprint: "00000000000000b2",
  },
];

vi.mock("../../src/redact/redactor.js", async (original) => {
  const { createRedactor } = await original<{ createRedactor: (options: RedactorOptions) => Redactor }>();
  return {
    createRedactor: (options: RedactorOptions): Redactor => {
      const redactor = createRedactor(options);
      const isAllowed = ({ fingerprint }: ScanFinding): boolean =>
        options.allowedFindings?.has(fingerprint) === true;
      Object.defineProperty(redactor, "findings", {
        value: leftovers.filter((finding) => !isAllowed(finding)),
      });
      Object.defineProperty(redactor, "allowed", { value: leftovers.filter(isAllowed) });
      return redactor;
    },
  };
});

let folder: Awaited<ReturnType<typeof aFolder>>;
const at = (name: string): string => join(folder.path, name);
beforeAll(async () => {
  folder = await aFolder();
  await folder.write("bundle.tar.gz", await smallBundle());
  const file = { name: "bug-report/proxies/a/b/certs", body: "{}", mtime: new Date(0) };
  await folder.write("bug-report.tar.gz", await tarGz([file]));
});
afterAll(() => folder.remove());

const allow = (...fingerprints: string[]): string[] =>
  fingerprints.flatMap((one) => ["--allow-finding", one]);

describe("something that looks like a secret after redaction", () => {
  it("stops the copy: nothing is written, and every fingerprint is listed with its first place", async () => {
    const made = await inProcess(["redact", at("bundle.tar.gz"), "-o", at("copy.tar.gz")]);
    expect(made).toMatchObject({ code: 2, stdout: "" });
    expect(made.stderr.split("\n").map((line) => line.replace(/ +/g, " ").trim())).toEqual([
      "FINGERPRINT LOOKS LIKE PLACES FIRST PLACE",
      "00000000000000a1 JSON web token 1 proxies/a/b/certs at byte 7",
      "00000000000000b2 private key 2 proxies/a/b/server_info#/x/0",
      "istio-snapshot: nothing was written: 3 places still look like a secret after redaction. Look at it, and if it is none, let it pass with --allow-finding <fingerprint>",
      "",
    ]);
    expect(readdirSync(folder.path).sort()).toEqual(["bug-report.tar.gz", "bundle.tar.gz"]);
  });

  it("also stops it where only some of it is let pass, and on standard output", async () => {
    const made = await inProcess(["redact", at("bundle.tar.gz"), "-o", "-", ...allow("00000000000000b2")]);
    expect(made).toMatchObject({ code: 2, stdout: "" });
    expect(made.stderr).toContain("00000000000000a1");
    expect(made.stderr).not.toMatch(/^00000000000000b2/m);
    expect(made.stderr).toContain("a place still looks like a secret");
  });

  it.each(["bundle.tar.gz", "bug-report.tar.gz"])(
    "is let pass by its fingerprint, and the copy of %s says so",
    async (name) => {
      const flags = allow("00000000000000A1", "00000000000000b2", "ffffffffffffffff");
      const made = await inProcess(["redact", ...flags, at(name), "-o", at("copy.tar.gz")]);
      expect(made.code, made.stderr).toBe(0);
      expect(made.stderr).toContain("let pass: 00000000000000b2 (private key) at 2 places");
      expect(made.stderr).toContain("no finding has the fingerprint ffffffffffffffff");
      expect(existsSync(at("copy.tar.gz"))).toBe(true);
      const { source } = await readSnapshot(at("copy.tar.gz"));
      expect(source.redaction?.allowedFindings).toEqual(
        leftovers.map(({ file, rule, fingerprint }) => ({ file, rule, fingerprint })),
      );
      const verified = await inProcess(["verify", at("copy.tar.gz")]);
      expect(verified.stdout).toContain(
        "Let pass by whoever redacted:\n  proxies/a/b/certs: JSON web token (00000000000000a1)",
      );
    },
  );
});
