/** What route and policy conditions call the path (`PathUtil::removeQueryAndFragment`, PathMatcher). */
import { child, type Message } from "../../snapshot/message.js";
import type { Ternary } from "../ternary.js";
import { matchString } from "./string-matcher.js";

/** Up to the first "?" or "#". */
export function pathOnly(path: string): string {
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}

/** `envoy.type.matcher.v3.PathMatcher`. @param path as `:path` has it */
export const matchPath = (matcher: Message | undefined, path: string): Ternary =>
  matchString(child(matcher, "path"), pathOnly(path));
