/**
 * Which of a cluster's hosts a request may go to where the cluster has subsets: those whose metadata `envoy.lb` has what
 * the route asks for, or what the fallback says.
 * Source: envoyproxy/envoy, source/extensions/load_balancing_policies/subset/subset_lb.cc.
 */
import { child, children, field, flag, isMessage, texts, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import { unknown, type Unknown } from "../unknown.js";
import { keptWeights, type LocalityWeights } from "./host-choice.js";
import type { Host } from "./hosts.js";
import { labelsMatch } from "./metadata-labels.js";

/** Hosts to choose among; where that finds none, the next of the list is tried. */
export interface SubsetTry {
  /** Such as `subset version=v1`, `default subset`, `any endpoint`. */
  readonly what: string;
  readonly hosts: readonly Host[];
  readonly localityWeights: LocalityWeights;
}

export interface SubsetChoice {
  /** In this order; none: no host. */
  readonly tries: readonly SubsetTry[];
  readonly unknowns: readonly Unknown[];
}

const filter = "envoy.lb";
const fallbackList = "fallback_list";

const fallbackPolicies = ["NO_FALLBACK", "ANY_ENDPOINT", "DEFAULT_SUBSET"] as const;
const selectorPolicies = [
  "NOT_DEFINED",
  "NO_FALLBACK",
  "ANY_ENDPOINT",
  "DEFAULT_SUBSET",
  "KEYS_SUBSET",
] as const;
const metadataPolicies = ["METADATA_NO_FALLBACK", "FALLBACK_LIST"] as const;

/**
 * @param config `LbSubsetConfig` or the subset policy
 * @param criteria `envoy.lb` of the route's `metadata_match`, the weighted cluster's merged over it; null: there is none
 */
export function chooseSubset(
  config: Message,
  hosts: readonly Host[],
  criteria: Message | null,
): SubsetChoice {
  const subsets = new Subsets(config, hosts);
  const overrides = criteria === null ? undefined : field(criteria, fallbackList);
  const isList = enumName(config, "metadata_fallback_policy", metadataPolicies) === "FALLBACK_LIST";
  const tries =
    criteria === null || !isList || overrides === undefined
      ? subsets.triesFor(criteria)
      : triesWithOverrides(subsets, without(criteria, fallbackList), overrides);
  return { tries, unknowns: subsets.unknowns() };
}

/** Every element of `fallback_list` is laid over the criteria in turn. */
function triesWithOverrides(subsets: Subsets, criteria: Message, overrides: unknown): SubsetTry[] {
  const list = Array.isArray(overrides) ? (overrides as unknown[]) : [];
  if (list.length === 0) return subsets.triesFor(criteria);
  return list.flatMap((one) => subsets.triesFor({ ...criteria, ...(isMessage(one) ? one : {}) }));
}

interface Selector {
  /** Sorted. */
  readonly keys: readonly string[];
  readonly policy: string;
  readonly fallbackKeys: readonly string[];
  readonly isSingleHost: boolean;
}

/** Keys of a selector, one after the other, to what it falls back to. */
interface SelectorNode {
  readonly children: Map<string, SelectorNode>;
  fallback: Selector | null;
}

class Subsets {
  readonly #config: Message;
  readonly #hosts: readonly Host[];
  readonly #selectors: readonly Selector[];
  readonly #fallbacks: SelectorNode;

  constructor(config: Message, hosts: readonly Host[]) {
    this.#config = config;
    this.#hosts = hosts;
    this.#selectors = children(config, "subset_selectors").map((selector) => ({
      keys: [...new Set(texts(selector, "keys"))].sort(byBytes),
      policy: enumName(selector, "fallback_policy", selectorPolicies),
      fallbackKeys: texts(selector, "fallback_keys_subset"),
      isSingleHost: flag(selector, "single_host_per_subset") === true,
    }));
    this.#fallbacks = fallbackTree(this.#selectors);
  }

  unknowns(): Unknown[] {
    const lost = this.#hosts.filter(({ metadata }) => metadata === null).length;
    return lost === 0
      ? []
      : [
          unknown(
            "not captured",
            `The metadata of ${lost} hosts, by which subsets are made, was not captured.`,
          ),
        ];
  }

  triesFor(criteria: Message | null): SubsetTry[] {
    const used = criteria === null ? null : this.#withoutRedundantKeys(criteria);
    if (used !== null) {
      const subset = this.#subsetOf(used);
      if (subset.hosts.length > 0) return [subset];
      const selector = this.#fallbackOf(used);
      if (selector !== null && selector.policy !== "NOT_DEFINED") return this.#selectorTries(selector, used);
    }
    const policy = enumName(this.#config, "fallback_policy", fallbackPolicies);
    if (policy === "NO_FALLBACK") return [];
    const first = policy === "ANY_ENDPOINT" ? this.#any() : this.#default();
    return flag(this.#config, "panic_mode_any") === true ? [first, this.#any()] : [first];
  }

  /** `allow_redundant_keys`: the first selector whose keys are all asked for. */
  #withoutRedundantKeys(criteria: Message): Message {
    if (flag(this.#config, "allow_redundant_keys") !== true) return criteria;
    const selector = this.#selectors.find(({ keys }) => keys.every((key) => Object.hasOwn(criteria, key)));
    return selector === undefined ? criteria : only(criteria, selector.keys);
  }

  /** Hosts with all the values; the keys must be those of a selector. */
  #subsetOf(criteria: Message): SubsetTry {
    const keys = Object.keys(criteria).sort(byBytes);
    const selector = this.#selectors.find((one) => keys.length > 0 && isSameList(one.keys, keys));
    const what = `subset ${keys.map((key) => `${key}=${shown(criteria[key])}`).join(",")}`;
    if (selector === undefined) return this.#try(what, []);
    const hosts = this.#withLabels(criteria);
    return this.#try(what, selector.isSingleHost ? firstOfPriorities(hosts) : hosts);
  }

  #fallbackOf(criteria: Message): Selector | null {
    const keys = Object.keys(criteria).sort(byBytes);
    let node: SelectorNode | undefined = this.#fallbacks;
    for (const key of keys) node = node?.children.get(key);
    return keys.length === 0 ? null : (node?.fallback ?? null);
  }

  #selectorTries(selector: Selector, criteria: Message): SubsetTry[] {
    if (selector.policy === "ANY_ENDPOINT") return [this.#any()];
    if (selector.policy === "DEFAULT_SUBSET") return [this.#default()];
    const fewer = only(criteria, selector.fallbackKeys);
    // Envoy takes only selectors that fall back to fewer keys
    const isFewer = Object.keys(fewer).length < Object.keys(criteria).length;
    return selector.policy === "KEYS_SUBSET" && isFewer ? this.triesFor(fewer) : [];
  }

  #any(): SubsetTry {
    return this.#try("any endpoint", this.#hosts);
  }

  #default(): SubsetTry {
    return this.#try("default subset", this.#withLabels(child(this.#config, "default_subset") ?? {}));
  }

  #withLabels(labels: Message): Host[] {
    const isAny = flag(this.#config, "list_as_any") === true;
    return this.#hosts.filter(({ metadata }) => labelsMatch(labels, metadata ?? undefined, filter, isAny));
  }

  #try(what: string, hosts: readonly Host[]): SubsetTry {
    if (flag(this.#config, "locality_weight_aware") !== true)
      return { what, hosts, localityWeights: { kind: "ignored" } };
    const isScaled = flag(this.#config, "scale_locality_weight") === true;
    return { what, hosts, localityWeights: isScaled ? { kind: "scaled", all: this.#hosts } : keptWeights };
  }
}

/** As Envoy builds it: a selector whose keys begin an earlier, longer one has no fallback of its own. */
function fallbackTree(selectors: readonly Selector[]): SelectorNode {
  const root: SelectorNode = { children: new Map(), fallback: null };
  for (const selector of selectors) {
    let node = root;
    for (const [index, key] of selector.keys.entries()) {
      let next = node.children.get(key);
      if (next === undefined) {
        next = { children: new Map(), fallback: index + 1 === selector.keys.length ? selector : null };
        node.children.set(key, next);
      }
      node = next;
    }
  }
  return root;
}

/** `single_host_per_subset`: the first host of every priority. */
function firstOfPriorities(hosts: readonly Host[]): Host[] {
  const seen = new Set<number>();
  return hosts.filter(({ priority }) => !seen.has(priority) && seen.add(priority));
}

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);

const only = (message: Message, keys: readonly string[]): Message =>
  Object.fromEntries(Object.entries(message).filter(([key]) => keys.includes(key)));

const without = (message: Message, name: string): Message =>
  Object.fromEntries(Object.entries(message).filter(([key]) => key !== name));

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
