import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { adminServer, closesHalfWay, refuses, type LocalServer } from "./faulty-server.js";
import { standInKubectl, type KubectlOptions, type KubectlStandIn } from "./kubectl.js";
import { podObject, serviceObject } from "./kubernetes-objects.js";
import { stoppedAfterEach } from "./until-the-end.js";
import { waitFor } from "./wait.js";

const untilTheEnd = stoppedAfterEach();

describe("a kubectl", () => {
  let kubectl: KubectlStandIn;
  let envoy: LocalServer;
  const pods = [
    podObject({ name: "web-1", namespace: "shop", proxy: "container" }),
    podObject({ name: "db-0", namespace: "data" }),
  ];
  const stand = async (options: KubectlOptions = {}): Promise<KubectlStandIn> => {
    const made = await standInKubectl({
      pods,
      services: [serviceObject({ name: "web", namespace: "shop", clusterIp: "10.96.1.1" })],
      containers: {
        "shop/web-1/istio-proxy": { program: "pilot-agent", url: envoy.url },
        "istio-system/istiod-1/discovery": { program: "pilot-discovery", url: envoy.url },
        "shop/dead-1/istio-proxy": { program: "pilot-agent", url: "http://127.0.0.1:1" },
      },
      ports: { "istio-system/ztunnel-1:15000": envoy.port },
      ...options,
    });
    return made;
  };
  beforeAll(async () => {
    envoy = await adminServer({
      config_dump: '{"configs": []}',
      "config_dump?include_eds": '{"configs": [1]}',
      "debug/syncz": "[]",
      broken: refuses(500, "it broke\n"),
      gone: refuses(404, "404 page not found\n"),
      half: closesHalfWay("0123456789"),
    });
    kubectl = await stand();
  });
  afterAll(async () => {
    await kubectl.stop();
    await envoy.stop();
  });
  afterEach(() => kubectl.breakWith());

  interface Ended {
    readonly code: number | undefined;
    readonly out: string;
    readonly error: string;
    readonly signal: string | undefined;
  }
  async function run(...args: readonly string[]): Promise<Ended> {
    const { exitCode, stdout, stderr, signal } = await execa(kubectl.program, args, {
      reject: false,
      stripFinalNewline: false,
    });
    return { code: exitCode, out: stdout, error: stderr, signal };
  }
  const exec = (pod: string, container: string, ...command: string[]): Promise<Ended> => {
    const [namespace = "", name = ""] = pod.split("/");
    return run("exec", "-n", namespace, name, "-c", container, "--", ...command);
  };
  const request = (path: string): Promise<Ended> =>
    exec("shop/web-1", "istio-proxy", "pilot-agent", "request", "GET", path);

  interface List {
    readonly items: readonly { readonly metadata: { readonly name: string } }[];
  }

  it("lists pods and services, all or of a namespace", async () => {
    const all = await run("get", "pods", "--all-namespaces", "-o", "json");
    expect(all).toMatchObject({ code: 0, error: "" });
    expect(JSON.parse(all.out)).toEqual({
      apiVersion: "v1",
      items: pods,
      kind: "List",
      metadata: { resourceVersion: "" },
    });
    const namesIn = async (kind: string, namespace: string): Promise<string[]> => {
      const { out } = await run("get", kind, "-n", namespace, "-o", "json");
      return (JSON.parse(out) as List).items.map(({ metadata }) => metadata.name);
    };
    expect(await namesIn("pods", "data")).toEqual(["db-0"]);
    expect(await namesIn("services", "shop")).toEqual(["web"]);
    expect(await namesIn("services", "data")).toEqual([]);
  });

  it("asks in the pod, and adds the line break that the program there adds", async () => {
    expect(await request("config_dump?include_eds")).toMatchObject({ code: 0, out: '{"configs": [1]}\n' });
    expect(await request("/config_dump")).toMatchObject({ code: 0, out: '{"configs": []}\n' });
    expect(
      await exec("istio-system/istiod-1", "discovery", "pilot-discovery", "request", "GET", "debug/syncz"),
    ).toMatchObject({ code: 0, out: "[]\n" });
  });

  it("takes a 404 for an answer and nothing else above 399", async () => {
    expect(await request("gone")).toMatchObject({ code: 0, out: "404 page not found\n\n", error: "" });
    expect(await request("broken")).toMatchObject({
      code: 255,
      out: "",
      error:
        "Error: received unsuccessful status code 500: it broke\n\ncommand terminated with exit code 255\n",
    });
  });

  it("prints nothing of an answer that ends early, or of none", async () => {
    expect(await request("half")).toMatchObject({
      code: 255,
      out: "",
      error: "Error: unexpected EOF\ncommand terminated with exit code 255\n",
    });
    const dead = await exec("shop/dead-1", "istio-proxy", "pilot-agent", "request", "GET", "certs");
    expect(dead).toMatchObject({ code: 255, out: "" });
    expect(dead.error).toMatch(/^Error: Get ".*": .*ECONNREFUSED/);
  });

  it("refuses pods, containers and programs that are not there", async () => {
    const get = ["request", "GET", "certs"];
    expect(await exec("shop/web-2", "istio-proxy", "pilot-agent", ...get)).toMatchObject({
      code: 1,
      error: 'Error from server (NotFound): pods "web-2" not found\n',
    });
    expect((await exec("shop/web-1", "app", "pilot-agent", ...get)).error).toBe(
      "Error from server (BadRequest): container app is not valid for pod web-1\n",
    );
    expect((await exec("shop/web-1", "istio-proxy", "pilot-discovery", ...get)).error).toContain(
      'exec: "pilot-discovery": executable file not found in $PATH',
    );
  });

  it.each(
    [
      "delete pod x",
      "get secrets --all-namespaces -o json",
      "get pods --all-namespaces -o yaml",
      "get pods -n shop -o json --watch",
      "exec -n shop web-1 -c istio-proxy -- pilot-agent request POST logging",
      "exec -n shop web-1 -c istio-proxy -- sh -c request GET certs",
      "exec -n shop web-1 -c istio-proxy -- pilot-agent request GET certs body",
      "port-forward -n shop service/web :80",
      "port-forward -n shop pod/web-1 8080:80",
      "",
    ].map((line) => ({ line })),
  )("does nothing else: $line", async ({ line }) => {
    const ended = await run(...line.split(" ").filter((word) => word !== ""));
    expect(ended).toMatchObject({ code: 1, out: "" });
    expect(ended.error).toBe(`error: unknown command "${line}" for "kubectl"\n`);
  });

  it("knows its contexts", async () => {
    const pods = ["get", "pods", "--all-namespaces", "-o", "json"];
    expect(await run("--kubeconfig", "/k", "--context", "kind-test", ...pods)).toMatchObject({ code: 0 });
    expect(await run("--context", "other", ...pods)).toMatchObject({
      code: 1,
      out: "",
      error: 'error: context "other" does not exist\n',
    });
  });

  it("forbids in the words of the API server", async () => {
    await kubectl.breakWith({ does: "forbidden" });
    expect((await request("certs")).error).toBe(
      'Error from server (Forbidden): pods "web-1" is forbidden: User "jane" cannot create resource "pods/exec" in API group "" in the namespace "shop"\n',
    );
    expect((await run("get", "pods", "--all-namespaces", "-o", "json")).error).toBe(
      'Error from server (Forbidden): pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope\n',
    );
    expect((await run("port-forward", "-n", "istio-system", "pod/ztunnel-1", ":15000")).error).toContain(
      'cannot create resource "pods/portforward"',
    );
  });

  it("breaks for one verb, pod or path, and for a number of times", async () => {
    await kubectl.breakWith(
      { does: "pod gone", verb: "port-forward" },
      { does: "pod gone", pod: "shop/dead-1" },
      { does: "node unreachable", path: "config_dump", times: 1 },
    );
    expect(await request("gone")).toMatchObject({ code: 0 });
    expect(await request("config_dump")).toMatchObject({
      code: 1,
      error:
        "Error from server: error dialing backend: dial tcp 10.0.0.4:10250: connect: connection refused\n",
    });
    expect(await request("config_dump")).toMatchObject({ code: 0, out: '{"configs": []}\n' });
    const dead = await exec("shop/dead-1", "istio-proxy", "pilot-agent", "request", "GET", "certs");
    expect(dead.error).toBe('Error from server (NotFound): pods "dead-1" not found\n');
  });

  it("cannot reach the API server", async () => {
    await kubectl.breakWith({ does: "server unreachable" });
    expect(await run("get", "pods", "--all-namespaces", "-o", "json")).toMatchObject({
      code: 1,
      error:
        "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?\n",
    });
  });

  it("breaks off in three ways", async () => {
    const half = '{"config';
    await kubectl.breakWith({ does: "dies half-way" });
    const died = await request("config_dump");
    expect(died).toMatchObject({ code: 1, out: half });
    expect(died.error).toMatch(/^error: .*unexpected EOF\n$/);
    await kubectl.breakWith({ does: "is cut off" });
    expect(await request("config_dump")).toMatchObject({ code: 0, out: half, error: "" });
    await kubectl.breakWith({ does: "is killed" });
    expect(await request("config_dump")).toMatchObject({ code: undefined, out: half, signal: "SIGKILL" });
  });

  it("hangs until it is killed", async () => {
    await kubectl.breakWith({ does: "hangs" });
    const child = execa(kubectl.program, ["get", "pods", "--all-namespaces", "-o", "json"], {
      reject: false,
    });
    expect(await Promise.race([child.then(() => "ended"), sleep(500, "hangs")])).toBe("hangs");
    child.kill("SIGKILL");
    expect(await child).toMatchObject({ signal: "SIGKILL", stdout: "" });
  });

  /** Starts a forwarding; gives its local address once kubectl has told it, and how it ended. */
  async function forwarding(): Promise<{
    url: string;
    ended: Promise<{ code: number | undefined; error: string }>;
  }> {
    const args = ["port-forward", "-n", "istio-system", "pod/ztunnel-1", ":15000"];
    const child = execa(kubectl.program, args, { reject: false });
    untilTheEnd({
      stop: async () => {
        child.kill("SIGKILL");
        await child;
      },
    });
    let text = "";
    child.stdout.on("data", (piece: Buffer) => (text += piece.toString()));
    const port = await waitFor("the port was told", () =>
      Promise.resolve(/Forwarding from 127\.0\.0\.1:(\d+) -> 15000\n/.exec(text)?.[1]),
    );
    return {
      url: `http://127.0.0.1:${port}`,
      ended: child.then(({ exitCode, stderr }) => ({ code: exitCode, error: stderr })),
    };
  }

  it("forwards a port, for several requests", async () => {
    const { url } = await forwarding();
    for (let time = 0; time < 3; time++)
      expect(await (await fetch(`${url}/config_dump`)).text()).toBe('{"configs": []}');
    expect((await run("port-forward", "-n", "istio-system", "pod/ztunnel-2", ":15000")).error).toBe(
      'Error from server (NotFound): pods "ztunnel-2" not found\n',
    );
  });

  it("loses a forwarded connection", async () => {
    await kubectl.breakWith({ does: "dies half-way" });
    const { url, ended } = await forwarding();
    await expect(fetch(`${url}/config_dump`)).rejects.toThrow();
    expect(await ended).toEqual({ code: 1, error: "error: lost connection to pod" });
  });

  it("writes down everything that it was asked, also what it refused", async () => {
    const fresh = await stand();
    await execa(fresh.program, ["get", "pods", "-n", "shop", "-o", "json"]);
    await execa(fresh.program, ["delete", "pod", "a b"], { reject: false });
    expect(await fresh.asked()).toEqual([
      ["get", "pods", "-n", "shop", "-o", "json"],
      ["delete", "pod", "a b"],
    ]);
    await fresh.stop();
    expect(existsSync(fresh.program)).toBe(false);
    expect(await fresh.asked()).toEqual([]);
  });
});
