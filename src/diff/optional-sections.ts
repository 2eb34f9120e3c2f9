/** Sections that an Envoy leaves out when it holds nothing for them: it asked for no extension and no scoped routes. */
import {
  present,
  type Collected,
  type Proxy,
  type ReferenceList,
  type SectionKind,
} from "../snapshot/model.js";
import { ReferenceListBuilder } from "../snapshot/reference-list.js";
import type { Damage } from "./damage.js";

const optional: ReadonlySet<SectionKind> = new Set<SectionKind>(["extensionConfig", "scopedRoutes"]);

export const noReferences = new ReferenceListBuilder("extensionConfig", "", (text) => text).build();

/** A proxy's list; the empty one where a whole dump has no section for it, absent where a damaged one has none. */
export function sectionOf(kind: SectionKind, proxy: Proxy, damage: Damage): Collected<ReferenceList> {
  const { [kind]: list, cluster } = proxy.config;
  const isLeftOut =
    optional.has(kind) &&
    list.state === "absent" &&
    cluster.state === "present" &&
    damage(proxy.dumpEntry ?? "", proxy.config, kind) === null;
  return isLeftOut ? present(noReferences) : list;
}
