import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { dumpErrorText } from "../mesh/faults.js";
import {
  adminServer,
  answer,
  closesHalfWay,
  drips,
  empty,
  flood,
  hangs,
  hangsUp,
  inTurn,
  late,
  refuses,
  stopsHalfWay,
  webPage,
  wrongJson,
  type Behaviour,
  type Body,
  type LocalServer,
} from "./faulty-server.js";
import { loadGauge } from "./load.js";
import { stoppedAfterEach } from "./until-the-end.js";
import { waitFor } from "./wait.js";

const untilTheEnd = stoppedAfterEach();

describe("a faulty server", () => {
  const body = JSON.stringify({ configs: ["x".repeat(10_000)] });
  async function serving(behaviour: Body | Behaviour): Promise<LocalServer> {
    return untilTheEnd(await adminServer({ config_dump: behaviour }));
  }
  const read = async ({ url }: LocalServer, path = "config_dump"): Promise<string> =>
    (await fetch(`${url}/${path}`)).text();
  /** Once nothing is under way any more. */
  const idle = (server: LocalServer): Promise<boolean> =>
    waitFor("all requests had ended", () => Promise.resolve(server.load.inFlight === 0 ? true : undefined));

  it("answers the very URL before the path, and Envoy's 404 for others", async () => {
    const server = untilTheEnd(
      await adminServer({ config_dump: "plain", "config_dump?include_eds": "with endpoints" }),
    );
    expect(await read(server, "config_dump?include_eds")).toBe("with endpoints");
    expect(await read(server, "config_dump?mask=bootstrap")).toBe("plain");
    expect((await fetch(`${server.url}/nope`)).status).toBe(404);
  });

  it("answers late", async () => {
    const server = await serving(late(150, answer(body)));
    const start = performance.now();
    expect(await read(server)).toBe(body);
    expect(performance.now() - start).toBeGreaterThan(140); // never less, however slow the machine
  });

  it.each([
    { name: "hangs", behaviour: hangs },
    { name: "stops half-way", behaviour: stopsHalfWay(body) },
  ])("$name until the client has enough", async ({ behaviour }) => {
    const server = await serving(behaviour);
    const enough = new AbortController();
    const text = fetch(`${server.url}/config_dump`, { signal: enough.signal }).then((response) =>
      response.text(),
    );
    text.catch(() => undefined);
    expect(await Promise.race([text, sleep(200, "nothing yet")])).toBe("nothing yet");
    enough.abort();
    await expect(text).rejects.toThrow();
    expect(await idle(server)).toBe(true);
  });

  it.each([401, 403, 404, 429, 500, 503])("refuses with %i", async (status) => {
    const server = await serving(refuses(status));
    expect((await fetch(`${server.url}/config_dump`)).status).toBe(status);
  });

  it("closes before an answer, and in the middle of one", async () => {
    await expect(read(await serving(hangsUp))).rejects.toThrow("fetch failed");
    const response = await fetch(`${(await serving(closesHalfWay(body))).url}/config_dump`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow("terminated");
    expect(await read(await serving(body))).toBe(body);
  });

  it("answers what is no dump: a web page, nothing, broken JSON, an error text", async () => {
    expect(await read(await serving(webPage))).toMatch(/^<!DOCTYPE html>/);
    expect(await read(await serving(empty))).toBe("");
    const broken = await read(await serving(wrongJson));
    expect(() => JSON.parse(broken) as unknown).toThrow();
    expect(await read(await serving(dumpErrorText))).toBe(dumpErrorText);
  });

  it("answers piece by piece", async () => {
    expect(await read(await serving(drips("0123456789", 3, 5)))).toBe("0123456789");
  });

  it("answers otherwise the second time, and so from then on", async () => {
    const server = await serving(inTurn(refuses(503), answer("two"), answer("three")));
    const answers: string[] = [];
    for (let time = 0; time < 4; time++) answers.push(await read(server));
    expect(answers).toEqual(["no healthy upstream", "two", "three", "three"]);
  });

  it("sends as many bytes as were asked for, as JSON", async () => {
    const size = 3_000_001;
    const text = await read(await serving(flood(size)));
    expect(text).toHaveLength(size);
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });

  it("sends without end until the client has enough", async () => {
    const server = await serving(flood(Infinity));
    const { body: stream } = await fetch(`${server.url}/config_dump`);
    let received = 0;
    for await (const piece of stream!) {
      received += (piece as Uint8Array).length;
      if (received > 20_000_000) break;
    }
    expect(received).toBeGreaterThan(20_000_000);
    expect(await idle(server)).toBe(true);
  });

  it("counts requests at once, of one server and of several", async () => {
    const overall = loadGauge();
    const together: Behaviour = async (exchange) => {
      await waitFor("three requests were under way", () =>
        Promise.resolve(overall.peak === 3 ? true : undefined),
      );
      await answer(body)(exchange);
    };
    const start = async (): Promise<LocalServer> =>
      untilTheEnd(await adminServer({ config_dump: body, together }, { overall }));
    const [left, right] = [await start(), await start()];
    await read(left);
    await read(right);
    expect([left.load.peak, right.load.peak, overall.peak]).toEqual([1, 1, 1]);
    await Promise.all([read(left, "together"), read(left, "together"), read(right, "together")]);
    expect([left.load.peak, right.load.peak, overall.peak]).toEqual([2, 1, 3]);
  });
});
