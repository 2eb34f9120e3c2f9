/**
 * What every command answers on a redacted bundle, against its answer on the raw one: equal, equal but for the tokens of
 * names, or different, and then only where a token stands; and whether it says so.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { redactionRules, type RedactionRuleName } from "../../src/shared/redaction-rules.js";
import { aFolder } from "../support/builders.js";
import { seededBundle, seededMesh } from "../support/canaries.js";
import type { Answer } from "../support/cli.js";
import { inProcess } from "../support/in-process.js";
import { createAuthority, type Certificate } from "../support/mesh/certificates.js";
import type { ArchiveFile } from "../support/mesh/layouts.js";
import { days, hours, rfc3339Seconds } from "../support/mesh/time.js";
import { bundle } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";

const profiles = ["internal", "support", "public"] as const;
type Profile = (typeof profiles)[number];
type Source = Profile | "raw";

/** A rule, by the sentence that says what it takes; "secrets" for those that take nothing but secrets. */
type Said = RedactionRuleName | "secrets";

interface Expectation {
  readonly answer: "equal" | "equal but for tokens" | "differs";
  /** What the answer says that redaction took from it; with none it says nothing. */
  readonly says: readonly Said[];
}
const equal = (...says: Said[]): Expectation => ({ answer: "equal", says });
const tokens = (...says: Said[]): Expectation => ({ answer: "equal but for tokens", says });
const differs = (...says: Said[]): Expectation => ({ answer: "differs", says });

type PerProfile = Readonly<Record<Profile, Expectation>>;

interface Question extends PerProfile {
  /** Words of a command; "@" stands before names of the mesh, which `public` replaces. */
  readonly ask: readonly string[];
  /** Takes out of an answer what is about the bundle and not about the mesh. */
  readonly but?: (answer: string) => string;
  /** Whether lines may come to it: of a key of unknown meaning, two spellings become two tokens, which is a difference. */
  readonly mayGrow?: true;
}

const secretive = `@${seededMesh.proxies.find(({ pod }) => pod.workload.name === "productpage-v1")?.id ?? ""}`;

const nothing: PerProfile = { internal: equal(), support: equal(), public: equal() };
const names: PerProfile = { ...nothing, public: tokens("name") };
const addresses: PerProfile = { ...nothing, public: tokens("name", "address") };
const hosts: PerProfile = { ...nothing, support: tokens("host name"), public: tokens("host name", "name") };
const hostsAndAddresses: PerProfile = { ...hosts, public: tokens("host name", "name", "address") };
const always = (...says: Said[]): PerProfile => ({
  internal: differs(...says),
  support: differs(...says),
  public: differs(...says, "name"),
});

/** The table and the JSON of a command, about all proxies where none is named. */
const both = (command: string, table: PerProfile, json: PerProfile): Question[] =>
  (["table", "json"] as const).map((form) => ({
    ask: [...command.split(" "), "-o", form],
    ...(form === "table" ? table : json),
  }));

/** Of a diff only what differs: where it stands moves with the order of names. A bracket goes with what stands in it. */
const withoutContext = (answer: string): string =>
  answer
    .split("\n")
    .filter((line) => !/^(?: |@@|[-+] *[\]}[{],?$)/.test(line))
    .join("\n");

