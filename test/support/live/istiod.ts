/**
 * A replica of Istiod, as far as its debug endpoints go (istio/istio, pilot/pkg/xds/debug.go, release-1.8 and newer): what
 * each release offers, in its form, with its refusals. It answers for its own connections only.
 */
import {
  adsz,
  configz,
  endpointShardz,
  meshConfig,
  registryz,
  smallAnswers,
  versionText,
} from "../mesh/istiod-answers.js";
import { istiodDumpText } from "../mesh/dump.js";
import { print, type Indent, type JsonObject } from "../mesh/json.js";
import type { Mesh, MeshIstiod, MeshProxy, MeshService } from "../mesh/model.js";
import { atLeast } from "../mesh/release.js";
import { synczText } from "../mesh/syncz.js";
import {
  answer,
  inTurn,
  lookUp,
  refuses,
  startServer,
  type Answers,
  type AskedFor,
  type Behaviour,
  type LocalServer,
  type ServerOptions,
} from "./faulty-server.js";

export interface IstiodOptions extends ServerOptions {
  /** Left out: the mesh's. */
  readonly release?: string;
  /** In place of its own answers, by path (`debug/syncz`), or by path and query. */
  readonly instead?: Answers;
  /** Ids of the proxies that use Istio's DNS proxy. */
  readonly dnsCapture?: ReadonlySet<string>;
  /** Whether it reads other clusters; without them `clusterz` is refused. Default true. */
  readonly multicluster?: boolean;
}

/** A request for one path: the query is what follows the question mark. */
type Handler = (query: URLSearchParams) => Behaviour;

export async function startIstiod(
  mesh: Mesh,
  istiod: MeshIstiod,
  options: IstiodOptions = {},
): Promise<LocalServer> {
  const handlers = handlersOf(mesh, istiod, options);
  const instead = lookUp(options.instead ?? {});
  const choose = ({ url }: AskedFor): Behaviour => {
    const { pathname, searchParams } = new URL(url, "http://istiod");
    return instead(url) ?? handlers.get(pathname)?.(searchParams) ?? refuses(404);
  };
  return startServer(choose, options);
}

/** All endpoints of `/debug/` with the first release that has them, and the first without them again (istio/istio, the releases' tags). */
const endpoints: readonly (readonly [name: string, since: string, until?: string])[] = [
  ["adsz", "1.8"],
  ["adsz?push=true", "1.8"],
  ["ambientz", "1.23"],
  ["authorizationz", "1.8"],
  ["cachez", "1.8"],
  ["cachez?clear=true", "1.12"],
  ["cachez?sizes=true", "1.11"],
  ["clusterz", "1.11"],
  ["config_distribution", "1.8", "1.23"],
  ["config_dump", "1.8"],
  ["configz", "1.8"],
  ["connections", "1.10"],
  ["ecdsz", "1.14"],
  ["edsz", "1.8"],
  ["endpointShardz", "1.8"],
  ["endpointz", "1.8"],
  ["inject", "1.8"],
  ["instancesz", "1.8"],
  ["krtz", "1.25"],
  ["list", "1.11"],
  ["mcsz", "1.12"],
  ["mesh", "1.9"],
  ["ndsz", "1.8"],
  ["networkz", "1.10"],
  ["push_status", "1.8"],
  ["pushcontext", "1.10"],
  ["registryz", "1.8"],
  ["resourcesz", "1.8"],
  ["sidecarz", "1.9"],
  ["syncz", "1.8"],
  ["telemetryz", "1.10"],
];

const offered = (release: string): string[] =>
  endpoints
    .filter(
      ([, since, until]) => atLeast(release, since) && !(until !== undefined && atLeast(release, until)),
    )
    .map(([name]) => name);

function handlersOf(mesh: Mesh, istiod: MeshIstiod, options: IstiodOptions): Map<string, Handler> {
  const release = options.release ?? mesh.options.istioVersion;
  const era: Mesh = { ...mesh, options: { ...mesh.options, istioVersion: release } };
  const captures = (proxyId: string): boolean => options.dnsCapture?.has(proxyId) === true;
  const connections = connectionsOf(era, istiod, captures);
  const about = (tell: (proxy: MeshProxy, query: URLSearchParams) => Behaviour): Handler =>
    aboutProxy(connections, release, tell);
  const sample = (rows: MeshIstiod["syncz"]): Behaviour =>
    answer(() => withNameTables(synczText(rows, release, era.options.seed), release, captures));
  const syncz = inTurn(sample(istiod.synczBefore), sample(istiod.syncz));

  const debug: Readonly<Record<string, Handler>> = {
    adsz: () => answer(print(connections.answer, indentOf(release))),
    config_dump: about(({ desired }, query) =>
      answer(() => istiodDumpText(desired, release, query.has("include_eds"))),
    ),
    ndsz: about(({ id }) => nameTable(era.services, release, captures(id))),
    syncz: () => syncz,
    configz: () => answer(() => configz(era)),
    endpointShardz: () => answer(() => endpointShardz(era, istiod)),
    registryz: () => answer(() => registryz(era)),
    mesh: () => answer(() => meshConfig(era, istiod)),
    list: () =>
      answer(
        print(
          offered(release).filter((name) => name !== "list"),
          indentOf(release),
        ),
      ),
    ...Object.fromEntries(
      Object.entries(smallAnswers).map(([name, make]): [string, Handler] => [
        name,
        () => answer(() => make(era, istiod)),
      ]),
    ),
    ...(options.multicluster === false ? { clusterz: () => refuses(400, "") } : {}),
  };
  const known = new Set(offered(release));
  return new Map<string, Handler>([
    ...Object.entries(debug)
      .filter(([name]) => known.has(name))
      .map(([name, handler]): [string, Handler] => [`/debug/${name}`, handler]),
    ["/version", () => answer(versionText({ ...istiod, version: release }))],
    ["/ready", () => answer("")],
  ]);
}

