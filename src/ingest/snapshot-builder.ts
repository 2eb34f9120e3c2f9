import type { Entry } from "../bundle/entry.js";
import { entryOf, parseManifest, type Manifest } from "../bundle/manifest.js";
import { parseRedactionRecord, type RedactionRecord } from "../bundle/redaction-record.js";
import type { PodName, Role } from "../bundle/roles.js";
import { BundleFormatError, UserError } from "../shared/errors.js";
import { decodeText, jsonStart, parseJson, parseJsonSequence, utf8 } from "../shared/json.js";
import { excerpt } from "../shared/printable.js";
import { lost, note, type ProblemList } from "../shared/problem.js";
import { by } from "../shared/sorting.js";
import {
  absent,
  present,
  sectionKinds,
  type ClusterStatuses,
  type Collected,
  type Istiod,
  type IstiodView,
  type Node,
  type Origin,
  type Pod,
  type Proxy,
  type RuntimeValues,
  type Sections,
  type ServerInfo,
  type Service,
  type Snapshot,
  type SourceKind,
  type SyncList,
  type Ztunnel,
} from "../snapshot/model.js";
import type { CertificateSummary } from "../shared/certificate-summary.js";
import { parseCertificates } from "../snapshot/parse/certificates.js";
import { parseClusters } from "../snapshot/parse/clusters.js";
import { parsePods, parseServices } from "../snapshot/parse/cluster-objects.js";
import { parsePodList } from "../snapshot/parse/kubernetes-list.js";
import { readConfigDump, readNode, type ConfigDump } from "../snapshot/parse/config-dump.js";
import { JsonScanner } from "../shared/json-scan.js";
import { proxyTypeOf, splitProxyId } from "../snapshot/parse/node.js";
import type { ResourceStore } from "../snapshot/parse/resources.js";
import { parseRuntime } from "../snapshot/parse/runtime.js";
import {
  parseEndpointShards,
  parseKnownEndpoints,
  parseMeshConfig,
  parseRegistry,
} from "../snapshot/parse/istiod-debug.js";
import { parseNameTable, type NameTable } from "../snapshot/parse/ndsz.js";
import { parseServerInfo } from "../snapshot/parse/server-info.js";
import {
  istiodIdentity,
  isSyncAnswer,
  parseIstiodAnswers,
  parseSyncAnswer,
} from "../snapshot/parse/syncz.js";
import { isZtunnelDump, parseZtunnelDump } from "../snapshot/parse/ztunnel.js";

export interface BuilderOptions {
  readonly name: string;
  readonly form: "archive" | "directory" | "document";
  readonly store: ResourceStore;
  readonly problems: ProblemList;
  readonly want: ReadonlySet<Role["kind"]>;
  readonly at: string | null;
  readonly as: string | null;
  /** false: of `/clusters` what is counted of hosts is left out. */
  readonly hostStatistics?: boolean;
}

interface ProxyDraft {
  readonly pod: string;
  readonly namespace: string;
  dump: Collected<ConfigDump> | null;
  serverInfo: Collected<ServerInfo> | null;
  clusters: Collected<ClusterStatuses> | null;
  runtime: Collected<RuntimeValues> | null;
  dumpEntry: string | null;
  /** From the head of a dump that was not read. */
  node: Node | null;
}
interface IstiodDraft {
  readonly id: string;
  readonly namespace: string;
  sync: Collected<SyncList> | null;
  syncBefore: Collected<SyncList> | null;
  version: Istiod["version"] | null;
  mesh: Istiod["mesh"] | null;
  endpointShards: Istiod["endpointShards"] | null;
  knownEndpoints: Istiod["knownEndpoints"] | null;
  registry: Istiod["registry"] | null;
  readonly views: { proxyId: string; sections: Sections; entry: string }[];
  readonly nameTables: NameTable[];
}
interface ZtunnelDraft {
  readonly pod: string;
  readonly namespace: string;
  dump: Ztunnel["dump"] | null;
}

const notRead = "not read for this command";

/**
 * Puts a snapshot together from entries in any order. Nothing thrown by a parser gets out of here but bugs: a bad entry
 * becomes `absent` with the reason, and a problem.
 */
