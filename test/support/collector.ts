/** A mesh in memory for tests of the collector: targets that answer as they are told, and a bundle that can be looked at. */
import { setImmediate as nextTurn } from "node:timers/promises";

import type { BundleWriter, NewFile } from "../../src/bundle/writer.js";
import { Refusal, type Channel } from "../../src/collect/ask.js";
import type { CaptureLimits } from "../../src/collect/capture.js";
import type { Progress } from "../../src/collect/collect.js";
import type { Plan, PlannedTarget } from "../../src/collect/plan.js";
import type { TargetKind } from "../../src/collect/targets.js";
import type { Redactor } from "../../src/redact/types.js";
import { loadGauge, type LoadGauge } from "./live/load.js";

/** What a path is answered with; a function may wait, and throw a Refusal. */
export type Reply = string | Refusal | ((signal: AbortSignal) => string | Promise<string>);

export const notFound = new Refusal("absent", "404 page not found");
export const serverError = new Refusal("lasting", "HTTP 500: Internal Server Error");
export const notConnected = new Refusal(
  "absent",
  "Proxy not connected to this Pilot instance. It may be connected to another instance.",
);

export interface Asked {
  readonly target: string;
  readonly path: string;
}

/** All requests of a test in the order in which they began, and how many were under way. */
export interface Traffic {
  readonly asked: readonly Asked[];
  readonly load: LoadGauge;
  /** Of one target alone. */
  loadOf(target: string): LoadGauge;
  channel(target: string, replies: Readonly<Record<string, Reply>>, otherwise?: Reply): Channel;
  readonly closed: readonly string[];
}

export function traffic(): Traffic {
  const asked: Asked[] = [];
  const closed: string[] = [];
  const load = loadGauge();
  const loads = new Map<string, LoadGauge>();
  const loadOf = (target: string): LoadGauge => {
    const gauge = loads.get(target) ?? loadGauge();
    loads.set(target, gauge);
    return gauge;
  };
  return {
    asked,
    load,
    loadOf,
    closed,
    channel: (target, replies, otherwise = notFound) => ({
      get: async (path, onBytes, signal) => {
        asked.push({ target, path });
        const leave = [load.enter(), loadOf(target).enter()];
        try {
          const reply = replies[path] ?? otherwise;
          const text = typeof reply === "function" ? await unlessStopped(reply(signal), signal) : reply;
          if (text instanceof Refusal) throw text;
          await onBytes(Buffer.from(text));
        } finally {
          leave.forEach((end) => end());
        }
      },
      describe: (path) => `GET ${target}/${path}`,
      close: () => {
        closed.push(target);
        return Promise.resolve();
      },
    }),
  };
}

/** As a real request does: it ends when its signal says so. */
async function unlessStopped<T>(answer: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    answer,
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    }),
  ]);
}

/** Until the condition holds; a test that waits in vain ends by its time-out. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

/** Long enough for everything to happen that can happen without another event. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await nextTurn();
}

/** Something to wait for. */
export interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

export const quickLimits: CaptureLimits = { timeout: 30_000, maxSize: 1_000_000, retries: 0, backOff: 1 };

export const aTarget = (
  kind: TargetKind,
  name: string,
  channel: Channel,
  unreachable: string | null = null,
): PlannedTarget => {
  const [pod = "", namespace = ""] = name.split(".");
  return { kind, namespace, pod, unreachable, channel };
};

export const aPlan = (targets: readonly PlannedTarget[], more: Partial<Plan> = {}): Plan => ({
  cluster: "",
  targets,
  lists: null,
  failures: [],
  ...more,
});

export const noProgress: Progress = {
  targetDone: () => undefined,
  bytes: () => undefined,
  failures: () => undefined,
};

/** Takes nothing out. */
export const passThrough = (changes: Partial<Redactor> = {}): Redactor => ({
  profile: "internal",
  file: (name, content) => ({ outcome: "kept", name, content: [content], size: content.length }),
  text: (value) => value,
  name: (value) => value,
  rules: [],
  kept: [],
  notCovered: [],
  findings: [],
  allowed: [],
  names: new Map(),
  certificates: new Map(),
  ...changes,
});

export interface WrittenFile extends Pick<NewFile, "capturedAt" | "slices"> {
  readonly text: string;
}

/** A bundle whose files can be looked at, in order. */
export interface BundleInMemory extends BundleWriter {
  readonly files: ReadonlyMap<string, WrittenFile>;
}

/** @param before what happens before a file is taken; may throw as a full disk does */
export function bundleInMemory(
  before: (file: NewFile) => void | Promise<void> = () => undefined,
): BundleInMemory {
  const files = new Map<string, WrittenFile>();
  return {
    files,
    add: async (file) => {
      await before(file);
      const chunks: Uint8Array[] = [];
      for await (const chunk of file.content) chunks.push(chunk);
      const content = Buffer.concat(chunks);
      if (content.length !== file.size)
        throw new Error(`${file.name} has ${content.length} bytes, not ${file.size}`);
      if (files.has(file.name)) throw new Error(`${file.name} is there already`);
      files.set(file.name, {
        text: content.toString("utf8"),
        capturedAt: file.capturedAt,
        ...(file.slices === undefined ? {} : { slices: file.slices }),
      });
      return {
        name: file.name,
        size: file.size,
        sha256: "",
        capturedAt: file.capturedAt.toISOString(),
        member: { offset: 0, length: 1 },
      };
    },
    finish: (manifest) => Promise.resolve({ ...manifest, files: [] }),
  };
}

/** What a full disk says. */
export const noSpace = (): Error =>
  Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
