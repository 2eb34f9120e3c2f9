/**
 * Envoy's router check tool: a RouteConfiguration and a file of tests, `RouterCheckToolSchema.Validation`, as YAML or JSON
 * (`test/tools/router_check`). It runs virtual hosts, routes and the changes of headers, and nothing of the connection
 * manager.
 */
import { parse } from "yaml";

import { UserError } from "../shared/errors.js";
import { child, children, field, flag, isMessage, number, text, type Message } from "../snapshot/message.js";
import { identityForm } from "../snapshot/parse/identity.js";
import { headerName, headerWords, matchHeader } from "./matchers/header-matcher.js";
import { asciiLower } from "./matchers/string-matcher.js";
import { newestEnvoy, type EnvoyMinor, type MatchContext } from "./match-context.js";
import { firstHeader, headerValue, type HeaderList } from "./request.js";
import { localReplyHeaders } from "./route/direct-response.js";
import { ownUri, redirectTarget } from "./route/redirect.js";
import { rewriteResponse } from "./route/route-action.js";
import { resolveRoute, type RouteResult } from "./route/route-table.js";
import { virtualClusterName } from "./route/virtual-cluster.js";
import { withAllAdded } from "./route/header-mutations.js";

export interface CheckedField {
  /** `cluster_name`, `response_header_matches[0]`. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly passed: boolean;
}

export interface CheckedRoute {
  readonly name: string;
  readonly passed: boolean;
  /** Only what the test asserts, in the order of the tool. */
  readonly fields: readonly CheckedField[];
}

export interface RouterCheckOptions {
  /** The release whose rules are taken; by default the newest. */
  readonly envoy?: EnvoyMinor;
}

const deepest = 100;

/**
 * Runs the tests of a file.
 * @param config the text of a RouteConfiguration, YAML or JSON, in either spelling of names
 * @param tests the text of a Validation file, likewise; commas too many are allowed
 * @throws UserError for a text that is neither
 */
export function checkRoutes(config: string, tests: string, options: RouterCheckOptions = {}): CheckedRoute[] {
  const route = routeConfiguration(parsed(config, "The route configuration"));
  const validation = parsed(tests, "The file of tests");
  if (!isRouterCheck(validation))
    throw new UserError('The tests have no list "tests" of requests and what they should come to.');
  return children(validation, "tests").map((test) => checkRoute(route, test, options.envoy ?? newestEnvoy));
}

/** Whether a value is the tool's file of tests: each of them has an `input`. */
export function isRouterCheck(value: unknown): value is Message {
  if (!isMessage(value)) return false;
  const tests = field(value, "tests");
  return Array.isArray(tests) && tests.every((test) => isMessage(test) && isMessage(field(test, "input")));
}

