/**
 * Strings of JSON that were seen before, found by their bytes without decoding them: a dump says the same few thousand
 * things over and over. Of fixed size; a newcomer takes the place of what was there, so nothing a file holds can fill it.
 */
export class StringCache<Entry> {
  readonly #slots: (Slot<Entry> | undefined)[] = new Array<Slot<Entry> | undefined>(size);

  /** @param hash of the bytes, as `hashByte` makes it */
  get(bytes: Uint8Array, start: number, end: number, hash: number): Entry | undefined {
    const slot = this.#slots[slotOf(hash)];
    if (slot?.hash !== hash || slot.bytes.length !== end - start) return undefined;
    const known = slot.bytes;
    for (let index = 0; index < known.length; index++)
      if (known[index] !== bytes[start + index]) return undefined;
    return slot.entry;
  }

  set(bytes: Uint8Array, start: number, end: number, hash: number, entry: Entry): void {
    if (end - start > longest) return;
    const copy = new Uint8Array(end - start);
    for (let index = 0; index < copy.length; index++) copy[index] = bytes[start + index] ?? 0;
    this.#slots[slotOf(hash)] = { hash, bytes: copy, entry };
  }
}

interface Slot<Entry> {
  readonly hash: number;
  /** A copy: the cache must not keep a whole dump. */
  readonly bytes: Uint8Array;
  readonly entry: Entry;
}

const size = 1 << 17;
/** The high bits of this hash are the better mixed ones. */
const slotOf = (hash: number): number => (hash ^ (hash >>> 15)) & (size - 1);
/** A certificate in base64 still fits. */
const longest = 8 * 1024;

/** FNV-1a (RFC 9923), a byte at a time. */
export const hashStart = 0x811c9dc5 | 0;
export const hashByte = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);
