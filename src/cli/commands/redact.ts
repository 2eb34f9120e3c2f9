import { randomBytes } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { gzipSync } from "node:zlib";

import type { CommandModule } from "yargs";

import type { Limits } from "../../bundle/limits.js";
import type { OpenBundle } from "../../bundle/open.js";
import { copyAsBundle, copyAsTar, type Copied } from "../../bundle/redacted-copy.js";
import { isStricter, type RedactionRecord } from "../../bundle/redaction-record.js";
import { rewriteFile } from "../../bundle/rewrite.js";
import type { Survey } from "../../ingest/survey.js";
import { withNames } from "../../redact/certificates.js";
import { createRedactor } from "../../redact/redactor.js";
import type { Redactor } from "../../redact/types.js";
import { UserError } from "../../shared/errors.js";
import { exitCodes } from "../../shared/exit-codes.js";
import { parseJson } from "../../shared/json.js";
import type { ProblemList } from "../../shared/problem.js";
import { compareText } from "../../shared/sorting.js";
import type { CertificateSummary } from "../../shared/certificate-summary.js";
import { parseCertificates } from "../../snapshot/parse/certificates.js";
import { inputSource, type InputSource } from "../input-source.js";
import { remark } from "../output.js";
import { cannotWrite, openOutput, type OutputFile } from "../output-file.js";
import { remarkCopy, remarkFindings } from "../redaction-summary.js";
import { limitsOf, pathOf, withInput, type InputArgs } from "../snapshot-options.js";

interface RedactArgs extends InputArgs {
  output?: string | undefined;
  profile: "internal" | "support" | "public";
  allowFinding?: string[] | undefined;
}

export const redactCommand: CommandModule<object, RedactArgs> = {
  command: "redact [snapshot]",
  describe: "Write a copy of a snapshot without its secrets, to give away",
  builder: (yargs) =>
    withInput(
      yargs
        .positional("snapshot", {
          type: "string",
          describe: "A bundle, bug-report, must-gather, folder or dump; instead of -f",
        })
        .option("output", {
          alias: "o",
          type: "string",
          requiresArg: true,
          describe: 'File to write, "-" for standard output',
        })
        .option("profile", {
          choices: ["internal", "support", "public"] as const,
          default: "support" as const,
          requiresArg: true,
          describe:
            "internal: secrets go; support: also names of hosts outside the mesh and public addresses; public: all names and addresses",
        })
        .option("allow-finding", {
          type: "string",
          array: true,
          nargs: 1,
          describe: "Fingerprint of a finding that you have looked at and let pass; may be repeated",
        })
        .example("$0 redact bug-report.tar.gz -o for-support.tar.gz", "for the vendor's ticket")
        .example(
          "$0 redact bundle.tar.gz -o public.tar.gz --profile public",
          "public.tar.gz.map.json says what its tokens stand for: keep it",
        )
        .epilogue(
          "Exit codes: 0 all of it was copied, 1 copied without what could not be read or looked through, 2 nothing was written.",
        ),
    ),
  handler: async (args) => {
    const target = args.output ?? "";
    if (target === "") throw new UserError('name the file to write with -o, "-" for standard output');
    const allowed = new Set((args.allowFinding ?? []).map(fingerprintOf));
    const limits = limitsOf(args);
    const path = pathOf(args);
    await refuseOverwriting(path, target);
    const source = await inputSource(path);
    try {
      const { losses } = await redact(source, { ...args, target, allowed, limits });
      process.exitCode = losses.length > 0 ? exitCodes.found : exitCodes.clean;
    } finally {
      await source.close();
    }
  },
};

interface Task {
  readonly target: string;
  readonly profile: RedactArgs["profile"];
  readonly allowed: ReadonlySet<string>;
  readonly limits: Limits;
}

async function redact(source: InputSource, task: Task): Promise<Copied> {
  const { target, profile, allowed, limits } = task;
  const input = await source.open(limits);
  try {
    const survey = await surveyOf(source, input.form, limits);
    const redactor = createRedactor({
      profile,
      salt: randomBytes(32),
      namespaces: survey.namespaces,
      allowedFindings: allowed,
    });
    const output = await openOutput(target);
    let copied: Copied;
    try {
      copied = await copy(input, survey, redactor, output.stream, task);
      refuseFindings(redactor);
      if (copied.files === 0)
        throw new UserError(
          `nothing of it may be passed on: ${copied.losses[0]?.reason ?? "it holds no file"}`,
        );
      await commit(output, redactor, target);
    } catch (error) {
      const { errored } = output.stream;
      await output.discard();
      throw errored === null ? error : cannotWrite(target, errored);
    }
    if (survey.redaction !== null && isStricter(survey.redaction, profile))
      remark(
        `the input was redacted more strictly before (${survey.redaction.profile}); what that took out stays out`,
      );
    remarkCopy(copied, redactor, {
      target,
      allowed,
      isDocument: input.form === "document",
      map: hasMap(redactor, target) ? mapPath(target) : null,
    });
    return copied;
  } finally {
    await input.close();
  }
}

/** A bare document may be a file that no analysis reads, such as a log: of that nothing is known beforehand. */
async function surveyOf(source: InputSource, form: OpenBundle["form"], limits: Limits): Promise<Survey> {
  try {
    return await source.survey(limits);
  } catch (error) {
    if (form !== "document" || !(error instanceof UserError)) throw error;
    return { namespaces: new Set(), manifest: null, redaction: null };
  }
}

