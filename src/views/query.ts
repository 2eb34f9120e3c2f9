import { Worker } from "node:worker_threads";

import { JSONPath } from "jsonpath-plus";

import { messageOf, UserError } from "../shared/errors.js";
import { excerpt } from "../shared/printable.js";
import { pointerToken } from "../snapshot/parse/config-dump.js";

export interface Hit {
  /** RFC 6901, where the value stands. */
  readonly pointer: string;
  readonly value: unknown;
}
export interface QueriedDump {
  readonly proxy: string;
  readonly entry: string;
  readonly bytes: Uint8Array;
}
export interface QueryHit extends Hit {
  readonly proxy: string;
  readonly entry: string;
}
export interface QueryOptions {
  /** How long one dump may take. */
  readonly timeLimitMs: number;
  /** Hits of all dumps together, after which the query ends. */
  readonly limitHits: number;
  /** Told of every dump that could not be queried. */
  readonly onProblem?: (entry: string, message: string) => void;
}

/** What the thread is asked, and what it answers. */
export interface QueryTask {
  readonly entry: string;
  readonly bytes: Uint8Array;
  readonly path: string;
  readonly limitHits: number;
}
export type QueryAnswer = { readonly hits: readonly Hit[] } | { readonly problem: string };

/**
 * What a JSONPath finds in a document, each place once, in the order of the document.
 *
 * jsonpath-plus walks; the path is read and its filters are computed here. What it would find in no JSON document, such as
 * the length of a list or a letter of a text, is no hit.
 * @throws UserError saying where the path is wrong
 */
export function queryJson(json: unknown, path: string, { limitHits }: { readonly limitHits: number }): Hit[] {
  const { stages, filters } = readPath(path);
  if (limitHits <= 0) return [];
  if (typeof json !== "object" || json === null)
    return stages.length === 1 && stages[0] === "$" ? [{ pointer: "", value: json }] : [];
  const places = placesOf(json);
  let starts: readonly object[] = [json];
  try {
    for (const stage of stages.slice(0, -1)) {
      const parents = starts.flatMap((start) => search(start, stage, { json, filters, places }));
      starts = [...new Set(parents.map(({ parent }) => parent))].filter((parent) => parent !== null);
    }
    const hits = new Map<string, Hit>();
    for (const start of starts) {
      const limit = limitHits - hits.size;
      if (limit <= 0) break;
      for (const { pointer, value } of search(start, stages.at(-1) ?? "$", { json, filters, places, limit }))
        hits.set(pointer, { pointer, value });
    }
    return [...hits.values()].slice(0, limitHits);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError(`${quoted(path)} cannot be followed: the document is nested too deeply`);
  }
}

/**
 * What a JSONPath finds in dumps, one after the other. Paths come from strangers and can take forever: they are followed
 * in a thread, which is ended when one dump takes longer than the limit.
 * @throws UserError saying where the path is wrong, or at which proxy it took too long
 */
export async function* runQuery(
  dumps: AsyncIterable<QueriedDump>,
  path: string,
  { timeLimitMs, limitHits, onProblem }: QueryOptions,
): AsyncGenerator<QueryHit, void, undefined> {
  readPath(path);
  let left = limitHits;
  if (left <= 0) return;
  let thread: QueryThread | undefined;
  try {
    for await (const { proxy, entry, bytes } of dumps) {
      thread ??= await QueryThread.start();
      const answer = await thread.ask(
        { entry, bytes, path, limitHits: left },
        timeLimitMs,
        `${proxy} (${entry})`,
      );
      if ("problem" in answer) {
        onProblem?.(entry, answer.problem);
        continue;
      }
      for (const hit of answer.hits) yield { proxy, entry, ...hit };
      left -= answer.hits.length;
      if (left <= 0) return;
    }
  } finally {
    await thread?.end();
  }
}

/** A thread that answers one task at a time. */
class QueryThread {
  readonly #worker = startWorker();
  #settle: { resolve: (message: unknown) => void; reject: (error: unknown) => void } | null = null;

