/** What the codecs of HTTP/1 and HTTP/2 have in common: their results, the limits, and names with underscores. */
import { child, number, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import type { LocalReply } from "../filters/local-reply.js";
import type { HeaderList } from "../request.js";
import type { ResponseFlag } from "../result.js";

export type DecodedRequest =
  | { readonly kind: "request"; readonly headers: HeaderList }
  | { readonly kind: "refused"; readonly reply: LocalReply }
  /** A stream of HTTP/2 that ends without a response. */
  | { readonly kind: "reset"; readonly responseFlags: readonly ResponseFlag[]; readonly detail: string };

export const asRequest = (headers: HeaderList): DecodedRequest => ({ kind: "request", headers });

/** What a method and the name of a header are made of. */
export const token = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;

/** Of names and values. */
export const sizeOf = (headers: HeaderList): number =>
  headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
/** `max_request_headers_kb`, in bytes. */
export const sizeLimit = (manager: Message): number =>
  1024 * (number(manager, "max_request_headers_kb") ?? 60);
/** `max_headers_count` */
export const countLimit = (manager: Message): number =>
  number(child(manager, "common_http_protocol_options"), "max_headers_count") ?? 100;

const underscoreActions = ["ALLOW", "REJECT_REQUEST", "DROP_HEADER"] as const;
/** What becomes of headers with an underscore in their names. */
export const underscoresAction = (manager: Message): string =>
  enumName(
    child(manager, "common_http_protocol_options"),
    "headers_with_underscores_action",
    underscoreActions,
  );

export const hasUnderscore = ([name]: HeaderList[number]): boolean => name.includes("_");
export const withoutUnderscores = (headers: HeaderList): HeaderList =>
  headers.filter((header) => !hasUnderscore(header));
