import type { ArgumentsCamelCase, Argv, CommandModule, Options } from "yargs";

import type { EntryKind } from "../../ingest/read-snapshot.js";
import { UserError } from "../../shared/errors.js";
import { excerpt } from "../../shared/printable.js";
import type { Snapshot, Ztunnel } from "../../snapshot/model.js";
import type { ZtunnelDump } from "../../snapshot/parse/ztunnel-rows.js";
import {
  certificateView,
  connectionsView,
  policyView,
  serviceView,
  workloadView,
} from "../../views/ztunnel.js";
import type { View, ViewOptions } from "../../views/view.js";
import { exitCodes } from "../../shared/exit-codes.js";
import { document, formOf, outputForms, print, remark, remarkGaps, remarkRedaction } from "../output.js";
import { loadSnapshot, withSnapshot, type SnapshotArgs } from "../snapshot-options.js";
import { viewJson, viewTable, type ProxyView } from "../view-output.js";
import { viewOptions } from "./proxy-config/views.js";

interface ZtunnelArgs extends SnapshotArgs {
  ztunnel?: string | undefined;
  namespace?: string | undefined;
  output: string;
  istioctlVersion?: string | undefined;
  workloadNamespace?: string | undefined;
  serviceNamespace?: string | undefined;
  policyNamespace?: string | undefined;
  address?: string | undefined;
  node?: string | undefined;
  workload?: string | undefined;
  direction?: "inbound" | "outbound" | undefined;
  raw?: boolean | undefined;
  withHeaders?: boolean | undefined;
}

interface Kind {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly describe: string;
  readonly heading: string;
  readonly flags: Readonly<Record<string, Options>>;
  readonly view: (
    dump: ZtunnelDump,
    args: ZtunnelArgs,
    options: ViewOptions & { readonly at: string | null },
  ) => View;
}

const text = (describe: string): Options => ({ type: "string", requiresArg: true, describe });

