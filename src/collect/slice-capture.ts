import type { RedactedFile } from "../redact/types.js";
import type { Answer } from "./capture.js";
import type { CollectOptions } from "./collect.js";
import type { FailureStreak } from "./failure-streak.js";
import { configDump } from "./questions.js";
import { DumpAssembly, slices, type DumpPart, type Slice, type SliceAnswer } from "./slices.js";
import type { TemporaryFile, TemporaryFiles } from "./temporary-files.js";

export interface SlicedDump {
  readonly isKept: boolean;
  readonly failures: readonly { readonly what: string; readonly reason: string }[];
}

/**
 * Captures a config dump that is over the cap slice by slice, redacts each alone, and packs them as one `config_dump`
 * whose manifest entry has the time of every slice. Of all that no more than one slice is in memory.
 * @param name the entry's name
 * @param whole why the whole dump was not kept
 * @param ask one request for one path
 * @param streak ends the asking where too many slices in a row fail
 */
export async function captureSlices(
  name: string,
  whole: string,
  ask: (path: string) => Promise<Answer>,
  streak: FailureStreak,
  { files, packer, limits }: Pick<CollectOptions, "files" | "packer" | "limits">,
): Promise<SlicedDump> {
  const assembly = new DumpAssembly();
  const contents = new Map<string, TemporaryFile>();
  const captured: { resource: string; capturedAt: string }[] = [];
  let first: { readonly askedAt: Date; readonly name: string } | null = null;
  try {
    for (const slice of slices) {
      const answer = streak.isOver ? givenUp(streak) : offered(slice, await ask(slice.path));
      if (!streak.isOver) streak.saw(answer);
      // an Envoy that knows no masks answers with everything; else this is a few hundred bytes
      if (slice.resource === "version_info" && answer.outcome === "too large")
        return notKept(`${whole}, and this Envoy does not answer with parts of it`);
      if (answer.outcome !== "answered") {
        assembly.add(slice.resource, withoutContent(answer));
        continue;
      }
      const { askedAt } = answer;
      const packedAs = await packer.redact(name, answer.file, async (file) => {
        const cut = assembly.add(slice.resource, contentOf(file));
        if (cut.outcome === "lost") return null;
        if (cut.pieces.length > 0) contents.set(slice.resource, await written(cut.pieces, files));
        return file.name;
      });
      if (packedAs === null) continue;
      captured.push({ resource: slice.resource, capturedAt: askedAt.toISOString() });
      first ??= { askedAt, name: packedAs };
    }
    const { parts, lost } = assembly.finish();
    const failures = lost.map(({ type, resource, reason }) => ({
      what: `config_dump: ${type}`,
      reason: `the whole dump is larger than ${limits.maxSize} bytes, and its slice ${resource} failed: ${reason}`,
    }));
    // nothing but empty lists is no dump
    if (first === null || contents.size === 0)
      return { isKept: false, failures: [...notKept(whole).failures, ...failures] };
    await packer.redacted({
      name: first.name,
      size: sizeOf(parts, contents),
      content: chunksOf(parts, contents),
      capturedAt: first.askedAt,
      slices: captured,
    });
    return { isKept: true, failures };
  } finally {
    for (const content of contents.values()) await content.close();
  }
}

const notKept = (reason: string): SlicedDump => ({
  isKept: false,
  failures: [{ what: configDump.file, reason }],
});

const givenUp = ({ reason }: FailureStreak): Answer => ({ outcome: "failed", reason });

/** An answer that says that this Envoy has no such section is no failure. */
const offered = ({ notOffered }: Slice, answer: Answer): Answer =>
  answer.outcome === "failed" && notOffered?.test(answer.reason) === true
    ? { outcome: "absent", reason: answer.reason }
    : answer;

const withoutContent = ({ outcome, reason }: Exclude<Answer, { outcome: "answered" }>): SliceAnswer =>
  outcome === "absent" ? { outcome } : { outcome: "lost", reason };

/** A slice as it may be written. */
const contentOf = (file: RedactedFile): SliceAnswer =>
  file.outcome === "kept"
    ? { outcome: "answered", bytes: Buffer.concat(file.content) }
    : { outcome: "lost", reason: file.reason };

/** Bytes that are written at a time. */
const blockSize = 1024 * 1024;

/** Puts the many small pieces of a slice into a temporary file, by blocks. */
async function written(pieces: readonly Uint8Array[], files: TemporaryFiles): Promise<TemporaryFile> {
  const file = await files.create();
  let block: Uint8Array[] = [];
  let size = 0;
  for (const piece of pieces) {
    block.push(piece);
    size += piece.length;
    if (size < blockSize) continue;
    await file.append(Buffer.concat(block));
    block = [];
    size = 0;
  }
  await file.append(Buffer.concat(block));
  return file;
}

type Contents = ReadonlyMap<string, TemporaryFile>;

const sizeOf = (parts: readonly DumpPart[], contents: Contents): number =>
  parts.reduce(
    (sum, part) =>
      sum + (typeof part === "string" ? Buffer.byteLength(part) : (contents.get(part.resource)?.size ?? 0)),
    0,
  );

async function* chunksOf(parts: readonly DumpPart[], contents: Contents): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (typeof part === "string") yield Buffer.from(part);
    else yield* contents.get(part.resource)?.chunks() ?? [];
  }
}
