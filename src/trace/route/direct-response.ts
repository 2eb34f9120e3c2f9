/** Responses that a route itself gives (`direct_response`, and what the router adds to them). */
import { child, field, number, text, type Message } from "../../snapshot/message.js";
import type { EnvoyMinor } from "../match-context.js";
import type { HeaderList } from "../request.js";
import { decodedBytes } from "./formatters.js";
import { ownUri } from "./redirect.js";

export interface DirectResponse {
  readonly status: number;
  /** "" for none; null where it stands in a file, or is made as the response is given. */
  readonly body: string | null;
  /** The request's own URL, which 201 and 3xx have as their location; null for other statuses. */
  readonly location: string | null;
}

/** @param direct a `DirectResponseAction` */
export function directResponse(direct: Message, headers: HeaderList, envoy: EnvoyMinor): DirectResponse {
  const status = number(direct, "status") ?? 0;
  const hasLocation = status === 201 || (status >= 300 && status < 400);
  return { status, body: bodyOf(direct), location: hasLocation ? ownUri(headers, envoy) : null };
}

function bodyOf(direct: Message): string | null {
  const body = child(direct, "body");
  if (child(direct, "body_format") !== undefined) return null;
  if (body === undefined) return "";
  if (typeof field(body, "inline_string") === "string") return text(body, "inline_string");
  if (typeof field(body, "inline_bytes") === "string") return decodedBytes(text(body, "inline_bytes"));
  return null;
}

/** The headers that a response of Envoy's own begins with (`Utility::sendLocalReply`). */
export function localReplyHeaders(status: number, body: string | null): HeaderList {
  const own: [string, string][] = [[":status", status.toString()]];
  if (body !== null && body !== "")
    own.push(
      ["content-length", new TextEncoder().encode(body).length.toString()],
      ["content-type", "text/plain"],
    );
  return own;
}
