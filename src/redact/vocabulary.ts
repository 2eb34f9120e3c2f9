/**
 * The words that belong to Envoy, Istio and Kubernetes and not to anybody's mesh. Under `public` every other word of a
 * bundle becomes a token, so this is the list of what is kept: a namespace or a workload that bears one of these words
 * keeps its name. Field names are kept as keys; of them only the compound ones (`version_info`, `versionInfo`), which
 * can be no name in Kubernetes, are kept inside values too.
 */
import { envoyFields, envoyTypes, envoyValues } from "./envoy-words.generated.js";
import {
  filterFields,
  istioFields,
  istioKeys,
  istioMetrics,
  istioTypes,
  istioValues,
  kubernetesFields,
  kubernetesValues,
  metadataKeys,
} from "./istio-words.js";
import {
  clustersKeys,
  domains,
  grammar,
  headers,
  labelKeys,
  labelNames,
  makersNames,
  operators,
  prose,
  protocols,
  retryWords,
  rootParts,
  roots,
  states,
  statisticParts,
  statistics,
  wholes,
  words,
} from "./kept-words.js";

/** First words of names that Istio and Envoy's metrics make of underscores: the rest of such a name is of their words. */
const makersPrefix = /^(?:envoy|istio|istiod|pilot|galley|citadel|sidecar_injection|waypoint)_/;
/** First words of Envoy's counters. */
const statisticPrefix = /^(?:upstream|downstream|membership|lb|ssl|assignment|update|retry)_/;

const counterParts = new Set(statisticParts);
const sentenceWords = new Set(prose);
const wholeValues = new Set(wholes);
const commonLabelNames = new Set(labelNames);
const hostKeys = new Set(clustersKeys);

/** The lists as sets. */
interface WordSets {
  readonly kept: ReadonlySet<string>;
  readonly fieldNames: ReadonlySet<string>;
  /** Names with a capital or an underscore: they can be no name of Kubernetes. */
  readonly compounds: ReadonlySet<string>;
  readonly technical: ReadonlySet<string>;
}

let sets: WordSets | undefined;

/** Made when something is redacted: it takes longer than most commands do to start. */
const wordSets = (): WordSets => (sets ??= makeWordSets());

function makeWordSets(): WordSets {
  const kept = new Set([
    ...grammar,
    ...makersNames,
    ...protocols,
    ...retryWords,
    ...states,
    ...headers,
    ...operators,
    ...statistics,
  ]);
  const fieldNames = new Set<string>([
    ...words(envoyFields).flatMap(spellings),
    ...words(istioFields).flatMap(spellings),
    ...words(filterFields).flatMap(spellings),
    ...[istioKeys, metadataKeys, kubernetesFields, istioMetrics].flatMap(words),
    ...labelKeys,
  ]);
  const compounds = new Set(
    [
      ...fieldNames,
      ...[envoyValues, envoyTypes, istioValues, istioTypes, kubernetesValues].flatMap(words),
    ].filter((word) => /[A-Z_]/.test(word)),
  );
  const technical = new Set(
    [
      ...fieldNames,
      ...compounds,
      ...kept,
      ...words(envoyTypes),
      ...rootParts,
      ...statisticParts,
      ...prose,
    ].flatMap((word) => [word, ...word.split("_")]),
  );
  return { kept, fieldNames, compounds, technical };
}

/** A proto field's own name, its JSON name, and what Envoy 1.14 to 1.17 make of a field that is gone. */
function spellings(field: string): string[] {
  const camel = (name: string): string => name.replace(/_+(.?)/g, (_, next: string) => next.toUpperCase());
  const hidden = `hidden_envoy_deprecated_${field}`;
  return [field, camel(field), hidden, camel(hidden)];
}

/** Whether a member's key is the name of a field, or of a label that every cluster has. */
export function isFieldName(key: string): boolean {
  const { fieldNames } = wordSets();
  return (
    key === "@type" ||
    fieldNames.has(key) ||
    (key.startsWith("ISTIO_META_") && fieldNames.has(key.slice("ISTIO_META_".length)))
  );
}

/** Whether a word stays inside a value too. Lower-case words are also known in capitals: hosts have no case. */
export function isKept(word: string): boolean {
  const { kept, compounds, technical } = wordSets();
  if (kept.has(word) || compounds.has(word) || kept.has(word.toLowerCase())) return true;
  if (makersPrefix.test(word)) return word.split("_").every((part) => technical.has(part));
  return statisticPrefix.test(word) && word.split("_").every((part) => counterParts.has(part));
}

/** Whether a word is known at all: what a dotted name of Envoy may consist of. */
export function isTechnical(word: string): boolean {
  const { technical } = wordSets();
  return isKept(word) || technical.has(word) || word.split("_").every((part) => technical.has(part));
}

/** Whether a word may stay where it stands alone in a sentence. */
export const isProse = (word: string): boolean => sentenceWords.has(word.toLowerCase());

/** Whether a whole value is the same everywhere: a media type, a path in the proxy's own image. */
export const isWellKnown = (value: string): boolean => wholeValues.has(value);

/**
 * Whether a dotted name is a filter, a type or an attribute of Envoy or Istio: by how it begins, or because it follows
 * the authority that all types have. A host of such a name has `svc` in it.
 */
export const isMakersName = (name: string, start: number, whole: string): boolean =>
  (hasRoot(name) && !name.includes(".svc")) || whole.endsWith(typeAuthority, start);

/** Whether all of a makers' name is theirs whatever it says: a type of one of their packages. */
export const isMakersType = (name: string, start: number, whole: string): boolean =>
  hasRoot(name) && whole.endsWith(typeAuthority, start);

const typeAuthority = "type.googleapis.com/";
const hasRoot = (name: string): boolean => roots.some((root) => name.startsWith(root));

/** The domain of a project, or one below it, such as `networking.istio.io`. */
export const isProjectDomain = (name: string): boolean =>
  domains.some((domain) => name === domain || name.endsWith(`.${domain}`));

/** Whether what follows a project's domain and a slash is the same everywhere. Istio makes all names below its own. */
export const isLabelName = (domain: string, name: string): boolean =>
  domain === "istio.io" || domain.endsWith(".istio.io") || commonLabelNames.has(name);

/** Whether a word between double colons is a key of the text form of `/clusters`. */
export const isClustersKey = (word: string): boolean => hostKeys.has(word);
