/**
 * Walks the blocks of a tar stream before tar-stream sees them, so that damage costs only what it hits: a header whose
 * checksum is wrong is skipped up to the next good one, a stream that ends inside an entry is filled up with zeros (and
 * the entry marked as cut), and what follows the end-of-archive mark is not read. Chunks pass through uncopied.
 *
 * Block layout: POSIX.1-2017 pax, "ustar Interchange Format".
 */

const block = 512;
const zeros = new Uint8Array(1024 * 1024);

export interface TarDamage {
  /** Bytes before the damage, counted in the inflated stream. */
  readonly at: number;
  /** Bytes that were passed over. */
  readonly skipped: number;
}

export interface TarFraming {
  /** Damaged stretches found so far. */
  readonly damage: readonly TarDamage[];
  /** Where the zeros begin that complete a cut entry, counted in the bytes passed on; set before they are passed on. */
  readonly dataEnd: number;
  /** Whether the end-of-archive mark was seen. */
  readonly complete: boolean;
  chunks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void>;
}

/** @param fillLimit bytes: an entry that lacks more than this at the end of the stream is not filled up */
export function tarFraming(fillLimit: number): TarFraming {
  const damage: TarDamage[] = [];
  let dataEnd = Number.POSITIVE_INFINITY;
  let passed = 0;
  let complete = false;

  async function* chunks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of framed(source)) {
      passed += chunk.length;
      yield chunk;
    }
  }

  async function* framed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    let position = 0;
    /** Bytes of the present body (with padding, less the part passed on). */
    let remaining = 0;
    let header = new Uint8Array(block);
    let headerBytes = 0;
    let lostAt: number | null = null;
    /** A size that a pax header sets for the next entry. */
    let nextSize: number | null = null;
    let paxBody: Uint8Array[] | null = null;
    let zeroBlocks = 0;

    const endOfLoss = (at: number): void => {
      if (lostAt !== null) damage.push({ at: lostAt, skipped: at - lostAt });
      lostAt = null;
    };

    for await (const chunk of source) {
      let offset = 0;
      while (offset < chunk.length) {
        if (remaining > 0) {
          const part = chunk.subarray(offset, offset + remaining);
          paxBody?.push(new Uint8Array(part));
          remaining -= part.length;
          offset += part.length;
          position += part.length;
          if (remaining === 0 && paxBody !== null) {
            nextSize = paxSize(paxBody) ?? nextSize;
            paxBody = null;
          }
          yield part;
          continue;
        }
        const part = chunk.subarray(offset, offset + block - headerBytes);
        header.set(part, headerBytes);
        headerBytes += part.length;
        offset += part.length;
        position += part.length;
        if (headerBytes < block) continue;
        headerBytes = 0;
        const at = position - block;
        if (lostAt === null && header.every((byte) => byte === 0)) {
          zeroBlocks++;
          if (zeroBlocks === 2) {
            complete = true;
            return;
          }
          continue;
        }
        if (!isHeader(header)) {
          lostAt ??= at;
          continue;
        }
        zeroBlocks = 0;
        endOfLoss(at);
        const type = header[156] ?? 0;
        const own = sizeOf(header);
        const isPax = type === 0x78; // "x"
        const isExtension = isPax || type === 0x67 || type === 0x4b || type === 0x4c; // g, K, L
        const size: number = isExtension ? own : (nextSize ?? own);
        if (!isExtension) nextSize = null;
        const body = type === 0x35 ? 0 : size; // tar-stream reads no body of a directory
        remaining = Math.ceil(body / block) * block;
        if (isPax && body <= 1024 * 1024) paxBody = [];
        yield header;
        header = new Uint8Array(block);
      }
    }
    endOfLoss(position);
    if (headerBytes > 0) damage.push({ at: position - headerBytes, skipped: headerBytes });
    if (remaining === 0 || remaining > fillLimit) return;
    dataEnd = passed;
    while (remaining > 0) {
      const part = zeros.subarray(0, remaining);
      remaining -= part.length;
      yield part;
    }
  }

  return {
    chunks,
    damage,
    get dataEnd() {
      return dataEnd;
    },
    get complete() {
      return complete;
    },
  };
}

/** Whether a block is a tar header: magic, checksum, and a size that can be. */
export function isHeader(header: Uint8Array): boolean {
  if (header.length < block || text(header, 257, 262) !== "ustar") return false;
  let sum = 8 * 32;
  for (let index = 0; index < block; index++) {
    if (index < 148 || index >= 156) sum += header[index] ?? 0;
  }
  const size = sizeOf(header);
  return (
    sum === Number.parseInt(text(header, 148, 156).replace(/[\0 ].*$/s, ""), 8) &&
    Number.isSafeInteger(size) &&
    size >= 0
  );
}

/** The size field: octal, or base 256 when its first bit is set (GNU, for 8 GiB and more). */
function sizeOf(header: Uint8Array): number {
  const first = header[124] ?? 0;
  if (first === 0x80) {
    let size = 0;
    for (let index = 125; index < 136; index++) size = size * 256 + (header[index] ?? 0);
    return size;
  }
  if (first > 0x7f) return Number.NaN;
  const digits = text(header, 124, 136)
    .replace(/^[ \0]+/, "")
    .replace(/[\0 ].*$/s, "");
  return digits === "" ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** The `size` record of a pax extended header, which overrides the size field of the next header. */
function paxSize(parts: readonly Uint8Array[]): number | null {
  const match = /(?:^|\n)\d+ size=(\d+)\n/.exec(Buffer.concat(parts).toString("latin1"));
  return match === null ? null : Number(match[1]);
}

function text(header: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...header.subarray(from, to));
}
