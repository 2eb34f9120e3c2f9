/**
 * What the file under an entry's name is, in every layout that we read: our own bundle, `istioctl bug-report` of each
 * era (istio/istio, tools/bug-report/pkg) and the OpenShift Service Mesh must-gather (gather_istio.sh of versions 2 and 3).
 */
export type Role =
  | { readonly kind: "manifest" }
  /** What is known of the certificates that redaction replaced. */
  | { readonly kind: "certificates" }
  /** What redaction took out of an archive that is none of ours. */
  | { readonly kind: "redaction" }
  | { readonly kind: "proxyDump"; readonly proxy: PodName; readonly layout: Layout }
  | {
      readonly kind: "serverInfo" | "clusters" | "certs" | "runtime" | "stats" | "otherProxyFile";
      readonly proxy: PodName;
      readonly layout: Layout;
    }
  | { readonly kind: "ztunnelDump"; readonly ztunnel: PodName; readonly layout: Layout }
  | { readonly kind: "syncz" | "synczBefore"; readonly istiod: PodName; readonly layout: Layout }
  | {
      readonly kind: "istiodDump";
      readonly istiod: PodName | null;
      readonly proxy: PodName;
      readonly layout: Layout;
    }
  | { readonly kind: "istiodVersion"; readonly istiod: PodName; readonly layout: Layout }
  | { readonly kind: "istiodDebug"; readonly istiod: PodName; readonly name: string; readonly layout: Layout }
  | { readonly kind: "pods" | "services"; readonly layout: Layout }
  /** Pods, services and more as `kubectl get -o yaml` prints them. */
  | { readonly kind: "kubernetesObjects"; readonly layout: Layout }
  /** A file of a known layout that no analysis reads, such as a log. */
  | { readonly kind: "other"; readonly layout: Layout }
  /** A bare file: what it is, its content says. */
  | { readonly kind: "document" }
  | { readonly kind: "unknown" };

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** `shared`: our bundle and bug-report use the same name. */
export type Layout = "bundle" | "bug-report" | "shared" | "must-gather";

const file = (pattern: string): RegExp => new RegExp(`^(?:.*/)?${pattern}$`, "s");
const pod = "([^/]+)/([^/]+)";

