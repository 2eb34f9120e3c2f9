/** `envoy.filters.http.set_filter_state`, which waypoints name `connect_authority` (`source/extensions/filters/common/set_filter_state`). */
import { child, children, field, flag, text, type Message } from "../../snapshot/message.js";
import { isSharedUpstream } from "../network/filter-state-values.js";
import { format } from "../route/formatters.js";
import { unknown, type Unknown } from "../unknown.js";
import { passed, type FilterContext, type FilterResult, type HttpFilter } from "./filter.js";

/** The filter's values, then those of the levels of the route, the most specific last. */
export function evaluateSetFilterState(filter: HttpFilter, context: FilterContext): FilterResult {
  const filterState = new Map<string, string>();
  const isShared = new Map<string, boolean>();
  const hidden = new Set<string>();
  const because: Unknown[] = [];
  const values = [filter.config, ...filter.routeConfigs].flatMap((config) =>
    children(config, "on_request_headers"),
  );
  for (const value of values) {
    const key = text(value, "object_key") || text(value, "string_key");
    const filled = filledIn(child(value, "format_string"), {
      ...context,
      filterState: new Map([...context.filterState, ...filterState]),
    });
    if (filled.unknowns.length > 0) {
      hidden.add(key);
      because.push(...filled.unknowns);
    } else if (filled.text !== "" || flag(value, "skip_if_empty") !== true) {
      hidden.delete(key);
      filterState.set(key, filled.text);
      isShared.set(key, isSharedUpstream(value));
    }
  }
  for (const key of hidden) filterState.delete(key);
  const clearsRouteCache = flag(filter.config, "clear_route_cache") === true;
  return { ...passed({ filterState, isShared, hiddenFilterState: [...hidden], clearsRouteCache }), because };
}

interface Filled {
  readonly text: string;
  readonly unknowns: readonly Unknown[];
}

const operator = /%[A-Z][A-Z0-9_]{0,60}(?:\([^)]{0,1024}\))?(?::\d{1,6})?%|%%/g;

/** `SubstitutionFormatString` of plain text: an operator without a value leaves "-", unless those are left out. */
function filledIn(config: Message | undefined, context: FilterContext): Filled {
  const template = templateOf(config);
  if (template === null)
    return {
      text: "",
      unknowns: [unknown("expression", "A format that is no plain text is not evaluated.")],
    };
  const missing = flag(config, "omit_empty_values") === true ? "" : "-";
  const unknowns: Unknown[] = [];
  const filled = template.replace(operator, (piece) => {
    const result = format(piece, { request: context.headers, response: null, context, entry: context.entry });
    unknowns.push(...result.unknowns);
    return result.text === "" ? missing : result.text;
  });
  return { text: filled, unknowns };
}

function templateOf(config: Message | undefined): string | null {
  const inline = field(child(config, "text_format_source"), "inline_string") ?? field(config, "text_format");
  return typeof inline === "string" ? inline : null;
}
