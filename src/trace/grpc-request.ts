/** Which requests are gRPC (`Grpc::Common::isGrpcRequestHeaders`, source/common/grpc/common.cc). */
import { headerValue, type HeaderList } from "./request.js";

/** `application/grpc`, alone or before "+": neither gRPC-Web nor with parameters. */
export function isGrpc(headers: HeaderList): boolean {
  const type = headerValue(headers, "content-type") ?? "";
  return type === "application/grpc" || type.startsWith("application/grpc+");
}
