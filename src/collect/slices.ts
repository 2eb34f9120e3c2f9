import { excerpt } from "../shared/printable.js";
import { JsonScanner, ScanError } from "../shared/json-scan.js";

/**
 * A config dump asked for piece by piece, where the whole is over the cap, and put together again
 * (Envoy, source/server/admin/config_dump_handler.cc): `?resource=` gives the elements of one repeated field, each with
 * the type of the element; `?mask=` gives sections with some of their fields.
 */

/** One section of a dump: asked for list by list, or as it is. */
type Section =
  | { readonly type: string; readonly lists: readonly string[] }
  | { readonly type: string; readonly resource: string; readonly mask: string };

/** In the order in which Envoy writes them. */
const sections: readonly Section[] = [
  { type: "BootstrapConfigDump", resource: "bootstrap", mask: "bootstrap,last_updated" },
  {
    type: "ClustersConfigDump",
    lists: ["static_clusters", "dynamic_active_clusters", "dynamic_warming_clusters"],
  },
  // one for each kind of filter (HTTP, network, listener), of which `?resource=` would give the first alone
  { type: "EcdsConfigDump", resource: "ecds_filters", mask: "ecds_filters" },
  { type: "EndpointsConfigDump", lists: ["static_endpoint_configs", "dynamic_endpoint_configs"] },
  { type: "ListenersConfigDump", lists: ["static_listeners", "dynamic_listeners"] },
  {
    type: "ScopedRoutesConfigDump",
    lists: ["inline_scoped_route_configs", "dynamic_scoped_route_configs"],
  },
  { type: "RoutesConfigDump", lists: ["static_route_configs", "dynamic_route_configs"] },
  {
    type: "SecretsConfigDump",
    lists: ["static_secrets", "dynamic_active_secrets", "dynamic_warming_secrets"],
  },
];

const resourcesOf = (section: Section): readonly string[] =>
  "lists" in section ? section.lists : [section.resource];

export interface Slice {
  /** As the manifest names it: a list's field, `bootstrap`, `ecds_filters`, or `version_info`. */
  readonly resource: string;
  readonly path: string;
  /** How an Envoy refuses it that has no such section, beside with 404: a mask that fits nothing is a bad request. */
  readonly notOffered?: RegExp;
}

const versionInfo = "version_info";

/** The oldest Envoys know neither masks nor slices and answer with the whole. */
export const slices: readonly Slice[] = sections.flatMap((section): Slice[] => {
  if ("lists" in section)
    return section.lists.map((list) => ({
      resource: list,
      path: `config_dump?resource=${list}${list.endsWith("_endpoint_configs") ? "&include_eds" : ""}`,
    }));
  const path = `config_dump?mask=${section.mask}`;
  return section.resource === "bootstrap"
    ? [
        { resource: section.resource, path },
        { resource: versionInfo, path: `config_dump?mask=${versionInfo}` },
      ]
    : [{ resource: section.resource, path, notOffered: /status code:? 400|HTTP 400/ }];
});

/** What came of one slice. */
export type SliceAnswer =
  /** The answer's bytes, redacted: an object with `configs`. */
  | { readonly outcome: "answered"; readonly bytes: Uint8Array }
  /** This Envoy has no such list. */
  | { readonly outcome: "absent" }
  | { readonly outcome: "lost"; readonly reason: string };

/** What of a slice belongs into the dump: pieces in order. Or why nothing of it can be used. */
export type Cut =
  | { readonly outcome: "cut"; readonly pieces: readonly Uint8Array[] }
  | { readonly outcome: "lost"; readonly reason: string };

/** A section that cannot be put together whole, so that it is left out: half a list would read as all of it. */
export interface LostSection {
  readonly type: string;
  readonly resource: string;
  readonly reason: string;
}

/** A text, or what was cut out of a slice. */
export type DumpPart = string | { readonly resource: string };

export interface AssembledDump {
  /** The dump, in order. */
  readonly parts: readonly DumpPart[];
  readonly lost: readonly LostSection[];
}

type Held =
  { readonly outcome: "held"; readonly isEmpty: boolean } | Exclude<SliceAnswer, { bytes: unknown }>;

/** Puts a dump together from slices. Holds none of their content: the caller keeps what is cut out of each. */
export class DumpAssembly {
  readonly #held = new Map<string, Held>();
  readonly #versions = new Map<string, string>();

