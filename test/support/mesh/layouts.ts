/**
 * A mesh as the files of an archive, made one at a time: a mesh of gigabytes never stands in memory.
 *
 * Own bundle: the README's "Bundle". Bug-report: istio/istio, tools/bug-report. Must-gather: the names are those of
 * openshift-service-mesh/istio-must-gather (OSSM 3) and maistra/istio-must-gather (OSSM 2), `gather_istio.sh`.
 */

import { stringify } from "yaml";

import {
  certs,
  clustersJson,
  clustersText,
  listenersText,
  memory,
  prometheusText,
  runtime,
  serverInfo,
  statsText,
} from "./admin.js";
import { capturePlan } from "./capture.js";
import { envoyDumpText, istiodDumpText } from "./dump.js";
import { dumpErrorText } from "./faults.js";
import {
  adsz,
  configz,
  endpointShardz,
  meshConfig,
  registryz,
  smallAnswers,
  versionText,
} from "./istiod-answers.js";
import { print, type JsonObject } from "./json.js";
import type { Mesh, MeshIstiod, MeshPod, MeshProxy } from "./model.js";
import { atLeast } from "./release.js";
import { synczText } from "./syncz.js";
import { rfc3339 } from "./time.js";

export interface ArchiveFile {
  readonly name: string;
  readonly body: Buffer | string;
  readonly mtime: Date;
}

/** A file before anybody asked for its text. */
interface PlannedFile {
  readonly name: string;
  readonly at: number;
  readonly body: () => Buffer | string;
}

/** A body is made when it is first asked for: not every reader wants every file. */
function* made(files: Iterable<PlannedFile>): Generator<ArchiveFile> {
  for (const { name, at, body } of files) {
    let kept: Buffer | string | null = null;
    yield {
      name,
      mtime: new Date(at),
      get body() {
        return (kept ??= body());
      },
    };
  }
}

// Own bundle

export interface OwnLayoutOptions {
  /** Top folder; "" for none. */
  readonly root?: string;
  /** What Istiod would send each proxy: as large as the proxies' own dumps. Default true. */
  readonly istiodDumps?: boolean;
}

/** Everything that `istio-snapshot-collect` writes but the root's `manifest.json`. */
export function* ownLayout(mesh: Mesh, options: OwnLayoutOptions = {}): Generator<ArchiveFile> {
  const { root = "istio-snapshot", istiodDumps = true } = options;
  const inRoot = (file: PlannedFile): PlannedFile => ({ ...file, name: joined(root, file.name) });
  const plan = capturePlan(mesh);
  for (const istiod of mesh.istiods) {
    yield* made([
      inRoot({
        name: `${istiodFolder(istiod)}/debug/syncz.before`,
        at: plan.before,
        body: () => synczText(istiod.synczBefore, istiod.version, mesh.options.seed),
      }),
    ]);
  }
  for (const [index, proxy] of mesh.proxies.entries()) {
    yield* made(ownProxyFiles(proxy, plan.proxy(index)).map(inRoot));
  }
  for (const istiod of mesh.istiods) {
    yield* made(ownIstiodFiles(mesh, istiod, plan.after, istiodDumps).map(inRoot));
  }
  yield* made(clusterFiles(mesh, plan.after).map(inRoot));
}

function ownProxyFiles(proxy: MeshProxy, at: number): PlannedFile[] {
  if (!proxy.files.captured) return [];
  const file = (name: string, body: () => Buffer | string): PlannedFile => ({
    name: `${proxyFolder(proxy)}/${name}`,
    at,
    body,
  });
  return [
    file("config_dump?include_eds", () => dumpBody(proxy, true)),
    ...(proxy.files.serverInfo ? [file("server_info", () => serverInfo(proxy, at))] : []),
    file("certs", () => certs(proxy, at)),
    file("clusters", () => clustersJson(proxy)),
    file("stats", () => statsText(proxy)),
    file("runtime", runtime),
  ];
}

