/**
 * Istiod's list of proxies and how far each has got, of every era: `/debug/syncz` over HTTP (Istio 1.4 and newer) and the
 * XDS answer `istio.io/debug/syncz` (1.7 and newer) as protobuf JSON.
 * Sources: istio/istio, pilot/pkg/xds/debug.go and statusgen.go; envoy/service/status/v3/csds.proto.
 */
import { BundleFormatError } from "../../shared/errors.js";
import { lost, type ProblemList } from "../../shared/problem.js";
import { validator } from "../../shared/validator.js";
import type { SyncList, SyncState, TypeSync } from "../model.js";
import { pointerToken } from "./config-dump.js";
import { typeName } from "./type-url.js";

interface RawSyncStatus {
  readonly proxy: string;
  readonly cluster_id?: string;
  readonly proxy_type?: string;
  readonly proxy_version?: string;
  readonly istio_version?: string;
  readonly resources?: Readonly<Record<string, RawResource>>;
  readonly [nonce: string]: unknown;
}
interface RawResource {
  readonly sent?: string;
  readonly acked?: string;
  readonly sentTime?: string;
  readonly lastError?: string;
}
interface RawXdsSync {
  readonly resources?: readonly unknown[];
  readonly controlPlane?: { readonly identifier?: string };
}
interface RawClientConfig {
  readonly node: { readonly id: string; readonly metadata?: Readonly<Record<string, unknown>> };
  readonly genericXdsConfigs?: readonly {
    readonly typeUrl: string;
    readonly configStatus?: string | number;
    readonly lastUpdated?: string;
    readonly errorState?: { readonly details?: string };
  }[];
  readonly xdsConfig?: readonly Readonly<Record<string, unknown>>[];
}
const validateStatus = validator<RawSyncStatus>("syncz");
const validateXds = validator<RawXdsSync>("xdsSync");
const validateClient = validator<RawClientConfig>("clientConfig");

/** The types that have columns of their own, by Istio's short names. */
export const shortTypes = {
  CDS: "envoy.config.cluster.v3.Cluster",
  LDS: "envoy.config.listener.v3.Listener",
  EDS: "envoy.config.endpoint.v3.ClusterLoadAssignment",
  RDS: "envoy.config.route.v3.RouteConfiguration",
  ECDS: "envoy.config.core.v3.TypedExtensionConfig",
} as const;

/** Fields of the flat form. */
const nonceFields = [
  ["cluster", shortTypes.CDS],
  ["listener", shortTypes.LDS],
  ["endpoint", shortTypes.EDS],
  ["route", shortTypes.RDS],
  ["extensionconfig", shortTypes.ECDS],
] as const;

/** Go's zero time: never sent. */
const zeroTime = "0001-01-01T00:00:00Z";

type Read<T> = (json: T, entry: string, pointer: string, problems: ProblemList) => SyncList;

/** The array of `/debug/syncz`. A bad element costs that element. */
export const parseSyncz: Read<readonly unknown[]> = (json, entry, pointer, problems) => {
  const raws = json.flatMap((element, index) => {
    try {
      return [{ raw: validateStatus(element, entry, `${pointer}/${index}`), at: `${pointer}/${index}` }];
    } catch (error) {
      if (!(error instanceof BundleFormatError)) throw error;
      problems.add(lost(entry, error.detail, error.pointer));
      return [];
    }
  });
  // cluster_id came with 1.13, ECDS with 1.14: without the first in the whole answer, nothing is said of the second
  const tellsEcds = raws.some(
    ({ raw }) =>
      raw.cluster_id !== undefined ||
      raw.resources !== undefined ||
      raw["extensionconfig_sent"] !== undefined,
  );
  const states = raws.map(({ raw, at }): SyncState => {
    const { resources } = raw;
    return {
      proxyId: raw.proxy,
      clusterId: raw.cluster_id ?? "",
      proxyType: raw.proxy_type ?? "",
      istioVersion: raw.istio_version ?? "",
      proxyVersion: raw.proxy_version ?? "",
      types:
        resources === undefined
          ? flatTypes(raw, tellsEcds)
          : Object.entries(resources).map(([url, resource]) => resourceType(url, resource)),
      listsOnlySubscribed: resources !== undefined,
      origin: { entry, pointer: at },
    };
  });
  return {
    form: "syncz",
    states,
    lostRows: json.length - states.length,
    capturedAt: null,
    origin: { entry, pointer },
  };
};

function flatTypes(raw: RawSyncStatus, tellsEcds: boolean): TypeSync[] {
  return nonceFields
    .filter(([, type]) => type !== shortTypes.ECDS || tellsEcds)
    .map(([field, typeUrl]) => ({
      typeUrl,
      evidence: { form: "nonces", sent: textOf(raw[`${field}_sent`]), acked: textOf(raw[`${field}_acked`]) },
      sentTime: null,
      error: "",
    }));
}

function resourceType(url: string, resource: RawResource): TypeSync {
  return {
    typeUrl: typeName(url),
    evidence: { form: "nonces", sent: resource.sent ?? "", acked: resource.acked ?? "" },
    sentTime: resource.sentTime === undefined || resource.sentTime === zeroTime ? null : resource.sentTime,
    error: resource.lastError ?? "",
  };
}

