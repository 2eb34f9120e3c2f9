/** The kinds of `proxy-config`, with istioctl's aliases and filters. */
import type { EntryKind } from "../../../ingest/read-snapshot.js";
import {
  absent,
  present,
  resourceStates,
  type Collected,
  type Proxy,
  type ReferenceList,
  type ResourceState,
  type SectionKind,
  type Snapshot,
} from "../../../snapshot/model.js";
import { contentOf } from "../../../snapshot/message.js";
import { bootstrapView } from "../../../views/bootstrap.js";
import { clusterView } from "../../../views/clusters.js";
import { ecdsView } from "../../../views/ecds.js";
import { edsView, endpointView, wideEndpointView } from "../../../views/endpoints.js";
import { listenerView } from "../../../views/listeners.js";
import { routeView } from "../../../views/routes.js";
import { secretView } from "../../../views/secrets.js";
import type { View, ViewOptions } from "../../../views/view.js";

/** Every flag of every kind; each command offers those that its kind knows. */
export interface KindArgs {
  fqdn?: string | undefined;
  port?: number | undefined;
  subset?: string | undefined;
  direction?: string | undefined;
  address?: string | undefined;
  type?: string | undefined;
  name?: string | undefined;
  cluster?: string | undefined;
  status?: string | undefined;
  verbose?: boolean | undefined;
  waypoint?: boolean | undefined;
  wide?: boolean | undefined;
}

export type FlagName = keyof KindArgs;

export interface Kind {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly describe: string;
  readonly flags: readonly FlagName[];
  readonly needs: readonly EntryKind[];
  /** The section whose references the rows are about; null for what is no list of resources. */
  readonly section: SectionKind | null;
  /** What `-o` is where the user says nothing: istioctl prints the bootstrap as JSON. */
  readonly defaultForm: "table" | "json";
  /** @param remark a line for standard error about what the view rests on */
  readonly view: (
    proxy: Proxy,
    snapshot: Snapshot,
    args: KindArgs,
    options: ViewOptions,
    remark: (line: string) => void,
  ) => Collected<View>;
}

/** A view of one section: absent as the section is. */
function ofSection(proxy: Proxy, kind: SectionKind, view: (section: ReferenceList) => View): Collected<View> {
  const section = proxy.config[kind];
  return section.state === "absent" ? section : present(view(section.value));
}

/** Only the filters that were given: with exactOptionalPropertyTypes undefined is not absent. */
function given<K extends FlagName>(
  args: KindArgs,
  ...names: readonly K[]
): { [N in K]?: NonNullable<KindArgs[N]> } {
  return Object.fromEntries(
    names.filter((name) => args[name] !== undefined).map((name) => [name, args[name]]),
  ) as {
    [N in K]?: NonNullable<KindArgs[N]>;
  };
}

const dump: readonly EntryKind[] = ["proxyDump"];

