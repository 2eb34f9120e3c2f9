import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";

import { Refusal } from "../../src/collect/ask.js";
import { kubectl, type Kubectl } from "../../src/collect/kubectl.js";
import { UserError } from "../../src/shared/errors.js";

const folder = mkdtempSync(join(tmpdir(), "kubectl-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** Where a stand-in leaves word of itself. */
let note: string;
beforeEach(() => {
  note = join(folder, `note-${count++}`);
  writeFileSync(note, "");
});
const noted = (): string[] => readFileSync(note, "utf8").split("\n").slice(0, -1);

/** A program in kubectl's place: `argv` is what it was asked, `note` appends a line to the note. */
function standIn(script: string, { mode = 0o755 } = {}): string {
  const path = join(folder, `kubectl-${count++}`);
  const preamble = `const argv = process.argv.slice(2);
    const note = (text) => require("node:fs").appendFileSync(${JSON.stringify(note)}, text + "\\n");`;
  writeFileSync(path, `#!${process.execPath}\n${preamble}\n${script}\n`, { mode });
  return path;
}

const by = (program: string, more: { context?: string; kubeconfig?: string } = {}): Kubectl =>
  kubectl({ program, context: more.context ?? null, kubeconfig: more.kubeconfig ?? null });

const reviews = { namespace: "bookinfo", pod: "reviews-v1-0" };
const ztunnel = { namespace: "istio-system", pod: "ztunnel-abcde" };
const never = (): AbortSignal => new AbortController().signal;
const ignore = (): Promise<void> => Promise.resolve();

/** What came out of a request, as text. */
async function textOf(
  get: (onBytes: (bytes: Uint8Array) => Promise<void>, signal: AbortSignal) => Promise<void>,
  signal = never(),
): Promise<string> {
  const pieces: Uint8Array[] = [];
  await get((bytes) => {
    pieces.push(bytes);
    return Promise.resolve();
  }, signal);
  return Buffer.concat(pieces).toString("utf8");
}

const execOf = (program: string): ReturnType<Kubectl["inPod"]> =>
  by(program).inPod(reviews, "istio-proxy", "pilot-agent");

const fails = (program: string, signal = never()): Promise<unknown> =>
  execOf(program)
    .get("config_dump", ignore, signal)
    .then(
      () => null,
      (error: unknown) => error,
    );

/** Waits for what must come about; the test's own limit ends a wait in vain. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(20);
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const tellArguments = `process.stdout.write(JSON.stringify(argv));`;

describe("what kubectl is asked", () => {
  it.each([
    { namespace: null, args: ["get", "pods", "--all-namespaces", "-o", "json"] },
    { namespace: "bookinfo", args: ["get", "pods", "-n", "bookinfo", "-o", "json"] },
  ])("to list the pods of $namespace", async ({ namespace, args }) => {
    const program = by(standIn(tellArguments));
    expect(
      JSON.parse(await textOf((onBytes, signal) => program.get("pods", namespace, onBytes, signal))),
    ).toEqual(args);
  });

  it("in a context of a kubeconfig", async () => {
    const program = by(standIn(tellArguments), { context: "prod", kubeconfig: "/home/a b/config" });
    expect(
      JSON.parse(await textOf((onBytes, signal) => program.get("services", "a", onBytes, signal))),
    ).toEqual(
      ["--kubeconfig", "/home/a b/config", "--context", "prod"].concat([
        "get",
        "services",
        "-n",
        "a",
        "-o",
        "json",
      ]),
    );
  });

  it.each([
    { container: "istio-proxy", client: "pilot-agent", path: "config_dump?include_eds" },
    { container: "discovery", client: "pilot-discovery", path: "debug/syncz" },
    { container: "istio-proxy", client: "pilot-agent", path: "$(touch x) `id`;'\"|>&\\ *" },
  ] as const)("to get $path in a pod, past every shell", async ({ container, client, path }) => {
    const channel = by(standIn(tellArguments)).inPod(reviews, container, client);
    expect(JSON.parse(await textOf((onBytes, signal) => channel.get(path, onBytes, signal)))).toEqual(
      ["exec", "-n", "bookinfo", "reviews-v1-0", "-c", container].concat([
        "--",
        client,
        "request",
        "GET",
        path,
      ]),
    );
    await channel.close();
  });

  it("is shown as a shell would take it", () => {
    const program = by("/opt/my tools/kubectl", { context: "o'brien\u202e", kubeconfig: "~/c" });
    const start = String.raw`'/opt/my tools/kubectl' --kubeconfig '~/c' --context 'o'\''brien\u202e'`;
    expect(program.inPod(reviews, "istio-proxy", "pilot-agent").describe("stats?filter=^a$")).toBe(
      `${start} exec -n bookinfo reviews-v1-0 -c istio-proxy -- pilot-agent request GET 'stats?filter=^a$'`,
    );
    expect(program.inPod(reviews, "istio-proxy", "pilot-agent").describe("certs")).toBe(
      `${start} exec -n bookinfo reviews-v1-0 -c istio-proxy -- pilot-agent request GET certs`,
    );
    expect(program.forwarded(ztunnel, 15000).describe("config_dump")).toBe(
      `${start} port-forward -n istio-system pod/ztunnel-abcde :15000, then GET /config_dump through it`,
    );
  });
});

describe("an answer by kubectl", () => {
  const size = 100 * 1024 * 1024;
  /** Writes no more than it can get rid of, and notes how much that was. */
  const flood = `
    const block = Buffer.alloc(64 * 1024, "x");
    let sent = 0;
    (function write() {
      while (sent < ${size}) {
        sent += block.length;
        const fits = process.stdout.write(block);
        if (sent % (1024 * 1024) === 0) note(String(sent));
        if (!fits) { process.stdout.once("drain", write); return; }
      }
    })();`;

  it("is not read faster than it is taken, and comes whole", async () => {
    let taken = 0;
    let sentAtRest: number | null = null;
    await execOf(standIn(flood)).get(
      "config_dump",
      async (bytes) => {
        taken += bytes.length;
        for (let before = -1; sentAtRest === null;) {
          const sent = Number(noted().at(-1) ?? 0);
          if (before === sent) sentAtRest = sent;
          before = sent;
          await pause(200);
        }
      },
      never(),
    );
    expect(taken).toBe(size);
    expect(sentAtRest).toBeLessThan(size / 4);
  });

  it("is what it wrote to standard output; warnings are no part of it", async () => {
    const channel = execOf(standIn(`process.stderr.write("Warning: old\\n"); process.stdout.write("{}");`));
    expect(await textOf((onBytes, signal) => channel.get("certs", onBytes, signal))).toBe("{}");
  });

  it("does not wait for what kubectl has started and left behind", async () => {
    const channel = execOf(
      standIn(`
        const { pid } = require("node:child_process").spawn("sleep", ["300"], { stdio: ["ignore", "ignore", "inherit"] });
        note(String(pid));
        process.stdout.write("{}", () => process.exit(0));`),
    );
    expect(await textOf((onBytes, signal) => channel.get("certs", onBytes, signal))).toBe("{}");
    process.kill(Number(noted()[0]));
  });
});

