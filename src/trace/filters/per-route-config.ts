/** What the levels of a route say about one filter (`source/common/router/per_filter_config.cc`). */
import { child, flag, isMessage, type Message } from "../../snapshot/message.js";
import { typedConfig } from "./typed-config.js";

/** What one level says. */
export interface LevelConfig {
  readonly isDisabled: boolean;
  /** null: it only enables or disables. */
  readonly config: Message | null;
}

const filterConfig = "envoy.config.route.v3.FilterConfig";

/** A value of `typed_per_filter_config`: the filter's own message, or a `FilterConfig` around it. */
function levelConfig(value: Message): LevelConfig {
  const { type, config } = typedConfig(value);
  if (type !== filterConfig) return { isDisabled: false, config };
  if (flag(config, "disabled") === true) return { isDisabled: true, config: null };
  const inner = typedConfig(child(config, "config"));
  // an Any without a type only turns the filter on
  return { isDisabled: false, config: inner.type === "" ? null : inner.config };
}

/**
 * The levels that name a filter, least specific first.
 * @param levels the maps of route configuration, virtual host, route, weighted cluster
 * @param names the filter's name, then names under which older releases look it up; each level is read by the first it has
 */
export function levelsOf(levels: readonly Message[], names: readonly string[]): LevelConfig[] {
  return levels.flatMap((level) => {
    const name = names.find((candidate) => Object.hasOwn(level, candidate));
    const value = name === undefined ? undefined : level[name];
    return isMessage(value) ? [levelConfig(value)] : [];
  });
}

/** The deepest level that names the filter decides; without one the connection manager's entry does. */
export function isEnabled(filter: Message, levels: readonly LevelConfig[]): boolean {
  const deepest = levels.at(-1);
  return deepest === undefined ? flag(filter, "disabled") !== true : !deepest.isDisabled;
}

/** The filter's own configurations; a level that only enables it lets the ones above it count. */
export const configsOf = (levels: readonly LevelConfig[]): Message[] =>
  levels.flatMap(({ config }) => (config === null ? [] : [config]));
