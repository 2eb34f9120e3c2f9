import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import type { ExpectedForm } from "../../src/collect/answer-end.js";
import { Refusal, type Channel, type RefusalKind } from "../../src/collect/ask.js";
import { capture, patience, type Answer, type CaptureLimits } from "../../src/collect/capture.js";
import { httpChannel } from "../../src/collect/http.js";
import {
  temporaryFiles,
  type TemporaryFile,
  type TemporaryFiles,
} from "../../src/collect/temporary-files.js";
import { UserError } from "../../src/shared/errors.js";

const folder = mkdtempSync(join(tmpdir(), "capture-test-"));
let disk: TemporaryFiles;
beforeAll(async () => {
  disk = await temporaryFiles(folder);
});
afterAll(async () => {
  await disk.remove();
  rmSync(folder, { recursive: true });
});

/** Files that are open: those of answers, and none of anything else. */
const opened = new Set<TemporaryFile>();
const files: TemporaryFiles = {
  create: async () => {
    const file = await disk.create();
    opened.add(file);
    const close = file.close.bind(file);
    file.close = () => {
      opened.delete(file);
      return close();
    };
    return file;
  },
  remove: () => disk.remove(),
};
const servers: { close(): unknown }[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const server of servers.splice(0)) server.close();
  for (const file of opened) await file.close();
});

/** One try of a target: it tells, hangs, or throws. */
type Try = (tell: (text: string) => Promise<void>, signal: AbortSignal) => Promise<void> | void;

/** A target that behaves otherwise with each try, and as the last time from then on. */
function target(...tries: Try[]): Channel & { readonly asked: Date[] } {
  const asked: Date[] = [];
  return {
    asked,
    get: async (_path, onBytes, signal) => {
      const next = tries[Math.min(asked.length, tries.length - 1)];
      asked.push(new Date());
      await next?.((text) => onBytes(Buffer.from(text)), signal);
    },
    describe: (path) => path,
    close: () => Promise.resolve(),
  };
}

const says =
  (...pieces: string[]): Try =>
  async (tell) => {
    for (const piece of pieces) await tell(piece);
  };
const refuses =
  (kind: RefusalKind, message: string): Try =>
  () => {
    throw new Refusal(kind, message);
  };
const hangs: Try = (_tell, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });

const limits: CaptureLimits = { timeout: 30_000, maxSize: 1_000_000, retries: 2, backOff: 1 };

const ask = (
  channel: Channel,
  form: ExpectedForm = "json",
  more: Partial<CaptureLimits> = {},
  stop = new AbortController().signal,
): Promise<Answer> => capture(channel, "config_dump", form, { ...limits, ...more }, files, stop);

/** The answer's text, or how it ended. */
async function outcomeOf(answer: Answer): Promise<string> {
  if (answer.outcome !== "answered") {
    expect(opened.size).toBe(0);
    return `${answer.outcome}: ${answer.reason}`;
  }
  expect([...opened]).toEqual([answer.file]);
  return (await answer.file.read()).toString();
}