describe("a refusal by kubectl", () => {
  const exec = "command terminated with exit code 1\n";
  it.each([
    {
      because: "the pod is gone",
      stderr: 'Error from server (NotFound): pods "reviews-v1-0" not found\n',
      kind: "lasting",
    },
    {
      because: "there is no right to exec",
      stderr:
        'Error from server (Forbidden): pods "reviews-v1-0" is forbidden: User "jane" cannot create resource "pods/exec" in API group "" in the namespace "bookinfo"\n',
      kind: "lasting",
    },
    {
      because: "the login ended",
      stderr: "error: You must be logged in to the server (Unauthorized)\n",
      kind: "lasting",
    },
    {
      because: "the context is wrong",
      stderr: 'error: context "nope" does not exist\n',
      kind: "lasting",
    },
    {
      because: "the container is another",
      stderr: "Error from server (BadRequest): container istio-proxy is not valid for pod reviews-v1-0\n",
      kind: "lasting",
    },
    {
      because: "the API server is down",
      stderr:
        "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?\n",
      kind: "transient",
    },
    {
      because: "the API server is slow",
      stderr: "Unable to connect to the server: net/http: TLS handshake timeout\n",
      kind: "transient",
    },
    {
      because: "the node does not answer",
      stderr: "Error from server: error dialing backend: dial tcp 10.0.0.7:10250: i/o timeout\n",
      kind: "transient",
    },
    {
      because: "the API server is busy",
      stderr: "Error from server (TooManyRequests): the server has received too many requests\n",
      kind: "transient",
    },
    {
      because: "the node's runtime failed",
      stderr: "Error from server (InternalError): an error on the server has prevented the request\n",
      kind: "transient",
    },
    { because: "the connection was cut", stderr: "error: unexpected EOF\n", kind: "transient" },
    {
      because: "Envoy does not listen",
      stderr: `Error: Get "http://127.0.0.1:15000/certs": dial tcp 127.0.0.1:15000: connect: connection refused\n${exec}`,
      kind: "transient",
    },
    {
      because: "Envoy answers slowly",
      stderr: `Error: Get "http://127.0.0.1:15000/certs": context deadline exceeded (Client.Timeout exceeded while awaiting headers)\n${exec}`,
      kind: "transient",
    },
    {
      because: "Envoy answers with 503",
      stderr: `Error: received unsuccessful status code 503: overloaded\n${exec}`,
      kind: "transient",
    },
    {
      because: "Istiod answers with 403",
      stderr: `Error: received unsuccessful status code 403: 500 tries\n${exec}`,
      kind: "lasting",
    },
    {
      because: "Istiod answers with 400",
      stderr: `Error: received unsuccessful status code 400: You must provide a proxyID\n${exec}`,
      kind: "lasting",
    },
    { because: "pilot-agent is not there", stderr: exec, kind: "lasting" },
  ])("is $kind when $because", async ({ stderr, kind }) => {
    const error = await fails(
      standIn(`process.stderr.write(${JSON.stringify(stderr)}); process.exitCode = 1;`),
    );
    expect(error).toBeInstanceOf(Refusal);
    expect((error as Refusal).kind).toBe(kind);
    expect((error as Refusal).message).toBe((stderr === exec ? stderr : stderr.replace(exec, "")).trim());
  });

  it("is none when kubectl ends with 0, whatever it complained of", async () => {
    expect(await fails(standIn(`process.stderr.write("error: unexpected EOF\\n");`))).toBeNull();
  });

  it.each([
    { end: "process.exitCode = 7;", message: /exited with 7 and said nothing$/ },
    { end: 'process.kill(process.pid, "SIGKILL");', message: /was ended by SIGKILL$/ },
  ])("says how kubectl ended when that said nothing: $end", async ({ end, message }) => {
    const error = await fails(standIn(end));
    expect(error).toMatchObject({ kind: "lasting" });
    expect((error as Refusal).message).toMatch(message);
  });

  it("is in the last words of many, on one line", async () => {
    const error = await fails(
      standIn(`
        for (let i = 0; i < 1000; i++) process.stderr.write("E0822 12:00:00.00" + i + " memcache.go:265] couldn't get the list\\n");
        process.stderr.write("Unable to connect to the server:\\u001b[31m EOF\\n");
        process.exitCode = 1;`),
    );
    expect((error as Refusal).message).toMatch(/; Unable to connect to the server:\\u001b\[31m EOF$/);
    expect((error as Refusal).message.length).toBeLessThanOrEqual(400);
    expect((error as Refusal).kind).toBe("transient");
  });

  it.each([
    {
      what: "does not exist",
      program: () => join(folder, "no-kubectl"),
      message: "there is no such program",
    },
    { what: "may not be run", program: () => standIn("", { mode: 0o644 }), message: "it may not be run" },
    { what: "is a folder", program: () => folder, message: "it may not be run" },
  ])("is the user's to mend when kubectl $what", async ({ program, message }) => {
    const path = program();
    for (const channel of [execOf(path), by(path).forwarded(ztunnel, 15000)]) {
      const error: unknown = await channel.get("certs", ignore, never()).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toMatch(`cannot start ${path}: ${message}`);
    }
  });

  it("is of this request alone when its arguments cannot be passed on", async () => {
    const error = await execOf(standIn(tellArguments))
      .get("x".repeat(8 * 1024 * 1024), ignore, never())
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Refusal);
    expect((error as Refusal).message).toMatch(/^cannot start .*E2BIG/);
  });
});

