import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { main } from "../../src/collect/main.js";
import type { Output } from "../../src/collect/output.js";
import type { CollectorOptions, Surroundings } from "../../src/collect/run.js";
import { OutputError } from "../../src/collect/packing.js";
import { UserError } from "../../src/shared/errors.js";
import type { Answer } from "../support/cli.js";
import { root } from "../support/cli.js";

/** What a run does here in place of a capture. */
type Run = (options: CollectorOptions, around: Surroundings) => Promise<number>;
let perform: Run = () => Promise.resolve(0);
vi.mock("../../src/collect/run.js", async (importOriginal) => ({
  ...(await importOriginal<typeof import("../../src/collect/run.js")>()),
  runCollector: (options: CollectorOptions, around: Surroundings) => perform(options, around),
}));

let exitCode: typeof process.exitCode;
beforeEach(() => {
  exitCode = process.exitCode;
  process.exitCode = undefined;
});
afterEach(() => {
  process.exitCode = exitCode;
  process.stdout.removeAllListeners("error");
  vi.restoreAllMocks();
});

/** Runs the command line in this process; what it asked a run to do, and what it printed. */
async function collector(args: readonly string[], run: Run = () => Promise.resolve(0)) {
  const asked: CollectorOptions[] = [];
  perform = (options, around) => {
    asked.push(options);
    return run(options, around);
  };
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      printed[name] += String(chunk);
      return true;
    });
  await main(args);
  const { exitCode: code } = process;
  vi.restoreAllMocks();
  return { options: asked[0], code, ...printed };
}

/** Runs the built program as a user would. */
async function program(args: readonly string[], cwd = root): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`${root}bin/istio-snapshot-collect.js`, ...args], { cwd });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end();
  });
}

