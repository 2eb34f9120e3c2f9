/**
 * Walks the blocks of a tar stream before tar-stream sees them, so that damage costs only what it hits: a header whose
 * checksum is wrong is skipped up to the next good one, a stream that ends inside an entry is filled up with zeros (and
 * the entry marked as cut), and what follows the end-of-archive mark is not read. Chunks of content pass through uncopied;
 * headers are passed on only when they are sound, and rewritten so that tar-stream can read nothing else into them.
 *
 * Block layout: POSIX.1-2017 pax, "ustar Interchange Format".
 */

const block = 512;
const zeros = new Uint8Array(1024 * 1024);
/** An extended header holds a name and a few numbers. */
const extensionLimit = 1024 * 1024;
/** What follows the end mark: records of tapes are filled up to 10 kB, of some to 512 kB. */
const tailLimit = 4 * 1024 * 1024;
/** Stretches that are kept; an archive of nothing but damage could make millions. */
const damageLimit = 10_000;

export interface TarDamage {
  /** Bytes before the damage, counted in the inflated stream. */
  readonly at: number;
  /** Bytes that were passed over. */
  readonly skipped: number;
  /** `header`: no header could be read. `extension`: an extended header, with the entry that it is about, is beyond reason. */
  readonly what: "header" | "extension";
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

export interface TarFramingLimits {
  /** Bytes: an entry that lacks more than this at the end of the stream is not filled up. */
  readonly entryBytes: number;
  /** Bytes: a header that claims more content than this is none. */
  readonly totalBytes: number;
}

const types = {
  link: 0x31,
  fifo: 0x36,
  directory: 0x35,
  pax: 0x78,
  /** Headers about the next entry: x, K, L, and the N of old GNU tars. */
  extensions: [0x78, 0x4b, 0x4c, 0x4e] as readonly number[],
  /** Nobody needs it, and tar-stream applies it to some entries only. */
  globalPax: 0x67,
};

export function tarFraming({ entryBytes, totalBytes }: TarFramingLimits): TarFraming {
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
    /** Bytes left of the present body, with its padding. */
    let remaining = 0;
    /** What becomes of the body. */
    let body: "pass" | "drop" | "hold" = "pass";
    const header = new Uint8Array(block);
    let headerBytes = 0;
    /** Where the present damage began. */
    let lostAt: number | null = null;
    /** The extended headers before the next entry, the last one of each type: passed on with it, or lost with it. */
    let held = new Map<number, Uint8Array>();
    /** The one that is being read, with its content. */
    let extension: { readonly type: number; readonly size: number; readonly parts: Uint8Array[] } | null =
      null;
    /** The size that a pax header sets for the next entry. */
    let nextSize = null as number | null;
    /** Where an extended header began that is beyond reason: the entry that it is about goes with it. */
    let dropFrom = null as number | null;
    let zeroBlocks = 0;
    /** Bytes seen behind the end mark. */
    let tail = 0;

    const lose = (at: number, skipped: number, what: TarDamage["what"]): void => {
      if (damage.length < damageLimit) damage.push({ at, skipped, what });
    };
    const forgetHeld = (): void => {
      held = new Map();
      nextSize = null;
    };
    const endOfDrop = (at: number): void => {
      if (dropFrom === null) return;
      lose(dropFrom, at - dropFrom, "extension");
      dropFrom = null;
      forgetHeld();
    };
    const endOfLoss = (at: number): void => {
      if (lostAt === null) return;
      endOfDrop(lostAt);
      lose(lostAt, at - lostAt, "header");
      lostAt = null;
      forgetHeld(); // what they were about is lost
    };
    const endOfExtension = ({ type, size, parts }: NonNullable<typeof extension>): void => {
      const whole = Buffer.concat(parts);
      held.set(type, whole);
      if (type !== types.pax) return;
      const paxed = paxSize(whole.subarray(block, block + size));
      if (paxed === undefined || (paxed !== null && paxed > totalBytes)) dropFrom ??= position - whole.length;
      else nextSize = paxed;
    };

    for await (const chunk of source) {
      if (complete) {
        // the checksum of a gzip stream stands at its very end
        tail += chunk.length;
        if (tail > tailLimit) return;
        continue;
      }
      let offset = 0;
      while (offset < chunk.length) {
        if (remaining > 0) {
          const part = chunk.subarray(offset, offset + remaining);
          remaining -= part.length;
          offset += part.length;
          position += part.length;
          if (body === "pass") yield part;
          if (body !== "hold" || extension === null) continue;
          extension.parts.push(new Uint8Array(part));
          if (remaining === 0) endOfExtension(extension);
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
          if (zeroBlocks < 2) continue;
          complete = true;
          break;
        }
        const own = headerSize(header);
        if (own === null || own > totalBytes) {
          lostAt ??= at;
          continue;
        }
        zeroBlocks = 0;
        endOfLoss(at);
        const type = header[156] ?? 0;
        if (type === types.globalPax) {
          remaining = padded(own);
          body = "drop";
          continue;
        }
        if (types.extensions.includes(type)) {
          remaining = padded(own);
          if (own === 0) continue; // says nothing, and tar-stream stumbles over it
          if (own > extensionLimit) {
            dropFrom ??= at;
            body = "drop";
            continue;
          }
          extension = { type, size: own, parts: [rewritten(header, own)] };
          body = "hold";
          continue;
        }
        // tar-stream reads no body of a directory; links and devices have none, whatever their size says
        const bare = type >= types.link && type <= types.fifo ? 0 : own;
        const size = type === types.directory ? 0 : (nextSize ?? bare);
        remaining = padded(size);
        if (dropFrom !== null) {
          endOfDrop(position + remaining);
          body = "drop";
          continue;
        }
        const extensions = held.values();
        forgetHeld();
        body = "pass";
        yield* extensions;
        yield rewritten(header, size);
      }
    }
    if (complete) return;
    endOfLoss(position);
    endOfDrop(position);
    if (headerBytes > 0) lose(position - headerBytes, headerBytes, "header");
    if (body !== "pass" || remaining === 0 || remaining > entryBytes) return;
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

const padded = (size: number): number => Math.ceil(size / block) * block;

/** Whether a block is a tar header: magic, checksum, and a size that can be. */
export function isHeader(header: Uint8Array): boolean {
  return headerSize(header) !== null;
}

/** Whether a block was a tar header before something happened to it. */
export function looksLikeHeader(header: Uint8Array): boolean {
  return header.length >= block && isMagic(header);
}

/** "ustar" of POSIX and of GNU. */
function isMagic(header: Uint8Array): boolean {
  const magic = text(header, 257, 265);
  return magic.startsWith("ustar\0") || magic === "ustar  \0";
}

/** The size in a header; null when the block is none. */
function headerSize(header: Uint8Array): number | null {
  if (header.length < block || !isMagic(header)) return null;
  if (checksum(header) !== octal(text(header, 148, 156))) return null;
  const size = sizeOf(header);
  return Number.isSafeInteger(size) && size >= 0 ? size : null;
}

function checksum(header: Uint8Array): number {
  let sum = 8 * 32;
  for (let index = 0; index < block; index++) {
    if (index < 148 || index >= 156) sum += header[index] ?? 0;
  }
  return sum;
}

/** A copy of a header with this size, both written in the one way that every reader understands. */
function rewritten(header: Uint8Array, size: number): Uint8Array {
  const copy = Buffer.from(header.subarray(0, block));
  if (size < 8 ** 11) copy.write(`${size.toString(8).padStart(11, "0")} `, 124, "latin1");
  else {
    copy.fill(0, 124, 136);
    copy[124] = 0x80;
    copy.writeBigUInt64BE(BigInt(size), 128);
  }
  copy.write(`${checksum(copy).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return copy;
}

/** The size field: octal, or base 256 when its first bit is set (GNU, for 8 GiB and more). */
function sizeOf(header: Uint8Array): number {
  const first = header[124] ?? 0;
  if (first === 0x80) {
    let size = 0;
    for (let index = 125; index < 136; index++) size = size * 256 + (header[index] ?? 0);
    return size;
  }
  return first > 0x7f ? Number.NaN : octal(text(header, 124, 136));
}

/** Octal digits between blanks and NULs; 0 when there are none. */
function octal(field: string): number {
  const digits = field.replace(/^[ \0]+/, "").replace(/[\0 ].*$/s, "");
  return digits === "" ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/**
 * The `size` record of a pax extended header, which overrides the size field of the next header. The records are found as
 * tar-stream finds them.
 * @returns null when there is none, undefined when it is no number
 */
function paxSize(content: Buffer): number | null | undefined {
  let size: number | null | undefined = null;
  let rest = content;
  while (rest.length > 0) {
    const blank = rest.indexOf(0x20);
    const length = Number.parseInt(rest.toString("latin1", 0, Math.max(0, blank)), 10);
    if (length < 0) return undefined;
    if (Number.isNaN(length) || length === 0) break;
    const record = rest.toString("utf8", blank + 1, Math.max(blank + 1, length - 1));
    const equals = record.indexOf("=");
    if (equals < 0) break;
    if (record.slice(0, equals) === "size") {
      const value = record.slice(equals + 1);
      size = value === "" ? null : isCount(value) ? Number(value) : undefined;
    }
    rest = rest.subarray(length);
  }
  return size;
}

const isCount = (digits: string): boolean => /^\d+$/.test(digits) && Number.isSafeInteger(Number(digits));

function text(header: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...header.subarray(from, to));
}
