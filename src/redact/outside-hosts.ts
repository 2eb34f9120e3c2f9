/**
 * Profile `support`: names inside the mesh stay, hosts outside of it become tokens, label by label. A dotted name is
 * taken for a host outside unless it is known to be something else, because a list of domains could never be whole.
 */
import { isNameToken } from "./name-token.js";
import { isMakersName, isProjectDomain, isTechnical, isWellKnown } from "./vocabulary.js";

export interface OutsideHosts {
  /**
   * A dotted name, as `PieceHandlers.name` gets it.
   * @param holdsHosts whether `whole` stands under a member that holds hosts only
   */
  name(text: string, start: number, whole: string, holdsHosts: boolean): string;
}

/** Domains that no word of Envoy ends in, so that `auth.internal` is a host though both of its words are common ones. */
const commonDomains = new Set(
  `com net org info biz edu gov mil int eu io dev app cloud co ai me tv de fr uk nl it es pt pl ch at be se no dk fi ie us
  ca mx br ar au nz jp cn in kr sg hk tw za ru tr il ae corp internal intranet intra private lan home local localdomain
  test example invalid arpa`.split(/\s+/),
);
/** Ends of file names that are no domains. */
const fileEnds = new Set(
  `json yaml yml pem crt cer key p12 log txt sock conf cfg toml prof core tar gz tgz wasm lua go cpp proto html css js
  before md5 sha256`.split(/\s+/),
);
/** Members that hold hosts and nothing else, in lower case and without separators. */
const hostKeys = new Set(
  `host hosts hostname hostnames domain domains authority address addresses servernames sni snidomains snihosts dns
  dnsnames uri issuer jwksuri hostrewrite hostrewriteliteral servername externalname proxyaddress discoveryaddress
  server url`.split(/\s+/),
);

/** The cluster domains that Kubernetes and its multi-cluster services use unless told otherwise. */
const clusterDomains = new Set(["cluster.local", "clusterset.local"]);
const makersNamespaces = new Set(["default", "istio-system", "kube-system"]);

/** Whether all dotted names in this member's value are hosts. */
export const holdsHosts = (key: string): boolean => hostKeys.has(key.toLowerCase().replace(/[_.-]/g, ""));

/**
 * @param replaceLabel gives a label its token
 * @param namespaces known ones: `a.b` is a pod or service inside the mesh where `b` is one
 */
export function outsideHosts(
  replaceLabel: (label: string) => string,
  namespaces: ReadonlySet<string>,
): OutsideHosts {
  /** How many labels from the left belong to the mesh. */
  const insideLabels = (labels: readonly string[]): number => {
    const isNamespace = (label: string | undefined): boolean =>
      label !== undefined && (namespaces.has(label) || makersNamespaces.has(label));
    const domain = labels.slice(-2).join(".");
    if (clusterDomains.has(domain)) return labels.length;
    if (labels.length === 2 && isNamespace(labels[1])) return 2;
    const service = labels.lastIndexOf("svc");
    if (service === labels.length - 1 && service >= 2) return labels.length;
    return service >= 2 && isNamespace(labels[service - 1]) ? service + 1 : 0;
  };

  const replaceHost = (labels: readonly string[], certain: boolean): readonly string[] => {
    if (
      !isOutsideHost(
        labels.map((label) => label.toLowerCase()),
        certain,
      )
    )
      return labels;
    const inside = insideLabels(labels);
    return labels.map((label, index) => (index < inside ? label : replaceLabel(label)));
  };

  return {
    name(text, start, whole, areHosts) {
      if (!text.includes(".") || isWellKnown(text)) return text;
      if (!areHosts && isMakersName(text, start, whole)) return text;
      const certain = areHosts || standsWhereHostsDo(start, start + text.length, whole);
      return stretches(text.split("."))
        .flatMap(({ labels, followsGrammar }) => replaceHost(labels, certain || followsGrammar))
        .join(".");
    },
  };
}

/** Whether labels can be a host and are nothing else that is known; they may still be inside the mesh. */
function isOutsideHost(labels: readonly string[], certain: boolean): boolean {
  const last = labels.at(-1) ?? "";
  if (labels.length < 2 || !/^\p{L}/u.test(last) || fileEnds.has(last)) return false;
  const name = labels.join(".");
  if (isProjectDomain(name) || labels.every(isNameToken)) return false;
  if (version.test(name) || gatewayRoutes.test(name)) return false;
  return certain || commonDomains.has(last) || !labels.every(isTechnical);
}

/** `1.25-alpha.0fa3...` */
const version = /^\d+\.\d+(?:\.\d+)?-(?:alpha|beta|rc|dev)/;

/** Route configurations of gateways: `https.443.<port name>.<gateway>.<namespace>`. */
const gatewayRoutes = /^https?\.\d+\./;

/** After a bar (names of clusters), an "at", "//" or "*.", or before a port. */
const standsWhereHostsDo = (start: number, end: number, whole: string): boolean =>
  /(?:[|@]|\/\/|\*\.)$/.test(whole.slice(Math.max(0, start - 2), start)) ||
  /^:\d/.test(whole.slice(end, end + 2));

/**
 * The labels, taken apart where one has an underscore: it is none of a host, but separates one in `outbound_.80_._.host`
 * and in names of statistics.
 */
function stretches(labels: readonly string[]): { labels: string[]; followsGrammar: boolean }[] {
  const result: { labels: string[]; followsGrammar: boolean }[] = [];
  let isOpen = false;
  for (const [index, label] of labels.entries()) {
    const separates = label.includes("_");
    const last = result.at(-1);
    if (isOpen && !separates && last !== undefined) last.labels.push(label);
    else result.push({ labels: [label], followsGrammar: labels[index - 1]?.endsWith("_") === true });
    isOpen = !separates;
  }
  return result;
}
