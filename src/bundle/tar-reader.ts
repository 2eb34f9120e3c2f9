import { extract, type Header } from "tar-stream";

import { BundleFormatError, UserError, messageOf } from "../shared/errors.js";
import { lost, note, type Problem } from "../shared/problem.js";
import { excerpt } from "../shared/printable.js";
import { headBytes } from "./entry.js";
import type { Limits } from "./limits.js";
import { tarFraming } from "./tar-framing.js";

/** One regular file of a tar stream. Its content can be read until the next one is asked for. */
export interface TarFile {
  readonly name: string;
  readonly size: number;
  /** null when the header has none. */
  readonly modified: Date | null;
  /** Bytes of the archive up to its end, with the padding; zeros between entries not counted. */
  readonly end: number;
  read(): Promise<{ readonly bytes: Uint8Array; readonly cut: boolean }>;
  readHead(): Promise<Uint8Array>;
}

/** Types that are listed but hold nothing to read. */
const silent = new Set<string | null | undefined>(["directory", "pax-header", "pax-global-header"]);

/**
 * The regular files of a tar stream, by tar-stream. Links, devices and sparse files are not followed or unpacked, names
 * that would leave a folder are refused: each costs itself and is reported.
 * @param end is told whether the archive's end mark was seen, when the last entry was given
 * @throws UserError at a limit on the whole
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  limits: Limits,
  report: (problem: Problem) => void,
  end = { isComplete: false },
): AsyncGenerator<TarFile, void, void> {
  const framing = tarFraming(limits);
  const tar = extract();
  let total = 0;
  const measured = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of framing.chunks(source)) {
      total += chunk.length;
      if (total > limits.totalBytes) {
        throw new UserError(
          `the archive holds more than ${limits.totalBytes} bytes (--max-total-bytes raises the limit)`,
        );
      }
      yield chunk;
    }
  };
  const pumped = pump(measured(), tar);
  const pumping: { failure: unknown } = { failure: null };
  pumped.catch((error: unknown) => {
    pumping.failure = error;
    tar.destroy(error instanceof Error ? error : new Error(messageOf(error)));
  });

  let count = 0;
  const seen = new Set<string>();
  try {
    for await (const stream of tar) {
      const header = stream.header;
      count++;
      if (count > limits.entries) {
        throw new UserError(
          `the archive has more than ${limits.entries} entries (--max-entries raises the limit)`,
        );
      }
      const name = header.name.replaceAll("\\", "/").replace(/^(?:\.\/)+/, "");
      const refusal =
        refuse(header, name, limits) ??
        (seen.has(name) ? "stands twice in the archive; the first one counts" : null);
      if (refusal !== null) {
        if (refusal !== "") report(lost(excerpt(name, 200), refusal));
        stream.resume();
        continue;
      }
      seen.add(name);
      const content = (size: number): Promise<Uint8Array> =>
        // not the zeros that stand for what is missing
        collect(stream as AsyncIterable<Uint8Array>, () =>
          Math.min(size, framing.dataEnd - bodyStart(header)),
        ).catch((error: unknown) => {
          const cause = pumping.failure ?? error;
          if (cause instanceof UserError) throw cause;
          throw new BundleFormatError(name, "", `cannot be read: ${messageOf(cause)}`);
        });
      yield {
        name,
        size: header.size,
        modified: header.mtime.getTime() > 0 ? header.mtime : null,
        end: bodyStart(header) + Math.ceil(header.size / 512) * 512,
        read: async () => {
          const bytes = await content(header.size);
          return { bytes, cut: bytes.length < header.size };
        },
        readHead: () => content(Math.min(header.size, headBytes)),
      };
      stream.resume();
    }
  } catch (error) {
    const cause = pumping.failure ?? error;
    if (cause instanceof UserError || !isTarError(cause)) throw cause;
    report(lost("", `the archive cannot be read further: ${messageOf(cause)}`));
  }
  for (const { at, skipped, what } of framing.damage) {
    report(
      lost(
        "",
        what === "header"
          ? `the tar archive is damaged: ${skipped} bytes at offset ${at} hold no valid header and were skipped`
          : `the tar archive is damaged: the extended header at offset ${at} is beyond reason; with its entry it was skipped, ${skipped} bytes`,
      ),
    );
  }
  end.isComplete = framing.complete;
  if (!framing.complete) report(note("", "the archive ends without its end mark: it may have been cut off"));
}

/** Where the body begins, counted in the bytes given to tar-stream, which has it as `byteOffset` (missing in its types). */
function bodyStart(header: Header): number {
  return (header as Header & { readonly byteOffset: number }).byteOffset;
}

/** Why an entry is not read; "" for one that needs no mention, null for one that is read. */
function refuse(header: Header, name: string, limits: Limits): string | null {
  if (silent.has(header.type)) return "";
  const type = header.type as string | null; // null for a type that tar-stream does not know
  if (type !== "file" && type !== "contiguous-file") {
    return `is a ${type ?? "special file (such as a sparse one)"}; only regular files are read`;
  }
  if (Object.keys(header.pax ?? {}).some((key) => key.startsWith("GNU.sparse.")))
    return "is a sparse file; only regular files are read";
  return refuseName(name, limits) ?? refuseSize(header.size, limits);
}

export function refuseName(name: string, limits: Limits): string | null {
  if (name === "") return "has an empty name";
  if (Buffer.byteLength(name) > limits.nameBytes) {
    return `has a name longer than ${limits.nameBytes} bytes (--max-name-bytes raises the limit)`;
  }
  if (name.includes("\0")) return "has a NUL in its name";
  if (name.startsWith("/") || /^[A-Za-z]:\//.test(name)) return "has an absolute name";
  if (name.split("/").includes("..")) return 'has ".." in its name';
  return null;
}

export function refuseSize(size: number, limits: Limits): string | null {
  return size > limits.entryBytes
    ? `is ${size} bytes long, over the limit of ${limits.entryBytes} for one entry (--max-entry-bytes sets it)`
    : null;
}

async function pump(source: AsyncIterable<Uint8Array>, tar: ReturnType<typeof extract>): Promise<void> {
  for await (const chunk of source) {
    if (tar.destroyed) return;
    if (!tar.write(chunk)) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          tar.off("drain", done).off("close", done);
          resolve();
        };
        tar.on("drain", done).on("close", done);
      });
    }
  }
  tar.end(null);
}

/** The first `wanted` bytes of a stream, or all; a header that lies costs no memory before the bytes come. */
async function collect(stream: AsyncIterable<Uint8Array>, wanted: () => number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    if (length >= wanted()) continue; // a stream that is left early would take the archive with it
    chunks.push(chunk);
    length += chunk.length;
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
}

function isTarError(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(?:Invalid|Unexpected end|Header exceeds|Writable stream|Stream was destroyed|Premature)/i.test(
      error.message,
    )
  );
}
