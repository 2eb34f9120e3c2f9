/** AND, OR and NOT of a policy, which permissions and principals write in different words. */
import { child, children, type Message } from "../../snapshot/message.js";
import { allOf, anyOf, not, unknownTruth, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";

export interface TreeWords {
  readonly and: string;
  readonly or: string;
  readonly not: string;
  /** The list inside of `and` and `or`. */
  readonly list: string;
}

/** protobuf's parser stops here (`CodedInputStream::SetRecursionLimit`), so no policy that Envoy took is deeper. */
const deepest = 100;

/** Evaluates a tree. @param leaf of a node that is none of the three */
export function matchTree(
  node: Message,
  words: TreeWords,
  leaf: (node: Message) => Ternary,
  depth = 0,
): Ternary {
  if (depth > deepest) return tooDeep;
  const inner = (one: Message): Ternary => matchTree(one, words, leaf, depth + 1);
  const and = child(node, words.and);
  if (and !== undefined) return allOf(children(and, words.list), inner);
  const or = child(node, words.or);
  if (or !== undefined) return anyOf(children(or, words.list), inner);
  const negated = child(node, words.not);
  return negated === undefined ? leaf(node) : not(inner(negated));
}

const tooDeep = unknownTruth(
  unknown("limit", `A policy nests conditions more than ${deepest} deep; what is below is not evaluated.`),
);

/** What is in front of a leaf that no release we know has. */
export function unknownLeaf(what: "permission" | "principal", node: Message): Ternary {
  const name = Object.keys(node).join(", ");
  return unknownTruth(
    unknown(
      "expression",
      name === "" ? `A ${what} without a condition.` : `The ${what} "${name}" is not evaluated.`,
    ),
  );
}
