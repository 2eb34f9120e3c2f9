/** What a scenario expects against what Envoy decided. */
import type { HeaderList } from "../../../src/trace/request.js";
import { chiSquareProbability } from "./chi-square.js";
import type { Decision } from "./decision.js";
import type { Expected } from "./scenario.js";

/** Sentences, one for each disagreement. */
export function disagreements(expected: Expected, decision: Decision): string[] {
  const { http = null, tls = null } = decision.received ?? {};
  const actual = {
    ...decision,
    isReceived: decision.received !== null,
    path: http?.path,
    authority: http?.authority,
    method: http?.method,
  };
  const plain = [
    ...["listener", "filterChain", "virtualHost", "route", "cluster", "upstreamHost", "status"],
    ...["flags", "details", "location", "isReceived", "path", "authority", "method"],
  ] as (keyof typeof actual & keyof Expected)[];
  return [
    ...plain.flatMap((name) => differs(name, expected[name], actual[name])),
    ...headerDisagreements("request", expected.headers, http?.headers ?? []),
    ...headerDisagreements("response", expected.responseHeaders, decision.responseHeaders),
    ...(expected.upstreamTls === undefined ? [] : tlsDisagreements(expected.upstreamTls, tls)),
    ...nextDisagreements(expected.next, decision.next),
  ];
}

const differs = (name: string, expected: unknown, actual: unknown): string[] =>
  expected === undefined || JSON.stringify(expected) === JSON.stringify(actual)
    ? []
    : [`${name}: expected ${JSON.stringify(expected)}, Envoy says ${JSON.stringify(actual)}`];

const headerDisagreements = (
  what: string,
  expected: Expected["headers"] = {},
  actual: HeaderList,
): string[] =>
  Object.entries(expected).flatMap(([name, value]) => {
    const values = actual.filter(([own]) => own === name).map(([, own]) => own);
    return differs(`${what} header ${name}`, value === null ? [] : [value].flat(), values);
  });

function tlsDisagreements(
  expected: NonNullable<Expected["upstreamTls"]> | null,
  actual: { readonly sni: string | null; readonly alpn: string | null } | null,
): string[] {
  if (expected === null || actual === null) return differs("upstream TLS", expected, actual);
  return [
    ...differs("upstream SNI", expected.sni, actual.sni),
    ...differs("upstream ALPN", expected.alpn, actual.alpn),
  ];
}

function nextDisagreements(expected: Expected | undefined, actual: Decision | null): string[] {
  if (expected === undefined) return [];
  if (actual === null) return ["there is no next hop"];
  return disagreements(expected, actual).map((sentence) => `next hop: ${sentence}`);
}

/** One in a million runs fails by chance; a share that is off by a few percent fails nearly always. */
const significance = 1e-6;

/** Whether values came as often as their shares say. */
export function shareDisagreements(
  shares: NonNullable<Expected["shares"]>,
  decisions: readonly Decision[],
): string[] {
  const counts = new Map(Object.keys(shares.are).map((value) => [value, 0]));
  for (const decision of decisions) {
    const value = String(decision[shares.of]);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const observed = [...counts].map(([value, count]) => ({
    value,
    count,
    expected: (shares.are[value] ?? 0) * decisions.length,
  }));
  const impossible = observed.filter(({ count, expected }) => expected === 0 && count > 0);
  if (impossible.length > 0) return impossible.map(({ value }) => `${shares.of} ${value} has no share`);
  const probability = chiSquareProbability(observed.filter(({ expected }) => expected > 0));
  return probability >= significance
    ? []
    : [`${shares.of}: ${JSON.stringify(Object.fromEntries(counts))} has the probability ${probability}`];
}
