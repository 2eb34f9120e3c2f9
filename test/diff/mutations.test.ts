/**
 * One thing changed in a resource is one difference, with its path. What says nothing, or one thing in several places, is
 * named here, with what is found instead.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { changesBetween, type Change } from "../../src/diff/changes.js";
import {
  canonicalText,
  isList,
  isObject,
  type JsonObject,
  type JsonValue,
} from "../../src/shared/json-value.js";
import { unorderedLists } from "../../src/diff/list-order.js";
import { semanticForm, semanticForms } from "../../src/diff/semantic-form.js";
import { currentExtensionName, typeForRoute, typeOfExtension } from "../../src/snapshot/v3/v2-names.js";
import { sectionKinds, type Resource } from "../../src/snapshot/model.js";
import { messageFields } from "../../src/snapshot/parse/field-table.js";
import { typeName } from "../../src/snapshot/parse/type-url.js";
import { aResource } from "../support/builders.js";
import { leavesOf, Mutations, valueChanged, type Mutation } from "../support/diff-mutations.js";
import { placesAt, type Place } from "../support/diff-paths.js";
import { corpusResources, meshResources, resourceOf } from "../support/diff-resources.js";
import { randomFor, type Random } from "../support/mesh/random.js";

const runs = 300;
const seed = 301;

const resources = [...meshResources(), ...corpusResources()];
const mutations = new Mutations(resources);
const formOf = semanticForms();

// Where a change is

const isSame = (one: JsonValue, other: JsonValue): boolean => canonicalText(one) === canonicalText(other);

/** The keys on the way to a change; its path must lead to what it says is there. */
function keysOf(
  { path, kind, before: old, after: now }: Change,
  before: JsonValue,
  after: JsonValue,
): readonly string[] {
  const start = path === "" || path.startsWith("[") ? path : `.${path}`;
  const [inBefore, inAfter] = [placesAt(before, start), placesAt(after, start)];
  const has = (value: JsonValue) => (place: Place) =>
    place.value !== undefined && (kind === "moved" ? isList(place.value) : isSame(place.value, value));
  // an item without a name has the number of its place in one of the two lists
  const places = [
    ...(kind === "added" ? [] : inBefore.filter(has(old))),
    ...(kind === "removed" ? [] : inAfter.filter(has(now))),
    ...(kind === "added" ? inBefore : kind === "removed" ? inAfter : []),
  ];
  expect(places, `${kind} ${path}`).not.toEqual([]);
  return places[0]!.keys;
}

// What is to be found

interface Found {
  readonly kind: Change["kind"];
  readonly keys: readonly string[];
}

interface Expected {
  readonly because: string;
  readonly changes: readonly Found[];
}

type Holder = JsonObject | readonly JsonValue[];

const memberOf = (holder: JsonValue | undefined, step: string | number): JsonValue | undefined =>
  (holder as Readonly<Record<string | number, JsonValue>>)[step];

const parentOf = ({ before, path }: Mutation): Holder =>
  path.slice(0, -1).reduce<JsonValue | undefined>(memberOf, before) as Holder;

const typeByName = (extension: JsonValue): string | undefined =>
  isObject(extension) && typeof extension["name"] === "string"
    ? typeOfExtension(currentExtensionName(extension["name"]))
    : undefined;

/** Fields that hold extensions, in which v2 may give a name only. */
const extensionFields: ReadonlySet<unknown> = new Set([
  "filters",
  "http_filters",
  "listener_filters",
  "access_log",
  "transport_socket",
  "retry_host_predicate",
]);

/** What a mutation gives where one thing stands in several places, or has several meanings; null where it does not. */
const severalChanges = (mutation: Mutation): Expected | null =>
  emptiedLocality(mutation) ?? nameOfHosts(mutation) ?? nameThatChooses(mutation) ?? configByName(mutation);

function emptiedLocality(mutation: Mutation): Expected | null {
  const keys = keysInV3(mutation);
  const parent = parentOf(mutation);
  const isLast = isObject(parent) || parent.length === 1;
  return keys.at(-1) === "lb_endpoints" && mutation.now === undefined && isLast
    ? {
        because: "a locality without hosts is none",
        changes: [{ kind: "removed", keys: keys.slice(0, -1) }],
      }
    : null;
}

function nameOfHosts({ path, before }: Mutation): Expected | null {
  return path.length === 1 && path[0] === "name" && isObject(before) && isList(before["hosts"])
    ? {
        because: "v2's hosts are an assignment, which has the cluster's name too",
        changes: [
          { kind: "changed", keys: ["name"] },
          { kind: "changed", keys: ["load_assignment", "cluster_name"] },
        ],
      }
    : null;
}

