/** The routes that the matcher tree of a virtual host leads to, each with headers that may lead there. */
import { child, children, isMessage, text, typeOf, unpacked, type Message } from "../../snapshot/message.js";
import { asciiLower, textTest } from "../matchers/string-matcher.js";
import { examplesOf } from "../matchers/example-text.js";
import type { HeaderList } from "../request.js";

export interface TreeRoute {
  readonly route: Message;
  /** Routes of the same list that are looked at before. */
  readonly earlier: readonly Message[];
  /** As far as the inputs on the way are headers. */
  readonly wishes: HeaderList;
}

/** As deep as trees are evaluated. */
const deepest = 64;

/** All routes, in the order in which they stand. */
export function* treeRoutes(
  matcher: Message | undefined,
  wishes: HeaderList = [],
  depth = 0,
): Generator<TreeRoute> {
  if (matcher === undefined || depth > deepest) return;
  for (const entry of children(child(matcher, "matcher_list"), "matchers"))
    yield* behind(
      child(entry, "on_match"),
      [...wishes, ...wishesOf(child(entry, "predicate"), depth)],
      depth,
    );
  const tree = child(matcher, "matcher_tree");
  const header = headerOf(child(tree, "input"));
  for (const kind of ["exact_match_map", "prefix_match_map"])
    for (const [key, onMatch] of Object.entries(child(tree, kind, "map") ?? {}))
      if (isMessage(onMatch))
        yield* behind(onMatch, header === null ? wishes : [...wishes, [header, key]], depth);
  const custom = unpacked(child(tree, "custom_match", "typed_config"));
  for (const list of ["range_matchers", "domain_matchers"])
    for (const entry of children(custom, list)) yield* behind(child(entry, "on_match"), wishes, depth);
  yield* behind(child(matcher, "on_no_match"), wishes, depth);
}

function* behind(onMatch: Message | undefined, wishes: HeaderList, depth: number): Generator<TreeRoute> {
  yield* treeRoutes(child(onMatch, "matcher"), wishes, depth + 1);
  const config = child(onMatch, "action", "typed_config");
  const action = unpacked(config);
  if (action === undefined) return;
  const routes = typeOf(config).endsWith(".RouteList") ? children(action, "routes") : [action];
  for (const [index, route] of routes.entries()) yield { route, earlier: routes.slice(0, index), wishes };
}

function wishesOf(predicate: Message | undefined, depth: number): HeaderList {
  if (depth > deepest) return [];
  const single = child(predicate, "single_predicate");
  const name = headerOf(child(single, "input"));
  if (name !== null) {
    const test = textTest(child(single, "value_match"));
    if (test === null) return [];
    const value = test.kind === "regex" ? examplesOf(test.pattern)[0] : test.value;
    return value === undefined ? [] : [[name, value]];
  }
  const all = children(child(predicate, "and_matcher"), "predicate");
  const [first] = children(child(predicate, "or_matcher"), "predicate");
  return [...all, ...(first === undefined ? [] : [first])].flatMap((one) => wishesOf(one, depth + 1));
}

function headerOf(input: Message | undefined): string | null {
  const config = child(input, "typed_config");
  if (!typeOf(config).endsWith(".HttpRequestHeaderMatchInput")) return null;
  return asciiLower(text(unpacked(config), "header_name"));
}