describe("a request that is given up", () => {
  const reason = new Refusal("transient", "no answer within 30 s");

  it("was not started when it was given up before", async () => {
    expect(await fails(standIn(`note("started");`), AbortSignal.abort(reason))).toBe(reason);
    expect(noted()).toEqual([]);
  });

  it.each([
    { what: "hangs", script: "setInterval(() => {}, 1000);" },
    {
      what: "does not care about SIGTERM",
      script: `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); process.stdout.write("{");`,
    },
  ])("ends a kubectl that $what", async ({ script }) => {
    const giveUp = new AbortController();
    const ending = fails(standIn(`${script} note(String(process.pid));`), giveUp.signal);
    await until(() => noted().length > 0);
    const pid = Number(noted()[0]);
    expect(isRunning(pid)).toBe(true);
    giveUp.abort(reason);
    expect(await ending).toBe(reason);
    expect(isRunning(pid)).toBe(false);
  });

  it("does not wait for what kubectl has started", async () => {
    const giveUp = new AbortController();
    const ending = fails(
      standIn(`
        const { pid } = require("node:child_process").spawn("sleep", ["300"], { stdio: "inherit" });
        note(String(pid));
        setInterval(() => {}, 1000);`),
      giveUp.signal,
    );
    await until(() => noted().length > 0);
    giveUp.abort(reason);
    expect(await ending).toBe(reason);
    process.kill(Number(noted()[0]));
  });

  it("by whoever takes the bytes ends kubectl, with that error as it is", async () => {
    const full = new Error("no space left on device");
    const ending = execOf(
      standIn(`note(String(process.pid)); process.stdout.write("{"); setInterval(() => {}, 1000);`),
    ).get("config_dump", () => Promise.reject(full), never());
    await expect(ending).rejects.toBe(full);
    expect(isRunning(Number(noted()[0]))).toBe(false);
  });

  it("leaves no listener on its signal", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    expect(await fails(standIn(""), signal)).toBeNull();
    expect(added).toHaveBeenCalled();
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
  });
});

