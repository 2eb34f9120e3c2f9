/**
 * What the codec of HTTP/2 makes of a request before the connection manager sees it; a stream that it does not take ends
 * without a response. Source: envoyproxy/envoy, source/common/http/http2/codec_impl.cc, and the library below it; what they
 * take, and the details, as seen at Envoy 1.36.
 */
import type { Message } from "../../snapshot/message.js";
import { firstHeader, withHeader, withoutHeader, type HeaderList } from "../request.js";
import type { ResponseFlag } from "../result.js";
import {
  asRequest,
  countLimit,
  hasUnderscore,
  sizeLimit,
  sizeOf,
  token,
  underscoresAction,
  withoutUnderscores,
  type DecodedRequest,
} from "./codec-limits.js";
import { isConnect, withoutExtendedConnect } from "./upgrade.js";

const reset = (responseFlag: ResponseFlag, detail: string): DecodedRequest => ({
  kind: "reset",
  responseFlags: [responseFlag],
  detail,
});

/** @param request with its names in lower case, and no blanks around values */
export function decodeHttp2(request: HeaderList, manager: Message): DecodedRequest {
  if (sizeOf(request) > sizeLimit(manager) || request.length > countLimit(manager))
    return reset("DR", "http2.too_many_headers");
  if (hasInvalidField(request)) return reset("DPE", "http2.invalid.header.field");
  const underscores = underscoresAction(manager);
  if (underscores === "REJECT_REQUEST" && request.some(hasUnderscore))
    return reset("DR", "http2.unexpected_underscore");
  const named = underscores === "DROP_HEADER" ? withoutUnderscores(request) : request;
  const host = firstHeader(named, ":authority") ?? named.find(([name]) => name === "host")?.[1];
  const headers = host === undefined ? named : withHeader(withoutHeader(named, "host"), ":authority", host);
  return isComplete(headers)
    ? asRequest(withOneCookie(withoutExtendedConnect(headers)))
    : reset("DPE", "http2.violation.of.messaging.rule");
}

/** Cookies come one by one, and go on as one header. */
function withOneCookie(headers: HeaderList): HeaderList {
  const cookies = headers.filter(([name]) => name === "cookie").map(([, value]) => value);
  return cookies.length < 2 ? headers : [...withoutHeader(headers, "cookie"), ["cookie", cookies.join("; ")]];
}

const hasInvalidField = (headers: HeaderList): boolean =>
  headers.some(([name, value]) => {
    switch (name) {
      case ":method":
        return !token.test(value);
      case ":authority":
      case "host":
        return !/^[-!$%&'()*+,.0-9:;=A-Z[\]_a-z~]*$/.test(value);
      case ":path":
        return value === "" || /[\0-\x20\x7f]/.test(value);
      default:
        return !name.startsWith(":") && !token.test(name);
    }
  });

/** Whether the pseudo headers are there that a request needs. */
function isComplete(headers: HeaderList): boolean {
  if (firstHeader(headers, ":authority") === undefined) return false;
  const path = firstHeader(headers, ":path");
  if (path === undefined) return isConnect(headers);
  return path.startsWith("/") || (path === "*" && firstHeader(headers, ":method") === "OPTIONS");
}
