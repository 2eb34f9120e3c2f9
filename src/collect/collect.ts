import { setMaxListeners } from "node:events";

import pLimit, { type LimitFunction } from "p-limit";

import { UserError } from "../shared/errors.js";
import { parseJson } from "../shared/json.js";
import { capture, type Answer, type CaptureLimits } from "./capture.js";
import { connectionsOf, proxyIds, rivalsFor, type Connections, type ProxyId } from "./connections.js";
import { FailureStreak } from "./failure-streak.js";
import { Ledger, targetId } from "./ledger.js";
import type { Packed, Packer } from "./packing.js";
import type { Plan, PlannedTarget } from "./plan.js";
import {
  configDump,
  connectionsQuestion,
  dnsTableQuestion,
  envoyQuestions,
  istiodQuestionsAfter,
  istiodQuestionsBefore,
  istiodQuestionsBeside,
  istiodViewQuestion,
  ztunnelQuestions,
  type Question,
} from "./questions.js";
import { captureSlices } from "./slice-capture.js";
import type { TargetKind } from "./targets.js";
import type { TemporaryFiles } from "./temporary-files.js";

/** What a capture tells while it runs. */
export interface Progress {
  /** A target has been asked everything. */
  targetDone(target: PlannedTarget): void;
  bytes(total: number): void;
  failures(count: number): void;
}

export interface CollectOptions {
  readonly limits: CaptureLimits;
  /** Requests under way at a time, over all targets. */
  readonly concurrency: number;
  readonly files: TemporaryFiles;
  readonly packer: Packer;
  /** Aborted when the user wants to end: what there is then is kept. */
  readonly stop: AbortSignal;
  readonly progress: Progress;
}

/** Of an Istiod at a time: what it would send a proxy it has to compute, and it has a mesh to serve. */
const requestsPerIstiod = 2;
const failuresInARow = 2;
/** Of what an Istiod would send the proxies: several of them may be what is wrong. */
const viewFailuresInARow = 5;

const rootFolder = "istio-snapshot";

const folderOf = ({ kind, namespace, pod }: PlannedTarget): string =>
  `${rootFolder}/${{ istiod: "istio", proxy: "proxies", ztunnel: "ztunnel" }[kind]}/${namespace}/${pod}`;

interface IstiodState {
  readonly target: PlannedTarget;
  /** null when it did not tell: then it is asked for every proxy. */
  readonly connections: Connections | null;
  readonly turn: LimitFunction;
  /** Of its views of proxies. */
  readonly streak: FailureStreak;
  /** What to ask for to get the view of a proxy: first its connection, then its name, should it have connected anew. */
  readonly idsOf: (proxy: string) => readonly ProxyId[];
}

interface Run extends CollectOptions {
  readonly ledger: Ledger;
  readonly request: LimitFunction;
  /** Aborted with the error that ends everything. */
  readonly fatal: AbortController;
}

/**
 * Asks every target of a plan and packs the answers: the sync state of every Istiod, then the proxies, each with what
 * Istiod would send it at the same time, then the sync state again.
 * @returns what was captured of whom
 * @throws UserError when nothing more can be asked or written; anything else is one target's failure
 */
export async function collect(plan: Plan, options: CollectOptions): Promise<Ledger> {
  const fatal = new AbortController();
  const stop = AbortSignal.any([options.stop, fatal.signal]);
  setMaxListeners(0, stop); // each request under way listens, and Node.js warns of more than ten
  const run: Run = {
    ...options,
    stop,
    ledger: new Ledger(plan.targets),
    request: pLimit(options.concurrency),
    fatal,
  };
  for (const { target, what, reason } of plan.failures) run.ledger.failed(target, what, reason);
  for (const target of plan.targets) noteUnreachable(target, run);
  const reachable = (kind: TargetKind): PlannedTarget[] =>
    plan.targets.filter((target) => target.kind === kind && target.unreachable === null);
  const proxies = reachable("proxy");

  await packLists(plan, run);
  const names = proxies.map(targetId);
  const states = await all(reachable("istiod"), (istiod) => askBefore(istiod, names, run), run);
  const speaking = states.filter((state) => hasSpoken(state, run));
  await all(
    [
      ...states.map((state) => () => askBeside(state, run)),
      ...proxies.map((proxy) => () => captureProxy(proxy, speaking, run)),
      ...reachable("ztunnel").map((ztunnel) => () => captureZtunnel(ztunnel, run)),
    ],
    (task) => task(),
    run,
  );
  await all(
    states,
    async ({ target }) => {
      await askAll(target, istiodQuestionsAfter, run);
      run.progress.targetDone(target);
    },
    run,
  );
  return run.ledger;
}

