import { createHash } from "node:crypto";

import type { CommandModule } from "yargs";

import { entryOf, parseManifest, type Manifest } from "../../bundle/manifest.js";
import type { Entry } from "../../bundle/entry.js";
import { everything, type EntryKind } from "../../ingest/read-snapshot.js";
import { buildReport, incompleteness, redactionText } from "../../report/build-report.js";
import { BundleFormatError } from "../../shared/errors.js";
import { printable } from "../../shared/printable.js";
import { textTable } from "../../shared/text-table.js";
import type { Snapshot } from "../../snapshot/model.js";
import { weakenings, type Redaction } from "../../snapshot/redaction.js";
import { syncStatus } from "../../status/sync-status.js";
import { exitCodes } from "../../shared/exit-codes.js";
import { document, formOf, outputForms, print } from "../output.js";
import { programVersion } from "../../bundle/program-version.js";
import { loadSnapshot, withSnapshot, type SnapshotArgs } from "../snapshot-options.js";

interface VerifyArgs extends SnapshotArgs {
  output: string;
}

/** Every kind of file: each is proved by its hash. */
const everyKind: ReadonlySet<EntryKind> = new Set<EntryKind>([
  ...everything,
  "clusters",
  "certs",
  "redaction",
  "runtime",
  "stats",
  "otherProxyFile",
  "istiodDebug",
  "kubernetesObjects",
  "other",
  "unknown",
]);

export const verifyCommand: CommandModule<object, VerifyArgs> = {
  command: "verify [snapshot]",
  describe: "Is the snapshot whole, and what is missing from it",
  builder: (yargs) =>
    withSnapshot(
      yargs
        .positional("snapshot", { type: "string", describe: "The snapshot, instead of -f" })
        .option("output", {
          alias: "o",
          choices: outputForms,
          default: "table",
          requiresArg: true,
          describe: "Form of the answer",
        })
        .example("$0 verify bundle.tar.gz", "exit 1 when anything is missing or damaged"),
    ),
  handler: async (args) => {
    const form = formOf(args.output);
    const found = new Map<string, { size: number; sha256: string }>();
    let manifest: Manifest | null = null;
    const onContent = (entry: Entry, bytes: Uint8Array): void => {
      if (entry.role.kind === "manifest") manifest = manifestOf(bytes, entry.name);
      else
        found.set(entry.name, {
          size: bytes.length,
          sha256: createHash("sha256").update(bytes).digest("hex"),
        });
    };
    const snapshot = await loadSnapshot(args, { want: everyKind, debug: "all", seek: false, onContent });
    const files = compare(manifest, found);
    const status = syncStatus(snapshot);
    const { completeness, istiods } = buildReport(snapshot, status, programVersion()).capture;
    const missing = [
      ...files.wrong,
      ...(snapshot.source.kind === "bundle" ? [] : neverCaptured(snapshot)),
      ...absentParts(snapshot),
    ];
    const damaged = incompleteness(snapshot);
    const { redaction } = snapshot.source;
    const whole =
      files.wrong.length === 0 && damaged.length === 0 && completeness.listedNotCaptured.length === 0;
    const summary: [string, string][] = [
      ["snapshot", snapshot.source.name === "-" ? "standard input" : snapshot.source.name],
      [
        "kind",
        snapshot.source.kind + (snapshot.source.program === null ? "" : ` by ${snapshot.source.program}`),
      ],
      [
        "captured",
        snapshot.captureTime === null
          ? "unknown"
          : `${snapshot.captureTime.value} (by ${snapshot.captureTime.source})`,
      ],
      ["files", files.text],
      ["Istiods", istiods.length === 0 ? "none" : String(istiods.length)],
      [
        "proxies",
        `${completeness.listed === null ? "no list" : `${completeness.listed} listed`}, ${completeness.captured} captured, ${completeness.read} config dumps read`,
      ],
      ["redacted", redaction === null ? "the snapshot does not say" : redactionText(redaction)],
      ["whole", whole ? "yes" : "no"],
    ];
    const unlisted = completeness.listedNotCaptured.map(
      (id) => `${id}: listed by Istiod, but nothing of it was captured`,
    );
    await print(
      form === "table"
        ? table(summary, [
            ["Damaged or not captured", [...damaged, ...unlisted]],
            ["Not in this snapshot", missing],
            ["Remarks", remarksOf(snapshot)],
            ["Weakened by redaction", weakenings(redaction).map(({ text }) => text)],
            ["Kept by redaction", (redaction?.kept ?? []).map(({ what, why }) => `${what}: ${why}`)],
            ["Not covered by redaction", redaction?.notCovered ?? []],
            ["Let pass by whoever redacted", (redaction?.allowedFindings ?? []).map(findingText)],
          ])
        : document(
            {
              whole,
              kind: snapshot.source.kind,
              program: snapshot.source.program,
              captureTime: snapshot.captureTime,
              files: {
                listed: files.listed,
                present: found.size,
                matching: files.matching,
                wrong: files.wrong,
              },
              proxies: {
                listed: completeness.listed,
                captured: completeness.captured,
                read: completeness.read,
                listedNotCaptured: completeness.listedNotCaptured,
              },
              redaction: redactionJson(redaction),
              missing,
              remarks: remarksOf(snapshot),
              incomplete: [...damaged, ...unlisted],
            },
            form,
          ),
    );
    process.exitCode = whole ? exitCodes.clean : exitCodes.found;
  },
};

