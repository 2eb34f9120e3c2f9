/** Headers that routes add, overwrite and remove (`source/common/router/header_parser.cc`). */
import { child, children, field, flag, text, texts, type Message } from "../../snapshot/message.js";
import { isInlineHeader } from "../matchers/inline-headers.js";
import { asciiLower } from "../matchers/string-matcher.js";
import type { HeaderList } from "../request.js";
import { unknown, type Unknown } from "../unknown.js";
import { format, headerFormat, type FormatInput } from "./formatters.js";
import { mutationLevels, type RouteEntry } from "./route-entry.js";

export interface MutatedHeaders {
  readonly headers: HeaderList;
  readonly unknowns: readonly Unknown[];
}

type AppendAction = (typeof appendActions)[number];
const appendActions = [
  "APPEND_IF_EXISTS_OR_ADD",
  "ADD_IF_ABSENT",
  "OVERWRITE_IF_EXISTS_OR_ADD",
  "OVERWRITE_IF_EXISTS",
] as const;

/** What a level asks for. */
export interface HeaderMutations {
  /** `HeaderValueOption`s. */
  readonly toAdd: readonly Message[];
  readonly toRemove: readonly string[];
}

/** Changes the headers of a request by all levels of a route. */
export function mutateRequest(
  entry: RouteEntry,
  input: Omit<FormatInput, "response" | "entry">,
): MutatedHeaders {
  return mutateByLevels(mutationLevels(entry), "request", input.request, (headers) => ({
    ...input,
    request: headers,
    response: null,
    entry,
  }));
}

/** Changes the headers of a response by all levels of a route. */
export function mutateResponse(
  entry: RouteEntry,
  response: HeaderList,
  input: Omit<FormatInput, "response" | "entry">,
): MutatedHeaders {
  return mutateByLevels(mutationLevels(entry), "response", response, (headers) => ({
    ...input,
    response: headers,
    entry,
  }));
}

function mutateByLevels(
  levels: readonly Message[],
  kind: "request" | "response",
  headers: HeaderList,
  inputFor: (headers: HeaderList) => FormatInput,
): MutatedHeaders {
  let current = headers;
  const unknowns: Unknown[] = [];
  for (const level of levels) {
    const mutations = {
      toAdd: children(level, `${kind}_headers_to_add`),
      toRemove: texts(level, `${kind}_headers_to_remove`),
    };
    const mutated = mutateHeaders(current, mutations, inputFor);
    current = mutated.headers;
    unknowns.push(...mutated.unknowns);
  }
  return { headers: current, unknowns };
}

/**
 * One level: removals; then all values are formatted, with the headers as they are then; then what overwrites; then what is
 * added.
 */
export function mutateHeaders(
  headers: HeaderList,
  { toAdd, toRemove }: HeaderMutations,
  inputFor: (headers: HeaderList) => FormatInput,
): MutatedHeaders {
  const unknowns: Unknown[] = [];
  const removed = new Set(toRemove.map(asciiLower).filter((name) => isModifiable(name, unknowns)));
  const left = removed.size === 0 ? headers : headers.filter(([name]) => !removed.has(name));
  const input = inputFor(left);
  const there = new Set(left.map(([name]) => name));
  const overwritten = new Map<string, string>();
  const added: [string, string][] = [];
  for (const option of toAdd) {
    const header = child(option, "header");
    const name = asciiLower(text(header, "key"));
    if (!isModifiable(name, unknowns)) continue;
    const value = format(headerFormat(header), input);
    unknowns.push(...value.unknowns);
    if (value.text === "" && flag(option, "keep_empty_value") !== true) continue;
    const action = appendAction(option);
    if (action === "APPEND_IF_EXISTS_OR_ADD" || (action === "ADD_IF_ABSENT" && !there.has(name)))
      added.push([name, value.text]);
    else if (
      action === "OVERWRITE_IF_EXISTS_OR_ADD" ||
      (action === "OVERWRITE_IF_EXISTS" && there.has(name))
    ) {
      overwritten.delete(name); // the last one counts, and stands where it was set
      overwritten.set(name, value.text);
    }
  }
  const kept = overwritten.size === 0 ? left : left.filter(([name]) => !overwritten.has(name));
  return { headers: withAllAdded([...kept, ...overwritten], added), unknowns };
}

/** Pseudo headers and the host are not for these fields: Envoy refuses such a configuration. */
function isModifiable(name: string, unknowns: Unknown[]): boolean {
  if (name !== "" && !name.startsWith(":") && name !== "host") return true;
  unknowns.push(
    unknown("expression", `Envoy would have refused to change the header ${JSON.stringify(name)}.`),
  );
  return false;
}

/** A header of which there is one entry is lengthened, another one gets a line more. */
export const withAdded = (headers: HeaderList, name: string, value: string): HeaderList =>
  withAllAdded(headers, [[name, value]]);

/** As `withAdded`, one after the other. */
export function withAllAdded(headers: HeaderList, added: HeaderList): HeaderList {
  const result = headers.map(([name, value]): [string, string] => [name, value]);
  const inline = new Map(
    result.filter(([name]) => isInlineHeader(name)).map((header) => [header[0], header]),
  );
  for (const [name, value] of added) {
    const own = inline.get(name);
    if (own !== undefined) own[1] += `,${value}`;
    else {
      const header: [string, string] = [name, value];
      result.push(header);
      if (isInlineHeader(name)) inline.set(name, header);
    }
  }
  return result;
}

function appendAction(option: Message): AppendAction {
  const append = flag(option, "append");
  if (append !== undefined) return append ? "APPEND_IF_EXISTS_OR_ADD" : "OVERWRITE_IF_EXISTS_OR_ADD";
  const action = field(option, "append_action");
  const name = typeof action === "number" ? appendActions[action] : action;
  return appendActions.find((one) => one === name) ?? "APPEND_IF_EXISTS_OR_ADD";
}
