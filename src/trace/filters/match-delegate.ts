/** A filter behind a matcher tree, and `composite`, which is one that the tree chooses (`source/extensions/filters/http/match_delegate`). */
import { child, field, type Message } from "../../snapshot/message.js";
import { matchInputOf } from "../matchers/match-input.js";
import { evaluateTree, type TreeResult } from "../matchers/matcher-tree.js";
import { unknown } from "../unknown.js";
import { evaluatorOf } from "./filter-kinds.js";
import {
  mostSpecific,
  passed,
  undecided,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { namedConfig } from "./typed-config.js";

const skip = "envoy.extensions.filters.common.matcher.action.v3.SkipFilter";
const execute = "envoy.extensions.filters.http.composite.v3.ExecuteFilterAction";
const composite = "envoy.extensions.filters.http.composite.v3.Composite";

/** `ExtensionWithMatcher`: without a tree the filter is skipped; without a match it runs. */
export function evaluateMatchDelegate(filter: HttpFilter, context: FilterContext): FilterResult {
  const tree = treeOf(mostSpecific(filter)) ?? treeOf(filter.config);
  if (tree === undefined) return passed();
  const result = evaluateTree(tree, matchInputOf(context), context.envoy);
  if (result.kind === "unknown") return undecided(result.because);
  const delegate = child(filter.config, "extension_config");
  if (namedConfig(delegate).type === composite) return evaluateComposite(filter, result, context);
  return result.kind === "action" && result.type === skip
    ? passed()
    : evaluateInner(filter, delegate, context);
}

const treeOf = (config: Message | undefined): Message | undefined =>
  child(config, "xds_matcher") ?? child(config, "matcher");

/** Without an action there is nothing to run. */
function evaluateComposite(filter: HttpFilter, result: TreeResult, context: FilterContext): FilterResult {
  if (result.kind !== "action" || result.type !== execute) return passed();
  const isPlain = Object.keys(result.action).every((name) => name === "@type" || name === "typed_config");
  const chosen = child(result.action, "typed_config");
  if (chosen !== undefined && isPlain) return evaluateInner(filter, chosen, context);
  const kinds = Object.keys(result.action).filter((name) => field(result.action, name) !== undefined);
  return undecided([
    unknown(
      "unsupported filter",
      `What the filter ${filter.name} runs is not evaluated: ${kinds.join(", ")}.`,
    ),
  ]);
}

/** Configurations of the route are for the outer filter. */
function evaluateInner(filter: HttpFilter, inner: Message | undefined, context: FilterContext): FilterResult {
  const { name, type, config } = namedConfig(inner);
  return evaluatorOf(type, name)({ name: filter.name, type, config, routeConfigs: [] }, context);
}
