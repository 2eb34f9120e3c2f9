import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

import { messageOf } from "../shared/errors.js";
import { excerpt } from "../shared/printable.js";
import { Refusal, type Channel } from "./ask.js";

/** Bytes of an error's body that are looked at. */
const errorBody = 4096;
const reasonLength = 300;

/**
 * A target that is reached over HTTP: an Envoy's admin port, Istiod's 15014, a forwarded port. Every request has its own
 * connection, which ends with it: none is kept open, and none can be found closed by the next request.
 * @param base `http://127.0.0.1:15000`, with a path where the target stands behind one; a valid URL of http or https
 */
export function httpChannel(base: string): Channel {
  const { origin, pathname } = new URL(base);
  const root = `${origin}${pathname.replace(/\/$/, "")}`;
  const urlOf = (path: string): string => `${root}/${path}`;
  return {
    get: async (path, onBytes, signal) => {
      signal.throwIfAborted();
      try {
        const response = await responseOf(urlOf(path), signal);
        if (!isSuccess(response)) throw await refusalOf(response);
        for await (const chunk of bodyOf(response)) await onBytes(chunk);
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      }
    },
    describe: (path) => `GET ${urlOf(path)}`,
    close: () => Promise.resolve(),
  };
}

/** Redirects are not followed: whom to ask is for the user to say, not for a target. */
const responseOf = (url: string, signal: AbortSignal): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    send(url, { agent: false, signal, headers: { "accept-encoding": "identity" } }, resolve)
      .on("upgrade", (_response, socket) => {
        socket.destroy();
        reject(new Refusal("lasting", "the answer is no HTTP but another protocol"));
      })
      .on("error", (error) => reject(connectionRefusal(error)))
      .end();
  });

const isSuccess = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300;

/** Errors of its own become refusals; those of whoever takes the pieces pass by it. */
async function* bodyOf(response: IncomingMessage): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    throw new Refusal("transient", `the answer ended early: ${messageOf(error)}`);
  }
}

/** What of a connection may pass with time: a process that starts, a full table, a name server that is busy. */
const passing = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
]);

function connectionRefusal(error: Error): Refusal {
  const code = "code" in error ? String(error.code) : "";
  if (code.startsWith("HPE_"))
    return new Refusal("lasting", `the answer is no HTTP: ${excerpt(error.message, reasonLength)}`);
  // a host with several addresses was tried at each of them
  const message = error instanceof AggregateError ? error.errors.map(messageOf).join("; ") : messageOf(error);
  return new Refusal(
    passing.has(code) ? "transient" : "lasting",
    `no connection: ${excerpt(message, reasonLength)}`,
  );
}

async function refusalOf(response: IncomingMessage): Promise<Refusal> {
  const { statusCode: status = 0, headers } = response;
  const text = excerpt(await headOf(response), reasonLength);
  if (status === 404) return new Refusal("absent", text === "" ? "HTTP 404" : text);
  if (status >= 300 && status < 400 && headers.location !== undefined)
    return new Refusal(
      "lasting",
      `HTTP ${status}: it sends us on to ${excerpt(headers.location, reasonLength)}, where we do not go`,
    );
  return new Refusal(
    status === 408 || status === 429 || status >= 500 ? "transient" : "lasting",
    `HTTP ${status}${text === "" ? "" : `: ${text}`}`,
  );
}

async function headOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of bodyOf(response)) {
      pieces.push(chunk);
      length += chunk.length;
      if (length >= errorBody) break; // leaving the loop ends the connection
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // the status says enough
  }
  return Buffer.concat(pieces).subarray(0, errorBody).toString("utf8");
}
