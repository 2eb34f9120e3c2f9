/** A `kubectl` for tests: an executable in a folder of its own, which knows the pods and containers that it was told. */
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import ts from "typescript";

import type { JsonObject } from "../mesh/json.js";
import type { KubectlFault, KubectlKnowledge, ReachableContainer } from "./kubectl-program.js";
import { listOf } from "./kubernetes-objects.js";

export interface KubectlStandIn {
  /** What to give as `--kubectl`. */
  readonly program: string;
  /** The arguments of every call so far. */
  asked(): Promise<string[][]>;
  /** From the next call on. */
  breakWith(...faults: readonly KubectlFault[]): Promise<void>;
  stop(): Promise<void>;
}

export interface KubectlOptions {
  readonly pods?: readonly JsonObject[];
  readonly services?: readonly JsonObject[];
  /** By `<namespace>/<pod>/<container>`. */
  readonly containers?: Readonly<Record<string, ReachableContainer>>;
  /** Local ports by `<namespace>/<pod>:<port>`. */
  readonly ports?: Readonly<Record<string, number>>;
  readonly contexts?: readonly string[];
}

export async function standInKubectl({
  pods = [],
  services = [],
  containers = {},
  ports = {},
  contexts = ["kind-test"],
}: KubectlOptions): Promise<KubectlStandIn> {
  const home = await mkdtemp(join(tmpdir(), "istio-snapshot-kubectl-"));
  const program = join(home, "kubectl");
  const knowledge: KubectlKnowledge = { contexts, user: "jane", containers, ports, faults: [] };
  await writeFile(program, `#!${process.execPath}\n${await compiled()}`);
  await chmod(program, 0o755);
  await writeFile(join(home, "pods.json"), listText(pods));
  await writeFile(join(home, "services.json"), listText(services));
  const know = async (faults: readonly KubectlFault[]): Promise<void> => {
    const draft = join(home, "draft.json");
    await writeFile(draft, JSON.stringify({ ...knowledge, faults }));
    await rename(draft, join(home, "kubectl.json")); // a call that is under way reads the old or the new
  };
  await know([]);
  return {
    program,
    asked: async () => {
      const log = await readFile(join(home, "asked.jsonl"), "utf8").catch(() => "");
      return log
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as string[]);
    },
    breakWith: (...faults) => know(faults),
    stop: () => rm(home, { recursive: true, force: true }),
  };
}

const listText = (items: readonly JsonObject[]): string => `${JSON.stringify(listOf(items), null, 4)}\n`;

let known: Promise<string> | undefined;
/** One file without types: no program may need a compiler when it is called a hundred times. */
const compiled = (): Promise<string> => (known ??= compile());

async function compile(): Promise<string> {
  const source = await readFile(join(import.meta.dirname, "kubectl-program.ts"), "utf8");
  return ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 },
  }).outputText;
}