describe("an answer", () => {
  it("is kept whole, with the time at which it was asked for", async () => {
    const channel = target(says('{"configs"', ':[{"a":1}]', "}\n"));
    const answer = await ask(channel);
    expect(await outcomeOf(answer)).toBe('{"configs":[{"a":1}]}\n');
    expect(answer.outcome === "answered" && answer.askedAt <= (channel.asked[0] ?? 0)).toBe(true);
  });

  const proxyNotConnected =
    "Proxy not connected to this Pilot instance. It may be connected to another instance.";
  const page = "<!DOCTYPE html>\n<html><p>Log in</p>";
  it.each<{ form: ExpectedForm; text: string; outcome: string }>([
    { form: "json", text: "{}", outcome: "{}" },
    { form: "json", text: ' \n[{"a":1}]\n', outcome: ' \n[{"a":1}]\n' },
    { form: "json", text: '{"a":"404 page not found"}', outcome: '{"a":"404 page not found"}' },
    { form: "json", text: "null\n", outcome: "null\n" },
    { form: "json", text: "nullify", outcome: "failed: the answer is no JSON but: nullify" },
    { form: "json", text: "", outcome: "failed: the answer is empty" },
    { form: "json", text: " \n", outcome: "failed: the answer is empty" },
    { form: "json", text: '{"configs":[', outcome: "failed: the answer is cut off after 12 bytes" },
    { form: "json", text: '{"configs":[{"a":1}', outcome: "failed: the answer is cut off after 19 bytes" },
    { form: "json", text: "overloaded", outcome: "failed: the answer is no JSON but: overloaded" },
    {
      form: "json",
      text: page,
      outcome: "failed: the answer is no JSON but: <!DOCTYPE html> <html><p>Log in</p>",
    },
    { form: "json", text: "404 page not found\n\n", outcome: "absent: 404 page not found" },
    { form: "json", text: `${proxyNotConnected}\n`, outcome: `absent: ${proxyNotConnected}` },
    {
      form: "json",
      text: "invalid path. admin commands are:\n  /: Admin home page\n",
      outcome: "absent: invalid path. admin commands are: /: Admin home page",
    },
    {
      form: "json",
      text: "ecds_filters not found in config dump\n",
      outcome: "absent: ecds_filters not found in config dump",
    },
    { form: "json or nothing", text: "", outcome: "" },
    { form: "json or nothing", text: "\n", outcome: "\n" },
    { form: "json or nothing", text: '{"pilot_no_ip":{}}', outcome: '{"pilot_no_ip":{}}' },
    { form: "json or nothing", text: "{", outcome: "failed: the answer is cut off after 1 bytes" },
    { form: "json or nothing", text: "no", outcome: "failed: the answer is no JSON but: no" },
    { form: "text", text: "1.27.0-abc-Clean", outcome: "1.27.0-abc-Clean" },
    { form: "text", text: '{"version":"1.27.0"}', outcome: '{"version":"1.27.0"}' },
    { form: "text", text: "\n", outcome: "failed: the answer is empty" },
    { form: "text", text: "404 page not found", outcome: "absent: 404 page not found" },
    {
      form: "text",
      text: page,
      outcome: "failed: the answer is a web page: <!DOCTYPE html> <html><p>Log in</p>",
    },
    { form: "lines", text: "server.live: 1\n", outcome: "server.live: 1\n" },
    { form: "lines", text: "server.live: 1\nserv", outcome: "failed: the answer is cut off after 19 bytes" },
  ])("of $form that says $text is $outcome", async ({ form, text, outcome }) => {
    expect(await outcomeOf(await ask(target(says(text)), form))).toBe(outcome);
  });

  it("is no 404 page where it goes on for long", async () => {
    const text = `404 page not found${" ".repeat(70_000)}`;
    expect(await outcomeOf(await ask(target(says(text)), "text"))).toBe(text);
  });
});

describe("another try", () => {
  it.each<{ what: string; first: Try }>([
    { what: "a passing refusal", first: refuses("transient", "connection refused") },
    { what: "half an answer", first: says('{"configs":[') },
    { what: "an empty answer", first: says("") },
    {
      what: "an answer that breaks off",
      first: async (tell) => {
        await tell('{"a":');
        throw new Refusal("transient", "the answer ended early");
      },
    },
  ])("follows $what, and its answer alone is kept", async ({ first }) => {
    const channel = target(first, says('{"b":2}'));
    const answer = await ask(channel);
    expect(await outcomeOf(answer)).toBe('{"b":2}');
    expect(channel.asked).toHaveLength(2);
    const [begin = 0, again = 0] = channel.asked;
    expect(answer.outcome === "answered" && answer.askedAt >= begin && answer.askedAt <= again).toBe(true);
  });

  it.each<{ what: string; only: Try; outcome: string }>([
    {
      what: "an absence",
      only: refuses("absent", "404 page not found"),
      outcome: "absent: 404 page not found",
    },
    { what: "a lasting refusal", only: refuses("lasting", "HTTP 403"), outcome: "failed: HTTP 403" },
    {
      what: "a text that says it is absent",
      only: says("Proxy not connected to this Pilot instance"),
      outcome: "absent: Proxy not connected to this Pilot instance",
    },
    { what: "a web page", only: says("<html>"), outcome: "failed: the answer is no JSON but: <html>" },
  ])("does not follow $what", async ({ only, outcome }) => {
    const channel = target(only, says("{}"));
    expect(await outcomeOf(await ask(channel))).toBe(outcome);
    expect(channel.asked).toHaveLength(1);
  });

  it("is the last when there were enough, and its reason counts", async () => {
    const channel = target(
      refuses("transient", "first"),
      refuses("transient", "second"),
      refuses("transient", "third"),
      says("{}"),
    );
    expect(await outcomeOf(await ask(channel))).toBe("failed: third");
    expect(channel.asked).toHaveLength(3);
  });

  it("waits, each time twice as long", async () => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    await ask(target(refuses("transient", "busy")), "json", { retries: 3, backOff: 4 });
    const delays = timers.mock.calls.map(([, delay = 0]) => delay);
    expect(delays).toHaveLength(3);
    for (const [index, delay] of delays.entries()) {
      expect(delay).toBeGreaterThanOrEqual(4 * 2 ** index);
      expect(delay).toBeLessThanOrEqual(4 * 2 ** index * 2);
    }
  });
});

