import type { ExpectedForm } from "./answer-end.js";

/** One request to one target, and the file that its answer becomes. GET only; nothing here changes the target. */
export interface Question {
  readonly path: string;
  /** Below the target's folder of the bundle. */
  readonly file: string;
  readonly form: ExpectedForm;
  /** Whether a target of some release does not know it, so that a 404 is no gap. */
  readonly optional: boolean;
  /** Other answers that mean "not offered here". */
  readonly notOffered?: RegExp;
}

/** The few counters that findings use (Envoy, docs/root/configuration/*\/stats.rst). */
const counters = [
  "control_plane\\.(connected_state|identifier|rate_limit_enforced|pending_requests)$",
  "cluster_manager\\.(cds\\.|active_clusters$|warming_clusters$)",
  "listener_manager\\.(lds\\.|total_listeners_|listener_create_failure$|listener_added$|workers_started$)",
  "http\\..*\\.rds\\..*\\.(update_|version|init_fetch_timeout|config_reload)",
  "http\\..*\\.rbac\\..*(allowed|denied)$",
  "cluster\\..*\\.(membership_(total|healthy|degraded|excluded)|update_rejected|init_fetch_timeout|lb_healthy_panic|outlier_detection\\.ejections_active|upstream_cx_none_healthy|upstream_cx_connect_fail|upstream_rq_pending_overflow)$",
  "cluster\\.(BlackHole|Passthrough)Cluster;?\\.upstream_cx_total$",
  "listener\\..*\\.no_filter_chain_match$",
  "server\\.(state|live|uptime|total_connections|concurrency)$",
];

export const configDump: Question = {
  path: "config_dump?include_eds",
  file: "config_dump?include_eds",
  form: "json",
  optional: false,
};

/** What every Envoy is asked, the dump first: it is what Istiod's view is compared with. */
export const envoyQuestions: readonly Question[] = [
  configDump,
  { path: "server_info", file: "server_info", form: "json", optional: false },
  { path: "certs", file: "certs", form: "json", optional: false },
  { path: "clusters?format=json", file: "clusters", form: "json", optional: false },
  { path: "runtime", file: "runtime", form: "json", optional: true },
  {
    path: `stats?filter=${encodeURIComponent(`^(${counters.join("|")})`)}`,
    file: "stats",
    form: "lines",
    optional: false,
  },
];

export const ztunnelQuestions: readonly Question[] = [
  { path: "config_dump", file: "config_dump", form: "json", optional: false },
];

/** Before the proxies: who is connected where. */
export const istiodQuestionsBefore: readonly Question[] = [
  { path: "debug/syncz", file: "debug/syncz.before", form: "json", optional: false },
  { path: "debug/adsz", file: "debug/adsz", form: "json", optional: false },
  { path: "version", file: "version", form: "text", optional: true },
];

const debug = (name: string, more: Partial<Question> = {}): Question => ({
  path: `debug/${name}`,
  file: `debug/${name}`,
  form: "json",
  optional: true,
  ...more,
});

/** Beside the proxies: what Istiod knows of the mesh. */
export const istiodQuestionsBeside: readonly Question[] = [
  debug("configz", { optional: false }),
  debug("endpointShardz"),
  debug("registryz", { optional: false }),
  debug("mesh"),
  debug("networkz"),
  debug("ambientz"),
  debug("clusterz", { notOffered: /status code:? 400|HTTP 400/ }), // multicluster is off
  debug("push_status", { form: "json or nothing" }), // empty before the first push
];

/** After the proxies: tells "in flight" from "stuck". */
export const istiodQuestionsAfter: readonly Question[] = [
  { path: "debug/syncz", file: "debug/syncz", form: "json", optional: false },
];

/** What one Istiod would send one proxy. @param connection what to ask for as `proxyID` */
export const istiodViewQuestion = (namespace: string, pod: string, connection: string): Question => ({
  path: `debug/config_dump?proxyID=${encodeURIComponent(connection)}&include_eds`,
  file: `debug/config_dump/${namespace}/${pod}`,
  form: "json",
  optional: false,
});

/** The DNS table that one Istiod would send one proxy. */
export const dnsTableQuestion = (namespace: string, pod: string, connection: string): Question => ({
  path: `debug/ndsz?proxyID=${encodeURIComponent(connection)}`,
  file: `debug/ndsz/${namespace}/${pod}`,
  form: "json",
  optional: true,
  notOffered: /DNS capture is not enabled in the proxy/, // with status 400
});

/** Which connections Istiod takes for an id: the proof of whose dump came back, where the id is a name only. */
export const connectionsQuestion = (connection: string): Question => ({
  path: `debug/adsz?proxyID=${encodeURIComponent(connection)}`,
  file: "debug/adsz",
  form: "json",
  optional: true,
});
