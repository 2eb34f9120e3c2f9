import type { Argv } from "yargs";

/** Loads a command with all that it needs and adds it to the command line. */
type AddCommand = (program: Argv) => Promise<Argv>;

/**
 * Every command by its names, in the order of the help. They are loaded one by one because most of a short run would
 * otherwise go into loading what it does not use.
 */
const commands: readonly (readonly [names: readonly string[], add: AddCommand])[] = [
  [
    ["proxy-status", "ps", "status"],
    async (program) => program.command((await import("./proxy-status.js")).proxyStatusCommand),
  ],
  [
    ["proxy-config", "pc", "config"],
    async (program) => program.command((await import("./proxy-config/index.js")).proxyConfigCommand),
  ],
  [
    ["ztunnel-config", "zc"],
    async (program) => program.command((await import("./ztunnel-config.js")).ztunnelConfigCommand),
  ],
  [["authz"], async (program) => program.command((await import("./authz.js")).authzCommand)],
  [["trace"], async (program) => program.command((await import("./trace/index.js")).traceCommand)],
  [["query"], async (program) => program.command((await import("./query.js")).queryCommand)],
  [["compare"], async (program) => program.command((await import("./compare.js")).compareCommand)],
  [["report"], async (program) => program.command((await import("./report.js")).reportCommand)],
  [["version"], async (program) => program.command((await import("./version.js")).versionCommand)],
  [["verify"], async (program) => program.command((await import("./verify.js")).verifyCommand)],
  [["redact"], async (program) => program.command((await import("./redact.js")).redactCommand)],
];

/** Adds the command that the arguments begin with; where they begin with none, all, for the help or the error to list. */
export async function addCommands(program: Argv, args: readonly string[]): Promise<Argv> {
  if (args.length === 1 && args[0] === "--version") return program;
  const named = commands.filter(([names]) => names.some((name) => name === args[0]));
  for (const [, add] of named.length > 0 ? named : commands) await add(program);
  return program;
}
