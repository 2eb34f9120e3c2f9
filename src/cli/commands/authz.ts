import type { CommandModule } from "yargs";

import type { EntryKind } from "../../ingest/read-snapshot.js";
import { present } from "../../snapshot/model.js";
import { authzView } from "../../views/authz.js";
import { exitCodes } from "../../shared/exit-codes.js";
import { document, formOf, print, remarkGaps, remarkRedaction } from "../output.js";
import { viewJson, viewTable } from "../view-output.js";
import { targetsOf } from "./proxy-config/targets.js";
import { collect, viewOptions, withView, type ProxyConfigArgs } from "./proxy-config/views.js";

const needed: ReadonlySet<EntryKind> = new Set<EntryKind>(["proxyDump"]);

export const authzCommand: CommandModule<object, ProxyConfigArgs> = {
  command: "authz [proxy]",
  describe: "The authorization policies in force, as istioctl x authz check prints them",
  builder: (yargs) => withView(yargs, []),
  handler: async (args) => {
    const form = formOf(args.output ?? "table");
    const { snapshot, proxies, several } = await targetsOf(args, needed);
    const options = viewOptions(args);
    const views = collect(proxies, ({ config: { listener } }) =>
      listener.state === "absent" ? listener : present(authzView(listener.value, options)),
    ).map(({ proxy, view }) => ({ proxy: proxy.id, view }));
    const answer = form === "table" ? viewTable(views, several) : document(viewJson(views, several), form);
    await print(answer);
    remarkGaps(snapshot);
    remarkRedaction(snapshot, answer);
    process.exitCode = exitCodes.clean;
  },
};