export class SnapshotBuilder {
  readonly #proxies = new Map<string, ProxyDraft>();
  readonly #istiods = new Map<string, IstiodDraft>();
  readonly #ztunnels = new Map<string, ZtunnelDraft>();
  readonly #times = new Map<string, { time: string; source: "manifest" | "tar entry" }>();
  readonly #layouts = new Set<string>();
  #pods: Collected<readonly Pod[]> | null = null;
  #services: Collected<readonly Service[]> | null = null;
  #manifest: Manifest | null = null;
  #manifestEntry = "";
  #manifestSeen = false;
  #redaction: Collected<RedactionRecord> | null = null;
  #certificates: ReadonlyMap<string, CertificateSummary> | null = null;
  #document: SourceKind | null = null;
  #recognised = false;

  constructor(readonly options: BuilderOptions) {}

  get hasAnything(): boolean {
    return this.#recognised;
  }

  /** Takes note of an entry, whether or not it is read. */
  seen(entry: Entry): void {
    const { role } = entry;
    if (role.kind === "unknown" || role.kind === "document") return;
    if (role.kind === "certificates" || role.kind === "redaction") return; // beside what was captured, not of it
    if (entry.capturedAt !== null) this.#times.set(entry.name, entry.capturedAt);
    if (role.kind === "manifest") {
      this.#manifestSeen = true;
      return;
    }
    this.#layouts.add(role.layout);
    if (role.kind === "other" || role.kind === "kubernetesObjects") return;
    this.#recognised = true;
    if ("proxy" in role && role.kind !== "istiodDump") {
      const draft = this.#proxy(role.proxy);
      if (role.kind === "proxyDump") draft.dumpEntry ??= entry.name;
    } else if (role.kind === "ztunnelDump") this.#ztunnel(role.ztunnel);
    else if ("istiod" in role) this.#istiod(role.istiod);
  }

