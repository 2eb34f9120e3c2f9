import { constants } from "node:buffer";

import { UserError } from "../shared/errors.js";
import { by } from "../shared/sorting.js";
import type { Channel } from "./ask.js";
import { capture, type CaptureLimits } from "./capture.js";
import { httpChannel } from "./http.js";
import type { Kubectl } from "./kubectl.js";
import type { Failure } from "./ledger.js";
import { inventory, isName, serviceRecords, type Filters, type PodRecord, type Target } from "./targets.js";
import type { TemporaryFiles } from "./temporary-files.js";

/** A target and the way to it. */
export interface PlannedTarget extends Target {
  readonly channel: Channel;
}

/** What a capture will ask, before anything but the lists of pods and services was asked. */
export interface Plan {
  /** The kubeconfig context's name; "" where there is none. */
  readonly cluster: string;
  /** Istiods, then proxies, then ztunnels; each by namespace and name. */
  readonly targets: readonly PlannedTarget[];
  /** What Kubernetes says of pods and services; null without Kubernetes. */
  readonly lists: ClusterLists | null;
  /** What could not be listed. */
  readonly failures: readonly Failure[];
}

export interface ClusterLists {
  readonly pods: Listed<PodRecord>;
  /** null when they could not be listed. */
  readonly services: Listed<unknown> | null;
}

interface Listed<T> {
  readonly items: readonly T[];
  readonly askedAt: Date;
}

/** What a list may not exceed, whatever `--max-dump-size` says: it is parsed as one text. */
const listSize = constants.MAX_STRING_LENGTH;
const ztunnelAdminPort = 15000;

export interface Discovery {
  readonly kubectl: Kubectl;
  readonly filters: Filters;
  readonly cluster: string;
  readonly limits: CaptureLimits;
  readonly files: TemporaryFiles;
  readonly stop: AbortSignal;
}

/**
 * Finds what runs in the cluster.
 * @throws UserError when the pods cannot be listed, in kubectl's words
 */
export async function planCluster(discovery: Discovery): Promise<Plan> {
  const { kubectl, filters, cluster } = discovery;
  const scopes = scopesOf(filters);
  const [pods, services] = await Promise.all([
    list(discovery, "pods", scopes),
    list(discovery, "services", scopes),
  ]);
  if (pods.outcome === "failed")
    throw new UserError(
      `cannot list the pods${pods.namespace === null ? "" : ` of namespace ${pods.namespace}`}: ${pods.reason}`,
    );
  const { targets, pods: records, malformed } = inventory(pods.answers, filters);
  return {
    cluster,
    targets: targets.map((target) => ({ ...target, channel: channelOf(kubectl, target) })).sort(inOrder),
    lists: {
      pods: { items: records, askedAt: pods.askedAt },
      services:
        services.outcome === "failed"
          ? null
          : { items: serviceRecords(services.answers), askedAt: services.askedAt },
    },
    failures: [
      ...(services.outcome === "failed"
        ? [{ target: null, what: "cluster/services.json", reason: services.reason }]
        : []),
      ...(malformed === 0
        ? []
        : [
            {
              target: null,
              what: "cluster/pods.json",
              reason: `left out of kubectl's list, being no pod with a valid name: ${malformed}`,
            },
          ]),
    ],
  };
}

/** Targets that the user named with their addresses. */
export function planAddresses(
  istiods: readonly NamedAddress[],
  envoys: readonly NamedAddress[],
  istioNamespace: string,
): Plan {
  const target =
    (kind: "istiod" | "proxy") =>
    ({ flag, name, url }: NamedAddress): PlannedTarget => {
      const dot = name.lastIndexOf(".");
      const pod = dot < 0 ? name : name.slice(0, dot);
      const namespace = dot < 0 && kind === "istiod" ? istioNamespace : name.slice(dot + 1);
      if (dot < 0 && kind === "proxy")
        throw new UserError(`${flag} ${name}=${url}: name the proxy as pod.namespace`);
      if (!isName(pod) || !isName(namespace))
        throw new UserError(`${flag} ${name}=${url}: "${name}" is no name that Kubernetes would accept`);
      return { kind, namespace, pod, unreachable: null, channel: httpChannel(url) };
    };
  const targets = [...istiods.map(target("istiod")), ...envoys.map(target("proxy"))].sort(inOrder);
  const seen = new Set<string>();
  for (const { kind, namespace, pod } of targets) {
    const key = `${kind} ${pod}.${namespace}`;
    if (seen.has(key)) throw new UserError(`${key} is named twice`);
    seen.add(key);
  }
  return { cluster: "", targets, lists: null, failures: [] };
}

export interface NamedAddress {
  /** `--istiod` or `--envoy`. */
  readonly flag: string;
  readonly name: string;
  /** `http://host:port` */
  readonly url: string;
}

/** `name=http://host:port`. @throws UserError */
export function parseAddress(flag: string, text: string): NamedAddress {
  const at = text.indexOf("=");
  const url = text.slice(at + 1);
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (at <= 0 || parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new UserError(
      `${flag} takes ${flag === "--envoy" ? "pod.namespace" : "name"}=http://host:port, not "${text}"`,
    );
  // the paths that are asked for are written behind it, and fetch() takes no user in an address
  if (parsed.username !== "" || parsed.password !== "" || /[?#]/.test(url))
    throw new UserError(`${flag} takes an address without user, query and fragment, not "${text}"`);
  return { flag, name: text.slice(0, at), url };
}

const kinds = { istiod: "0", proxy: "1", ztunnel: "2" } as const;

const inOrder = by<Target>(
  ({ kind }) => kinds[kind],
  ({ namespace }) => namespace,
  ({ pod }) => pod,
);

/** Namespaces to list, so that rights over them alone suffice; null: all at once. */
function scopesOf({ namespaces, istioNamespace }: Filters): readonly (string | null)[] {
  return namespaces.length === 0 ? [null] : [...new Set([...namespaces, istioNamespace])].sort();
}

type Lists =
  | { readonly outcome: "listed"; readonly answers: readonly unknown[]; readonly askedAt: Date }
  | { readonly outcome: "failed"; readonly namespace: string | null; readonly reason: string };

async function list(
  { kubectl, limits, files, stop }: Discovery,
  kind: "pods" | "services",
  scopes: readonly (string | null)[],
): Promise<Lists> {
  const answers: unknown[] = [];
  let askedAt: Date | null = null;
  for (const namespace of scopes) {
    const channel: Channel = {
      get: (_path, onBytes, signal) => kubectl.get(kind, namespace, onBytes, signal),
      describe: () => "",
      close: () => Promise.resolve(),
    };
    const answer = await capture(channel, kind, "json", { ...limits, maxSize: listSize }, files, stop);
    if (answer.outcome !== "answered") return { outcome: "failed", namespace, reason: answer.reason };
    try {
      answers.push(JSON.parse((await answer.file.read()).toString("utf8")));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { outcome: "failed", namespace, reason: "kubectl's answer is no valid JSON" };
    } finally {
      await answer.file.close();
    }
    askedAt ??= answer.askedAt;
  }
  return { outcome: "listed", answers, askedAt: askedAt ?? new Date() };
}

function channelOf(kubectl: Kubectl, target: Target): Channel {
  switch (target.kind) {
    case "istiod":
      return kubectl.inPod(target, "discovery", "pilot-discovery");
    case "proxy":
      return kubectl.inPod(target, "istio-proxy", "pilot-agent");
    case "ztunnel":
      return kubectl.forwarded(target, ztunnelAdminPort);
  }
}