describe("without flags", () => {
  it("captures the whole mesh of the current context into a file that is named after the time", async () => {
    const { options, code, stdout, stderr } = await collector([]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(options).toEqual({
      output: expect.stringMatching(/^istio-snapshot-\d{8}T\d{6}Z\.tar\.gz$/) as string,
      kubectl: "kubectl",
      context: null,
      kubeconfig: null,
      filters: {
        istioNamespace: "istio-system",
        namespaces: [],
        excludedNamespaces: [],
        revision: null,
        workloads: [],
      },
      istiods: [],
      envoys: [],
      concurrency: 8,
      limits: { timeout: 30_000, maxSize: 256 * 1024 * 1024, retries: 2, backOff: 500 },
      profile: "internal",
      allowedFindings: new Set(),
      dryRun: false,
    });
  });
});

describe("flags", () => {
  it.each<{ args: string[]; gives: unknown }>([
    { args: ["-o", "b.tar.gz"], gives: { output: "b.tar.gz" } },
    { args: ["--output", "b.tar.gz"], gives: { output: "b.tar.gz" } },
    { args: ["--output=b.tar.gz"], gives: { output: "b.tar.gz" } },
    { args: ["-o", "-"], gives: { output: "-", filters: { workloads: [] } } },
    { args: ["-o-"], gives: { output: "-" } },
    { args: ["--context", "prod"], gives: { context: "prod" } },
    { args: ["--context", "7"], gives: { context: "7" } },
    { args: ["--kubeconfig", "k"], gives: { kubeconfig: "k" } },
    { args: ["--kubectl", "/opt/kubectl"], gives: { kubectl: "/opt/kubectl" } },
    { args: ["-i", "mesh"], gives: { filters: { istioNamespace: "mesh" } } },
    { args: ["--istio-namespace", "mesh"], gives: { filters: { istioNamespace: "mesh" } } },
    { args: ["-n", "a"], gives: { filters: { namespaces: ["a"] } } },
    { args: ["-n", "a", "-n", "b", "--namespace", "c"], gives: { filters: { namespaces: ["a", "b", "c"] } } },
    { args: ["-n", "a", "deploy/b"], gives: { filters: { namespaces: ["a"], workloads: ["deploy/b"] } } },
    {
      args: ["--exclude-namespace", "a", "--exclude-namespace", "b"],
      gives: { filters: { excludedNamespaces: ["a", "b"] } },
    },
    { args: ["--revision", "canary"], gives: { filters: { revision: "canary" } } },
    { args: ["-r", "1-29"], gives: { filters: { revision: "1-29" } } },
    {
      args: ["deploy/a", "cart.shop", "1e3"],
      gives: { filters: { workloads: ["deploy/a", "cart.shop", "1e3"] } },
    },
    { args: ["--concurrency", "3"], gives: { concurrency: 3 } },
    { args: ["--timeout", "500ms"], gives: { limits: { timeout: 500 } } },
    { args: ["--timeout", "1.5s"], gives: { limits: { timeout: 1500 } } },
    { args: ["--timeout", "2m"], gives: { limits: { timeout: 120_000 } } },
    { args: ["--max-dump-size", "1GiB"], gives: { limits: { maxSize: 1024 ** 3 } } },
    { args: ["--redact", "support"], gives: { profile: "support" } },
    { args: ["--redact", "none"], gives: { profile: "none" } },
    {
      args: ["--allow-finding", "ab", "--allow-finding", "12"],
      gives: { allowedFindings: new Set(["ab", "12"]) },
    },
    { args: ["--dry-run"], gives: { dryRun: true } },
    {
      args: ["--istiod", "i=http://h:1", "--istiod", "j.k=http://h:2", "--envoy", "a.b=http://h:3"],
      gives: {
        istiods: [
          { flag: "--istiod", name: "i", url: "http://h:1" },
          { flag: "--istiod", name: "j.k", url: "http://h:2" },
        ],
        envoys: [{ flag: "--envoy", name: "a.b", url: "http://h:3" }],
      },
    },
  ])("$args are understood", async ({ args, gives }) => {
    const { options, code, stderr } = await collector(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(options).toMatchObject(gives as object);
  });

  it.each([
    { args: ["--nonsense"], said: "Unknown argument: nonsense" },
    { args: ["-o"], said: "Not enough arguments following: o" },
    { args: ["-o", ""], said: "--output needs a value" },
    { args: ["--output="], said: "--output needs a value" },
    { args: ["-o", "a", "-o", "b"], said: "--output is given more than once" },
    { args: ["--context", "a", "--context", "b"], said: "--context is given more than once" },
    { args: ["--context="], said: "--context needs a value" },
    { args: ["--kubeconfig="], said: "--kubeconfig needs a value" },
    { args: ["--kubectl="], said: "--kubectl needs a value" },
    { args: ["--revision="], said: "--revision needs a value" },
    { args: ["-i", "a", "-i", "b"], said: "--istio-namespace is given more than once" },
    { args: ["-i", "../x"], said: '--istio-namespace: "../x" is no name of a namespace' },
    { args: ["-n", ""], said: '--namespace: "" is no name of a namespace' },
    { args: ["-n", "a.b"], said: '--namespace: "a.b" is no name of a namespace' },
    { args: ["-n", "--all"], said: "Not enough arguments following: n" },
    { args: ["--exclude-namespace", "A"], said: '--exclude-namespace: "A" is no name of a namespace' },
    { args: ["--concurrency", "0"], said: "--concurrency must be a whole number over 0" },
    { args: ["--concurrency", "1.5"], said: "--concurrency must be a whole number over 0" },
    { args: ["--concurrency", "many"], said: "--concurrency must be a whole number over 0" },
    {
      args: ["--concurrency", "1", "--concurrency", "2"],
      said: "--concurrency must be a whole number over 0",
    },
    { args: ["--timeout", "30"], said: '--timeout must be a time such as 30s, not "30"' },
    { args: ["--timeout", "0s"], said: '--timeout must be a time such as 30s, not "0s"' },
    { args: ["--timeout", "-1s"], said: '--timeout must be a time such as 30s, not "-1s"' },
    { args: ["--timeout", "forever"], said: '--timeout must be a time such as 30s, not "forever"' },
    { args: ["--timeout", "99999999m"], said: '--timeout must be a time such as 30s, not "99999999m"' },
    {
      args: ["--max-dump-size", "large"],
      said: '--max-dump-size must be a size such as 256MiB, not "large"',
    },
    { args: ["--max-dump-size", "0"], said: '--max-dump-size must be a size such as 256MiB, not "0"' },
    { args: ["--max-dump-size", "4.1GiB"], said: '--max-dump-size must be at most 4GiB, not "4.1GiB"' },
    { args: ["--redact", "all"], said: 'Invalid values: Argument: redact, Given: "all"' },
    { args: ["--redact", "none", "--redact", "public"], said: "--redact is given more than once" },
    { args: ["--istiod", "http://h:1"], said: "--istiod takes name=http://host:port" },
    { args: ["--envoy", "a.b"], said: "--envoy takes pod.namespace=http://host:port" },
    { args: ["--envoy", "a.b=\u001b[2J"], said: 'not "a.b=\\u001b[2J"' },
  ])("$args end with 2 and one plain line", async ({ args, said }) => {
    const { options, code, stdout, stderr } = await collector(args);
    expect({ code, stdout, options }).toEqual({ code: 2, stdout: "", options: undefined });
    expect(stderr).toMatch(/^istio-snapshot-collect: [^\n]+\n$/);
    expect(stderr).not.toContain("internal error");
    expect(stderr).toContain(said);
  });
});

describe("the end of a run", () => {
  it.each([0, 1])("has exit code %i where the run says so", async (code) => {
    expect(await collector([], () => Promise.resolve(code))).toMatchObject({ code, stderr: "" });
  });

  it.each([
    {
      error: new UserError("there is nothing\nto ask \u001b[2J"),
      said: "there is nothing\\nto ask \\u001b[2J",
    },
    { error: new OutputError("cannot write the bundle: ENOSPC"), said: "cannot write the bundle: ENOSPC" },
  ])("has exit code 2 and one line where nothing was written: $said", async ({ error, said }) => {
    const { code, stderr } = await collector([], () => Promise.reject(error));
    expect({ code, stderr }).toEqual({ code: 2, stderr: `istio-snapshot-collect: ${said}\n` });
  });

  it("has one line, too, where it is a mistake of ours, with its place", async () => {
    const { code, stderr } = await collector([], () => Promise.reject(new TypeError("oops")));
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^istio-snapshot-collect: internal error, please report it: TypeError: oops\\n {4}at [^\n]+\n$/,
    );
  });
});

describe("SIGINT", () => {
  const handlers = (): number => process.listenerCount("SIGINT") + process.listenerCount("SIGTERM");

  it.each(["SIGINT", "SIGTERM"] as const)("%s ends the capture with what there is", async (signal) => {
    const before = handlers();
    const { code, stderr } = await collector([], async (_options, { stop }) => {
      expect(stop.aborted).toBe(false);
      process.emit(signal);
      expect(stop.aborted).toBe(true);
      return Promise.resolve(1);
    });
    expect(code).toBe(1);
    expect(stderr).toBe("\nStopping: the bundle is finished with what there is. Once more gives up.\n");
    expect(handlers()).toBe(before);
  });

  it("gives up the second time: what was begun is undone, and the process ends with 2", async () => {
    const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
    const ends: unknown[] = [];
    const output = { discard: () => void ends.push("undone") } as unknown as Output;
    await collector([], (_options, { onOutput }) => {
      onOutput(output);
      process.emit("SIGINT");
      expect(ends).toEqual([]);
      exit.mockImplementation((code) => {
        ends.push(code);
        return undefined as never;
      });
      process.emit("SIGINT");
      return Promise.resolve(1);
    });
    expect(ends).toEqual(["undone", 2]);
  });

  it("undoes nothing when the bundle has its name already", async () => {
    vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
    const discard = vi.fn();
    await collector([], (_options, { onOutput }) => {
      onOutput({ discard } as unknown as Output);
      onOutput(null);
      process.emit("SIGINT");
      process.emit("SIGINT");
      return Promise.resolve(0);
    });
    expect(discard).not.toHaveBeenCalled();
  });
});

describe("the program", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "istio-snapshot-collect-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("has a help that fits 80 columns and has every flag", async () => {
    const { code, stdout, stderr } = await program(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    const flags = [...stdout.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
    expect(flags).toEqual([
      "--output",
      "--context",
      "--kubeconfig",
      "--istio-namespace",
      "--namespace",
      "--exclude-namespace",
      "--revision",
      "--concurrency",
      "--timeout",
      "--max-dump-size",
      "--kubectl",
      "--redact",
      "--allow-finding",
      "--istiod",
      "--envoy",
      "--dry-run",
      "--version",
      "--help",
    ]);
    for (const short of ["-o", "-i", "-n", "-r", "-h"]) expect(stdout).toContain(`  ${short}, --`);
    expect(stdout).toContain("Exit codes: 0 all captured, 1");
  });

  it("has a version", async () => {
    const { code, stdout } = await program(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  });

  it.each([
    { args: ["--nonsense"], because: "there is no such flag" },
    { args: ["--kubectl", "/no/such/kubectl"], because: "there is no such program" },
    {
      args: ["--envoy", "a.b=http://127.0.0.1:1", "-o", "no/such/folder/bundle"],
      because: "it cannot be written",
    },
  ])("ends with 2 and one line on standard error for $args: $because", async ({ args }) => {
    const { code, stdout, stderr } = await program(args, folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n").filter((line) => !line.startsWith("Asking "))).toEqual([
      expect.stringMatching(/^istio-snapshot-collect: /),
      "",
    ]);
    expect(await readdir(folder)).toEqual([]);
  });

  it("makes no file in a dry run", async () => {
    const { code, stdout, stderr } = await program(
      ["--envoy", "a.b=http://127.0.0.1:1", "--dry-run"],
      folder,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("proxy a.b\n  GET http://127.0.0.1:1/config_dump?include_eds\n");
    expect(await readdir(folder)).toEqual([]);
  });
});
