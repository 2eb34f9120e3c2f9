/** Virtual clusters: names for statistics (`CommonVirtualHostImpl::virtualClusterFromEntries`). */
import { children, text, type Message } from "../../snapshot/message.js";
import { headerMatchers, matchHeaders } from "../matchers/header-matcher.js";
import type { EnvoyMinor } from "../match-context.js";
import type { HeaderList } from "../request.js";
import { isUnknown, type UnknownTruth } from "../ternary.js";

/** The name; null where the virtual host has none of them, `other` where none of them matches. */
export function virtualClusterName(
  virtualHost: Message,
  headers: HeaderList,
  envoy: EnvoyMinor,
): string | null | UnknownTruth {
  const entries = children(virtualHost, "virtual_clusters");
  for (const entry of entries) {
    const matches = matchHeaders(headerMatchers(entry), headers, envoy);
    if (isUnknown(matches)) return matches;
    if (matches) return text(entry, "name");
  }
  return entries.length === 0 ? null : "other";
}
