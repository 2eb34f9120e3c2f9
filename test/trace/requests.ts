/** Small requests and route configurations for tests: what a sentence does not mention is filled in here. */
import type { MatchContext } from "../../src/trace/match-context.js";
import type { HeaderList } from "../../src/trace/request.js";
import type { Message } from "../../src/snapshot/message.js";
import { isUnknown, type Ternary } from "../../src/trace/ternary.js";

/** What a request is made of: its pseudo headers by name, all others as a list. */
export interface RequestParts {
  readonly path?: string;
  readonly authority?: string;
  readonly method?: string;
  readonly scheme?: string;
  readonly forwardedProto?: string;
  readonly headers?: HeaderList;
}

export function aRequest({
  path = "/",
  authority = "a.com",
  method = "GET",
  scheme = "http",
  forwardedProto = scheme,
  headers = [],
}: RequestParts = {}): HeaderList {
  return [
    [":method", method],
    [":scheme", scheme],
    [":authority", authority],
    [":path", path],
    ["x-forwarded-proto", forwardedProto],
    ...headers,
  ];
}

/** A context in which everything is known but the random number. */
export function aContext(overrides: Partial<MatchContext> = {}): MatchContext {
  const client = { ip: "10.1.2.3", port: 40000 };
  return {
    headers: aRequest(),
    connection: {
      destination: { ip: "10.0.0.1", port: 80 },
      source: client,
      directSource: client,
      tls: null,
      protocol: "http/1.1",
    },
    downstreamRemote: client,
    dynamicMetadata: new Map(),
    filterState: new Map(),
    isComplete: true,
    route: null,
    runtime: { value: () => undefined },
    random: null,
    envoy: 36,
    ...overrides,
  };
}

/** `true`, `false` or the reasons why it is not known. */
export const said = (value: Ternary): boolean | readonly string[] =>
  isUnknown(value) ? value.because.map(({ reason }) => reason) : value;

/** A configuration with one virtual host for every domain. */
export const aRouteConfig = (routes: readonly Message[], overrides: Message = {}): Message => ({
  name: "8080",
  virtual_hosts: [{ name: "all", domains: ["*"], routes }],
  ...overrides,
});

/** A route to a cluster, for every path. */
export const aRoute = (
  cluster: string,
  match: Message = { prefix: "/" },
  overrides: Message = {},
): Message => ({
  match,
  route: { cluster },
  ...overrides,
});