  /** Reads the content of an entry. */
  read(entry: Entry, bytes: Uint8Array, cut: boolean): void {
    const { problems } = this.options;
    const { role } = entry;
    if (cut) problems.add(lost(entry.name, "the archive ends inside this entry"));
    const attempt = <T>(parse: () => T): Collected<T> => {
      try {
        return present(parse());
      } catch (error) {
        if (!(error instanceof BundleFormatError)) throw error;
        problems.add(lost(entry.name, error.detail, error.pointer));
        return absent(`${error.pointer === "" ? "" : `${error.pointer} `}${error.detail}`);
      }
    };
    const json = (): unknown => this.#json(bytes, entry.name);
    switch (role.kind) {
      case "manifest": {
        const manifest = attempt(() => parseManifest(bytes, entry.name));
        if (manifest.state === "present") {
          this.#manifest = manifest.value;
          this.#manifestEntry = entry.name;
          this.#recognised = true;
        }
        return;
      }
      case "document":
        this.#readDocument(entry.name, bytes);
        return;
      case "redaction":
        this.#redaction ??= attempt(() => parseRedactionRecord(bytes, entry.name));
        return;
      case "certificates": {
        const certificates = attempt(() => parseCertificates(json(), entry.name, problems));
        if (certificates.state === "present") this.#certificates ??= certificates.value;
        return;
      }
      case "proxyDump":
        this.#readProxyDump(role.proxy, entry.name, bytes, attempt);
        return;
      case "serverInfo":
        this.#proxy(role.proxy).serverInfo = attempt(() => parseServerInfo(json(), entry.name));
        return;
      case "clusters":
        this.#proxy(role.proxy).clusters = attempt(() =>
          parseClusters(
            bytes,
            entry.name,
            problems,
            this.options.store.maxDepth,
            this.options.hostStatistics,
          ),
        );
        return;
      case "runtime":
        this.#proxy(role.proxy).runtime = attempt(() => parseRuntime(json(), entry.name));
        return;
      case "ztunnelDump":
        this.#ztunnel(role.ztunnel).dump = attempt(() => parseZtunnelDump(json(), entry.name, problems));
        return;
      case "syncz":
        this.#istiod(role.istiod).sync ??= attempt(() => parseSyncAnswer(json(), entry.name, "", problems));
        return;
      case "synczBefore":
        this.#istiod(role.istiod).syncBefore ??= attempt(() =>
          parseSyncAnswer(json(), entry.name, "", problems),
        );
        return;
      case "istiodDump": {
        if (isNotConnected(bytes)) {
          problems.add(note(entry.name, "this Istiod does not serve the proxy; another one may"));
          return;
        }
        const dump = attempt(() => readConfigDump(bytes, entry.name, this.options.store));
        if (dump.state === "absent") return;
        for (const problem of dump.value.problems) problems.add(problem);
        const proxyId = `${role.proxy.name}.${role.proxy.namespace}`;
        const view = { proxyId, sections: dump.value.sections, entry: entry.name };
        // a must-gather does not say which Istiod it asked
        this.#istiod(role.istiod ?? { namespace: "", name: "unnamed" }).views.push(view);
        return;
      }
      case "istiodVersion":
        this.#istiod(role.istiod).version ??= attempt(() => ({
          version: istiodVersion(bytes, entry.name),
          origin: { entry: entry.name, pointer: "" },
        }));
        return;
      case "istiodDebug": {
        const istiod = this.#istiod(role.istiod);
        const origin = { entry: entry.name, pointer: "" };
        if (role.name === "mesh")
          istiod.mesh ??= attempt(() => ({ config: parseMeshConfig(json(), entry.name), origin }));
        if (role.name === "registryz")
          istiod.registry ??= attempt(() => ({ services: parseRegistry(json(), entry.name), origin }));
        if (role.name === "endpointShardz" && istiod.endpointShards === null) {
          const answer = attempt(() => {
            const shards = json();
            return {
              hosts: parseEndpointShards(shards, entry.name),
              services: parseKnownEndpoints(shards, entry.name),
            };
          });
          const isAbsent = answer.state === "absent";
          istiod.endpointShards = isAbsent ? answer : present({ hosts: answer.value.hosts, origin });
          istiod.knownEndpoints = isAbsent
            ? answer
            : present({ services: answer.value.services, capturedAt: null, origin });
        }
        const [, namespace, pod] = /^ndsz\/([^/]+)\/([^/]+)$/.exec(role.name) ?? [];
        if (namespace === undefined || pod === undefined || isNotConnected(bytes)) return;
        const table = attempt(() =>
          parseNameTable(bytes, entry.name, `${pod}.${namespace}`, this.options.store.maxDepth),
        );
        if (table.state === "present" && table.value !== null) istiod.nameTables.push(table.value);
        return;
      }
      case "pods":
        this.#pods ??= attempt(() => parsePods(json(), entry.name));
        return;
      case "kubernetesObjects":
        this.#pods ??= attempt(() => parsePodList(decodeText(bytes), entry.name, problems));
        return;
      case "services":
        this.#services ??= attempt(() => parseServices(json(), entry.name));
        return;
      default:
        return;
    }
  }

  /** Reads the node from the first bytes of a proxy's dump. */
  readNode(entry: Entry, head: Uint8Array): void {
    if (entry.role.kind !== "proxyDump") return;
    const { proxy } = entry.role;
    if (looksLikeZtunnel(head)) {
      this.#proxies.delete(keyOf(proxy));
      this.#ztunnel(proxy);
      return;
    }
    this.#proxy(proxy).node = readNode(head, entry.name, this.options.store.maxDepth);
  }

  /** @throws UserError when `--as` or a capture time is needed and missing */
  build(): Snapshot {
    const { options } = this;
    const manifest = this.#manifest;
    const kind = this.#kind();
    if (kind === "bundle" && manifest === null && !this.#manifestSeen) {
      options.problems.add(
        lost(
          "",
          "the bundle has no manifest.json, its last entry: it was cut off, and what followed is missing",
        ),
      );
    }
    const redaction =
      manifest?.redaction ?? (this.#redaction?.state === "present" ? this.#redaction.value : null);
    for (const { file, reason } of redaction?.leftOut ?? []) {
      const entry = file === "" ? "" : entryOf(file, this.#manifestEntry);
      options.problems.add(lost(entry, `when the snapshot was redacted: ${reason}`));
    }
    for (const file of manifest?.files ?? [])
      this.#times.set(entryOf(file.name, this.#manifestEntry), { time: file.capturedAt, source: "manifest" });
    const timeOf = (entry: string | null): string | null =>
      entry === null ? null : (this.#times.get(entry)?.time ?? null);
    const proxies = [...this.#proxies.values()].map((draft) => this.#buildProxy(draft, timeOf));
    this.#placeViews();
    for (const { kind: target, name, namespace } of manifest?.targets ?? []) {
      if (target === "istiod") this.#istiod({ namespace, name }); // also one of which nothing was captured
    }
    const istiods = [...this.#istiods.values()].map((draft): Istiod => ({
      id: draft.id,
      namespace: draft.namespace,
      sync: withTime(
        draft.sync ?? this.#missing("syncz", "no syncz answer of this Istiod was captured"),
        timeOf,
      ),
      syncBefore: withTime(
        draft.syncBefore ?? this.#missing("synczBefore", "no second syncz answer was captured"),
        timeOf,
      ),
      version: draft.version ?? this.#missing("istiodVersion", "no /version of it was captured"),
      mesh: draft.mesh ?? this.#missing("istiodDebug", "no /debug/mesh of it was captured"),
      endpointShards:
        draft.endpointShards ?? this.#missing("istiodDebug", "no /debug/endpointShardz of it was captured"),
      knownEndpoints: withTime(
        draft.knownEndpoints ?? this.#missing("istiodDebug", "no /debug/endpointShardz of it was captured"),
        timeOf,
      ),
      registry: draft.registry ?? this.#missing("istiodDebug", "no /debug/registryz of it was captured"),
      views: draft.views
        .map(({ proxyId, sections, entry }): IstiodView => ({
          proxyId,
          config: sections,
          entry,
          capturedAt: timeOf(entry),
        }))
        .sort(by((view) => view.proxyId)),
      nameTables: draft.nameTables.sort(by((table) => table.proxyId)),
    }));
    const captureTime = (): Snapshot["captureTime"] => this.#captureTime();
    let time: { readonly is: Snapshot["captureTime"] } | null = null;
    return {
      source: {
        kind,
        name: options.name,
        program: manifest === null ? null : `${manifest.program.name} ${manifest.program.version}`,
        redaction,
        window: manifest === null ? null : { start: manifest.start, end: manifest.end },
        asksOneIstiodOnly: kind === "must-gather",
      },
      get captureTime() {
        return (time ??= { is: captureTime() }).is;
      },
      istiods: istiods.sort(
        by(
          (istiod) => istiod.id,
          (istiod) => istiod.namespace,
        ),
      ),
      proxies: proxies.sort(by((proxy) => proxy.id)),
      ztunnels: [...this.#ztunnels.values()]
        .map(({ pod, namespace, dump }): Ztunnel => ({
          id: `${pod}.${namespace}`,
          pod,
          namespace,
          dump: dump ?? this.#missing("ztunnelDump", "no config_dump of it was captured"),
        }))
        .sort(by((ztunnel) => ztunnel.id)),
      pods: this.#pods ?? this.#missing("pods", "the list of pods was not captured"),
      services: this.#services ?? this.#missing("services", "the list of services was not captured"),
      certificates: this.#certificates ?? new Map(),
      resources: options.store.resources,
      gaps: manifest?.failures ?? [],
      problems: options.problems.all,
    };
  }

  /** A must-gather does not name the Istiod that it asked; where there is just one, it was that. */
  #placeViews(): void {
    const unnamed = keyOf({ namespace: "", name: "unnamed" });
    const views = this.#istiods.get(unnamed)?.views ?? [];
    const named = [...this.#istiods].filter(([key]) => key !== unnamed).map(([, draft]) => draft);
    const [only] = named;
    if (this.options.form === "document" || only === undefined || named.length > 1) return;
    for (const view of views) only.views.push(view);
    this.#istiods.delete(unnamed);
  }

  #missing(kind: Role["kind"], reason: string): { readonly state: "absent"; readonly reason: string } {
    return absent(this.options.want.has(kind) || this.options.form === "document" ? reason : notRead);
  }

  #buildProxy(draft: ProxyDraft, timeOf: (entry: string | null) => string | null): Proxy {
    const { pod, namespace, dumpEntry } = draft;
    const dump = draft.dump ?? this.#missing("proxyDump", "no config_dump of it was captured");
    const serverInfo = draft.serverInfo ?? this.#missing("serverInfo", "no server_info of it was captured");
    const node = draft.node === null ? nodeOf(dump, serverInfo) : present(draft.node);
    const id = namespace === "" ? pod : `${pod}.${namespace}`;
    if (
      node.state === "present" &&
      node.value.parts !== null &&
      node.value.parts.proxyId !== id &&
      this.options.form !== "document"
    ) {
      const { entry, pointer } = node.value.origin;
      this.options.problems.add(
        note(
          entry,
          `the node calls itself "${excerpt(node.value.parts.proxyId)}", but the dump stands under ${id}`,
          `${pointer}/id`,
        ),
      );
    }
    return {
      id,
      pod,
      namespace,
      type: proxyTypeOf(node.state === "present" ? node.value.parts?.type : undefined),
      node,
      serverInfo,
      bootstrap: dump.state === "present" ? dump.value.bootstrap : dump,
      config:
        dump.state === "present"
          ? dump.value.sections
          : (Object.fromEntries(sectionKinds.map((kind) => [kind, dump])) as unknown as Sections),
      clusterStatuses: draft.clusters ?? this.#missing("clusters", "no /clusters of it was captured"),
      runtime: draft.runtime ?? this.#missing("runtime", "no /runtime of it was captured"),
      dumpEntry: dump.state === "present" || draft.dumpEntry !== null ? dumpEntry : null,
      capturedAt: timeOf(dumpEntry),
    };
  }

  /** As the contract orders: the user's word, the manifest, the tar entries' time, the newest `last_updated`. */
  #captureTime(): Snapshot["captureTime"] {
    if (this.options.at !== null) return { value: this.options.at, source: "--at" };
    if (this.#manifest !== null) return { value: this.#manifest.end, source: "manifest" };
    const newest = (times: Iterable<string | null>): string | null => {
      let best: string | null = null;
      for (const time of times)
        if (time !== null && (best === null || Date.parse(time) > Date.parse(best))) best = time;
      return best;
    };
    const tar = newest([...this.#times.values()].map(({ time }) => time));
    if (tar !== null) return { value: tar, source: "tar entry" };
    const updated = newest(
      [...this.#proxies.values()].map(({ dump }) => (dump?.state === "present" ? dump.value.newest : null)),
    );
    return updated === null ? null : { value: updated, source: "newest last_updated" };
  }

  #kind(): SourceKind {
    if (this.#document !== null) return this.#document;
    if (this.#manifest !== null || this.#manifestSeen || this.#layouts.has("bundle")) return "bundle";
    return this.#layouts.has("must-gather") ? "must-gather" : "bug-report";
  }

  #json(bytes: Uint8Array, entry: string): unknown {
    const { value, before, rest } = parseJson(bytes, entry, this.options.store.maxDepth);
    if (before !== "")
      this.options.problems.add(note(entry, `text stands before the JSON: "${excerpt(before)}"`));
    if (rest !== "")
      this.options.problems.add(note(entry, `text stands behind the JSON: "${excerpt(rest)}"`));
    return value;
  }

  #readProxyDump(
    proxy: PodName,
    entry: string,
    bytes: Uint8Array,
    attempt: <T>(parse: () => T) => Collected<T>,
  ): void {
    const plain = utf8(bytes);
    if (looksLikeZtunnel(plain)) {
      // a bug-report keeps the ztunnels' dumps beside the Envoys'
      this.#proxies.delete(keyOf(proxy));
      this.#ztunnel(proxy).dump = attempt(() =>
        parseZtunnelDump(this.#json(plain, entry), entry, this.options.problems),
      );
      return;
    }
    const draft = this.#proxy(proxy);
    if (draft.dump?.state === "present") {
      this.options.problems.add(note(entry, "is a second dump of this proxy; the first one counts"));
      return;
    }
    draft.dump = attempt(() => readConfigDump(plain, entry, this.options.store));
    draft.dumpEntry = entry;
    if (draft.dump.state === "present")
      for (const problem of draft.dump.value.problems) this.options.problems.add(problem);
  }

  /** A bare file: its content says what it is. @throws UserError when it is nothing that we know */
  #readDocument(entry: string, bytes: Uint8Array): void {
    const plain = utf8(bytes);
    const { problems } = this.options;
    const start = jsonStart(plain);
    const head = decodeText(plain.subarray(0, 200));
    if (start < 0)
      throw new UserError(
        `${entry} is no snapshot: it is neither an archive nor JSON but the text "${excerpt(head)}"`,
      );
    if (plain[start] === 0x7b && hasTopKey(plain, start, "configs")) {
      this.#document = "config_dump";
      const dump = readConfigDump(plain, entry, this.options.store);
      for (const problem of dump.problems) problems.add(problem);
      const own = dump.node.state === "present" ? (dump.node.value.parts?.proxyId ?? dump.node.value.id) : "";
      const named = this.options.as ?? own;
      if (named === "")
        problems.add(
          note(entry, 'does not name its proxy (--as pod.namespace does); it is called "unnamed"'),
        );
      const { pod, namespace } = splitProxyId(named === "" ? "unnamed" : named);
      const draft = this.#proxy({ name: pod, namespace });
      draft.dump = present(dump);
      draft.dumpEntry = entry;
      this.#recognised = true;
      return;
    }
    const values = parseJsonSequence(plain, entry, this.options.store.maxDepth);
    const [first] = values;
    if (isZtunnelDump(first)) {
      this.#document = "ztunnel config_dump";
      const { pod, namespace } = splitProxyId(this.options.as ?? "unnamed");
      this.#ztunnel({ name: pod, namespace }).dump = present(parseZtunnelDump(first, entry, problems));
    } else if (isObject(first) && ("cluster_statuses" in first || "clusterStatuses" in first)) {
      this.#document = "clusters";
      const { pod, namespace } = splitProxyId(this.options.as ?? "unnamed");
      this.#proxy({ name: pod, namespace }).clusters = present(
        parseClusters(plain, entry, problems, this.options.store.maxDepth),
      );
    } else if (isObject(first) && ("virtual_hosts" in first || "virtualHosts" in first)) {
      this.#document = "route configuration";
    } else if (Array.isArray(first)) {
      this.#document = "syncz";
      const sync = parseSyncAnswer(first, entry, "", problems);
      if (first.length > 0 && sync.states.length === 0) {
        throw new UserError(
          `${entry} is a JSON array, but of no kind that is known here: its elements name no "proxy"`,
        );
      }
      this.#istiod({ namespace: "", name: "unnamed" }).sync = present(sync);
    } else if (isSyncAnswer(first)) {
      // istioctl prints the answers of several Istiods one after the other
      this.#document = "xds sync answer";
      values.forEach((value, index) => {
        try {
          const id = istiodIdentity(isSyncAnswer(value) ? value.controlPlane?.identifier : undefined).id;
          const sync = parseSyncAnswer(value, entry, "", problems);
          this.#istiod({ namespace: "", name: id }).sync = present(sync);
        } catch (error) {
          if (!(error instanceof BundleFormatError)) throw error;
          problems.add(lost(entry, `answer ${index + 1}: ${error.detail}`, error.pointer));
        }
      });
    } else if (isObject(first)) {
      const answers = parseIstiodAnswers(first, entry, problems);
      const isForeign =
        answers.length < Object.keys(first).length &&
        answers.every(({ sync }) => sync.form === "syncz" && sync.states.length === 0);
      if (answers.length === 0 || isForeign) {
        const keys = Object.keys(first)
          .slice(0, 5)
          .map((key) => `"${excerpt(key, 30)}"`);
        throw new UserError(
          `${entry} is JSON, but no kind that is known here: its top keys are ${keys.join(", ") || "none"}`,
        );
      }
      this.#document = "istiod answers";
      for (const { id, sync } of answers) this.#istiod({ namespace: "", name: id }).sync = present(sync);
    } else throw new UserError(`${entry} is JSON, but neither an object nor an array`);
    this.#recognised = true;
  }

  #proxy({ namespace, name }: PodName): ProxyDraft {
    return emplace(this.#proxies, keyOf({ namespace, name }), () => ({
      pod: name,
      namespace,
      dump: null,
      serverInfo: null,
      clusters: null,
      runtime: null,
      dumpEntry: null,
      node: null,
    }));
  }

  #istiod(of: PodName | null): IstiodDraft {
    const { namespace, name } = of ?? { namespace: "", name: "unnamed" };
    return emplace(this.#istiods, keyOf({ namespace, name }), () => ({
      id: name,
      namespace,
      sync: null,
      syncBefore: null,
      version: null,
      mesh: null,
      endpointShards: null,
      knownEndpoints: null,
      registry: null,
      views: [],
      nameTables: [],
    }));
  }

  #ztunnel({ namespace, name }: PodName): ZtunnelDraft {
    return emplace(this.#ztunnels, keyOf({ namespace, name }), () => ({ pod: name, namespace, dump: null }));
  }
}

