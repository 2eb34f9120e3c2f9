/**
 * The judge of redaction, written against what may not leave a cluster and not against the code that sees to it: a mesh
 * seeded with canaries in every layout, and a search for them in any form.
 */

import { canaries, seededBundle } from "./canaries/files.js";
import type { CanaryLayout } from "./canaries/canary.js";

export type { Canary, CanaryLayout } from "./canaries/canary.js";
export {
  canaries,
  mesh as seededMesh,
  seededBugReport,
  seededBundle,
  seededMustGather,
} from "./canaries/files.js";
export { leaksOf, pointersOf, type Leak } from "./canaries/search.js";
export { namespaces as seededNamespaces } from "./canaries/seeded-mesh.js";

/** The canaries that a layout surely holds. */
export const canariesIn = (layout: CanaryLayout): typeof canaries =>
  canaries.filter((canary) => canary.layout === layout);

/** Path below a target's root, without its query, to the body. */
export type AnswersByPath = ReadonlyMap<string, Buffer>;

export interface SeededAnswers {
  /** By `pod.namespace`. What Istiod would send a proxy stands under `debug/config_dump?proxyID=<pod>.<namespace>`. */
  readonly istiods: ReadonlyMap<string, AnswersByPath>;
  /** By `pod.namespace`. */
  readonly envoys: ReadonlyMap<string, AnswersByPath>;
  readonly ztunnels: ReadonlyMap<string, AnswersByPath>;
}

/** The seeded bundle's documents as the live targets would answer them; `debug/syncz` is the later one. */
export function seededAnswers(): SeededAnswers {
  const targets = {
    istio: new Map<string, Map<string, Buffer>>(),
    proxies: new Map<string, Map<string, Buffer>>(),
    ztunnel: new Map<string, Map<string, Buffer>>(),
  };
  for (const { name, body } of seededBundle()) {
    const parts = /^istio-snapshot\/(istio|proxies|ztunnel)\/([^/]+)\/([^/]+)\/(.+)$/.exec(name);
    if (parts === null) continue;
    const [, folder = "", namespace = "", pod = "", path = ""] = parts;
    if (path === "debug/syncz.before") continue;
    const answers = targets[folder as keyof typeof targets];
    const id = `${pod}.${namespace}`;
    const known = answers.get(id) ?? new Map<string, Buffer>();
    known.set(pathOf(path), Buffer.from(body));
    answers.set(id, known);
  }
  return { istiods: targets.istio, envoys: targets.proxies, ztunnels: targets.ztunnel };
}

/** `debug/config_dump/<namespace>/<pod>` in the bundle is one path with a query. */
function pathOf(file: string): string {
  const ofProxy = /^(debug\/(?:config_dump|ndsz))\/([^/]+)\/([^/]+)$/.exec(file);
  if (ofProxy === null) return file.replace(/\?.*$/, "");
  const [, path = "", namespace = "", pod = ""] = ofProxy;
  return `${path}?proxyID=${pod}.${namespace}`;
}
