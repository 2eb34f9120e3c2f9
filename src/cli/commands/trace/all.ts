/** `trace --all`: every route of every proxy to its end. */
import type { ArgumentsCamelCase } from "yargs";

import { incompleteness } from "../../../report/build-report.js";
import { UserError } from "../../../shared/errors.js";
import { exitCodes } from "../../../shared/exit-codes.js";
import type { Proxy, Snapshot } from "../../../snapshot/model.js";
import { findProxy } from "../../../snapshot/proxy-name.js";
import { traceAllRoutes } from "../../../trace/all-routes/all-routes.js";
import type { RouteEnd } from "../../../trace/all-routes/route-end.js";
import { document, formOf, painter, print, remarkGaps, remarkRedaction } from "../../output.js";
import { allJson, allText } from "./all-output.js";
import { readAll, type ReadArgs } from "./read.js";

export interface AllArgs extends ReadArgs {
  output: string;
  color?: boolean | undefined;
}

/** What came of all routes: counts of all of them, and those that do not end well. */
export interface AllRoutes {
  readonly proxies: number;
  readonly counts: Readonly<Record<RouteEnd["end"]["kind"], number>>;
  readonly bad: readonly RouteEnd[];
  readonly unknown: readonly RouteEnd[];
  /** Proxies of which no routes were captured, with the reason. */
  readonly notCaptured: readonly { readonly proxy: string; readonly reason: string }[];
}

/** Prints what cannot end well; sets the exit code. @throws UserError */
export async function runAll(args: ArgumentsCamelCase<AllArgs>): Promise<void> {
  const form = formOf(args.output);
  const snapshot = await readAll(args);
  const found = allRoutes(snapshot, askedProxies(snapshot, args));
  const missing = incompleteness(snapshot);
  const answer =
    form === "table"
      ? allText(found, painter(args.color))
      : document({ ...allJson(found), ...(missing.length === 0 ? {} : { incomplete: missing }) }, form);
  await print(answer);
  remarkGaps(snapshot);
  remarkRedaction(snapshot, answer);
  process.exitCode = found.bad.length > 0 ? exitCodes.found : exitCodes.clean;
}

/** Those that something was captured of: all, of one namespace, or the one that is named. */
function askedProxies(snapshot: Snapshot, { from, namespace }: ReadArgs): readonly Proxy[] {
  const id = from === undefined ? null : findProxy(snapshot, from, namespace ?? null);
  const captured = snapshot.proxies.filter(({ dumpEntry }) => dumpEntry !== null);
  const asked = captured.filter((proxy) =>
    id === null ? namespace === undefined || proxy.namespace === namespace : proxy.id === id,
  );
  if (asked.length > 0) return asked;
  if (id !== null) throw new UserError(`of ${id} no config dump was captured: its routes are not known`);
  throw new UserError(
    captured.length === 0
      ? "the snapshot holds no config dump of an Envoy proxy"
      : `the snapshot holds no config dump of an Envoy proxy in the namespace ${namespace ?? ""}`,
  );
}

function allRoutes(snapshot: Snapshot, asked: readonly Proxy[]): AllRoutes {
  const counts = { well: 0, bad: 0, unknown: 0, "no request": 0 };
  const [bad, unknown]: [RouteEnd[], RouteEnd[]] = [[], []];
  const isAsked = new Set(asked);
  for (const route of traceAllRoutes(snapshot, (proxy) => isAsked.has(proxy))) {
    counts[route.end.kind]++;
    if (route.end.kind === "bad") bad.push(route);
    else if (route.end.kind === "unknown") unknown.push(route);
  }
  const notCaptured = asked.flatMap(({ id, config: { routeConfiguration: routes } }) =>
    routes.state === "absent" ? [{ proxy: id, reason: routes.reason }] : [],
  );
  const [first] = notCaptured;
  if (
    first !== undefined &&
    notCaptured.length === asked.length &&
    Object.values(counts).every((count) => count === 0)
  )
    throw new UserError(`the snapshot holds no routes; of ${first.proxy}: ${first.reason}`);
  return { proxies: asked.length, counts, bad, unknown, notCaptured };
}
