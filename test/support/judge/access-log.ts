/** Lines of Envoy's access logs, joined to decisions. */
import type { HeaderList } from "../../../src/trace/request.js";
import type { ClientAnswer } from "./client.js";
import type { Decision, Received } from "./decision.js";
import type { LogKind } from "./planting.js";

export interface LogLine {
  readonly kind: LogKind;
  readonly marker: string | null;
  /** `ip:port` of the TCP peer. */
  readonly from: string | null;
  /** null where no filter chain was found. */
  readonly listener: string | null;
  /** The listener whose log it is. */
  readonly logged_by: string;
  readonly filter_chain: string | null;
  readonly virtual_host: string | null;
  readonly route: string | null;
  readonly route_name: string | null;
  readonly cluster: string | null;
  readonly upstream_host: string | null;
  readonly status: number | null;
  readonly flags: string | null;
  readonly details: string | null;
  readonly connection_details: string | null;
  readonly transport_failure: string | null;
}

/** Collects lines while Envoy writes them. */
export class AccessLog {
  readonly #byPeer = new Map<string, LogLine[]>();
  readonly #byMarker = new Map<string, LogLine[]>();

  readonly add = (text: string): void => {
    const line = JSON.parse(text) as LogLine;
    if (line.from !== null) append(this.#byPeer, line.from, line);
    if (line.marker !== null) append(this.#byMarker, line.marker, line);
  };

  /** Whether all is there: the listener's line is the last of a connection. */
  isComplete(peer: string): boolean {
    return this.#byPeer.get(peer)?.some(({ kind }) => kind === "listener") ?? false;
  }

  /** @throws Error where no line tells of the connection */
  decision(marker: string, answer: ClientAnswer, received: Received | null): Decision {
    const first = this.#byPeer.get(answer.from) ?? [];
    const later = (this.#byMarker.get(marker) ?? []).filter(({ from }) => from !== answer.from);
    const line = deciding(first);
    if (line === null) throw new Error(`no line of an access log is about ${answer.from}`);
    const hops = [line, ...later.slice(0, 1)];
    const [own, next] = hops.map((hop) => toDecision(hop, answer, received));
    if (own === undefined) throw new Error("unreachable: a hop gives a decision");
    return { ...own, next: next ?? null };
  }
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** The request's own line, else that of the TCP proxy with what only the listener tells. */
function deciding(lines: readonly LogLine[]): LogLine | null {
  const of = (kind: LogKind): LogLine | undefined => lines.find((line) => line.kind === kind);
  const http = of("http");
  if (http !== undefined) return http;
  const [tcp, listener] = [of("tcp"), of("listener")];
  if (tcp === undefined || listener === undefined) return tcp ?? listener ?? null;
  const isTold = ([, value]: [string, unknown]): boolean => value !== null && value !== "-";
  return { ...listener, ...(Object.fromEntries(Object.entries(tcp).filter(isTold)) as Partial<LogLine>) };
}

function toDecision(line: LogLine, { response }: ClientAnswer, received: Received | null): Decision {
  const isHttp = line.kind === "http";
  const details = isHttp ? line.details : (line.connection_details ?? line.details);
  const headers: HeaderList = response?.headers ?? [];
  return {
    listener: told(line.listener) ?? line.logged_by,
    filterChain: told(line.filter_chain),
    virtualHost: told(line.virtual_host),
    route: told(line.route) ?? told(line.route_name),
    cluster: told(line.cluster),
    upstreamHost: told(line.upstream_host),
    status: isHttp && line.status !== 0 ? line.status : null,
    flags: line.flags === null || line.flags === "-" ? [] : line.flags.split(","),
    details: (details ?? "").split("{")[0] ?? "",
    isHandshakeFailed: told(line.transport_failure) !== null,
    location: headers.find(([name]) => name === "location")?.[1] ?? null,
    responseHeaders: headers,
    received,
    next: null,
  };
}

const told = (value: string | null): string | null => (value === "" || value === "-" ? null : value);
