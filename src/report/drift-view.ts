/** The section "Drift" of the page: the document's findings, with what only the page needs. */
import { diffDrawer, type DiffDrawing } from "./diff-html.js";
import type { DriftFinding, DriftReport, EndpointMatrix } from "./document.js";
import { counted, toneWords } from "./markdown.js";
import { nameList, type ProxyLinks } from "./name-lists.js";
import { shown } from "./shown.js";
import { countOf } from "./wording.js";

/** Bounds of the page; the document holds the rest. */
const most = { findings: 300, names: 100 };
/** Findings that need no filter. */
const few = 5;
/** What the text of a finding tells itself (drift-wording.ts): so many names, each so long, and so many fields. */
const told = { names: 3, characters: 80, fields: 3 };

const classWords: Record<DriftFinding["class"], string> = {
  missing: "Missing",
  extra: "Extra",
  changed: "Changed",
};

/** Ready for the templates: its texts are shown already, since what diff2html drew must stay as it is. */
export function driftView(drift: DriftReport, links: ProxyLinks): object {
  const draw = diffDrawer();
  let count = 0;
  const findingsOf = (findings: readonly DriftFinding[]) => ({
    findings: findings.slice(0, most.findings).map((finding) => ({
      ...(shown(findingView(finding, links)) as object),
      diff: diffView(finding, draw(finding.diff), `diff-${++count}`),
    })),
    isMany: findings.length > few,
    leftOut: leftOut(findings.length, "finding"),
  });
  const { summary, tone, compared, notCompared, noise, causes, replicas, endpoints, known, istiods } = drift;
  const nothing = [
    ...(causes.length === 0 && compared > 0 ? ["between Istiod and Envoy"] : []),
    ...(replicas.length === 0 ? ["between replicas"] : []),
    ...(endpoints.length === 0 ? ["in the endpoints that clients hold"] : []),
    ...(istiods.length === 0 ? ["between Istiods"] : []),
  ];
  const view = {
    summary,
    tone,
    toneWord: toneWords[tone],
    notCompared,
    istiods,
    nothing: nothing.length === 0 ? "" : `No difference was found ${nothing.join(", ")}.`,
    noise:
      noise === 0
        ? ""
        : `${countOf(noise, "resource")} more ${noise === 1 ? "is" : "are"} written differently and ${noise === 1 ? "means" : "mean"} the same (order, defaults, spelling): not drift, and not shown.`,
    known: known
      .slice(0, most.findings)
      .map(({ text, tone: own, inFlight, clusters, proxies, lacks, besides }) => ({
        text,
        tone: own,
        word: inFlight ? "In flight" : lacks.length > 0 ? "Missing" : "Extra",
        clusters: nameList(
          countOf(clusters.length, "cluster"),
          clusters.length > told.names ? clusters : [],
          most.names,
        ),
        proxies: links(countOf(proxies.length, "proxy"), proxies, most.names),
        lacks: nameList(`Lacks ${counted(lacks.length, "address", "addresses")}`, lacks, most.names),
        besides: nameList(
          `Has ${counted(besides.length, "address", "addresses")} besides`,
          besides,
          most.names,
        ),
      })),
    knownLeftOut: leftOut(known.length, "finding"),
    matrices: endpoints.slice(0, most.findings).map((matrix) => matrixView(matrix, links)),
    matricesLeftOut: leftOut(endpoints.length, "table"),
  };
  return { ...(shown(view) as object), causes: findingsOf(causes), replicas: findingsOf(replicas) };
}

const leftOut = (count: number, noun: string): string =>
  count <= most.findings
    ? ""
    : `${countOf(count - most.findings, `more ${noun}`)} not drawn: the JSON of this report holds all, and istio-snapshot proxy-status --drift prints them.`;

function findingView(finding: DriftFinding, links: ProxyLinks) {
  const { text, tone, class: of, names, fields, proxies, istiods, inFlight, evidence } = finding;
  const areTold = names.length <= told.names && names.every((name) => name.length <= told.characters);
  return {
    text,
    tone,
    word: inFlight ? "In flight" : classWords[of],
    names: nameList(countOf(names.length, "name"), areTold ? [] : names, most.names),
    fields: fields.length <= told.fields ? [] : fields,
    proxies: links(countOf(proxies.length, "proxy"), proxies, most.names),
    istiods: nameList(countOf(istiods.length, "Istiod"), istiods.length === 1 ? [] : istiods, most.names),
    evidence,
    evidenceLabel: evidence.length === 1 ? "Evidence" : `Evidence (${evidence.length})`,
  };
}

/** What is said of a difference, and both views of it, or the reason why there are none. */
function diffView({ example, diff: { before, after } }: DriftFinding, drawing: DiffDrawing, id: string) {
  if ("reason" in drawing) return { isDrawn: false, reason: shown(drawing.reason) };
  const { removed, added, leftOut, sideBySide, inline } = drawing;
  const texts = {
    label: `Difference, ${example}: ${countOf(removed, "line")} removed, ${added} added`,
    before,
    after,
    leftOut,
  };
  // the other side would be an empty half
  const isOneSided = removed === 0 || added === 0;
  return { ...(shown(texts) as object), isDrawn: true, id, isOneSided, sideBySide, inline };
}

function matrixView({ clusters, scope, istiods, sets }: EndpointMatrix, links: ProxyLinks) {
  const [only = ""] = clusters;
  return {
    title: clusters.length === 1 ? only : countOf(clusters.length, "cluster"),
    clusters: nameList("Their names", clusters.length === 1 ? [] : clusters, most.names),
    scope,
    istiods: istiods.map((istiod) => (istiod === "" ? "no known Istiod" : istiod)),
    sets: sets.map(({ text, endpoints, proxies, counts, newest }, at) => ({
      text,
      endpoints: nameList(counted(endpoints.length, "address", "addresses"), endpoints, most.names),
      proxies: links(countOf(proxies.length, "proxy"), proxies, most.names),
      // who holds the usual is no finding
      counts: counts.map((count) => ({ count, tone: at > 0 && count > 0 ? "waiting" : "" })),
      newest,
    })),
  };
}
