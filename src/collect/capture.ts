import { setMaxListeners } from "node:events";

import pRetry from "p-retry";

import { UserError } from "../shared/errors.js";
import { excerpt } from "../shared/printable.js";
import { answerEnd, type AnswerEnd, type ExpectedForm } from "./answer-end.js";
import { isAbsence, Refusal, type Channel, type RefusalKind } from "./ask.js";
import type { TemporaryFile, TemporaryFiles } from "./temporary-files.js";

export interface CaptureLimits {
  /** Milliseconds without a byte after which a request is given up; one that drips ends at `patience` times that. */
  readonly timeout: number;
  /** Bytes of one answer. */
  readonly maxSize: number;
  /** Tries after the first. */
  readonly retries: number;
  /** Milliseconds before the second try; doubles with each. */
  readonly backOff: number;
}

export const patience = 10;

export type Answer =
  | { readonly outcome: "answered"; readonly file: TemporaryFile; readonly askedAt: Date }
  | { readonly outcome: Exclude<RefusalKind, "transient" | "lasting"> | "failed"; readonly reason: string };

/** Texts longer than this are no 404 page. */
const longestAbsence = 64 * 1024;
const reasonLength = 200;
/** Istiod answers with objects and lists, and writes a list that it does not have as `null`. */
const jsonStart = /^(?:[[{]|null\s*$)/;

/**
 * Asks a target for one path, again where that may help, and keeps the answer in a temporary file of the caller's.
 * @param stop aborted when the user wants to end
 * @throws UserError when nothing can be asked or kept at all: no kubectl, a full disk
 */
export async function capture(
  channel: Channel,
  path: string,
  form: ExpectedForm,
  { timeout, maxSize, retries, backOff }: CaptureLimits,
  files: TemporaryFiles,
  stop: AbortSignal,
): Promise<Answer> {
  if (stop.aborted) return { outcome: "interrupted", reason: "not asked: the capture was stopped" };
  setMaxListeners(0, stop); // every request under way listens to it
  const file = await files.create();
  try {
    const askedAt = await pRetry(
      async () => {
        await file.clear();
        const at = new Date();
        const end = answerEnd(form);
        await once(channel, path, timeout, maxSize, file, end, stop);
        await check(file, form, end);
        return at;
      },
      {
        retries,
        minTimeout: backOff,
        factor: 2,
        randomize: true,
        signal: stop,
        shouldRetry: ({ error }) => error instanceof Refusal && error.kind === "transient",
      },
    );
    return { outcome: "answered", file, askedAt };
  } catch (error) {
    await file.close();
    if (stopped(stop)) return { outcome: "interrupted", reason: "the capture was stopped" };
    if (error instanceof UserError || !(error instanceof Refusal)) throw error;
    const { kind, message } = error;
    return { outcome: kind === "transient" || kind === "lasting" ? "failed" : kind, reason: message };
  }
}

/** One try. @throws Refusal */
async function once(
  channel: Channel,
  path: string,
  timeout: number,
  maxSize: number,
  file: TemporaryFile,
  end: AnswerEnd,
  stop: AbortSignal,
): Promise<void> {
  const giveUp = new AbortController();
  // not AbortSignal.any: it would leave something behind on `stop` for every request of a capture
  const onStop = (): void => giveUp.abort(new Refusal("interrupted", "the capture was stopped"));
  stop.addEventListener("abort", onStop, { once: true });
  const watch = silenceWatch(timeout, (refusal) => giveUp.abort(refusal));
  try {
    await channel.get(
      path,
      async (bytes) => {
        watch.heard();
        if (file.size + bytes.length > maxSize)
          throw new Refusal("too large", `the answer is larger than ${maxSize} bytes (--max-dump-size)`);
        end.see(bytes);
        await file.append(bytes);
      },
      giveUp.signal,
    );
  } catch (error) {
    giveUp.signal.throwIfAborted();
    throw error;
  } finally {
    watch.stop();
    stop.removeEventListener("abort", onStop);
  }
}

/** Quarters of the time, so that one long pause of our own (a big file redacted) counts as one tick and not as silence. */
const ticks = 4;

function silenceWatch(timeout: number, give: (refusal: Refusal) => void): { heard(): void; stop(): void } {
  let silent = 0;
  let all = 0;
  let anything = false;
  const seconds = timeout / 1000;
  const timer = setInterval(() => {
    silent++;
    all++;
    if (silent > ticks)
      give(
        new Refusal(
          "transient",
          anything
            ? `no more of the answer came for ${seconds}s (--timeout)`
            : `no answer within ${seconds}s (--timeout)`,
        ),
      );
    else if (all > ticks * patience)
      // one that drips would drip again, and each try lasts as long
      give(
        new Refusal(
          "lasting",
          `the answer was not complete within ${seconds * patience}s (${patience} times --timeout)`,
        ),
      );
  }, timeout / ticks);
  return {
    heard: () => {
      silent = 0;
      anything = true;
    },
    stop: () => clearInterval(timer),
  };
}

/** Whether the answer is what was asked for, and all of it. @throws Refusal */
async function check(file: TemporaryFile, form: ExpectedForm, end: AnswerEnd): Promise<void> {
  const head = (await file.head(longestAbsence)).toString("utf8");
  if (file.size < longestAbsence && isAbsence(head)) throw new Refusal("absent", excerpt(head, reasonLength));
  const start = head.trimStart();
  const isJson = form === "json" || form === "json or nothing";
  if (start === "") {
    if (form !== "json or nothing") throw new Refusal("transient", "the answer is empty");
  } else if (isJson && !jsonStart.test(start))
    throw new Refusal("lasting", `the answer is no JSON but: ${excerpt(head, reasonLength)}`);
  else if (!isJson && /^<(?:!doctype|html)\b/i.test(start))
    throw new Refusal("lasting", `the answer is a web page: ${excerpt(head, reasonLength)}`);
  if (!end.isReached()) throw new Refusal("transient", `the answer is cut off after ${file.size} bytes`);
}

/** A call, because the compiler holds a flag that was read once to be settled. */
const stopped = (signal: AbortSignal): boolean => signal.aborted;