function nameThatChooses(mutation: Mutation): Expected | null {
  const { path } = mutation;
  const extension = parentOf(mutation);
  const holder = path.findLast((step, index) => typeof step === "string" && index < path.length - 1);
  const isChosen =
    path.at(-1) === "name" &&
    extensionFields.has(holder) &&
    isObject(extension) &&
    typeByName(extension) !== undefined &&
    extension["typed_config"] === undefined &&
    extension["config_discovery"] === undefined;
  if (!isChosen) return null;
  const item = keysInV3(mutation).slice(0, -1);
  if (typeof path.at(-2) === "number")
    return {
      because: "a name that chooses the extension: another one stands in the list",
      changes: [
        { kind: "removed", keys: item },
        { kind: "added", keys: item },
      ],
    };
  const config: Found[] =
    extension["config"] === undefined ? [] : [{ kind: "added", keys: [...item, "config"] }];
  return {
    because: "a name that chooses the extension: another one stands there",
    changes: [
      { kind: "changed", keys: [...item, "name"] },
      { kind: "removed", keys: [...item, "typed_config"] },
      ...config,
    ],
  };
}

function configByName(mutation: Mutation): Expected | null {
  const { path, old, now } = mutation;
  const isImplied =
    path.at(-1) === "typed_config" &&
    now === undefined &&
    isObject(old) &&
    old["@type"] === `type.googleapis.com/${typeByName(parentOf(mutation)) ?? ""}`;
  return isImplied
    ? {
        because: "the name alone stands for the extension with nothing set",
        changes: Object.keys(old)
          .filter((key) => key !== "@type")
          .map((key) => ({ kind: "removed", keys: [...keysInV3(mutation), key] })),
      }
    : null;
}

/** Where the form has what was said in other fields, by the field: all fields of v2 that the resources have, and Structs. */
const movedFields: Readonly<Record<string, (message: JsonObject) => readonly string[]>> = {
  hosts: () => ["load_assignment", "endpoints", "lb_endpoints", "endpoint", "address"],
  tls_context: () => ["transport_socket", "typed_config"],
  verify_subject_alt_name: () => ["match_subject_alt_names", "exact"],
  deprecated_v1: ({ deprecated_v1: old }) => (isObject(old) ? [] : ["deprecated_v1"]),
  use_websocket: () => ["upgrade_configs"],
  exact_match: () => ["string_match", "exact"],
  config: (message) => [typeByName(message) === undefined ? "config" : "typed_config"],
  per_filter_config: () => ["typed_per_filter_config"],
  value: ({ type_url: url }) =>
    typeof url === "string" && messageFields(typeName(url)) !== undefined ? [] : ["value"],
};

function keysInV3({ before, path, type }: Mutation): readonly string[] {
  let value: JsonValue | undefined = before;
  return path.flatMap((step, index): readonly string[] => {
    const holder: JsonValue | undefined = value;
    value = memberOf(holder, step);
    if (typeof step === "number") return [];
    // a form has v3's fields only
    if (type !== null) return [step];
    if (path[index - 1] === "per_filter_config")
      return [
        currentExtensionName(step),
        ...(typeForRoute(currentExtensionName(step)) === undefined ? ["value"] : []),
      ];
    return isObject(holder) && Object.hasOwn(movedFields, step) ? movedFields[step]!(holder) : [step];
  });
}

/** As the semantic form writes it: durations, 64 bits and the names of extensions. */
const written = (value: JsonValue): string =>
  isObject(value) || isList(value)
    ? canonicalText(value)
    : currentExtensionName(String(value).replace(/^(-?\d+)(?:\.0+|(\.\d*[1-9])0*)s$/, "$1$2s"));

/** How often each way of being found was met. */
type Count = Map<string, number>;

