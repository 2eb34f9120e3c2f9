import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { afterEach, describe, expect, it } from "vitest";

import { Refusal } from "../../src/collect/ask.js";
import { httpChannel } from "../../src/collect/http.js";

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) server.close();
});

/** The connections of a server, in the order in which they came. */
interface Served {
  readonly base: string;
  readonly sockets: readonly Socket[];
}

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<Served> {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push({
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

const http = (handle: RequestListener): Promise<Served> => listening(createServer(handle));

/** A server that speaks bytes: what it does once a request has come. */
const tcp = (handle: (socket: Socket) => void): Promise<Served> =>
  listening(createTcpServer((socket) => socket.once("data", () => handle(socket))));

const never = (): AbortSignal => new AbortController().signal;

/** What came, and how it ended. */
async function asked(
  base: string,
  path = "config_dump",
  onPiece: () => void = () => undefined,
): Promise<{ body: string; refusal: Refusal | null }> {
  const pieces: Uint8Array[] = [];
  const take = (bytes: Uint8Array): Promise<void> => {
    pieces.push(bytes);
    onPiece();
    return Promise.resolve();
  };
  const refusal = await httpChannel(base)
    .get(path, take, never())
    .then(
      () => null,
      (error: unknown) => {
        if (error instanceof Refusal) return error;
        throw error;
      },
    );
  return { body: Buffer.concat(pieces).toString("utf8"), refusal };
}

const closed = (socket: Socket | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    if (socket === undefined) reject(new Error("nobody has asked"));
    else if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });

describe("an answer over HTTP", () => {
  it("is asked for with GET, its query as it is, uncompressed", async () => {
    const requests: unknown[] = [];
    const { base } = await http(({ method, url, headers }, response) => {
      requests.push([method, url, headers["accept-encoding"]]);
      response.end("{}");
    });
    expect(await asked(base, "stats?filter=%5E(a%7Cb)")).toEqual({ body: "{}", refusal: null });
    expect(requests).toEqual([["GET", "/stats?filter=%5E(a%7Cb)", "identity"]]);
  });

  it.each([
    { suffix: "", url: "/config_dump?include_eds" },
    { suffix: "/", url: "/config_dump?include_eds" },
    { suffix: "/envoy/a", url: "/envoy/a/config_dump?include_eds" },
    { suffix: "/envoy/a/", url: "/envoy/a/config_dump?include_eds" },
  ])("is asked for below the path of its address: $suffix", async ({ suffix, url }) => {
    const { base } = await http((request, response) => response.end(request.url));
    expect((await asked(`${base}${suffix}`, "config_dump?include_eds")).body).toBe(url);
    expect(httpChannel(`${base}${suffix}`).describe("config_dump?include_eds")).toBe(`GET ${base}${url}`);
  });

  it("is empty where the target says so", async () => {
    const { base } = await http((_request, response) => response.writeHead(204).end());
    expect(await asked(base)).toEqual({ body: "", refusal: null });
  });

  it("is not read faster than it is taken", async () => {
    const size = 128 * 1024 * 1024;
    let sent = 0;
    const { base } = await http((_request, response) => {
      const block = Buffer.alloc(64 * 1024, "x");
      const write = (): void => {
        while (sent < size) {
          sent += block.length;
          if (!response.write(block)) {
            response.once("drain", write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    let sentAtRest: number | null = null;
    let taken = 0;
    await httpChannel(base).get(
      "config_dump",
      async (bytes) => {
        taken += bytes.length;
        for (let before = -1; sentAtRest === null; before = sent) {
          if (before === sent) sentAtRest = sent;
          else await pause(100);
        }
      },
      never(),
    );
    expect(sentAtRest).toBeLessThan(size / 2);
    expect(taken).toBe(size);
  });

  it("leaves no connection behind, and the next one does not need it", async () => {
    const { base, sockets } = await http((_request, response) => response.end("{}"));
    await asked(base);
    await closed(sockets[0]);
    expect((await asked(base)).body).toBe("{}");
    expect(sockets).toHaveLength(2);
  });
});

describe("a refusal over HTTP", () => {
  it.each([
    { status: 200, body: "{}", kind: null, message: null },
    {
      status: 404,
      body: "Proxy not connected to this Pilot instance. It may be connected to another instance.\n",
      kind: "absent",
      message: "Proxy not connected to this Pilot instance. It may be connected to another instance.",
    },
    { status: 404, body: "", kind: "absent", message: "HTTP 404" },
    {
      status: 400,
      body: "You must provide a proxyID",
      kind: "lasting",
      message: "HTTP 400: You must provide a proxyID",
    },
    { status: 401, body: "", kind: "lasting", message: "HTTP 401" },
    { status: 403, body: "no\u001b[31m", kind: "lasting", message: "HTTP 403: no\\u001b[31m" },
    { status: 408, body: "", kind: "transient", message: "HTTP 408" },
    { status: 429, body: "slow down", kind: "transient", message: "HTTP 429: slow down" },
    { status: 500, body: "<b>oops</b>", kind: "transient", message: "HTTP 500: <b>oops</b>" },
    { status: 503, body: "", kind: "transient", message: "HTTP 503" },
    { status: 304, body: "", kind: "lasting", message: "HTTP 304" },
  ])("$status is $kind: $message", async ({ status, body, kind, message }) => {
    const { base } = await http((_request, response) => response.writeHead(status).end(body));
    const { refusal } = await asked(base);
    expect(refusal?.kind ?? null).toBe(kind);
    expect(refusal?.message ?? null).toBe(message);
  });

  it("names where a redirect would lead, and does not go there", async () => {
    const visits: unknown[] = [];
    const elsewhere = await http((request, response) => {
      visits.push(request.url);
      response.end("{}");
    });
    const { base } = await http((_request, response) =>
      response.writeHead(302, { location: `${elsewhere.base}/secret` }).end(),
    );
    const { refusal } = await asked(base);
    expect(refusal?.kind).toBe("lasting");
    expect(refusal?.message).toBe(`HTTP 302: it sends us on to ${elsewhere.base}/secret, where we do not go`);
    expect(visits).toEqual([]);
    expect((await asked(elsewhere.base)).body).toBe("{}");
  });

  it("does not wait for the end of an endless error page", async () => {
    const { base, sockets } = await http((_request, response) => {
      response.writeHead(500);
      const timer = setInterval(() => response.write("sorry ".repeat(1000)), 1);
      response.on("close", () => clearInterval(timer));
    });
    const { refusal } = await asked(base);
    expect(refusal?.message).toMatch(/^HTTP 500: sorry sorry /);
    expect(refusal?.message.length).toBeLessThan(400);
    await closed(sockets[0]);
  });

  it("comes with the status where the error page breaks off", async () => {
    const { base } = await tcp((socket) => {
      socket.end("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 100\r\n\r\nno ");
    });
    expect((await asked(base)).refusal).toMatchObject({ kind: "transient", message: "HTTP 503: no" });
  });
});

describe("a connection", () => {
  it("that is refused may be accepted later", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    expect((await asked(`http://127.0.0.1:${port}`)).refusal).toMatchObject({
      kind: "transient",
      message: `no connection: connect ECONNREFUSED 127.0.0.1:${port}`,
    });
    const { refusal } = await asked(`http://localhost:${port}`);
    expect(refusal?.kind).toBe("transient");
    expect(refusal?.message).toContain(`connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  const beginning = "HTTP/1.1 200 OK\r\n";
  it.each([
    {
      what: "closed before the length that was promised",
      bytes: `${beginning}content-length: 100\r\n\r\n{"configs":[`,
      body: '{"configs":[',
    },
    {
      what: "closed inside a chunk",
      bytes: `${beginning}transfer-encoding: chunked\r\n\r\n40\r\n{"configs":[`,
      body: '{"configs":[',
    },
    {
      what: "closed between two chunks",
      bytes: `${beginning}transfer-encoding: chunked\r\n\r\nc\r\n{"configs":[\r\n`,
      body: '{"configs":[',
    },
    { what: "closed without a word", bytes: "", body: "" },
    { what: "closed in the headers", bytes: beginning, body: "" },
  ])("that is $what may be whole the next time", async ({ bytes, body }) => {
    for (const end of ["destroy", "resetAndDestroy"] as const) {
      let breakOff = (): void => undefined;
      const { base } = await tcp((socket) => {
        breakOff = () => socket[end]();
        socket.write(bytes, body === "" ? breakOff : undefined);
      });
      const answer = await asked(base, "config_dump", () => breakOff());
      expect(answer.body).toBe(body);
      expect(answer.refusal?.kind).toBe("transient");
      expect(answer.refusal?.message).toMatch(
        body === "" ? /^no connection: (?:socket hang up|read ECONNRESET)$/ : /^the answer ended early: /,
      );
    }
  });

  it("that is whole is no failure", async () => {
    const { base } = await tcp((socket) => {
      socket.end(`${beginning}content-length: 2\r\n\r\n{}`);
    });
    expect(await asked(base)).toEqual({ body: "{}", refusal: null });
  });

  it.each([
    { what: "SSH", bytes: "SSH-2.0-OpenSSH_9.6\r\n", message: /^the answer is no HTTP: Parse Error/ },
    {
      what: "endless headers",
      bytes: `${beginning}${"a: b\r\n".repeat(20_000)}`,
      message: /^the answer is no HTTP: Parse Error: Header overflow/,
    },
    {
      what: "a WebSocket",
      bytes: "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
      message: /^the answer is no HTTP but another protocol$/,
    },
  ])("to something that speaks $what is given up", async ({ bytes, message }) => {
    const { base, sockets } = await tcp((socket) => socket.write(bytes));
    const { refusal } = await asked(base);
    expect(refusal?.kind).toBe("lasting");
    expect(refusal?.message).toMatch(message);
    await closed(sockets[0]);
  });

  it("by TLS to what speaks none is given up", async () => {
    const { base } = await http((_request, response) => response.end("{}"));
    const { refusal } = await asked(base.replace("http:", "https:"));
    expect(refusal?.kind).toBe("lasting");
    expect(refusal?.message).toMatch(/^no connection: /);
  });
});

describe("a request that is given up", () => {
  const reason = new Refusal("transient", "no answer within 30 s");

  it("was not sent when it was given up before", async () => {
    const { base, sockets } = await http((_request, response) => response.end("{}"));
    await expect(
      httpChannel(base).get("config_dump", () => Promise.resolve(), AbortSignal.abort(reason)),
    ).rejects.toBe(reason);
    expect(sockets).toEqual([]);
  });

  it.each<{ when: string; respond: RequestListener }>([
    { when: "before the headers", respond: () => undefined },
    {
      when: "inside the body",
      respond: (_request, response) => {
        response.writeHead(200).write('{"configs":[');
      },
    },
    {
      when: "inside an error page",
      respond: (_request, response) => {
        response.writeHead(500).write("so");
      },
    },
  ])("ends its connection and says why: $when", async ({ respond }) => {
    const giveUp = new AbortController();
    const { base, sockets } = await http((request, response) => {
      respond(request, response);
      setTimeout(() => giveUp.abort(reason), 50);
    });
    await expect(httpChannel(base).get("config_dump", () => Promise.resolve(), giveUp.signal)).rejects.toBe(
      reason,
    );
    await closed(sockets[0]);
  });

  it("by whoever takes the bytes ends its connection, with that error as it is", async () => {
    const { base, sockets } = await http((_request, response) => {
      response.write("x".repeat(1000));
    });
    const full = new Error("no space left on device");
    await expect(httpChannel(base).get("config_dump", () => Promise.reject(full), never())).rejects.toBe(
      full,
    );
    await closed(sockets[0]);
  });
});
