/** Filters that ask for a password or a key: `basic_auth` and `api_key_auth` (`source/extensions/filters/http`). */
import { children, text, type Message } from "../../snapshot/message.js";
import { cookiesOf, queryParameters } from "../matchers/query-matcher.js";
import { asciiLower } from "../matchers/string-matcher.js";
import { decodedBytes } from "../route/formatters.js";
import { firstHeader, type HeaderList } from "../request.js";
import { unknown } from "../unknown.js";
import {
  denied,
  mostSpecific,
  undecided,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { localReply } from "./local-reply.js";
import { originalUri } from "./original-uri.js";

/** Without a user's name and password it denies; dumps have the users redacted. */
export function evaluateBasicAuth({ name, config }: HttpFilter, { headers }: FilterContext): FilterResult {
  const header = asciiLower(text(config, "authentication_header")) || "authorization";
  const value = firstHeader(headers, header);
  const deny = (problem: string, detail: string): FilterResult =>
    denied(
      localReply(401, `${detail}_for_basic_auth`, {
        body: `User authentication failed. ${problem}`,
        headers: [["www-authenticate", `Basic realm="${originalUri(headers)}"`]],
      }),
    );
  if (value === undefined) return deny("Missing username and password.", "no_credential");
  if (!value.startsWith("Basic ")) return deny("Expected 'Basic' authentication scheme.", "invalid_scheme");
  if (!decodedBytes(value.slice("Basic ".length)).includes(":"))
    return deny("Invalid basic credential format.", "invalid_format");
  const because = unknown(
    "redacted",
    `Whether the filter ${name} knows the user and the password: Envoy redacts them.`,
  );
  return undecided([because]);
}

/** Without a key it denies; dumps have the keys redacted. */
export function evaluateApiKeyAuth(filter: HttpFilter, { headers }: FilterContext): FilterResult {
  const own = mostSpecific(filter);
  const listed = (name: string): Message[] =>
    [own, filter.config].map((one) => children(one, name)).find(({ length }) => length > 0) ?? [];
  const deny = (detail: string): FilterResult =>
    denied(localReply(401, detail, { body: "Client authentication failed." }));
  const sources = listed("key_sources");
  if (sources.length === 0) return deny("missing_key_sources");
  if (listed("credentials").length === 0) return deny("missing_credentials");
  if (!sources.some((source) => keyIn(source, headers) !== "")) return deny("missing_api_key");
  const because = unknown("redacted", `Whether the filter ${filter.name} knows the key: Envoy redacts them.`);
  return undecided([because]);
}

function keyIn(source: Message, headers: HeaderList): string {
  const header = asciiLower(text(source, "header"));
  if (header !== "") return (firstHeader(headers, header) ?? "").replace(/^Bearer /, "");
  const parameter = text(source, "query");
  if (parameter !== "") return queryParameters(firstHeader(headers, ":path") ?? "").get(parameter) ?? "";
  return cookiesOf(headers).get(text(source, "cookie")) ?? "";
}
