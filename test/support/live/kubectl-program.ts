/**
 * A stand-in for kubectl, as a program: it knows the few commands that a collector may use, refuses all others, and writes
 * down what it was asked. `kubectl.ts` compiles it into one file; what it knows stands beside it. Its texts are those of
 * kubernetes/kubectl and of istio/istio, pilot/pkg/request/command.go.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";

/** What stands in `kubectl.json`. */
export interface KubectlKnowledge {
  /** Names that `--context` may have. */
  readonly contexts: readonly string[];
  readonly user: string;
  /** Containers that can be executed in, by `<namespace>/<pod>/<container>`. */
  readonly containers: Readonly<Record<string, ReachableContainer>>;
  /** Local ports behind the ports of pods, by `<namespace>/<pod>:<port>`. */
  readonly ports: Readonly<Record<string, number>>;
  /** The first that fits counts. */
  readonly faults: readonly KubectlFault[];
}

export interface ReachableContainer {
  readonly program: "pilot-agent" | "pilot-discovery";
  /** Whom the program asks: `http://127.0.0.1:<port>`. */
  readonly url: string;
}

export interface KubectlFault {
  readonly does:
    | "forbidden"
    | "pod gone"
    | "node unreachable"
    | "server unreachable"
    | "hangs"
    /** Prints half of the answer, then loses the connection. */
    | "dies half-way"
    /** Prints half of the answer and ends as if that were all. */
    | "is cut off"
    /** Prints half of the answer and is killed. */
    | "is killed";
  /** Left out: any. */
  readonly verb?: "get" | "exec" | "port-forward";
  /** `<namespace>/<pod>`. */
  readonly pod?: string;
  /** Of the request in the pod. */
  readonly path?: string;
  /** How often; left out: always. */
  readonly times?: number;
}

/** One command line, understood. */
type Command =
  | { readonly verb: "get"; readonly kind: "pods" | "services"; readonly namespace: string | null }
  | {
      readonly verb: "exec";
      readonly namespace: string;
      readonly pod: string;
      readonly container: string;
      readonly program: string;
      readonly path: string;
    }
  | {
      readonly verb: "port-forward";
      readonly namespace: string;
      readonly pod: string;
      readonly port: string;
    };

/** The command ends with this on standard error. */
class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

const home = __dirname;
const knowledge = JSON.parse(readFileSync(join(home, "kubectl.json"), "utf8")) as KubectlKnowledge;

/** What follows the flags that stand before every command. */
function withoutGlobalFlags(args: readonly string[]): readonly string[] {
  const [flag, value = "", ...rest] = args;
  if (flag === "--kubeconfig") return withoutGlobalFlags(rest);
  if (flag !== "--context") return args;
  if (!knowledge.contexts.includes(value)) throw new Failure(`error: context "${value}" does not exist`);
  return withoutGlobalFlags(rest);
}

function understood(args: readonly string[]): Command {
  const line = args.join(" ");
  const [verb = "", ...rest] = args;
  if (verb === "get") {
    const [kind = "", ...scope] = rest;
    const all = scope.join(" ") === "--all-namespaces -o json";
    const one = scope.length === 4 && scope[0] === "-n" && scope[2] === "-o" && scope[3] === "json";
    if ((kind === "pods" || kind === "services") && (all || one))
      return { verb, kind, namespace: all ? null : (scope[1] ?? "") };
  }
  if (verb === "exec") {
    const [
      n,
      namespace = "",
      pod = "",
      c,
      container = "",
      dashes,
      program = "",
      request,
      method,
      path,
      ...more
    ] = rest;
    if (
      [n, c, dashes, request, method].join(" ") === "-n -c -- request GET" &&
      path !== undefined &&
      more.length === 0
    )
      return { verb, namespace, pod, container, program, path };
  }
  if (verb === "port-forward") {
    const [n, namespace = "", target = "", port = "", ...more] = rest;
    if (n === "-n" && target.startsWith("pod/") && /^:\d+$/.test(port) && more.length === 0)
      return { verb, namespace, pod: target.slice("pod/".length), port: port.slice(1) };
  }
  throw new Failure(`error: unknown command "${line}" for "kubectl"`);
}

/** The fault that this command meets. */
function faultOf(command: Command): KubectlFault["does"] | null {
  const pod = "pod" in command ? `${command.namespace}/${command.pod}` : null;
  const path = "path" in command ? command.path : null;
  const index = knowledge.faults.findIndex(
    (fault, position) =>
      (fault.verb === undefined || fault.verb === command.verb) &&
      (fault.pod === undefined || fault.pod === pod) &&
      (fault.path === undefined || fault.path === path) &&
      isLeft(position, fault.times),
  );
  return knowledge.faults[index]?.does ?? null;
}

/** Takes one of the times that a fault has; a file each, because many commands run at once. */
function isLeft(position: number, times: number | undefined): boolean {
  if (times === undefined) return true;
  for (let time = 0; time < times; time++) {
    try {
      writeFileSync(join(home, `fault-${position}-${time}`), "", { flag: "wx" });
      return true;
    } catch {
      continue; // taken
    }
  }
  return false;
}

function refuse(command: Command, fault: KubectlFault["does"] | null): void {
  const pod = "pod" in command ? command.pod : "";
  if (fault === "forbidden") throw new Failure(`Error from server (Forbidden): ${forbidden(command)}`);
  if (fault === "pod gone") throw new Failure(`Error from server (NotFound): pods "${pod}" not found`);
  if (fault === "node unreachable")
    throw new Failure(
      "Error from server: error dialing backend: dial tcp 10.0.0.4:10250: connect: connection refused",
    );
  if (fault === "server unreachable")
    throw new Failure(
      "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
    );
}

