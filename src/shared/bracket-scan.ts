/**
 * Where values begin and end in a JSON text of megabytes, found by bracket-scan.wat: a fifth of the time that the same takes
 * in JavaScript, which V8 has to compile first.
 */
import { bracketScan } from "./bracket-scan.generated.js";

interface Scanner {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly begin: () => void;
  /** How many places were found, and the offset behind the text or why there is none. */
  readonly scan: (length: number) => [number, number];
}

/** Of the WebAssembly JavaScript interface what is used here. */
interface Assembly {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

/** Bytes that are looked at in one go, and where the places stand that are found in them. */
const pieceLength = 65536;
const block = 64;
const space = 0x20;
const backslashOutside = -2;

let scanner: Scanner | null = null;

/** null where the platform has no WebAssembly, or no vectors. */
function theScanner(): Scanner | null {
  const { WebAssembly: assembly } = globalThis as { readonly WebAssembly?: Assembly };
  if (scanner !== null || assembly === undefined) return scanner;
  const code = Uint8Array.from(bracketScan.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  try {
    scanner = new assembly.Instance(new assembly.Module(code)).exports as Scanner;
  } catch {
    return null; // slower without
  }
  return scanner;
}

/** Beginning and end of each object or array right inside of a value, in turn, and the offset behind it; null: it is cut off. */
export interface Inside {
  readonly places: readonly number[];
  readonly end: number | null;
}

/**
 * @param start of an object or array
 * @param most of the places that are wanted
 * @returns null where there are more, or a backslash stands outside of strings, also closely behind; or the platform cannot
 */
export function insideBrackets(bytes: Uint8Array, start: number, most: number): Inside | null {
  const own = theScanner();
  if (own === null) return null;
  const memory = new Uint8Array(own.memory.buffer);
  const found = new Int32Array(own.memory.buffer, pieceLength);
  const places: number[] = [];
  own.begin();
  for (let at = start; at < bytes.length; at += pieceLength) {
    const piece = bytes.subarray(at, at + pieceLength);
    const length = Math.ceil(piece.length / block) * block;
    memory.set(piece, 0);
    memory.fill(space, piece.length, length);
    const [count, end] = own.scan(length);
    if (end === backslashOutside || places.length + count > most) return null;
    for (let index = 0; index < count; index++) places.push(at + (found[index] ?? 0));
    if (end >= 0) return { places, end: at + end };
  }
  return { places, end: null };
}
