/** Filter chains whose matches overlap, and connections that one of them takes, or nearly. */
import { textOf, type JsonObject } from "../../mesh/json.js";
import type { Random } from "../../mesh/random.js";
import type { JudgedRequest } from "../judged-request.js";
import { chance } from "./near-values.js";

export type ConnectionFacts = Pick<JudgedRequest, "tls" | "proxy" | "protocol">;

const values = {
  destination_port: [80, 81, 8080],
  prefix_ranges: [
    [{ address_prefix: "10.0.0.0", prefix_len: 8 }],
    [{ address_prefix: "10.1.0.0", prefix_len: 16 }],
    [{ address_prefix: "10.1.1.1", prefix_len: 32 }],
  ],
  server_names: [["a.com"], ["*.a.com"], ["*.com"], ["www.a.com", "b.com"]],
  transport_protocol: ["tls", "raw_buffer"],
  application_protocols: [["h2"], ["http/1.1"], ["istio", "h2"], ["h2c"]],
  source_type: ["SAME_IP_OR_LOOPBACK", "EXTERNAL"],
  source_prefix_ranges: [
    [{ address_prefix: "10.9.0.0", prefix_len: 16 }],
    [{ address_prefix: "10.9.9.9", prefix_len: 32 }],
  ],
  source_ports: [[5], [6, 7]],
} as const;

/** Matches that Envoy takes together: no two with one combination of values. */
export function chainMatches(random: Random): JsonObject[] {
  const taken = new Set<string>();
  return Array.from({ length: random.between(2, 7) }, () => chainMatch(random)).filter((match) => {
    const combinations = combinationsOf(match);
    if (combinations.some((one) => taken.has(one))) return false;
    for (const one of combinations) taken.add(one);
    return true;
  });
}

const chainMatch = (random: Random): JsonObject =>
  Object.fromEntries(
    Object.entries(values)
      .filter(() => chance(random, 0.25))
      .map(([key, choices]) => [key, random.pick<JsonObject[string]>(choices as never)]),
  );

function combinationsOf(match: JsonObject): string[] {
  return Object.keys(values).reduce<string[]>(
    (found, key) => {
      const value = match[key];
      const members = Array.isArray(value) ? (value as readonly unknown[]) : [value ?? null];
      return found.flatMap((one) => members.map((member) => `${one}|${JSON.stringify(member)}`));
    },
    [""],
  );
}

const servers = ["a.com", "www.a.com", "A.com", "x.www.a.com", "b.com", "c.org"];
const offers = [["h2", "http/1.1"], ["http/1.1"], ["istio"], ["other", "h2"]];

const protocols = [
  ...Array<"http/1.1">(12).fill("http/1.1"),
  ...Array<"h2">(5).fill("h2"),
  "http/1.0",
] as const;

/** Whether a chain with that match ends TLS. */
export const isForTls = (match: JsonObject): boolean =>
  match["transport_protocol"] === "tls" || match["server_names"] !== undefined;

/** A connection near the match of some chain. */
export function connectionFacts(random: Random, matches: readonly JsonObject[]): ConnectionFacts {
  const match = matches.length === 0 ? {} : random.pick(matches);
  const keeps = (): boolean => chance(random, 0.85);
  const wanted = <T>(key: keyof typeof values, others: readonly T[]): T => {
    const value = match[key];
    return value !== undefined && keeps()
      ? ((Array.isArray(value) ? random.pick(value as readonly unknown[]) : value) as T)
      : random.pick(others);
  };
  const destination = inRange(wanted("prefix_ranges", ["10.1.1.1", "10.1.2.2", "10.2.2.2", "11.1.1.1"]));
  const isLocal = match["source_type"] === "SAME_IP_OR_LOOPBACK" && keeps();
  const source = isLocal
    ? random.pick([destination, "127.0.0.1"])
    : inRange(wanted("source_prefix_ranges", ["10.9.9.9", "10.9.1.1", "10.8.1.1"]));
  const isTls =
    isForTls(match) ||
    (match["transport_protocol"] === undefined && chance(random, matches.some(isForTls) ? 0.3 : 0.04));
  const name = wanted<string>("server_names", servers).replace("*", random.pick(["x", "x.y"]));
  return {
    proxy: {
      source: { ip: source, port: wanted("source_ports", [5, 6, 8]) },
      destination: { ip: destination, port: wanted("destination_port", [80, 81, 82, 8080]) },
    },
    ...(isTls && keeps()
      ? { tls: { ...(chance(random, 0.9) && { sni: name }), alpn: random.pick(offers) } }
      : { protocol: random.pick(protocols) }),
  };
}

/** The address of a range, or the address itself. */
const inRange = (range: string | JsonObject): string =>
  typeof range === "string" ? range : textOf(range, "address_prefix");
