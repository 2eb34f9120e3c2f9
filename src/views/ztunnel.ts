/**
 * Tables as `istioctl ztunnel-config` prints them, over one ztunnel, and what `-o json` prints of the same rows.
 * Source: istio/istio, istioctl/pkg/writer/ztunnel/configdump, releases 1.22 to 1.31.
 */
import { by } from "../shared/sorting.js";
import type { Origin } from "../snapshot/model.js";
import type {
  Certificate,
  Connection,
  ServiceRow,
  WorkloadRow,
  WorkloadStateRow,
  ZtunnelDump,
  ZtunnelRow,
} from "../snapshot/parse/ztunnel-rows.js";
import type { View, ViewOptions } from "./view.js";

/** Texts to be equal to, whatever their case; "" and left out are for any. */
export interface NamespaceFilter {
  readonly namespace?: string;
}
export interface WorkloadFilter extends NamespaceFilter {
  readonly name?: string;
  readonly address?: string;
  readonly node?: string;
}
export interface ConnectionsFilter extends NamespaceFilter {
  /** A pod, or `pod.namespace` where no namespace is given. */
  readonly name?: string;
  readonly direction?: "inbound" | "outbound";
  /** Addresses as they are, not the names behind them. */
  readonly raw?: boolean;
}
export interface CertificateOptions extends ViewOptions {
  /** RFC 3339 of the capture, which validity is judged at; null = unknown. Never the present, as istioctl has it. */
  readonly at: string | null;
}

export type ZtunnelView<Filter, Options = ViewOptions> = (
  dump: ZtunnelDump,
  filter: Filter,
  options: Options,
) => View;

export const workloadView: ZtunnelView<WorkloadFilter> = (dump, filter, { istioctl }) => {
  const workloads = dump.workloads
    .filter(
      ({ name, namespace, addresses, node }) =>
        fits(name, filter.name) &&
        fits(namespace, filter.namespace) &&
        fits(node, filter.node) &&
        (unset(filter.address) || addresses.some((address) => fits(address, filter.address))),
    )
    .sort(
      by(
        ({ namespace, name }) => `${namespace}.${name}`,
        ({ node }) => node,
      ),
    );
  const waypointOf = waypointNames(dump);
  const addressesOf = ({ addresses, hostname }: WorkloadRow): string =>
    istioctl < 24 ? (addresses[0] ?? "") : addresses.join(",") || hostname;
  return view(
    ["NAMESPACE", "POD NAME", istioctl < 24 ? "IP" : "ADDRESS", "NODE", "WAYPOINT", "PROTOCOL"],
    workloads.map((row) => ({
      cells: [row.namespace, row.name, addressesOf(row), row.node, waypointOf(row.waypoint), row.protocol],
      origin: row.origin,
    })),
    raw(workloads),
  );
};

export const serviceView: ZtunnelView<NamespaceFilter> = (dump, filter, { istioctl }) => {
  const services = dump.services
    .filter(({ namespace }) => fits(namespace, filter.namespace))
    .sort(
      by(
        ({ namespace }) => namespace,
        ({ name }) => name,
        ({ hostname }) => hostname,
      ),
    );
  const healthy = new Set(dump.workloads.filter(({ status }) => status === "Healthy").map(({ uid }) => uid));
  const waypointOf = waypointNames(dump);
  const endpointsOf = ({ endpoints }: ServiceRow): string =>
    `${endpoints.filter((uid) => healthy.has(uid)).length}/${endpoints.length}`;
  return view(
    ["NAMESPACE", "SERVICE NAME", "SERVICE VIP", "WAYPOINT", ...(istioctl < 23 ? [] : ["ENDPOINTS"])],
    services.map((row) => ({
      cells: [
        row.namespace,
        row.name,
        row.vips
          .slice(0, istioctl < 24 ? 1 : undefined)
          .map(addressOfVip)
          .join(","),
        waypointOf(row.waypoint),
        ...(istioctl < 23 ? [] : [endpointsOf(row)]),
      ],
      origin: row.origin,
    })),
    raw(services),
  );
};

