/**
 * Characters that would act on a terminal or reorder a line instead of being seen: C0 and C1 controls, DEL, line and
 * paragraph separators, bidirectional controls, zero-width marks, and lone surrogates. Names come from strangers.
 */
const invisible =
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** One line of text that shows every character, the invisible ones as `\u202e`. */
export function printable(text: string): string {
  return text.replace(invisible, (character) =>
    character === "\n" ? "\\n" : character === "\t" ? "\\t" : escapeOf(character),
  );
}

/** At most `length` characters of `text`, on one line. */
export function excerpt(text: string, length = 80): string {
  const pieces = Array.from(
    text
      .trim()
      .slice(0, length * 4)
      .replace(/\s+/g, " "),
    printable,
  );
  if (pieces.join("").length <= length) return pieces.join("");
  let line = "";
  for (const piece of pieces) {
    if (line.length + piece.length > length - 1) break;
    line += piece;
  }
  return `${line}…`;
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