function parsed(source: string, what: string): unknown {
  if (/^\s{0,99}[a-z_]{1,99}\s{0,9}\{/.test(source))
    throw new UserError(
      `${what} is in protobuf's text format, which is not read: convert it to JSON or YAML.`,
    );
  try {
    return parse(source, { maxAliasCount: 100, logLevel: "error" }) as unknown;
  } catch {
    throw new UserError(`${what} is neither JSON nor YAML.`);
  }
}

/** In proto names. @throws UserError */
function routeConfiguration(value: unknown): Message {
  const config = isMessage(value) ? named(value, "envoy.config.route.v3.RouteConfiguration") : null;
  if (config === null || !Array.isArray(field(config, "virtual_hosts")))
    throw new UserError('The route configuration has no list "virtual_hosts".');
  return config;
}

/** null where it is nested too deep. */
function named(message: Message, type: string): Message | null {
  try {
    const value: unknown = JSON.parse(identityForm(JSON.stringify(message), type, deepest).text);
    return isMessage(value) ? value : null;
  } catch {
    return null;
  }
}

// One test

/** Runs one test. @param config in proto names @param test a ValidationItem, in either spelling */
export function checkRoute(config: Message, test: Message, envoy: EnvoyMinor = newestEnvoy): CheckedRoute {
  const name = stringIn(test, "test_name", "testName") ?? "";
  const input = child(test, "input");
  const wrong = wrongInput(input);
  if (wrong !== null) return { name, passed: false, fields: [wrong] };
  const context = contextOf(input, envoy);
  const runtimeKey = text(input, "runtime");
  const { branches, virtualHost } = resolveRoute(withRuntime(config, runtimeKey), context);
  const [branch] = branches;
  const outcome = finalized(
    branch?.result ?? { kind: "unknown", route: null },
    virtualHost?.name ?? "",
    input,
    context,
  );
  const unknowns = (branch?.unknowns ?? []).map(({ message }) => message);
  const fields = checkedFields(child(test, "validate"), outcome, envoy);
  const notKnown: CheckedField[] =
    unknowns.length === 0
      ? []
      : [{ field: "route", expected: "a known route", actual: unknowns.join(" "), passed: false }];
  return {
    name,
    passed: [...notKnown, ...fields].every(({ passed }) => passed),
    fields: [...notKnown, ...fields],
  };
}

function wrongInput(input: Message | undefined): CheckedField | null {
  const missing = [
    text(input, "authority") === "" ? "an authority" : "",
    text(input, "path") === "" ? "a path" : "",
    text(input, "method").length < 3 ? "a method of at least 3 characters" : "",
  ].filter((one) => one !== "");
  return missing.length === 0
    ? null
    : { field: "input", expected: missing.join(", "), actual: "none", passed: false };
}

function contextOf(input: Message | undefined, envoy: EnvoyMinor): MatchContext {
  const loopback = { ip: "127.0.0.1", port: 0 };
  return {
    headers: requestHeaders(input),
    connection: {
      destination: null,
      source: loopback,
      directSource: loopback,
      tls: null,
      protocol: "http/1.1",
    },
    downstreamRemote: loopback,
    dynamicMetadata: dynamicMetadata(input),
    filterState: new Map(),
    isComplete: true,
    route: null,
    runtime: { value: () => undefined },
    random: randomValue(input),
    envoy,
  };
}

function requestHeaders(input: Message | undefined): HeaderList {
  const scheme = flag(input, "ssl") === true ? "https" : "http";
  const own: HeaderList = [
    [":authority", text(input, "authority")],
    [":path", text(input, "path")],
    [":method", text(input, "method")],
    ["x-forwarded-proto", scheme],
    [":scheme", scheme],
    ...(flag(input, "internal") === true ? [["x-envoy-internal", "true"] as const] : []),
  ];
  return withHeaders(own, eitherList(input, "additional_request_headers", "additionalRequestHeaders"));
}

const withHeaders = (headers: HeaderList, added: readonly Message[]): HeaderList =>
  withAllAdded(
    headers,
    added.map((header) => [asciiLower(text(header, "key")), text(header, "value")]),
  );

/** As the tool passes it on: cut to 32 bits with a sign, then taken for 64 bits without. */
function randomValue(input: Message | undefined): bigint {
  const value = field(input, "random_value") ?? field(input, "randomValue");
  const isDigits = typeof value === "string" && /^\d{1,20}$/.test(value);
  const given = isDigits ? BigInt(value) : BigInt(Math.trunc(typeof value === "number" ? value : 0));
  return BigInt.asUintN(64, BigInt.asIntN(32, given));
}

/** A second entry for a namespace counts only where it may overwrite, and then it is merged into the first. */
function dynamicMetadata(input: Message | undefined): ReadonlyMap<string, unknown> {
  const metadata = new Map<string, unknown>();
  for (const entry of eitherList(input, "dynamic_metadata", "dynamicMetadata")) {
    const namespace = stringIn(entry, "metadata_namespace", "metadataNamespace") ?? "";
    const value = child(entry, "value");
    if (value === undefined) continue;
    const mayOverwrite = flag(entry, "allow_overwrite") ?? flag(entry, "allowOverwrite") ?? false;
    if (!metadata.has(namespace)) metadata.set(namespace, value);
    else if (mayOverwrite) metadata.set(namespace, merged(metadata.get(namespace), value));
  }
  return metadata;
}

/** Messages by their fields, lists one behind the other, anything else is replaced. */
function merged(old: unknown, value: unknown): unknown {
  if (Array.isArray(old) && Array.isArray(value)) return [...(old as unknown[]), ...(value as unknown[])];
  if (!isMessage(old) || !isMessage(value)) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, merged(field(old, key), one)] as const);
  return { ...old, ...Object.fromEntries(entries) };
}

// The tool's runtime

const configured = new WeakMap<Message, Map<string, Message>>();

/**
 * A configuration as the tool's runtime has it: a fraction counts only where its key is the one that is switched on, and
 * then by its default, of which the numerator 0 is raised to 1.
 */
function withRuntime(config: Message, key: string): Message {
  const known = configured.get(config) ?? new Map<string, Message>();
  configured.set(config, known);
  const made =
    known.get(key) ??
    mapped(config, "virtual_hosts", (host) => mapped(host, "routes", (route) => withFraction(route, key)));
  known.set(key, made);
  return made;
}

function withFraction(route: Message, key: string): Message {
  const match = child(route, "match");
  const fraction = child(match, "runtime_fraction");
  if (fraction === undefined) return route;
  const own = child(fraction, "default_value");
  const isOn = key !== "" && text(fraction, "runtime_key") === key;
  const numerator = isOn ? Math.max(number(own, "numerator") ?? 0, 1) : 0;
  return {
    ...route,
    match: { ...match, runtime_fraction: { ...fraction, default_value: { ...own, numerator } } },
  };
}

const mapped = (message: Message, name: string, change: (item: Message) => Message): Message =>
  child(message, name) === undefined && !Array.isArray(field(message, name))
    ? message
    : { ...message, [name]: children(message, name).map(change) };

// What the request comes to