export const kinds: readonly Kind[] = [
  {
    name: "cluster",
    aliases: ["clusters", "c"],
    describe: "Clusters: services that the proxy can send to",
    flags: ["fqdn", "port", "subset", "direction"],
    needs: dump,
    section: "cluster",
    defaultForm: "table",
    view: (proxy, _snapshot, args, options) =>
      ofSection(proxy, "cluster", (section) =>
        clusterView(section, given(args, "fqdn", "port", "subset", "direction"), options),
      ),
  },
  {
    name: "listener",
    aliases: ["listeners", "l"],
    describe: "Listeners and what their filter chains match",
    flags: ["address", "port", "type", "verbose", "waypoint"],
    needs: dump,
    section: "listener",
    defaultForm: "table",
    view: (proxy, _snapshot, args, options) =>
      ofSection(proxy, "listener", (section) =>
        listenerView(section, given(args, "address", "port", "type"), {
          ...options,
          verbose: args.verbose ?? true,
          waypoint: args.waypoint ?? false,
        }),
      ),
  },
  {
    name: "route",
    aliases: ["routes", "r"],
    describe: "Route configurations: virtual hosts and their routes",
    flags: ["name", "verbose"],
    needs: dump,
    section: "routeConfiguration",
    defaultForm: "table",
    view: (proxy, _snapshot, args, options) =>
      ofSection(proxy, "routeConfiguration", (section) =>
        routeView(section, given(args, "name"), { ...options, verbose: args.verbose ?? true }),
      ),
  },
  {
    name: "endpoint",
    aliases: ["endpoints", "ep"],
    describe: "Endpoints with health, from Envoy's /clusters where it was captured",
    flags: ["address", "port", "cluster", "status", "wide"],
    needs: ["proxyDump", "clusters", "pods"],
    section: "endpointAssignment",
    defaultForm: "table",
    view: endpoints,
  },
  {
    name: "eds",
    aliases: [],
    describe: "Endpoints of the config dump (EDS)",
    flags: ["address", "port", "cluster", "status"],
    needs: dump,
    section: "endpointAssignment",
    defaultForm: "table",
    view: (proxy, _snapshot, args, options) =>
      ofSection(proxy, "endpointAssignment", (section) =>
        edsView(section, given(args, "address", "port", "cluster", "status"), options),
      ),
  },
  {
    name: "bootstrap",
    aliases: ["b"],
    describe: "Bootstrap: what the proxy was started with",
    flags: [],
    needs: dump,
    section: null,
    defaultForm: "json",
    view: (proxy, snapshot, _args, options) => {
      if (proxy.bootstrap.state === "absent") return proxy.bootstrap;
      const { hash, lastUpdated, origin } = proxy.bootstrap.value;
      const resource = snapshot.resources.get(hash);
      return resource === undefined
        ? absent("the bootstrap could not be read")
        : present(bootstrapView(contentOf(resource), lastUpdated, { ...options, origin }));
    },
  },
  {
    name: "secret",
    aliases: ["secrets", "s"],
    describe: "Certificates, their validity measured at the time of the capture",
    flags: [],
    needs: ["proxyDump", "certificates"],
    section: "secret",
    defaultForm: "table",
    view: (proxy, { captureTime, certificates }, _args, options, remark) =>
      ofSection(proxy, "secret", (section) => {
        const view = secretView(section, { ...options, at: captureTime?.value ?? null, certificates });
        if (view.unknown.length > 0)
          remark(
            `${proxy.id}: redaction replaced these certificates, and certificates.json does not know them: ${view.unknown.join(", ")}`,
          );
        return view;
      }),
  },
  {
    name: "ecds",
    aliases: ["ec"],
    describe: "Extension configurations (ECDS)",
    flags: [],
    needs: dump,
    section: "extensionConfig",
    defaultForm: "table",
    view: (proxy, _snapshot, _args, options) =>
      ofSection(proxy, "extensionConfig", (section) => ecdsView(section, options)),
  },
];

/** `endpoint` is of `/clusters`, which alone knows ejections; without it EDS serves, and says so. */
function endpoints(
  proxy: Proxy,
  snapshot: Snapshot,
  args: KindArgs,
  options: ViewOptions,
  remark: (line: string) => void,
): Collected<View> {
  const filter = given(args, "address", "port", "cluster", "status");
  const statuses = proxy.clusterStatuses;
  const eds = proxy.config.endpointAssignment;
  const origins = statuses.state === "present" ? { statusOrigins: statuses.value.origins } : {};
  if (args.wide === true) {
    if (statuses.state === "absent" && eds.state === "absent") return eds;
    return present(
      wideEndpointView(
        eds.state === "present" ? eds.value : null,
        statuses.state === "present" ? statuses.value.messages : null,
        filter,
        { ...options, pods: podsByIp(snapshot), ...origins },
      ),
    );
  }
  if (statuses.state === "present")
    return present(endpointView(statuses.value.messages, filter, { ...options, ...origins }));
  if (eds.state === "absent") return absent(`${statuses.reason}; and ${eds.reason}`);
  remark(`${proxy.id}: ${statuses.reason}: endpoints are those of EDS, and ejections are not known`);
  const view = edsView(eds.value, filter, options);
  return present({
    ...view,
    header: ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"],
    rows: view.rows.map(([endpoint = "", status = "", , cluster = ""]) => [endpoint, status, "-", cluster]),
  });
}

function podsByIp(snapshot: Snapshot): ReadonlyMap<string, string> {
  const pods = snapshot.pods.state === "present" ? snapshot.pods.value : [];
  return new Map([
    ...pods.flatMap((pod) => pod.ips.map((ip): [string, string] => [ip, `${pod.name}.${pod.namespace}`])),
    ...snapshot.proxies.flatMap(({ id, node }): [string, string][] =>
      node.state === "present" && node.value.parts !== null ? [[node.value.parts.ip, id]] : [],
    ),
  ]);
}

/** States that a user may ask for. */
export const statesToShow: readonly ResourceState[] = resourceStates.filter((state) => state !== "unknown");