function copy(
  input: OpenBundle,
  survey: Survey,
  redactor: Redactor,
  output: Writable,
  { limits, target }: Task,
): Promise<Copied> {
  if (input.form === "document") return copyDocument(input, redactor, output, limits, target);
  const options = {
    output,
    limits,
    rewriter: redactor,
    record: () => recordOf(redactor),
    certificates: () => redactor.certificates,
    earlierCertificates: (bytes: Uint8Array, entry: string, problems: ProblemList) =>
      renamedCertificates(parseCertificates(parseJson(bytes, entry).value, entry, problems), redactor),
  };
  return survey.manifest === null ? copyAsTar(input, options) : copyAsBundle(input, survey.manifest, options);
}

/** Names that an earlier, weaker redaction left in what is known of certificates. */
const renamedCertificates = (
  certificates: ReadonlyMap<string, CertificateSummary>,
  redactor: Redactor,
): ReadonlyMap<string, CertificateSummary> =>
  new Map(
    [...certificates].map(([token, { subject, issuer, serial, notBefore, notAfter, sans, sha256, isCa }]) => [
      token,
      withNames({ subject, issuer, serial, notBefore, notAfter, sans, sha256, isCa }, (name) =>
        redactor.name(name),
      ),
    ]),
  );

/** One file stays one file; what was taken out of it only standard error says. */
async function copyDocument(
  input: OpenBundle,
  redactor: Redactor,
  output: Writable,
  limits: Limits,
  target: string,
): Promise<Copied> {
  const losses: { file: string; reason: string }[] = [];
  const notes: string[] = [];
  let files = 0;
  const entries = input.entries(({ severity, entry, message }) => {
    if (severity === "lost") losses.push({ file: entry, reason: message });
    else notes.push(message);
  });
  for await (const entry of entries) {
    const { bytes } = await entry.read();
    // it was inflated when it was opened
    const file = await rewriteFile(entry.name.replace(/\.gz$/i, ""), bytes, redactor, limits);
    if (file.outcome === "dropped") {
      losses.push({ file: entry.name, reason: file.reason });
      continue;
    }
    files++;
    const isDeflated = /\.gz$/i.test(target);
    for (const chunk of isDeflated ? [gzipSync(Buffer.concat(file.content))] : file.content)
      output.write(chunk);
  }
  output.end();
  await finished(output);
  return { files, losses, notes, record: recordOf(redactor) };
}

function recordOf({ profile, rules, kept, notCovered, allowed }: Redactor): RedactionRecord {
  return {
    profile,
    rules: rules.map(({ rule, count, files }) => ({ rule, count, files })),
    kept: kept.map(({ what, why }) => ({ what, why })),
    notCovered: [...notCovered],
    allowedFindings: allowed.map(({ file, rule, fingerprint }) => ({ file, rule, fingerprint })),
  };
}

/** @throws UserError when something that looks like a secret is left, and nobody has let it pass */
function refuseFindings({ findings }: Redactor): void {
  if (findings.length === 0) return;
  remarkFindings(findings);
  throw new UserError(
    `nothing was written: ${findings.length === 1 ? "a place still looks" : `${findings.length} places still look`} like a secret after redaction. Look at it, and if it is none, let it pass with --allow-finding <fingerprint>`,
  );
}

/** Puts the copy in its place, and beside it what its tokens stand for. */
async function commit(output: OutputFile, redactor: Redactor, target: string): Promise<void> {
  if (hasMap(redactor, target)) {
    const map = await openOutput(mapPath(target));
    const inOrder = [...redactor.names].sort(([a], [b]) => compareText(a, b));
    try {
      map.stream.end(`${JSON.stringify(Object.fromEntries(inOrder), null, 1)}\n`);
      await finished(map.stream);
      await map.commit();
    } catch (error) {
      await map.discard();
      throw cannotWrite(mapPath(target), error);
    }
  }
  await output.commit();
}

const mapPath = (target: string): string => `${target}.map.json`;
const hasMap = ({ names }: Redactor, target: string): boolean => names.size > 0 && target !== "-";

function fingerprintOf(text: string): string {
  if (/^[0-9a-f]{16}$/i.test(text)) return text.toLowerCase();
  throw new UserError(
    `--allow-finding takes the 16 hexadecimal digits of a finding's fingerprint, not "${text}"`,
  );
}

/** @throws UserError when the output would be the input, or a part of it */
async function refuseOverwriting(input: string, target: string): Promise<void> {
  if (input === "-" || target === "-") return;
  const from = await stat(input).catch(() => null); // that it is not there opening it says
  if (from === null) return;
  for (const written of [target, `${target}.partial`, mapPath(target)]) {
    const to = await stat(written).catch(() => null);
    if (to !== null && to.dev === from.dev && to.ino === from.ino)
      throw new UserError(`${written} is the input; name another file with -o`);
  }
  if (!from.isDirectory()) return;
  const folder = await realpath(dirname(resolve(target))).catch(() => resolve(target));
  const root = await realpath(input);
  if (folder === root || folder.startsWith(`${root}${sep}`))
    throw new UserError(`${target} lies in the folder that is redacted; name a place outside of it with -o`);
}
