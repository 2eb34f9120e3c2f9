/** The URI that challenges name as their realm (`Http::Utility::buildOriginalUri`). */
import { firstHeader, type HeaderList } from "../request.js";

const longest = 256;

export function originalUri(headers: HeaderList): string {
  const scheme = firstHeader(headers, ":scheme") ?? firstHeader(headers, "x-forwarded-proto") ?? "http";
  const path = firstHeader(headers, "x-envoy-original-path") ?? firstHeader(headers, ":path") ?? "";
  return `${scheme}://${firstHeader(headers, ":authority") ?? ""}${path.slice(0, longest)}`;
}
