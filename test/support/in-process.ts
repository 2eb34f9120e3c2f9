import { vi } from "vitest";

import { main } from "../../src/cli/main.js";
import type { Answer } from "./cli.js";

/** Runs a command in this process, from the sources: many of them take less than the start of as many programs. */
export async function inProcess(args: readonly string[]): Promise<Answer> {
  const streams = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi
      .spyOn(process[name], "write")
      .mockImplementation((text: string | Uint8Array, ...rest: readonly unknown[]) => {
        streams[name] += typeof text === "string" ? text : Buffer.from(text).toString("latin1");
        const done = rest.at(-1);
        if (typeof done === "function") (done as () => void)();
        return true;
      }),
  );
  const listeners = process.stdout.listeners("error");
  try {
    process.exitCode = 0;
    await main(args);
    return { code: process.exitCode, ...streams };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.stdout.removeAllListeners("error"); // each run adds one
    for (const listener of listeners) process.stdout.on("error", listener as () => void);
    process.exitCode = undefined;
  }
}