const questions: readonly Question[] = [
  {
    ask: ["ps"], // why it is in ERROR standard error says
    internal: equal("secrets"),
    support: equal("secrets"),
    public: tokens("secrets", "name"),
  },
  { ask: ["ps", "-o", "json"], ...always("secrets") },
  { ask: ["ps", "-n", "@istio-system"], ...names },
  { ask: ["ps", secretive], ...always("secrets"), but: withoutContext, mayGrow: true },
  ...both("version", names, names),

  ...both(`pc cluster ${secretive}`, hosts, always("header value", "secrets")),
  ...both(
    `pc listener ${secretive}`,
    hostsAndAddresses,
    always("header value", "code", "filter setting", "secrets"),
  ),
  ...both(`pc route ${secretive}`, hosts, always("header value", "response body", "secrets")),
  ...both(`pc endpoint ${secretive}`, hostsAndAddresses, hostsAndAddresses),
  { ask: ["pc", "endpoint", secretive, "--wide"], ...hostsAndAddresses },
  ...both(`pc eds ${secretive}`, hostsAndAddresses, hostsAndAddresses),
  ...both(`pc bootstrap ${secretive}`, nothing, always("node metadata", "runtime value", "secrets")),
  ...both("pc secret", names, {
    internal: differs("secrets"),
    support: differs("secrets", "certificate"),
    public: differs("secrets", "certificate", "name"),
  }),
  ...both(`pc ecds ${secretive}`, hosts, always("code")),
  { ask: ["pc", "listener", secretive, "--state", "rejected"], ...always("secret in text") },
  { ask: ["pc", "cluster", secretive, "-o", "json", "--raw"], ...always("header value", "secrets") },
  { ask: ["pc", "all", secretive], ...hostsAndAddresses },
  {
    ask: ["pc", "all", secretive, "-o", "json"],
    ...always("header value", "code", "rejected configuration"),
  },
  { ask: ["pc", "all", "--origin", "@VirtualService/reviews.default"], ...names },
  { ask: ["pc", "route", secretive, "--name", "9080"], ...names },
  { ask: ["pc", "cluster", secretive, "--fqdn", "@reviews.default.svc.cluster.local"], ...names },

  ...both("zc workload", addresses, addresses),
  ...both("zc service", addresses, addresses),
  ...both("zc policy", names, names),
  ...both("zc certificate", names, {
    internal: equal(),
    support: differs("certificate"),
    public: differs("certificate", "name"),
  }),
  ...both("zc connections", addresses, addresses),
  ...both("zc all", addresses, {
    internal: equal(),
    support: differs("certificate"),
    public: differs("certificate", "name", "address"),
  }),

  ...both("authz", names, names),

  // what it asks for may be gone, so it says all that it may have missed
  {
    ask: ["query", "$..cluster.name"],
    internal: equal("header value", "code"),
    support: tokens("header value", "code", "host name"),
    public: tokens("header value", "code", "name"),
  },
  { ask: ["query", "$..request_headers_to_add", "-o", "json"], ...always("header value") },

  {
    ask: ["verify"],
    but: (answer) =>
      answer
        .replace(/^(?:snapshot|files|redacted) .*$/gm, "")
        .replace(/\n\nWeakened by redaction:[^]*$/, "\n"),
    internal: equal("header value", "code"),
    support: equal("header value", "host name", "certificate"),
    public: equal("header value", "name", "address", "regular expression"),
  },
  {
    ask: ["verify", "-o", "json"],
    but: (answer) =>
      JSON.stringify({ ...(JSON.parse(answer) as object), files: null, redaction: null }, null, 1),
    internal: equal("header value", "code"),
    support: equal("header value", "host name", "certificate"),
    public: equal("header value", "name", "address", "regular expression"),
  },
  {
    ask: ["report", "--format", "json", "-o", "-"],
    but: (answer) => {
      const report = JSON.parse(answer) as {
        capture: { weakened: unknown; facts: { label: string }[] };
        proxies: { config: unknown }[];
        drift: { causes: Record<string, unknown>[]; replicas: Record<string, unknown>[] };
        timeline: { rows: Record<string, unknown>[] };
      };
      report.capture.weakened = null;
      report.capture.facts = report.capture.facts.filter(({ label }) => label !== "Redaction");
      // numbers of resources, which stand in the order of their names
      for (const proxy of report.proxies) proxy.config = null;
      // the first few names and fields, which other names sort otherwise; `ps` is asked for the diffs
      for (const row of report.timeline.rows) row["what"] = null;
      for (const finding of [...report.drift.causes, ...report.drift.replicas])
        for (const key of ["fields", "diff", "text"]) finding[key] = null;
      return JSON.stringify(report, null, 1);
    },
    ...always("header value", "code", "secret in text"),
  },
  {
    ask: ["report", "--format", "markdown", "-o", "-"],
    but: (answer) =>
      answer
        .replace(/^\| Redaction \|.*$/m, "")
        .replace(/\nRedaction took from this analysis:\n\n(?:- .*\n)+/, ""),
    ...always("header value", "code", "secret in text"),
  },
];

