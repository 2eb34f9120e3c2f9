import yargs, { type Argv } from "yargs";

import { UserError } from "../shared/errors.js";
import { printable } from "../shared/printable.js";
import { exitCodes } from "../shared/exit-codes.js";
import { programVersion } from "../bundle/program-version.js";

/**
 * A command line of the analyzer's. Sets `process.exitCode`; never throws for what a user can cause.
 * @param addCommands gives it its commands
 */
export async function run(
  args: readonly string[],
  addCommands: (program: Argv, args: readonly string[]) => Promise<Argv>,
): Promise<void> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(process.exitCode ?? exitCodes.clean); // the reader of the pipe has gone: nothing is left to say
  });
  try {
    const program = yargs([...args])
      .scriptName("istio-snapshot")
      .usage(
        "$0 <command>\n\nReads a snapshot of an Istio mesh, offline: a bundle, an istioctl bug-report, a must-gather, a dump.",
      )
      .demandCommand(1, "name a command")
      .strict()
      .locale("en") // its words are English, as ours are
      .version(programVersion())
      .option("color", {
        type: "boolean",
        describe: "Colours on a terminal; --no-color or NO_COLOR turns them off",
      })
      .alias("help", "h")
      .wrap(Math.min(process.stdout.columns || 80, 100))
      .epilogue("Exit codes: 0 nothing wrong found, 1 something is wrong, 2 not answered.")
      .fail((message: string | null, error: unknown) => {
        // yargs' own are about the arguments, too: one that wants a value and has none
        if (error instanceof Error && error.name !== "YError") throw error;
        throw new UserError(
          `${(message ?? "bad usage").replace(/\s*\n\s*/g, " ")} ("istio-snapshot --help" lists what there is)`,
        );
      });
    await (await addCommands(program, args)).parseAsync();
  } catch (error) {
    process.exitCode = exitCodes.failed;
    if (error instanceof UserError) process.stderr.write(`istio-snapshot: ${printable(error.message)}\n`);
    else if (isPipeEnd(error)) process.exitCode = exitCodes.clean;
    else
      process.stderr.write(
        `istio-snapshot: internal error, please report it: ${printable(error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`,
      );
  }
}

function isPipeEnd(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}
