/**
 * What tells whose cloud a cluster runs in: accounts, projects, subscriptions, machines, contexts of kubectl. Names that
 * operators give inside a mesh (its cluster ids, networks, namespaces) are not meant; they are names, which `public`
 * replaces. A cluster id that a cloud made of its own name for the cluster is one of these.
 */
import { isNameToken, type NameTokens } from "./name-token.js";
import { isKept } from "./vocabulary.js";

/** Members whose whole value is such a name, in lower case and without separators. */
const keys = new Set(
  `context currentcontext providerid machineid systemuuid bootid gcpproject gcpprojectnumber gcpgkeclustername
  gcpgkeclusterurl gcpgceinstance gcpgceinstanceid awsaccountid awsinstanceid azuresubscriptionid
  azureresourcegroupname azurevmid azurename`.split(/\s+/),
);

const machines = "aws|gce|azure|openstack|vsphere|ibm|oci|digitalocean|hcloud|linode|metal3|nutanix|kind|k3s";
const regions = "us|europe|asia|northamerica|southamerica|australia|africa|me";
const resources = "locations|zones|regions|global|secrets|serviceaccounts|instances|topics|datasets";
const notInWord = "(?<![\\w-])";
const wordEnds = "(?![\\w-])";
const dashed = "[a-z0-9-]{1,63}";

/** What stays, and the name after it. Each is bounded, or ends where its characters end. */
const shapes: readonly (readonly [stays: string, name: string])[] = [
  [notInWord, "arn:aws[a-z-]{0,12}:[^\\s\"'<>,;\\\\]+"],
  [`${notInWord}(?:${machines}):///?`, "[^\\s\"'<>,;\\\\]+"], // `providerID` of a node
  ["/subscriptions/", "[^\\s\"'<>,;\\\\/]+"], // Azure
  ["/resourcegroups/", "[^\\s\"'<>,;\\\\/]+"],
  [`${notInWord}projects/`, `[a-z][a-z0-9-]{4,61}(?=/(?:${resources})${wordEnds})`], // Google
  [
    `${notInWord}(?:(?:[a-z]{2,4}\\.)?gcr\\.io|(?:[a-z0-9-]{1,30}-)?docker\\.pkg\\.dev)/`,
    "(?!istio-|google-|distroless)[a-z][a-z0-9-]{4,61}",
  ],
  [notInWord, `gke_${dashed}_${dashed}_${dashed}`], // a context
  [notInWord, `cn-${dashed}-(?:${regions})-[a-z]{4,14}\\d{1,2}(?:-[a-z])?-${dashed}${wordEnds}`], // a cluster's id
  [notInWord, "\\d{12}(?=\\.dkr\\.ecr\\.)"], // AWS: an account before its registry
  [notInWord, `(?:i|vol|vpc|subnet|sg|ami|eni|igw|rtb|nat|acl|lt)-[0-9a-f]{17}${wordEnds}`],
  [notInWord, `i-[0-9a-f]{8}${wordEnds}`],
  [notInWord, `ip-\\d{1,3}-\\d{1,3}-\\d{1,3}-\\d{1,3}${wordEnds}`], // nodes of EKS, GKE and AKS
  [notInWord, `gke-${dashed}-[0-9a-f]{8}-[a-z0-9]{4}${wordEnds}`],
  [notInWord, `aks-[a-z0-9]{1,12}-\\d{1,10}-vmss[0-9a-z]{6}${wordEnds}`],
];
const anyShape = new RegExp(shapes.map(([stays, name]) => `(${stays})(${name})`).join("|"), "gi");

/** Whether a member's whole value is a name of the environment. */
export const holdsEnvironment = (key: string): boolean => keys.has(key.toLowerCase().replace(/[_.-]/g, ""));

/**
 * The text with the environment's names in it replaced.
 * @param isName whether all of it is one
 */
export function replaceEnvironment(text: string, isName: boolean, tokens: NameTokens): string {
  if (isName) {
    return isKept(text) || isNameToken(text) ? text : tokens.of(text);
  }
  return text.replace(anyShape, (whole, ...groups: (string | undefined)[]) => {
    const at = groups.findIndex((group, index) => index % 2 === 0 && typeof group === "string");
    const name = groups[at + 1] ?? "";
    return isNameToken(name) ? whole : (groups[at] ?? "") + tokens.of(name);
  });
}