let folder: Awaited<ReturnType<typeof aFolder>>;
const maps = new Map<Source, ReadonlyMap<string, string>>();
const pathOf = (source: Source): string => join(folder.path, source, "mesh.tar.gz");

beforeAll(async () => {
  folder = await aFolder();
  for (const source of ["raw", ...profiles] as const) await mkdir(join(folder.path, source));
  const facts = { ...manifestOf(seededMesh), redaction: { profile: "none" as const, rules: [] } };
  await writeFile(pathOf("raw"), await bundle([...seededBundle(), ztunnelFile()], facts));
  for (const profile of profiles) {
    const made = await inProcess(["redact", pathOf("raw"), "-o", pathOf(profile), "--profile", profile]);
    expect(made.code, made.stderr).toBe(0);
    const map = await readFile(`${pathOf(profile)}.map.json`, "utf8").catch(() => "{}");
    maps.set(profile, new Map(Object.entries(JSON.parse(map) as Record<string, string>)));
  }
});
afterAll(() => folder.remove());

const ask = ({ ask: words }: Question, source: Source): Promise<Answer> =>
  inProcess([...words.map((word) => inTokens(word, source)), "-f", pathOf(source)]);

/** A name of the mesh as the redacted bundle has it. */
function inTokens(word: string, source: Source): string {
  if (!word.startsWith("@")) return word;
  const tokenOf = new Map([...(maps.get(source) ?? [])].map(([token, name]) => [name, token]));
  return word.slice(1).replace(/[A-Za-z0-9-]+/g, (label) => tokenOf.get(label.toLowerCase()) ?? label);
}

/** The lines of an answer, in any order, with the names that its tokens stand for; the words of hosts have no case. */
function linesOf(answer: string, source: Source): Map<string, { readonly line: string; times: number }> {
  const map = maps.get(source) ?? new Map<string, string>();
  const lines = new Map<string, { readonly line: string; times: number }>();
  for (const line of answer.split("\n")) {
    const meant = line
      .replace(/nm--[a-z2-7]{12}/g, (token) => map.get(token) ?? token)
      .replace(/(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g, (address) => map.get(address) ?? address)
      .replace(/(?<![\w:])[\da-f]{1,4}(?::[\da-f]{1,4}){7}/g, (address) => map.get(address) ?? address)
      .replace(/\s+/g, " ")
      .replace(/^ | $|,$/g, "")
      .toLowerCase();
    const known = lines.get(meant);
    if (known === undefined) lines.set(meant, { line, times: 1 });
    else known.times++;
  }
  return lines;
}

/** Lines of the redacted answer that the raw one has not, and how many the raw one has beyond it. */
function difference(raw: string, redacted: string, source: Source): { added: string[]; missing: number } {
  const before = linesOf(raw, "raw");
  const after = linesOf(redacted, source);
  const added = [...after].filter(([key, { times }]) => times > (before.get(key)?.times ?? 0));
  const missing = [...before].filter(([key, { times }]) => times > (after.get(key)?.times ?? 0));
  return { added: added.map(([, { line }]) => line), missing: missing.length };
}

/** Whether a token stands in a line: plain, or in base64, or in base64 of that; or the 0 in place of a number. */
function isMarked(line: string, depth = 0): boolean {
  if (/‹redacted:|nm--[a-z2-7]{12}/.test(line) || / 0,?$/.test(line)) return true;
  return (
    depth < 2 &&
    [...line.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g)].some(([run]) =>
      isMarked(Buffer.from(run, "base64").toString(), depth + 1),
    )
  );
}

const lengthOf = (answer: string): number => answer.split("\n").length;

function saidIn({ stdout, stderr }: Answer): Said[] {
  const text = `${stderr}\n${stdout}`;
  const rules = (Object.keys(redactionRules) as RedactionRuleName[]).filter((rule) => {
    const sentence = redactionRules[rule].weakens;
    return sentence !== null && text.includes(sentence);
  });
  return [...rules, ...(text.includes("Secrets are tokens: ") ? ["secrets" as const] : [])];
}

