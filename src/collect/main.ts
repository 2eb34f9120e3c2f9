import yargs from "yargs";

import { programVersion } from "../bundle/program-version.js";
import { redactionProfiles } from "../redact/types.js";
import { messageOf, UserError } from "../shared/errors.js";
import { exitCodes } from "../shared/exit-codes.js";
import { printable } from "../shared/printable.js";
import { parseSize } from "../shared/size.js";
import type { Output } from "./output.js";
import { parseAddress } from "./plan.js";
import { runCollector, surroundings, type CollectorOptions } from "./run.js";
import { isName } from "./targets.js";

const retries = 2;
const backOff = 500;

/** The collector's command line. Sets `process.exitCode`; never throws for what a user can cause. */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exitCode = exitCodes.failed;
  });
  const stop = new AbortController();
  let output: Output | null = null;
  const onSignal = (): void => {
    if (stop.signal.aborted) {
      output?.discard();
      process.exit(exitCodes.failed);
    }
    process.stderr.write("\nStopping: the bundle is finished with what there is. Once more gives up.\n");
    stop.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    const options = await parse(args);
    if (options === null) return;
    process.exitCode = await runCollector(options, {
      ...surroundings(stop.signal),
      onOutput: (open) => {
        output = open;
      },
    });
  } catch (error) {
    process.exitCode = exitCodes.failed;
    process.stderr.write(
      error instanceof UserError
        ? `istio-snapshot-collect: ${printable(error.message)}\n`
        : `istio-snapshot-collect: internal error, please report it: ${printable(error instanceof Error ? (error.stack ?? error.message) : messageOf(error))}\n`,
    );
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** @returns null where help or the version was printed */
async function parse(args: readonly string[]): Promise<CollectorOptions | null> {
  let printed = "";
  const parsed = await yargs([...args])
    .scriptName("istio-snapshot-collect")
    .usage(
      "$0 [workload...]\n\nCaptures a live Istio mesh into one bundle to attach to a ticket: what every Istiod has sent and would send, and what every Envoy holds. Reads only. Redacts before anything is written.",
    )
    .positional("workload", {
      type: "string",
      array: true,
      describe: "Only these: deploy/<name>[.namespace], sts/..., ds/..., pod, pod.namespace",
    })
    .option("output", {
      alias: "o",
      type: "string",
      requiresArg: true,
      describe: 'Where the bundle goes, "-" for standard output (default: istio-snapshot-<time>.tar.gz)',
    })
    .option("context", { type: "string", requiresArg: true, describe: "Context of the kubeconfig" })
    .option("kubeconfig", { type: "string", requiresArg: true, describe: "Kubeconfig file" })
    .option("istio-namespace", {
      alias: "i",
      type: "string",
      requiresArg: true,
      default: "istio-system",
      describe: "Namespace of Istiod",
    })
    .option("namespace", {
      alias: "n",
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe: "Only proxies of this namespace (repeatable)",
    })
    .option("exclude-namespace", {
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe: "No proxies of this namespace (repeatable)",
    })
    .option("revision", {
      alias: "r",
      type: "string",
      requiresArg: true,
      describe: "Only this revision of the control plane, and its proxies",
    })
    .option("concurrency", {
      type: "number",
      requiresArg: true,
      default: 8,
      describe: "Requests under way at a time",
    })
    .option("timeout", {
      type: "string",
      requiresArg: true,
      default: "30s",
      describe: "How long an answer may be silent: 30s, 2m",
    })
    .option("max-dump-size", {
      type: "string",
      requiresArg: true,
      default: "256MiB",
      describe: "Largest answer; a larger config dump is asked for in slices",
    })
    .option("kubectl", { type: "string", requiresArg: true, default: "kubectl", describe: "kubectl to use" })
    .option("redact", {
      choices: redactionProfiles,
      requiresArg: true,
      default: "internal" as const,
      describe: "What is taken out: secrets; and names of the outside; and all names; nothing",
    })
    .option("allow-finding", {
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe: "Let pass what the last look for secrets found, by its fingerprint (repeatable)",
    })
    .option("istiod", {
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe: "An Istiod without Kubernetes: name=http://127.0.0.1:15014 (repeatable)",
    })
    .option("envoy", {
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe: "An Envoy without Kubernetes: pod.namespace=http://127.0.0.1:15000 (repeatable)",
    })
    .option("dry-run", {
      type: "boolean",
      default: false,
      defaultDescription: "no",
      describe: "Print what would be asked, and end",
    })
    .example("$0 -o bundle.tar.gz", "the whole mesh of the current context")
    .example("$0 -n shop deploy/cart --redact support", "one workload, for somebody outside")
    .example("$0 --dry-run", "every request, without making one")
    .strictOptions()
    .parserConfiguration({ "parse-positional-numbers": false }) // a workload may be called 1e3
    .version(programVersion())
    .help()
    .alias("help", "h")
    .wrap(Math.min(process.stdout.columns || 80, 100))
    .epilogue(
      "Of kubectl it uses get, exec and port-forward. Exit codes: 0 all captured, 1 written with gaps, 2 nothing written.",
    )
    .fail((message: string | null, error: unknown) => {
      // yargs' own are about the arguments, too: one that wants a value and has none
      if (error instanceof Error && error.name !== "YError") throw error;
      throw new UserError(
        `${(message ?? "bad usage").replace(/\s*\n\s*/g, " ")} ("istio-snapshot-collect --help" lists what there is)`,
      );
    })
    .exitProcess(false)
    .parseAsync([...args], {}, (_error, _argv, output) => {
      printed = output;
    });
  if (printed !== "") {
    process.stdout.write(`${printed}\n`);
    return null;
  }
  for (const option of [
    "output",
    "context",
    "kubeconfig",
    "istio-namespace",
    "revision",
    "kubectl",
    "redact",
  ])
    checkSingle(option, parsed[option]);
  const { concurrency } = parsed;
  if (!Number.isSafeInteger(concurrency) || concurrency < 1)
    throw new UserError("--concurrency must be a whole number over 0");
  return {
    output: parsed.output ?? `istio-snapshot-${stamp(new Date())}.tar.gz`,
    kubectl: parsed.kubectl,
    context: parsed.context ?? null,
    kubeconfig: parsed.kubeconfig ?? null,
    filters: {
      istioNamespace: namespaceOf("istio-namespace", parsed.istioNamespace),
      namespaces: (parsed.namespace ?? []).map((name) => namespaceOf("namespace", name)),
      excludedNamespaces: (parsed.excludeNamespace ?? []).map((name) =>
        namespaceOf("exclude-namespace", name),
      ),
      revision: parsed.revision ?? null,
      workloads: parsed._.map(String),
    },
    istiods: (parsed.istiod ?? []).map((text) => parseAddress("--istiod", text)),
    envoys: (parsed.envoy ?? []).map((text) => parseAddress("--envoy", text)),
    concurrency,
    limits: {
      timeout: parseTime("timeout", parsed.timeout),
      maxSize: parseDumpSize("max-dump-size", parsed.maxDumpSize),
      retries,
      backOff,
    },
    profile: parsed.redact,
    allowedFindings: new Set(parsed.allowFinding ?? []),
    dryRun: parsed.dryRun,
  };
}

/** yargs makes a list of what is given twice, and takes `--flag=` for an empty text. @throws UserError */
function checkSingle(flag: string, value: unknown): void {
  if (Array.isArray(value)) throw new UserError(`--${flag} is given more than once`);
  if (value === "") throw new UserError(`--${flag} needs a value`);
}

/** @throws UserError */
function namespaceOf(flag: string, name: string): string {
  if (isName(name) && !name.includes(".")) return name;
  throw new UserError(`--${flag}: "${name}" is no name of a namespace`);
}

/** A day; a timer of Node.js ends at once beyond 24 of them. */
const longestTime = 86_400_000;

/** `30s`, `500ms`, `2m`, as milliseconds. @throws UserError */
function parseTime(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  const milliseconds = Number(match?.[1] ?? 0) * ({ ms: 1, s: 1000, m: 60_000 }[match?.[2] ?? ""] ?? 0);
  if (milliseconds >= 1 && milliseconds <= longestTime) return milliseconds;
  throw new UserError(`--${flag} must be a time such as 30s, not "${text}"`);
}

/** An answer is redacted as one buffer, and Node.js 20 makes none larger. */
const largestAnswer = 4 * 1024 ** 3;

/** @throws UserError */
function parseDumpSize(flag: string, text: string): number {
  const size = parseSize(flag, text);
  if (size <= largestAnswer) return size;
  throw new UserError(`--${flag} must be at most 4GiB, not "${text}"`);
}

/** `20260314T093000Z`, for a file's name. */
const stamp = (date: Date): string => date.toISOString().replaceAll(/[-:]|\.\d+/g, "");
