import { createHash } from "node:crypto";
import type { Writable } from "node:stream";

import { BundleFormatError } from "../shared/errors.js";
import { ProblemList, type Problem } from "../shared/problem.js";
import { compareText } from "../shared/sorting.js";
import type { Entry } from "./entry.js";
import type { Limits } from "./limits.js";
import {
  entryOf,
  manifestFormatVersion,
  manifestName,
  type Manifest,
  type ManifestFile,
} from "./manifest.js";
import type { OpenBundle } from "./open.js";
import {
  certificatesName,
  mergedRecord,
  parseRedactionRecord,
  redactionRecordName,
  type RedactionRecord,
} from "./redaction-record.js";
import { rewriteFile, type Rewriter } from "./rewrite.js";
import { roleOf, rootOf } from "./roles.js";
import { tarGzWriter } from "./tar-writer.js";
import { bundleWriter } from "./writer.js";

export interface CopyOptions {
  readonly output: Writable;
  readonly rewriter: Rewriter;
  readonly limits: Limits;
  /** What the rewriter has taken out; asked for when the last file is through. */
  readonly record: () => RedactionRecord;
  /** What is known of the certificates that it replaced, by token; asked for then, too. */
  readonly certificates: () => ReadonlyMap<string, object>;
  /**
   * Reads and rewrites the `certificates.json` of an earlier redaction.
   * @throws BundleFormatError when it is none
   */
  readonly earlierCertificates: (
    bytes: Uint8Array,
    entry: string,
    problems: ProblemList,
  ) => ReadonlyMap<string, object>;
}

/** A piece of the input that is not in the copy, or not whole; "" for a part in which no file could be told. */
export interface Loss {
  readonly file: string;
  readonly reason: string;
}

export interface Copied {
  /** Files of the input in the copy. */
  readonly files: number;
  readonly losses: readonly Loss[];
  /** Remarks on the archive as a whole. */
  readonly notes: readonly string[];
  /** What was taken out by this redaction and those before it, as the copy says. */
  readonly record: RedactionRecord;
}

/** The manifest of a bundle that is copied. */
export interface FoundManifest {
  readonly manifest: Manifest;
  /** The entry that it was found in. */
  readonly entry: string;
}

/**
 * Copies one of our bundles, rewritten, as a bundle. What the manifest says of the capture is carried over; a file that
 * it does not list stays behind, for nothing tells when it was captured, or by whom.
 * @throws UserError at a limit on the whole; any error of the output
 */
export async function copyAsBundle(
  input: OpenBundle,
  { manifest, entry: manifestEntry }: FoundManifest,
  options: CopyOptions,
): Promise<Copied> {
  const { rewriter } = options;
  const writer = bundleWriter(options.output);
  const listed = new Map(manifest.files.map((file) => [entryOf(file.name, manifestEntry), file]));
  const pass = new Pass(options);
  const isSeen = new Set<string>();
  let files = 0;
  for await (const { name, bytes } of pass.files(input)) {
    const file = listed.get(name);
    if (file === undefined) {
      pass.lose(name, "is not listed in the manifest: it was added after the capture");
      continue;
    }
    isSeen.add(name);
    if (!isUnchanged(bytes, file))
      pass.lose(name, "is not what the manifest says: it was changed after the capture");
    const rewritten = await pass.rewrite(file.name, bytes);
    if (rewritten === null) continue;
    files++;
    await writer.add({
      ...rewritten,
      capturedAt: timeOf(file.capturedAt, manifest.end),
      ...(file.slices === undefined ? {} : { slices: rewrittenSlices(file.slices, rewriter) }),
    });
  }
  for (const [name, file] of listed) {
    if (!isSeen.has(name) && !pass.isOwn(file.name))
      pass.lose(name, "is listed in the manifest, but not in the archive");
  }
  const certificates = pass.certificates();
  if (certificates !== null) {
    await writer.add({
      name: `${bundleRoot}${certificatesName}`,
      size: certificates.length,
      content: [certificates],
      capturedAt: timeOf(manifest.end, manifest.start),
    });
  }
  const about = rewrittenManifest(manifest, rewriter);
  const record = pass.record(manifest.redaction, files);
  await writer.finish({ ...about, redaction: record });
  return { files, losses: pass.losses(), notes: pass.notes(), record };
}

