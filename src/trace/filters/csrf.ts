/** `envoy.filters.http.csrf` (`source/extensions/filters/http/csrf/csrf_filter.cc`). */
import { child, children } from "../../snapshot/message.js";
import { matchString } from "../matchers/string-matcher.js";
import { firstHeader, type HeaderList } from "../request.js";
import { anyOf, isUnknown } from "../ternary.js";
import {
  allowed,
  denied,
  mostSpecific,
  passed,
  undecided,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { isDrawn } from "./fraction-gate.js";
import { localReply } from "./local-reply.js";

const modifying: ReadonlySet<string> = new Set(["POST", "PUT", "DELETE", "PATCH"]);

/** A request that modifies has to come from the host that it goes to, or from a listed one. */
export function evaluateCsrf(filter: HttpFilter, context: FilterContext): FilterResult {
  const policy = mostSpecific(filter) ?? filter.config;
  const { headers } = context;
  const enabled = isDrawn(child(policy, "filter_enabled"), context, `the filter ${filter.name} applies`);
  if (enabled === false || !modifying.has(firstHeader(headers, ":method") ?? "")) return passed();
  const source = sourceOrigin(headers);
  const isOwn = source !== "" && source === hostAndPort(firstHeader(headers, ":authority") ?? "");
  const isListed =
    source !== "" && anyOf(children(policy, "additional_origins"), (one) => matchString(one, source));
  if (isOwn || isListed === true) return allowed("");
  if (isUnknown(isListed)) return undecided(isListed.because);
  if (isUnknown(enabled)) return undecided(enabled.because);
  return denied(localReply(403, "csrf_origin_mismatch", { body: "Invalid origin" }));
}

function sourceOrigin(headers: HeaderList): string {
  const origin = hostAndPort(firstHeader(headers, "origin") ?? "");
  return origin === "" ? hostAndPort(firstHeader(headers, "referer") ?? "") : origin;
}

/** Of an absolute URL; any other text is taken as it is. */
function hostAndPort(value: string): string {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i.exec(value)?.[1];
  return authority === undefined ? value : authority.slice(authority.lastIndexOf("@") + 1);
}
