/**
 * What a resource means to Envoy, so that two ways of saying one thing are equal and nothing else is: lists in an order
 * of their own where Envoy ignores their order, v3's words for v2's, one spelling of durations and numbers, protobuf's
 * defaults left out, and the artefacts of Envoy's dumps taken off (Envoy, docs/root/operations/admin.rst and
 * source/common/upstream: endpoint dumps are rebuilt from live hosts).
 */
import type { Resource } from "../snapshot/model.js";
import { currentName, messageFields, type FieldValue } from "../snapshot/parse/field-table.js";
import { typeName } from "../snapshot/parse/type-url.js";
import { withoutDumpArtefacts, withoutRepeatedHosts } from "./dump-artefacts.js";
import {
  canonicalText,
  isList,
  isObject,
  objectOf,
  type JsonObject,
  type JsonValue,
} from "../shared/json-value.js";
import { orderOf } from "./list-order.js";
import {
  fieldName,
  isFreeForm,
  properlyNamed,
  resourceTypes,
  withoutTypedStruct,
} from "../snapshot/v3/typed-message.js";
import { inV3 } from "../snapshot/v3/v2-spelling.js";

export interface SemanticForm {
  readonly value: JsonValue;
  /** Canonical JSON: equal texts, equal meaning. */
  readonly text: string;
}

/** `unknown`: newer than the field table, so what is in it nobody tells. */
type Shape = FieldValue | { readonly kind: "unknown" };
const unknown: Shape = { kind: "unknown" };

/** The meaning of one resource. Costs a parse: keep the result by the resource's hash (`semanticForms`). */
export function semanticForm(resource: Pick<Resource, "kind" | "text">): SemanticForm {
  const parsed = JSON.parse(resource.text) as JsonValue;
  const value = meaning(parsed, { kind: "any", type: resourceTypes[resource.kind] });
  return { value, text: canonicalText(value) };
}

/** The same, worked out once per distinct resource. */
export function semanticForms(): (resource: Resource) => SemanticForm {
  const known = new Map<string, SemanticForm>();
  return (resource) => {
    let form = known.get(resource.hash);
    if (form === undefined) {
      form = semanticForm(resource);
      known.set(resource.hash, form);
    }
    return form;
  };
}

function meaning(value: JsonValue, shape: Shape): JsonValue {
  if (isList(value)) return value.map((item) => meaning(item, shape));
  if (isObject(value))
    return shape.kind === "opaque" || shape.kind === "scalar" ? value : objectMeaning(value, shape);
  if (shape.kind !== "scalar") return value;
  if (shape.form === "duration" && typeof value === "string") return duration(value);
  // 64 bits are written as text, and may be read as a number
  if (shape.form === "int64" && typeof value === "number") return String(value);
  return value;
}

function objectMeaning(value: JsonObject, shape: Shape): JsonValue {
  if (shape.kind === "map")
    return sorted(Object.entries(value).map(([key, item]) => [key, meaning(item, shape.value)]));
  const isAny = shape.kind === "any" || (shape.kind === "unknown" && value["@type"] !== undefined);
  if (shape.kind === "unknown" && !isAny) return unknownMessage(value);
  const unwrapped = isAny ? withoutTypedStruct(value) : value;
  const url = isAny ? unwrapped["@type"] : undefined;
  const type = currentName(
    shape.kind === "message"
      ? shape.type
      : typeof url === "string"
        ? typeName(url)
        : shape.kind === "any"
          ? (shape.type ?? "")
          : "",
  );
  const fields = messageFields(type);
  // dumps of Istio 1.4 and before name no types
  const named = isAny && type !== "" ? { ...unwrapped, "@type": `type.googleapis.com/${type}` } : unwrapped;
  if (fields === undefined) return isFreeForm(type) ? named : unknownMessage(named);
  const message = inV3(type, withoutRepeatedHosts(type, properlyNamed(named, fields)));
  const members: [string, JsonValue][] = [];
  for (const [key, item] of Object.entries(message)) {
    const field = fields.get(key);
    const of = field?.value ?? unknown;
    const meant = meaning(item, of);
    if (isDefault(meant, of)) continue;
    members.push([key, isList(meant) ? orderOf(type, key, meant) : meant]);
  }
  return withoutDumpArtefacts(type, sorted(members));
}

/** By key: moved fields stand where v3 has them, so that texts can be compared line by line. */
const sorted = (members: [string, JsonValue][]): JsonObject =>
  objectOf(members.sort(([one], [other]) => (one < other ? -1 : 1)));

/** Absent and default are the same to protobuf, but for what has presence. */
function isDefault(value: JsonValue, shape: Shape): boolean {
  if (value === null) return shape.kind !== "opaque" && shape.kind !== "unknown";
  if (isList(value)) return value.length === 0;
  if (shape.kind === "map") return isObject(value) && Object.keys(value).length === 0;
  if (shape.kind !== "scalar" || shape.zero === undefined) return false;
  return (
    value === false ||
    value === 0 ||
    value === "" ||
    value === shape.zero ||
    (shape.form === "int64" && value === "0")
  );
}

/**
 * What the field table does not know, in the spelling of one of the sides: Istiod writes lowerCamelCase, Envoy snake_case.
 * Keys of maps in it are read as names too, which does no harm but where one map has both spellings of a word.
 */
function unknownMessage(value: JsonObject): JsonObject {
  const members = Object.entries(value).map(([key, item]): [string, JsonValue] => [
    fieldName(key),
    meaning(item, unknown),
  ]);
  return new Set(members.map(([key]) => key)).size === members.length
    ? sorted(members)
    : objectOf(Object.entries(value).map(([key, item]) => [key, meaning(item, unknown)]));
}

/** `10.000s` and `10s` are one duration, `-0s` and `0s` too. */
function duration(text: string): string {
  const match = /^(-?)0*(\d+)(?:\.(\d+?)0*)?s$/.exec(text);
  if (match === null) return text;
  const [, sign = "", seconds = "0", fraction] = match;
  const plain = `${seconds}${fraction === undefined || fraction === "0" ? "" : `.${fraction}`}`;
  return `${plain === "0" ? "" : sign}${plain}s`;
}