const keyOf = ({ namespace, name }: PodName): string => `${namespace}/${name}`;

function emplace<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** The node of the bootstrap, else of server_info. */
function nodeOf(dump: Collected<ConfigDump>, serverInfo: Collected<ServerInfo>): Collected<Node> {
  const fromDump = dump.state === "present" ? dump.value.node : dump;
  if (fromDump.state === "present") return fromDump;
  return serverInfo.state === "present" && serverInfo.value.node !== null
    ? present(serverInfo.value.node)
    : fromDump;
}

/** An answer with the time at which it was asked, which the last entry of a bundle may tell. */
function withTime<T extends { readonly origin: Origin }>(
  answer: Collected<T & { readonly capturedAt: string | null }>,
  timeOf: (entry: string) => string | null,
): Collected<T & { readonly capturedAt: string | null }> {
  if (answer.state === "absent") return answer;
  return present({ ...answer.value, capturedAt: timeOf(answer.value.origin.entry) });
}

/** What a replica answers for a proxy of another one (istio/istio, pilot/pkg/xds/debug.go): an answer, not a failure. */
function isNotConnected(bytes: Uint8Array): boolean {
  return decodeText(bytes.subarray(0, 4096)).includes("Proxy not connected to this Pilot instance");
}

/** `/version` of an Istiod: text such as `1.24.2-<sha>-Clean`, or JSON. */
function istiodVersion(bytes: Uint8Array, entry: string): string {
  const text = decodeText(bytes).trim();
  if (text.startsWith("{")) {
    const { value } = parseJson(bytes, entry);
    const version = isObject(value) ? value["version"] : undefined;
    if (typeof version === "string") return version;
    throw new BundleFormatError(entry, "/version", "must be string");
  }
  if (!/^[\w.+-]{1,128}$/.test(text))
    throw new BundleFormatError(entry, "", `is no version but the text "${excerpt(text)}"`);
  return text;
}

/** Whether the object at the beginning of a text has a key, looking no further than that. */
function hasTopKey(bytes: Uint8Array, start: number, wanted: string): boolean {
  for (const key of new JsonScanner(bytes).keys(start)) if (key === wanted) return true;
  return false;
}

/** Keys that only a ztunnel's dump has. */
const ztunnelKeys = new Set(["workloads", "by_addr", "workloadState", "staticConfig", "services"]);

function looksLikeZtunnel(bytes: Uint8Array): boolean {
  const start = jsonStart(bytes);
  if (bytes[start] !== 0x7b) return false;
  for (const key of new JsonScanner(bytes).keys(start)) {
    if (key === "configs") return false;
    if (ztunnelKeys.has(key)) return true;
  }
  return false;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
