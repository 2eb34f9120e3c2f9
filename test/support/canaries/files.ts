/** The seeded mesh as archives, with canaries in the files that the generated mesh has no place for. */

import { gzipSync } from "node:zlib";

import { parse, stringify } from "yaml";

import { createAuthority } from "../mesh/certificates.js";
import { camelCaseObject, textOf, type Json, type JsonObject } from "../mesh/json.js";
import { bugReportLayout, mustGatherLayout, ownLayout, type ArchiveFile } from "../mesh/layouts.js";
import type { Mesh } from "../mesh/model.js";
import { days } from "../mesh/time.js";
import { SeedBed, type Canary } from "./canary.js";
import {
  clusterzAnswer,
  injectAnswer,
  internalAnswer,
  pushStatusAnswer,
  seededMeshConfig,
} from "./istiod.js";
import { configMaps, describedPod, pods, secrets, webhooks } from "./kubernetes.js";
import { seededRuntime, seededServerInfo } from "./node.js";
import { extensionSection, scopedRoutesSection, secretLists } from "./sections.js";
import { hidden, hiddenHost, secretive, seededMesh } from "./seeded-mesh.js";
import { clusterContext, coreDump, discoveryLog, otherLog, proxyLog } from "./texts.js";
import {
  base64,
  hostLabel,
  jsonWebToken,
  password,
  podAddress,
  publicAddress,
  token,
  userName,
} from "./values.js";

const bed = new SeedBed();
/** The mesh that all three layouts print. */
export const mesh: Mesh = seededMesh(bed);

/** What happens to the files whose name fits; the first fitting one decides. */
interface Edit {
  readonly entry: RegExp;
  readonly edit: (body: string) => string | Buffer;
}

const isOf = (proxy: string, file: string): RegExp => new RegExp(`/${proxy}-[^/]*/${file}$`);