describe.each(questions)("$ask", (question) => {
  const { but = (answer: string) => answer } = question;

  it.each(profiles)("of a bundle redacted for %s", async (profile) => {
    const { answer, says } = question[profile];
    const raw = await ask(question, "raw");
    const redacted = await ask(question, profile);
    expect(redacted.code, redacted.stderr).toBe(raw.code);
    expect(raw.stdout.trim()).not.toBe("");

    const [before, after] = [but(raw.stdout), but(redacted.stdout)];
    const { added, missing } = difference(before, after, profile);
    if (answer === "equal") expect(after).toBe(before);
    else expect(after).not.toBe(before);
    if (answer === "equal but for tokens") expect({ added, missing }).toEqual({ added: [], missing: 0 });
    if (answer === "differs") {
      expect(added.length).toBeGreaterThan(0);
      expect(added.filter((line) => !isMarked(line))).toEqual([]);
      // and nothing else is missing, but a configuration that was rejected
      if (question.mayGrow) expect(lengthOf(after)).toBeGreaterThanOrEqual(lengthOf(before));
      else if (!says.includes("rejected configuration")) expect(lengthOf(after)).toBe(lengthOf(before));
    }

    const said = saidIn(redacted);
    expect(said).toEqual(expect.arrayContaining([...says]));
    if (says.length === 0) expect(said).toEqual([]);
    expect(answer === "equal" || says.length > 0).toBe(true); // whatever is not equal says so
    expect(saidIn(raw)).toEqual([]);
  });
});

/** What the seeded mesh has no canaries in: services, policies, certificates and connections of a ztunnel. */
function ztunnelFile(): ArchiveFile {
  const at = seededMesh.capturedAt;
  const authority = createAuthority("answers", "cluster.local", at - days(10), at + days(3000));
  const leaf = authority.issue({
    keyName: "answers",
    notBefore: at - hours(1),
    notAfter: at + hours(23),
    uri: "spiffe://cluster.local/ns/team-0/sa/catalog-api-0",
  });
  const stated = ({ pem, serialNumber, notBefore, notAfter }: Certificate): object => ({
    pem: Buffer.from(pem).toString("base64"),
    serialNumber: BigInt(`0x${serialNumber}`).toString(),
    validFrom: rfc3339Seconds(notBefore),
    expirationTime: rfc3339Seconds(notAfter),
  });
  const workload = {
    uid: "Kubernetes//Pod/team-0/catalog-api-0-x",
    workloadIps: ["10.244.9.17"],
    name: "catalog-api-0-x",
    namespace: "team-0",
    trustDomain: "cluster.local",
    serviceAccount: "catalog-api-0",
    node: "worker-7",
    canonicalName: "catalog-api-0",
    status: "Healthy",
    protocol: "HBONE",
  };
  const dump = {
    workloads: [workload],
    services: [
      {
        name: "catalog-api-0",
        namespace: "team-0",
        hostname: "catalog-api-0.team-0.svc.cluster.local",
        vips: ["/10.96.77.3"],
        ports: { "8080": 8080 },
        endpoints: { [workload.uid]: { workloadUid: workload.uid, port: { "8080": 8080 } } },
      },
    ],
    policies: [
      { name: "catalog-readers", namespace: "team-0", scope: "Namespace", action: "Allow", rules: [] },
    ],
    certificates: [
      {
        identity: "spiffe://cluster.local/ns/team-0/sa/catalog-api-0",
        state: "Available",
        certChain: [stated(leaf)],
        rootCerts: [stated(authority.root)],
      },
    ],
    workloadState: {
      [workload.uid]: {
        state: "Up",
        connections: {
          inbound: [
            { src: "10.244.9.18:43512", originalDst: null, actualDst: "10.244.9.17:8080", protocol: "HBONE" },
          ],
          outbound: [],
        },
        info: workload,
      },
    },
  };
  return {
    name: "istio-snapshot/ztunnel/istio-system/ztunnel-x7b2q/config_dump",
    body: JSON.stringify(dump, null, 2),
    mtime: new Date(at),
  };
}
