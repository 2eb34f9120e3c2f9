import { humanDuration } from "../shared/duration.js";
import { excerpt, printable } from "../shared/printable.js";
import { humanSize } from "../shared/size.js";
import { textTable } from "../shared/text-table.js";
import type { Redactor, ScanFinding } from "../redact/types.js";
import { targetId, type Ledger } from "./ledger.js";
import type { Plan, PlannedTarget } from "./plan.js";
import {
  envoyQuestions,
  istiodQuestionsAfter,
  istiodQuestionsBefore,
  istiodQuestionsBeside,
  ztunnelQuestions,
  type Question,
} from "./questions.js";
import type { TargetKind } from "./targets.js";

const kinds: readonly { readonly kind: TargetKind; readonly one: string; readonly many: string }[] = [
  { kind: "istiod", one: "Istiod", many: "Istiods" },
  { kind: "proxy", one: "proxy", many: "proxies" },
  { kind: "ztunnel", one: "ztunnel", many: "ztunnels" },
];

const countOf = (count: number, { one, many }: { one: string; many: string }): string =>
  `${count} ${count === 1 ? one : many}`;

/** `2 Istiods, 14 proxies`: what a capture is about to ask. */
export function planLine({ targets, cluster }: Plan): string {
  const parts = kinds
    .map((kind) => ({ kind, count: targets.filter((target) => target.kind === kind.kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => countOf(count, kind));
  return `Asking ${parts.join(", ")}${cluster === "" ? "" : ` of ${printable(cluster)}`}. Nothing in the mesh is changed.`;
}

/** Every request that a capture would make, for `--dry-run`. */
export function dryRun(plan: Plan): string {
  const lines = plan.targets.flatMap((target) => [
    `${target.kind} ${targetId(target)}`,
    ...(target.unreachable === null
      ? requestsOf(target).map((request) => `  ${request}`)
      : [`  ${target.unreachable}`]),
  ]);
  return lines.map((line) => `${printable(line)}\n`).join("");
}

function requestsOf({ kind, channel }: PlannedTarget): string[] {
  const asked = (questions: readonly Pick<Question, "path">[]): string[] =>
    questions.map(({ path }) => channel.describe(path));
  if (kind === "proxy") return asked(envoyQuestions);
  if (kind === "ztunnel") return asked(ztunnelQuestions);
  return [
    ...asked(istiodQuestionsBefore),
    ...asked([
      { path: "debug/config_dump?proxyID=<each proxy that it lists>&include_eds" },
      { path: "debug/ndsz?proxyID=<each of them with DNS capture>" },
    ]),
    ...asked(istiodQuestionsBeside),
    ...asked(istiodQuestionsAfter).map((request) => `${request} (again, at the end)`),
  ];
}

const failuresShown = 10;
const reasonLength = 200;

export interface Result {
  readonly path: string;
  /** Bytes of the bundle. */
  readonly size: number;
  /** Milliseconds. */
  readonly took: number;
  readonly interrupted: boolean;
  /** Where the map of tokens was written, null when there is none. */
  readonly mapPath: string | null;
}

/** What was captured, what was not and why, and the next step. */
export function summary(
  { targets }: Plan,
  ledger: Ledger,
  redactor: Redactor,
  { path, size, took, interrupted, mapPath }: Result,
): string {
  const captured = kinds.flatMap((kind) => {
    const own = targets.filter((target) => target.kind === kind.kind);
    if (own.length === 0) return [];
    const outcomes = own.map((target) => ledger.outcome(target));
    const partial = outcomes.filter((outcome) => outcome === "partial").length;
    const kept = outcomes.filter((outcome) => outcome !== "failed").length;
    return [`${kept} of ${countOf(own.length, kind)}${partial === 0 ? "" : ` (${partial} in part)`}`];
  });
  const { failures } = ledger;
  const counts = redactor.rules.filter(({ count }) => count > 0).map(({ rule, count }) => `${rule} ${count}`);
  return [
    paragraph(`${interrupted ? "Stopped. " : ""}Captured ${captured.join(", ")} in ${humanDuration(took)}.`),
    redactor.profile === "none"
      ? "NOT redacted (--redact none): treat the bundle as you treat the mesh's secrets."
      : paragraph(
          `Redacted (${redactor.profile}): ${counts.length === 0 ? "no value had to be replaced" : counts.join(", ")}.`,
        ),
    ...(failures.length === 0
      ? []
      : [
          `Not captured (${failures.length}):`,
          ...failures
            .slice(0, failuresShown)
            .map(
              ({ target, what, reason }) =>
                `  ${target === null ? "cluster" : targetId(target)}: ${printable(what)}: ${excerpt(reason, reasonLength)}`,
            ),
          ...(failures.length > failuresShown
            ? [`  and ${failures.length - failuresShown} more ("istio-snapshot verify" lists all)`]
            : []),
        ]),
    ...(mapPath === null
      ? []
      : [
          `What the tokens stand for is in ${printable(mapPath)}:`,
          "  keep it to yourself, it is not in the bundle.",
        ]),
    ...(path === "-"
      ? [`The bundle has ${humanSize(size)}.`]
      : [`Wrote ${printable(path)} (${humanSize(size)}).`, `Next: istio-snapshot ps -f ${printable(path)}`]),
    "",
  ].join("\n");
}

const columns = 80;

/** A text in lines that fit a terminal, those after the first indented. */
function paragraph(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

/** What the last look found: a list to check, and how to go on. */
export function findingsText(findings: readonly ScanFinding[]): string {
  return textTable(
    ["FILE", "WHERE", "LOOKS LIKE", "FINGERPRINT"],
    findings.map(({ file, pointer, offset, rule, fingerprint }) => [
      file,
      pointer === "" ? `byte ${offset}` : pointer,
      rule,
      fingerprint,
    ]),
    { padding: 2 },
  );
}