function ownIstiodFiles(mesh: Mesh, istiod: MeshIstiod, at: number, dumps: boolean): PlannedFile[] {
  const file = (name: string, body: () => Buffer | string, askedAt = at): PlannedFile => ({
    name: `${istiodFolder(istiod)}/${name}`,
    at: askedAt,
    body,
  });
  const small = ["ambientz", "clusterz", "networkz", "push_status"];
  return [
    file("debug/syncz", () => synczText(istiod.syncz, istiod.version, mesh.options.seed)),
    ...(dumps
      ? listedProxies(mesh, istiod).map(({ pod, desired }) =>
          file(
            `debug/config_dump/${pod.namespace}/${pod.name}`,
            () => istiodDumpText(desired, istiod.version, true),
            desired.askedAt,
          ),
        )
      : []),
    file("debug/adsz", () => adsz(mesh, istiod)),
    file("debug/configz", () => configz(mesh)),
    file("debug/endpointShardz", () => endpointShardz(mesh, istiod)),
    file("debug/mesh", () => meshConfig(mesh, istiod)),
    file("debug/registryz", () => registryz(mesh)),
    ...small.map((name) => file(`debug/${name}`, () => smallAnswer(name, mesh, istiod))),
    file("version", () => versionText(istiod)),
  ];
}

/** `cluster/pods.json` and `cluster/services.json`: names, owners, addresses, labels, ports; nothing else. */
const clusterFiles = (mesh: Mesh, at: number): PlannedFile[] => [
  { name: "cluster/pods.json", at, body: () => print({ pods: mesh.pods.map(podEntry) }, 1) },
  {
    name: "cluster/services.json",
    at,
    body: () =>
      print(
        {
          services: mesh.services.map((service): JsonObject => ({
            name: service.name,
            namespace: service.namespace,
            clusterIPs: [service.clusterIp],
            ports: service.ports.map(({ name, port, targetPort }) => ({
              name,
              port,
              targetPort: String(targetPort),
              protocol: "TCP",
            })),
            selector: service.selector,
          })),
        },
        1,
      ),
  },
];

const podEntry = (pod: MeshPod): JsonObject => ({
  name: pod.name,
  namespace: pod.namespace,
  labels: pod.labels,
  owner: pod.owner,
  ips: [pod.ip],
  hostNetwork: false,
  proxyContainer: pod.workload.proxyType !== null,
});

// istioctl bug-report

export const bugReportVersions = ["1.8", "1.12", "1.17", "1.20", "1.24", "1.30"] as const;
export type BugReportVersion = (typeof bugReportVersions)[number];

export interface BugReportOptions {
  /** The release of istioctl, which decides the layout; the mesh's release decides what the files say. */
  readonly istioctl: BugReportVersion;
  /** Top folder; "" as `--dir` leaves it since 1.18. */
  readonly root?: string;
  /** Written on Windows: backslashes, and no file with a question mark in its name. */
  readonly windows?: boolean;
}

export function* bugReportLayout(mesh: Mesh, options: BugReportOptions): Generator<ArchiveFile> {
  const { istioctl, root = "bug-report", windows = false } = options;
  const { after } = capturePlan(mesh);
  const since = (release: string): boolean => atLeast(istioctl, release);
  const at = (name: string, body: () => Buffer | string): PlannedFile => ({ name, at: after, body });
  const files: PlannedFile[] = [
    at("bug-report.log", () => bugReportLog(mesh, istioctl)),
    at("versions", () => versionsText(mesh, istioctl)),
    at("cluster/k8s-resources", () => yamlList(kubernetesResources(mesh))),
    ...(since("1.30") ? [at("cluster/k8s-cluster-resources", () => yamlList(nodes(mesh)))] : []),
    at("cluster/crs", () => yamlList(mesh.configObjects)),
    at("cluster/events", () => "NAMESPACE   LAST SEEN   TYPE   REASON   OBJECT   MESSAGE\n"),
    at("cluster/cluster-context", () => `kind-mesh\n${since("1.12") ? "https://127.0.0.1:6443\n" : ""}`),
    at("cluster/kubectl-version", () => "Client Version: v1.31.2\nServer Version: v1.31.2\n"),
    at(
      "cluster/secrets",
      () =>
        "NAMESPACE      NAME              TYPE     DATA   AGE\nistio-system   istio-ca-secret   Opaque   5      42d\n",
    ),
    ...(since("1.10") ? [at("cluster/nodes", () => yamlList(nodes(mesh)))] : []),
    since("1.21")
      ? at("cluster/pods", () => yamlList(kubernetesPods(mesh, mesh.controlPlaneNamespace)))
      : at("cluster/describe-pods", () => describedPods(mesh)),
    ...(since("1.11")
      ? [
          at(
            "analyze/allNamespaces/allNamespaces",
            () => "✔ No validation issues found when analyzing all namespaces.\n",
          ),
        ]
      : namespacesOf(mesh).map((namespace) =>
          at(
            `analyze/${namespace}/${namespace}`,
            () => `✔ No validation issues found when analyzing namespace: ${namespace}.\n`,
          ),
        )),
    ...mesh.istiods.flatMap((istiod) =>
      bugReportIstiod(mesh, istiod, since).map(({ name, body }) => at(name, body)),
    ),
    ...mesh.proxies.flatMap((proxy, index) => bugReportProxy(proxy, capturePlan(mesh).proxy(index))),
  ];
  const kept = windows ? files.filter(({ name }) => !name.includes("?")) : files;
  const inOrder = kept
    .map((file) => ({ ...file, name: joined(root, file.name) }))
    .sort((left, right) => comparePaths(left.name, right.name));
  yield* made(
    windows ? inOrder.map((file) => ({ ...file, name: file.name.replaceAll("/", "\\") })) : inOrder,
  );
}