/**
 * Copies an archive of another kind, or a folder, as a gzip'd tar with the same entries in the same order and an entry
 * more, which says what was taken out.
 * @throws as `copyAsBundle`
 */
export async function copyAsTar(input: OpenBundle, options: CopyOptions): Promise<Copied> {
  const writer = tarGzWriter(options.output);
  const pass = new Pass(options);
  let root: string | null = null;
  let newest: Date | null = null;
  let files = 0;
  for await (const { name, bytes, modified } of pass.files(input, (manifest) =>
    pass.lose(manifest, "is a manifest that cannot be read; the copy has none"),
  )) {
    const rewritten = await pass.rewrite(name, bytes);
    if (rewritten === null) continue;
    files++;
    if (roleOf(rewritten.name).kind !== "unknown") root ??= rootOf(rewritten.name);
    if (modified !== null && (newest === null || modified > newest)) newest = modified;
    await writer.add({ ...rewritten, modified });
  }
  const own = (name: string, content: Uint8Array): Promise<void> =>
    writer.add({ name: `${root ?? ""}${name}`, size: content.length, content: [content], modified: newest });
  const certificates = pass.certificates();
  if (certificates !== null) await own(certificatesName, certificates);
  const record = pass.record(null, files);
  await own(redactionRecordName, Buffer.from(`${JSON.stringify(record, null, 1)}\n`));
  await writer.finish();
  return { files, losses: pass.losses(), notes: pass.notes(), record };
}

const bundleRoot = manifestName.slice(0, -"manifest.json".length);

interface FileRead {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly modified: Date | null;
}

interface FileToWrite {
  readonly name: string;
  readonly size: number;
  readonly content: readonly Uint8Array[];
}

/** One way through an input: every file once, and what is said of them at the end. */
class Pass {
  readonly #problems = new ProblemList();
  readonly #certificates = new Map<string, object>();
  #before: RedactionRecord | null = null;

  constructor(readonly options: CopyOptions) {}

  /**
   * The files to copy. Those that an earlier redaction added are taken in; a manifest is never copied, for the hashes in
   * it would be wrong.
   */
  async *files(
    input: OpenBundle,
    onManifest: (name: string) => void = () => undefined,
  ): AsyncGenerator<FileRead> {
    for await (const entry of input.entries((problem) => this.#report(problem))) {
      const { kind } = entry.role;
      if (kind === "manifest") {
        onManifest(entry.name);
        continue;
      }
      const bytes = await this.#read(entry);
      if (bytes === null) continue;
      if (kind === "certificates") this.#takeCertificates(entry.name, bytes);
      else if (kind === "redaction") this.#takeRecord(entry.name, bytes);
      else yield { name: entry.name, bytes, modified: modifiedAt(entry) };
    }
  }

  /** @returns null when nothing of the file may be in the copy */
  async rewrite(name: string, bytes: Uint8Array): Promise<FileToWrite | null> {
    const { rewriter, limits } = this.options;
    const file = await rewriteFile(name, bytes, rewriter, limits);
    if (file.outcome === "dropped") {
      this.lose(name, file.reason);
      return null;
    }
    if (file.cut !== undefined) this.lose(name, `is not whole: ${file.cut}`);
    return file;
  }

  lose(file: string, reason: string): void {
    this.#report({ entry: file, pointer: "", message: reason, severity: "lost" });
  }

  /** Whether a file of this name was made by a redaction, and so is made again. */
  isOwn(name: string): boolean {
    const { kind } = roleOf(name);
    return kind === "certificates" || kind === "redaction";
  }

  losses(): Loss[] {
    return this.#problems.all
      .filter((problem) => !isNote(problem))
      .map(({ entry, message }) => ({ file: entry, reason: message }));
  }

  notes(): string[] {
    return this.#problems.all.filter(isNote).map(({ message }) => message);
  }

  /** `certificates.json`; null when no certificate was replaced. */
  certificates(): Uint8Array | null {
    const all = new Map([...this.#certificates, ...this.options.certificates()]);
    if (all.size === 0) return null;
    const inOrder = [...all].sort(([a], [b]) => compareText(a, b));
    return Buffer.from(`${JSON.stringify(Object.fromEntries(inOrder), null, 1)}\n`);
  }

  /** @param inManifest the record of the input's manifest */
  record(inManifest: RedactionRecord | null, files: number): RedactionRecord {
    const { rewriter } = this.options;
    const before = inManifest ?? this.#before;
    const leftOut = this.losses().map((loss) => rewrittenLoss(loss, rewriter));
    return mergedRecord(
      before === null ? null : rewrittenRecord(before, rewriter),
      { ...this.options.record(), leftOut },
      files,
    );
  }

  async #read(entry: Entry): Promise<Uint8Array | null> {
    try {
      const { bytes, cut } = await entry.read();
      if (cut) this.lose(entry.name, "is not whole: the archive ends inside it");
      return bytes;
    } catch (error) {
      if (!(error instanceof BundleFormatError)) throw error;
      this.lose(entry.name, error.detail);
      return null;
    }
  }

  #takeCertificates(name: string, bytes: Uint8Array): void {
    this.#attempt(name, () => {
      const certificates = this.options.earlierCertificates(bytes, name, this.#problems);
      for (const [token, summary] of certificates) this.#certificates.set(token, summary);
    });
  }

