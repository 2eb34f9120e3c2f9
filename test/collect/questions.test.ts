import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  dnsTableQuestion,
  envoyQuestions,
  istiodQuestionsAfter,
  istiodQuestionsBefore,
  istiodQuestionsBeside,
  istiodViewQuestion,
  ztunnelQuestions,
  type Question,
} from "../../src/collect/questions.js";
import { slices } from "../../src/collect/slices.js";

const ofProxy = ["bookinfo", "reviews-v1-0", "reviews-v1-0.bookinfo-7"] as const;
const toIstiod = [
  ...istiodQuestionsBefore,
  ...istiodQuestionsBeside,
  ...istiodQuestionsAfter,
  istiodViewQuestion(...ofProxy),
  dnsTableQuestion(...ofProxy),
];

const stats = envoyQuestions.find(({ file }) => file === "stats")?.path ?? "";
const listed = ({ path, file }: Question): string =>
  `${path === stats ? "stats?filter=..." : path} -> ${file}`;

describe("all that is ever asked", () => {
  it("of an Envoy", () => {
    expect(envoyQuestions.map(listed)).toEqual([
      "config_dump?include_eds -> config_dump?include_eds",
      "server_info -> server_info",
      "certs -> certs",
      "clusters?format=json -> clusters",
      "runtime -> runtime",
      "stats?filter=... -> stats",
    ]);
  });

  it("of an Envoy whose dump is too large", () => {
    expect(slices.length).toBeGreaterThan(0);
    for (const { path } of slices)
      expect(path).toMatch(/^config_dump\?(?:mask=[a-z_,]+|resource=[a-z_]+(?:&include_eds)?)$/);
  });

  it("of an Istiod", () => {
    expect(toIstiod.map(listed)).toEqual([
      "debug/syncz -> debug/syncz.before",
      "debug/adsz -> debug/adsz",
      "version -> version",
      "debug/configz -> debug/configz",
      "debug/endpointShardz -> debug/endpointShardz",
      "debug/registryz -> debug/registryz",
      "debug/mesh -> debug/mesh",
      "debug/networkz -> debug/networkz",
      "debug/ambientz -> debug/ambientz",
      "debug/clusterz -> debug/clusterz",
      "debug/push_status -> debug/push_status",
      "debug/syncz -> debug/syncz",
      "debug/config_dump?proxyID=reviews-v1-0.bookinfo-7&include_eds -> debug/config_dump/bookinfo/reviews-v1-0",
      "debug/ndsz?proxyID=reviews-v1-0.bookinfo-7 -> debug/ndsz/bookinfo/reviews-v1-0",
    ]);
  });

  it.each([
    {
      what: "DNS table",
      question: dnsTableQuestion(...ofProxy),
      refusal: "DNS capture is not enabled in the proxy",
    },
    {
      what: "list of clusters",
      question: istiodQuestionsBeside.find(({ file }) => file === "debug/clusterz"),
      refusal: "",
    },
  ])("of an Istiod that may say with status 400 that it has no $what", ({ question, refusal }) => {
    // in the words of an HTTP channel, and of pilot-discovery in the pod
    for (const words of [`HTTP 400: ${refusal}`, `Error: received unsuccessful status code 400: ${refusal}`])
      expect(question?.notOffered?.test(words)).toBe(true);
    expect(question?.notOffered?.test("HTTP 500: out of memory")).toBe(false);
  });

  it("of a ztunnel", () => {
    expect(ztunnelQuestions.map(listed)).toEqual(["config_dump -> config_dump"]);
  });

  /** Envoy: source/server/admin/admin.cc; Istiod: pilot/pkg/xds/debug.go. */
  const changing =
    /push=|clear=|force_disconnect|pprof|quitquitquit|drain|logging|reset_counters|healthcheck|runtime_modify|reopen_logs|profiler|contention|inject/;
  const paths = [...envoyQuestions, ...toIstiod, ...ztunnelQuestions, ...slices].map(({ path }) => path);

  it.each([...new Set(paths)].filter((path) => path !== stats))("changes nothing: %s", (path) => {
    expect(path).not.toMatch(changing);
    // nothing but the keys that only narrow or widen the answer
    expect(path).toMatch(/^[a-zA-Z_/]+(?:\?[^?#\s]*)?$/);
    const keys = [...new URL(`http://pod/${path}`).searchParams.keys()];
    expect(["include_eds", "format", "proxyID", "resource", "mask"]).toEqual(expect.arrayContaining(keys));
  });

  it.each([
    "debug/adsz?push=true",
    "debug/cachez?clear=true",
    "debug/force_disconnect?proxyID=a",
    "quitquitquit",
  ])("would be seen to change something: %s", (path) => {
    expect(path).toMatch(changing);
  });

  it("of a proxy's connection cannot become another question", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (id) => {
        for (const { path } of [istiodViewQuestion("a", "b", id), dnsTableQuestion("a", "b", id)]) {
          const { pathname, searchParams, hash } = new URL(`http://pod/${path}`);
          expect(pathname).toMatch(/^\/debug\/(?:config_dump|ndsz)$/);
          expect(searchParams.get("proxyID")).toBe(id);
          expect([...searchParams.keys()].filter((key) => key !== "include_eds")).toEqual(["proxyID"]);
          expect(hash).toBe("");
        }
      }),
    );
  });
});

