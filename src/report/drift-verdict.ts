/** What the verdict says of drift: a cause is a point, but for those that another point tells already. */
import type { MeshDrift } from "../diff/mesh-drift.js";
import type { DriftFinding, DriftReport, EndpointMatrix, VerdictPoint } from "./document.js";
import { severalTitle } from "./drift-wording.js";
import { countOf, unique } from "./wording.js";

/** Points of one sort beyond which the section that lists them all is named instead. */
const most = 8;

/** @param differing `drift` in words, cause by cause */
export function driftPoints(drift: MeshDrift, differing: DriftReport): VerdictPoint[] {
  const flying = drift.causes.filter(({ inFlight }) => inFlight);
  const isTold = toldBy(differing.causes);
  return [
    ...cutOff(causePoints(drift, differing)),
    ...cutOff(
      differing.replicas
        .filter(({ kind, names, proxies }) => !isTold(kind, names, proxies))
        .map(({ text, proxies, evidence }) => ({
          level: "error" as const,
          text,
          nextStep:
            "Replicas get the same from Istiod: see when each got it (Timeline), and from which Istiod; the minority is the one to look at.",
          proxies,
          evidence,
        })),
    ),
    ...cutOff(differing.endpoints.flatMap((matrix) => matrixPoints(matrix, isTold))),
    ...cutOff(
      differing.known
        .filter(({ inFlight }) => !inFlight)
        .map(({ text, proxies }) => ({
          level: "error" as const,
          text,
          nextStep:
            "Look at that Istiod's log and the proxy's; if pods came or went during the capture, capture once more. istio-snapshot-collect captures Istiod's own view.",
          proxies,
          evidence: [],
        })),
    ),
    ...cutOff(
      differing.istiods.map((text) => ({
        level: "warning" as const,
        text: `Istiods do not say the same: ${text}`,
        nextStep: "What a proxy is told depends on which Istiod it is connected to: see Drift.",
        proxies: [],
        evidence: [],
      })),
    ),
    ...(flying.length === 0
      ? []
      : [
          {
            level: "info" as const,
            text: `${countOf(flying.length, "difference")} ${flying.length === 1 ? "is a push" : "are pushes"} on the way: they came between the two captures`,
            nextStep: "",
            proxies: unique(flying.flatMap(({ proxies }) => proxies)),
            evidence: [],
          },
        ]),
  ];
}

/** A resource that Envoy refused is told with its text already. */
function causePoints({ causes }: MeshDrift, differing: DriftReport): VerdictPoint[] {
  return causes.flatMap(({ inFlight, rejections, unacknowledged, warming, proxies }, at) => {
    const finding = differing.causes[at];
    if (finding === undefined || inFlight || rejections.length > 0) return [];
    return {
      level: "error" as const,
      text: finding.text,
      nextStep: warming
        ? "What warms is not in force: see what it waits for (its routes, endpoints or secrets)."
        : unacknowledged === proxies.length
          ? "The proxy has not answered the push that would bring it: look at its log, and at that Istiod's, at the time of the push."
          : "Istiod believes that the proxy has what was sent: look at that Istiod's log. After a restart of the pod it asks for everything anew; capture before.",
      proxies: finding.proxies,
      evidence: finding.evidence,
    };
  });
}

/** What all but the first set of endpoints lack or have besides, a line each. */
export const matrixLines = ({ clusters, sets }: EndpointMatrix): string[] =>
  sets
    .slice(1)
    .map(
      ({ text, proxies }) =>
        `${severalTitle("endpointAssignment", clusters)}: ${countOf(proxies.length, "client")} ${text}`,
    );

function matrixPoints(matrix: EndpointMatrix, isTold: ReturnType<typeof toldBy>): VerdictPoint[] {
  const lines = matrixLines(matrix);
  return matrix.sets.slice(1).flatMap(({ proxies }, at) =>
    isTold("endpointAssignment", matrix.clusters, proxies)
      ? []
      : {
          level: "error" as const,
          text: lines[at] ?? "",
          nextStep:
            "See in Drift whether all of them are on one Istiod; then look there. If pods came or went during the capture, capture once more.",
          proxies,
          evidence: [],
        },
  );
}

/** Whether Istiod's view tells already that these resources of these proxies differ. */
function toldBy(
  causes: readonly DriftFinding[],
): (kind: string, names: readonly string[], proxies: readonly string[]) => boolean {
  const told = new Map<string, Set<string>>();
  for (const { kind, names, proxies } of causes)
    for (const name of names) {
      const key = `${kind}\u0000${name}`;
      const known = told.get(key) ?? new Set<string>();
      told.set(key, known);
      for (const proxy of proxies) known.add(proxy);
    }
  return (kind, names, proxies) =>
    names.every((name) => {
      const known = told.get(`${kind}\u0000${name}`);
      return known !== undefined && proxies.every((proxy) => known.has(proxy));
    });
}

/** The first points, and one for the rest. */
function cutOff(points: readonly VerdictPoint[]): VerdictPoint[] {
  const rest = points.slice(most);
  const [first] = rest;
  return first === undefined
    ? [...points]
    : [
        ...points.slice(0, most),
        {
          level: first.level,
          text: `and ${countOf(rest.length, "more difference")} of this sort`,
          nextStep: "The section Drift lists them all.",
          proxies: unique(rest.flatMap(({ proxies }) => proxies)),
          evidence: [],
        },
      ];
}
