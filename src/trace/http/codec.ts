/** What the codecs make of a request before the connection manager sees it, and what they refuse. */
import type { Message } from "../../snapshot/message.js";
import type { HeaderList } from "../request.js";
import type { DecodedRequest } from "./codec-limits.js";
import { decodeHttp1 } from "./http1-codec.js";
import { decodeHttp2 } from "./http2-codec.js";

export type HttpProtocol = "http/1.0" | "http/1.1" | "h2";

/** @param request as the client sends it: `:method`, `:path` and `:authority` where it has them, names in lower case */
export function decodeRequest(request: HeaderList, protocol: HttpProtocol, manager: Message): DecodedRequest {
  const headers = request.map(([name, value]) => [name, trimmed(value)] as const);
  return protocol === "h2" ? decodeHttp2(headers, manager) : decodeHttp1(headers, protocol, manager);
}

/** Blanks around a value are no part of it. */
function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value[start])) start += 1;
  while (end > start && isBlank(value[end - 1])) end -= 1;
  return value.slice(start, end);
}

const isBlank = (character: string | undefined): boolean => character === " " || character === "\t";
