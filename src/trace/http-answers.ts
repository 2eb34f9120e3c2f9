/** What Envoy answers by itself, as the client gets it. */
import type { Message } from "../snapshot/message.js";
import { deliveredReply } from "./filters/delivered-reply.js";
import type { FilterChainResult } from "./filters/http-filters.js";
import { localReply, type LocalReply } from "./filters/local-reply.js";
import { withDecisions, type Stage } from "./http-stage.js";
import { routeNotFound } from "./http/connection-manager.js";
import { failure, leafOf, type Leaf } from "./leaf.js";
import type { MatchContext } from "./match-context.js";
import { firstHeader } from "./request.js";
import { rewriteResponse, type ActionResult, type ForwardResult } from "./route/route-action.js";
import { resolveRoute } from "./route/route-table.js";

/** What the router answers without a route: `require_tls` sends the client to the same URL with https, else there is none. */
export function unrouted(stage: Stage, ran: FilterChainResult, config: Message | null): Leaf {
  const [branch] = config === null ? [] : resolveRoute(config, ran.context).branches;
  if (branch?.result.kind !== "TLS redirect") return replied(stage, routeNotFound, ran.context, ran);
  const { status, location } = branch.result;
  const redirect = localReply(status, "direct_response", { headers: [["location", location]] });
  const leaf = replied(stage, redirect, ran.context, ran);
  return leaf.outcome === null ? leaf : { ...leaf, outcome: { ...leaf.outcome, kind: "redirect" } };
}

/** An answer of Envoy's own, as the client gets it. */
export function replied(
  stage: Stage,
  reply: LocalReply,
  context: MatchContext,
  ran: FilterChainResult | null,
): Leaf {
  const { hop } = ran === null ? stage : withDecisions(stage, ran);
  const delivered = deliveredReply(reply, stage.received, context, stage.manager);
  const { status, responseFlags, detail, headers } = delivered.reply;
  const outcome = failure(status, responseFlags, detail);
  return leafOf(
    { ...hop, responseHeaders: headers },
    { ...outcome, location: firstHeader(headers, "location") ?? null },
    [...(ran?.unknowns ?? []), ...delivered.because],
  );
}

export function answeredByRoute(
  { hop, received, manager }: Stage,
  action: Exclude<ActionResult, ForwardResult>,
  context: MatchContext,
): Leaf {
  const location = action.location;
  const body = action.kind === "direct response" ? (action.body ?? "") : "";
  const reply = localReply(action.status, "direct_response", {
    body,
    headers: location === null ? [] : [["location", location]],
  });
  const delivered = deliveredReply(reply, received, context, manager);
  const response = rewriteResponse(
    action.entry,
    [[":status", String(delivered.reply.status)], ...delivered.reply.headers],
    context,
  );
  return leafOf(
    { ...hop, responseHeaders: response.headers },
    {
      kind: action.kind === "redirect" ? "redirect" : "direct_response",
      status: delivered.reply.status,
      responseFlags: delivered.reply.responseFlags,
      detail: delivered.reply.detail,
      location,
    },
    [...(action.kind === "redirect" ? action.unknowns : []), ...response.unknowns, ...delivered.because],
  );
}
