/**
 * Local HTTP servers that answer as they are told: well, late, wrongly, endlessly or not at all. They stand in for the
 * admin port of an Envoy and for the debug port of an Istiod, remember what they were asked, and count how much at once.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { loadGauge, type Load, type LoadGauge } from "./load.js";

export type Body = string | Uint8Array;

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborted when the connection is gone. */
  readonly closed: AbortSignal;
}

/** How one request is answered. */
export type Behaviour = (exchange: Exchange) => void | Promise<void>;

export interface AnswerOptions {
  readonly status?: number;
  /** Left out: JSON or plain text, by the first character. */
  readonly contentType?: string;
}

/** @param body a function makes it when it is asked for: many large answers need not stand in memory */
export const answer =
  (body: Body | (() => Body), { status = 200, contentType }: AnswerOptions = {}): Behaviour =>
  ({ response }) => {
    const bytes = typeof body === "function" ? body() : body;
    response.writeHead(status, { "content-type": contentType ?? contentTypeOf(bytes) });
    response.end(bytes);
  };

const contentTypeOf = (body: Body): string => {
  const first = typeof body === "string" ? body.charAt(0) : String.fromCharCode(body[0] ?? 0);
  return first === "{" || first === "[" ? "application/json" : "text/plain; charset=UTF-8";
};

/** What stands in the body of a bare status as Go's and Envoy's servers send it. */
const statusTexts: Readonly<Record<number, string>> = {
  401: "",
  403: "Forbidden\n",
  404: "404 page not found\n",
  429: "Too Many Requests\n",
  500: "Internal Server Error\n",
  503: "no healthy upstream",
};

export const refuses = (status: number, text = statusTexts[status] ?? ""): Behaviour =>
  answer(text, { status });

/** As a proxy or a login page in the way would. */
export const webPage: Behaviour = answer(
  "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to continue</body></html>\n",
  { contentType: "text/html; charset=utf-8" },
);

export const empty: Behaviour = answer("");

/** Well-formed HTTP around something that is no JSON. */
export const wrongJson: Behaviour = answer('{"configs": [{"@type": "type.googleapis.com/', {
  contentType: "application/json",
});

/** Takes the request and never says a word. */
export const hangs: Behaviour = () => undefined;

/** Closes the connection without an answer. */
export const hangsUp: Behaviour = ({ response }) => {
  response.destroy();
};

/** Sends the first half of the body, and then the connection is gone. */
export const closesHalfWay =
  (body: Body): Behaviour =>
  async ({ response }) => {
    const bytes = Buffer.from(body);
    response.writeHead(200, { "content-type": contentTypeOf(bytes) });
    await new Promise((resolve) => response.write(bytes.subarray(0, bytes.length / 2), resolve));
    response.destroy();
  };

/** Sends the first half of the body, and then nothing more; the connection stays. */
export const stopsHalfWay =
  (body: Body): Behaviour =>
  ({ response }) => {
    const bytes = Buffer.from(body);
    response.writeHead(200, { "content-type": contentTypeOf(bytes) });
    response.write(bytes.subarray(0, bytes.length / 2));
  };

/** The body in pieces of that many bytes, one every so many milliseconds. */
export const drips =
  (body: Body, size: number, every: number): Behaviour =>
  async ({ response, closed }) => {
    const bytes = Buffer.from(body);
    response.writeHead(200, { "content-type": contentTypeOf(bytes) });
    for (let at = 0; at < bytes.length; at += size) {
      response.write(bytes.subarray(at, at + size));
      await sleep(every, undefined, { signal: closed });
    }
    response.end();
  };

const floodPiece = Buffer.alloc(64 * 1024, "x");
const floodStart = '{"configs":["';
const floodEnd = '"]}';

/** A JSON document of that many bytes, never more than a piece of it in memory. @param bytes Infinity: without end */
export const flood =
  (bytes: number): Behaviour =>
  async ({ response, closed }) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(floodStart);
    let left = bytes - floodStart.length - floodEnd.length;
    while (left > 0) {
      const piece = left < floodPiece.length ? floodPiece.subarray(0, left) : floodPiece;
      left -= piece.length;
      if (!response.write(piece)) await once(response, "drain", { signal: closed });
    }
    response.end(floodEnd);
  };

