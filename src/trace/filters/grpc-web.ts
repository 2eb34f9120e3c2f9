/** `envoy.filters.http.grpc_web` (`source/extensions/filters/http/grpc_web/grpc_web_filter.cc`). */
import { firstHeader, withHeader, withoutHeader } from "../request.js";
import { passed, type FilterContext, type FilterResult } from "./filter.js";
import type { HttpFilter } from "./filter.js";

const types: ReadonlySet<string> = new Set([
  "application/grpc-web",
  "application/grpc-web+proto",
  "application/grpc-web-text",
  "application/grpc-web-text+proto",
]);

/** A request of gRPC-Web goes on as one of gRPC. */
export function evaluateGrpcWeb(_: HttpFilter, { headers }: FilterContext): FilterResult {
  if (!types.has(firstHeader(headers, "content-type") ?? "")) return passed();
  const typed = withHeader(withoutHeader(headers, "content-length"), "content-type", "application/grpc");
  const told = withHeader(typed, "te", "trailers");
  const hasEncoding = firstHeader(told, "grpc-accept-encoding") !== undefined;
  return passed({ headers: hasEncoding ? told : [...told, ["grpc-accept-encoding", "identity"]] });
}
