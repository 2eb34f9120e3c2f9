/** Servers on loopback that note what reaches them, by the request's marker. Their connections end with them. */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import {
  createSecureServer,
  createServer as createH2cServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { TLSSocket } from "node:tls";

import type { HeaderList } from "../../../src/trace/request.js";
import type { CertificateFiles } from "./certificates.js";
import type { Received } from "./decision.js";
import { markerHeader } from "./judged-request.js";
import { echoPorts, type EchoKind } from "./network.js";

export interface EchoServers {
  /** What the server received with that marker; null where nothing came. */
  received(marker: string): Received | null;
  stop(): Promise<void>;
}

const kinds = Object.keys(echoPorts) as readonly EchoKind[];

/** Listens on every address, with every kind of server. */
export async function startEchoServers(
  addresses: Iterable<string>,
  certificate: CertificateFiles,
): Promise<EchoServers> {
  const seen = new Map<string, Received>();
  const accept = acceptors(seen, certificate);
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const stop = async (): Promise<void> => {
    const closed = servers.map((server) => once(server, "close"));
    for (const server of servers) server.close();
    for (const socket of sockets) socket.destroy();
    await Promise.all(closed);
  };
  try {
    for (const address of addresses)
      for (const kind of kinds) {
        const server = createTcpServer((socket) => {
          sockets.add(socket);
          socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
          accept[kind](socket);
        });
        server.listen(echoPorts[kind], address);
        await once(server, "listening");
        servers.push(server);
      }
  } catch (error) {
    await stop();
    throw error;
  }
  return { received: (marker) => seen.get(marker) ?? null, stop };
}

function acceptors(
  seen: Map<string, Received>,
  { key, certificate }: CertificateFiles,
): Record<EchoKind, (socket: Socket) => void> {
  const note = (message: IncomingMessage | Http2ServerRequest): void => {
    const headers = pairs(message.rawHeaders).filter(([name]) => !name.startsWith(":"));
    const own = message.headers[":authority"];
    const marker = headers.find(([name]) => name === markerHeader)?.[1];
    if (marker === undefined) return;
    seen.set(marker, {
      ...connectionOf(message.socket),
      http: {
        version: message.httpVersion,
        method: message.method ?? "",
        path: pathOf(message),
        authority: (typeof own === "string" ? own : message.headers.host) ?? null,
        headers,
      },
    });
  };
  const answer = (message: Http2ServerRequest, response: Http2ServerResponse): void => {
    note(message);
    response.setHeader("content-type", "text/plain");
    response.end("echo\n");
  };
  const http = createHttpServer((message, response) => {
    note(message);
    response.setHeader("content-length", 5);
    response.end("echo\n");
  });
  http.keepAliveTimeout = 0;
  http.on("upgrade", (message: IncomingMessage, socket: Socket) => {
    note(message);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  });
  http.on("connect", (message: IncomingMessage, socket: Socket) => {
    note(message);
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
  });
  const h2c = createH2cServer({ settings: { enableConnectProtocol: true } }, answer);
  const tls = createSecureServer(
    { key, cert: certificate, allowHTTP1: true, requestCert: true, rejectUnauthorized: false },
    answer,
  );
  for (const server of [h2c, tls]) server.on("sessionError", () => undefined);
  tls.on("tlsClientError", () => undefined);
  return {
    http: (socket) => http.emit("connection", socket),
    h2c: (socket) => h2c.emit("connection", socket),
    tls: (socket) => tls.emit("connection", socket),
    tcp: (socket) => {
      socket.write("hello\n");
      socket.on("data", (data: Buffer) => {
        const marker = /marker=([\w-]+)/.exec(data.toString("latin1"))?.[1];
        if (marker !== undefined) seen.set(marker, { ...connectionOf(socket), http: null });
      });
    },
  };
}

/** What stands in its place in a CONNECT of HTTP/1 is the host. */
function pathOf(message: IncomingMessage | Http2ServerRequest): string | null {
  if (message.httpVersionMajor === 2) return message.headers[":path"]?.toString() ?? null;
  return message.method === "CONNECT" ? null : (message.url ?? null);
}

/** Keyed by what an HTTP/2 session wraps, which answers for the socket below it. */
function connectionOf(socket: Socket | Http2ServerRequest["socket"]): Pick<Received, "at" | "tls"> {
  const at = `${socket.localAddress ?? ""}:${socket.localPort ?? 0}`;
  if (!(socket instanceof TLSSocket)) return { at, tls: null };
  const servername: unknown = Reflect.get(socket, "servername");
  return {
    at,
    tls: {
      sni: typeof servername === "string" && servername !== "" ? servername : null,
      alpn: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : null,
      hasCertificate: Object.keys(socket.getPeerCertificate()).length > 0,
    },
  };
}

function pairs(raw: readonly string[]): HeaderList {
  const headers: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    headers.push([(raw[index] ?? "").toLowerCase(), raw[index + 1] ?? ""]);
  return headers;
}