/** Only what was given. */
function given<T extends object>(filter: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

const kinds: readonly Kind[] = [
  {
    name: "workload",
    aliases: ["workloads", "w"],
    describe: "Workloads that the ztunnel knows",
    heading: "WORKLOAD",
    flags: {
      "workload-namespace": text("Only workloads of this namespace"),
      workload: text("Only the workload of this name, or pod.namespace"),
      address: text("Only workloads with this address"),
      node: text("Only workloads on this node"),
    },
    view: (dump, args, options) =>
      workloadView(dump, given({ ...named(args), address: args.address, node: args.node }), options),
  },
  {
    name: "service",
    aliases: ["services", "s", "svc"],
    describe: "Services with their VIPs and healthy endpoints",
    heading: "SERVICE",
    flags: { "service-namespace": text("Only services of this namespace") },
    view: (dump, args, options) => serviceView(dump, given({ namespace: args.serviceNamespace }), options),
  },
  {
    name: "policy",
    aliases: ["policies", "p", "pol"],
    describe: "Authorization policies",
    heading: "POLICY",
    flags: { "policy-namespace": text("Only policies of this namespace") },
    view: (dump, args, options) => policyView(dump, given({ namespace: args.policyNamespace }), options),
  },
  {
    name: "certificate",
    aliases: ["certificates", "certs", "cert"],
    describe: "Certificates, their validity measured at the time of the capture",
    heading: "SECRET",
    flags: {},
    view: (dump, _args, options) => certificateView(dump, {}, options),
  },
  {
    name: "connections",
    aliases: ["connection", "c"],
    describe: "Open connections of the workloads",
    heading: "CONNECTIONS",
    flags: {
      "workload-namespace": text("Only workloads of this namespace"),
      workload: text("Only the workload of this name, or pod.namespace"),
      direction: { choices: ["inbound", "outbound"], requiresArg: true, describe: "Only this direction" },
      raw: { type: "boolean", describe: "Addresses as they are, without the names behind them" },
    },
    view: (dump, args, options) =>
      connectionsView(dump, given({ ...named(args), direction: args.direction, raw: args.raw }), options),
  },
];

/** `--workload pod.namespace` names both. */
function named({ workload, workloadNamespace }: ZtunnelArgs): {
  name?: string | undefined;
  namespace?: string | undefined;
} {
  const dot = workload?.lastIndexOf(".") ?? -1;
  if (workload === undefined || workloadNamespace !== undefined || dot < 0)
    return { name: workload, namespace: workloadNamespace };
  return { name: workload.slice(0, dot), namespace: workload.slice(dot + 1) };
}

const needed: ReadonlySet<EntryKind> = new Set<EntryKind>(["ztunnelDump", "proxyDump"]);

export const ztunnelConfigCommand: CommandModule<object, ZtunnelArgs> = {
  command: ["ztunnel-config <kind>", "zc"],
  describe: "Workloads, services, policies, certificates, connections of ztunnels",
  builder: (yargs) => {
    for (const kind of kinds) yargs.command(kindCommand(kind));
    return yargs.command(allCommand).demandCommand(1, kindNames) as Argv<ZtunnelArgs>;
  },
  handler: () => {
    throw new UserError(kindNames);
  },
};

const kindNames = `name a kind: ${kinds.map(({ name }) => name).join(", ")} or all`;

function withZtunnel(yargs: Argv): Argv<ZtunnelArgs> {
  return withSnapshot(
    yargs
      .positional("ztunnel", {
        type: "string",
        describe: "pod.namespace, or a prefix; all ztunnels without it",
      })
      .option("namespace", {
        alias: "n",
        type: "string",
        requiresArg: true,
        describe: "The namespace of the ztunnel",
      })
      .option("output", {
        alias: "o",
        choices: outputForms,
        default: "table",
        requiresArg: true,
        describe: "Form of the answer",
      })
      .option("istioctl-version", {
        type: "string",
        requiresArg: true,
        describe: "Whose table to print (default: the newest)",
      }),
  );
}

function kindCommand(kind: Kind): CommandModule<object, ZtunnelArgs> {
  return {
    command: [`${kind.name} [ztunnel]`, ...kind.aliases],
    describe: kind.describe,
    builder: (yargs) => withZtunnel(yargs.options(kind.flags)),
    handler: async (args) => {
      const form = formOf(args.output);
      const { snapshot, dumps, several } = await ztunnelsOf(args);
      const views = viewsOf(kind, snapshot, dumps, args);
      const answer = form === "table" ? viewTable(views, several) : document(viewJson(views, several), form);
      await print(answer);
      remarkGaps(snapshot);
      remarkRedaction(snapshot, answer);
      process.exitCode = exitCodes.clean;
    },
  };
}

const allCommand: CommandModule<object, ZtunnelArgs> = {
  command: ["all [ztunnel]", "a"],
  describe: "All of these tables",
  builder: (yargs) =>
    withZtunnel(yargs).option("with-headers", {
      type: "boolean",
      describe: "A heading before each table",
    }),
  handler: async (args) => {
    const form = formOf(args.output);
    const { snapshot, dumps, several } = await ztunnelsOf(args);
    const all = kinds.map((kind) => ({ kind, views: viewsOf(kind, snapshot, dumps, args) }));
    const answer =
      form === "table"
        ? all
            .map(
              ({ kind, views }) =>
                `\n${args.withHeaders === true ? `------ ${kind.heading} INFO ------\n\n` : ""}${viewTable(views, several)}`,
            )
            .join("")
        : document(
            Object.fromEntries(all.map(({ kind, views }) => [kind.name, viewJson(views, several)])),
            form,
          );
    await print(answer);
    remarkGaps(snapshot);
    remarkRedaction(snapshot, answer);
    process.exitCode = exitCodes.clean;
  },
};

interface Dumped {
  readonly id: string;
  readonly dump: ZtunnelDump;
}

function viewsOf(
  kind: Kind,
  { captureTime }: Snapshot,
  dumps: readonly Dumped[],
  args: ArgumentsCamelCase<ZtunnelArgs>,
): ProxyView[] {
  const options = { ...viewOptions(args), at: captureTime?.value ?? null };
  return dumps.map(({ id, dump }) => ({ proxy: id, view: kind.view(dump, args, options) }));
}

/** @throws UserError when the name fits none or several, or none of them was captured */
async function ztunnelsOf(
  args: ArgumentsCamelCase<ZtunnelArgs>,
): Promise<{ snapshot: Snapshot; dumps: Dumped[]; several: boolean }> {
  const snapshot = await loadSnapshot(args, { want: needed, proxies: () => false });
  const chosen = choose(snapshot.ztunnels, args);
  const dumps = chosen.flatMap(({ id, dump }) => {
    if (dump.state === "present") return [{ id, dump: dump.value }];
    remark(`${id}: ${dump.reason}`);
    return [];
  });
  if (dumps.length === 0) {
    throw new UserError(
      snapshot.ztunnels.length === 0
        ? "the snapshot holds no config_dump of a ztunnel"
        : "no config_dump of these ztunnels could be read",
    );
  }
  return { snapshot, dumps, several: args.ztunnel === undefined && chosen.length > 1 };
}

function choose(ztunnels: readonly Ztunnel[], { ztunnel, namespace }: ZtunnelArgs): readonly Ztunnel[] {
  const own = ztunnels.filter((candidate) => namespace === undefined || candidate.namespace === namespace);
  if (ztunnel === undefined) return own;
  const exact = own.filter(({ id, pod }) => id === ztunnel || pod === ztunnel);
  const fitting = exact.length > 0 ? exact : own.filter(({ id }) => id.startsWith(ztunnel));
  if (fitting.length === 1) return fitting;
  const names = (fitting.length > 1 ? fitting : own).slice(0, 10).map(({ id }) => excerpt(id, 120));
  throw new UserError(
    `${fitting.length === 0 ? "no" : "more than one"} ztunnel fits "${excerpt(ztunnel)}"; there are ${names.join(", ") || "none"}`,
  );
}