function bugReportProxy(proxy: MeshProxy, at: number): PlannedFile[] {
  const file = (name: string, body: () => Buffer | string): PlannedFile => ({
    name: `${proxyFolder(proxy)}/${name}`,
    at,
    body,
  });
  const log = file("istio-proxy.log", () => proxyLog(proxy));
  // when one of the answers fails, istioctl writes none of them
  if (!proxy.files.captured) return [log];
  return [
    log,
    file("config_dump?include_eds", () => dumpBody(proxy, true)),
    file("certs", () => certs(proxy, at)),
    file("clusters", () => clustersText(proxy)),
    file("listeners", () => listenersText(proxy)),
    file("memory", () => memory(proxy)),
    ...(proxy.files.serverInfo ? [file("server_info", () => serverInfo(proxy, at))] : []),
    file("stats/prometheus", () => prometheusText(proxy)),
    file("runtime", runtime),
  ];
}

/** Names and the istioctl releases that ask for them (istio/istio, tools/bug-report/pkg/content). */
const debugFiles: readonly (readonly [name: string, from: string, before: string])[] = [
  ["adsz", "1.8", ""],
  ["ambientz", "1.24", ""],
  ["authorizationz", "1.8", ""],
  ["cachez", "1.11", ""],
  ["cdsz", "1.8", "1.13"],
  ["clusterz", "1.18", ""],
  ["configz", "1.8", ""],
  ["endpointShardz", "1.8", ""],
  ["endpointz", "1.8", ""],
  ["inject", "1.8", ""],
  ["instancesz", "1.11", ""],
  ["krtz", "1.25", ""],
  ["mcsz", "1.18", ""],
  ["mesh", "1.11", ""],
  ["networkz", "1.11", ""],
  ["push_status", "1.8", ""],
  ["registryz", "1.8", ""],
  ["resourcesz", "1.8", ""],
  ["syncz", "1.8", ""],
  ["telemetryz", "1.18", ""],
];

function bugReportIstiod(
  mesh: Mesh,
  istiod: MeshIstiod,
  since: (release: string) => boolean,
): { name: string; body: () => Buffer | string }[] {
  const folder = istiodFolder(istiod);
  return [
    { name: `${folder}/discovery.log`, body: () => discoveryLog(mesh, istiod) },
    ...debugFiles
      .filter(([, from, before]) => since(from) && (before === "" || !since(before)))
      .map(([name]) => ({ name: `${folder}/debug/${name}`, body: () => debugAnswer(name, mesh, istiod) })),
    ...(since("1.18")
      ? [
          {
            name: `${folder}/metrics`,
            body: () =>
              `# TYPE pilot_xds gauge\npilot_xds{version="${istiod.version}"} ${istiod.syncz.length}\n`,
          },
        ]
      : []),
  ];
}

function debugAnswer(name: string, mesh: Mesh, istiod: MeshIstiod): Buffer | string {
  const answers: Readonly<Record<string, () => Buffer | string>> = {
    adsz: () => adsz(mesh, istiod),
    cdsz: () => "404 page not found\n\n", // Istiod has had no such page since 1.8
    configz: () => configz(mesh),
    endpointShardz: () => endpointShardz(mesh, istiod),
    endpointz: () => endpointShardz(mesh, istiod),
    mesh: () => meshConfig(mesh, istiod),
    registryz: () => registryz(mesh),
    syncz: () => synczText(istiod.syncz, istiod.version, mesh.options.seed),
  };
  return answers[name]?.() ?? smallAnswer(name, mesh, istiod);
}

function smallAnswer(name: string, mesh: Mesh, istiod: MeshIstiod): Buffer {
  const make = smallAnswers[name];
  if (make === undefined) throw new Error(`no answer for debug/${name}`);
  return make(mesh, istiod);
}