describe("a limit", () => {
  it("of size lets the last byte pass", async () => {
    expect(await outcomeOf(await ask(target(says('{"a"', ":1}")), "json", { maxSize: 7 }))).toBe('{"a":1}');
  });

  it("of size ends the request at once, and for good", async () => {
    let pieces = 0;
    const channel = target(async (tell) => {
      for (;;) {
        pieces++;
        await tell("{".repeat(10));
      }
    });
    expect(await outcomeOf(await ask(channel, "json", { maxSize: 35 }))).toBe(
      "too large: the answer is larger than 35 bytes (--max-dump-size)",
    );
    expect(pieces).toBe(4);
    expect(channel.asked).toHaveLength(1);
  });

  it("of time is for silence", async () => {
    const mute = target(hangs);
    expect(await outcomeOf(await ask(mute, "json", { timeout: 20 }))).toBe(
      "failed: no answer within 0.02s (--timeout)",
    );
    expect(mute.asked).toHaveLength(3);
    const halting = target(async (tell, signal) => {
      await tell("{");
      await hangs(tell, signal);
    });
    expect(await outcomeOf(await ask(halting, "json", { timeout: 20 }))).toBe(
      "failed: no more of the answer came for 0.02s (--timeout)",
    );
    expect(await outcomeOf(await ask(target(hangs, says("{}")), "json", { timeout: 20 }))).toBe("{}");
  });

  it("of time also ends what drips, and does not ask for it again", async () => {
    const dripping = target(async (tell, signal) => {
      while (!signal.aborted) {
        await tell(" ");
        await pause(5);
      }
      signal.throwIfAborted();
    });
    expect(await outcomeOf(await ask(dripping, "json", { timeout: 100 }))).toBe(
      `failed: the answer was not complete within ${0.1 * patience}s (${patience} times --timeout)`,
    );
    expect(dripping.asked).toHaveLength(1);
  });

  it("of time does not count what we were busy with ourselves", async () => {
    const channel = target(async (tell) => {
      const end = Date.now() + 500;
      while (Date.now() < end); // a big file is redacted meanwhile
      await pause(1);
      await tell("{}");
    });
    expect(await outcomeOf(await ask(channel, "json", { timeout: 100 }))).toBe("{}");
    expect(channel.asked).toHaveLength(1);
  });
});

describe("a user who wants to end", () => {
  it("is obeyed before anything is asked", async () => {
    const channel = target(says("{}"));
    expect(await outcomeOf(await ask(channel, "json", {}, AbortSignal.abort()))).toBe(
      "interrupted: not asked: the capture was stopped",
    );
    expect(channel.asked).toEqual([]);
  });

  it("is obeyed during a request, and while waiting for the next try", async () => {
    for (const attempt of [hangs, refuses("transient", "busy")]) {
      const stop = new AbortController();
      const channel = target((tell, signal) => {
        setTimeout(() => stop.abort(), 20);
        return attempt(tell, signal);
      });
      expect(await outcomeOf(await ask(channel, "json", { backOff: 3_600_000 }, stop.signal))).toBe(
        "interrupted: the capture was stopped",
      );
      expect(channel.asked).toHaveLength(1);
    }
  });

  it("is heard by requests under way alone", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    for (const channel of [target(says("{}")), target(refuses("transient", "busy"))])
      await ask(channel, "json", {}, signal);
    expect(added).toHaveBeenCalled();
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
  });
});

