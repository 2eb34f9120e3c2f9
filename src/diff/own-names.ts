/**
 * What only one pod is called: its name and addresses, which stand in the configuration of its own proxy. Replicas that
 * hold the same differ in nothing else.
 */
import type { Proxy, Resource, SectionKind } from "../snapshot/model.js";
import { canonicalText, withTexts } from "../shared/json-value.js";
import type { Comparer } from "./sections.js";
import type { SemanticForm } from "./semantic-form.js";

/** What a resource means, without what the proxy's own pod is called. */
export function withoutSelf(resource: Resource, proxy: Proxy, compare: Pick<Comparer, "form">): SemanticForm {
  const form = compare.form(resource);
  if (!allNames(proxy).some((name) => form.text.includes(name))) return form;
  const value = withTexts(form.value, withoutOwnNames(proxy));
  return { value, text: canonicalText(value) };
}

const namesOf = new WeakMap<Proxy, readonly string[]>();

/** Worked out once: it is asked for every resource. */
function allNames(proxy: Proxy): readonly string[] {
  let names = namesOf.get(proxy);
  if (names === undefined) {
    const name = ownName(proxy);
    names = [...(name === null ? [] : [name]), ...ownAddresses(proxy)];
    namesOf.set(proxy, names);
  }
  return names;
}

/** A text without what the proxy's own pod is called. */
export function withoutOwnNames(proxy: Proxy): (text: string) => string {
  const name = ownName(proxy);
  // not part of a longer one
  const names =
    name === null ? null : new RegExp(`(?<![\\w-])${name.replace(/[^\w-]/g, "\\$&")}(?![\\w-])`, "g");
  const addresses = ownAddresses(proxy).map(patternOf);
  return (text) =>
    addresses.reduce(
      (result, pattern) => result.replace(pattern, "<own address>"),
      names === null ? text : text.replace(names, "<own name>"),
    );
}

/** null for a pod that has the name of its workload, which is that of its service too as a rule. */
function ownName({ pod, node }: Proxy): string | null {
  const workload = node.state === "present" ? node.value.metadata["WORKLOAD_NAME"] : undefined;
  return pod === "" || pod === workload ? null : pod;
}

/** An address that is not part of a longer one; a port may follow an IPv4 address, and one in brackets. */
const patternOf = (address: string): RegExp =>
  address.includes(":")
    ? new RegExp(`(?<![\\d.:a-fA-F])${address.replaceAll(".", "\\.")}(?![\\d.:a-fA-F])`, "g")
    : new RegExp(`(?<![\\d.])${address.replaceAll(".", "\\.")}(?![\\d.])`, "g");

/**
 * Whether a name begins with an address of the pod itself: listeners of headless services, which Istiod makes for every
 * pod but the one that gets them, and the inbound listeners of Istio up to 1.2 (Istio, pilot/pkg/networking/core/listener.go).
 */
export function namedAfter(proxy: Proxy): (name: string) => boolean {
  const beginnings = ownAddresses(proxy).map((address) => `${address}_`);
  return (name) => beginnings.some((beginning) => name.startsWith(beginning));
}

/** A certificate that each pod has for itself, and a new one every day. */
export const isOfEachPod = (kind: SectionKind, name: string): boolean =>
  kind === "secret" && name === "default";

/** By its node id and metadata, as far as they are addresses. */
export function ownAddresses({ node }: Proxy): readonly string[] {
  if (node.state === "absent") return [];
  const { parts, metadata } = node.value;
  const told = typeof metadata["INSTANCE_IPS"] === "string" ? metadata["INSTANCE_IPS"].split(",") : [];
  return [...new Set([...told, parts?.ip ?? ""])].filter((text) =>
    /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$/.test(text),
  );
}
