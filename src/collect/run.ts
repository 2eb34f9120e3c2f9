import { randomBytes } from "node:crypto";
import { homedir } from "node:os";
import { finished } from "node:stream/promises";

import { bundleWriter } from "../bundle/writer.js";
import type { Manifest } from "../bundle/manifest.js";
import { programVersion } from "../bundle/program-version.js";
import { createRedactor } from "../redact/redactor.js";
import type { RedactionProfile, Redactor } from "../redact/types.js";
import { messageOf, UserError } from "../shared/errors.js";
import { exitCodes } from "../shared/exit-codes.js";
import type { CaptureLimits } from "./capture.js";
import { collect } from "./collect.js";
import { currentContext } from "./kube-context.js";
import { kubectl } from "./kubectl.js";
import { targetId, type Ledger } from "./ledger.js";
import { openOutput, type Output } from "./output.js";
import { packer, OutputError } from "./packing.js";
import { planAddresses, planCluster, type NamedAddress, type Plan } from "./plan.js";
import { progressLine } from "./progress.js";
import { dryRun, findingsText, planLine, summary } from "./summary.js";
import type { Filters } from "./targets.js";
import { temporaryFiles, type TemporaryFiles } from "./temporary-files.js";

/** What a user asked for, checked. */
export interface CollectorOptions {
  /** A path, or "-" for standard output. */
  readonly output: string;
  readonly kubectl: string;
  readonly context: string | null;
  readonly kubeconfig: string | null;
  readonly filters: Filters;
  /** With any of these Kubernetes is not asked. */
  readonly istiods: readonly NamedAddress[];
  readonly envoys: readonly NamedAddress[];
  readonly concurrency: number;
  readonly limits: CaptureLimits;
  readonly profile: RedactionProfile;
  readonly allowedFindings: ReadonlySet<string>;
  readonly dryRun: boolean;
}

/** What a run touches outside itself; a test gives its own. */
export interface Surroundings {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WriteStream;
  readonly openOutput: (path: string) => Promise<Output>;
  /** Aborted when the user wants to end with what there is. */
  readonly stop: AbortSignal;
  /** Told of what has to be undone where the process ends at once. */
  readonly onOutput: (output: Output | null) => void;
}

export const surroundings = (stop: AbortSignal): Surroundings => ({
  stdout: process.stdout,
  stderr: process.stderr,
  openOutput,
  stop,
  onOutput: () => undefined,
});

/**
 * Captures a mesh into one bundle.
 * @returns the exit code: 0 all captured, 1 written with gaps
 * @throws UserError when nothing was written
 */
export async function runCollector(options: CollectorOptions, around: Surroundings): Promise<number> {
  const start = new Date();
  const files = await temporaryFiles(null);
  try {
    const plan = await makePlan(options, files, around.stop);
    if (plan.targets.length === 0)
      throw new UserError(
        `there is no Istiod and no proxy to ask: check the context, -n, --revision and -i (${options.filters.istioNamespace})`,
      );
    if (options.dryRun) {
      around.stdout.write(dryRun(plan));
      return exitCodes.clean;
    }
    around.stderr.write(`${planLine(plan)}\n`);
    return await captureTo(plan, start, options, files, around);
  } finally {
    await files.remove();
  }
}

async function makePlan(options: CollectorOptions, files: TemporaryFiles, stop: AbortSignal): Promise<Plan> {
  const { istiods, envoys, filters, context, kubeconfig, limits } = options;
  if (istiods.length + envoys.length > 0) return planAddresses(istiods, envoys, filters.istioNamespace);
  return planCluster({
    kubectl: kubectl({ program: options.kubectl, context, kubeconfig }),
    filters,
    cluster: context ?? (await currentContext(kubeconfig)),
    limits,
    files,
    stop,
  });
}