function verify(mutation: Mutation, before: JsonValue, after: JsonValue, count: Count): void {
  const changes = changesBetween(before, after);
  const found = changes.map((change): Found => ({ kind: change.kind, keys: keysOf(change, before, after) }));
  const met = (way: string): void => void count.set(way, (count.get(way) ?? 0) + 1);
  const several = severalChanges(mutation);
  if (several !== null) {
    met(several.because);
    const sorted = (list: readonly Found[]): string[] => list.map((item) => JSON.stringify(item)).sort();
    expect(sorted(found)).toEqual(sorted(several.changes));
    return;
  }
  const { old, now } = mutation;
  const keys = keysInV3(mutation);
  const kind = old === undefined ? "added" : now === undefined ? "removed" : "changed";
  expect(found).toHaveLength(1);
  const [change] = changes as [Change];
  const [{ keys: at }] = found as [Found];
  met(change.kind);
  if (change.kind === kind && at.length === keys.length) {
    expect(at).toEqual(keys);
    // without its last item a list is left out, but for data of the user's own
    const parent = parentOf(mutation);
    const isLastItem = isList(parent) && parent.length === 1;
    if (old !== undefined)
      expect([written(old), ...(isLastItem ? [written([old])] : [])]).toContain(written(change.before));
    if (now !== undefined) expect(written(change.after)).toBe(written(now));
    return;
  }
  // what says nothing is left out, and with it what holds nothing else
  expect([kind, change.kind]).not.toEqual(["added", "removed"]);
  expect([kind, change.kind]).not.toEqual(["removed", "added"]);
  expect(change.kind).not.toBe("changed");
  expect(at).toEqual(keys.slice(0, at.length));
  const inside = keys.slice(at.length);
  const besides = [...leavesOf(change.kind === "added" ? change.after : change.before)].filter((leaf) => {
    const own = leaf.path.filter((step) => typeof step === "string");
    return inside.some((key, index) => key !== own[index]);
  });
  expect(besides.map((leaf) => leaf.path)).toEqual([]);
}

const kindsOfResources = sectionKinds.filter((kind) => resources.some((resource) => resource.kind === kind));

/** Holds for any resource of a kind and any choice of what is changed; null where it has nothing to choose from. */
function law(
  says: string,
  mutate: (resource: Resource, random: Random) => Mutation | null,
  ways: readonly string[],
  check: typeof verify = verify,
): void {
  describe(says, () => {
    const count: Count = new Map();
    it.each(kindsOfResources)(`of a %s (${runs} runs)`, (kind) => {
      const own = resources.filter((resource) => resource.kind === kind);
      let made = 0;
      fc.assert(
        fc.property(fc.constantFrom(...own.keys()), fc.nat(), (index, choice) => {
          const resource = own[index]!;
          const mutation = mutate(resource, randomFor(choice, says));
          if (mutation === null) return;
          made++;
          const after = semanticForm(resourceOf(kind, mutation.after as JsonObject)).value;
          check(mutation, formOf(resource).value, after, count);
        }),
        { numRuns: runs, seed },
      );
      expect(made).toBeGreaterThan(0);
    });
    it("in every way", () => {
      expect([...count.keys()]).toEqual(expect.arrayContaining([...ways]));
    });
  });
}

describe("is found, with its path, exactly once:", () => {
  law("another value", valueChanged, ["changed", "added", "removed"]);
  law("a field less", (...given) => mutations.memberRemoved(...given), ["removed"]);
  law("a field more", (...given) => mutations.memberAdded(...given), ["added"]);
  law("an item less", (...given) => mutations.itemRemoved(...given), ["removed"]);
  law("an item more", (...given) => mutations.itemAdded(...given), ["added"]);
  law(
    "two items in each other's place",
    (...given) => mutations.itemsSwapped(...given),
    ["moved", "no order"],
    verifySwap,
  );
});

function verifySwap(mutation: Mutation, before: JsonValue, after: JsonValue, count: Count): void {
  const found = changesBetween(before, after).map((change): Found => ({
    kind: change.kind,
    keys: keysOf(change, before, after),
  }));
  const keys = keysInV3(mutation);
  const isUnordered = unorderedLists.get(mutation.type ?? "")?.has(keys.at(-1) ?? "") === true;
  count.set(isUnordered ? "no order" : "moved", 1);
  expect(found).toEqual(isUnordered ? [] : [{ kind: "moved", keys }]);
}

it("a host whose address says one thing more stands where it stood", () => {
  const hosts = (more: JsonObject): JsonValue =>
    semanticForm(
      resourceOf(
        "endpointAssignment",
        aResource("endpointAssignment", "a", {
          endpoints: [
            {
              lb_endpoints: [80, 90].map((port) => ({
                endpoint: {
                  address: {
                    socket_address: { address: "10.0.0.1", port_value: port, ...(port === 90 ? more : {}) },
                  },
                },
              })),
            },
          ],
        }),
      ),
    ).value;
  expect(changesBetween(hosts({}), hosts({ ipv4_compat: true }))).toEqual([
    {
      path: "endpoints[priority 0].lb_endpoints[10.0.0.1:90].endpoint.address.socket_address.ipv4_compat",
      kind: "added",
      before: null,
      after: true,
    },
  ]);
});
