import { setTimeout as sleep } from "node:timers/promises";

const within = 30_000;
const pause = 50;

export interface WaitOptions {
  /** What to show when it was in vain. */
  readonly evidence?: () => string;
  /** Why it can never come any more; undefined while it can. */
  readonly hopeless?: () => string | undefined;
}

/**
 * Asks again and again until there is an answer.
 * @param what ends the sentence "waited in vain until ..."
 * @param ask gives undefined, or throws, while it is too early
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  { evidence = () => "", hopeless = () => undefined }: WaitOptions = {},
): Promise<T> {
  const end = Date.now() + within;
  for (;;) {
    const asked = await attempt(ask);
    if (asked.answer !== undefined) return asked.answer;
    const reason =
      hopeless() ?? (Date.now() > end ? `${within / 1000} s have passed${asked.reason}` : undefined);
    if (reason !== undefined) throw new Error(`waited in vain until ${what}: ${reason}\n${evidence()}`);
    await sleep(pause);
  }
}

async function attempt<T>(
  ask: () => Promise<T | undefined>,
): Promise<{ answer: T | undefined; reason: string }> {
  try {
    return { answer: await ask(), reason: "" };
  } catch (error) {
    return { answer: undefined, reason: `: ${String(error)}` };
  }
}
