import pLimit from "p-limit";

import type { BundleWriter, NewFile } from "../bundle/writer.js";
import { messageOf, UserError } from "../shared/errors.js";
import type { RedactedFile, Redactor } from "../redact/types.js";
import type { TemporaryFile } from "./temporary-files.js";

/** The bundle cannot be written on: the disk is full, or gone. */
export class OutputError extends UserError {
  override readonly name = "OutputError";
}

/** Whether a file is in the bundle now, or why not. */
export type Packed = { readonly outcome: "kept" } | { readonly outcome: "dropped"; readonly reason: string };

/**
 * The narrow door into the bundle: answers come in one by one, are redacted and appended, so that no more than one of
 * them is in memory, however many are captured at a time.
 */
export interface Packer {
  /** Packs one answer and forgets its temporary file. @throws OutputError */
  file(name: string, answer: TemporaryFile, capturedAt: Date): Promise<Packed>;
  /** Packs something made by us. @throws OutputError */
  content(name: string, content: Uint8Array, capturedAt: Date): Promise<Packed>;
  /**
   * Redacts a piece of a file that is put together later.
   * @param use what is done with it before the next answer is read
   */
  redact<T>(name: string, piece: TemporaryFile, use: (piece: RedactedFile) => Promise<T>): Promise<T>;
  /** Packs what is redacted already. @throws OutputError */
  redacted(file: NewFile): Promise<void>;
  /** Bytes packed, before they were deflated. */
  readonly size: number;
}

export function packer(writer: BundleWriter, redactor: Redactor): Packer {
  const turn = pLimit(1);
  let size = 0;
  let broken: OutputError | null = null;

  const oneAtATime = <T>(task: () => Promise<T>): Promise<T> =>
    turn(() => {
      if (broken !== null) throw broken;
      return task();
    });
  const append = async (file: NewFile): Promise<void> => {
    try {
      await writer.add(file);
      size += file.size;
    } catch (error) {
      broken = new OutputError(`cannot write the bundle: ${messageOf(error)}`);
      throw broken;
    }
  };
  const redact = (name: string, content: Uint8Array): RedactedFile => {
    try {
      return redactor.file(name, content);
    } catch (error) {
      // what cannot be looked through is not stored, and the error's message may quote what it fell over
      const kind = error instanceof Error ? error.name : "unknown error";
      return { outcome: "dropped", name, reason: `it could not be redacted (${kind})` };
    }
  };
  const pack = async (result: RedactedFile, capturedAt: Date): Promise<Packed> => {
    if (result.outcome === "dropped") return { outcome: "dropped", reason: result.reason };
    await append({ name: result.name, size: result.size, content: result.content, capturedAt });
    return { outcome: "kept" };
  };
  const redactFile = async (name: string, file: TemporaryFile): Promise<RedactedFile> => {
    try {
      return redact(name, await file.read());
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { outcome: "dropped", name, reason: "it is too large for the memory of this machine" };
    } finally {
      await file.close();
    }
  };

  return {
    file: (name, answer, capturedAt) =>
      oneAtATime(async () => pack(await redactFile(name, answer), capturedAt)),
    content: (name, content, capturedAt) => oneAtATime(() => pack(redact(name, content), capturedAt)),
    redact: (name, piece, use) => oneAtATime(async () => use(await redactFile(name, piece))),
    redacted: (file) =>
      oneAtATime(async () => {
        await append(file);
      }),
    get size() {
      return size;
    },
  };
}
