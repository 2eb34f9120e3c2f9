/** What came of all routes: a summary with those that cannot end well for people, a document for scripts. */
import { badReasons, type BadPart, type RouteEnd } from "../../../trace/all-routes/route-end.js";
import { unknownReasons, type Unknown } from "../../../trace/unknown.js";
import type { Paint } from "../../output.js";
import type { AllRoutes } from "./all.js";
import { outcomeWords, percent, symbol, wrapped } from "./trace-text.js";

const shownParts = 5;

export function allText({ proxies, counts, bad, unknown, notCaptured }: AllRoutes, paint: Paint): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const mark = symbol(bad.length > 0 ? "bad" : "good", paint);
  const summary = [
    `${counts.well} end well`,
    `${counts.bad} cannot`,
    `${counts.unknown} cannot be known`,
    `${counts["no request"]} not asked`,
  ].join(", ");
  return [
    ...wrapped(
      `${mark} `,
      `${plural(total, "route")} of ${plural(proxies, "proxy", "proxies")}: ${summary}`,
      2,
    ),
    ...groups(bad).flatMap((group) => ["", ...groupLines(group, paint)]),
    ...unknownLines(unknown),
    ...(notCaptured.length === 0 ? [] : ["", "Routes that were not captured:"]),
    ...notCaptured.flatMap(({ proxy, reason }) => wrapped("  - ", `${proxy}: ${reason}`, 4)),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

interface Group {
  readonly route: RouteEnd;
  readonly parts: readonly BadPart[];
  readonly proxies: string[];
}

/** Equal ends of many proxies are one. */
function groups(bad: readonly RouteEnd[]): Group[] {
  const found = new Map<string, Group>();
  for (const route of bad) {
    const { proxy, end, ...names } = route;
    if (end.kind !== "bad") continue;
    const key = JSON.stringify([names, end.parts]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { route, parts: end.parts, proxies: [proxy] });
    else known.proxies.push(proxy);
  }
  return [...found.values()];
}

function groupLines({ route, parts, proxies }: Group, paint: Paint): string[] {
  const { routeConfig, virtualHost, route: name, origin } = route;
  const [first = "", ...others] = proxies;
  const more = others.length === 0 ? "" : `, and ${plural(others.length, "more proxy", "more proxies")}`;
  const left = parts.length - shownParts;
  return [
    ...wrapped(`${symbol("bad", paint)} `, first + more, 2),
    ...labelled("routes", routeConfig === "" ? "a route configuration without a name" : routeConfig),
    ...labelled("host", virtualHost),
    ...labelled("route", `${name}${origin === null ? "" : `, of ${origin}`}`),
    ...parts.slice(0, shownParts).flatMap(partLines),
    ...(left > 0 ? labelled("", `and ${left} more ("-o json" has all)`) : []),
  ];
}

function partLines({ reason, share, cluster, endpoint, peer, outcome, because }: BadPart): string[] {
  const of = share === 1 ? "" : `, for ${share === null ? "a part" : percent(share)} of its requests`;
  return [
    ...labelled("end", `${reason}${of}: ${outcomeWords(outcome, [])}`),
    ...labelled("cluster", cluster === "" ? "none" : cluster),
    ...(endpoint === null ? [] : labelled("endpoint", peer === null ? endpoint : `${endpoint}, ${peer}`)),
    ...labelled("because", because),
  ];
}

const labelWidth = 10;
const labelled = (label: string, text: string): string[] =>
  wrapped(`  ${label.padEnd(labelWidth)}`, text, 2 + labelWidth);

/** By reason, each with one of its messages. */
function unknownLines(unknown: readonly RouteEnd[]): string[] {
  const lines = unknownReasons.flatMap((reason) => {
    const own = unknown.filter((route) => unknownsOf(route).some((one) => one.reason === reason));
    const messages = new Set(
      own.flatMap((route) =>
        unknownsOf(route).flatMap((one) => (one.reason === reason ? [one.message] : [])),
      ),
    );
    const [first] = messages;
    if (first === undefined) return [];
    const more = messages.size === 1 ? "" : ` And ${messages.size - 1} more like this ("-o json" has all).`;
    return wrapped("  - ", `${reason}, ${plural(own.length, "route")}: ${first}${more}`, 4);
  });
  return lines.length === 0 ? [] : ["", "Not known:", ...lines];
}

const unknownsOf = ({ end }: RouteEnd): readonly Unknown[] => (end.kind === "unknown" ? end.because : []);

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** The object that `-o json` prints, without `incomplete`. */
export function allJson({ proxies, counts, bad, unknown, notCaptured }: AllRoutes): Record<string, unknown> {
  return {
    summary: {
      proxies,
      routes: Object.values(counts).reduce((sum, count) => sum + count, 0),
      well: counts.well,
      bad: counts.bad,
      unknown: counts.unknown,
      notAsked: counts["no request"],
      badReasons: countsOf(badReasons, bad, ({ end }) =>
        end.kind === "bad" ? end.parts.map(({ reason }) => reason) : [],
      ),
      unknownReasons: countsOf(unknownReasons, unknown, (route) =>
        unknownsOf(route).map(({ reason }) => reason),
      ),
    },
    routes: [...bad, ...unknown].map(routeJson),
    ...(notCaptured.length === 0 ? {} : { notCaptured }),
  };
}

/** How many routes each reason has; without those that none has. */
const countsOf = (
  reasons: readonly string[],
  routes: readonly RouteEnd[],
  of: (route: RouteEnd) => readonly string[],
): Readonly<Record<string, number>> => {
  const own = routes.flatMap((route) => [...new Set(of(route))]);
  const counts = new Map<string, number>();
  for (const reason of own) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return Object.fromEntries(
    reasons.flatMap((reason) => {
      const count = counts.get(reason);
      return count === undefined ? [] : [[reason, count] as const];
    }),
  );
};

const routeJson = ({ proxy, routeConfig, virtualHost, route, origin, end }: RouteEnd): unknown => ({
  proxy,
  routeConfig,
  virtualHost,
  route,
  origin,
  end: end.kind === "bad" ? { kind: end.kind, parts: end.parts.map(partJson) } : endJson(end),
});

const endJson = (end: Exclude<RouteEnd["end"], { kind: "bad" }>): unknown =>
  end.kind === "unknown"
    ? { kind: end.kind, unknowns: end.because.map(({ reason, message }) => ({ reason, message })) }
    : { kind: end.kind };

const partJson = ({ reason, share, cluster, endpoint, peer, outcome, because }: BadPart): unknown => ({
  reason,
  share,
  cluster,
  endpoint,
  peer,
  outcome: {
    kind: outcome.kind,
    status: outcome.status,
    responseFlags: outcome.responseFlags,
    detail: outcome.detail,
  },
  because,
});