  #takeRecord(name: string, bytes: Uint8Array): void {
    this.#attempt(name, () => {
      this.#before = parseRedactionRecord(bytes, name);
    });
  }

  #attempt(name: string, take: () => void): void {
    try {
      take();
    } catch (error) {
      if (!(error instanceof BundleFormatError)) throw error;
      this.lose(name, `${error.pointer} ${error.detail}`.trim());
    }
  }

  #report(problem: Problem): void {
    this.#problems.add(problem);
  }
}

/** A remark on one file, such as that it is a link, says that it is not read. */
const isNote = ({ severity, entry }: Problem): boolean => severity === "note" && entry === "";

function modifiedAt({ capturedAt }: Entry): Date | null {
  return capturedAt === null ? null : new Date(capturedAt.time);
}

function isUnchanged(bytes: Uint8Array, { size, sha256 }: ManifestFile): boolean {
  return bytes.length === size && createHash("sha256").update(bytes).digest("hex") === sha256;
}

/** A moment of the manifest, which may be none ("2026-99-99T..." has the form of one). */
function timeOf(time: string, otherwise: string): Date {
  const moments = [time, otherwise].map((text) => Date.parse(text));
  return new Date(moments.find((moment) => !Number.isNaN(moment)) ?? 0);
}

const rewrittenSlices = (
  slices: NonNullable<ManifestFile["slices"]>,
  rewriter: Rewriter,
): NonNullable<ManifestFile["slices"]> =>
  slices.map(({ resource, capturedAt }) => ({ resource: rewriter.text(resource), capturedAt }));

/** What a manifest says of the capture, with the names and texts that the copy may show. */
function rewrittenManifest(
  { program, cluster, start, end, targets, failures }: Manifest,
  rewriter: Rewriter,
): Omit<Manifest, "files" | "redaction"> {
  return {
    formatVersion: manifestFormatVersion,
    program: { name: program.name, version: program.version },
    cluster: cluster === "" ? "" : rewriter.name(cluster, "context"),
    start,
    end: timeOf(end, start).toISOString(),
    targets: targets.map(({ kind, namespace, name, outcome }) => ({
      kind,
      namespace: rewriter.name(namespace),
      name: rewriter.name(name),
      outcome,
    })),
    failures: failures.map(({ target, what, reason }) => ({
      target: rewriter.name(target),
      what: rewriter.text(what),
      reason: rewriter.text(reason),
    })),
  };
}

function rewrittenRecord(record: RedactionRecord, rewriter: Rewriter): RedactionRecord {
  return {
    ...record,
    allowedFindings: (record.allowedFindings ?? []).map((finding) => ({
      ...finding,
      file: rewriter.name(finding.file),
    })),
    leftOut: (record.leftOut ?? []).map((loss) => rewrittenLoss(loss, rewriter)),
  };
}

const rewrittenLoss = ({ file, reason }: Loss, rewriter: Rewriter): Loss => ({
  file: file === "" ? "" : rewriter.name(file),
  reason: rewriter.text(reason),
});
