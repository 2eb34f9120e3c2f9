import { crc32, createInflateRaw } from "node:zlib";

import { UserError, messageOf } from "../shared/errors.js";
import type { Limits } from "./limits.js";

/** Chunks of a stream; ends with a `UserError` at a limit on the whole. */
export interface Inflated {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** What went wrong inside the gzip stream; what was inflated before it has been passed on. */
  readonly failure: () => string | null;
  /** Whether the stream ended inside a member. */
  readonly cut: () => boolean;
  /** Whether something stands behind a member that is no gzip; it was not read. */
  readonly hasTail: () => boolean;
}

/** Bytes given to zlib at once: what it had made of the present ones is lost when it finds damage in them. */
const slice = 32 * 1024;
/** Bytes taken from zlib at once. */
const piece = 256 * 1024;
/** A header is longer only where somebody means harm. */
const longestHeader = 1024 * 1024;
const trailerLength = 8;

/**
 * Inflates a gzip stream of one or many members (RFC 1952). A stream that is cut off gives all that can be inflated.
 * zlib's own gzip reader is not used: it throws away what it inflated last when garbage follows a member, and ends at a
 * zero byte between two members without a word.
 */
export function inflate(source: AsyncIterable<Uint8Array>, limits: Limits): Inflated {
  let failure: string | null = null;
  let cut = false;
  let hasTail = false;

  async function* chunks(): AsyncGenerator<Uint8Array> {
    const input = new Input(source);
    let total = 0;
    try {
      for (;;) {
        const isFirst = input.taken === 0;
        const header = await memberHeader(input);
        if (header === null) {
          if (isFirst) cut = input.held.length > 0;
          else hasTail = input.held.length > 0;
          return;
        }
        if (typeof header === "string") {
          if (isFirst) failure = header;
          else hasTail = true;
          return;
        }
        const body = new MemberBody(input);
        let crc = 0;
        let length = 0;
        try {
          for await (const chunk of body.chunks()) {
            crc = crc32(chunk, crc);
            length += chunk.length;
            total += chunk.length;
            if (total > limits.ratioFloor && total > input.taken * limits.ratio) {
              throw new UserError(
                `the gzip stream inflates to more than ${limits.ratio} times its size; that is no snapshot (--max-ratio raises the limit)`,
              );
            }
            yield chunk;
          }
        } finally {
          body.close();
        }
        if (body.failure !== null) {
          failure ??= body.failure;
          return;
        }
        if (!body.ended || !(await input.has(trailerLength))) {
          cut = true;
          return;
        }
        const trailer = Buffer.from(input.take(trailerLength));
        // the members behind it stand where they stood: they are read all the same
        if (trailer.readUInt32LE(0) !== crc) failure ??= "incorrect data check";
        else if (trailer.readUInt32LE(4) !== length % 2 ** 32) failure ??= "incorrect length check";
      }
    } finally {
      await input.close();
    }
  }

  return { chunks: chunks(), failure: () => failure, cut: () => cut, hasTail: () => hasTail };
}

/** The compressed bytes, as far as they are not taken. */
class Input {
  held: Uint8Array = new Uint8Array(0);
  /** Bytes taken so far. */
  taken = 0;
  readonly #iterator: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** @returns whether there are this many bytes */
  async has(length: number): Promise<boolean> {
    while (this.held.length < length) {
      const next = await this.#iterator.next();
      if (next.done === true) return false;
      this.held = this.held.length === 0 ? next.value : Buffer.concat([this.held, next.value]);
    }
    return true;
  }

  take(length: number): Uint8Array {
    const bytes = this.held.subarray(0, length);
    this.held = this.held.subarray(length);
    this.taken += length;
    return bytes;
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

/**
 * Takes the header of the next member.
 * @returns true; null where the stream ends; what is wrong where something else follows
 */
async function memberHeader(input: Input): Promise<true | string | null> {
  if (input.taken > 0) await skipPadding(input);
  for (let wanted = 1; ; wanted = input.held.length + 1) {
    if (!(await input.has(wanted))) return null;
    const length = headerLength(input.held);
    if (typeof length === "string") return length;
    if (length !== null) {
      input.take(length);
      return true;
    }
    if (input.held.length > longestHeader) return "its header does not end";
  }
}

/** Passes over zeros: tapes and block devices fill up with them. */
async function skipPadding(input: Input): Promise<void> {
  while ((await input.has(1)) && input.held[0] === 0) {
    const end = input.held.findIndex((byte) => byte !== 0);
    input.take(end < 0 ? input.held.length : end);
  }
}

/** The length of a member's header (RFC 1952, 2.3), null when more bytes must be seen, a text when it is none. */
function headerLength(bytes: Uint8Array): number | string | null {
  if (bytes[0] !== 0x1f || (bytes.length > 1 && bytes[1] !== 0x8b)) return "incorrect header check";
  if (bytes.length < 10) return null;
  if (bytes[2] !== 8) return "unknown compression method";
  const flags = bytes[3] ?? 0;
  if ((flags & 0xe0) !== 0) return "unknown header flags set";
  let at = 10;
  if ((flags & 4) !== 0) {
    const [low, high] = [bytes[at], bytes[at + 1]];
    if (low === undefined || high === undefined) return null;
    at += 2 + low + 256 * high;
  }
  // file name, then comment: each ends with a zero
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return null;
    at = end + 1;
  }
  if ((flags & 2) !== 0) at += 2;
  return bytes.length < at ? null : at;
}

/** The deflated data of one member. */
class MemberBody {
  failure: string | null = null;
  /** Whether its end was seen. */
  ended = false;
  readonly #raw = createInflateRaw({ chunkSize: piece });
  readonly #made: Uint8Array[] = [];
  #wake: () => void = () => undefined;

  constructor(readonly input: Input) {
    this.#raw.on("data", (chunk: Uint8Array) => this.#made.push(chunk));
    this.#raw.on("error", (error) => {
      this.failure = messageOf(error);
      this.#wake();
    });
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let next = this.#inflateSlice();
    while (await next) {
      const made = this.#made.splice(0);
      next = this.#inflateSlice(); // works while the reader does
      for (const chunk of made) yield chunk;
    }
    for (const chunk of this.#made.splice(0)) yield chunk;
  }

  /** @returns whether more may follow */
  async #inflateSlice(): Promise<boolean> {
    if (!(await this.input.has(1))) return false;
    const given = this.input.held.subarray(0, slice);
    const before = this.#raw.bytesWritten;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#raw.write(given, () => resolve());
    });
    const used = this.#raw.bytesWritten - before;
    this.input.take(used);
    // zlib leaves bytes behind only where the data has ended
    this.ended = this.failure === null && used < given.length;
    return this.failure === null && !this.ended;
  }

  close(): void {
    this.#raw.destroy();
  }
}
