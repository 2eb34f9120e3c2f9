/**
 * Pods in what `kubectl get all --all-namespaces -o yaml` printed: a `v1 List` of any length, as a bug-report has it in
 * `cluster/k8s-resources`. Only the items that are pods are parsed, one by one.
 */
import { parse, YAMLError } from "yaml";

import { BundleFormatError, messageOf } from "../../shared/errors.js";
import { excerpt } from "../../shared/printable.js";
import { lost, type ProblemList } from "../../shared/problem.js";
import type { Pod } from "../model.js";

/** A pod has some hundred lines, with what its annotations repeat. */
const longestPod = 1024 * 1024;

/**
 * Pods that run or are to run: what has ended keeps an address that may be another's by now.
 * @throws BundleFormatError when it is no list; a pod that cannot be read is a problem, and the others stay
 */
export function parsePodList(text: string, entry: string, problems: ProblemList): Pod[] {
  const start = /^items:[ \t]*\r?\n( *)- /m.exec(text);
  if (start === null) {
    if (/^items: \[\]\s*$/m.test(text)) return [];
    throw new BundleFormatError(
      entry,
      "",
      `is no list of Kubernetes objects: "${excerpt(text.slice(0, 500))}"`,
    );
  }
  const [, indent = ""] = start;
  const pods: Pod[] = [];
  let index = 0;
  for (const item of itemsOf(text, indent, start.index + start[0].length - indent.length - 2)) {
    const pointer = `/items/${index++}`;
    if (!isPod(item, indent)) continue;
    try {
      const pod = podOf(parsed(item), entry, pointer);
      if (pod !== null) pods.push(pod);
    } catch (error) {
      // aliases are refused by a ReferenceError; the parser goes down by recursion
      if (![YAMLError, RangeError, ReferenceError].some((kind) => error instanceof kind)) throw error;
      problems.add(lost(entry, `is not valid YAML: ${excerpt(messageOf(error), 160)}`, pointer));
    }
  }
  return pods;
}

/** The texts of the items: each begins with a dash at the list's own margin, where nothing inside an item can stand. */
function* itemsOf(text: string, indent: string, start: number): Generator<string> {
  const margin = indent.length;
  let begin = start;
  for (let line = text.indexOf("\n", start) + 1; line > 0; line = text.indexOf("\n", line) + 1) {
    if (!text.startsWith(indent, line)) {
      // an empty line, or the end of the list
      if (/[\s]/.test(text.charAt(line))) continue;
      yield text.slice(begin, line);
      return;
    }
    const first = text.charAt(line + margin);
    if (first === " " || first === "\n" || first === "\r" || first === "") continue;
    yield text.slice(begin, line);
    begin = line;
    if (first !== "-") return;
  }
  yield text.slice(begin);
}

const isPod = (item: string, indent: string): boolean =>
  item.startsWith(`${indent}- kind: Pod\n`) || item.includes(`\n${indent}  kind: Pod\n`);

function parsed(item: string): unknown {
  if (item.length > longestPod) throw new RangeError(`longer than ${longestPod} characters`);
  const list: unknown = parse(item, {
    schema: "core",
    maxAliasCount: 0,
    logLevel: "error",
    prettyErrors: false,
  });
  return Array.isArray(list) ? list[0] : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function podOf(item: unknown, entry: string, pointer: string): Pod | null {
  if (!isObject(item)) return null;
  const [metadata, spec, status] = [item["metadata"], item["spec"], item["status"]].map(objectOf);
  const name = textOf(metadata?.["name"]);
  const phase = status?.["phase"];
  if (metadata === undefined || name === "" || phase === "Succeeded" || phase === "Failed") return null;
  const [owner] = listOf(metadata["ownerReferences"]);
  const ips = listOf(status?.["podIPs"]).map(({ ip }) => textOf(ip));
  const containers = [...listOf(spec?.["containers"]), ...listOf(spec?.["initContainers"])];
  return {
    name,
    namespace: textOf(metadata["namespace"]),
    labels: Object.fromEntries(
      Object.entries(objectOf(metadata["labels"])).map(([label, value]) => [label, textOf(value)]),
    ),
    owner: owner === undefined ? "" : `${textOf(owner["kind"])}/${textOf(owner["name"])}`,
    // one address before Kubernetes 1.16
    ips: (ips.length === 0 ? [textOf(status?.["podIP"])] : ips).filter((ip) => ip !== ""),
    hasProxy: containers.some((container) => container["name"] === "istio-proxy"),
    hostNetwork: spec?.["hostNetwork"] === true,
    origin: { entry, pointer },
  };
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Fields => (isObject(value) ? value : {});
const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isObject) : []);
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
