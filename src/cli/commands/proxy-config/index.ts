import type { ArgumentsCamelCase, Argv, CommandModule } from "yargs";

import { UserError } from "../../../shared/errors.js";
import { textTable } from "../../../shared/text-table.js";
import type { Proxy, SectionKind } from "../../../snapshot/model.js";
import { landings, parseIstioResource, type Place } from "../../../views/landed.js";
import type { View } from "../../../views/view.js";
import { exitCodes } from "../../../shared/exit-codes.js";
import { document, formOf, print, remark, remarkGaps, remarkRedaction } from "../../output.js";
import { viewJson, viewTable, type ProxyView } from "../../view-output.js";
import { allCommand } from "./all.js";
import { kinds, statesToShow, type Kind } from "./kinds.js";
import { rawOf } from "./raw.js";
import { targetsOf } from "./targets.js";
import { collect, landingList, viewOptions, withView, type ProxyConfigArgs } from "./views.js";

export const proxyConfigCommand: CommandModule<object, ProxyConfigArgs> = {
  command: ["proxy-config <kind>", "pc", "config"],
  describe: "Clusters, listeners, routes, endpoints, ... as istioctl proxy-config shows them",
  builder: (yargs) => {
    for (const kind of kinds) yargs.command(kindCommand(kind));
    return yargs
      .command(allCommand)
      .demandCommand(
        1,
        "name a kind: cluster, listener, route, endpoint, eds, bootstrap, secret, ecds or all",
      ) as Argv<ProxyConfigArgs>;
  },
  handler: () => {
    throw new UserError(
      "name a kind: cluster, listener, route, endpoint, eds, bootstrap, secret, ecds or all",
    );
  },
};

function kindCommand(kind: Kind): CommandModule<object, ProxyConfigArgs> {
  return {
    command: [`${kind.name} [proxy]`, ...kind.aliases],
    describe: kind.describe,
    builder: (yargs) => {
      const own = withView(yargs, kind.flags);
      if (kind.section === null) return own;
      return own
        .option("state", {
          choices: statesToShow,
          array: true,
          requiresArg: true,
          describe: "Show resources of these states, also those istioctl hides",
        })
        .option("origin", {
          type: "string",
          requiresArg: true,
          describe: "Where this Istio resource landed: VirtualService/reviews.default",
        })
        .option("raw", {
          type: "boolean",
          describe: "With -o json: in the dump's own spelling",
        });
    },
    handler: (args) => run(kind, args),
  };
}

async function run(kind: Kind, args: ArgumentsCamelCase<ProxyConfigArgs>): Promise<void> {
  const form = args.output === undefined ? kind.defaultForm : formOf(args.output);
  const options = viewOptions(args);
  const raw = args.raw === true ? new Map<string, Uint8Array>() : null;
  if (raw !== null && form === "table") throw new UserError("--raw goes with -o json or yaml");
  const targets = await targetsOf(
    args,
    new Set(kind.needs),
    raw === null ? undefined : (entry, bytes) => raw.set(entry, bytes),
  );
  const answer: string[] = [];
  let told = ""; // on standard error
  const { section } = kind;
  if (args.origin !== undefined && section !== null) {
    answer.push(landingsOf(targets.proxies, args.origin, section, form));
  } else {
    const views = collect(targets.proxies, (proxy) =>
      kind.view(proxy, targets.snapshot, args, options, remark),
    );
    if (raw !== null && section !== null) {
      const results = views.map(({ proxy, view }) => ({
        proxy: proxy.id,
        result: rawOf(proxy, section, view, raw),
      }));
      const shown = targets.several ? results : (results[0]?.result ?? null);
      answer.push(document(shown, form === "yaml" ? "yaml" : "json"));
    } else answer.push(viewText(views, targets.several, form));
    if (options.states?.includes("rejected") === true) {
      const rows = section === null ? [] : rejections(targets.proxies, section);
      answer.push(rejectionText(rows, form));
      told = rows.map(([, , , details = ""]) => details).join("\n");
    }
  }
  await print(answer.join(""));
  remarkGaps(targets.snapshot);
  remarkRedaction(targets.snapshot, answer.join("") + told);
  process.exitCode = exitCodes.clean;
}

function viewText(
  views: readonly { proxy: Proxy; view: View }[],
  several: boolean,
  form: "table" | "json" | "yaml",
): string {
  const named: ProxyView[] = views.map(({ proxy, view }) => ({ proxy: proxy.id, view }));
  return form === "table" ? viewTable(named, several) : document(viewJson(named, several), form);
}

/**
 * Why resources were rejected: Envoy keeps no content of a listener that it never accepted, so the views have no row for
 * it.
 */
function rejections(proxies: readonly Proxy[], section: SectionKind): string[][] {
  return proxies.flatMap(({ id, config }) => {
    const list = config[section];
    if (list.state === "absent") return [];
    return [...list.value].flatMap(({ name, rejection }) =>
      rejection === null
        ? []
        : [[id, name === "" ? "-" : name, rejection.lastUpdateAttempt ?? "-", rejection.details.trim()]],
    );
  });
}

/** A table; where the answer is none, standard error says it. */
function rejectionText(rows: readonly (readonly string[])[], form: "table" | "json" | "yaml"): string {
  if (form !== "table") {
    for (const [proxy, name, , details] of rows)
      remark(`${proxy ?? ""}: ${name ?? ""} rejected: ${details ?? ""}`);
    return "";
  }
  if (rows.length === 0) {
    remark(
      "nothing was rejected, as far as these dumps tell: Envoy tells it of listeners alone, until the next update",
    );
    return "";
  }
  return `\n${textTable(["PROXY", "REJECTED", "LAST ATTEMPT", "REASON"], rows, { padding: 3 })}`;
}

/** Where an Istio resource landed, over all the proxies asked for. */
function landingsOf(
  proxies: readonly Proxy[],
  origin: string,
  section: SectionKind,
  form: "table" | "json" | "yaml",
): string {
  const resource = parseIstioResource(origin);
  const cache = new Map<string, readonly Place[]>();
  return landingList(
    proxies.flatMap((proxy) => landings(proxy, resource, [section], cache)),
    form,
  );
}