  private constructor() {
    this.#worker.on("message", (message) => this.#settle?.resolve(message));
    this.#worker.on("error", (error) => this.#settle?.reject(error));
    this.#worker.on("exit", (code) =>
      this.#settle?.reject(new Error(`the query's thread ended with ${code}`)),
    );
  }

  static async start(): Promise<QueryThread> {
    const thread = new QueryThread();
    await thread.#message();
    return thread;
  }

  async ask(task: QueryTask, timeLimitMs: number, where: string): Promise<QueryAnswer> {
    const bytes = new Uint8Array(task.bytes);
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = this.#message();
      this.#worker.postMessage({ ...task, bytes }, [bytes.buffer]);
      const limit = Math.min(timeLimitMs, longestTimer);
      timer = setTimeout(() => this.#settle?.reject(tooSlow(task.path, limit, where)), limit);
      return (await answer) as QueryAnswer;
    } catch (error) {
      throw outOfMemory(error)
        ? new UserError(`the query ${quoted(task.path)} needs too much memory at ${where}: narrow the path`)
        : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #message(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }
}

/** What setTimeout can take. */
const longestTimer = 2 ** 31 - 1;

const tooSlow = (path: string, limit: number, where: string): UserError =>
  new UserError(
    `the query ${quoted(path)} took longer than ${limit} ms at ${where} and was stopped: narrow the path, or raise the limit`,
  );
const outOfMemory = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";

/** The thread from the file beside this one, which is TypeScript where this one is. */
function startWorker(): Worker {
  const here = import.meta.url;
  if (!here.endsWith(".ts")) return new Worker(new URL("./query-worker.js", here));
  // `--import tsx` has no effect in threads of Node 20
  const [loader, file] = ["tsx/esm/api", "./query-worker.ts"].map((name) => import.meta.resolve(name));
  return new Worker(
    `import(${JSON.stringify(loader)}).then(({ tsImport }) => tsImport(${JSON.stringify(file)}, ${JSON.stringify(here)}))`,
    { eval: true, execArgv: [] },
  );
}

// The search

/** What a stage of a path finds. */
interface Place {
  readonly pointer: string;
  readonly value: unknown;
  /** What holds it; null for the whole document. */
  readonly parent: object | null;
}
interface SearchOptions {
  readonly json: object;
  readonly filters: readonly Expression[];
  readonly places: ReadonlyMap<unknown, Place>;
  readonly limit?: number;
}

/** What jsonpath-plus says of a hit. */
interface Found {
  readonly value: unknown;
  /** null for what the search started at. */
  readonly parent: unknown;
  /** null for a name (`~`). */
  readonly parentProperty: unknown;
}
interface FilterContext {
  readonly _$_v?: unknown;
  readonly _$_property?: unknown;
}

/** Thrown at jsonpath-plus when there are enough hits. */
const enough = new Error("enough hits");

/** Follows one stage of a path, and finds each place once. */
function search(start: object, steps: string, { json, filters, places, limit }: SearchOptions): Place[] {
  const found = new Map<string, Place>();
  // it keeps every path and filter it ever saw, and finds filters by their text: ours are only numbers
  JSONPath.cache = Object.create(null) as unknown;
  try {
    JSONPath({
      path: steps,
      json: start,
      wrap: true,
      eval: (filter: string, { _$_v: current, _$_property: property }: FilterContext) =>
        filters[Number(filter)]?.({ current, property, root: json }),
      callback: (_: unknown, kind: "value" | "property", item: Found) => {
        const place =
          item.parent === null
            ? places.get(start)
            : placeIn(item, kind === "property" ? item.value : item.parentProperty, places);
        if (place === undefined) return;
        found.set(place.pointer, place);
        if (found.size === limit) throw enough;
      },
    });
  } catch (error) {
    if (error !== enough) throw error;
  }
  return [...found.values()];
}

/** Where `key` of an item's parent stands; undefined where JSON has no such place. */
function placeIn(
  { value, parent }: Found,
  key: unknown,
  places: ReadonlyMap<unknown, Place>,
): Place | undefined {
  const above = places.get(parent)?.pointer;
  if (above === undefined || (typeof key !== "string" && typeof key !== "number")) return undefined;
  if (Array.isArray(parent) && !/^\d+$/.test(String(key))) return undefined;
  return { pointer: `${above}/${pointerToken(String(key))}`, value, parent: parent as object };
}

/**
 * Every object and list of a document. The pointers of jsonpath-plus lack keys that look like its operators, such as "~",
 * and take as long again as the search.
 */
function placesOf(json: object): Map<unknown, Place> {
  const places = new Map<unknown, Place>([[json, { pointer: "", value: json, parent: null }]]);
  for (const [parent, { pointer }] of places as Map<object, Place>)
    for (const [key, value] of Object.entries(parent) as [string, unknown][])
      if (typeof value === "object" && value !== null)
        places.set(value, { pointer: `${pointer}/${pointerToken(key)}`, value, parent });
  return places;
}

// The path

interface Path {
  /** For jsonpath-plus, with a number in the place of each filter; each but the first starts at the parents of what was found. */
  readonly stages: readonly string[];
  readonly filters: readonly Expression[];
}

/** Names that jsonpath-plus reads as such; others are found by a filter, for they may hold its operators. */
const plainName = /^[A-Za-z_]\w*$/;
/** A name after a dot: to the next step, or to an operator on types such as `@string()`. */
const dottedName = /(?:[^.[\]()'"^~@,;\s]|@(?!\w+\(\)))+/y;
const typeOperator = /@(\w+)\(\)/y;
const types = new Set("null boolean number string integer scalar array object".split(" "));
const indexes = /^(?:\d+)(?:\s*,\s*\d+)*$/;
const slice = /^(-?\d*):(-?\d*)(?::(\d*))?$/;
const quotedName = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*/y;

/**
 * A JSONPath in the form that jsonpath-plus understands without fail: it takes nearly every text for a path, silently
 * misreads brackets and quotes in filters, and gives names that begin with "@", such as "@type", another meaning.
 * @throws UserError saying where the path is wrong
 */
function readPath(path: string): Path {
  const fail = (at: number, reason: string): never => {
    throw new UserError(`${quoted(path)} is not a path that we can follow: character ${at + 1}: ${reason}`);
  };
  const filters: Expression[] = [];
  const filter = (expression: Expression): string => `[?(${filters.push(expression) - 1})]`;
  /** Not `[*]`, which after a name is the key "*" where there is one. */
  const all = (): string => filter(() => true);
  const names = (wanted: readonly string[]): string => {
    const [name = ""] = wanted;
    if (wanted.length === 1 && plainName.test(name)) return `['${name}']`;
    const set = new Set(wanted);
    return filter(({ property }) => set.has(String(property)));
  };
  const match = (pattern: RegExp, at: number): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(path);
  };

  const end = path.trimEnd().length;
  let at = path.length - path.trimStart().length;
  if (path[at] !== "$") fail(at, 'a path begins with "$", as in "$.configs" or "$..name"');
  at++;
  const stages: string[] = [];
  let steps = "$";

  /** `'a'` and `"a","b"`, from behind the bracket. */
  const bracketedNames = (): string => {
    const wanted: string[] = [];
    const start = at;
    for (;;) {
      const [text = fail(at, "a name in quotes is missing, or its quote is not closed"), single, double] =
        match(quotedName, at) ?? [];
      wanted.push((single ?? double ?? "").replace(/\\(.)/g, "$1"));
      at += text.length;
      if (path[at] === "]") return names(wanted);
      if (path[at] !== ",") fail(at, `a "]" is missing for the "[" at character ${start}`);
      at++;
    }
  };
  /** What stands in brackets; `at` is behind the opening one, and after it at the closing one. */
  const brackets = (): string => {
    const start = at;
    while (path[at] === " ") at++;
    if (path[at] === "'" || path[at] === '"') return bracketedNames();
    if (path[at] === "(")
      fail(at, 'computed names are not supported; the last element is "[-1]", a filter "[?(...)]"');
    const { close, source } = filterSource(path, at);
    if (close < 0) fail(start - 1, 'this "[" is not closed');
    const content = path.slice(at, close).trim();
    const inside = at;
    at = close;
    if (path[inside] === "?")
      return filter(readFilter(source.slice(1), (offset, reason) => fail(inside + 1 + offset, reason)));
    if (content === "*") return all();
    if (indexes.test(content)) return `[${content.replaceAll(/\s/g, "")}]`;
    if (/^-\d+$/.test(content)) return content === "-1" ? "[-1:]" : `[${content}:${Number(content) + 1}]`;
    const [, , until, step] = slice.exec(content) ?? [];
    if (until !== undefined) {
      if (step !== undefined && Number(step) === 0 && step !== "") fail(inside, "a step of 0 leads nowhere");
      // jsonpath-plus takes an end of 0 for none
      return until !== "" && Number(until) === 0 ? filter(() => false) : `[${content}]`;
    }
    if (plainName.test(content)) return names([content]);
    return fail(inside, `${quoted(content)} is no name in quotes, index, slice, "*" or filter "?(...)"`);
  };
  /** What comes after a dot. */
  const dotted = (): string => {
    if (path[at] === "*") {
      at++;
      return all();
    }
    const [name = fail(at, 'a name or "*" is missing')] = match(dottedName, at) ?? [];
    at += name.length;
    return names([name]);
  };

  while (at < end) {
    if (path[at] === "[") {
      at++;
      steps += brackets();
      at++;
    } else if (path.startsWith("..", at)) {
      at += 2;
      steps += "..";
      if (path[at] !== "[") steps += dotted();
    } else if (path[at] === "^") {
      // jsonpath-plus has such an operator, but loses its way with two of them behind ".."
      if (steps === "$" && stages.length === 0) fail(at, "nothing is above the whole document");
      at++;
      stages.push(steps);
      steps = "$";
    } else if (path[at] === "~") {
      if (steps === "$") fail(at, 'a name is missing before "~"');
      at++;
      steps += "~";
      if (at < end) fail(at, 'nothing can follow "~", which is the name of what was found');
    } else {
      const start = at;
      if (path[at] === ".") at++;
      const [operator, type = ""] = match(typeOperator, at) ?? [];
      if (operator !== undefined) {
        if (steps === "$") fail(at, `a name is missing before ${quoted(operator)}`);
        if (!types.has(type)) fail(at, `${quoted(operator)} is no type: ${[...types].join(", ")}`);
        at += operator.length;
        steps += operator;
        if (at < end) fail(at, `nothing can follow ${quoted(operator)}`);
      } else if (at > start) steps += dotted();
      else fail(at, `"." or "[" is missing before ${quoted(path.slice(at))}`);
    }
  }
  return { stages: [...stages, steps], filters };
}

/** The sign for "@" in a filter's source: a letter, of as many characters, to the parser of filters. */
const atSign = "ⓐ";

/**
 * Finds the bracket that closes one which was opened before `start`, past brackets, quotes and regular expressions in
 * between, and the text up to it with `atSign` for every "@" that is none of a text's.
 * @returns close -1 where there is none
 */
function filterSource(path: string, start: number): { close: number; source: string } {
  let source = "";
  let depth = 0;
  for (let at = start; at < path.length; at++) {
    const character = path[at] ?? "";
    const isPattern = character === "/" && /(?:^|[(,=!&|?:[<>])\s*$/.test(source);
    if (character === "'" || character === '"' || isPattern) {
      const close = endOfLiteral(path, at);
      source += path.slice(at, close + 1);
      at = close;
      continue;
    }
    if (character === "]" && depth === 0) return { close: at, source };
    if (character === "[" || character === "(") depth++;
    if (character === "]" || character === ")") depth = Math.max(0, depth - 1);
    source += character === "@" ? atSign : character;
  }
  return { close: -1, source };
}

/** Where a quoted text or a regular expression ends; the length of the path where it does not. */
function endOfLiteral(path: string, start: number): number {
  const quote = path[start];
  let inClass = false;
  for (let at = start + 1; at < path.length; at++) {
    const character = path[at];
    if (character === "\\") at++;
    else if (quote === "/" && character === "[") inClass = true;
    else if (quote === "/" && character === "]") inClass = false;
    else if (character === quote && !inClass) return at;
  }
  return path.length;
}

const quoted = (text: string): string => `"${excerpt(text, 120)}"`;

// Filters

interface Scope {
  readonly current: unknown;
  readonly property: unknown;
  readonly root: unknown;
}
type Expression = (scope: Scope) => unknown;

/** A syntax tree as jsep gives it, the parser inside jsonpath-plus. */
interface SyntaxNode {
  readonly type: string;
  readonly value?: unknown;
  readonly name?: string;
  readonly operator?: string;
  readonly computed?: boolean;
  readonly object?: SyntaxNode;
  readonly property?: SyntaxNode;
  readonly callee?: SyntaxNode;
  readonly arguments?: readonly SyntaxNode[];
  readonly argument?: SyntaxNode;
  readonly left?: SyntaxNode;
  readonly right?: SyntaxNode;
  readonly test?: SyntaxNode;
  readonly consequent?: SyntaxNode;
  readonly alternate?: SyntaxNode;
  readonly elements?: readonly SyntaxNode[];
}
const { Script } = (
  JSONPath as unknown as {
    readonly prototype: { readonly safeVm: { readonly Script: new (code: string) => { ast: SyntaxNode } } };
  }
).prototype.safeVm;

/**
 * Reads a filter. jsonpath-plus' own "safe" evaluation is not used: it reaches methods and prototypes, so that
 * `?(@.match)` would be true of every text, and one missing field would end the query. Here only own fields are seen, a
 * missing one is undefined, and there are the methods of `methods` and no others.
 */
function readFilter(source: string, fail: (offset: number, reason: string) => never): Expression {
  try {
    return expression(new Script(source).ast);
  } catch (error) {
    if (error instanceof FilterError) return fail(0, error.message);
    if (error instanceof RangeError) return fail(0, "the filter is nested too deeply");
    const { index, description } = error as { readonly index?: unknown; readonly description?: unknown };
    return fail(
      typeof index === "number" ? index : 0,
      (typeof description === "string" ? description : messageOf(error)).replaceAll(atSign, "@"),
    );
  }
}

class FilterError extends Error {}

function expression(node: SyntaxNode | undefined): Expression {
  switch (node?.type) {
    case "Literal": {
      const { value } = node;
      return () => value;
    }
    case "Identifier":
      return variable(node.name ?? "");
    case "MemberExpression": {
      const object = expression(node.object);
      const name = (node.property?.name ?? "").replaceAll(atSign, "@");
      const key = node.computed === true ? expression(node.property) : () => name;
      return (scope) => member(object(scope), key(scope));
    }
    case "CallExpression":
      return call(node);
    case "ArrayExpression": {
      const elements = (node.elements ?? []).map(expression);
      return (scope) => elements.map((element) => element(scope));
    }
    case "ConditionalExpression": {
      const [test, yes, no] = [node.test, node.consequent, node.alternate].map(expression);
      return (scope) => (test?.(scope) ? yes?.(scope) : no?.(scope));
    }
    case "UnaryExpression": {
      const operand = expression(node.argument);
      if (node.operator === "!") return (scope) => !operand(scope);
      if (node.operator === "-") return (scope) => -number(operand(scope));
      throw new FilterError(`the operator ${quoted(node.operator ?? "")} is not supported`);
    }
    case "BinaryExpression":
    case "LogicalExpression":
      return binary(node);
    case "AssignmentExpression":
      throw new FilterError('nothing can be assigned; two equal signs, "==", compare');
    case "Compound":
    case "SequenceExpression":
      throw new FilterError("one expression is needed; an operator may be missing between two");
    default:
      throw new FilterError("this is no expression that we can compute");
  }
}

function variable(name: string): Expression {
  switch (name) {
    case atSign:
      return ({ current }) => current;
    case `${atSign}property`:
      return ({ property }) => property;
    case `${atSign}root`:
    case "$":
      return ({ root }) => root;
    default:
      throw new FilterError(
        name.startsWith(atSign)
          ? `${quoted(name.replaceAll(atSign, "@"))} is unknown; there are "@", "@property" and "@root"`
          : `${quoted(name)} is unknown; a field is written "@.${name}", a text in quotes`,
      );
  }
}

/** An own field of an object, list or text; undefined for all others. */
function member(object: unknown, key: unknown): unknown {
  if (typeof key !== "string" && typeof key !== "number") return undefined;
  if (typeof object !== "string" && (typeof object !== "object" || object === null)) return undefined;
  return Object.hasOwn(Object(object) as object, key)
    ? (object as Readonly<Record<string | number, unknown>>)[key]
    : undefined;
}

function call({ callee, arguments: argumentNodes = [] }: SyntaxNode): Expression {
  const name = callee?.type === "MemberExpression" && callee.computed !== true ? callee.property?.name : "";
  const method = Object.hasOwn(methods, name ?? "") ? methods[name ?? ""] : undefined;
  if (method === undefined)
    throw new FilterError(
      `${name === undefined || name === "" ? "this" : quoted(name)} cannot be called; what can: ${Object.keys(methods).join(", ")}`,
    );
  const object = expression(callee?.object);
  const [argument] = argumentNodes.map(expression);
  return (scope) => method(object(scope), argument?.(scope));
}

const onTexts =
  (method: (text: string, argument: string) => unknown) =>
  (object: unknown, argument: unknown): unknown =>
    typeof object === "string" && typeof argument === "string" ? method(object, argument) : undefined;
const onText =
  (method: (text: string) => unknown) =>
  (object: unknown): unknown =>
    typeof object === "string" ? method(object) : undefined;

/** What a filter can call; on anything else than they are made for, they are undefined. */
const methods: Readonly<Record<string, (object: unknown, argument: unknown) => unknown>> = {
  startsWith: onTexts((text, argument) => text.startsWith(argument)),
  endsWith: onTexts((text, argument) => text.endsWith(argument)),
  includes: (object, argument) =>
    Array.isArray(object) ? object.includes(argument) : onTexts((a, b) => a.includes(b))(object, argument),
  indexOf: (object, argument) =>
    Array.isArray(object) ? object.indexOf(argument) : onTexts((a, b) => a.indexOf(b))(object, argument),
  match: (object, argument) =>
    typeof object === "string" && argument instanceof RegExp ? object.match(argument) : undefined,
  test: (object, argument) =>
    object instanceof RegExp && typeof argument === "string" ? argument.search(object) >= 0 : undefined,
  toLowerCase: onText((text) => text.toLowerCase()),
  toUpperCase: onText((text) => text.toUpperCase()),
  trim: onText((text) => text.trim()),
};

function binary({ operator = "", left: leftNode, right: rightNode }: SyntaxNode): Expression {
  const left = expression(leftNode);
  const right = expression(rightNode);
  if (operator === "&&") return (scope) => left(scope) && right(scope);
  if (operator === "||") return (scope) => [left(scope)].find(Boolean) ?? right(scope);
  const compute = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
  if (compute === undefined) throw new FilterError(`the operator ${quoted(operator)} is not supported`);
  return (scope) => compute(left(scope), right(scope));
}

/** As in JavaScript, but objects and lists are never turned into texts or numbers. */
const operators: Readonly<Record<string, (a: unknown, b: unknown) => unknown>> = {
  "==": equal,
  "!=": (a, b) => !equal(a, b),
  "===": (a, b) => a === b,
  "!==": (a, b) => a !== b,
  "<": before,
  ">": (a, b) => before(b, a),
  "<=": (a, b) => before(a, b) || (isOrdered(a) && equal(a, b)),
  ">=": (a, b) => before(b, a) || (isOrdered(a) && equal(a, b)),
  "+": (a, b) => (typeof a === "string" && typeof b === "string" ? a + b : number(a) + number(b)),
  "-": (a, b) => number(a) - number(b),
  "*": (a, b) => number(a) * number(b),
  "/": (a, b) => number(a) / number(b),
  "%": (a, b) => number(a) % number(b),
};

/** "80" and 80 are equal, for Envoy writes 64-bit numbers as texts; null and undefined are, too. */
function equal(a: unknown, b: unknown): boolean {
  if (typeof a === typeof b) return a === b;
  return isOrdered(a) && isOrdered(b) ? number(a) === number(b) : (a ?? null) === (b ?? null);
}

/** Whether `a` stands before `b`: by letters where both are texts, else by number. */
function before(a: unknown, b: unknown): boolean {
  return typeof a === "string" && typeof b === "string" ? a < b : number(a) < number(b);
}

const isOrdered = (value: unknown): boolean => typeof value === "number" || typeof value === "string";
const number = (value: unknown): number =>
  typeof value === "number" ? value : typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
