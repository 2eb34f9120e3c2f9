/** What `set_filter_state` filters of listeners and connections put into the filter state. */
import { child, flag, text, type Message } from "../../snapshot/message.js";
import type { AcceptedSocket } from "../listener/accepted-socket.js";
import { enumName } from "../enum-value.js";
import type { EnvoyMinor } from "../match-context.js";
import { unknown, type Unknown } from "../unknown.js";
import { formatForConnection, textFormat } from "./connection-format.js";

/** `SharedWithUpstream`: whether connections that are opened for this one get the value. */
export const isSharedUpstream = (value: Message): boolean =>
  enumName(value, "shared_with_upstream", ["NONE", "ONCE", "TRANSITIVE"]) !== "NONE";

/** @param values `envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue`, applied in order */
export function setFilterState(
  values: readonly Message[],
  socket: AcceptedSocket,
  envoy: EnvoyMinor,
): { readonly socket: AcceptedSocket; readonly unknowns: readonly Unknown[] } {
  const unknowns: Unknown[] = [];
  let at = socket;
  for (const value of values) {
    const key = text(value, "object_key");
    const config = child(value, "format_string");
    const format = textFormat(config);
    const missing = flag(config, "omit_empty_values") === true ? "" : "-";
    const result =
      format === null
        ? unknown("expression", `filter state "${key}" is set from a format that is no plain text`)
        : formatForConnection(format, at, envoy, missing);
    if (typeof result === "string") {
      if (result === "" && flag(value, "skip_if_empty") === true) continue;
      at = {
        ...at,
        filterState: new Map([...at.filterState, [key, result]]),
        isShared: new Map([...(at.isShared ?? []), [key, isSharedUpstream(value)]]),
      };
    } else {
      unknowns.push(result);
      const filterState = new Map(at.filterState);
      filterState.delete(key);
      at = { ...at, filterState, isComplete: false };
    }
  }
  return { socket: at, unknowns };
}