it("warns of nothing, however many requests are under way", async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on("warning", warn);
  const { signal } = new AbortController();
  const answers = await Promise.all(
    Array.from({ length: 40 }, () =>
      ask(target(refuses("transient", "busy"), says("{}")), "json", {}, signal),
    ),
  );
  expect(answers.filter(({ outcome }) => outcome === "answered")).toHaveLength(40);
  await pause(1);
  process.off("warning", warn);
  expect(warnings).toEqual([]);
});

describe("what no target can help", () => {
  it("ends all: there is no kubectl", async () => {
    const error = new UserError("cannot start kubectl: there is no such program");
    const channel = target(() => {
      throw error;
    });
    await expect(ask(channel)).rejects.toBe(error);
    expect(channel.asked).toHaveLength(1);
    expect(opened.size).toBe(0);
  });

  it("ends all: a fault of our own", async () => {
    for (const error of [new TypeError("x is not a function"), new RangeError("out of range")]) {
      await expect(
        ask(
          target(() => {
            throw error;
          }),
        ),
      ).rejects.toBe(error);
      expect(opened.size).toBe(0);
    }
  });

  it("ends all: the disk is full", async () => {
    const probe = await open(join(folder, "probe"), "w");
    await probe.close();
    const prototype = Object.getPrototypeOf(probe) as { write: () => Promise<never> };
    const { base } = await serving(
      createServer((_request, response) => {
        response.end('{"configs":[]}');
      }),
    );
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    vi.spyOn(prototype, "write").mockRejectedValueOnce(full);
    const failure: unknown = await ask(httpChannel(base)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as UserError).message).toMatch(/ENOSPC: no space left on device, write$/);
    expect(opened.size).toBe(0);
    expect(await outcomeOf(await ask(httpChannel(base)))).toBe('{"configs":[]}');
  });
});

async function serving(server: Server): Promise<{ base: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push({
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });

describe("a real target", () => {
  it("that sends a gigabyte is not heard to the end", async () => {
    let sent = 0;
    const { base, sockets } = await serving(
      createServer((_request, response) => {
        const block = Buffer.alloc(1024 * 1024, "[");
        const write = (): void => {
          while (sent < 1024 ** 3 && !response.destroyed) {
            sent += block.length;
            if (!response.write(block)) {
              response.once("drain", write);
              return;
            }
          }
        };
        write();
      }),
    );
    expect(await outcomeOf(await ask(httpChannel(base)))).toBe(
      "too large: the answer is larger than 1000000 bytes (--max-dump-size)",
    );
    for (const socket of sockets) await closed(socket);
    expect(sockets).toHaveLength(1);
    expect(sent).toBeLessThan(1024 ** 3);
  });

  it("that hangs is left", async () => {
    const { base, sockets } = await serving(createServer(() => undefined));
    expect(await outcomeOf(await ask(httpChannel(base), "json", { timeout: 40, retries: 1 }))).toBe(
      "failed: no answer within 0.04s (--timeout)",
    );
    for (const socket of sockets) await closed(socket);
    expect(sockets).toHaveLength(2);
  });

  it("that closes in the middle, without having said how long its answer is, is asked again", async () => {
    let asked = 0;
    const { base } = await serving(
      createTcpServer((socket) => {
        socket.once("data", () => {
          asked++;
          socket.end(`HTTP/1.0 200 OK\r\n\r\n${asked === 1 ? '{"configs":[{"a":1}' : '{"configs":[]}'}`);
        });
      }),
    );
    expect(await outcomeOf(await ask(httpChannel(base)))).toBe('{"configs":[]}');
    expect(asked).toBe(2);
  });
});
