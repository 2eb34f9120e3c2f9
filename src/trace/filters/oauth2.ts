/** `envoy.filters.http.oauth2`: a login elsewhere (`source/extensions/filters/http/oauth2/filter.cc`). */
import { child, children, type Message } from "../../snapshot/message.js";
import { matchHeader } from "../matchers/header-matcher.js";
import { matchPath } from "../matchers/path-matcher.js";
import { firstHeader } from "../request.js";
import { anyOf, isUnknown, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";
import {
  answered,
  answeredSomehow,
  mostSpecific,
  passed,
  undecided,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { localReply, type LocalReply } from "./local-reply.js";

/** Who has no cookie yet is sent to log in; whether cookies are good, and codes are, is not verified. */
export function evaluateOauth2(filter: HttpFilter, context: FilterContext): FilterResult {
  const config = child(mostSpecific(filter) ?? filter.config, "config");
  if (config === undefined) return passed(); // only routes turn it on
  const { headers } = context;
  const passes = matchesAny(children(config, "pass_through_matcher"), context);
  if (isUnknown(passes)) return undecided(passes.because);
  if (passes) return passed();
  const path = firstHeader(headers, ":path") ?? "";
  const isAt = (name: string): Ternary => matchPath(child(config, name), path);
  const signsOut = child(config, "signout_path") === undefined ? false : isAt("signout_path");
  if (signsOut === true) return answered(signOut(context));
  const because = [unknown("token", `Whether the filter ${filter.name} takes the cookies or the code.`)];
  const hasProof =
    firstHeader(headers, "cookie") !== undefined || firstHeader(headers, "authorization") !== undefined;
  if (signsOut !== false || hasProof || isAt("redirect_path_matcher") !== false) return undecided(because);
  const refuses = matchesAny(children(config, "deny_redirect_matcher"), context);
  if (refuses === false) return answered(localReply(302, "oauth.missing_credentials", { isFinal: true }));
  const refusal = localReply(401, "", { body: "OAuth flow failed." });
  if (refuses !== true) return answeredSomehow(refusal, refuses.because);
  const details = unknown("runtime state", `The details with which the filter ${filter.name} refuses.`);
  return { ...answered(refusal), because: [details] };
}

const matchesAny = (matchers: readonly Message[], { headers, envoy }: FilterContext): Ternary =>
  anyOf(matchers, (matcher) => matchHeader(matcher, headers, envoy));

function signOut({ headers }: FilterContext): LocalReply {
  const scheme = firstHeader(headers, ":scheme") ?? "http";
  const location = `${scheme}://${firstHeader(headers, ":authority") ?? ""}/`;
  return localReply(302, "oauth.sign_out", { headers: [["location", location]], isFinal: true });
}