describe("a forwarded port", () => {
  /** Forwards to a server of its own, which answers `/die` by ending. */
  const forward = `
    note(JSON.stringify([process.pid, ...argv]));
    const server = require("node:http").createServer((request, response) => {
      if (request.url === "/die") {
        process.stderr.write("E0822 portforward.go:409] error forwarding port 15000 to pod: exit status 1\\n", () => {
          process.stderr.write("error: lost connection to pod\\n", () => process.exit(1));
        });
      } else if (request.url === "/missing") response.writeHead(404).end("404 page not found");
      else if (request.url === "/hang") note(JSON.stringify([process.pid]));
      else response.end(request.url);
    });
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      process.stdout.write("Forwarding from 127.0.0.1:" + port + " -> 15000\\n");
      process.stdout.write("Forwarding from [::1]:" + port + " -> 15000\\n");
    });`;

  const starts = (): { pid: number; args: string[] }[] =>
    noted().map((line) => {
      const [pid, ...args] = JSON.parse(line) as [number, ...string[]];
      return { pid, args };
    });

  it("is opened with the first request, serves the next, and is closed", async () => {
    const channel = by(standIn(forward)).forwarded(ztunnel, 15000);
    expect(noted()).toEqual([]);
    expect(await textOf((onBytes, signal) => channel.get("config_dump", onBytes, signal))).toBe(
      "/config_dump",
    );
    expect(await textOf((onBytes, signal) => channel.get("metrics", onBytes, signal))).toBe("/metrics");
    expect(starts().map(({ args }) => args)).toEqual([
      ["port-forward", "-n", "istio-system", "pod/ztunnel-abcde", ":15000"],
    ]);
    const pid = starts()[0]?.pid ?? 0;
    expect(isRunning(pid)).toBe(true);
    await channel.close();
    expect(isRunning(pid)).toBe(false);
  });

  it("that was never opened closes", async () => {
    await by(standIn(forward)).forwarded(ztunnel, 15000).close();
    expect(noted()).toEqual([]);
  });

  it("outlives the request that opened it", async () => {
    const channel = by(standIn(forward)).forwarded(ztunnel, 15000);
    const first = new AbortController();
    await channel.get("config_dump", ignore, first.signal);
    first.abort();
    expect(await textOf((onBytes, signal) => channel.get("metrics", onBytes, signal))).toBe("/metrics");
    expect(starts()).toHaveLength(1);
    await channel.close();
  });

  it("that broke tells in kubectl's words why, and is opened anew", async () => {
    const channel = by(standIn(forward)).forwarded(ztunnel, 15000);
    const error: unknown = await channel.get("die", ignore, never()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: "transient" });
    expect((error as Refusal).message).toMatch(
      /^no connection: .*; port-forward: .*error forwarding port 15000 to pod: exit status 1; error: lost connection to pod$/,
    );
    expect(await textOf((onBytes, signal) => channel.get("config_dump", onBytes, signal))).toBe(
      "/config_dump",
    );
    expect(starts()).toHaveLength(2);
    await channel.close();
  });

  it("brings the target's own refusals as they are", async () => {
    const channel = by(standIn(forward)).forwarded(ztunnel, 15000);
    const error: unknown = await channel.get("missing", ignore, never()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: "absent", message: "404 page not found" });
    await channel.close();
  });

  it("that cannot be opened is refused in kubectl's words", async () => {
    const channel = by(
      standIn(
        `process.stderr.write("error: unable to forward port because pod is not running. Current status=Pending\\n"); process.exitCode = 1;`,
      ),
    ).forwarded(ztunnel, 15000);
    const error: unknown = await channel
      .get("config_dump", ignore, never())
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      kind: "lasting",
      message: "error: unable to forward port because pod is not running. Current status=Pending",
    });
    await channel.close();
  });

  it.each([
    {
      what: "says nothing",
      script: `note(JSON.stringify([process.pid])); setInterval(() => {}, 1000);`,
      path: "config_dump",
      notes: 1,
    },
    { what: "leads to a target that says nothing", script: forward, path: "hang", notes: 2 },
  ])("that $what is waited for as long as the request may take", async ({ script, path, notes }) => {
    const reason = new Refusal("transient", "no answer within 30 s");
    const giveUp = new AbortController();
    const channel = by(standIn(script)).forwarded(ztunnel, 15000);
    const ending = channel.get(path, ignore, giveUp.signal).catch((error: unknown) => error);
    await until(() => noted().length === notes);
    giveUp.abort(reason);
    expect(await ending).toBe(reason);
    expect(isRunning(starts()[0]?.pid ?? 0)).toBe(false);
  });

  it("that is being opened can be closed", async () => {
    const channel = by(
      standIn(`note(JSON.stringify([process.pid])); setInterval(() => {}, 1000);`),
    ).forwarded(ztunnel, 15000);
    const ending = channel.get("config_dump", ignore, never()).catch((error: unknown) => error);
    await until(() => noted().length > 0);
    await channel.close();
    expect(await ending).toBeInstanceOf(Refusal);
    expect(isRunning(starts()[0]?.pid ?? 0)).toBe(false);
  });
});