/** The first pattern that fits decides; the folder names before it are free (`--dir`, `must-gather.local.1/...`). */
const patterns: readonly (readonly [RegExp, (...parts: string[]) => Role])[] = [
  [file("istio-snapshot/manifest\\.json"), () => ({ kind: "manifest" })],
  [/^(?:\.\/)?manifest\.json$/, () => ({ kind: "manifest" })],
  [
    file(`proxies/${pod}/config_dump(?:\\?include_eds)?`),
    (namespace = "", name = "") => ({ kind: "proxyDump", proxy: { namespace, name }, layout: "shared" }),
  ],
  ...(
    [
      ["server_info", "serverInfo"],
      ["clusters", "clusters"],
      ["certs", "certs"],
      ["runtime", "runtime"],
      ["stats(?:/prometheus)?", "stats"],
      ["(?:istio-proxy\\.log|listeners|memory|netstat|cores/[^/]+\\.core)", "otherProxyFile"],
    ] as const
  ).map(([name, kind]): readonly [RegExp, (...parts: string[]) => Role] => [
    file(`proxies/${pod}/${name}`),
    (namespace = "", podName = "") => ({ kind, proxy: { namespace, name: podName }, layout: "shared" }),
  ]),
  [
    file(`ztunnel/${pod}/config_dump`),
    (namespace = "", name = "") => ({ kind: "ztunnelDump", ztunnel: { namespace, name }, layout: "bundle" }),
  ],
  [
    file(`istio/${pod}/debug/syncz`),
    (namespace = "", name = "") => ({ kind: "syncz", istiod: { namespace, name }, layout: "shared" }),
  ],
  [
    file(`istio/${pod}/debug/syncz\\.before`),
    (namespace = "", name = "") => ({ kind: "synczBefore", istiod: { namespace, name }, layout: "bundle" }),
  ],
  [
    file(`istio/${pod}/debug/config_dump/${pod}`),
    (namespace = "", name = "", proxyNamespace = "", proxyName = "") => ({
      kind: "istiodDump",
      istiod: { namespace, name },
      proxy: { namespace: proxyNamespace, name: proxyName },
      layout: "bundle",
    }),
  ],
  [
    file(`istio/${pod}/version`),
    (namespace = "", name = "") => ({ kind: "istiodVersion", istiod: { namespace, name }, layout: "bundle" }),
  ],
  [
    file(`istio/${pod}/debug/([^/]+(?:/[^/]+/[^/]+)?)`),
    (namespace = "", name = "", debug = "") => ({
      kind: "istiodDebug",
      istiod: { namespace, name },
      name: debug,
      layout: "shared",
    }),
  ],
  [file(`istio/${pod}/(?:discovery\\.log|metrics)`), () => ({ kind: "other", layout: "bug-report" })],
  [file("cluster/pods\\.json"), () => ({ kind: "pods", layout: "bundle" })],
  [file("cluster/services\\.json"), () => ({ kind: "services", layout: "bundle" })],
  [file("cluster/k8s-resources"), () => ({ kind: "kubernetesObjects", layout: "bug-report" })],
  [
    file(
      "(?:versions|bug-report\\.log|cluster/(?:k8s-cluster-resources|crs|events|cluster-context|kubectl-version|secrets|nodes|describe-pods|pods)|analyze/[^/]+/[^/]+|operator/[^/]+/[^/]+/operator\\.log|cni/[^/]+/cni\\.log)",
    ),
    () => ({ kind: "other", layout: "bug-report" }),
  ],
  // must-gather names no Istiod, only the revision ("controlplane" in version 2)
  [
    file("namespaces/([^/]+)/([^/]+)/debug-syncz\\.json"),
    (namespace = "", revision = "") => ({
      kind: "syncz",
      istiod: { namespace, name: `revision/${revision}` },
      layout: "must-gather",
    }),
  ],
  [
    file("namespaces/([^/]+)/controlplane/synchronization"),
    (namespace = "") => ({
      kind: "syncz",
      istiod: { namespace, name: "controlplane" },
      layout: "must-gather",
    }),
  ],
  [
    file("namespaces/([^/]+)/pods/([^/]+)/(?:config_dump_proxy\\.json|envoyConfiguration)"),
    (namespace = "", name = "") => ({ kind: "proxyDump", proxy: { namespace, name }, layout: "must-gather" }),
  ],
  [
    file("namespaces/([^/]+)/pods/([^/]+)/(?:config_dump_istiod\\.json|pilotConfiguration)"),
    (namespace = "", name = "") => ({
      kind: "istiodDump",
      istiod: null,
      proxy: { namespace, name },
      layout: "must-gather",
    }),
  ],
  [
    file("namespaces/([^/]+)/pods/([^/]+)/proxy_stats"),
    (namespace = "", name = "") => ({ kind: "stats", proxy: { namespace, name }, layout: "must-gather" }),
  ],
  [file("(?:namespaces|cluster-scoped-resources)/.+"), () => ({ kind: "other", layout: "must-gather" })],
  // at the root of any layout, and a root may be any folder
  [file("certificates\\.json"), () => ({ kind: "certificates" })],
  [file("istio-snapshot-redaction\\.json"), () => ({ kind: "redaction" })],
];

/** The folder that a layout begins in: all before the first name that the layout itself chose. */
const layoutFolders = new Set([
  "proxies",
  "istio",
  "ztunnel",
  "cluster",
  "analyze",
  "operator",
  "cni",
  "namespaces",
  "cluster-scoped-resources",
]);

/** The root of the layout that a file of this name is in, "" or with "/" at its end. */
export function rootOf(name: string): string {
  const folders = name.split("/").slice(0, -1);
  const first = folders.findIndex((folder) => layoutFolders.has(folder));
  const root = first < 0 ? folders : folders.slice(0, first);
  return root.map((folder) => `${folder}/`).join("");
}

/** What the file of this name is. `name` has "/" between its parts. */
export function roleOf(name: string): Role {
  for (const [pattern, role] of patterns) {
    const match = pattern.exec(name);
    if (match !== null) return role(...match.slice(1));
  }
  return { kind: "unknown" };
}
