/** What `istio-snapshot trace` needs of the program, and nothing else: it starts in three quarters of the time. */
import { traceCommand } from "./commands/trace/index.js";
import { run } from "./run.js";

/** @param args `trace` and what follows it */
export const main = (args: readonly string[]): Promise<void> =>
  run(args, (program) => Promise.resolve(program.command(traceCommand)));