/** The XDS answer. @throws BundleFormatError when it is none */
export const parseXdsSync: Read<unknown> = (json, entry, pointer, problems) => {
  const raw = validateXds(json, entry, pointer);
  const controlPlane = istiodIdentity(raw.controlPlane?.identifier);
  const resources = raw.resources ?? []; // protobuf JSON leaves an empty list out
  const states = resources.flatMap((resource, index): SyncState[] => {
    const at = `${pointer}/resources/${index}`;
    try {
      return [clientState(validateClient(resource, entry, at), controlPlane.version, { entry, pointer: at })];
    } catch (error) {
      if (!(error instanceof BundleFormatError)) throw error;
      problems.add(lost(entry, error.detail, error.pointer));
      return [];
    }
  });
  return {
    form: "xds",
    states,
    lostRows: resources.length - states.length,
    capturedAt: null,
    origin: { entry, pointer },
  };
};

function clientState(
  raw: RawClientConfig,
  controlPlaneVersion: string,
  origin: SyncState["origin"],
): SyncState {
  const metadata = raw.node.metadata ?? {};
  const version = textOf(metadata["ISTIO_VERSION"]);
  const types = raw.genericXdsConfigs?.map((config): TypeSync => ({
    typeUrl: typeName(config.typeUrl),
    evidence: { form: "verdict", status: verdict(config.configStatus) },
    sentTime: config.lastUpdated === undefined || config.lastUpdated === zeroTime ? null : config.lastUpdated,
    error: config.errorState?.details ?? "",
  }));
  return {
    proxyId: raw.node.id,
    clusterId: textOf(metadata["CLUSTER_ID"]),
    proxyType: "",
    // before 1.19 the answer named no proxy's version, and istioctl printed the control plane's
    istioVersion: version === "" ? controlPlaneVersion : version,
    proxyVersion: "",
    types: types ?? oldTypes(raw.xdsConfig ?? []),
    // before 1.14 (no CLUSTER_ID) the list was always the same four types, so a type that is missing tells nothing
    listsOnlySubscribed: metadata["CLUSTER_ID"] !== undefined,
    origin,
  };
}

/** `xdsConfig` of 1.10 and before: the type is the name of a member. */
function oldTypes(configs: readonly Readonly<Record<string, unknown>>[]): TypeSync[] {
  const members = {
    clusterConfig: shortTypes.CDS,
    listenerConfig: shortTypes.LDS,
    endpointConfig: shortTypes.EDS,
    routeConfig: shortTypes.RDS,
  };
  return configs.flatMap((config) =>
    Object.entries(members)
      .filter(([member]) => Object.hasOwn(config, member))
      .map(([, typeUrl]): TypeSync => ({
        typeUrl,
        evidence: { form: "verdict", status: verdict(config["status"]) },
        sentTime: null,
        error: "",
      })),
  );
}

const statuses = ["UNKNOWN", "SYNCED", "NOT_SENT", "STALE", "ERROR"] as const;

/** `envoy.service.status.v3.ConfigStatus`, by name or number; left out = UNKNOWN. */
function verdict(status: unknown): (typeof statuses)[number] {
  if (typeof status === "number") return statuses[status] ?? "UNKNOWN";
  return statuses.find((name) => name === status) ?? "UNKNOWN";
}

/** `controlPlane.identifier` is JSON text; istioctl prints MISSING or INVALID where it is not. */
export function istiodIdentity(identifier: string | undefined): {
  readonly id: string;
  readonly version: string;
} {
  if (identifier === undefined || identifier === "") return { id: "MISSING", version: "" };
  try {
    const json = JSON.parse(identifier) as {
      readonly ID?: unknown;
      readonly Info?: { readonly version?: unknown };
    } | null;
    const id = textOf(json?.ID);
    return { id: id === "" ? "INVALID" : id, version: textOf(json?.Info?.version) };
  } catch {
    return { id: "INVALID", version: "" };
  }
}

/** What one Istiod answered: either form. @throws BundleFormatError when it is neither */
export const parseSyncAnswer: Read<unknown> = (json, entry, pointer, problems) => {
  if (Array.isArray(json)) return parseSyncz(json as readonly unknown[], entry, pointer, problems);
  if (isSyncAnswer(json)) return parseXdsSync(json, entry, pointer, problems);
  throw new BundleFormatError(
    entry,
    pointer,
    "is no list of proxies: neither /debug/syncz nor an XDS sync answer",
  );
};

/** Whether a value looks like an XDS sync answer; one of an Istiod without proxies has no `resources`. */
export function isSyncAnswer(
  json: unknown,
): json is { readonly controlPlane?: { readonly identifier?: string } } {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return false;
  if ("resources" in json) return Array.isArray(json.resources);
  return "typeUrl" in json && typeof json.typeUrl === "string" && json.typeUrl.endsWith(".ClientConfig");
}

/** An object of Istiod name -> answer, as far as each value is one. */
export function parseIstiodAnswers(
  json: Readonly<Record<string, unknown>>,
  entry: string,
  problems: ProblemList,
): { readonly id: string; readonly sync: SyncList }[] {
  return Object.entries(json).flatMap(([id, answer]) => {
    try {
      const pointer = `/${pointerToken(id)}`;
      const sync = parseSyncAnswer(answer, entry, pointer, problems);
      if (Array.isArray(answer) && answer.length > 0 && sync.states.length === 0) {
        throw new BundleFormatError(entry, pointer, 'is an array, but its elements name no "proxy"');
      }
      return [{ id, sync }];
    } catch (error) {
      if (!(error instanceof BundleFormatError)) throw error;
      problems.add(lost(entry, error.detail, error.pointer));
      return [];
    }
  });
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
