import { execa } from "execa";

import { UserError } from "../shared/errors.js";
import { excerpt, printable } from "../shared/printable.js";
import { Refusal, type Channel } from "./ask.js";
import { httpChannel } from "./http.js";

export interface KubectlOptions {
  /** The program: a name on PATH, or a path. */
  readonly program: string;
  readonly context: string | null;
  readonly kubeconfig: string | null;
}

export interface PodAddress {
  readonly namespace: string;
  readonly pod: string;
}

/** The little of kubectl that we use: `get`, `exec` of a GET in the pod, and `port-forward`. Never through a shell. */
export interface Kubectl {
  /** @throws as `Channel.get` does, in kubectl's words */
  get(
    kind: "pods" | "services",
    namespace: string | null,
    onBytes: (bytes: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /** `pilot-agent request GET` beside Envoy, `pilot-discovery request GET` beside Istiod: both ask localhost in the pod. */
  inPod(address: PodAddress, container: string, program: "pilot-agent" | "pilot-discovery"): Channel;
  /** A port of a pod whose image holds no client. Opened with the first request, and anew after one that failed. */
  forwarded(address: PodAddress, port: number): Channel;
}

/** Bytes of standard error that are kept; the last ones tell what went wrong. */
const errorTail = 4096;
const reasonLength = 400;
/** Milliseconds that kubectl has to end when told to, and that the rest of its words may take when it has ended. */
const grace = 1000;

export function kubectl({ program, context, kubeconfig }: KubectlOptions): Kubectl {
  const global = [
    ...(kubeconfig === null ? [] : ["--kubeconfig", kubeconfig]),
    ...(context === null ? [] : ["--context", context]),
  ];
  const start = (args: readonly string[], signal: AbortSignal): Child =>
    startChild(program, [...global, ...args], signal);
  const commandLine = (args: readonly string[]): string =>
    [program, ...global, ...args].map(quoted).join(" ");

  const run = async (
    args: readonly string[],
    onBytes: (bytes: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> => {
    signal.throwIfAborted();
    const child = start(args, signal);
    const errors = tailOf(child.stderr);
    try {
      for await (const chunk of child.stdout) await onBytes(chunk as Uint8Array);
    } catch (error) {
      child.kill();
      await child;
      signal.throwIfAborted();
      throw error;
    }
    const result = await child;
    signal.throwIfAborted();
    if (result.failed) throw failureOf(program, result, errors());
  };

  const inPod: Kubectl["inPod"] = ({ namespace, pod }, container, client) => {
    const args = (path: string): string[] => [
      "exec",
      "-n",
      namespace,
      pod,
      "-c",
      container,
      "--",
      client,
      "request",
      "GET",
      path,
    ];
    return {
      get: (path, onBytes, signal) => run(args(path), onBytes, signal),
      describe: (path) => commandLine(args(path)),
      close: () => Promise.resolve(),
    };
  };

  const forwarded: Kubectl["forwarded"] = ({ namespace, pod }, port) => {
    const args = ["port-forward", "-n", namespace, `pod/${pod}`, `:${port}`];
    let current: Forward | null = null;
    return {
      get: async (path, onBytes, signal) => {
        signal.throwIfAborted();
        const forward = (current ??= startForward(program, (ending) => start(args, ending)));
        try {
          const channel = await openedWithin(forward, signal);
          await channel.get(path, onBytes, signal).catch((error: unknown) => {
            throw explained(error, forward.lastWords());
          });
        } catch (error) {
          if (current === forward) current = null;
          await forward.stop();
          signal.throwIfAborted();
          throw error;
        }
      },
      describe: (path) => `${commandLine(args)}, then GET /${path} through it`,
      close: async () => {
        const forward = current;
        current = null;
        await forward?.stop();
      },
    };
  };

  return {
    get: (kind, namespace, onBytes, signal) =>
      run(
        ["get", kind, ...(namespace === null ? ["--all-namespaces"] : ["-n", namespace]), "-o", "json"],
        onBytes,
        signal,
      ),
    inPod,
    forwarded,
  };
}

type Child = ReturnType<typeof startExeca>;

const startExeca = (program: string, args: readonly string[]) =>
  execa(program, args, {
    buffer: false,
    reject: false,
    stdin: "ignore",
    encoding: "buffer",
    forceKillAfterDelay: grace,
  });

/**
 * Starts kubectl, in our own process group so that a terminal that hangs up ends it too. What kubectl itself starts (the
 * credential plugin of a kubeconfig) may outlive it and holds its pipes: they are not waited for.
 * @param signal kills it: SIGTERM, then SIGKILL
 */
function startChild(program: string, args: readonly string[], signal: AbortSignal): Child {
  const child = startExeca(program, args);
  const end = (): void => {
    child.kill();
    child.stdout.destroy();
    child.stderr.destroy();
  };
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  child.once("exit", () => {
    const late = setTimeout(() => child.stderr.destroy(), grace);
    child.stderr.once("close", () => clearTimeout(late));
  });
  void child.then(() => signal.removeEventListener("abort", end));
  return child;
}

/** Keeps the end of a stream of errors; the function gives it as text. */
function tailOf(stream: NodeJS.ReadableStream): () => string {
  let tail = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-errorTail);
  });
  return () => tail.toString("utf8");
}

/** A running `kubectl port-forward`. */
interface Forward {
  /** The way through it, once it listens. @throws Refusal */
  readonly opened: Promise<Channel>;
  lastWords(): string;
  stop(): Promise<void>;
}

function startForward(program: string, start: (ending: AbortSignal) => Child): Forward {
  const ending = new AbortController();
  const child = start(ending.signal);
  const errors = tailOf(child.stderr);
  const open = async (): Promise<Channel> => {
    const port = await Promise.race([forwardedPort(child.stdout), child.then(() => null)]);
    if (port === null) throw failureOf(program, await child, errors());
    return httpChannel(`http://127.0.0.1:${port}`);
  };
  const opened = open();
  opened.catch(() => undefined); // whoever waits for it hears of it
  return {
    opened,
    lastWords: () => lastWords(errors()),
    stop: async () => {
      ending.abort();
      await child;
    },
  };
}

/** A forward outlives the request that opened it, but is not waited for longer than that request may take. */
async function openedWithin(forward: Forward, signal: AbortSignal): Promise<Channel> {
  const stop = (): void => void forward.stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await forward.opened;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The local port that kubectl chose. */
const forwardedPort = (stdout: NodeJS.ReadableStream): Promise<number> =>
  new Promise((resolve) => {
    let text = "";
    stdout.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString("latin1")).slice(-errorTail);
      const port = /Forwarding from 127\.0\.0\.1:(\d{1,5}) ->/.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });

/** A connection that broke: kubectl knows why. */
const explained = (error: unknown, words: string): unknown =>
  error instanceof Refusal && error.kind === "transient" && words !== ""
    ? new Refusal("transient", `${error.message}; port-forward: ${words}`)
    : error;

interface Failure {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  /** Of the operating system, where the program could not be started. */
  readonly code?: string | undefined;
  readonly originalMessage?: string | undefined;
}

/** A program that cannot be started is the user's to name; then nothing can be asked at all. */
function failureOf(
  program: string,
  { exitCode, signal, code, originalMessage }: Failure,
  errors: string,
): Refusal | UserError {
  if (code === "ENOENT" || code === "EACCES")
    return new UserError(
      `cannot start ${printable(program)}: ${code === "ENOENT" ? "there is no such program" : "it may not be run"} (--kubectl names another; without Kubernetes use --istiod and --envoy)`,
    );
  const words = lastWords(errors);
  if (words !== "") return new Refusal(kindOf(words), words);
  const name = printable(program);
  if (exitCode !== undefined)
    return new Refusal("lasting", `${name} exited with ${exitCode} and said nothing`);
  if (signal !== undefined) return new Refusal("lasting", `${name} was ended by ${signal}`);
  // too many processes, or no memory for one more
  return new Refusal("transient", `cannot start ${name}: ${excerpt(originalMessage ?? "", reasonLength)}`);
}

/** What kubectl printed last, without the line that only says that the command in the pod failed. */
function lastWords(errors: string): string {
  const lines = errors
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("Defaulted container "));
  const telling = lines.filter((line) => !/^command terminated with exit code \d+$/.test(line));
  let words = "";
  for (const line of (telling.length > 0 ? telling : lines).reverse()) {
    const longer = words === "" ? line : `${line}; ${words}`;
    if (words !== "" && longer.length > reasonLength) break;
    words = longer;
  }
  return excerpt(words, reasonLength);
}

/** What stays as it is, whatever else the message says. */
const lasting =
  /\((?:NotFound|Forbidden|Unauthorized|BadRequest|MethodNotAllowed)\)|status code:? 40[0134]\b|You must be logged in/;

/** What may pass with time: the way to the API server or into the node, a busy server. */
const passing: readonly RegExp[] = [
  /status code:? (?:408|429|5\d\d)\b/,
  /\((?:InternalError|ServerTimeout|Timeout|TooManyRequests|ServiceUnavailable)\)/,
  /\b(?:connection refused|was refused|connection reset|connection timed out|i\/o timeout|TLS handshake timeout|broken pipe)\b/i,
  /\b(?:EOF|client connection lost|lost connection to pod|error dialing backend|etcdserver: |no route to host)/,
  /\b(?:Too Many Requests|Service Unavailable|Internal error occurred)\b/i,
  /context deadline exceeded|Client\.Timeout|request did not complete within|the server is currently unable to handle the request/,
];

const kindOf = (message: string): "transient" | "lasting" =>
  !lasting.test(message) && passing.some((pattern) => pattern.test(message)) ? "transient" : "lasting";

/** A word as a shell would take it, on one line of a terminal. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${printable(word).replaceAll("'", `'\\''`)}'`;
