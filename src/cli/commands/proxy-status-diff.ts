import { comparedReferences, type ComparedKind, type KindDrift, type ProxyDrift } from "../../diff/drift.js";
import { resourceText, unifiedDiff, type NamedText } from "../../diff/diff-text.js";
import { fieldList, kindTitles, resourceTitle } from "../../report/drift-wording.js";
import { humanTime } from "../../shared/http-date.js";
import { printable } from "../../shared/printable.js";
import type { Resource, Snapshot } from "../../snapshot/model.js";

/** Which istioctl's words: headings and lines changed over the releases (istioctl/pkg/writer/compare). */
export interface DiffWording {
  /** Minor release of 1.x; infinite: the newest. */
  readonly istioctl: number;
}

/** What istioctl prints for `proxy-status <pod>`, over more kinds. */
export function driftText(drift: ProxyDrift, snapshot: Snapshot, wording: DiffWording): string {
  return drift.kinds.map((kind) => kindText(kind, drift, snapshot, wording)).join("");
}

function kindText(kind: KindDrift, drift: ProxyDrift, snapshot: Snapshot, { istioctl }: DiffWording): string {
  const title = kindTitles[kind.kind];
  if (kind.state === "not compared") return `${title} not compared: ${printable(kind.reason)}\n`;
  const suffix =
    kind.kind === "routeConfiguration" && drift.routesLoadedAt !== null
      ? ` (RDS last loaded at ${humanTime(drift.routesLoadedAt)})`
      : "";
  const part = kind.partial === null ? "" : ` (in part: ${printable(kind.partial)})`;
  if (kind.differences.length === 0) return `${title} Match${suffix}${part}\n`;
  // up to 1.21 only the routes had a line of their own
  const heading =
    istioctl > 21 || kind.kind === "routeConfiguration" ? `${title} Don't Match${suffix}\n` : "";
  const istiod = istioctl < 7 ? "Pilot" : "Istiod";
  const { before, after } = sides(kind, drift, snapshot);
  const text = unifiedDiff({ before: `${istiod} ${title}`, after: `Envoy ${title}` }, before, after);
  return `${heading}${text}\n`;
}

/** The whole documents: what matches is in them too, so that the line numbers are right. */
function sides(
  kind: Extract<KindDrift, { state: "compared" }>,
  drift: ProxyDrift,
  snapshot: Snapshot,
): { before: NamedText[]; after: NamedText[] } {
  const differing = new Map(kind.differences.map((difference) => [difference.name, difference]));
  const istiod = snapshot.istiods.find(({ id }) => id === drift.istiod);
  const view = istiod?.views.find(
    ({ proxyId, entry }) => proxyId === drift.proxyId && entry === drift.istiodEntry,
  );
  const proxy = snapshot.proxies.find(({ id }) => id === drift.proxyId);
  if (view === undefined || proxy === undefined) return { before: [], after: [] };
  const text = kind.kind === "secret" ? nameOf : textOnce();
  const before: NamedText[] = [];
  const after: NamedText[] = [];
  const seen = new Set<string>();
  for (const { name, hash } of comparedReferences(kind.kind, view, proxy).before) {
    const resource = hash === null ? undefined : snapshot.resources.get(hash);
    if (resource === undefined || seen.has(name)) continue;
    seen.add(name);
    const difference = differing.get(name);
    before.push({ name, text: text(resource) });
    if (difference === undefined) after.push({ name, text: text(resource) });
  }
  for (const { name, after: held } of kind.differences)
    if (held !== null) after.push({ name, text: text(held.resource) });
  return { before, after };
}

/** Of a secret only the name is compared, and shown. */
const nameOf = ({ name }: Resource): string => `${printable(JSON.stringify(name))}\n`;

function textOnce(): (resource: Resource) => string {
  const known = new Map<string, string>();
  return (resource) => {
    const text = known.get(resource.hash) ?? resourceText(resource);
    known.set(resource.hash, text);
    return text;
  };
}

/** The form for scripts. */
export function driftJson(drift: ProxyDrift): unknown {
  return {
    proxy: drift.proxyId,
    istiod: drift.istiod,
    istiodCapturedAt: drift.istiodCapturedAt,
    proxyCapturedAt: drift.proxyCapturedAt,
    kinds: Object.fromEntries(
      drift.kinds.map((kind): [ComparedKind, unknown] => [
        kind.kind,
        kind.state === "not compared"
          ? { compared: false, reason: kind.reason }
          : {
              compared: true,
              same: kind.same,
              orderOnly: kind.noise,
              partial: kind.partial,
              acknowledged: kind.sync.acknowledged,
              refusal: kind.sync.refusal,
              differences: kind.differences.map(
                ({ name, class: of, changes, inFlight, warming, rejection, before, after }) => ({
                  name,
                  class: of,
                  inFlight,
                  warming,
                  rejection: rejection?.details ?? null,
                  changes,
                  lastUpdated: after?.lastUpdated ?? null,
                  evidence: [before, after].flatMap((side) =>
                    side === null ? [] : [{ entry: side.origin.entry, pointer: side.origin.pointer }],
                  ),
                }),
              ),
            },
      ]),
    ),
  };
}

/** One line a difference, for standard error: what a long diff is about. */
export const driftRemarks = (drift: ProxyDrift): string[] =>
  drift.kinds.flatMap((kind) =>
    kind.state === "not compared"
      ? []
      : kind.differences.map(({ name, class: of, changes, inFlight }) => {
          const what =
            of === "missing"
              ? "the proxy lacks it"
              : of === "extra"
                ? "Istiod does not send it"
                : fieldList(changes);
          return `${resourceTitle(kind.kind, name)}: ${what}${inFlight ? " (in flight)" : ""}`;
        }),
  );