export const policyView: ZtunnelView<NamespaceFilter> = (dump, filter) => {
  const policies = dump.policies
    .filter(({ namespace }) => fits(namespace, filter.namespace))
    .sort(
      by(
        ({ namespace }) => namespace,
        ({ name }) => name,
      ),
    );
  return view(
    ["NAMESPACE", "POLICY NAME", "ACTION", "SCOPE"],
    policies.map(({ namespace, name, action, scope, origin }) => ({
      cells: [namespace, name, action, scope],
      origin,
    })),
    raw(policies),
  );
};

/** Certificates in the order of the dump; istioctl has no filter for them. */
export const certificateView: ZtunnelView<object, CertificateOptions> = (dump, _filter, { at }) => ({
  ...view(
    ["CERTIFICATE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"],
    dump.certificates.flatMap(({ identity, state, chain, roots, origin }) => {
      const status = state.includes("Unavailable") ? "Unavailable" : state;
      if (chain.length === 0) return [{ cells: [identity, "NA", status, "false", "NA", "NA", "NA"], origin }];
      const line = (type: string, certificate: Certificate): Line => ({
        cells: [
          identity,
          type,
          status,
          validity(certificate, at),
          hexadecimal(certificate.serialNumber),
          certificate.expirationTime || "NA",
          certificate.validFrom || "NA",
        ],
        origin: certificate.origin,
      });
      // before 1.24 the root was part of the chain
      const last = roots.length === 0 ? chain.length - 1 : -1;
      return [
        ...chain.map((item, index) =>
          line(index === 0 ? "Leaf" : index === last ? "Root" : "Intermediate", item),
        ),
        ...roots.map((item) => line("Root", item)),
      ];
    }),
    raw(dump.certificates),
  ),
  padding: 5,
});

export const connectionsView: ZtunnelView<ConnectionsFilter> = (dump, filter, { istioctl }) => {
  const wanted = podAndNamespace(filter);
  const states = dump.workloadStates
    .filter(({ name, namespace }) => fits(name, wanted.name) && fits(namespace, wanted.namespace))
    .sort(
      by(
        ({ namespace }) => namespace,
        ({ name }) => name,
      ),
    );
  const named = filter.raw === true ? (address: string) => address : namer(dump);
  const line = (
    { name, namespace }: WorkloadStateRow,
    { protocol, origin }: Connection,
    cells: readonly [direction: string, local: string, remote: string, target: string],
  ): Line => ({
    cells: [`${name}.${namespace}`, ...cells, ...(istioctl < 26 ? [] : [protocol])],
    origin,
  });
  return view(
    ["WORKLOAD", "DIRECTION", "LOCAL", "REMOTE", "REMOTE TARGET", ...(istioctl < 26 ? [] : ["PROTOCOL"])],
    states.flatMap((state) => [
      ...(filter.direction === "outbound" ? [] : (state.inbound ?? [])).map((connection) => {
        const { actualDst, src, originalDst } = connection;
        return line(state, connection, ["Inbound", named(actualDst), named(src), originalDst]);
      }),
      ...(filter.direction === "inbound" ? [] : (state.outbound ?? [])).map((connection) => {
        const { actualDst, src, originalDst } = connection;
        return line(state, connection, ["Outbound", named(src), named(actualDst), named(originalDst)]);
      }),
    ]),
    states.map(stateJson),
  );
};

interface Line {
  readonly cells: readonly string[];
  readonly origin: Origin;
}

const view = (header: readonly string[], lines: readonly Line[], json: unknown): View => ({
  header,
  rows: lines.map(({ cells }) => cells),
  origins: lines.map(({ origin }) => origin),
  padding: 1,
  json,
  note: "",
});

const raw = (rows: readonly ZtunnelRow[]): unknown[] => rows.map((row) => row.raw);

