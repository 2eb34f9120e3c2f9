/** Answers that many proxies share: each is made once, and again only for a proxy whose runtime says something else. */
import type { Runtime } from "../match-context.js";

interface Answer<T> {
  /** Keys that the answer hangs on, and what they were. */
  readonly asked: ReadonlyMap<string, unknown>;
  readonly value: T;
}

/** More answers to one question are not kept. */
const mostKept = 8;

/** Answers to questions that an object and a text name. */
export class SharedAnswers<T> {
  readonly #known = new WeakMap<object, Map<string, Answer<T>[]>>();

  /** @param make asked with a runtime that notes what is read of it */
  of(about: object, question: string, runtime: Runtime, make: (runtime: Runtime) => T): T {
    const ofObject = this.#known.get(about) ?? new Map<string, Answer<T>[]>();
    this.#known.set(about, ofObject);
    const answers = ofObject.get(question) ?? [];
    ofObject.set(question, answers);
    const known = answers.find(({ asked }) =>
      [...asked].every(([key, value]) => Object.is(runtime.value(key), value)),
    );
    if (known !== undefined) return known.value;
    const asked = new Map<string, unknown>();
    const value = make({
      value: (key) => {
        const own = runtime.value(key);
        asked.set(key, own);
        return own;
      },
    });
    if (answers.length < mostKept) answers.push({ asked, value });
    return value;
  }
}