/** The manifest, its files named as the entries are; null when it is none (the snapshot reports that). */
function manifestOf(bytes: Uint8Array, entry: string): Manifest | null {
  try {
    const manifest = parseManifest(bytes, entry);
    return {
      ...manifest,
      files: manifest.files.map((file) => ({ ...file, name: entryOf(file.name, entry) })),
    };
  } catch (error) {
    if (error instanceof BundleFormatError) return null;
    throw error;
  }
}

interface Comparison {
  readonly listed: number | null;
  readonly matching: number | null;
  readonly wrong: readonly string[];
  readonly text: string;
}

/** The manifest's word against the bytes. */
function compare(
  manifest: Manifest | null,
  found: ReadonlyMap<string, { size: number; sha256: string }>,
): Comparison {
  if (manifest === null)
    return {
      listed: null,
      matching: null,
      wrong: [],
      text: `${found.size} read; no manifest to prove them by`,
    };
  const wrong: string[] = [];
  for (const { name, size, sha256 } of manifest.files) {
    const actual = found.get(name);
    if (actual === undefined) wrong.push(`${name}: listed in the manifest, but not in the archive`);
    else if (actual.size !== size) wrong.push(`${name}: has ${actual.size} bytes, the manifest says ${size}`);
    else if (actual.sha256 !== sha256)
      wrong.push(`${name}: its SHA-256 is not the manifest's; it was changed after the capture`);
  }
  const listed = new Set(manifest.files.map(({ name }) => name));
  for (const name of found.keys())
    if (!listed.has(name)) wrong.push(`${name}: not listed in the manifest; it was added after the capture`);
  const matching = manifest.files.length - wrong.filter((line) => !line.includes("not listed in")).length;
  return {
    listed: listed.size,
    matching,
    wrong,
    text: `${listed.size} in the manifest, ${matching} match it by size and SHA-256`,
  };
}

/** What was taken out, as the snapshot itself says, and what that takes from the answers. */
function redactionJson(redaction: Redaction | null): unknown {
  if (redaction === null) return null;
  const { profile, rules, kept = [], notCovered = [], allowedFindings = [] } = redaction;
  const weakened = weakenings(redaction).map(({ text }) => text);
  return { profile, rules, weakened, kept, notCovered, allowedFindings };
}

const findingText = ({
  file,
  rule,
  fingerprint,
}: NonNullable<Redaction["allowedFindings"]>[number]): string => `${file}: ${rule} (${fingerprint})`;

/** What this kind of snapshot never holds. */
function neverCaptured({ source }: Snapshot): string[] {
  switch (source.kind) {
    case "bug-report":
      return [
        "what Istiod would send each proxy (istioctl bug-report never captures it)",
        "a second syncz answer (istioctl bug-report takes one)",
      ];
    case "must-gather":
      return [
        "server_info, certs and EDS of the proxies (must-gather never captures them)",
        "the answers of further Istiod replicas",
      ];
    default:
      return [];
  }
}

function absentParts(snapshot: Snapshot): string[] {
  return snapshot.proxies.flatMap(({ id, config, serverInfo, dumpEntry }) => [
    ...(dumpEntry === null ? [`${id}: no config_dump of it was captured`] : []),
    ...(dumpEntry !== null && config.endpointAssignment.state === "absent"
      ? [`${id}: endpoints: ${config.endpointAssignment.reason}`]
      : []),
    ...(serverInfo.state === "absent" ? [`${id}: ${serverInfo.reason}`] : []),
  ]);
}

function remarksOf(snapshot: Snapshot): string[] {
  return snapshot.problems
    .filter(({ severity }) => severity === "note")
    .map(({ entry, pointer, message }) => [entry, pointer, message].filter((part) => part !== "").join(" "));
}

function table(
  summary: readonly (readonly [string, string])[],
  lists: readonly (readonly [string, readonly string[]])[],
): string {
  const [first, ...rest] = summary;
  const text = textTable(first ?? [], rest, { padding: 2 });
  return lists
    .filter(([, lines]) => lines.length > 0)
    .reduce(
      (all, [title, lines]) => `${all}\n${title}:\n${lines.map((line) => `  ${printable(line)}\n`).join("")}`,
      text,
    );
}
