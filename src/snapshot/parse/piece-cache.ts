/**
 * Remembers the raw bytes of pieces that were parsed, so that the next proxy's copy of the same resource is recognised by
 * comparing bytes: no parsing, no hashing, not even a search for its end. A hit is exact, never a guess by fingerprint.
 */
export interface PieceCache<T> {
  /** The remembered piece that stands at `start`, if any, and where it ends. */
  find(bytes: Uint8Array, start: number, kind: string): { readonly value: T; readonly end: number } | null;
  remember(bytes: Uint8Array, start: number, end: number, kind: string, value: T): void;
}

/** Bytes at the beginning of a piece that choose where to look; resources have their names in them. */
const window = 192;
/** Pieces with the same beginning that are kept apart. */
const bucketSize = 4;

interface Piece<T> {
  readonly bytes: Uint8Array;
  readonly kind: string;
  readonly value: T;
}

/**
 * @param same whether two stretches of equal length hold the same bytes
 * @param capacity bytes to remember; beyond it everything is forgotten and learnt anew
 */
export function pieceCache<T>(
  same: (a: Uint8Array, aStart: number, b: Uint8Array) => boolean,
  capacity: number,
): PieceCache<T> {
  const buckets = new Map<number, Piece<T>[]>();
  let held = 0;

  return {
    find(bytes, start, kind) {
      const bucket = buckets.get(keyOf(bytes, start));
      if (bucket === undefined) return null;
      for (const piece of bucket) {
        const end = start + piece.bytes.length;
        if (piece.kind === kind && end <= bytes.length && same(bytes, start, piece.bytes))
          return { value: piece.value, end };
      }
      return null;
    },
    remember(bytes, start, end, kind, value) {
      const last = bytes[end - 1];
      if (last !== 0x7d && last !== 0x5d) return; // only brackets end themselves: "12" also begins "123"
      held += end - start;
      if (held > capacity) {
        buckets.clear();
        held = end - start;
      }
      const key = keyOf(bytes, start);
      const bucket = buckets.get(key) ?? [];
      bucket.unshift({ bytes: new Uint8Array(bytes.subarray(start, end)), kind, value }); // a copy: Buffer's slice would hold the dump
      bucket.length = Math.min(bucket.length, bucketSize);
      buckets.set(key, bucket);
    },
  };
}

/** FNV-1a over the first bytes. */
function keyOf(bytes: Uint8Array, start: number): number {
  const end = Math.min(start + window, bytes.length);
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash;
}
