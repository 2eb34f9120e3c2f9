/** Pieces of dumps that could not be read: what is missing from such a list proves nothing. */
import type { Problem } from "../shared/problem.js";
import { sectionKinds, type SectionKind, type Sections, type Snapshot } from "../snapshot/model.js";

/**
 * Why the list of a kind in a dump is not whole: a piece of its section was lost, or one that may have been of it. null
 * when nothing is known to be missing.
 */
export type Damage = (entry: string, config: Sections, kind: SectionKind) => string | null;

export function damagedEntries({ problems }: Pick<Snapshot, "problems">): Damage {
  const byEntry = new Map<string, Problem[]>();
  for (const problem of problems) {
    if (problem.severity !== "lost" || problem.entry === "") continue;
    const known = byEntry.get(problem.entry);
    if (known === undefined) byEntry.set(problem.entry, [problem]);
    else known.push(problem);
  }
  return (entry, config, kind) => {
    const own = byEntry.get(entry);
    if (own === undefined) return null;
    const others = new Set(
      sectionKinds.filter((other) => other !== kind).map((other) => placeOf(config, other)),
    );
    const place = placeOf(config, kind);
    const problem = own.find(({ pointer }) => {
      const at = /^\/configs\/\d+(?=\/|$)/.exec(pointer)?.[0] ?? null;
      return at === null || at === place || (place === null && !others.has(at));
    });
    if (problem === undefined) return null;
    return problem.pointer === "" ? problem.message : `${problem.pointer} ${problem.message}`;
  };
}

/** `/configs/3`; null where a section has no elements, or they stand in `configs` themselves. */
function placeOf(config: Sections, kind: SectionKind): string | null {
  const list = config[kind];
  if (list.state === "absent" || list.value.length === 0) return null;
  return /^(\/configs\/\d+)\/[^/]+\/\d+(?:\/|$)/.exec(list.value.at(0).origin.pointer)?.[1] ?? null;
}