/** Runs tasks to their end, also when one of them ends everything: no file may be written to behind its back. */
async function all<T, R>(items: readonly T[], task: (item: T) => Promise<R>, run: Run): Promise<R[]> {
  const limit = pLimit(run.concurrency);
  const results = await Promise.allSettled(
    items.map((item) => limit(() => task(item).catch((error: unknown) => endAll(error, run)))),
  );
  run.fatal.signal.throwIfAborted();
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

/** The first such error is told: those that come after follow from it. */
function endAll(error: unknown, { fatal }: Run): never {
  fatal.abort(error);
  throw error;
}

function noteUnreachable(target: PlannedTarget, run: Run): void {
  if (target.unreachable === null) return;
  lose(target, "all files", target.unreachable, run);
  run.progress.targetDone(target);
}

async function packLists({ lists }: Plan, run: Run): Promise<void> {
  if (lists === null) return;
  const { pods, services } = lists;
  await packOwn(null, "cluster/pods.json", asJson({ pods: pods.items }), pods.askedAt, run);
  if (services !== null)
    await packOwn(null, "cluster/services.json", asJson({ services: services.items }), services.askedAt, run);
}

const asJson = (value: unknown): string => JSON.stringify(value, null, 1);

/** Packs a text of ours. @param target null: the cluster's */
async function packOwn(
  target: PlannedTarget | null,
  file: string,
  text: string,
  askedAt: Date,
  run: Run,
): Promise<void> {
  const folder = target === null ? rootFolder : folderOf(target);
  const packed = await run.packer.content(`${folder}/${file}`, Buffer.from(`${text}\n`), askedAt);
  if (packed.outcome === "dropped") lose(target, file, packed.reason, run);
  run.progress.bytes(run.packer.size);
}

/** The sync state before the proxies, and from it who is connected here. */
async function askBefore(target: PlannedTarget, names: readonly string[], run: Run): Promise<IstiodState> {
  const parsed = new Map<string, unknown>();
  await askAll(target, istiodQuestionsBefore, run, async (question, answer) => {
    if (question.form !== "json") return;
    try {
      parsed.set(question.path, parseJson(await answer.file.read(), question.file).value);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // it is kept as it is, and whoever reads the bundle is told
    }
  });
  const lists = parsed.get("debug/syncz");
  const syncz = Array.isArray(lists) ? lists : null; // anything else is no list, so it does not say who is connected
  const adsz = parsed.get("debug/adsz") ?? null;
  const connections = syncz === null && adsz === null ? null : connectionsOf(syncz, adsz);
  const byConnection = proxyIds(connections ?? connectionsOf(null, null), names);
  const byName = proxyIds(connectionsOf(null, null), [...names, ...(connections?.proxies ?? [])]);
  return {
    target,
    connections,
    turn: pLimit(requestsPerIstiod),
    streak: new FailureStreak(viewFailuresInARow),
    idsOf: (proxy) => [byConnection(proxy), byName(proxy)],
  };
}

/** Whether an Istiod said anything at all; one that did not would be silent once more for every proxy. */
function hasSpoken({ target, connections }: IstiodState, run: Run): boolean {
  if (connections !== null || run.ledger.outcome(target) !== "failed") return true;
  if (!run.stop.aborted) lose(target, "debug/config_dump", "not asked: nothing else was answered", run);
  return false;
}

const askBeside = async ({ target, turn }: IstiodState, run: Run): Promise<void> =>
  turn(() => askAll(target, istiodQuestionsBeside, run));

async function captureZtunnel(target: PlannedTarget, run: Run): Promise<void> {
  try {
    await askAll(target, ztunnelQuestions, run);
  } finally {
    await target.channel.close();
  }
  run.progress.targetDone(target);
}

/** One proxy: its dump and Istiod's of it at the same time, then the rest of it. */
async function captureProxy(target: PlannedTarget, states: readonly IstiodState[], run: Run): Promise<void> {
  if (run.stop.aborted) {
    lose(target, "all files", stoppedBefore, run);
    run.progress.targetDone(target);
    return;
  }
  const id = targetId(target);
  const listing = states.filter(({ connections }) => connections?.proxies.has(id) === true);
  const unsaid = states.filter(({ connections }) => connections === null);
  const [first, ...others] = [...listing, ...unsaid];

  let isAnswered = false;
  if (first === undefined) await keepDump(target, await ask(target, configDump, run), run);
  else {
    const [dump, view] = await atOnce(
      first.turn,
      () => ask(target, configDump, run),
      () => askView(target, first, run),
    );
    await keepDump(target, dump, run);
    isAnswered = await keepView(target, first, view, run);
  }
  for (const state of others) isAnswered = (await captureView(target, state, run)) || isAnswered;
  if (!isAnswered && listing.length > 0) {
    // it has gone over to another replica since the lists were taken
    for (const state of states.filter((each) => !listing.includes(each) && !unsaid.includes(each)))
      if (await captureView(target, state, run)) break;
  }
  await askAll(
    target,
    envoyQuestions.filter((question) => question !== configDump),
    run,
  );
  run.progress.targetDone(target);
}

/**
 * Asks a proxy and an Istiod at the same time. Istiod's turn ends with its own answer: a proxy that hangs keeps no other
 * one waiting.
 */
async function atOnce<A, B>(
  turn: LimitFunction,
  askProxy: () => Promise<A>,
  askIstiod: () => Promise<B>,
): Promise<[A, B]> {
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const answers = [
    begun.then(askProxy),
    turn(() => {
      begin();
      return askIstiod();
    }),
  ] as const;
  await Promise.allSettled(answers); // nobody may go on alone where the other one throws
  return Promise.all(answers);
}

interface View {
  readonly question: Question;
  readonly answer: Answer;
  readonly askedAt: Date;
  readonly dns: { readonly question: Question; readonly answer: Answer } | null;
}

/** What one Istiod would send a proxy; a text where it was not asked. */
async function askView(proxy: PlannedTarget, state: IstiodState, run: Run): Promise<View | string> {
  const { target, connections, streak } = state;
  const name = targetId(proxy);
  const ids = state.idsOf(name);
  const certain = [...new Set(ids.flatMap((each) => ("id" in each ? [each.id] : [])))];
  let view: View | null = null;
  for (const id of certain) {
    if (streak.isOver) return streak.reason;
    const question = istiodViewQuestion(proxy.namespace, proxy.pod, id);
    const askedAt = new Date();
    const answer = await ask(target, question, run);
    streak.saw(answer);
    view = { question, answer, askedAt, dns: null };
    if (answer.outcome === "absent") continue;
    if (answer.outcome === "answered" && connections?.ids.get(name)?.includes(id) !== true) {
      const rivals = await rivalsOf(proxy, id, state, run);
      if (rivals.length > 0) {
        await answer.file.close();
        return `Istiod might have taken ${rivals.slice(0, 3).join(", ")} for it`;
      }
    }
    if (connections?.dns.has(name) !== true) return view;
    const dns = dnsTableQuestion(proxy.namespace, proxy.pod, id);
    return { ...view, dns: { question: dns, answer: await ask(target, dns, run) } };
  }
  return view ?? `not asked: ${ids.flatMap((each) => ("unsure" in each ? [each.unsure] : []))[0] ?? ""}`;
}

/**
 * Whose connections an id fits now, where it is no connection's id but a name: proxies may have connected since the lists
 * were taken. Istiod's dump itself does not say whose it is.
 */
async function rivalsOf(
  proxy: PlannedTarget,
  id: string,
  { target }: IstiodState,
  run: Run,
): Promise<readonly string[]> {
  const question = connectionsQuestion(id);
  const answer = await ask(target, question, run);
  if (answer.outcome !== "answered") return [];
  try {
    return rivalsFor(id, targetId(proxy), parseJson(await answer.file.read(), question.file).value);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [];
  } finally {
    await answer.file.close();
  }
}

const captureView = async (proxy: PlannedTarget, state: IstiodState, run: Run): Promise<boolean> =>
  keepView(proxy, state, await state.turn(() => askView(proxy, state, run)), run);

/** @returns whether this Istiod knows the proxy */
async function keepView(
  proxy: PlannedTarget,
  { target }: IstiodState,
  view: View | string,
  run: Run,
): Promise<boolean> {
  const file = `debug/config_dump/${proxy.namespace}/${proxy.pod}`;
  if (typeof view === "string") {
    lose(target, file, view, run);
    return true;
  }
  const { question, answer, askedAt, dns } = view;
  if (dns !== null) await keep(target, dns.question, dns.answer, run);
  if (answer.outcome === "absent") {
    // "Proxy not connected to this Pilot instance" is an answer: it is kept as such
    await packOwn(target, file, answer.reason, askedAt, run);
    return false;
  }
  await keep(target, question, answer, run);
  return true;
}

/** The dump; where it is over the cap, by slices. */
async function keepDump(target: PlannedTarget, answer: Answer, run: Run): Promise<void> {
  if (answer.outcome !== "too large") {
    await keep(target, configDump, answer, run);
    return;
  }
  const { isKept, failures } = await captureSlices(
    `${folderOf(target)}/${configDump.file}`,
    answer.reason,
    (path) => ask(target, { ...configDump, path }, run),
    new FailureStreak(failuresInARow),
    run,
  );
  if (isKept) run.ledger.kept(target);
  for (const { what, reason } of failures) lose(target, what, reason, run);
  run.progress.bytes(run.packer.size);
}

const ask = (target: PlannedTarget, question: Question, run: Run): Promise<Answer> =>
  run.request(() =>
    capture(target.channel, question.path, question.form, run.limits, run.files, run.stop).catch(
      (error: unknown) => endAll(error, run),
    ),
  );

type Answered = Extract<Answer, { readonly outcome: "answered" }>;

/**
 * Asks one target several questions, one at a time, and packs the answers.
 * @param look at an answer before it is packed
 */
async function askAll(
  target: PlannedTarget,
  questions: readonly Question[],
  run: Run,
  look: (question: Question, answer: Answered) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  // a target of which there is nothing yet has one failure behind it
  const hasNothing = run.ledger.hasFailed(target) && run.ledger.outcome(target) === "failed";
  const streak = new FailureStreak(failuresInARow, hasNothing ? 1 : 0);
  for (const [index, question] of questions.entries()) {
    if (run.stop.aborted || streak.isOver) {
      const rest = questions.slice(index).map(({ file }) => file);
      lose(target, rest.join(", "), run.stop.aborted ? stoppedBefore : streak.reason, run);
      return;
    }
    const answer = await ask(target, question, run);
    if (answer.outcome === "answered") await look(question, answer);
    streak.saw(isNone(question, answer) ? { outcome: "absent" } : answer);
    await keep(target, question, answer, run);
  }
}

const stoppedBefore = "not asked: the capture was stopped";

/** Whether a target says that it does not offer this, and may. */
const isNone = ({ optional, notOffered }: Question, answer: Answer): boolean =>
  (answer.outcome === "absent" && optional) ||
  (answer.outcome !== "answered" && notOffered?.test(answer.reason) === true);

/** Packs an answer, or notes why there is none. */
async function keep(target: PlannedTarget, question: Question, answer: Answer, run: Run): Promise<void> {
  if (answer.outcome !== "answered") {
    if (!isNone(question, answer)) lose(target, question.file, answer.reason, run);
    return;
  }
  const packed: Packed = await run.packer.file(
    `${folderOf(target)}/${question.file}`,
    answer.file,
    answer.askedAt,
  );
  if (packed.outcome === "dropped") lose(target, question.file, packed.reason, run);
  else run.ledger.kept(target);
  run.progress.bytes(run.packer.size);
}

/** Notes what will be missing, and why. */
function lose(target: PlannedTarget | null, what: string, reason: string, run: Run): void {
  run.ledger.failed(target, what, reason);
  run.progress.failures(run.ledger.failureCount);
}
