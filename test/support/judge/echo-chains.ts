/** Filter chains of scenarios that lead to the shared server, and what is expected of them. */
import type { JsonObject } from "../mesh/json.js";
import { chain, tcpProxy } from "./messages.js";
import { closed, through, type Expected } from "./scenario.js";

export const chainTo = (
  name: string,
  match: JsonObject | null = null,
  overrides: JsonObject = {},
): JsonObject => chain(name, [tcpProxy("echo")], match, overrides);

export const takes = (filterChain: string, more: Expected = {}): Expected =>
  through("echo", { filterChain, ...more });

export const noChain: Expected = closed({
  filterChain: null,
  flags: ["NR"],
  details: "filter_chain_not_found",
});
