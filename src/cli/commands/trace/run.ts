import { open } from "node:fs/promises";

import type { ArgumentsCamelCase } from "yargs";
import { parse } from "yaml";

import { incompleteness } from "../../../report/build-report.js";
import { messageOf, UserError } from "../../../shared/errors.js";
import { exitCodes } from "../../../shared/exit-codes.js";
import { excerpt } from "../../../shared/printable.js";
import { humanSize } from "../../../shared/size.js";
import type { Snapshot } from "../../../snapshot/model.js";
import type { TraceResult } from "../../../trace/result.js";
import { checkRoutes, isRouterCheck } from "../../../trace/router-check.js";
import { traceRequest } from "../../../trace/trace.js";
import { document, formOf, painter, print, remark, remarkGaps, remarkRedaction } from "../../output.js";
import { pathOf } from "../../snapshot-options.js";
import { runAll } from "./all.js";
import { casesJson, casesJunit, casesTable } from "./cases-output.js";
import { parseCases, runCase, type CaseResult, type TraceCase } from "./cases.js";
import { readAll, readAndTrace, startOf, type ReadArgs } from "./read.js";
import { headerOf, traceInput, type RequestWords } from "./request.js";
import { traceJson } from "./trace-json.js";
import { traceText } from "./trace-text.js";

export interface TraceArgs extends ReadArgs {
  url?: string | undefined;
  request?: string | undefined;
  header?: string[] | undefined;
  direction?: "outbound" | "inbound" | undefined;
  originalDst?: string | undefined;
  sourceIp?: string | undefined;
  tls?: boolean | undefined;
  sni?: string | undefined;
  alpn?: string | undefined;
  random?: string | undefined;
  allBranches?: boolean | undefined;
  cases?: string | undefined;
  all?: boolean | undefined;
  output: string;
  color?: boolean | undefined;
}

type Args = ArgumentsCamelCase<TraceArgs>;

/** Arguments that are lists: headers, and the words that yargs keeps. */
const isList: ReadonlySet<string> = new Set(["_", "header", "H"]);

/** Prints the path of a request, or what came of many; sets the exit code. @throws UserError */
export async function runTrace(args: Args): Promise<void> {
  const twice = Object.entries(args).find(([name, value]) => Array.isArray(value) && !isList.has(name));
  if (twice !== undefined) throw new UserError(`--${twice[0]} may be given once`);
  if (args.all === true) await all(args);
  else if (args.cases === undefined) await one(args);
  else await many(args, args.cases);
}

async function one(args: Args): Promise<void> {
  if (args.output === "junit") throw new UserError("-o junit is for --cases");
  const form = formOf(args.output);
  if (args.url === undefined)
    throw new UserError(
      "name a URL such as http://reviews:9080/reviews/0, or ask for --all, or name a file with --cases",
    );
  const words = wordsOf(args, args.url);
  traceInput(words, ""); // what is wrong with it need not wait for the snapshot
  const { snapshot, result } = await readAndTrace(args, (read, from) =>
    traceRequest(read, traceInput(words, from)),
  );
  const missing = incompleteness(snapshot);
  const answer =
    form === "table"
      ? traceText(result, painter(args.color))
      : document({ ...traceJson(result), ...(missing.length === 0 ? {} : { incomplete: missing }) }, form);
  await print(answer);
  if (result.outcome.kind === "unknown")
    remark(
      `what comes of the request cannot be known: ${result.unknowns[0]?.message ?? "the snapshot does not tell"}`,
    );
  remarkGaps(snapshot);
  remarkRedaction(snapshot, answer);
  process.exitCode = fails(result) ? exitCodes.found : exitCodes.clean;
}

const fails = ({ outcome, branches }: TraceResult): boolean =>
  [outcome, ...branches.filter(({ share }) => share !== 0).map((branch) => branch.outcome)].some(
    ({ kind }) => kind === "failure",
  );

function wordsOf(args: Args, url: string): RequestWords {
  return {
    url,
    method: args.request,
    headers: (args.header ?? []).flatMap(headerOf),
    direction: args.direction,
    originalDst: args.originalDst,
    sourceIp: args.sourceIp,
    tls: args.tls,
    sni: args.sni,
    alpn: args.alpn?.split(",").filter((name) => name !== ""),
    random: args.random,
    allBranches: args.allBranches,
  };
}

const ofOneRequest = [
  "url",
  "request",
  "header",
  "direction",
  "originalDst",
  "sourceIp",
  "tls",
  "sni",
  "alpn",
  "random",
  "allBranches",
] as const;

async function all(args: Args): Promise<void> {
  if (args.output === "junit") throw new UserError("-o junit is for --cases");
  if ([...ofOneRequest, "cases" as const].some((name) => args[name] !== undefined))
    throw new UserError("--all makes the requests itself: leave out the URL, its flags and --cases");
  await runAll(args);
}

async function many(args: Args, file: string): Promise<void> {
  const form = args.output === "junit" ? "junit" : formOf(args.output);
  if (ofOneRequest.some((name) => args[name] !== undefined))
    throw new UserError("the file of --cases holds the requests: leave out the URL and its flags");
  const text = await textOf(file);
  const value = yamlOf(text, file);
  const { results, snapshot } = isRouterCheck(value)
    ? { results: await routerCheck(args, text), snapshot: null }
    : await traceCases(args, parseCases(value, file));
  const answer =
    form === "junit"
      ? casesJunit(results, file)
      : form === "table"
        ? casesTable(results, painter(args.color))
        : document(casesJson(results), form);
  await print(answer);
  if (snapshot !== null) {
    remarkGaps(snapshot);
    remarkRedaction(snapshot, answer);
  }
  process.exitCode = results.every(({ passed }) => passed) ? exitCodes.clean : exitCodes.found;
}

/** Each of Envoy's own tests, against the route configuration that the snapshot is. */
async function routerCheck(args: Args, tests: string): Promise<CaseResult[]> {
  return checkRoutes(await textOf(pathOf(args)), tests).map(({ name, passed, fields }) => ({
    name,
    passed,
    error: null,
    fields,
  }));
}

async function traceCases(
  args: Args,
  cases: readonly TraceCase[],
): Promise<{ readonly results: CaseResult[]; readonly snapshot: Snapshot }> {
  const snapshot = await readAll(args);
  const results = cases.map((one) =>
    runCase(one, (words) => {
      const from = startOf(snapshot, {
        from: one.from ?? args.from,
        namespace: one.from === undefined ? (one.namespace ?? args.namespace) : one.namespace,
      });
      return traceRequest(snapshot, traceInput(words, from));
    }),
  );
  return { results, snapshot };
}

const mostBytes = 64 * 1024 * 1024;

/** @param file a path, or "-" @throws UserError where it cannot be read, or is too large */
async function textOf(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    const source: AsyncIterable<Buffer> =
      file === "-" ? process.stdin : (await open(file)).createReadStream();
    for await (const chunk of source) {
      size += chunk.length;
      if (size > mostBytes) throw new UserError(`it is larger than ${humanSize(mostBytes)}`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw new UserError(`cannot read ${excerpt(file, 200)}: ${messageOf(error)}`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function yamlOf(text: string, file: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100, logLevel: "error" }) as unknown;
  } catch (error) {
    const [line = ""] = messageOf(error).split("\n");
    throw new UserError(`${excerpt(file, 200)} is neither YAML nor JSON: ${line}`);
  }
}
