/**
 * Texts that a regular expression may stand for, made from its syntax. They are guesses: whoever asks tries them. What the
 * reader does not know (word boundaries, names of scripts) it passes over.
 */

/** Longer patterns, and longer texts, are not tried. */
const longest = 2000;
const deepest = 50;

/** How the open choices of a pattern are made. */
interface Choice {
  /** Which of several alternatives. */
  readonly alternative: number;
  /** How often what may be left out is there, at least. */
  readonly times: number;
}

const choices: readonly Choice[] = [
  { alternative: 0, times: 0 },
  { alternative: 0, times: 1 },
  { alternative: 1, times: 0 },
  { alternative: 1, times: 1 },
  { alternative: 2, times: 1 },
];

/** A few texts, each once; none of a pattern that is too long. */
export function examplesOf(pattern: string): readonly string[] {
  if (pattern.length > longest) return [];
  return [...new Set(choices.flatMap((choice) => new PatternReader(pattern, choice).example() ?? []))];
}

/** For classes of characters: the first that a class has stands for it. */
const usualCharacters = ["x", "1", "a", "Z", "-", "_", " ", ".", "/"];
const digits = "0123456789";
const blanks = " \t\n\f\r";
const isWordCharacter = (character: string): boolean => /^\w$/.test(character);
const classes: Readonly<Record<string, (character: string) => boolean>> = {
  d: (character) => digits.includes(character),
  D: (character) => !digits.includes(character),
  w: isWordCharacter,
  W: (character) => !isWordCharacter(character),
  s: (character) => blanks.includes(character),
  S: (character) => !blanks.includes(character),
};
const named: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v" };

/** Reads a pattern once, from its beginning to its end. */
class PatternReader {
  #at = 0;

  constructor(
    private readonly pattern: string,
    private readonly choice: Choice,
  ) {}

  /** null where the pattern is not understood. */
  example(): string | null {
    const text = this.#alternatives(0);
    return this.#at === this.pattern.length ? text : null;
  }

  #next(): string {
    return this.pattern.charAt(this.#at);
  }

  #skips(text: string): boolean {
    if (!this.pattern.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #alternatives(depth: number): string | null {
    const all: string[] = [];
    do {
      const text = this.#sequence(depth);
      if (text === null) return null;
      all.push(text);
    } while (this.#skips("|"));
    return all[Math.min(this.choice.alternative, all.length - 1)] ?? null;
  }

  #sequence(depth: number): string | null {
    let text = "";
    while (this.#at < this.pattern.length && this.#next() !== "|" && this.#next() !== ")") {
      const one = this.#one(depth);
      if (one === null) return null;
      const times = this.#times();
      if (text.length + one.length * times > longest) return null;
      text += one.repeat(times);
    }
    return text;
  }

  #one(depth: number): string | null {
    const character = this.#next();
    this.#at += 1;
    switch (character) {
      case "(":
        return this.#group(depth);
      case "[":
        return this.#set();
      case "\\":
        return this.#escape();
      case ".":
        return "x";
      case "^":
      case "$":
        return "";
      default:
        return character;
    }
  }

  #group(depth: number): string | null {
    if (depth === deepest) return null;
    if (this.#skips("?")) {
      // `(?:`, `(?i)`, `(?i:`, `(?P<name>`, `(?<name>`
      const end = /^(?:[a-zA-Z-]{0,8}[:)]|P?<\w{1,99}>)/.exec(this.pattern.slice(this.#at, this.#at + 110));
      if (end === null) return null;
      this.#at += end[0].length;
      if (end[0].endsWith(")")) return "";
    }
    const text = this.#alternatives(depth + 1);
    return this.#skips(")") ? text : null;
  }

  #escape(): string {
    const character = this.#next();
    this.#at += 1;
    const isIn = Object.hasOwn(classes, character) ? classes[character] : undefined;
    if (isIn !== undefined) return usualCharacters.find(isIn) ?? "";
    if (character === "b" || character === "B" || character === "A" || character === "z") return "";
    return (Object.hasOwn(named, character) ? named[character] : undefined) ?? character;
  }

  /** `[a-z_]`, `[^/]`, `[\w.-]`, `[[:alpha:]]` as the characters that it names. */
  #set(): string | null {
    const isNegated = this.#skips("^");
    const tests: ((character: string) => boolean)[] = [];
    let first = "";
    for (let isFirst = true; isFirst || this.#next() !== "]"; isFirst = false) {
      if (this.#at >= this.pattern.length) return null;
      if (this.#next() === "[" && this.#skips("[:")) {
        const end = this.pattern.indexOf(":]", this.#at);
        if (end < 0 || end - this.#at > 8) return null;
        this.#at = end + 2;
        tests.push(isWordCharacter);
        continue;
      }
      const { isIn, from } = this.#inSet();
      if (isIn !== null) {
        tests.push(isIn);
        continue;
      }
      if (first === "") first = from;
      const isRange = this.#next() === "-" && this.pattern.charAt(this.#at + 1) !== "]";
      if (isRange) this.#at += 1;
      const to = isRange ? this.#inSet().from : from;
      tests.push((character) => from <= character && character <= to);
    }
    this.#at += 1;
    const isNamed = (character: string): boolean => tests.some((test) => test(character));
    if (isNegated) return usualCharacters.find((character) => !isNamed(character)) ?? null;
    return usualCharacters.find(isNamed) ?? first;
  }

  /** A character of a set, or a class of characters in it. */
  #inSet(): { readonly isIn: ((character: string) => boolean) | null; readonly from: string } {
    const character = this.#next();
    this.#at += 1;
    if (character !== "\\") return { isIn: null, from: character };
    const escaped = this.#next();
    this.#at += 1;
    const isIn = Object.hasOwn(classes, escaped) ? classes[escaped] : undefined;
    return {
      isIn: isIn ?? null,
      from: (Object.hasOwn(named, escaped) ? named[escaped] : undefined) ?? escaped,
    };
  }

  /** How often the one before is there. */
  #times(): number {
    const times = this.#quantity();
    this.#skips("?"); // as few as can be: which they are does not matter
    return times;
  }

  #quantity(): number {
    if (this.#skips("*") || this.#skips("?")) return this.choice.times;
    if (this.#skips("+")) return 1;
    const count = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.pattern.slice(this.#at, this.#at + 12));
    if (count === null) return 1;
    this.#at += count[0].length;
    const least = Number(count[1]);
    const most = count[2] === undefined ? least : count[3] === "" ? Infinity : Number(count[3]);
    return Math.max(least, Math.min(this.choice.times, most));
  }
}
