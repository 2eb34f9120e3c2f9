/** Sends one request on a connection of its own and waits for the answer, or for the end of the connection. */
import { once } from "node:events";
import { connect as connectH2, type ClientHttp2Session } from "node:http2";
import { connect as connectTcp, isIPv6, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

import type { HeaderList, SocketAddress } from "../../../src/trace/request.js";
import type { CertificateFiles, ClientCertificateName } from "./certificates.js";
import { markerHeader, type JudgedRequest } from "./judged-request.js";
import { proxyHeader } from "./proxy-protocol.js";

export interface ClientAnswer {
  /** `ip:port` that it connected from: the key of the connection in Envoy's logs. */
  readonly from: string;
  /** null where no HTTP response came. */
  readonly response: { readonly status: number; readonly headers: HeaderList } | null;
  /** Whether bytes came that are no HTTP response. */
  readonly gotBytes: boolean;
}

export interface ClientSettings {
  readonly certificates: Readonly<Record<ClientCertificateName, CertificateFiles>>;
  /** Gives a port that was not given before. */
  readonly nextPort: () => number;
}

/** Longer than any time that a scenario makes Envoy wait. */
const answerWithin = 15_000;

export async function send(
  request: JudgedRequest,
  to: SocketAddress,
  source: string,
  marker: string,
  settings: ClientSettings,
): Promise<ClientAnswer> {
  const { socket: plain, from } = await connected(to, source, settings.nextPort);
  const timer = setTimeout(() => plain.destroy(), answerWithin);
  try {
    if (request.proxy !== undefined)
      plain.write(proxyHeader(request.proxy.source, request.proxy.destination));
    const socket = await secured(request, plain, settings);
    if (socket === null) return { from, response: null, gotBytes: false };
    if (request.protocol === "h2") return { from, ...(await exchangeH2(request, socket, marker)) };
    return { from, ...(await exchangeBytes(request, socket, marker)) };
  } finally {
    clearTimeout(timer);
    plain.destroy();
  }
}

/** Connects from a port of ours, past those that another process listens on. */
async function connected(
  to: SocketAddress,
  source: string,
  nextPort: () => number,
): Promise<{ socket: Socket; from: string }> {
  for (;;) {
    const localPort = nextPort();
    const socket = connectTcp({ host: to.ip, port: to.port, localAddress: source, localPort, noDelay: true });
    try {
      await once(socket, "connect");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") continue;
      throw error;
    }
    socket.on("error", () => undefined); // a reset is an answer, too
    return { socket, from: isIPv6(source) ? `[${source}]:${localPort}` : `${source}:${localPort}` };
  }
}

/** The connection as the request wants it; null where the handshake fails. */
async function secured(
  { tls }: JudgedRequest,
  plain: Socket,
  { certificates }: ClientSettings,
): Promise<Socket | null> {
  if (tls === undefined) return plain;
  const own = tls.certificate === undefined ? undefined : certificates[tls.certificate];
  const socket: TLSSocket = connectTls({
    socket: plain,
    rejectUnauthorized: false,
    ...(tls.sni !== undefined && { servername: tls.sni }),
    ...(tls.alpn !== undefined && { ALPNProtocols: [...tls.alpn] }),
    ...(own !== undefined && { key: own.key, cert: own.certificate }),
  });
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    socket.once("secureConnect", () => resolve(socket));
    socket.once("close", () => resolve(null));
  });
}

type Exchange = Pick<ClientAnswer, "response" | "gotBytes">;

function requestText(request: JudgedRequest, marker: string): string {
  const { protocol = "http/1.1", method = "GET", path = "/", authority = "judge", headers = [] } = request;
  if (protocol === "silent") return "";
  if (protocol === "tcp") return request.bytes ?? `marker=${marker}\n`;
  const lines = [
    `${method} ${path ?? ""} ${protocol.toUpperCase()}`,
    ...(authority === null ? [] : [`host: ${authority}`]),
    `${markerHeader}: ${marker}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

async function exchangeBytes(request: JudgedRequest, socket: Socket, marker: string): Promise<Exchange> {
  const isHttp = request.protocol !== "tcp" && request.protocol !== "silent";
  const text = requestText(request, marker);
  if (text !== "") socket.write(text, "latin1");
  let received = "";
  const exchange = await new Promise<Exchange>((resolve) => {
    const end = (): void => resolve({ response: null, gotBytes: received !== "" });
    socket.on("data", (data: Buffer) => {
      received += data.toString("latin1");
      if (!isHttp) {
        end();
        return;
      }
      const response = parsedResponse(received);
      if (response !== undefined) resolve({ response, gotBytes: true });
    });
    socket.once("end", end).once("close", end).once("error", end);
  });
  // what it sent is on its way to a server that speaks first: it may still be noted there
  if (!isHttp && exchange.gotBytes) await new Promise((resolve) => setTimeout(resolve, 20));
  return exchange;
}

/** The response once all of it is there; undefined before, and for what is no HTTP. */
function parsedResponse(text: string): ClientAnswer["response"] | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1];
  if (status === undefined) return undefined;
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const body = text.slice(end + 4);
  const value = (name: string): string | undefined => headers.find(([own]) => own === name)?.[1];
  const length = value("content-length");
  const isWhole =
    status.startsWith("1") ||
    (length !== undefined
      ? body.length >= Number(length)
      : value("transfer-encoding") !== "chunked" || body.endsWith("0\r\n\r\n"));
  return isWhole ? { status: Number(status), headers } : undefined;
}

async function exchangeH2(request: JudgedRequest, socket: Socket, marker: string): Promise<Exchange> {
  const { method = "GET", path = "/", authority = "judge", scheme = "http", headers = [] } = request;
  const session: ClientHttp2Session = connectH2("http://judge", { createConnection: () => socket });
  session.on("error", () => undefined);
  const isConnect = method === "CONNECT";
  if (isConnect) await once(session, "remoteSettings");
  const outgoing: Record<string, string | string[]> = {
    ":method": method,
    ...(!(isConnect && path === null) && { ":scheme": scheme, ":path": path ?? "" }),
    ...(authority !== null && { ":authority": authority }),
    [markerHeader]: marker,
  };
  for (const [name, value] of headers) {
    const before = outgoing[name];
    outgoing[name] = before === undefined ? value : [before, value].flat();
  }
  return new Promise<Exchange>((resolve) => {
    const stream = session.request(outgoing, { endStream: !isConnect });
    let response: ClientAnswer["response"] = null;
    const end = (): void => resolve({ response, gotBytes: response !== null });
    // torn down in its midst a session may take all of Node 20 with it (an assertion on nghttp2's memory)
    const close = (): void => session.close();
    stream.on("response", (incoming) => {
      response = {
        status: incoming[":status"] ?? 0,
        headers: Object.entries(incoming).flatMap(([name, value]) =>
          name.startsWith(":") ? [] : [value ?? []].flat().map((one) => [name, one] as const),
        ),
      };
      if (isConnect) stream.close();
    });
    stream.resume();
    stream.once("close", close).on("error", () => undefined);
    session.once("close", end);
  });
}
