import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { traceText } from "../../src/cli/commands/trace/trace-text.js";
import { aCluster, aListener, aResource } from "../support/builders.js";
import { cli, root, type Answer } from "../support/cli.js";
import { dumpOf } from "../support/drift-snapshot.js";
import { inProcess } from "../support/in-process.js";
import { tarGz } from "../support/pack.js";

const healthy = `${root}samples/bookinfo-healthy.tar.gz`;
const drift = `${root}samples/bookinfo-drift.tar.gz`;

const trace = (...args: readonly string[]): Promise<Answer> => inProcess(["trace", ...args]);
const inHealthy = (...args: readonly string[]): Promise<Answer> => trace("-f", healthy, ...args);

const scratch = mkdtempSync(join(tmpdir(), "istio-snapshot-trace-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

type Fields = Readonly<Record<string, unknown>>;
const socket = (address: string, port: number): Fields => ({
  socket_address: { address, port_value: port },
});
const extension = (type: string, fields: Fields): Fields => ({
  "@type": `type.googleapis.com/envoy.extensions.filters.${type}`,
  ...fields,
});
const reviews = "reviews.default.svc.cluster.local";
const subset = (name: string): string => `outbound|9080|${name}|${reviews}`;

/** A client of reviews: jason's requests go to v2, which it has; those of others to v1, which it lacks. */
const clientDump = dumpOf({
  lastUpdated: "2026-03-14T08:45:06Z",
  node: {
    id: "sidecar~10.0.0.1~client-1.default~default.svc.cluster.local",
    cluster: "client.default",
    user_agent_build_version: { version: { major_number: 1, minor_number: 36, patch: 0 } },
  },
  listeners: [
    aListener("virtualOutbound", { address: socket("0.0.0.0", 15001), use_original_dst: true }),
    aListener("0.0.0.0_9080", {
      address: socket("0.0.0.0", 9080),
      bind_to_port: false,
      filter_chains: [
        {
          name: "http",
          filters: [
            {
              name: "envoy.filters.network.http_connection_manager",
              typed_config: extension("network.http_connection_manager.v3.HttpConnectionManager", {
                rds: { route_config_name: "9080", config_source: { ads: {} } },
                http_filters: [
                  { name: "envoy.filters.http.router", typed_config: extension("http.router.v3.Router", {}) },
                ],
              }),
            },
          ],
        },
      ],
    }),
  ],
  routes: [
    aResource("routeConfiguration", "9080", {
      ignore_port_in_host_matching: true,
      virtual_hosts: [
        {
          name: `${reviews}:9080`,
          domains: [reviews, "reviews", "10.96.5.10"],
          routes: [
            {
              name: "for jason",
              match: {
                prefix: "/",
                headers: [{ name: "end-user", string_match: { exact: "jason" } }],
              },
              route: { cluster: subset("v2"), timeout: "1.5s", prefix_rewrite: "/new/" },
              metadata: {
                filter_metadata: {
                  istio: {
                    config: "/apis/networking.istio.io/v1/namespaces/default/virtual-service/\u202ereviews",
                  },
                },
              },
            },
            { name: "empty", match: { path: "/empty" }, route: { cluster: subset("v3"), timeout: "0s" } },
            { name: "for all", match: { prefix: "/reviews" }, route: { cluster: subset("v1") } },
            {
              name: "old",
              match: { path: "/old" },
              redirect: { path_redirect: "/reviews/0" },
            },
          ],
        },
      ],
    }),
  ],
  clusters: [
    aCluster(subset("v3"), { type: "STATIC", load_assignment: { cluster_name: subset("v3") } }),
    aCluster(subset("v2"), {
      type: "STATIC",
      connect_timeout: "1s",
      load_assignment: {
        cluster_name: subset("v2"),
        endpoints: [
          {
            lb_endpoints: [1, 2, 3, 4, 5, 6, 7].map((index) => ({
              endpoint: { address: socket(`10.0.1.${index}`, 9080) },
            })),
          },
        ],
      },
    }),
  ],
});
const client = join(scratch, "client.json");
beforeAll(() => writeFileSync(client, clientDump));

const ofClient = (...args: readonly string[]): Promise<Answer> =>
  trace("-f", client, "--original-dst", "10.96.5.10:9080", ...args);

interface Json {
  readonly request: Fields & { readonly headers: Fields };
  readonly outcome: Fields;
  readonly hops: readonly (Fields & {
    readonly endpoints: readonly Fields[];
    readonly nearMisses: readonly Fields[];
    readonly requestHeaders: Fields;
  })[];
  readonly branches: readonly (Fields & { readonly share: number })[];
  readonly assumptions: readonly string[];
  readonly incomplete?: readonly string[];
}
const json = async (answer: Promise<Answer>): Promise<Json> => JSON.parse((await answer).stdout) as Json;

describe("trace", () => {
  it("shows the path through the client's proxy and the server's, a mark a line", async () => {
    const { stdout, stderr, code } = await inHealthy(
      "--from",
      "productpage",
      "http://reviews:9080/reviews/0",
      "-H",
      "end-user: jason",
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("GET http://reviews:9080/reviews/0 (to 10.96.5.10:9080)");
    expect(lines.filter((line) => /^\d/.test(line))).toEqual([
      expect.stringMatching(/^1 productpage-v1-\S+\.default, outbound$/),
      expect.stringMatching(/^2 reviews-v1-\S+\.default, inbound$/),
    ]);
    const steps = lines.flatMap((line) => /^ {2}([✓✗?]) ([a-z-]+|TLS) /.exec(line)?.slice(1).join(" ") ?? []);
    const rest = ["✓ chain", "✓ routes", "✓ host", "✓ route", "✓ cluster", "✓ endpoint", "✓ TLS"];
    expect(steps).toEqual(["✓ capture", "✓ hand-off", ...rest, "✓ capture", ...rest]);
    for (const part of [
      "virtualOutbound on 0.0.0.0:15001 receives",
      "9080, loaded 2026-03-14T",
      "by its domain reviews",
      "VirtualService/reviews.default",
      "2 retries on connect-failure",
      "outbound|9080|v1|reviews.default.svc.cluster.local, 80 %",
      "else outbound|9080|v2|reviews.default.svc.cluster.local 15 %",
      "mutual TLS (tlsMode-istio)",
      "virtualInbound on 0.0.0.0:15006 receives",
      "\n✓ reaches 10.244.2.12:9080 (reviews-v1-",
      "\n  - reviews is 10.96.5.10: the service's cluster IP.\n",
    ])
      expect(stdout).toContain(part);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toContain("Near misses");
  });

  it("says who denied a request, and what of the path that leaves behind", async () => {
    const { stdout, code } = await inHealthy("--from", "productpage", "http://ratings:9080/");
    expect(code).toBe(1);
    expect(stdout).toContain("  ✗ filter    envoy.filters.http.rbac: denied, no policy lets it pass\n");
    expect(stdout).toMatch(/^ {4}routes {4}inbound\|9080\|\|$/m);
    expect(stdout).toContain("\n✗ 403 rbac_access_denied_matched_policy[none]\n");
    const reached = await inHealthy("--from", "reviews-v2", "http://ratings:9080/");
    expect(reached.stdout).toMatch(/✓ filter {4}envoy\.filters\.http\.rbac: allowed by\s+\S/);
  });

  it("from a gateway: by HTTP, by HTTPS, and for a host that it does not have", async () => {
    const at = (...args: readonly string[]): Promise<Answer> =>
      inHealthy("--from", "deploy/istio-ingressgateway.istio-system", ...args);
    const plain = await at("http://bookinfo.example.com/productpage");
    expect(plain.code).toBe(0);
    expect(plain.stdout).toMatch(/^1 istio-ingressgateway-\S+, gateway$/m);
    expect(plain.stdout).toMatch(/^2 productpage-\S+, inbound$/m);
    const secure = await at("https://bookinfo.example.com/productpage");
    expect(secure.stdout).toContain("server name bookinfo.example.com, TLS\n");
    const missing = await at("http://nobody.example.com/productpage");
    expect(missing.code).toBe(1);
    expect(missing.stdout).toContain("  ✗ host      no virtual host has a domain that fits\n");
    expect(missing.stdout).toContain("\n✗ 404 NR route_not_found\n");
    const nearly = await at("http://bookinfo.example.com/Productpage");
    expect(nearly.stdout).toContain("  ✗ route     no route of the virtual host fits\n");
    expect(nearly.stdout).toContain(
      "\nNear misses:\n  - route route 1: its path /productpage differs in case only\n",
    );
  });

  it("of TCP, which has no status", async () => {
    const answer = await inHealthy("--from", "productpage", "tcp://kubernetes:443", "-o", "json");
    expect(answer.code).toBe(0);
    const { outcome, hops, request } = JSON.parse(answer.stdout) as Json;
    expect(outcome).toEqual({
      kind: "endpoint",
      status: null,
      responseFlags: [],
      detail: "",
      location: null,
    });
    expect(hops[0]).toMatchObject({
      listener: { name: "10.96.0.1_443" },
      cluster: "outbound|443||kubernetes.default.svc.cluster.local",
      routeConfig: null,
    });
    expect(request).toMatchObject({ scheme: "tcp", originalDestination: "10.96.0.1:443" });
  });

  it("that traffic does not enter the proxy is the first answer", async () => {
    const { stdout, code } = await inHealthy("--from", "details", "http://127.0.0.1:9080/");
    expect(code).toBe(0);
    expect(stdout).toContain("\n\n✓ 127.0.0.1:9080 does not enter the proxy: ");
    expect(stdout).not.toMatch(/^1 /m);
  });

  it("by a header: another route of the same virtual host, with all that it does", async () => {
    const jason = await ofClient("http://reviews:9080/reviews/0", "-H", "end-user: jason", "-H", "x: 1");
    expect(jason.code).toBe(0);
    for (const part of [
      "✓ route     for jason: ",
      "VirtualService/\\u202ereviews.default", // what could turn the line around is shown
      "the path becomes /new/reviews/0\n",
      "timeout 1.5 s, no retries\n",
      `✓ cluster   ${subset("v2")}\n`,
      "and 2 more endpoints\n",
      "✓ TLS       plaintext\n",
      `✓ reaches one of 7 endpoints of\n  ${subset("v2")}\n`,
    ])
      expect(jason.stdout).toContain(part);
    expect(jason.stdout.match(/ endpoint {2}10\.0\.1\.\d:9080 healthy, 14\.3 %/g)).toHaveLength(5);
    const others = await ofClient("http://reviews:9080/reviews/0", "-H", "end-user: maria");
    expect(others.code).toBe(1);
    expect(others.stdout).toContain(`  ✗ cluster   ${subset("v1")}\n`);
    expect(others.stdout).toContain("\n✗ 503 NC cluster_not_found\n");
  });

  it("a cluster without endpoints: the cross stands at the endpoints", async () => {
    const { stdout, code } = await ofClient("http://reviews:9080/empty");
    expect(code).toBe(1);
    expect(stdout).toContain(`✓ cluster   ${subset("v3")}\n  ✗ endpoint  no endpoint can be sent to\n`);
    expect(stdout).toContain("no timeout, no retries\n");
    expect(stdout).toContain("\n✗ 503 UH no_healthy_upstream\n");
  });

  it("a redirect is no fault, and a header that is missing is a near miss", async () => {
    const redirect = await ofClient("http://reviews:9080/old");
    expect(redirect).toMatchObject({ code: 0 });
    expect(redirect.stdout).toContain("\n✓ 301 to http://reviews:9080/reviews/0\n");
    const nothing = await ofClient("http://reviews:9080/other");
    expect(nothing.code).toBe(1);
    expect(nothing.stdout).toMatch(/\nNear misses:\n {2}- route for jason: .*end-user/);
  });

  it("what cannot be known is an answer with a remark: no fault, no success", async () => {
    const path = join(scratch, "no-routes.json");
    writeFileSync(
      path,
      JSON.stringify({
        configs: (JSON.parse(clientDump) as { configs: Fields[] }).configs.filter(
          (section) => !String(section["@type"]).endsWith("RoutesConfigDump"),
        ),
      }),
    );
    const { code, stdout, stderr } = await trace(
      "-f",
      path,
      "http://reviews:9080/",
      "--original-dst",
      "10.96.5.10:9080",
    );
    expect(code).toBe(0);
    expect(stdout).toContain("\n? not known: not captured\n");
    expect(stdout).toMatch(/^Not known:\n {2}- not captured: /m);
    expect(stderr).toContain("what comes of the request cannot be known: ");
  });

  it("of a proxy on the way of which nothing can be read, what it does is not known", async () => {
    const { code, stdout } = await trace(
      "-f",
      `${root}samples/bookinfo-bug-report.tar.gz`,
      "--from",
      "productpage",
      "http://reviews:9080/",
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2 reviews-v1-\S+, inbound\n {2}\? capture {3}not known\n\n\? not known: /m);
  });

  it("marks are coloured on a terminal, names never are", () => {
    const outcome = {
      kind: "failure",
      status: 404,
      responseFlags: ["NR"],
      detail: "route_not_found",
    } as const;
    const request = { method: "GET", scheme: "http", authority: "a\u001b[31m", path: "/", headers: [] };
    const text = traceText(
      {
        request: { ...request, originalDestination: null },
        bypass: null,
        outcome: { ...outcome, location: null },
        hops: [],
        branches: [],
        assumptions: [],
        unknowns: [],
      },
      (mark, colour) => `<${colour}>${mark}</>`,
    );
    expect(text).toBe("GET http://a\\u001b[31m/\n\n<red>✗</> 404 NR route_not_found\n");
  });

  it("takes -X, and the headers as curl does", async () => {
    const { request, hops } = await json(
      ofClient(
        "http://reviews:9080/reviews/0?a=b#part",
        "-X",
        "POST",
        "-H",
        "End-User:jason",
        "-H",
        "x-list: 1",
        "-H",
        "X-List: 2",
        "-H",
        "x-none:",
        "-H",
        "x-empty;",
        "-o",
        "json",
      ),
    );
    expect(request).toMatchObject({ method: "POST", path: "/reviews/0?a=b" });
    expect(hops[0]?.requestHeaders).toMatchObject({
      ":method": "POST",
      "end-user": "jason",
      "x-list": "1,2",
      "x-empty": "",
    });
    expect(Object.keys(hops[0]?.requestHeaders ?? {})).not.toContain("x-none");
  });

  it("takes what the client's connection is like", async () => {
    const tls = ["--sni", "bookinfo.example.com", "--alpn", "h2,http/1.1", "--source-ip", "203.0.113.7"];
    const from = ["--from", "istio-ingressgateway"];
    const good = await inHealthy(...from, "https://bookinfo.example.com/productpage", ...tls);
    expect(good.code).toBe(0);
    const other = await inHealthy(...from, "https://bookinfo.example.com/productpage", "--sni", "other");
    expect(other.code).toBe(1);
    expect(other.stdout).toContain("  ✗ chain     no filter chain of the listener fits\n");
    expect(other.stdout).toContain("\n✗ the connection is closed: NR filter_chain_not_found\n");
    expect(other.stdout).toContain("\nNear misses:\n  - filter chain ");
    const inbound = await json(
      inHealthy("--from", "ratings", "--direction", "inbound", "http://ratings:9080/", "-o", "json"),
    );
    expect(inbound.hops[0]).toMatchObject({ direction: "inbound" });
  });
});

describe("trace -o json", () => {
  const reviewsOf = (...args: readonly string[]): Promise<Answer> =>
    inHealthy("--from", "productpage", "http://reviews:9080/reviews/0", "-o", ...args);

  it("has the contract's keys, and nothing else", async () => {
    const answer = await json(reviewsOf("json"));
    expect(Object.keys(answer)).toEqual([
      "request",
      "outcome",
      "hops",
      "branches",
      "assumptions",
      "unknowns",
    ]);
    expect(Object.keys(answer.request)).toEqual([
      "method",
      "scheme",
      "authority",
      "path",
      "headers",
      "originalDestination",
    ]);
    expect(Object.keys(answer.outcome)).toEqual(["kind", "status", "responseFlags", "detail", "location"]);
    const [hop] = answer.hops;
    expect(Object.keys(hop ?? {})).toEqual([
      "proxy",
      "direction",
      "listener",
      "filterChain",
      "filters",
      "routeConfig",
      "virtualHost",
      "virtualCluster",
      "domain",
      "route",
      "routeMatch",
      "origin",
      "cluster",
      "weightedClusters",
      "rewritten",
      "requestHeaders",
      "responseHeaders",
      "mirrors",
      "nearMisses",
      "endpoints",
    ]);
    expect(Object.keys(hop?.endpoints[0] ?? {})).toEqual(["address", "port", "health", "share", "pod"]);
    expect(answer.branches).toEqual([]);
  });

  it("is the same as YAML, and from standard input", async () => {
    const { stdout } = await reviewsOf("json");
    expect(parse((await reviewsOf("yaml")).stdout)).toEqual(JSON.parse(stdout));
    const args = ["trace", "--from", "productpage", "http://reviews:9080/reviews/0", "-o", "json"];
    const piped = await cli([...args, "-f", "-"], { input: readFileSync(healthy) });
    expect(JSON.parse(piped.stdout)).toEqual(JSON.parse(stdout));
  });

  it("--all-branches follows each weighted cluster, and --random takes one", async () => {
    const { branches } = await json(reviewsOf("json", "--all-branches"));
    expect(branches.map(({ share }) => share.toFixed(2))).toEqual(["0.80", "0.15", "0.05"]);
    const text = await inHealthy("--from", "productpage", "http://reviews:9080/", "--all-branches");
    expect(text.stdout).toMatch(/^All ways:\n {2}- 80 % reaches .*reviews-v1.*\n/m);
    const clusterAt = async (random: string): Promise<unknown> =>
      (await json(reviewsOf("json", "--random", random))).hops[0]?.["cluster"];
    expect(await clusterAt("79")).toBe(subset("v1"));
    expect(await clusterAt("80")).toBe(subset("v2"));
    expect(await clusterAt("99")).toBe(subset("v3"));
  });

  it("names the gaps of the snapshot", async () => {
    const { incomplete } = await json(
      trace("-f", drift, "--from", "reviews-v1", "http://details:9080/", "-o", "json"),
    );
    expect(incomplete).toEqual([expect.stringContaining("server_info was not captured")]);
  });
});

describe("what is read of an archive", () => {
  it("are the files of the proxies on the path: others may be broken", async () => {
    const path = join(scratch, "broken.tar.gz");
    const mtime = new Date("2026-03-14T10:00:00Z");
    const entry = (pod: string): string => `proxies/default/${pod}/config_dump`;
    writeFileSync(
      path,
      await tarGz([
        { name: entry("client-1"), body: clientDump, mtime },
        { name: entry("other-1"), body: "upstream connect error", mtime },
      ]),
    );
    const request = ["http://reviews:9080/", "--original-dst", "10.96.5.10:9080", "-H", "end-user: jason"];
    const answer = await trace("-f", path, "--from", "client", ...request);
    expect(answer).toMatchObject({ code: 0, stderr: "" });
    expect(answer.stdout).toContain(`one of 7 endpoints of\n  ${subset("v2")}\n`);
    const broken = await trace("-f", path, "--from", "other", ...request);
    expect(broken.stdout).toContain("\n? not known: not captured\n");
    expect(broken.stderr).toContain("other-1");
  });
});

describe("not answered, exit 2 and one line:", () => {
  const url = "http://reviews:9080/";
  it.each([
    { args: ["--from", "productpage"], says: "name a URL" },
    { args: ["--from", "nobody", url], says: 'no proxy fits "nobody"' },
    { args: ["--from", "reviews", url], says: '"reviews" fits 3 proxies' },
    { args: [url], says: "with --from; there are details-" },
    { args: ["--from", "productpage", "reviews:9080"], says: '"reviews:9080" is no URL' },
    { args: ["--from", "productpage", "http://a b/"], says: "is no URL" },
    { args: ["--from", "productpage", "http://me@reviews/"], says: "holds a user's name" },
    { args: ["--from", "productpage", "http://reviews:99999/"], says: "a port that is none" },
    { args: ["--from", "productpage", "tcp://reviews"], says: "needs a port" },
    { args: ["--from", "productpage", "tcp://reviews:80/a"], says: "has a path" },
    { args: ["--from", "productpage", url, "-H", "nothing"], says: "-H takes 'name: value'" },
    { args: ["--from", "productpage", url, "-H", "a: b\nc: d"], says: "holds a line break" },
    { args: ["--from", "productpage", url, "-X", "G T"], says: "is no method" },
    { args: ["--from", "productpage", url, "--random", "-1"], says: "random number" },
    { args: ["--from", "productpage", url, "--random", "18446744073709551616"], says: "random number" },
    { args: ["--from", "productpage", url, "--original-dst", "10.0.0.1"], says: "must be ip:port" },
    { args: ["--from", "productpage", url, "--source-ip", "me"], says: "must be an IP address" },
    { args: ["--from", "productpage", url, "--no-tls", "--sni", "a"], says: "leave out --no-tls" },
    { args: ["--from", "productpage", url, "--alpn", "h2", "--alpn", "a"], says: "--alpn may be given once" },
    { args: ["--from", "productpage", url, "--random", "1", "--random", "2"], says: "may be given once" },
    { args: ["--from", "productpage", url, "-o", "junit"], says: "-o junit is for --cases" },
  ])("$says", async ({ args, says }) => {
    const answer = await inHealthy(...args);
    expect(answer).toMatchObject({ code: 2, stdout: "" });
    expect(answer.stderr).toMatch(/^istio-snapshot: .+\n$/);
    expect(answer.stderr).toContain(says);
  });
});