function forbidden(command: Command): string {
  const who = `User "${knowledge.user}" cannot`;
  if (command.verb === "get") {
    const where =
      command.namespace === null ? "at the cluster scope" : `in the namespace "${command.namespace}"`;
    return `${command.kind} is forbidden: ${who} list resource "${command.kind}" in API group "" ${where}`;
  }
  const resource = { exec: "pods/exec", "port-forward": "pods/portforward" }[command.verb];
  return `pods "${command.pod}" is forbidden: ${who} create resource "${resource}" in API group "" in the namespace "${command.namespace}"`;
}

async function run(command: Command, fault: KubectlFault["does"] | null): Promise<void> {
  if (fault === "hangs") return untilOrphaned();
  refuse(command, fault);
  if (command.verb === "port-forward") return portForward(command, fault);
  return print(command.verb === "get" ? list(command) : await execute(command), fault);
}

function list({ kind, namespace }: Command & { readonly verb: "get" }): Buffer {
  const all = readFileSync(join(home, `${kind}.json`));
  if (namespace === null) return all;
  const { items, ...rest } = JSON.parse(all.toString()) as {
    items: { metadata: { namespace: string } }[];
  };
  const own = items.filter(({ metadata }) => metadata.namespace === namespace);
  return Buffer.from(`${JSON.stringify({ ...rest, items: own }, null, 4)}\n`);
}

/** What the program in the pod prints. A 404 is an answer to it; any other refusal is its failure. */
async function execute(command: Command & { readonly verb: "exec" }): Promise<Buffer> {
  const { namespace, pod, container, program, path } = command;
  const known = Object.keys(knowledge.containers).some((name) => name.startsWith(`${namespace}/${pod}/`));
  if (!known) throw new Failure(`Error from server (NotFound): pods "${pod}" not found`);
  const reachable = knowledge.containers[`${namespace}/${pod}/${container}`];
  if (reachable === undefined)
    throw new Failure(`Error from server (BadRequest): container ${container} is not valid for pod ${pod}`);
  if (reachable.program !== program)
    throw new Failure(
      `error: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: "${program}": executable file not found in $PATH: unknown`,
    );
  const { status, body } = await ask(`${reachable.url}/${path.replace(/^\//, "")}`);
  if (status > 399 && status !== 404)
    throw inPod(`received unsuccessful status code ${status}: ${body.toString()}`);
  return Buffer.concat([body, Buffer.from("\n")]);
}

/** The program in the pod ends with Go's exit code -1. */
const inPod = (message: string): Failure =>
  new Failure(`Error: ${message}\ncommand terminated with exit code 255`, 255);

/** As the program in the pod does: the whole body first, for at most 60 s. */
async function ask(url: string): Promise<{ status: number; body: Buffer }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { signal: AbortSignal.timeout(60_000) }, resolve).on("error", reject);
  }).catch((error: unknown) => {
    throw inPod(`Get "${url}": ${messageOf(error)}`);
  });
  const pieces: Buffer[] = [];
  try {
    for await (const piece of response) pieces.push(piece as Buffer);
  } catch {
    throw inPod("unexpected EOF");
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(pieces) };
}

async function print(text: Buffer, fault: KubectlFault["does"] | null): Promise<void> {
  const broken = fault === "dies half-way" || fault === "is cut off" || fault === "is killed";
  await write(broken ? text.subarray(0, text.length / 2) : text);
  if (fault === "is killed") process.kill(process.pid, "SIGKILL");
  if (fault === "dies half-way")
    throw new Failure(
      "error: error reading from error stream: next reader: websocket: close 1006 (abnormal closure): unexpected EOF",
    );
}

const write = (text: Buffer | string): Promise<void> =>
  new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });

/** Hands connections on until it is killed. */
async function portForward(
  { namespace, pod, port }: Command & { readonly verb: "port-forward" },
  fault: KubectlFault["does"] | null,
): Promise<void> {
  const target = knowledge.ports[`${namespace}/${pod}:${port}`];
  if (target === undefined) throw new Failure(`Error from server (NotFound): pods "${pod}" not found`);
  await new Promise<void>((resolve, reject) => {
    const server = createServer((near) => {
      process.stdout.write(`Handling connection for ${portOf(server)}\n`);
      const far = connect(target, "127.0.0.1");
      const lose = (): void => {
        near.destroy();
        far.destroy();
        reject(new Failure("error: lost connection to pod"));
      };
      if (fault !== null) near.once("data", lose);
      far.on("error", lose).pipe(near);
      near.on("error", () => far.destroy()).pipe(far);
    });
    server.listen(0, "127.0.0.1", () => {
      for (const host of ["127.0.0.1", "[::1]"])
        process.stdout.write(`Forwarding from ${host}:${portOf(server)} -> ${port}\n`);
    });
    untilOrphaned().then(resolve, reject);
  });
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Waits to be killed; ends by itself when whoever started it has ended. */
async function untilOrphaned(): Promise<void> {
  const parent = process.ppid;
  while (process.ppid === parent) await new Promise((resolve) => setTimeout(resolve, 200));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function main(args: readonly string[]): Promise<void> {
  appendFileSync(join(home, "asked.jsonl"), `${JSON.stringify(args)}\n`);
  const command = understood(withoutGlobalFlags(args));
  await run(command, faultOf(command));
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`, () =>
      process.exit(error instanceof Failure ? error.exitCode : 70),
    );
  },
);
