import { addCommands } from "./commands/index.js";
import { run } from "./run.js";

/** The analyzer's command line, with all of its commands. */
export const main = (args: readonly string[]): Promise<void> => run(args, addCommands);
