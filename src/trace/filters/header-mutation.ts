/** `envoy.filters.http.header_mutation` (`source/extensions/filters/http/header_mutation/header_mutation.cc`). */
import { child, children, field, flag, text, type Message } from "../../snapshot/message.js";
import type { HeaderList } from "../request.js";
import { mutateHeaders } from "../route/header-mutations.js";
import { unknown, type Unknown } from "../unknown.js";
import { passed, undecided, type FilterContext, type FilterResult, type HttpFilter } from "./filter.js";

/** The filter's own mutations, then those of the levels of the route, the least specific last unless it is told otherwise. */
export function evaluateHeaderMutation(filter: HttpFilter, context: FilterContext): FilterResult {
  const isAscending = flag(filter.config, "most_specific_header_mutations_wins") === true;
  const levels = isAscending ? filter.routeConfigs : filter.routeConfigs.toReversed();
  const all = [filter.config, ...levels].map((level) => child(level, "mutations"));
  const unevaluated = all.flatMap((mutations) => notEvaluated(filter.name, mutations));
  const unknownValues: Unknown[] = [];
  let { headers } = context;
  for (const mutation of all.flatMap((mutations) => children(mutations, "request_mutations"))) {
    const mutated = mutatedOnce(mutation, headers, context);
    headers = mutated.headers;
    unknownValues.push(...mutated.unknowns);
  }
  return unevaluated.length > 0
    ? undecided([...unevaluated, ...unknownValues], { headers })
    : { ...passed({ headers }), because: unknownValues };
}

/** One after the other, each on what the one before left. */
function mutatedOnce(
  mutation: Message,
  headers: HeaderList,
  context: FilterContext,
): ReturnType<typeof mutateHeaders> {
  const append = child(mutation, "append");
  const remove = text(mutation, "remove");
  return mutateHeaders(
    headers,
    { toAdd: append === undefined ? [] : [append], toRemove: remove === "" ? [] : [remove] },
    (request) => ({ request, response: null, context, entry: context.entry }),
  );
}

function notEvaluated(name: string, mutations: Message | undefined): Unknown[] {
  const hasParameters = children(mutations, "query_parameter_mutations").length > 0;
  const hasMatchers = children(mutations, "request_mutations").some(
    (mutation) => field(mutation, "remove_on_match") !== undefined,
  );
  const what = [
    ...(hasParameters ? ["query parameters"] : []),
    ...(hasMatchers ? ["headers by a matcher"] : []),
  ];
  return what.map((kind) =>
    unknown("unsupported filter", `How the filter ${name} changes ${kind} is not evaluated.`),
  );
}
