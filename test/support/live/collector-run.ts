/** The collector run inside the test's process, against servers and programs that are real. */
import { join } from "node:path";
import { PassThrough } from "node:stream";

import {
  runCollector,
  surroundings,
  type CollectorOptions,
  type Surroundings,
} from "../../../src/collect/run.js";
import type { LiveMesh } from "./live-mesh.js";
import { readBack, type ReadBack } from "./read-back.js";

/** What differs from the defaults of the command line. */
export type RunOptions = Partial<Omit<CollectorOptions, "limits" | "filters">> & {
  readonly limits?: Partial<CollectorOptions["limits"]>;
  readonly filters?: Partial<CollectorOptions["filters"]>;
};

export interface Finished {
  /** 0 or 1; where nothing is written, the run throws. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The bundle. */
  readonly path: string;
}

/** Captures into a file of the folder. @throws UserError as `runCollector` does */
export async function captured(
  folder: string,
  { limits, filters, ...options }: RunOptions,
  around: Partial<Surroundings> = {},
): Promise<Finished> {
  const path = options.output ?? join(folder, "bundle.tar.gz");
  const stdout = listener();
  const stderr = listener();
  const code = await runCollector(
    {
      kubectl: join(folder, "no-kubectl"),
      context: null,
      kubeconfig: join(folder, "no-kubeconfig"),
      istiods: [],
      envoys: [],
      concurrency: 8,
      profile: "internal",
      allowedFindings: new Set(),
      dryRun: false,
      ...options,
      output: path,
      filters: {
        istioNamespace: "istio-system",
        namespaces: [],
        excludedNamespaces: [],
        revision: null,
        workloads: [],
        ...filters,
      },
      limits: { timeout: 30_000, maxSize: 256 * 1024 * 1024, retries: 2, backOff: 5, ...limits },
    },
    {
      ...surroundings(new AbortController().signal),
      stdout: stdout.stream,
      stderr: stderr.stream as unknown as NodeJS.WriteStream, // as one that is no terminal
      ...around,
    },
  );
  return { code, stdout: stdout.text(), stderr: stderr.text(), path };
}

export type Capture = Finished & ReadBack;

/** The same, and what is in the bundle then. */
export async function capture(
  folder: string,
  options: RunOptions,
  around: Partial<Surroundings> = {},
): Promise<Capture> {
  const finished = await captured(folder, options, around);
  return { ...finished, ...(await readBack(finished.path)) };
}

function listener(): { readonly stream: PassThrough; text(): string } {
  const stream = new PassThrough();
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  return { stream, text: () => Buffer.concat(pieces).toString("utf8") };
}

type Way = Pick<CollectorOptions, "istiods" | "envoys">;

/** How all targets of a mesh are named where there is no Kubernetes. */
export const overHttp = ({ mesh, istiods, envoys }: LiveMesh): Way => ({
  istiods: mesh.istiods.map(({ name, namespace }, index) => ({
    flag: "--istiod",
    name: `${name}.${namespace}`,
    url: istiods[index]?.url ?? "",
  })),
  envoys: [...envoys].map(([name, url]) => ({ flag: "--envoy", name, url })),
});

/** The same as a user types it. */
export const argumentsOf = ({ istiods, envoys }: Way): string[] =>
  [...istiods, ...envoys].flatMap(({ flag, name, url }) => [flag, `${name}=${url}`]);
