/**
 * How large a pattern's program gets, told from its text: RE2 repeats a program for each count of `{n,m}`, so 20 characters
 * can stand for a thousand instructions, and compiling those takes the time that a hostile pattern wants.
 */

const counts = /\{(\d{1,6})(,?)(\d{0,6})\}/y;
/** Of a class or a script: no search for its end looks further, so that all of it stays linear. */
const longestName = 64;

/** An upper bound, roughly, of instructions; Infinity as soon as it is over the limit. Linear in the length. */
export function programSizeOf(pattern: string, limit: number): number {
  const outer: number[] = [];
  let size = 0;
  let atom = 0;
  let at = 0;
  const add = (length: number): void => {
    atom = length;
    size += length;
  };
  while (at < pattern.length) {
    const character = pattern.charAt(at);
    if (character === "\\") at = endOfEscape(pattern, at, add);
    else if (character === "[") at = endOfClass(pattern, at, add);
    else if (character === "(") {
      outer.push(size);
      size = 0;
      atom = 0;
      at += 1;
    } else if (character === ")") {
      const inner = size + 2;
      size = outer.pop() ?? 0;
      add(inner);
      at += 1;
    } else if (character === "{") {
      const times = repeats(pattern, at);
      if (times === null) add(1);
      else size += atom * Math.max(0, times.count - 1);
      at += times?.length ?? 1;
    } else {
      add(1);
      at += 1;
    }
    if (size > limit) return Infinity;
  }
  const total = outer.reduce((sum, one) => sum + one, size);
  return total > limit ? Infinity : total;
}

function repeats(pattern: string, at: number): { readonly count: number; readonly length: number } | null {
  counts.lastIndex = at;
  const match = counts.exec(pattern);
  if (match === null) return null;
  const [whole, low, comma, high] = match;
  const most = high === "" ? Number(low) + (comma === "" ? 0 : 1) : Number(high);
  return { count: most, length: whole.length };
}

function endOfEscape(pattern: string, at: number, add: (length: number) => void): number {
  if (pattern.charAt(at + 1) === "Q") {
    const end = pattern.indexOf("\\E", at + 2);
    add((end < 0 ? pattern.length : end) - at);
    return end < 0 ? pattern.length : end + 2;
  }
  add(1);
  if (/[pP]/.test(pattern.charAt(at + 1)) && pattern.charAt(at + 2) === "{")
    return at + 2 + nameLength(pattern, at + 2);
  if (pattern.startsWith("x{", at + 1)) return at + 2 + nameLength(pattern, at + 2);
  return at + 2;
}

/** Of `{Greek}`, so that it is not taken for a count. */
function nameLength(pattern: string, at: number): number {
  const end = pattern.slice(at, at + longestName).indexOf("}");
  return end < 0 ? 1 : end + 1;
}

/** A class is one instruction; a "]" that comes first in it is one of its characters. */
function endOfClass(pattern: string, at: number, add: (length: number) => void): number {
  add(1);
  let next = at + 1;
  if (pattern.charAt(next) === "^") next += 1;
  if (pattern.charAt(next) === "]") next += 1;
  while (next < pattern.length && pattern.charAt(next) !== "]") {
    if (pattern.charAt(next) === "\\") next += 2;
    else if (pattern.startsWith("[:", next)) {
      const end = pattern.slice(next + 2, next + longestName).indexOf(":]");
      next += end < 0 ? 1 : end + 4;
    } else next += 1;
  }
  return next + 1;
}