const indentOf = (release: string): Indent => (atLeast(release, "1.12") ? 0 : 4);

interface Connections {
  /** The answer to `adsz`. */
  readonly answer: JsonObject;
  /** The proxy of the first connection whose id contains the text. */
  find(part: string): MeshProxy | undefined;
}

const nameTableType = "type.googleapis.com/istio.networking.nds.v1.NameTable";

/** The connections with the metadata that the release tells of them; DNS capture is told where the release tells it. */
function connectionsOf(era: Mesh, istiod: MeshIstiod, captures: (proxyId: string) => boolean): Connections {
  const release = era.options.istioVersion;
  const { totalClients, clients } = JSON.parse(adsz(era, istiod).toString()) as {
    totalClients: number;
    clients: { connectionId: string; metadata: JsonObject; watches: JsonObject }[];
  };
  const listed = clients.map(({ connectionId, metadata, watches, ...rest }): JsonObject => {
    const dns = captures(proxyIdOf(connectionId));
    return {
      connectionId,
      ...rest,
      ...(atLeast(release, "1.12")
        ? { metadata: { ...metadata, ...(dns ? { DNS_CAPTURE: "true" } : {}) } }
        : {}),
      watches: { ...watches, ...(dns ? { [nameTableType]: [] } : {}) },
    };
  });
  const proxies = new Map(era.proxies.map((proxy) => [proxy.id, proxy]));
  // Istiod looks through a map, so that any order may come; this one puts the wrong connection before the right one
  const longestFirst = clients
    .map(({ connectionId }) => connectionId)
    .sort((left, right) => right.length - left.length || (left < right ? 1 : -1));
  return {
    answer: { totalClients, clients: listed },
    find: (part) => {
      const found = longestFirst.find((connectionId) => connectionId.includes(part));
      return found === undefined ? undefined : proxies.get(proxyIdOf(found));
    },
  };
}

/** `<pod>.<namespace>` of a connection's id, which ends in a counter. */
const proxyIdOf = (connectionId: string): string => connectionId.slice(0, connectionId.lastIndexOf("-"));

function aboutProxy(
  connections: Connections,
  release: string,
  tell: (proxy: MeshProxy, query: URLSearchParams) => Behaviour,
): Handler {
  const lineBreak = atLeast(release, "1.11") ? "\n" : "";
  return (query) => {
    const part = query.get("proxyID") ?? "";
    if (part === "") return refuses(400, `You must provide a proxyID in the query string${lineBreak}`);
    const proxy = connections.find(part);
    if (proxy === undefined)
      return refuses(
        404,
        `Proxy not connected to this Pilot instance. It may be connected to another instance.${lineBreak}`,
      );
    return tell(proxy, query);
  };
}

/** `ndsz` by release. Up to 1.10 the bracket that opens is never closed. */
function nameTable(services: readonly MeshService[], release: string, captured: boolean): Behaviour {
  const table: JsonObject = {
    "@type": nameTableType,
    table: Object.fromEntries(
      services.map(({ hostname, clusterIp, name, namespace }) => [
        hostname,
        { ips: [clusterIp], registry: "Kubernetes", shortname: name, namespace },
      ]),
    ),
  };
  if (atLeast(release, "1.16")) return answer(print(captured ? { configs: [table] } : {}, 0));
  if (atLeast(release, "1.13") && !captured) return refuses(400, "DNS capture is not enabled in the proxy\n");
  if (atLeast(release, "1.11")) return answer(print({ resource: table }, indentOf(release)));
  return answer(`[${print(table, 4).toString()}`);
}

/** Since 1.23 syncz names every type that is watched. */
function withNameTables(syncz: Buffer, release: string, captures: (proxyId: string) => boolean): Buffer {
  if (!atLeast(release, "1.23")) return syncz;
  const rows = JSON.parse(syncz.toString()) as { proxy: string; resources: Record<string, JsonObject> }[];
  return print(
    rows.map((row): JsonObject => {
      if (!captures(row.proxy)) return row;
      const nonces = Object.values(row.resources)[0] ?? {};
      return { ...row, resources: { ...row.resources, [nameTableType]: nonces } };
    }),
    0,
  );
}
