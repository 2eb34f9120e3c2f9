/** Conditions of routes, each with requests that meet it and requests that nearly do. */
import type { HeaderList } from "../../../../src/trace/request.js";
import type { JsonObject } from "../../mesh/json.js";
import type { Random } from "../../mesh/random.js";
import { extension } from "../messages.js";
import { chance, swappedCase, textCondition } from "./near-values.js";

/** What of a request a condition needs. */
export interface RequestPieces {
  readonly path: string;
  readonly query: readonly string[];
  readonly headers: HeaderList;
}

export interface Condition<T> {
  readonly match: JsonObject;
  readonly hit: T;
  readonly misses: readonly T[];
}

const segments = ["a", "ab", "A", "b", "a.b", "a-b"] as const;
const somePath = (random: Random): string =>
  Array.from({ length: random.between(1, 3) }, () => `/${random.pick(segments)}`).join("");

const pathPatterns = [
  { regex: "/a+(/.*)?", hits: ["/a", "/aaa/b"], misses: ["/A", "/ab", "/b/a"] },
  { regex: "/(a|ab)/\\w+", hits: ["/a/b", "/ab/A"], misses: ["/a/", "/a/b/c", "/abc/b"] },
  { regex: "(?i)/ab.*", hits: ["/AB", "/ab/x"], misses: ["/a", "/b/ab"] },
  { regex: "/[^/]+", hits: ["/a", "/a.b"], misses: ["/", "/a/", "/a/b"] },
];

const templates = [
  { template: "/a/*", hits: ["/a/b", "/a/a.b"], misses: ["/a/", "/a", "/a/b/c", "/A/b"] },
  { template: "/{x}/b", hits: ["/a/b"], misses: ["/a/b/", "//b", "/a/ab"] },
  { template: "/a/**", hits: ["/a/", "/a/b/c"], misses: ["/a", "/ab/c"] },
];

/** A path specifier. */
export function pathCondition(random: Random): Condition<string> {
  const path = somePath(random);
  const anyCase = chance(random, 0.2);
  const inAnyCase = { ...(anyCase && { case_sensitive: false }) };
  const caseMisses = anyCase || swappedCase(path) === path ? [] : [swappedCase(path)];
  const shorter = path.slice(0, -1) || "/";
  switch (random.between(0, 5)) {
    case 0:
    case 1:
      return {
        match: { prefix: path, ...inAnyCase },
        hit: random.pick([path, `${path}x`, `${path}/x`]),
        misses: [shorter, `/x${path}`, `/${path}`, ...caseMisses],
      };
    case 2:
      return {
        match: { path, ...inAnyCase },
        hit: path,
        misses: [`${path}/`, `${path}x`, shorter, ...caseMisses],
      };
    case 3:
      return {
        match: { path_separated_prefix: path, ...inAnyCase },
        hit: random.pick([path, `${path}/`, `${path}/x`]),
        misses: [`${path}x`, `${path};x`, shorter, ...caseMisses],
      };
    case 4: {
      const { regex, hits, misses } = random.pick(pathPatterns);
      return { match: { safe_regex: { regex } }, hit: random.pick(hits), misses };
    }
    default: {
      const { template, hits, misses } = random.pick(templates);
      const policy = extension(
        "template",
        "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
        {
          path_template: template,
        },
      );
      return { match: { path_match_policy: policy }, hit: random.pick(hits), misses };
    }
  }
}

const headerNames = ["x", "y", "x-end-user"];

/** A header matcher in any of its forms. */
export function headerCondition(random: Random): Condition<HeaderList> {
  const name = random.pick(headerNames);
  const lines = (...values: readonly string[]): HeaderList => values.map((value) => [name, value] as const);
  const condition = (
    matcher: JsonObject,
    hit: HeaderList,
    misses: readonly HeaderList[],
  ): Condition<HeaderList> => ({
    match: { name, ...matcher },
    hit,
    misses,
  });
  switch (random.between(0, 6)) {
    case 0:
      return condition({ present_match: true }, lines(random.pick(["", "v"])), [lines()]);
    case 1:
      return condition({ present_match: false }, lines(), [lines(""), lines("v")]);
    case 2:
      return condition({ range_match: { start: -5, end: 10 } }, lines(random.pick(["-5", "0", "9"])), [
        lines("10"),
        lines("-6"),
        lines("1.5"),
        lines("1x"),
        lines(""),
        lines("1", "2"),
        lines(),
      ]);
    case 3: {
      const { matcher, hits, misses } = textCondition(random);
      const isInverted = hits.length > 0 && misses.length > 0;
      return isInverted
        ? condition({ string_match: matcher, invert_match: true }, lines(random.pick(misses)), [
            ...hits.map((hit) => lines(hit)),
            lines(),
          ])
        : condition({ string_match: matcher }, lines(random.pick(hits)), [lines()]);
    }
    case 4:
      return condition({ string_match: { exact: "v,w" } }, random.pick([lines("v", "w"), lines("v,w")]), [
        lines("w", "v"),
        lines("v, w"),
        lines("v"),
      ]);
    case 5: {
      const form = random.pick(["exact_match", "prefix_match", "suffix_match", "contains_match"]);
      return condition({ [form]: "vw" }, lines("vw"), [lines("Vw"), lines("v"), lines()]);
    }
    default: {
      const { matcher, hits, misses } = textCondition(random);
      return condition({ string_match: matcher }, lines(random.pick(hits)), [
        ...misses.map((miss) => lines(miss)),
        lines(),
      ]);
    }
  }
}

/** A query parameter matcher; pieces of a query. */
export function queryCondition(random: Random): Condition<readonly string[]> {
  const name = random.pick(["q", "r"]);
  switch (random.between(0, 3)) {
    case 0:
      return {
        match: { name },
        hit: random.pick([[name], [`${name}=1`]]),
        misses: [[], [`${name}x=1`], [name.toUpperCase()]],
      };
    case 1:
      return { match: { name, present_match: false }, hit: [], misses: [[name], [`${name}=`]] };
    default: {
      const { matcher, hits, misses } = textCondition(random, ["v", "v%20w", "v+w"]);
      // a value is cut at "&", and a space would end the path
      const plain = (value: string): boolean => !/[ &#]/.test(value);
      const hit = hits.find(plain) ?? "v";
      return {
        match: { name, string_match: matcher },
        hit: [`${name}=${hit}`],
        misses: [
          ...misses.filter(plain).map((value) => [`${name}=${value}`]),
          [],
          ...misses
            .filter(plain)
            .slice(0, 1)
            .map((value) => [`${name}=${value}`, `${name}=${hit}`]),
        ],
      };
    }
  }
}
