/**
 * The AuthorizationPolicies in force, as `istioctl experimental authz check` prints them: read from the RBAC filters of the
 * dynamic listeners. Source: istio/istio, istioctl/pkg/authz/listener.go.
 *
 * A policy in dry run does not show, and an RBAC filter without policies shows as one that matches nothing, so that the
 * pair of filters of a CUSTOM policy brings such a line as well.
 */
import { compareText } from "../shared/sorting.js";
import { child, children, field, text, type Message } from "../snapshot/message.js";
import type { Origin, ReferenceList } from "../snapshot/model.js";
import { inside, members, shownReferences } from "./clusters.js";
import { filterChains, filterConfig, httpManagerOf } from "./listeners.js";
import type { View, ViewOptions } from "./view.js";

/** In the order of the table, with the first release that prints each. */
const actions = [
  { action: "DENY", since: 0 },
  { action: "ALLOW", since: 0 },
  { action: "LOG", since: 8 },
  { action: "CUSTOM", since: 25 },
] as const;
/** By the number of `envoy.config.rbac.v3.RBAC.Action`. */
const actionNames = ["ALLOW", "DENY", "LOG"];

const nothing = "_anonymous_match_nothing_";
const customPrefix = "istio-ext-authz-";

export function authzView(section: ReferenceList, options: ViewOptions): View {
  const policies = new Policies();
  for (const { reference, content } of shownReferences(section, options)) {
    if (reference.source !== "dynamic" || content === null) continue;
    for (const chain of filterChains(content)) {
      for (const [filter, index] of members(chain.message, "filters")) {
        const origin = inside(reference.origin, `${chain.pointer}/filters/${index}`);
        for (const rbac of rbacConfigs(filter)) addAll(policies, rbac, origin);
      }
    }
  }
  const rows = actions
    .filter(({ since }) => options.istioctl >= since)
    .flatMap(({ action }) =>
      policies.of(action).map(([name, origin]) => ({ action, name, origin, rules: policies.rules(name) })),
    );
  return {
    header: ["ACTION", "AuthorizationPolicy", "RULES"],
    rows: rows.map(({ action, name, rules }) => [action, name, String(rules)]),
    origins: rows.map(({ origin }) => origin),
    padding: 3,
    json: rows.map(({ action, name, rules }) => ({ action, authorizationPolicy: name, rules })),
    note: "",
  };
}

/** The RBAC configurations of a network filter: its own, or those of its HTTP filters. */
function rbacConfigs(filter: Message): Message[] {
  if (text(filter, "name") === "envoy.filters.network.rbac")
    return [filterConfig(filter, "envoy.extensions.filters.network.rbac.v3.RBAC")];
  const manager = httpManagerOf(filter);
  if (manager === null) return [];
  return children(manager, "http_filters")
    .filter((http) => text(http, "name") === "envoy.filters.http.rbac")
    .map((http) => filterConfig(http, "envoy.extensions.filters.http.rbac.v3.RBAC"));
}

function addAll(policies: Policies, rbac: Message, origin: Origin): void {
  const rules = child(rbac, "rules");
  const action = actionOf(rules);
  const keys = Object.keys(child(rules, "policies") ?? {});
  for (const key of keys) policies.add(action, key, origin);
  const shadows = Object.keys(child(rbac, "shadow_rules", "policies") ?? {});
  for (const key of shadows) if (key.startsWith(customPrefix)) policies.add("CUSTOM", key, origin);
  if (keys.length === 0) policies.addRule(action, nothing, "0", origin);
}

/** ALLOW is the default, which JSON leaves out. */
function actionOf(rules: Message | undefined): string {
  const action = field(rules, "action") ?? 0;
  return typeof action === "number" ? (actionNames[action] ?? "") : typeof action === "string" ? action : "";
}

class Policies {
  /** Action -> name of the policy -> where it was seen first. */
  readonly #origins = new Map<string, Map<string, Origin>>();
  /** By name alone, as istioctl counts them. */
  readonly #rules = new Map<string, Set<string>>();

  /** @param key `[istio-ext-authz-[<provider>-]]ns[<namespace>]-policy[<name>]-rule[<index>]`; another has no name */
  add(action: string, key: string, origin: Origin): void {
    const [, namespace, name, rule = ""] =
      /ns\[([^[\]]+)\]-policy\[([^[\]]+)\]-rule\[([^[\]]+)\]/.exec(key) ?? [];
    this.addRule(action, name === undefined ? "" : `${name}.${namespace}`, rule, origin);
  }

  addRule(action: string, name: string, rule: string, origin: Origin): void {
    const origins = this.#origins.get(action) ?? new Map<string, Origin>();
    this.#origins.set(action, origins);
    if (!origins.has(name)) origins.set(name, origin);
    this.#rules.set(name, (this.#rules.get(name) ?? new Set<string>()).add(rule));
  }

  of(action: string): [name: string, origin: Origin][] {
    return [...(this.#origins.get(action) ?? [])].sort(([a], [b]) => compareText(a, b));
  }

  rules(name: string): number {
    return this.#rules.get(name)?.size ?? 0;
  }
}
