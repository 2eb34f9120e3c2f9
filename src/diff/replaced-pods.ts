/**
 * Pods that others of the same workload stand for in a later snapshot. Their addresses are all over the mesh, in the
 * endpoints that clients hold and in names of listeners, and are no change of the configuration.
 */
import type { Pod, Proxy, Resource, Snapshot } from "../snapshot/model.js";
import { withTexts, type JsonValue } from "../shared/json-value.js";
import { ownAddresses } from "./own-names.js";
import { workloadOf } from "./replicas.js";
import { semanticForm, type SemanticForm } from "./semantic-form.js";

export interface ProxyPair {
  readonly before: Proxy;
  readonly after: Proxy;
}

/** Texts and resources of one side with a workload's name where an address of one of its replaced pods stood. */
export interface WithoutReplaced {
  name(text: string): string;
  form(resource: Resource): SemanticForm;
}

/** null where no pod was replaced. */
export function withoutReplaced(
  pairs: readonly ProxyPair[],
  before: Snapshot["pods"],
  after: Snapshot["pods"],
): { readonly before: WithoutReplaced; readonly after: WithoutReplaced } | null {
  const old = new Map<string, string>();
  const now = new Map<string, string>();
  for (const pair of pairs) {
    if (pair.before.id === pair.after.id) continue;
    const name = `<pod of ${workloadOf(pair.after)}>`;
    for (const address of ownAddresses(pair.before)) old.set(address, name);
    for (const address of ownAddresses(pair.after)) now.set(address, name);
  }
  if (before.state === "present" && after.state === "present")
    for (const [gone, come] of replacedPods(before.value, after.value)) {
      const name = `<pod of ${templateOf(gone)}>`;
      for (const address of gone.ips) if (!old.has(address)) old.set(address, name);
      for (const address of come.ips) if (!now.has(address)) now.set(address, name);
    }
  return old.size === 0 && now.size === 0 ? null : { before: side(old), after: side(now) };
}

/** Pods without a proxy of which the lists of pods tell that one came for another. */
function* replacedPods(before: readonly Pod[], after: readonly Pod[]): Generator<readonly [Pod, Pod]> {
  const ids = (pods: readonly Pod[]): Set<string> => new Set(pods.map(idOf));
  const [old, now] = [ids(before), ids(after)];
  const come = new Map<string, Pod[]>();
  for (const pod of after) {
    if (old.has(idOf(pod)) || !isReplaceable(pod)) continue;
    const list = come.get(templateOf(pod)) ?? [];
    list.push(pod);
    come.set(templateOf(pod), list);
  }
  for (const pod of before) {
    if (now.has(idOf(pod)) || !isReplaceable(pod)) continue;
    const heir = come.get(templateOf(pod))?.pop();
    if (heir !== undefined) yield [pod, heir];
  }
}

const idOf = ({ namespace, name }: Pod): string => `${namespace}/${name}`;
/** A pod on its host's network has an address that is not its own. */
const isReplaceable = ({ owner, hostNetwork }: Pod): boolean => owner !== "" && !hostNetwork;

/** The owner, without the hash that a Deployment puts behind the name of its ReplicaSet. */
function templateOf({ namespace, owner, labels }: Pod): string {
  const hash = labels["pod-template-hash"] ?? "";
  const name = hash !== "" && owner.endsWith(`-${hash}`) ? owner.slice(0, -hash.length - 1) : owner;
  return `${name.slice(name.indexOf("/") + 1)}.${namespace}`;
}

function side(names: ReadonlyMap<string, string>): WithoutReplaced {
  const name = (text: string): string => {
    const whole = names.get(text);
    if (whole !== undefined) return whole;
    // `10.0.0.1_3306`
    const end = text.lastIndexOf("_");
    const address = end < 0 ? undefined : names.get(text.slice(0, end));
    return address === undefined ? text : address + text.slice(end);
  };
  const known = new Map<string, SemanticForm>();
  return {
    name,
    form: (resource) => {
      let form = known.get(resource.hash);
      if (form === undefined) {
        const renamed = withTexts(JSON.parse(resource.text) as JsonValue, name);
        form = semanticForm({ kind: resource.kind, text: JSON.stringify(renamed) });
        known.set(resource.hash, form);
      }
      return form;
    },
  };
}