function versionsText(mesh: Mesh, istioctl: string): string {
  const tick = atLeast(istioctl, "1.30") ? "✅ " : "";
  const { istioVersion } = mesh.options;
  const proxies = [...new Set(mesh.proxies.map((proxy) => proxy.istioVersion))].sort();
  return [
    ...(atLeast(istioctl, "1.12")
      ? [
          "CLI version:",
          `version.BuildInfo{Version:"${istioctl}.0", GitRevision:"unknown", GolangVersion:"go1.23.4", BuildStatus:"Clean", GitTag:"${istioctl}.0"}`,
          "",
        ]
      : []),
    `${tick}The following Istio control plane revisions/versions were found in the cluster:`,
    `Revision ${mesh.revision}:`,
    `&version.MeshInfo{{Component:"pilot", Revision:"${mesh.revision}", Info:version.BuildInfo{Version:"${istioVersion}"}}}`,
    "",
    `${tick}The following proxy revisions/versions were found in the cluster:`,
    `Revision ${mesh.revision}: Versions {${proxies.join(", ")}}`,
    "",
  ].join("\n");
}

function bugReportLog(mesh: Mesh, istioctl: string): string {
  const plan = capturePlan(mesh);
  const line = (at: number, text: string): string => `${rfc3339(at)}\tinfo\t${text}`;
  return [
    line(plan.before, `Running istio bug-report command with istioctl ${istioctl}`),
    ...mesh.proxies.flatMap((proxy, index) =>
      proxy.files.captured
        ? []
        : [line(plan.proxy(index), `Error: ${proxy.id}: command terminated with exit code 1`)],
    ),
    line(plan.after, "Done."),
    "",
  ].join("\n");
}

const proxyLog = (proxy: MeshProxy): string =>
  `${rfc3339(proxy.config.startedAt)}\tinfo\tEnvoy proxy is ready\n`;

const discoveryLog = (mesh: Mesh, istiod: MeshIstiod): string =>
  `${rfc3339(istiod.pod.startedAt)}\tinfo\tinitializing Istiod ${istiod.version}, ${mesh.services.length} services\n`;

const describedPods = (mesh: Mesh): string =>
  mesh.pods
    .filter(({ namespace }) => namespace === mesh.controlPlaneNamespace)
    .map(
      (pod) =>
        `Name:         ${pod.name}\nNamespace:    ${pod.namespace}\nStatus:       Running\nIP:           ${pod.ip}\n`,
    )
    .join("\n");

const namespacesOf = (mesh: Mesh): string[] =>
  [...new Set(mesh.pods.map(({ namespace }) => namespace))].sort();

const yamlList = (items: readonly JsonObject[]): string =>
  stringify({ apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } });

const kubernetesPods = (mesh: Mesh, namespace: string): JsonObject[] =>
  mesh.pods
    .filter((pod) => pod.namespace === namespace)
    .map((pod) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: pod.name,
        namespace: pod.namespace,
        labels: pod.labels,
        ownerReferences: [{ apiVersion: "apps/v1", controller: true, ...pod.owner }],
      },
      spec: {
        containers: [
          ...pod.workload.containers.map((name) => ({ name })),
          ...(pod.workload.proxyType === null ? [] : [{ name: "istio-proxy" }]),
        ],
        nodeName: pod.node,
        serviceAccountName: pod.workload.serviceAccount,
      },
      status: { phase: "Running", podIP: pod.ip, podIPs: [{ ip: pod.ip }] },
    }));

const kubernetesResources = (mesh: Mesh): JsonObject[] => [
  ...namespacesOf(mesh).flatMap((namespace) => kubernetesPods(mesh, namespace)),
  ...mesh.services.map((service): JsonObject => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: service.name, namespace: service.namespace },
    spec: {
      clusterIP: service.clusterIp,
      clusterIPs: [service.clusterIp],
      ports: service.ports.map(({ name, port, targetPort }) => ({ name, port, protocol: "TCP", targetPort })),
      ...(Object.keys(service.selector).length === 0 ? {} : { selector: service.selector }),
    },
  })),
];

const nodes = (mesh: Mesh): JsonObject[] =>
  [...new Set(mesh.pods.map(({ node }) => node))].sort().map((name) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
  }));

// OpenShift must-gather

export interface MustGatherOptions {
  readonly root?: string;
  /** The major release of OpenShift Service Mesh. */
  readonly ossm?: 2 | 3;
}

const defaultMustGatherRoot =
  "must-gather.local.4821/registry-redhat-io-openshift-service-mesh-istio-must-gather-rhel9-sha256-0f3b";

