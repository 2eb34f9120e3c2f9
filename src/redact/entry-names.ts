/**
 * Names of entries: folders and files keep the names by which a layout is recognised (our own, `istioctl bug-report`,
 * must-gather); the namespaces, pods and revisions between them are replaced as they are inside the files.
 */

/** `<>` stands for a name. The first that fits decides, and the folders before it are free, as in the roles of entries. */
const layouts: readonly RegExp[] = [
  String.raw`proxies/<>/<>/(?:config_dump(?:\?include_eds)?|server_info|certs|clusters|runtime|stats(?:/prometheus)?)`,
  String.raw`proxies/<>/<>/(?:istio-proxy\.log|listeners|memory|netstat|cores/[^/]+\.core)`,
  String.raw`ztunnel/<>/<>/config_dump`,
  String.raw`istio/<>/<>/debug/[a-zA-Z_]+/<>/<>`,
  String.raw`istio/<>/<>/(?:debug/[a-zA-Z_.]+|version|metrics|discovery\.log)`,
  String.raw`cluster/(?:(?:pods|services)\.json|k8s-resources|k8s-cluster-resources|crs|events|cluster-context)`,
  String.raw`cluster/(?:kubectl-version|secrets|nodes|describe-pods|pods)`,
  String.raw`(?:manifest|certificates|istio-snapshot-redaction)\.json|versions|bug-report\.log`,
  String.raw`analyze/allNamespaces/allNamespaces`,
  String.raw`analyze/<>/<>`,
  String.raw`operator/<>/<>/operator\.log`,
  String.raw`cni/<>/cni\.log`,
  String.raw`namespaces/<>/<>/debug-syncz\.json`,
  String.raw`namespaces/<>/controlplane/synchronization`,
  String.raw`namespaces/<>/pods/<>/(?:config_dump_(?:proxy|istiod)\.json|(?:envoy|pilot)Configuration|proxy_stats)`,
].map((layout) => new RegExp(`^((?:.*/)?)(?:${layout.replaceAll("<>", "([^/]+)")})$`, "ds"));

/** Folders that are called so in every archive of their kind. */
const folders = new Set(
  `istio-snapshot bug-report must-gather namespaces cluster-scoped-resources core apps pods logs proxies ztunnel istio
  cluster analyze operator cni debug . ..`.split(/\s+/),
);
const endings = /\.(?:json|yaml|yml|log|txt|gz|tgz|tar|core|before)$/;

/**
 * @param replaceName replaces a part of the path that names something: a namespace, a pod
 * @returns the entry's name for the written archive
 */
export function replaceEntryName(path: string, replaceName: (name: string) => string): string {
  for (const layout of layouts) {
    const match = layout.exec(path);
    if (match !== null) return withGroupsReplaced(match, replaceName);
  }
  return replaceFolders(path, replaceName);
}

/** The first group is what stands before the layout, the others are names. */
function withGroupsReplaced(match: RegExpExecArray, replaceName: (name: string) => string): string {
  const [path] = match;
  let result = replaceFolders(match[1] ?? "", replaceName);
  let end = match[1]?.length ?? 0;
  for (const range of match.indices?.slice(2) ?? []) {
    if (range === undefined) continue;
    const [from, to] = range;
    result += path.slice(end, from) + replaceName(path.slice(from, to));
    end = to;
  }
  return result + path.slice(end);
}

function replaceFolders(path: string, replaceName: (name: string) => string): string {
  if (!path.includes("/")) return path === "" ? path : replaceName(path);
  return path
    .split("/")
    .map((folder) => {
      const ending = endings.exec(folder)?.[0] ?? "";
      const plain = folder.slice(0, folder.length - ending.length);
      return plain === "" || folders.has(plain) ? folder : replaceName(plain) + ending;
    })
    .join("/");
}
