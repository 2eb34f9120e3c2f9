/**
 * Which of many texts stand somewhere inside another of them. Aho and Corasick's automaton (Communications of the ACM 18,
 * 1975): one pass over all, so that neither the number of texts nor what they hold makes it slow.
 * @param longest characters; longer texts are looked through, but not looked for
 * @returns the texts that are part of a different one
 */
export function containedTexts(texts: ReadonlySet<string>, longest: number): ReadonlySet<string> {
  const automaton = build([...texts].filter((text) => text.length <= longest));
  const found = new Set<string>();
  const walked = new Set<number>();
  for (const text of texts) {
    let state = root;
    for (let at = 0; at < text.length; at++) {
      state = follow(automaton, state, text.charCodeAt(at));
      // at its end a text finds itself, which does not count; what is shorter does
      const ending = automaton.texts[state] === text ? fallOf(automaton, state) : state;
      for (let each = ending; each !== root && !walked.has(each); each = fallOf(automaton, each)) {
        walked.add(each);
        const whole = automaton.texts[each];
        if (whole !== undefined) found.add(whole);
      }
    }
  }
  return found;
}

const root = 0;

/** A state stands for the beginning of one or more texts; the root for the empty one. */
interface Automaton {
  /** The state that is one character longer, by state and character. */
  readonly longer: ReadonlyMap<number, number>;
  /** By state: that of its longest ending which begins a text too. */
  readonly falls: readonly number[];
  /** By state: the text that ends there. */
  readonly texts: readonly (string | undefined)[];
}

const keyOf = (state: number, character: number): number => state * 0x10000 + character;

const fallOf = ({ falls }: Automaton, state: number): number => falls[state] ?? root;

function follow(automaton: Automaton, from: number, character: number): number {
  for (let state = from; ; state = fallOf(automaton, state)) {
    const next = automaton.longer.get(keyOf(state, character));
    if (next !== undefined) return next;
    if (state === root) return root;
  }
}

function build(texts: Iterable<string>): Automaton {
  const longer = new Map<number, number>();
  const ends: (string | undefined)[] = [undefined];
  const states: {
    readonly state: number;
    readonly from: number;
    readonly at: number;
    readonly by: number;
  }[] = [];
  for (const text of texts) {
    let from = root;
    for (let at = 0; at < text.length; at++) {
      const by = text.charCodeAt(at);
      let state = longer.get(keyOf(from, by));
      if (state === undefined) {
        state = ends.push(undefined) - 1;
        longer.set(keyOf(from, by), state);
        states.push({ state, from, at, by });
      }
      from = state;
    }
    ends[from] = text;
  }
  const falls = new Array<number>(ends.length).fill(root);
  const automaton = { longer, falls, texts: ends };
  // from short to long: what a state falls back to is shorter, and settled before it
  for (const { state, from, by } of states.sort((a, b) => a.at - b.at))
    if (from !== root) falls[state] = follow(automaton, fallOf(automaton, from), by);
  return automaton;
}