async function captureTo(
  plan: Plan,
  start: Date,
  options: CollectorOptions,
  files: TemporaryFiles,
  around: Surroundings,
): Promise<number> {
  const redactor = createRedactor({
    profile: options.profile,
    salt: randomBytes(32),
    namespaces: new Set([
      ...plan.targets.map(({ namespace }) => namespace),
      ...(plan.lists?.pods.items ?? []).map(({ namespace }) => namespace),
    ]),
    allowedFindings: options.allowedFindings,
  });
  const output = await around.openOutput(options.output);
  around.onOutput(output);
  // every write has its own answer: an error that comes between two of them must not end the process
  output.stream.on("error", () => undefined);
  let map: NameMap | null = null;
  try {
    const writer = bundleWriter(output.stream);
    const progress = progressLine(plan.targets, around.stderr);
    let ledger: Ledger;
    try {
      ledger = await collect(plan, {
        limits: options.limits,
        concurrency: options.concurrency,
        files,
        packer: packer(writer, redactor),
        stop: around.stop,
        progress,
      });
    } finally {
      progress.end();
    }
    if (redactor.findings.length > 0) {
      around.stderr.write(findingsText(redactor.findings));
      throw new UserError(
        `nothing was written: ${redactor.findings.length} places still look like secrets after redaction (${options.profile}). Look at each in the mesh; --allow-finding <fingerprint> lets one pass`,
      );
    }
    const end = new Date();
    await writing(async () => {
      if (redactor.certificates.size > 0) {
        const content = Buffer.from(
          `${JSON.stringify(Object.fromEntries(redactor.certificates), null, 1)}\n`,
        );
        await writer.add({
          name: "istio-snapshot/certificates.json",
          size: content.length,
          content: [content],
          capturedAt: end,
        });
      }
      await writer.finish(manifestOf(plan, ledger, redactor, start, end));
    });
    map = await writeMap(options.output, redactor, around);
    const size = await writing(() => output.commit());
    await writing(async () => map?.output.commit());
    around.onOutput(null);
    around.stderr.write(
      summary(plan, ledger, redactor, {
        path: options.output,
        size,
        took: end.getTime() - start.getTime(),
        interrupted: around.stop.aborted,
        mapPath: map?.path ?? null,
      }),
    );
    return ledger.failureCount > 0 || around.stop.aborted ? exitCodes.found : exitCodes.clean;
  } catch (error) {
    output.discard();
    map?.output.discard();
    around.onOutput(null);
    throw error;
  }
}

async function writing<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw new OutputError(`cannot write the bundle: ${messageOf(error)}`);
  }
}

function manifestOf(
  plan: Plan,
  ledger: Ledger,
  redactor: Redactor,
  start: Date,
  end: Date,
): Omit<Manifest, "files"> {
  const named = (name: string): string => redactor.name(name);
  return {
    formatVersion: 1,
    program: { name: "istio-snapshot-collect", version: programVersion() },
    cluster: redactor.name(plan.cluster, "context"),
    start: start.toISOString(),
    end: end.toISOString(),
    targets: plan.targets.map((target) => ({
      kind: target.kind,
      namespace: named(target.namespace),
      name: named(target.pod),
      outcome: ledger.outcome(target),
    })),
    failures: ledger.failures.map(({ target, what, reason }) => ({
      target: target === null ? "cluster" : named(targetId(target)),
      what: fileNamed(what, named),
      reason: redactor.text(withoutUser(reason)),
    })),
    redaction: {
      profile: redactor.profile,
      rules: redactor.rules,
      kept: redactor.kept,
      notCovered: redactor.notCovered,
      allowedFindings: redactor.allowed.map(({ file, rule, fingerprint }) => ({ file, rule, fingerprint })),
    },
  };
}

/** A file below its target's folder as it may be written: what Istiod would send a proxy is named after that proxy. */
function fileNamed(file: string, named: (name: string) => string): string {
  const [, folder, namespace, pod] = /^(debug\/[^/]+)\/([^/]+)\/([^/]+)$/.exec(file) ?? [];
  return folder === undefined || namespace === undefined || pod === undefined
    ? file
    : `${folder}/${named(namespace)}/${named(pod)}`;
}

/** What tools say of whoever runs them: the user that the API server knows, the home folder in a path. */
function withoutUser(text: string): string {
  const home = homedir();
  return (home.length > 1 ? text.replaceAll(home, "~") : text).replace(/\bUser "[^"]*"/g, 'User "..."');
}

interface NameMap {
  readonly path: string;
  readonly output: Output;
}

/**
 * What tokens of names stand for: beside the bundle, for whoever made it, and never in it. It gets its name when the
 * bundle has its own.
 * @throws OutputError
 */
async function writeMap(
  bundle: string,
  { names, profile }: Redactor,
  around: Surroundings,
): Promise<NameMap | null> {
  if (bundle === "-" || names.size === 0) return null;
  const path = `${bundle}.map.json`;
  const output = await around.openOutput(path);
  try {
    const text = `${JSON.stringify({ profile, names: Object.fromEntries(names) }, null, 1)}\n`;
    await writing(() => finished(output.stream.end(text)));
  } catch (error) {
    output.discard();
    throw error;
  }
  return { path, output };
}
