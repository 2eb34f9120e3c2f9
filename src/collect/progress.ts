import { createLogUpdate } from "log-update";

import { humanSize } from "../shared/size.js";
import type { Progress } from "./collect.js";
import type { PlannedTarget } from "./plan.js";
import type { TargetKind } from "./targets.js";

const plural: Readonly<Record<TargetKind, string>> = {
  istiod: "Istiods",
  proxy: "proxies",
  ztunnel: "ztunnels",
};
const barWidth = 20;

/** The state of a capture as one line: a bar, targets by kind, bytes, failures. */
export interface ProgressLine extends Progress {
  line(): string;
  end(): void;
}

/**
 * Draws the progress on a terminal, at most ten times a second; elsewhere it only counts.
 * @param now milliseconds
 */
export function progressLine(
  targets: readonly PlannedTarget[],
  stream: NodeJS.WriteStream,
  now: () => number = Date.now,
): ProgressLine {
  const all = new Map<TargetKind, { done: number; of: number }>();
  for (const { kind } of targets) {
    const count = all.get(kind) ?? { done: 0, of: 0 };
    count.of++;
    all.set(kind, count);
  }
  let size = 0;
  let failed = 0;
  const draw = stream.isTTY ? createLogUpdate(stream, { showCursor: true }) : null;
  let drawn = 0;

  const line = (): string => {
    const counts = [...all.values()];
    const done = counts.reduce((sum, count) => sum + count.done, 0);
    const filled = Math.round((barWidth * done) / Math.max(targets.length, 1));
    const bar = "█".repeat(filled) + "░".repeat(barWidth - filled);
    const parts = [
      ...[...all].map(([kind, count]) => `${plural[kind]} ${count.done}/${count.of}`),
      humanSize(size),
      ...(failed === 0 ? [] : [`${failed} failed`]),
    ];
    return `${bar} ${parts.join(", ")}`;
  };
  const update = (): void => {
    if (draw === null || now() - drawn < 100) return;
    drawn = now();
    draw(line().slice(0, Math.max((stream.columns || 80) - 1, 20)));
  };
  return {
    line,
    targetDone: ({ kind }) => {
      const count = all.get(kind);
      if (count !== undefined) count.done++;
      update();
    },
    bytes: (total) => {
      size = total;
      update();
    },
    failures: (count) => {
      failed = count;
      update();
    },
    end: () => draw?.clear(),
  };
}
