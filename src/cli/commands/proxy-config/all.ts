import { parse, stringify } from "yaml";
import type { CommandModule } from "yargs";

import type { EntryKind } from "../../../ingest/read-snapshot.js";
import { UserError } from "../../../shared/errors.js";
import { decodeText } from "../../../shared/json.js";
import { landings, parseIstioResource, type Place } from "../../../views/landed.js";
import { formOf, print, remark, remarkGaps, remarkRedaction } from "../../output.js";
import { viewTable } from "../../view-output.js";
import { collect, landingList, viewOptions, withView, type ProxyConfigArgs } from "./views.js";
import { kinds, type FlagName, type Kind } from "./kinds.js";
import { targetsOf } from "./targets.js";

interface AllArgs extends ProxyConfigArgs {
  withHeaders?: boolean | undefined;
}

const allFlags: readonly FlagName[] = [
  "fqdn",
  "port",
  "subset",
  "direction",
  "address",
  "type",
  "name",
  "verbose",
];

/** istioctl's order, and its headings of `--with-headers`. */
const parts: readonly (readonly [string, string])[] = [
  ["bootstrap", "BOOTSTRAP"],
  ["cluster", "CLUSTER"],
  ["listener", "LISTENER"],
  ["route", "ROUTE"],
  ["secret", "SECRET"],
  ["eds", "ENDPOINTS"],
];

export const allCommand: CommandModule<object, AllArgs> = {
  command: ["all [proxy]", "a"],
  describe: "All of these tables, or the whole dump as JSON",
  builder: (yargs) =>
    withView(yargs, allFlags)
      .option("with-headers", { type: "boolean", describe: "A heading before each table" })
      .option("origin", {
        type: "string",
        requiresArg: true,
        describe: "Where this Istio resource landed, in any kind: VirtualService/reviews.default",
      }),
  handler: async (args) => {
    const form = formOf(args.output ?? "table");
    const dumps = new Map<string, Uint8Array>();
    const want: ReadonlySet<EntryKind> = new Set<EntryKind>(["proxyDump", "certificates"]);
    const isWhole = form !== "table" && args.origin === undefined;
    const targets = await targetsOf(
      args,
      want,
      isWhole ? (entry, bytes) => dumps.set(entry, bytes) : undefined,
    );
    let answer: string;
    if (args.origin !== undefined) {
      const resource = parseIstioResource(args.origin);
      const cache = new Map<string, readonly Place[]>();
      answer = landingList(
        targets.proxies.flatMap((proxy) => landings(proxy, resource, undefined, cache)),
        form,
      );
    } else if (isWhole) {
      // istioctl prints the dump as it is
      const [proxy] = targets.proxies;
      const bytes = dumps.get(proxy?.dumpEntry ?? "");
      if (targets.several)
        throw new UserError(
          `name one proxy: -o ${form} prints a whole dump, and there are ${targets.proxies.length}`,
        );
      if (bytes === undefined)
        throw new UserError(`${proxy?.id ?? "the proxy"}: no config_dump of it was captured`);
      const text = decodeText(bytes);
      answer = form === "json" ? (text.endsWith("\n") ? text : `${text}\n`) : stringify(parse(text));
    } else {
      const options = { ...viewOptions(args), prefixed: true };
      const tables = parts.flatMap(([name, heading]) => {
        const kind = kinds.find((candidate): candidate is Kind => candidate.name === name);
        if (kind === undefined) return [];
        const views = tryCollect(() =>
          collect(targets.proxies, (proxy) => kind.view(proxy, targets.snapshot, args, options, remark)),
        );
        if (views === null) return [];
        const table = viewTable(
          views.map(({ proxy, view }) => ({ proxy: proxy.id, view })),
          targets.several,
        );
        return [args.withHeaders === true ? `------ ${heading} INFO ------\n\n${table}` : table];
      });
      if (tables.length === 0) throw new UserError("no section of these dumps could be read");
      answer = tables.join("\n");
    }
    await print(answer);
    remarkGaps(targets.snapshot);
    remarkRedaction(targets.snapshot, answer);
    process.exitCode = 0;
  },
};

/** A kind that no proxy has costs that table; why is said on standard error. */
function tryCollect<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    remark(error.message);
    return null;
  }
}