/** An edit of a JSON document, which keeps the text before it and the document's indentation; an error text stays. */
function json(entry: RegExp, change: (document: JsonObject) => Json): Edit {
  return {
    entry,
    edit: (body) => {
      const start = body.search(/^[{[]/m);
      if (start === -1) return body;
      const text = body.slice(start);
      const indent = /^[{[]\n( +)/.exec(text)?.[1]?.length ?? 0;
      return `${body.slice(0, start)}${JSON.stringify(change(JSON.parse(text) as JsonObject), null, indent)}\n`;
    },
  };
}

const yaml = (entry: RegExp, items: readonly JsonObject[]): Edit => ({
  entry,
  edit: (body) => {
    const list = parse(body) as { readonly items: readonly JsonObject[] };
    return stringify({ ...list, items: [...list.items, ...items] });
  },
});

const appended = (entry: RegExp, text: string): Edit => ({ entry, edit: (body) => body + text });

/** The dump with sections of that type replaced by what `change` makes of them, and `more` at its end. */
function sections(
  dump: JsonObject,
  changes: Readonly<Record<string, (section: JsonObject) => JsonObject>>,
  more: readonly JsonObject[] = [],
): JsonObject {
  const configs = dump["configs"] as readonly JsonObject[];
  const changed = configs.map((section) => {
    const type = textOf(section, "@type");
    return changes[type.slice(type.lastIndexOf(".") + 1)]?.(section) ?? section;
  });
  return { ...dump, configs: [...changed, ...more] };
}

// What stands where the mesh has no place

const caCertificate = (name: string): string =>
  createAuthority(`canaries/${name}`, name, mesh.capturedAt - days(9), mesh.capturedAt + days(9)).root.pem;

const dumpEntry = isOf(secretive, "(?:config_dump\\?include_eds|config_dump_proxy\\.json)");
const inDump = bed.at("sections", "bundle", isOf(secretive, "config_dump\\?include_eds"));
const inIstiodDump = bed.at(
  "Istiod sections",
  "bundle",
  new RegExp(`debug/config_dump/default/${secretive}-[^/]*$`),
);
const scopedRoutes = scopedRoutesSection(inDump);
const extensions = extensionSection(inDump);
const moreSecrets = secretLists(inDump);
const istiodExtensions = camelCaseObject(extensionSection(inIstiodDump));

const answer = (name: string): RegExp => new RegExp(`/istio/[^/]+/[^/]+/debug/${name}$`);
const inAnswer = (name: string): ReturnType<SeedBed["at"]> => bed.at(name, "bundle", answer(name));

const clusterz = clusterzAnswer(inAnswer("clusterz"));
const pushStatus = pushStatusAnswer(inAnswer("push_status"));
const meshConfig = seededMeshConfig(inAnswer("mesh"), {}, caCertificate("mesh CA"));
const gatewayAddress = inAnswer("networkz")("address of a gateway", publicAddress, "support");
const workloadAddress = inAnswer("ambientz")("address, base64 of its text", podAddress, "public");
const shardHost = `www.${inAnswer("endpointShardz")("external host", hostLabel, "support")}.com`;
const shardAddress = inAnswer("endpointShardz")("public IP", publicAddress, "support");
const registryHost = `www.${inAnswer("registryz")("external host", hostLabel, "support")}.com`;
const nameTable = bed.at("ndsz", "bundle", /debug\/ndsz\/default\//);
const tableHost = `www.${nameTable("external host", hostLabel, "support")}.com`;
const tableAddress = nameTable("public IP", publicAddress, "support");

const ztunnel = bed.at("ztunnel", "bundle", /ztunnel\/[^/]+\/[^/]+\/config_dump$/);
const ztunnelAddress = ztunnel("workload IP", podAddress, "public");
const ztunnelDump: JsonObject = {
  workloads: [
    {
      uid: `Kubernetes//Pod/${hidden.namespace}/${hidden.workload}-0`,
      workloadIps: [ztunnelAddress],
      name: `${hidden.workload}-0`,
      namespace: hidden.namespace,
      serviceAccount: hidden.workload,
      workloadName: hidden.workload,
      workloadType: "deployment",
      canonicalName: hidden.workload,
      canonicalRevision: "v1",
      clusterId: "Kubernetes",
      trustDomain: "cluster.local",
      node: "worker-1",
      status: "Healthy",
      protocol: "HBONE",
    },
  ],
  services: [],
  policies: [],
  certificates: [],
  config: {
    xdsHeaders: [["authorization", `Bearer ${ztunnel("config xdsHeaders", jsonWebToken)}`]],
    proxyMetadata: { XDS_ROOT_TOKEN: ztunnel("config proxyMetadata", password) },
    localXdsPath: null,
  },
};

const serverInfoPlant = bed.at("server_info", "bundle", isOf(secretive, "server_info"));
const runtimePlant = bed.at("runtime", "bundle", isOf(secretive, "runtime"));
const seededServer = seededServerInfo(serverInfoPlant, {});
const runtimeEntries = seededRuntime(runtimePlant, {});

const inStats = bed.at("stats", "bundle", isOf(secretive, "stats"));
const statsToken = inStats("text readout JWT", jsonWebToken);
const statsAddress = inStats("pod IP in the name of a counter", podAddress, "public");

/** Edits of the files that more than one layout has. */
const common: readonly Edit[] = [
  json(dumpEntry, (dump) =>
    sections(
      dump,
      {
        ScopedRoutesConfigDump: () => scopedRoutes,
        SecretsConfigDump: (section) => ({ ...section, ...moreSecrets }),
      },
      [extensions],
    ),
  ),
  json(
    new RegExp(
      `(?:debug/config_dump/default/${secretive}-[^/]*|/${secretive}-[^/]*/config_dump_istiod\\.json)$`,
    ),
    (dump) => sections(dump, { EcdsConfigDump: () => istiodExtensions }),
  ),
  json(isOf(secretive, "server_info"), (serverInfo) => {
    const options = serverInfo["command_line_options"] as JsonObject;
    return {
      ...serverInfo,
      command_line_options: { ...options, ...(seededServer["command_line_options"] as JsonObject) },
    };
  }),
  json(isOf(secretive, "runtime"), (runtime) => ({
    ...runtime,
    entries: { ...(runtime["entries"] as JsonObject), ...(runtimeEntries["entries"] as JsonObject) },
  })),
  appended(
    isOf(secretive, "stats"),
    [
      `wasm.ledger.note: ${JSON.stringify(statsToken)}`,
      `cluster.outbound|8080||${hiddenHost}.membership_total: 1`,
      `cluster.outbound_.8080_._.${hiddenHost}.upstream_cx_total: 1`,
      `listener.${statsAddress}_8080.no_filter_chain_match: 0`,
      "",
    ].join("\n"),
  ),
  json(answer("clusterz"), () => clusterz),
  json(answer("push_status"), () => pushStatus),
  json(answer("mesh"), (settings) => ({ ...settings, ...meshConfig })),
  json(answer("networkz"), () => [
    { Network: "outside", Cluster: "remote", Addr: gatewayAddress, Port: 15443, ServiceAccount: {} },
  ]),
  json(answer("ambientz"), () => ({
    workloads: [
      {
        uid: `Kubernetes//Pod/${hidden.namespace}/${hidden.workload}-0`,
        name: `${hidden.workload}-0`,
        namespace: hidden.namespace,
        addresses: [base64(workloadAddress)],
        serviceAccount: hidden.workload,
      },
    ],
    services: [],
    policies: [],
  })),
  json(answer("endpointShardz"), (shards) => ({
    ...shards,
    [shardHost]: {
      default: {
        Shards: { "External/Kubernetes": [{ Labels: {}, Addresses: [shardAddress], EndpointPort: 443 }] },
        ServiceAccounts: {},
      },
    },
  })),
  json(answer("registryz"), (services) => [
    ...(services as unknown as readonly JsonObject[]),
    {
      Attributes: { ServiceRegistry: "External", Name: "outside", Namespace: "default" },
      ports: [{ name: "https", port: 443, protocol: "HTTPS" }],
      hostname: registryHost,
      Resolution: 1,
      MeshExternal: true,
    },
  ]),
];

/** Files of our bundle that the generated mesh has none of. */
function ownAdditions(): ArchiveFile[] {
  const [istiod] = mesh.istiods;
  const proxy = mesh.proxies.find(({ pod }) => pod.workload.name === secretive);
  if (istiod === undefined || proxy === undefined) throw new Error("the mesh has no Istiod and no proxy");
  const nameTableAnswer = {
    configs: [
      {
        "@type": "type.googleapis.com/istio.networking.nds.v1.NameTable",
        table: { [tableHost]: { ips: [tableAddress], registry: "External" } },
      },
    ],
  };
  return [
    file(
      `istio-snapshot/istio/${istiod.namespace}/${istiod.name}/debug/ndsz/${proxy.pod.namespace}/${proxy.pod.name}`,
      `${JSON.stringify(nameTableAnswer)}\n`,
    ),
    file(
      "istio-snapshot/ztunnel/istio-system/ztunnel-9fx7k/config_dump",
      `${JSON.stringify(ztunnelDump, null, 2)}\n`,
    ),
  ];
}

const file = (name: string, body: string | Buffer): ArchiveFile => ({
  name,
  body,
  mtime: new Date(mesh.capturedAt),
});

// istioctl bug-report

const reportLog = bed.at("bug-report.log", "bug-report", /\/bug-report\.log$/);
const inReport = (place: string, entry: RegExp): ReturnType<SeedBed["at"]> =>
  bed.at(place, "bug-report", entry);
const cluster = (name: string): RegExp => new RegExp(`/cluster/${name}$`);

const resources = inReport("k8s-resources", cluster("k8s-resources"));
const clusterResources = inReport("k8s-cluster-resources", cluster("k8s-cluster-resources"));
const inject = injectAnswer(inReport("inject", answer("inject")));

/** Answers of Istiod with no documented shape, and what their canaries stand in. */
const internalAnswers = ["authorizationz", "cachez", "instancesz", "krtz", "resourcesz", "telemetryz"].map(
  (name): Edit => {
    const document = internalAnswer(inReport(name, answer(name)), name);
    return json(answer(name), () => document);
  },
);

const fullSecrets = secrets(inReport("full secrets", cluster("secrets")));
/** Envoy writes an IPv6 address in brackets, as any text with a port after it must. */
const bracketed = (text: string): string =>
  text.replace(/::(2a01:[0-9a-f:]+):443::/g, (_line, address: string) => `::[${address}]:443::`);

const bugReportEdits: readonly Edit[] = [
  ...common,
  { entry: isOf("istio-ingressgateway", "clusters"), edit: bracketed },
  appended(
    isOf(secretive, "istio-proxy\\.log"),
    proxyLog(inReport("istio-proxy.log", isOf(secretive, "istio-proxy\\.log"))),
  ),
  appended(
    /\/discovery\.log$/,
    discoveryLog(inReport("discovery.log", /\/discovery\.log$/)) +
      `2026-03-02T09:00:05.000000Z\tinfo\tads\tADS: new connection for node:${hidden.workload}-0.${hidden.namespace}-3, EDS for ${hiddenHost}\n`,
  ),
  yaml(cluster("k8s-resources"), [...secrets(resources), ...configMaps(resources), ...pods(resources)]),
  yaml(cluster("k8s-cluster-resources"), webhooks(clusterResources, caCertificate("webhook CA"))),
  {
    entry: cluster("secrets"),
    edit: () => stringify({ apiVersion: "v1", kind: "List", items: fullSecrets }),
  },
  appended(
    cluster("events"),
    `${hidden.namespace}   2m   Normal   Pulled   pod/${hidden.workload}-0   Container image on ${workloadAddress}\ndefault   1m   Warning   Failed   pod/ledger-0   cannot pull with token ${inReport("events", cluster("events"))("JWT in a message", jsonWebToken)}\n`,
  ),
  appended(
    /\/bug-report\.log$/,
    `Error: running kubectl --token=${reportLog("--token", jsonWebToken)} --kubeconfig=/home/${reportLog("user in a path", userName, "support")}/.kube/config\n`,
  ),
  ...[clusterContext(inReport("cluster-context", cluster("cluster-context")))].map((text): Edit => ({
    entry: cluster("cluster-context"),
    edit: () => text,
  })),
  json(answer("inject"), () => inject),
  ...internalAnswers,
];

const bugReportAdditions: readonly ArchiveFile[] = [
  file("bug-report/cni/istio-cni-node-7wlq2/cni.log", otherLog(inReport("cni.log", /\/cni\.log$/))),
  file(
    "bug-report/operator/istio-operator/istio-operator-1/operator.log",
    otherLog(inReport("operator.log", /\/operator\.log$/)),
  ),
  file("bug-report/cluster/describe-pods", describedPod(inReport("describe-pods", cluster("describe-pods")))),
  file(
    "bug-report/proxies/default/ledger-0/cores/0.core",
    coreDump(inReport("core dump", /\/cores\/0\.core$/)),
  ),
  file(
    "bug-report/proxies/default/ledger-0/netstat",
    `tcp 0 0 10.244.1.9:8080 ${inReport("netstat", /\/netstat$/)("public IP of a client", publicAddress, "support")}:51822 ESTABLISHED 17/envoy\n`,
  ),
];

// must-gather

const gathered = (entry: string): RegExp => new RegExp(`${entry}$`);
const gatherRoot = "must-gather.local.4821/quay-io-istio-must-gather";
const gather = (place: string, entry: string): ReturnType<SeedBed["at"]> =>
  bed.at(`must-gather ${place}`, "must-gather", gathered(entry));

const yamlList = (kind: string, items: readonly JsonObject[]): string =>
  `---\n${stringify({ apiVersion: "v1", kind, items })}`;

const gatherAdditions: readonly ArchiveFile[] = [
  file(
    `${gatherRoot}/namespaces/default/core/secrets.yaml`,
    yamlList("SecretList", secrets(gather("secrets", "/core/secrets\\.yaml"))),
  ),
  file(
    `${gatherRoot}/namespaces/default/core/configmaps.yaml`,
    yamlList("ConfigMapList", configMaps(gather("configmaps", "/core/configmaps\\.yaml"))),
  ),
  file(
    `${gatherRoot}/namespaces/default/core/pods.yaml`,
    yamlList("PodList", pods(gather("pods", "/core/pods\\.yaml"))),
  ),
  file(
    `${gatherRoot}/namespaces/default/pods/ledger-0/app/app/logs/current.log`,
    proxyLog(gather("log", "/logs/current\\.log")),
  ),
  file(
    `${gatherRoot}/namespaces/default/pods/ledger-0/app/app/logs/previous.log.gz`,
    gzipSync(proxyLog(gather("log in gzip", "/logs/previous\\.log\\.gz"))),
  ),
  file(
    `${gatherRoot}/cluster-scoped-resources/admissionregistration.k8s.io/mutatingwebhookconfigurations/istio-sidecar-injector.yaml`,
    `---\n${webhooks(gather("webhook", "/istio-sidecar-injector\\.yaml"), caCertificate("must-gather CA"))
      .map((webhook) => stringify(webhook))
      .join("---\n")}`,
  ),
];

// Outside every layout

/** Secrets that no rule has a place for: only their shapes tell. */
const astray = bed.at("astray", "bundle", /\/astray\.txt$/);
export const strayFile: ArchiveFile = file(
  "istio-snapshot/notes/astray.txt",
  `please rotate ${astray("JWT in an unknown file", jsonWebToken)} and Bearer ${astray("Bearer in an unknown file", token)}\n`,
);

// The archives

function* edited(files: Iterable<ArchiveFile>, edits: readonly Edit[]): Generator<ArchiveFile> {
  for (const entry of files) {
    const { edit } = edits.find((candidate) => candidate.entry.test(entry.name)) ?? {};
    yield edit === undefined ? entry : { ...entry, body: edit(entry.body.toString()) };
  }
}

export function* seededBundle(): Generator<ArchiveFile> {
  yield* edited(ownLayout(mesh), common);
  yield* ownAdditions();
  yield strayFile;
}

export function* seededBugReport(): Generator<ArchiveFile> {
  yield* edited(bugReportLayout(mesh, { istioctl: "1.30" }), bugReportEdits);
  yield* bugReportAdditions;
}

export function* seededMustGather(): Generator<ArchiveFile> {
  yield* edited(mustGatherLayout(mesh, { root: gatherRoot }), common);
  yield* gatherAdditions;
}

export const canaries: readonly Canary[] = bed.canaries;
