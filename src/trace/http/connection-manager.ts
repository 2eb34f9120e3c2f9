/**
 * What the HTTP connection manager does by itself, from a request as it comes in to the routes that it is routed by
 * (facts 4.1 to 4.5). Source: envoyproxy/envoy, source/common/http/conn_manager_impl.cc (decodeHeaders); statuses, flags and
 * details as Envoy 1.36 logs them.
 */
import { isGrpc } from "../grpc-request.js";
import { flag, type Message } from "../../snapshot/message.js";
import { localReply, type LocalReply } from "../filters/local-reply.js";
import {
  firstHeader,
  headerValue,
  withHeader,
  withoutHeader,
  type HeaderList,
  type SocketAddress,
} from "../request.js";
import type { ResponseFlag } from "../result.js";
import type { Unknown } from "../unknown.js";
import { decodeRequest, type HttpProtocol } from "./codec.js";
import { normalizeHost } from "./host-normalization.js";
import { normalizePath } from "./path-normalization.js";
import { internalOnlyHeaders, mutateRequest, type HeaderSurroundings } from "./request-headers.js";
import { routeSource, type RouteSource, type RouteTables } from "./route-source.js";
import { isConnect } from "./upgrade.js";

export type { HttpProtocol };

export interface ReceivedRequest {
  readonly kind: "request";
  /** What routes and filters see. */
  readonly headers: HeaderList;
  /** The client as filters see it. */
  readonly downstreamRemote: SocketAddress | null | "unknown";
  readonly isInternal: boolean;
  readonly source: RouteSource;
  /** What a CONNECT request's authority gets back upstream; null where nothing was taken off. */
  readonly strippedPort: number | null;
  readonly assumptions: readonly string[];
  readonly unknowns: readonly Unknown[];
}

/** Answered before anything was routed. */
export interface RefusedRequest {
  readonly kind: "refused";
  /** As it was then. */
  readonly headers: HeaderList;
  readonly reply: LocalReply;
}

/** A stream of HTTP/2 that ends without a response. */
export interface ResetRequest {
  readonly kind: "reset";
  readonly headers: HeaderList;
  readonly responseFlags: readonly ResponseFlag[];
  readonly detail: string;
}

/** The answer to a request for which there are no routes, or none that matches. */
export const routeNotFound: LocalReply = localReply(404, "route_not_found", { responseFlags: ["NR"] });
/** The answer to an upgrade that neither the route nor the connection manager allows, where a route was matched. */
export const upgradeFailed: LocalReply = localReply(403, "upgrade_failed");

/** @param request as the client sends it: `:method`, `:path` and `:authority` where it has them, names in lower case */
export function receiveRequest(
  request: HeaderList,
  protocol: HttpProtocol,
  manager: Message,
  surroundings: Omit<HeaderSurroundings, "internalOnly">,
  tables: RouteTables,
): ReceivedRequest | RefusedRequest | ResetRequest {
  const decoded = decodeRequest(request, protocol, manager);
  if (decoded.kind !== "request") return { ...decoded, headers: request };
  const expected = withoutExpect(decoded.headers, manager);
  const checked = checkedTarget(expected, manager, surroundings);
  if (checked.kind === "refused") return checked;

  const { connection } = surroundings;
  const host = normalizeHost(
    firstHeader(checked.headers, ":authority") ?? "",
    manager,
    connection.destination?.port ?? 0,
  );
  const headers = withHeader(checked.headers, ":authority", host.authority);
  const before = routeSource(manager, headers, tables);
  const mutated = mutateRequest(headers, manager, {
    ...surroundings,
    internalOnly: internalOnlyHeaders(before.kind === "routes" ? before.routes.configuration : null),
  });
  if (mutated.rejectedWith !== null) {
    const reply = localReply(mutated.rejectedWith, "rejecting_because_detection_failed");
    return { kind: "refused", headers: mutated.headers, reply };
  }
  const source = routeSource(manager, mutated.headers, tables);
  return {
    kind: "request",
    headers: mutated.headers,
    downstreamRemote: mutated.downstreamRemote,
    isInternal: mutated.isInternal,
    source,
    strippedPort: isConnect(headers) ? host.strippedPort : null,
    assumptions: mutated.assumptions,
    unknowns: [...mutated.unknowns, ...(source.kind === "unknown" ? [source.because] : [])],
  };
}

/** Envoy answers `Expect: 100-continue` by itself, unless it is told to pass it on. */
function withoutExpect(headers: HeaderList, manager: Message): HeaderList {
  const isContinue = headerValue(headers, "expect")?.toLowerCase() === "100-continue";
  return isContinue && flag(manager, "proxy_100_continue") !== true
    ? withoutHeader(headers, "expect")
    : headers;
}

/** Host and path, in this order. */
function checkedTarget(
  request: HeaderList,
  manager: Message,
  { runtime, envoy }: Pick<HeaderSurroundings, "runtime" | "envoy">,
): { readonly kind: "request"; readonly headers: HeaderList } | RefusedRequest {
  let headers = request;
  const refuse = (reply: LocalReply): RefusedRequest => ({ kind: "refused", headers, reply });
  if (firstHeader(headers, ":authority") === undefined) return refuse(localReply(400, "missing_host_header"));
  const path = firstHeader(headers, ":path");
  if (path === undefined) return { kind: "request", headers }; // CONNECT: of others the codec wants one
  if (!path.startsWith("/")) return refuse(localReply(404, "absolute_path_rejected"));

  const normalized = normalizePath(path, manager, runtime, envoy);
  if (normalized.kind === "reject") return refuse(localReply(400, "path_normalization_failed"));
  headers = withHeader(headers, ":path", normalized.path);
  if (normalized.kind === "continue") return { kind: "request", headers };
  return refuse(
    isGrpc(headers)
      ? localReply(400, "path_normalization_failed") // gRPC clients follow no redirects
      : localReply(307, "path_normalization_failed", { headers: [["location", normalized.path]] }),
  );
}