/** Waits that many milliseconds first. */
export const late =
  (milliseconds: number, behaviour: Behaviour): Behaviour =>
  async (exchange) => {
    await sleep(milliseconds, undefined, { signal: exchange.closed });
    await behaviour(exchange);
  };

/** One after the other, a request each; the last one again and again. */
export function inTurn(...behaviours: readonly [Behaviour, ...Behaviour[]]): Behaviour {
  let asked = 0;
  return (exchange) => {
    const behaviour = behaviours[Math.min(asked, behaviours.length - 1)];
    asked += 1;
    return behaviour?.(exchange);
  };
}

export interface AskedFor {
  readonly method: string;
  /** With the leading slash and the query, as it came. */
  readonly url: string;
}

export interface LocalServer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  /** In the order in which they came. */
  readonly requests: readonly AskedFor[];
  readonly load: Load;
  /** Ends every connection. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Milliseconds before every answer. */
  readonly latency?: number;
  /** Counts beside the server's own load that of several servers together. */
  readonly overall?: LoadGauge;
}

/** A server on a free port of 127.0.0.1. @param choose how to answer; it throws only by mistake of the test */
export async function startServer(
  choose: (asked: AskedFor) => Behaviour,
  { latency = 0, overall }: ServerOptions = {},
): Promise<LocalServer> {
  const requests: AskedFor[] = [];
  const load = loadGauge();
  const server = createServer((request, response) => {
    const asked = { method: request.method ?? "", url: request.url ?? "" };
    requests.push(asked);
    const exits = [load.enter(), ...(overall === undefined ? [] : [overall.enter()])];
    const gone = new AbortController();
    const leave = (): void => exits.splice(0).forEach((exit) => exit());
    response.once("finish", leave); // "close" may come after the client's next request
    response.once("close", () => {
      leave();
      gone.abort();
    });
    const behaviour = choose(asked);
    const whole = latency > 0 ? late(latency, behaviour) : behaviour;
    void perform(whole, { request, response, closed: gone.signal });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    load,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A client that went away ends the answer; anything else is a mistake of the test, which its answer then shows. */
async function perform(behaviour: Behaviour, exchange: Exchange): Promise<void> {
  try {
    await behaviour(exchange);
  } catch (error) {
    if (exchange.closed.aborted) return;
    if (exchange.response.headersSent) exchange.response.destroy();
    else await refuses(500, `the test's own server failed: ${String(error)}\n`)(exchange);
  }
}

/** What Envoy says of a path that it does not know; the list of those that it knows follows. */
export const unknownAdminPath = refuses(404, "invalid path. admin commands are:\n  /: Admin home page\n");

/** Answers by path: with the query where it is named with it, else without. Paths have no leading slash. */
export type Answers = Readonly<Record<string, Body | Behaviour>>;

export async function adminServer(
  files: Answers,
  options: ServerOptions & { readonly unknown?: Behaviour } = {},
): Promise<LocalServer> {
  const find = lookUp(files);
  return startServer(({ url }) => find(url) ?? options.unknown ?? unknownAdminPath, options);
}

/** The answer to that very URL, else to its path. */
export function lookUp(files: Answers): (url: string) => Behaviour | undefined {
  const behaviours = new Map(
    Object.entries(files).map(([path, file]): [string, Behaviour] => [
      path,
      typeof file === "function" ? file : answer(file),
    ]),
  );
  return (url) => {
    const whole = url.replace(/^\//, "");
    return behaviours.get(whole) ?? behaviours.get(whole.split("?", 1)[0] ?? "");
  };
}

/** Requests that change what they ask: nothing that collects may send one. */
export const harmful = (requests: readonly AskedFor[]): AskedFor[] =>
  requests.filter(
    ({ method, url }) =>
      method !== "GET" ||
      /[?&](?:push|clear)(?:=|&|$)/.test(url) ||
      /^\/(?:debug\/(?:force_disconnect|pprof)|quitquitquit|healthcheck|drain_listeners|reset_counters|logging|runtime_modify|cpuprofiler|heapprofiler|heap_dump|tap|reopen_logs|contention|allocprofiler)\b/.test(
        url,
      ),
  );
