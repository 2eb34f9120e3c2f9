/** The part of 127.0.0.0/8 that a judge works in: configurations name it by one prefix, a run moves to a free one. */
import { once } from "node:events";
import { connect, createServer } from "node:net";

import type { SocketAddress } from "../../../src/trace/request.js";

/** As configurations, requests and expectations write it. */
const writtenPrefix = "127.77.";

/** Of the addresses that servers listen on, one port for each kind; outside the ports that Linux gives to clients. */
export const echoPorts = { http: 18080, h2c: 18081, tls: 18443, tcp: 19000 } as const;
export type EchoKind = keyof typeof echoPorts;

/** Where clients come from, if a request does not say it. */
export const clientAddress = `${writtenPrefix}254.1`;
/** The first listener of a judged Envoy, unless that one has an address of its own. */
export const firstListener: SocketAddress = { ip: `${writtenPrefix}100.1`, port: 10_000 };
/** What the shared cluster `echo` leads to. */
export const echoAddress = `${writtenPrefix}1.1`;

export interface ClaimedNetwork {
  /** Text that names addresses, with those of this run. */
  readonly toRun: <T>(data: T) => T;
  /** The way back, for what Envoy and the servers say. */
  readonly toWritten: <T>(data: T) => T;
  release(): Promise<void>;
}

/** Takes the first network that no other process has, the written one first. @throws Error when all are taken */
export async function claimNetwork(): Promise<ClaimedNetwork> {
  for (let second = 77; second < 127; second += 1) {
    const prefix = `127.${second}.`;
    const server = createServer();
    try {
      server.listen(61_000, `${prefix}0.1`);
      await once(server, "listening");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") continue;
      throw error;
    }
    if (await isLeftBehind(prefix)) {
      server.close();
      continue;
    }
    return {
      toRun: (data) => renamed(data, writtenPrefix, prefix),
      toWritten: (data) => renamed(data, prefix, writtenPrefix),
      release: async () => {
        const closed = once(server, "close");
        server.close();
        await closed;
      },
    };
  }
  throw new Error("every network from 127.77.0.0/16 to 127.126.0.0/16 is taken by another run");
}

/** Whether an Envoy whose run came to a sudden end still listens there: the two would share the connections. */
async function isLeftBehind(prefix: string): Promise<boolean> {
  const socket = connect({ host: firstListener.ip.replace(writtenPrefix, prefix), port: firstListener.port });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const renamed = <T>(data: T, from: string, to: string): T =>
  from === to ? data : (JSON.parse(JSON.stringify(data).replaceAll(from, to)) as T);

/** Of `ip:port` or `[ip]:port`. */
export function addressOf(text: string): SocketAddress {
  const colon = text.lastIndexOf(":");
  return { ip: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}