/**
 * The script asks the first Istiod only, without endpoints, and keeps standard error in the same file, so that a
 * remark of `oc` can stand before the JSON.
 */
export function* mustGatherLayout(mesh: Mesh, options: MustGatherOptions = {}): Generator<ArchiveFile> {
  const { root = defaultMustGatherRoot, ossm = 3 } = options;
  const plan = capturePlan(mesh);
  const [first] = [...mesh.istiods].sort((left, right) => (left.name < right.name ? -1 : 1));
  if (first === undefined) return;
  const controlPlane = `${root}/namespaces/${mesh.controlPlaneNamespace}`;
  const names = ossm === 3 ? ossm3 : ossm2;
  if (ossm === 3) {
    yield* made([
      { name: `${root}/version`, at: plan.before, body: () => "openshift-service-mesh/must-gather\n3.0.8\n" },
    ]);
  }
  yield* made([
    {
      name: `${controlPlane}/${ossm === 3 ? mesh.revision : "controlplane"}/${names.syncz}`,
      at: plan.before,
      body: () => synczText(first.syncz, first.version, mesh.options.seed),
    },
  ]);
  const listed = new Set(first.syncz.map(({ proxyId }) => proxyId));
  for (const [index, proxy] of mesh.proxies.entries()) {
    const at = plan.proxy(index);
    const remark = index % 3 === 1 ? defaultedContainer(proxy) : "";
    const file = (name: string, body: () => Buffer | string): PlannedFile => ({
      name: `${root}/namespaces/${proxy.pod.namespace}/pods/${proxy.pod.name}/${name}`,
      at,
      body,
    });
    const fromProxy = (body: () => Buffer | string): (() => Buffer | string) =>
      proxy.files.captured ? () => after(remark, body()) : () => containerNotFound;
    yield* made([
      file(names.istiodDump, () =>
        listed.has(proxy.id) ? istiodDumpText(proxy.desired, first.version, false) : notConnected,
      ),
      file(
        names.proxyDump,
        fromProxy(() => dumpBody(proxy, false)),
      ),
      ...(names.stats === null
        ? []
        : [
            file(
              names.stats,
              fromProxy(() => statsText(proxy)),
            ),
          ]),
    ]);
  }
}

const ossm3 = {
  syncz: "debug-syncz.json",
  istiodDump: "config_dump_istiod.json",
  proxyDump: "config_dump_proxy.json",
  stats: "proxy_stats",
} as const;
const ossm2 = {
  syncz: "synchronization",
  istiodDump: "pilotConfiguration",
  proxyDump: "envoyConfiguration",
  stats: null,
} as const;

const notConnected = "Proxy not connected to this Pilot instance. It may be connected to another instance.\n";
const containerNotFound = 'error: unable to upgrade connection: container not found ("istio-proxy")\n';
const defaultedContainer = ({ pod }: MeshProxy): string =>
  `Defaulted container "istio-proxy" out of: ${["istio-proxy", ...pod.workload.containers].join(", ")}, istio-init (init)\n`;

// Common to the layouts

const proxyFolder = ({ pod }: MeshProxy): string => `proxies/${pod.namespace}/${pod.name}`;
const istiodFolder = ({ namespace, name }: MeshIstiod): string => `istio/${namespace}/${name}`;
const joined = (root: string, name: string): string => (root === "" ? name : `${root}/${name}`);

function dumpBody(proxy: MeshProxy, includeEndpoints: boolean): Buffer | string {
  if (proxy.files.dump === "error text") return dumpErrorText;
  const whole = envoyDumpText(proxy, includeEndpoints && proxy.files.endpoints);
  return proxy.files.dump === "whole" ? whole : whole.subarray(0, Math.floor(whole.length / 2));
}

const after = (remark: string, body: Buffer | string): Buffer | string =>
  remark === "" ? body : Buffer.concat([Buffer.from(remark), Buffer.from(body)]);

const listedProxies = (mesh: Mesh, istiod: MeshIstiod): MeshProxy[] => {
  const listed = new Set(istiod.syncz.map(({ proxyId }) => proxyId));
  return mesh.proxies.filter(({ id }) => listed.has(id));
};

/** The order of a walk through folders: name by name, not character by character. */
function comparePaths(left: string, right: string): number {
  const leftNames = left.split("/");
  const rightNames = right.split("/");
  for (const [index, name] of leftNames.entries()) {
    const other = rightNames[index];
    if (other === undefined) return 1;
    if (name !== other) return name < other ? -1 : 1;
  }
  return -1;
}
