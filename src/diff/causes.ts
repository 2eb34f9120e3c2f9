/** The drift of a whole mesh by cause: one difference that many proxies show is one line. */
import { by } from "../shared/sorting.js";
import { canonicalText } from "../shared/json-value.js";
import type { Change } from "./changes.js";
import type { ComparedKind, DriftItem, ProxyDrift, TypeAnswer } from "./drift.js";
import { changeNumbers } from "./sections.js";

export interface DriftCause {
  readonly kind: ComparedKind;
  /** Of all resources that are missing (or extra) in the same way on the same proxies; one for `changed`. */
  readonly names: readonly string[];
  readonly class: "missing" | "extra" | "changed";
  /** The fields, the same in every proxy. */
  readonly changes: readonly Change[];
  readonly inFlight: boolean;
  readonly warming: boolean;
  /** Why the proxies refused it, each text once. */
  readonly rejections: readonly string[];
  /** How many of the proxies have not acknowledged the last push of the type. */
  readonly unacknowledged: number;
  /** By id. */
  readonly proxies: readonly string[];
  readonly istiods: readonly string[];
  /** One of the proxies' pairs, for the texts. */
  readonly example: { readonly proxyId: string; readonly item: DriftItem };
}

interface Occurrence {
  readonly drift: ProxyDrift;
  readonly item: DriftItem;
  readonly sync: TypeAnswer;
}

/** The causes, those of most proxies first. */
export function driftCauses(drifts: readonly ProxyDrift[]): readonly DriftCause[] {
  const groups = new Map<string, { kind: ComparedKind; items: Occurrence[] }>();
  const numberOf = changeNumbers();
  const rejectionOf = rejections();
  for (const drift of drifts) {
    for (const kind of drift.kinds) {
      if (kind.state !== "compared") continue;
      for (const item of kind.differences) {
        const key = canonicalText([
          kind.kind,
          item.name,
          item.class,
          item.inFlight,
          item.warming,
          numberOf(item.changes),
        ]);
        const group = groups.get(key) ?? { items: [], kind: kind.kind };
        group.items.push({ drift, item, sync: kind.sync });
        groups.set(key, group);
      }
    }
  }
  const causes = [...groups.values()].flatMap(({ items, kind }): DriftCause[] => {
    const [first] = items;
    if (first === undefined) return [];
    const { item, drift } = first;
    const each = (of: (entry: Occurrence) => string): string[] => [...new Set(items.map(of))].sort();
    return [
      {
        kind,
        names: [item.name],
        class: item.class,
        changes: item.changes,
        inFlight: item.inFlight,
        warming: item.warming,
        rejections: each(rejectionOf).filter((text) => text !== ""),
        unacknowledged: items.filter(({ sync }) => sync.acknowledged === false).length,
        proxies: each((entry) => entry.drift.proxyId),
        istiods: each((entry) => entry.drift.istiod),
        example: { proxyId: drift.proxyId, item },
      },
    ];
  });
  return together(causes).sort(
    (a, b) =>
      Number(a.inFlight) - Number(b.inFlight) ||
      b.proxies.length - a.proxies.length ||
      by<DriftCause>(
        ({ kind }) => kind,
        ({ names }) => names[0] ?? "",
      )(a, b),
  );
}

/** What Envoy says of the resource itself, else the answer to a push if it names the resource. */
function rejections(): (occurrence: Occurrence) => string {
  const wordsOf = new Map<string, ReadonlySet<string>>();
  return ({ item, sync: { refusal } }) => {
    if (item.rejection !== null) return item.rejection.details;
    if (refusal === null) return "";
    let words = wordsOf.get(refusal);
    if (words === undefined) {
      words = new Set(refusal.split(/[\s,;'"]+/).map((word) => word.replace(/:$/, "")));
      wordsOf.set(refusal, words);
    }
    return words.has(item.name) ? refusal : "";
  };
}

/** A proxy that got nothing lacks everything: what is missing for the same reasons from the same proxies is one cause. */
function together(causes: readonly DriftCause[]): DriftCause[] {
  const merged = new Map<string, { cause: DriftCause; names: string[] }>();
  for (const [index, cause] of causes.entries()) {
    const { kind, class: of, inFlight, warming, unacknowledged, rejections, proxies, istiods } = cause;
    const key = canonicalText(
      of === "changed"
        ? [index]
        : [kind, of, inFlight, warming, unacknowledged, rejections, proxies, istiods],
    );
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { cause, names: [...cause.names] });
    else known.names.push(...cause.names);
  }
  return [...merged.values()].map(({ cause, names }) => ({ ...cause, names: names.sort() }));
}