  add(resource: string, answer: SliceAnswer): Cut {
    const cut = this.#cut(resource, answer);
    this.#held.set(
      resource,
      cut.outcome === "lost"
        ? cut
        : answer.outcome === "absent"
          ? answer
          : { outcome: "held", isEmpty: cut.pieces.length === 0 },
    );
    return cut;
  }

  finish(): AssembledDump {
    const parts: DumpPart[] = [];
    const lost: LostSection[] = [];
    const versions = this.#held.get(versionInfo);
    if (versions?.outcome === "lost")
      lost.push({ type: versionInfo, resource: versionInfo, reason: versions.reason });
    for (const section of sections) {
      const missing = this.#missingOf(section);
      if (missing !== null) {
        lost.push(missing);
        continue;
      }
      const body = this.#bodyOf(section);
      if (body.length > 0) parts.push(parts.length === 0 ? '{"configs":[' : ",", ...body);
    }
    parts.push(parts.length === 0 ? '{"configs":[]}\n' : "]}\n");
    return { parts, lost };
  }

  #cut(resource: string, answer: SliceAnswer): Cut {
    if (answer.outcome === "lost") return answer;
    try {
      const pieces = answer.outcome === "absent" ? [] : this.#piecesOf(resource, elementsOf(answer.bytes));
      // every Envoy has one: where it is missing, it was not an Envoy that answered
      if (resource === "bootstrap" && pieces.length === 0)
        return { outcome: "lost", reason: "the answer has no bootstrap" };
      return { outcome: "cut", pieces };
    } catch (error) {
      if (error instanceof ScanError)
        return { outcome: "lost", reason: `the slice is no config dump: ${error.message}` };
      if (error instanceof StrangeSlice) return { outcome: "lost", reason: error.message };
      throw error;
    }
  }

  #piecesOf(resource: string, elements: readonly Element[]): Uint8Array[] {
    if (resource === versionInfo) {
      for (const { type, version } of elements)
        if (version !== null) this.#versions.set(lastOf(type), version);
      return [];
    }
    const section = sections.find((each) => resourcesOf(each).includes(resource));
    if (section === undefined) throw new RangeError(`no section has a list ${resource}`);
    if (!("lists" in section))
      return elements
        .filter(({ type }) => lastOf(type) === section.type)
        .flatMap(({ whole }, index) => (index > 0 ? [comma, whole] : [whole]));
    const stranger = elements.find(({ type }) => !type.includes(`.${section.type}.`));
    if (stranger !== undefined)
      throw new StrangeSlice(`the slice holds ${excerpt(stranger.type) || "objects without a type"}`);
    return elements.flatMap(({ withoutType }, index) => (index > 0 ? [comma, ...withoutType] : withoutType));
  }

  #missingOf(section: Section): LostSection | null {
    for (const resource of resourcesOf(section)) {
      const held = this.#held.get(resource) ?? { outcome: "lost", reason: "it was not asked for" };
      if (held.outcome === "lost") return { type: section.type, resource, reason: held.reason };
    }
    return null;
  }

  /** Nothing where this Envoy has no such section; one with empty lists is a section. */
  #bodyOf(section: Section): DumpPart[] {
    const held = resourcesOf(section).flatMap((resource) => {
      const state = this.#held.get(resource);
      return state?.outcome === "held" ? [{ resource, isEmpty: state.isEmpty }] : [];
    });
    const filled = held.flatMap(({ resource, isEmpty }) => (isEmpty ? [] : [{ resource }]));
    if (!("lists" in section)) return filled;
    if (held.length === 0) return [];
    const version = this.#versions.get(section.type);
    return [
      `{"@type":"type.googleapis.com/envoy.admin.v3.${section.type}"`,
      ...(version === undefined ? [] : [`,"version_info":${JSON.stringify(version)}`]),
      ...filled.flatMap((slice) => [`,"${slice.resource}":[`, slice, "]"]),
      "}",
    ];
  }
}

/** The answer to another question. */
class StrangeSlice extends Error {}

interface Element {
  /** "" where it has none. */
  readonly type: string;
  readonly version: string | null;
  readonly whole: Uint8Array;
  /** The element as a section holds it. */
  readonly withoutType: readonly Uint8Array[];
}

/** The elements of `configs`; Envoy answers `{}` where there are none. @throws ScanError @throws StrangeSlice */
function elementsOf(bytes: Uint8Array): Element[] {
  const scanner = new JsonScanner(bytes);
  const elements: Element[] = [];
  const keys: string[] = [];
  scanner.object(scanner.skipSpace(0), (key, start) => {
    keys.push(key);
    if (key !== "configs") return scanner.skipValue(start).end;
    return scanner.array(start, (_index, at) => {
      const element = elementAt(scanner, at);
      elements.push(element);
      return at + element.whole.length;
    });
  });
  if (keys[0] !== undefined && !keys.includes("configs"))
    throw new StrangeSlice(`the slice is no config dump but has ${excerpt(keys[0])}`);
  return elements;
}

function elementAt(scanner: JsonScanner, at: number): Element {
  const { bytes } = scanner;
  let type = "";
  let version: string | null = null;
  let member = at + 1;
  /** Members but `@type`, those that stand side by side as one. */
  const runs: { readonly start: number; end: number }[] = [];
  let isBesideRun = false;
  const end = scanner.object(at, (key, start) => {
    const valueEnd = scanner.skipValue(start).end;
    const text = (): string => (bytes[start] === quote ? scanner.string(start, valueEnd) : "");
    if (key === "@type") {
      type = text();
      isBesideRun = false;
    } else {
      if (key === versionInfo) version = text();
      const run = runs.at(-1);
      if (isBesideRun && run !== undefined) run.end = valueEnd;
      else runs.push({ start: member, end: valueEnd });
      isBesideRun = true;
    }
    // the next member begins behind the comma
    member = scanner.skipSpace(valueEnd) + 1;
    return valueEnd;
  });
  return {
    type,
    version,
    whole: bytes.subarray(at, end),
    withoutType: [
      openBrace,
      ...runs.flatMap((run, index) => [...(index > 0 ? [comma] : []), bytes.subarray(run.start, run.end)]),
      closeBrace,
    ],
  };
}

const quote = 0x22;
const lastOf = (type: string): string => type.slice(type.lastIndexOf(".") + 1);
const openBrace = Buffer.from("{");
const closeBrace = Buffer.from("}");
const comma = Buffer.from(",");
