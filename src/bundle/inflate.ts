import { createGunzip, constants } from "node:zlib";
import { Readable } from "node:stream";

import { UserError, messageOf } from "../shared/errors.js";
import type { Limits } from "./limits.js";

const piece = 1024 * 1024;

/** Chunks of a stream, with how many compressed bytes have gone in; ends with a `UserError` at a limit on the whole. */
export interface Inflated {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** What went wrong inside the gzip stream; what was inflated before it has been passed on. */
  readonly failure: () => string | null;
}

/**
 * Inflates a gzip stream of one or many members. A stream that is cut off gives all that can be inflated; whether
 * something is missing is for the format inside to say.
 */
export function inflate(source: AsyncIterable<Uint8Array>, limits: Limits): Inflated {
  let compressed = 0;
  let failure: string | null = null;

  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      compressed += chunk.length;
      yield chunk;
    }
  }

  async function* chunks(): AsyncGenerator<Uint8Array> {
    // Z_SYNC_FLUSH: a stream that ends early is no error of zlib's, so that its last bytes are not thrown away
    const gunzip = createGunzip({ chunkSize: piece, finishFlush: constants.Z_SYNC_FLUSH });
    const input = Readable.from(counted(), { objectMode: true, highWaterMark: 4 });
    input.on("error", (error) => gunzip.destroy(error));
    input.pipe(gunzip);
    let total = 0;
    try {
      for await (const chunk of gunzip as AsyncIterable<Uint8Array>) {
        total += chunk.length;
        if (total > limits.ratioFloor && total > compressed * limits.ratio) {
          throw new UserError(
            `the gzip stream inflates to more than ${limits.ratio} times its size; that is no snapshot (--max-ratio raises the limit)`,
          );
        }
        yield chunk;
      }
    } catch (error) {
      if (error instanceof UserError || !isZlibError(error)) throw error;
      failure = messageOf(error);
    } finally {
      input.destroy();
      gunzip.destroy();
    }
  }

  return { chunks: chunks(), failure: () => failure };
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}