describe("the filter of stats", () => {
  const filter = new URL(`http://pod/${stats}`).searchParams.get("filter") ?? "";
  /** Envoy looks for it anywhere in the name. */
  const takes = (name: string): boolean => new RegExp(filter).test(name);

  it("passes unchanged through pilot-agent, Go's URLs and Envoy's query", () => {
    expect(stats).toMatch(/^stats\?filter=[\w.~%()*-]+$/);
    expect(decodeURIComponent(stats.slice("stats?filter=".length))).toBe(filter);
  });

  it("is a pattern that RE2 and ECMAScript take alike, in linear time", () => {
    expect(filter).toMatch(/^\^\(.*\)$/);
    expect(filter).not.toMatch(/\(\?|\\[^.]|[*+?}][*+?]|[{[+]/);
  });

  it.each([
    "control_plane.connected_state",
    "control_plane.identifier",
    "cluster_manager.cds.update_success",
    "cluster_manager.cds.update_rejected",
    "cluster_manager.cds.version_text",
    "cluster_manager.cds.init_fetch_timeout",
    "cluster_manager.active_clusters",
    "cluster_manager.warming_clusters",
    "listener_manager.lds.update_rejected",
    "listener_manager.total_listeners_active",
    "listener_manager.total_listeners_warming",
    "listener_manager.total_listeners_draining",
    "listener_manager.listener_create_failure",
    "listener_manager.listener_added",
    "listener_manager.workers_started",
    "http.outbound_0.0.0.0_9080.rds.9080.update_rejected",
    "http.outbound_0.0.0.0_9080;.rds.reviews.bookinfo.svc.cluster.local_9080.config_reload",
    "http.inbound_0.0.0.0_9080.rbac.allowed",
    "http.inbound_0.0.0.0_9080;.rbac.istio_dry_run_allow_shadow_denied",
    "cluster.outbound|9080|v1|reviews.bookinfo.svc.cluster.local.membership_total",
    "cluster.outbound|9080||reviews.bookinfo.svc.cluster.local;.membership_healthy",
    "cluster.xds-grpc.membership_degraded",
    "cluster.xds-grpc.membership_excluded",
    "cluster.a.update_rejected",
    "cluster.a.init_fetch_timeout",
    "cluster.a.lb_healthy_panic",
    "cluster.a.outlier_detection.ejections_active",
    "cluster.a.upstream_cx_none_healthy",
    "cluster.BlackHoleCluster.upstream_cx_total",
    "cluster.PassthroughCluster;.upstream_cx_total",
    "listener.0.0.0.0_15006.no_filter_chain_match",
    "server.state",
    "server.live",
    "server.uptime",
    "server.total_connections",
  ])("takes %s", (name) => {
    expect(takes(name)).toBe(true);
  });

  it.each([
    "cluster.a.upstream_cx_total",
    "cluster.a.upstream_rq_200",
    "cluster.a.membership_change",
    "cluster_manager.cluster_added",
    "http.outbound_0.0.0.0_9080.downstream_cx_total",
    "listener.0.0.0.0_15006.downstream_cx_total",
    "my_server.state",
    "server.memory_allocated",
    "istiocustom.istio_requests_total.reporter.destination",
    "runtime.num_keys",
  ])("leaves %s", (name) => {
    expect(takes(name)).toBe(false);
  });
});
