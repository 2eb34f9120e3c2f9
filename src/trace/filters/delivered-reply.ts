/**
 * A local reply as the client gets it: `local_reply_config` turns it first, then gRPC clients get it as a status of gRPC
 * (`source/common/local_reply/local_reply.cc`, `Http::Utility::sendLocalReply`). For every reply of Envoy's own: of filters,
 * of the router, of routes.
 */
import { isGrpc } from "../grpc-request.js";
import { child, children, field, number, text, type Message } from "../../snapshot/message.js";
import type { MatchContext } from "../match-context.js";
import { firstHeader, type HeaderList } from "../request.js";
import { mutateHeaders } from "../route/header-mutations.js";
import { isUnknown } from "../ternary.js";
import { unknown, type Unknown } from "../unknown.js";
import { grpcStatusOf } from "./grpc-status.js";
import { matchAccessLogFilter } from "./access-log-filter.js";
import type { LocalReply } from "./local-reply.js";

export interface DeliveredReply {
  /** Its status is 200 for gRPC. */
  readonly reply: LocalReply;
  /** What hangs on conditions of mappers; the reply is as if none of those held. */
  readonly because: readonly Unknown[];
}

/**
 * @param received the headers of the request before any filter: they tell whether it is gRPC
 * @param context as it is when the reply is sent
 * @param manager the HTTP connection manager
 */
export function deliveredReply(
  reply: LocalReply,
  received: HeaderList,
  context: MatchContext,
  manager: Message,
): DeliveredReply {
  if (reply.isFinal) return { reply, because: [] };
  const mapped = mappedReply(reply, context, child(manager, "local_reply_config"));
  return {
    reply: isGrpc(received) ? grpcReply(mapped.reply) : withContentType(mapped.reply),
    because: mapped.because,
  };
}

/** The first mapper whose condition holds. */
function mappedReply(reply: LocalReply, context: MatchContext, config: Message | undefined): DeliveredReply {
  const because: Unknown[] = [];
  for (const mapper of children(config, "mappers")) {
    const holds = matchAccessLogFilter(child(mapper, "filter"), reply, context);
    if (isUnknown(holds)) because.push(...holds.because);
    else if (holds) return turned(reply, mapper, context, because);
  }
  return { reply, because };
}

function turned(
  reply: LocalReply,
  mapper: Message,
  context: MatchContext,
  because: readonly Unknown[],
): DeliveredReply {
  const body = child(mapper, "body");
  const added = mutateHeaders(
    reply.headers,
    { toAdd: children(mapper, "headers_to_add"), toRemove: [] },
    (response) => ({ request: context.headers, response, context, entry: null }),
  );
  const isElsewhere = body !== undefined && typeof field(body, "inline_string") !== "string";
  const notKnown = unknown(
    "not captured",
    "The body of a local reply is a file or bytes, which are not read.",
  );
  return {
    reply: {
      ...reply,
      status: number(mapper, "status_code") ?? reply.status,
      body: body === undefined ? reply.body : text(body, "inline_string"),
      headers: added.headers,
    },
    because: [...because, ...added.unknowns, ...(isElsewhere ? [notKnown] : [])],
  };
}

function grpcReply(reply: LocalReply): LocalReply {
  const status = reply.grpcStatus ?? grpcStatusOf(reply.status);
  return {
    ...reply,
    status: 200,
    headers: [
      ...reply.headers,
      ["content-type", "application/grpc"],
      ["grpc-status", String(status)],
      ...(reply.body === "" ? [] : ([["grpc-message", reply.body]] as const)),
    ],
    body: "",
  };
}

const withContentType = (reply: LocalReply): LocalReply =>
  reply.body === "" || firstHeader(reply.headers, "content-type") !== undefined
    ? reply
    : { ...reply, headers: [...reply.headers, ["content-type", "text/plain"]] };