const unset = (wanted: string | undefined): boolean => wanted === undefined || wanted === "";
const fits = (text: string, wanted: string | undefined): boolean =>
  unset(wanted) || text.toLowerCase() === wanted?.toLowerCase();

/** Finds the name of the service (before 1.19: of the workload) that a waypoint's destination leads to. */
function waypointNames({ services, workloads }: ZtunnelDump): (destination: string | null) => string {
  const names = new Map<string, string>();
  const add = (destination: string, name: string): void => {
    if (!names.has(destination)) names.set(destination, name);
  };
  for (const { name, namespace, hostname, vips } of services)
    for (const destination of [`${namespace}/${hostname}`, ...vips]) add(destination, name);
  for (const { addresses, canonicalName } of workloads)
    for (const address of addresses) add(address, canonicalName);
  return (destination) => (destination === null ? "None" : (names.get(destination) ?? "NA"));
}

/** The part behind the network of `network/ip`; "" where there is none. */
const addressOfVip = (vip: string): string => (vip.includes("/") ? vip.slice(vip.indexOf("/") + 1) : "");

/** Whether a certificate was valid at a moment; without dates it is not, as istioctl has it. */
function validity({ validFrom, expirationTime }: Certificate, at: string | null): string {
  const from = time(validFrom);
  const until = time(expirationTime);
  if (Number.isNaN(from) || Number.isNaN(until)) return "false";
  const moment = time(at ?? "");
  return Number.isNaN(moment) ? "unknown" : String(from < moment && moment < until);
}

/** Milliseconds of an RFC 3339 time; NaN for any other text. */
const time = (text: string): number =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : NaN;

const hexadecimal = (decimal: string): string =>
  /^-?\d{1,200}$/.test(decimal) ? BigInt(decimal).toString(16) : "NA";

/** The pod and namespace that are asked for: `name.namespace` is both, unless a namespace is given. */
function podAndNamespace({ name = "", namespace = "" }: ConnectionsFilter): {
  readonly name: string;
  readonly namespace: string;
} {
  const dot = name.indexOf(".");
  return namespace !== "" || dot < 0
    ? { name, namespace }
    : { name: name.slice(0, dot), namespace: name.slice(dot + 1) };
}

/**
 * Puts the name of a service, else of a workload, in the place of an address, and keeps the port. Like istioctl it knows
 * the first address of each.
 */
function namer({ services, workloads }: ZtunnelDump): (address: string) => string {
  const names = new Map([
    ...workloads.map(
      ({ addresses, name, namespace }) => [addresses[0] ?? "", `${name}.${namespace}`] as const,
    ),
    ...services.map(({ vips, hostname }) => [addressOfVip(vips[0] ?? ""), hostname] as const),
  ]);
  names.delete("");
  return (address) => {
    const { v6, v4, port = "" } = hostAndPort.exec(address)?.groups ?? {};
    const name = names.get(v6 ?? v4 ?? "");
    return name === undefined ? address : `${name.includes(":") ? `[${name}]` : name}:${port}`;
  };
}

const hostAndPort = /^(?:\[(?<v6>[^\]]*)\]|(?<v4>[^:]*)):(?<port>[^:]*)$/;

/** What `-o json` prints of a workload's connections: istioctl's fields, and no others. */
const stateJson = (state: WorkloadStateRow): unknown => ({
  ...(state.state === "" ? {} : { state: state.state }),
  connections: {
    inbound: state.inbound?.map(connectionJson) ?? null,
    outbound: state.outbound?.map(connectionJson) ?? null,
  },
  info: {
    name: state.name,
    namespace: state.namespace,
    trustDomain: state.trustDomain,
    serviceAccount: state.serviceAccount,
  },
});

const connectionJson = ({ src, originalDst, actualDst, protocol }: Connection): unknown => ({
  src,
  originalDst,
  actualDst,
  protocol,
});
