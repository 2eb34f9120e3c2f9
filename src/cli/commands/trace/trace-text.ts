/** The answer of a trace for people: a numbered path, a mark a line, and what it comes to. */
import { printable } from "../../../shared/printable.js";
import type {
  Branch,
  EndpointShare,
  FilterDecision,
  Hop,
  NearMiss,
  Outcome,
  TraceResult,
} from "../../../trace/result.js";
import type { Paint } from "../../output.js";

type Mark = "good" | "bad" | "open" | "none";

/** One step of a hop. */
interface Line {
  readonly step: Step;
  readonly text: string;
  /** Without one: by whether the request ended at this step. */
  readonly mark?: Mark;
}

type Step =
  | "capture"
  | "hand-off"
  | "chain"
  | "filter"
  | "routes"
  | "host"
  | "route"
  | "cluster"
  | "endpoint"
  | "TLS"
  | "";

const width = 80;
const labelWidth = 10;
const shownEndpoints = 5;
const shownClusters = 5;
const shownNearMisses = 5;
const shownBranches = 50;

export function traceText(result: TraceResult, paint: Paint): string {
  const { request, hops, outcome, bypass, branches, assumptions, unknowns } = result;
  const target =
    request.scheme === "tcp"
      ? `tcp://${request.authority}`
      : `${request.method} ${request.scheme}://${request.authority}${request.path}`;
  const address = request.originalDestination === null ? "" : ` (to ${request.originalDestination})`;
  return [
    ...wrapped("", target + address),
    ...hops.flatMap((hop, index) => ["", ...hopLines(hop, index, index === hops.length - 1, outcome, paint)]),
    "",
    ...outcomeLines(result, paint),
    ...listed("Near misses:", outcome.kind === "failure" ? nearMisses(hops.at(-1), outcome) : []),
    ...listed("All ways:", branchWords(branches)),
    ...listed(
      "Remarks and assumptions:",
      assumptions.filter((text) => text !== bypass),
    ),
    ...listed(
      "Not known:",
      unknowns.map(({ reason, message }) => `${reason}: ${message}`),
    ),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function hopLines(hop: Hop, index: number, isLast: boolean, outcome: Outcome, paint: Paint): string[] {
  const end = isLast ? endOf(hop, outcome) : null;
  const isFailure = outcome.kind === "failure";
  const lines = linesOf(hop);
  const at = end === null ? -1 : Math.max(lastOf(lines, end), -1);
  const shown =
    end !== null && at < 0
      ? [...lines, { step: end, text: isFailure ? (absentWords[end] ?? "it ends here") : "not known" }]
      : lines;
  const last = end !== null && at < 0 ? shown.length - 1 : at;
  const ending: Mark = isFailure ? "bad" : "open";
  return [
    ...wrapped(`${index + 1} `, `${hop.proxy}, ${hop.direction}`),
    ...shown.flatMap(({ step, text, mark }, position) => {
      const own = position === last ? ending : (mark ?? (last >= 0 && position > last ? "none" : "good"));
      return wrapped(`  ${symbol(own, paint)} ${step.padEnd(labelWidth)}`, text, 4 + labelWidth);
    }),
  ];
}

const lastOf = (lines: readonly Line[], step: Step): number =>
  lines.findLastIndex((line) => line.step === step && line.mark !== "good");

/** Where a path ends that has no line of the step. */
const absentWords: Readonly<Partial<Record<Step, string>>> = {
  capture: "no listener takes the connection",
  chain: "no filter chain of the listener fits",
  routes: "the proxy has no such route configuration",
  host: "no virtual host has a domain that fits",
  route: "no route of the virtual host fits",
  cluster: "there is no such cluster",
  endpoint: "no endpoint can be sent to",
};

/** The step at which a request ends; null where it goes on to a host. */
function endOf(hop: Hop, { kind, responseFlags }: Outcome): Step | null {
  if (kind !== "failure" && kind !== "unknown") return null;
  if (hop.filters.some(({ decision }) => decision === "denied" || decision === "answered")) return "filter";
  if (hop.listener === null) return "capture";
  if (hop.filterChain === null) return "chain";
  if (kind === "unknown")
    return hop.cluster !== null && hop.endpoints.length === 0 ? "endpoint" : lastStep(hop);
  if (responseFlags.includes("NC")) return "cluster";
  if (hop.cluster !== null) return "endpoint";
  if (!responseFlags.includes("NR")) return lastStep(hop);
  if (hop.routeConfig === null) return "chain";
  return hop.virtualHost === null ? "host" : "route";
}

const lastStep = (hop: Hop): Step => linesOf(hop).findLast(({ step }) => step !== "")?.step ?? "capture";

function linesOf(hop: Hop): Line[] {
  const { listener, filterChain, details } = hop;
  const steps = details.listeners.map((text, index): Line => ({
    step: index === 0 ? "capture" : "hand-off",
    text,
  }));
  const chain = filterChain === null ? [] : [chainWords(filterChain)];
  return [
    ...(steps.length === 0 && listener !== null
      ? [{ step: "capture" as const, text: listener.name }]
      : steps),
    ...chain.map((text): Line => ({ step: "chain", text })),
    ...hop.filters.flatMap(filterLine),
    ...routeLines(hop),
    ...clusterLines(hop),
    ...endpointLines(hop.endpoints),
    ...(details.transports.length === 0
      ? []
      : [{ step: "TLS" as const, text: details.transports.join("; or ") }]),
  ];
}

const chainWords = ({ name, matched }: NonNullable<Hop["filterChain"]>): string =>
  `${named(name, "the chain")}: ${matched.length === 0 ? "it takes everything" : matched.join(", ")}`;

const named = (name: string, whatElse: string): string => (name === "" ? `${whatElse} without a name` : name);

/** Envoy's word where it denies a request because no policy matched. */
const noPolicy = "none";

function filterLine({ name, decision, policy }: FilterDecision): Line[] {
  if (decision === "passed" || decision === "disabled") return [];
  const by = policy === "" ? "" : policy === noPolicy ? ", no policy lets it pass" : ` by ${policy}`;
  const mark: Mark = decision === "allowed" ? "good" : decision === "unknown" ? "open" : "bad";
  const words = decision === "unknown" ? "what it does is not known" : `${decision}${by}`;
  return [{ step: "filter", text: `${name}: ${words}`, mark }];
}

function routeLines(hop: Hop): Line[] {
  const { routeConfig, virtualHost, domain, virtualCluster, route, routeMatch, origin, details } = hop;
  const loaded = details.routesLoaded === null ? "" : `, loaded ${details.routesLoaded}`;
  const lines: Line[] = [];
  if (routeConfig !== null)
    lines.push({ step: "routes", text: named(routeConfig, "a route configuration") + loaded });
  if (virtualHost !== null)
    lines.push({ step: "host", text: `${virtualHost}${domain === null ? "" : `, by its domain ${domain}`}` });
  if (virtualCluster !== null)
    lines.push({ step: "", text: `virtual cluster ${virtualCluster}`, mark: "none" });
  if (route !== null || routeMatch !== null) {
    const of = origin === null ? "" : `, of ${origin}`;
    lines.push({ step: "route", text: `${named(route ?? "", "a route")}: ${routeMatch ?? ""}${of}` });
  }
  const changes = routeNotes(hop);
  return [...lines, ...changes.map((text): Line => ({ step: "", text, mark: "none" }))];
}

/** What the route does beside choosing a cluster. */
function routeNotes({ rewritten, mirrors, details: { policies } }: Hop): string[] {
  const notes: string[] = [];
  if (rewritten.authority !== null) notes.push(`the host becomes ${rewritten.authority}`);
  if (rewritten.path !== null) notes.push(`the path becomes ${rewritten.path}`);
  if (policies !== null) {
    const { timeout, retries } = policies;
    const limit = timeout === null ? "no timeout" : `timeout ${seconds(timeout)}`;
    notes.push(retries === null ? `${limit}, no retries` : `${limit}, ${retryWords(retries)}`);
  }
  if (mirrors.length > 0) {
    const shares = new Map(policies?.mirrors.map(({ cluster, share }) => [cluster, share]));
    const words = mirrors.map((cluster) => {
      const share = shares.get(cluster) ?? 1;
      return share === 1 ? cluster : `${cluster} (${percent(share)})`;
    });
    notes.push(`mirrored to ${words.join(", ")}`);
  }
  return notes;
}

function retryWords({
  retryOn,
  retries,
  perTryTimeout,
}: NonNullable<NonNullable<Hop["details"]["policies"]>["retries"]>): string {
  const each = perTryTimeout === null ? "" : ` of ${seconds(perTryTimeout)}`;
  return `${retries} ${retries === 1 ? "retry" : "retries"}${each} on ${retryOn.replaceAll(",", ", ")}`;
}

const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`;

function clusterLines({ cluster, weightedClusters }: Hop): Line[] {
  if (cluster === null) return [];
  const own = weightedClusters.find(({ name }) => name === cluster);
  const text = named(cluster, "a cluster");
  const others = weightedClusters.filter((one) => one !== own && one.share > 0);
  const more = others.slice(0, shownClusters).map(({ name, share }) => `${name} ${percent(share)}`);
  return [
    { step: "cluster", text: own === undefined ? text : `${text}, ${percent(own.share)}` },
    ...more.map((words): Line => ({ step: "", text: `else ${words}`, mark: "none" })),
    ...moreLines(others.length - more.length, "clusters"),
  ];
}

function endpointLines(endpoints: readonly EndpointShare[]): Line[] {
  const shown = [...endpoints].sort((a, b) => (b.share ?? 0) - (a.share ?? 0)).slice(0, shownEndpoints);
  return [
    ...shown.map(({ address, port, health, share, priority, pod }): Line => {
      const words = [
        `${addressWords(address, port)} ${health}`,
        ...(share === null ? [] : [percent(share)]),
        ...(priority === 0 ? [] : [`priority ${priority}`]),
        ...(pod === null ? [] : [pod]),
      ];
      return { step: "endpoint", text: words.join(", "), ...(share === 0 ? { mark: "none" as const } : {}) };
    }),
    ...moreLines(endpoints.length - shown.length, "endpoints"),
  ];
}

const moreLines = (count: number, what: string): Line[] =>
  count > 0 ? [{ step: "", text: `and ${count} more ${what}`, mark: "none" }] : [];

const addressWords = (address: string, port: number | null): string =>
  port === null ? address : address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** At most one decimal: 80 %, 0.5 %. */
export const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;

function outcomeLines({ outcome, hops, bypass, unknowns }: TraceResult, paint: Paint): string[] {
  const mark: Mark = outcome.kind === "failure" ? "bad" : outcome.kind === "unknown" ? "open" : "good";
  const words =
    bypass ??
    (outcome.kind === "unknown" && unknowns[0] !== undefined
      ? `not known: ${unknowns[0].reason}`
      : outcomeWords(outcome, hops));
  return wrapped(`${symbol(mark, paint)} `, words, 2);
}

/** In Envoy's words: `503 UH no_healthy_upstream`. */
export function outcomeWords(outcome: Outcome, hops: readonly Hop[]): string {
  const { kind, status, responseFlags, detail, location } = outcome;
  switch (kind) {
    case "endpoint":
      return `reaches ${reachedWords(hops.at(-1))}`;
    case "unknown":
      return "not known";
    case "redirect":
      return `${status ?? ""} to ${location ?? "a place that is not known"}`;
    case "direct_response":
    case "failure": {
      const envoys = [status === null ? "" : String(status), responseFlags.join(","), detail];
      const words = envoys.filter((one) => one !== "").join(" ");
      return status === null ? `the connection is closed${words === "" ? "" : `: ${words}`}` : words;
    }
  }
}

function reachedWords(hop: Hop | undefined): string {
  const reached = (hop?.endpoints ?? []).filter(({ share }) => share !== 0);
  const [only] = reached;
  if (only === undefined) return "its destination";
  if (reached.length > 1) return `one of ${reached.length} endpoints of ${hop?.cluster ?? "the cluster"}`;
  return `${addressWords(only.address, only.port)}${only.pod === null ? "" : ` (${only.pod})`}`;
}

/** Of the step at which it failed: what else nearly fitted on the way there did no harm. */
function nearMisses(hop: Hop | undefined, outcome: Outcome): string[] {
  const step = hop === undefined ? null : endOf(hop, outcome);
  const telling = step === null ? [] : (nearMissesAt[step] ?? []);
  const all = (hop?.nearMisses ?? []).filter(({ what }) => telling.includes(what));
  const more = all.length - shownNearMisses;
  return [
    ...all
      .slice(0, shownNearMisses)
      .map(({ what, name, because }) => `${what} ${name === "" ? "without a name" : name}: ${because}`),
    ...(more > 0 ? [`and ${more} more ("-o json" has all)`] : []),
  ];
}

const nearMissesAt: Readonly<Partial<Record<Step, readonly NearMiss["what"][]>>> = {
  capture: ["listener"],
  chain: ["listener", "filter chain"],
  host: ["virtual host", "route"],
  route: ["virtual host", "route"],
};

function branchWords(branches: readonly Branch[]): string[] {
  const more = branches.length - shownBranches;
  return [
    ...[...branches]
      .sort((a, b) => (b.share ?? 0) - (a.share ?? 0))
      .slice(0, shownBranches)
      .map(({ share, outcome, hops }) => {
        const by = hops[0]?.cluster ?? null;
        return `${share === null ? "?" : percent(share)} ${outcomeWords(outcome, hops)}${by === null ? "" : `, by ${by}`}`;
      }),
    ...(more > 0 ? [`and ${more} more ("-o json" has all)`] : []),
  ];
}

function listed(heading: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ["", heading, ...items.flatMap((item) => wrapped("  - ", item, 4))];
}

export function symbol(mark: Mark, paint: Paint): string {
  switch (mark) {
    case "good":
      return paint("✓", "green");
    case "bad":
      return paint("✗", "red");
    case "open":
      return paint("?", "yellow");
    case "none":
      return " ";
  }
}

/**
 * Lines of at most 80 columns; a name that is longer stays whole, so that it can be copied.
 * @param lead stands before the first line @param indent columns before the others
 */
export function wrapped(lead: string, text: string, indent = lead.length): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text).split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one, index) => (index === 0 ? lead : " ".repeat(indent)) + one);
}