interface Outcome {
  readonly cluster: string;
  readonly virtualCluster: string;
  readonly virtualHost: string;
  readonly path: string;
  readonly host: string;
  readonly location: string;
  readonly status: number;
  readonly request: HeaderList;
  readonly response: HeaderList;
}

function finalized(
  result: RouteResult,
  virtualHost: string,
  input: Message | undefined,
  context: MatchContext,
): Outcome {
  const response = withHeaders(
    [],
    eitherList(input, "additional_response_headers", "additionalResponseHeaders"),
  );
  const none: Outcome = {
    cluster: "",
    virtualCluster: "",
    virtualHost: "",
    path: "",
    host: "",
    location: "",
    status: 0,
    request: context.headers,
    response,
  };
  if (result.kind === "TLS redirect")
    return {
      ...none,
      location: result.location,
      status: result.status,
      response: withReply(response, result.status, ""),
    };
  if (result.kind !== "route") return none;
  const { action } = result;
  if (action.kind !== "forward") {
    const request =
      action.kind === "redirect"
        ? redirectTarget(action.entry.route, context.headers, context.envoy).headers
        : context.headers;
    const location = action.kind === "redirect" ? (action.location ?? "") : ownUri(request, context.envoy);
    const reply = withReply(response, action.status, action.kind === "redirect" ? "" : action.body);
    const changed = rewriteResponse(action.entry, reply, { ...context, headers: request });
    return { ...none, location, status: action.status, request, response: changed.headers };
  }
  const { headers } = action.request;
  const name = virtualClusterName(action.entry.virtualHost, headers, context.envoy);
  return {
    ...none,
    cluster: action.cluster,
    virtualCluster: typeof name === "string" ? name : "",
    virtualHost,
    path: headerValue(headers, ":path") ?? "",
    host: headerValue(headers, ":authority") ?? "",
    request: headers,
    response: rewriteResponse(action.entry, response, { ...context, headers }).headers,
  };
}

const withReply = (response: HeaderList, status: number, body: string | null): HeaderList =>
  withAllAdded(response, localReplyHeaders(status, body));

// What the test asserts

const stringFields: readonly (readonly [
  snake: string,
  camel: string,
  actual: (outcome: Outcome) => string,
])[] = [
  ["cluster_name", "clusterName", ({ cluster }) => cluster],
  ["virtual_cluster_name", "virtualClusterName", ({ virtualCluster }) => virtualCluster],
  ["virtual_host_name", "virtualHostName", ({ virtualHost }) => virtualHost],
  ["path_rewrite", "pathRewrite", ({ path }) => path],
  ["host_rewrite", "hostRewrite", ({ host }) => host],
  ["path_redirect", "pathRedirect", ({ location }) => location],
];

function checkedFields(validate: Message | undefined, outcome: Outcome, envoy: EnvoyMinor): CheckedField[] {
  const strings = stringFields.flatMap(([snake, camel, actualOf]) => {
    const expected = stringIn(validate, snake, camel);
    return expected === undefined ? [] : [compared(snake, expected, actualOf(outcome))];
  });
  const code = number(validate, "code_redirect") ?? number(validate, "codeRedirect");
  return [
    ...strings,
    ...(code === undefined ? [] : [compared("code_redirect", code.toString(), outcome.status.toString())]),
    ...headerFields(validate, "request", outcome.request, envoy),
    ...headerFields(validate, "response", outcome.response, envoy),
  ];
}

const compared = (name: string, expected: string, actual: string): CheckedField => ({
  field: name,
  expected,
  actual,
  passed: expected === actual,
});

function headerFields(
  validate: Message | undefined,
  kind: "request" | "response",
  headers: HeaderList,
  envoy: EnvoyMinor,
): CheckedField[] {
  const equal = eitherList(validate, `${kind}_header_fields`, `${kind}HeaderFields`).map((header, index) => {
    const actual = firstHeader(headers, asciiLower(text(header, "key"))) ?? "";
    return compared(`${kind}_header_fields[${index}]`, text(header, "value"), actual);
  });
  const matched = eitherList(validate, `${kind}_header_matches`, `${kind}HeaderMatches`).map((raw, index) => {
    const matcher = named(raw, "envoy.config.route.v3.HeaderMatcher") ?? raw;
    const actual = headerValue(headers, headerName(matcher));
    return {
      field: `${kind}_header_matches[${index}]`,
      expected: headerWords(matcher),
      actual:
        actual === undefined
          ? `${text(matcher, "name")} absent`
          : `${text(matcher, "name")} ${JSON.stringify(actual)}`,
      passed: matchHeader(matcher, headers, envoy) === true,
    };
  });
  return [...matched, ...equal];
}

// Either spelling

function stringIn(message: Message | undefined, snake: string, camel: string): string | undefined {
  const value = field(message, snake) ?? field(message, camel);
  return typeof value === "string" ? value : undefined;
}

const eitherList = (message: Message | undefined, snake: string, camel: string): Message[] => [
  ...children(message, snake),
  ...children(message, camel),
];
