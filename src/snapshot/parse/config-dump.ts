/**
 * Reads an Envoy `/config_dump`, or what Istiod would send in the same shape, of any release: sections of
 * `envoy.admin.v2alpha` and `v3`, `?resource=` slices, snake_case and lowerCamelCase.
 *
 * Only the envelope is read here, by a scan over the bytes; resources are cut out and stored by content. One bad piece
 * costs that piece, a dump that is cut off keeps what stood before the cut.
 * Shapes: envoy/admin/v3/config_dump.proto and config_dump_shared.proto.
 */
import { BundleFormatError } from "../../shared/errors.js";
import { isObject } from "../../shared/json-value.js";
import { isSpace, jsonStart, notJson, utf8 } from "../../shared/json.js";
import { excerpt } from "../../shared/printable.js";
import { lost, note, ProblemList, type Problem } from "../../shared/problem.js";
import { validator } from "../../shared/validator.js";
import {
  absent,
  present,
  sectionKinds,
  type Collected,
  type DumpedContent,
  type Node,
  type Origin,
  type ReferenceList,
  type Rejection,
  type Resource,
  type ResourceKind,
  type ResourceState,
  type Sections,
  type SectionKind,
} from "../model.js";
import { joined, ReferenceListBuilder } from "../reference-list.js";
import { deferredList } from "./deferred-list.js";
import { UnreadableResource } from "./dumped-json.js";
import { identityForm, IdentityError } from "./identity.js";
import { JsonScanner, ScanError } from "../../shared/json-scan.js";
import { nodeFromBootstrap } from "./node.js";
import type { ResourceStore } from "./resources.js";
import { typeName } from "./type-url.js";

export interface ConfigDump {
  readonly sections: Sections;
  readonly bootstrap: Collected<{
    readonly hash: string;
    readonly lastUpdated: string | null;
    readonly origin: Origin;
  }>;
  readonly node: Collected<Node>;
  /** RFC 3339 of the newest `last_updated` of the dump; null when it has none. */
  readonly newest: string | null;
  /** Whether the dump holds single lists (`?resource=`), not whole sections. */
  readonly isSlice: boolean;
  readonly problems: readonly Problem[];
}

/** Fields of a section that hold its elements, with what each says of them. */
const lists: Readonly<
  Record<string, { kind: SectionKind; source: "static" | "dynamic"; state: ResourceState }>
> = {
  static_clusters: { kind: "cluster", source: "static", state: "active" },
  dynamic_active_clusters: { kind: "cluster", source: "dynamic", state: "active" },
  dynamic_warming_clusters: { kind: "cluster", source: "dynamic", state: "warming" },
  static_listeners: { kind: "listener", source: "static", state: "active" },
  dynamic_listeners: { kind: "listener", source: "dynamic", state: "active" },
  // before Envoy 1.13
  dynamic_active_listeners: { kind: "listener", source: "dynamic", state: "active" },
  dynamic_warming_listeners: { kind: "listener", source: "dynamic", state: "warming" },
  dynamic_draining_listeners: { kind: "listener", source: "dynamic", state: "draining" },
  static_route_configs: { kind: "routeConfiguration", source: "static", state: "active" },
  dynamic_route_configs: { kind: "routeConfiguration", source: "dynamic", state: "active" },
  inline_scoped_route_configs: { kind: "scopedRoutes", source: "static", state: "active" },
  dynamic_scoped_route_configs: { kind: "scopedRoutes", source: "dynamic", state: "active" },
  static_endpoint_configs: { kind: "endpointAssignment", source: "static", state: "active" },
  dynamic_endpoint_configs: { kind: "endpointAssignment", source: "dynamic", state: "active" },
  static_secrets: { kind: "secret", source: "static", state: "active" },
  dynamic_active_secrets: { kind: "secret", source: "dynamic", state: "active" },
  dynamic_warming_secrets: { kind: "secret", source: "dynamic", state: "warming" },
  ecds_filters: { kind: "extensionConfig", source: "dynamic", state: "active" },
};

/** Sections, by the last part of their type: the kind, or null for the bootstrap. */
const sectionTypes: Readonly<Record<string, SectionKind | null>> = {
  BootstrapConfigDump: null,
  ClustersConfigDump: "cluster",
  ListenersConfigDump: "listener",
  RoutesConfigDump: "routeConfiguration",
  ScopedRoutesConfigDump: "scopedRoutes",
  EndpointsConfigDump: "endpointAssignment",
  SecretsConfigDump: "secret",
  EcdsConfigDump: "extensionConfig",
};
const sectionNames = new Map(Object.entries(sectionTypes).map(([name, kind]) => [kind, name]));

/** Fields that hold a resource, with its kind. */
const resourceFields: Readonly<Record<string, ResourceKind>> = {
  cluster: "cluster",
  listener: "listener",
  route_config: "routeConfiguration",
  scoped_route_configs: "scopedRoutes",
  endpoint_config: "endpointAssignment",
  secret: "secret",
  ecds_filter: "extensionConfig",
};

/** Fields of a dynamic listener that hold a state of it. */
const stateFields: Readonly<Record<string, ResourceState>> = {
  active_state: "active",
  warming_state: "warming",
  draining_state: "draining",
};

/** Types of bare resources, as Istiod's `?types=` gives them, by the end of their names. */
const resourceTypes: readonly (readonly [RegExp, SectionKind])[] = [
  [/\.Cluster$/, "cluster"],
  [/\.Listener$/, "listener"],
  [/\.RouteConfiguration$/, "routeConfiguration"],
  [/\.ClusterLoadAssignment$/, "endpointAssignment"],
  [/\.Secret$/, "secret"],
  [/\.TypedExtensionConfig$/, "extensionConfig"],
];

const plainFields = [
  "name",
  "version_info",
  "last_updated",
  "client_status",
  "details",
  "last_update_attempt",
];

/** Both spellings of every field of the envelope, to the proto one. Other keys are none of ours. */
const envelopeFields = new Map(
  [
    ...Object.keys(lists),
    ...Object.keys(resourceFields),
    ...Object.keys(stateFields),
    ...plainFields,
    "error_state",
    "failed_configuration",
    "bootstrap",
    "configs",
    "@type",
  ].flatMap((name) => [
    [name, name],
    [name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), name],
  ]),
);

interface Element {
  readonly name?: string;
  readonly version_info?: string;
  readonly last_updated?: string;
  readonly details?: string;
  readonly last_update_attempt?: string;
}
const validateElement = validator<Element>("configDumpElement");

/** What the name of a list says of its elements. */
type ListOf = (typeof lists)[string];

/** References that stand next to each other in the list of their kind. */
interface Part {
  readonly build: () => ReferenceList;
}

/** One resource found inside an element. */
interface Found {
  readonly state: ResourceState | null;
  readonly resource: Resource | null;
  readonly inside: string;
  readonly plain: Record<string, unknown>;
  readonly rejected: boolean;
}

/**
 * @param entry names the dump in origins and problems
 * @throws BundleFormatError when there is no dump in it at all
 */
export function readConfigDump(bytes: Uint8Array, entry: string, store: ResourceStore): ConfigDump {
  return new DumpReader(utf8(bytes), entry, store).read();
}

/**
 * The node of a dump of which only the beginning is at hand, as long as the bootstrap stands in it.
 * @returns null when it does not
 */
export function readNode(head: Uint8Array, entry: string, maxDepth: number): Node | null {
  const bytes = utf8(head);
  const scanner = new JsonScanner(bytes);
  const start = jsonStart(bytes);
  if (bytes[start] !== 0x7b) return null;
  let node: Node | null = null;
  try {
    scanner.object(start, (key, at) => {
      if (key !== "configs") return scanner.skipValue(at).end;
      return scanner.array(at, (index, section) =>
        scanner.object(section, (name, value) => {
          const { end } = scanner.skipValue(value);
          if (name !== "bootstrap") return end;
          const { text } = identityForm(
            scanner.text(value, end),
            "envoy.config.bootstrap.v3.Bootstrap",
            maxDepth,
          );
          node ??= nodeFromBootstrap(text, { entry, pointer: `/configs/${index}/bootstrap/node` });
          throw new ScanError("cut", end); // the rest is of no interest
        }),
      );
    });
  } catch (error) {
    if (!(error instanceof ScanError || error instanceof IdentityError || error instanceof BundleFormatError))
      throw error;
  }
  return node;
}

class DumpReader {
  readonly #scanner: JsonScanner;
  /** Fewer than the snapshot's list takes of one entry, so that the remark on how many more there are stays. */
  readonly #problems = new ProblemList(40);
  /** What the sections gave, in their order. */
  readonly #parts = new Map<SectionKind, Part[]>();
  /** The lists of the section that is being read; null between sections. */
  #own: Map<SectionKind, Part[]> | null = null;
  /** Those of the lists above that are read when they are asked for. */
  readonly #deferred: ReferenceList[] = [];
  /** Sections (with @type) that were seen. */
  readonly #seen = new Set<SectionKind>();
  #bootstrap: Collected<{ hash: string; lastUpdated: string | null; origin: Origin }> = absent(
    "no BootstrapConfigDump in this dump",
  );
  #bootstrapText: string | null = null;
  #newest: string | null = null;
  /** Times that are not compared yet, of two next to each other that are the same one. */
  #times: string[] = [];
  #isSlice = false;
  #foundConfigs = false;

  constructor(
    readonly bytes: Uint8Array,
    readonly entry: string,
    readonly store: ResourceStore,
  ) {
    this.#scanner = new JsonScanner(bytes);
  }

  read(): ConfigDump {
    const { bytes, entry } = this;
    const start = jsonStart(bytes);
    if (start < 0 || bytes[start] !== 0x7b)
      throw new BundleFormatError(
        entry,
        "",
        start < 0 ? notJson(bytes) : "is no config_dump: it is an array",
      );
    if (start > 0) {
      const before = this.#scanner.text(0, Math.min(start, 400)).trim();
      if (before !== "") this.#problems.add(note(entry, `text stands before the JSON: "${excerpt(before)}"`));
    }
    let cut = false;
    try {
      const end = this.#scanner.object(start, (key, at) => {
        if (key !== "configs") return this.#skip(at, `/${pointerToken(key)}`).end;
        if (bytes[at] !== 0x5b) throw new BundleFormatError(entry, "/configs", "must be array");
        this.#foundConfigs = true;
        return this.#scanner.array(at, (index, element) => this.#section(`/configs/${index}`, element));
      });
      this.#remarkTail(end);
    } catch (error) {
      if (!(error instanceof ScanError)) throw error;
      if (!this.#foundConfigs) throw new BundleFormatError(entry, "", error.message);
      cut = true;
      this.#problems.add(lost(entry, `${error.message}; what stood before was read`));
    }
    if (!this.#foundConfigs) throw new BundleFormatError(entry, "", 'is no config_dump: it has no "configs"');
    const sections = Object.fromEntries(
      sectionKinds.map((kind) => {
        const parts = this.#parts.get(kind) ?? [];
        if (parts.length > 0 || this.#seen.has(kind))
          return [kind, present(joined(parts.map((part) => part.build())))];
        return [
          kind,
          absent(
            cut
              ? "the dump is cut off or damaged before this section"
              : missing(kind, this.#seen.has("cluster")),
          ),
        ];
      }),
    ) as unknown as Sections;
    const dump = {
      sections,
      bootstrap: this.#bootstrap,
      node: this.#node(),
      isSlice: this.#isSlice,
      problems: this.#problems.all,
    };
    // the reader, which holds the bytes, lives on only for what is read later
    if (this.#deferred.length === 0) return { ...dump, newest: this.#newestOfAll() };
    const newest = (): string | null => this.#newestOfAll();
    return {
      ...dump,
      get newest() {
        return newest();
      },
    };
  }

  #node(): Collected<Node> {
    if (this.#bootstrapText === null || this.#bootstrap.state === "absent") {
      return this.#bootstrap.state === "absent" ? this.#bootstrap : absent("the bootstrap could not be read");
    }
    try {
      const { pointer } = this.#bootstrap.value.origin;
      const node = nodeFromBootstrap(this.#bootstrapText, { entry: this.entry, pointer: `${pointer}/node` });
      return node === null ? absent("the bootstrap names no node") : present(node);
    } catch (error) {
      if (!(error instanceof BundleFormatError)) throw error;
      this.#problems.add(lost(this.entry, error.detail, error.pointer));
      return absent("the bootstrap's node could not be read");
    }
  }

  #remarkTail(end: number): void {
    let at = end;
    while (isSpace(this.bytes[at])) at++;
    if (at >= this.bytes.length) return;
    const tail = this.#scanner.text(at, Math.min(this.bytes.length, at + 400));
    this.#problems.add(note(this.entry, `text stands behind the JSON: "${excerpt(tail)}"`));
  }

  /** One element of `configs`: a section, a slice's element, or a bare resource. */
  #section(pointer: string, start: number): number {
    const { bytes } = this;
    if (bytes[start] !== 0x7b) {
      this.#problems.add(lost(this.entry, "must be object", pointer));
      return this.#skip(start, pointer).end;
    }
    let type = "";
    const plain: Record<string, unknown> = {};
    const found: Found[] = [];
    const section = { hasLists: false };
    const bootstraps: { pointer: string; at: number; end: number }[] = [];
    const own = new Map<SectionKind, Part[]>();
    const readMember = (key: string, at: number): number => {
      const field = envelopeFields.get(key);
      const inside = `${pointer}/${pointerToken(key)}`;
      if (field === "@type") {
        const { end: valueEnd } = this.#scanner.skipValue(at);
        type = bytes[at] === 0x22 ? typeName(this.#scanner.string(at, valueEnd)) : "";
        return valueEnd;
      }
      if (field === undefined) return this.#skip(at, inside).end;
      if (field === "bootstrap" && bytes[at] === 0x7b) {
        const { end: valueEnd } = this.#skip(at, inside);
        bootstraps.push({ pointer: inside, at, end: valueEnd });
        return valueEnd;
      }
      const list = Object.hasOwn(lists, field) ? lists[field] : undefined;
      if (list !== undefined) {
        if (bytes[at] !== 0x5b) {
          this.#problems.add(lost(this.entry, "must be array", inside));
          return this.#skip(at, inside).end;
        }
        section.hasLists = true;
        const listEnd = this.#defer(inside, at, list);
        if (listEnd !== null) return listEnd;
        return this.#scanner.array(at, (index, element) => this.#element(inside, index, element, list));
      }
      return this.#member(field, key, at, pointer, plain, found);
    };
    this.#own = own;
    let end: number;
    try {
      end = this.#scanner.object(start, readMember);
    } finally {
      // also where the dump is cut off inside: what stood before counts
      this.#own = null;
      this.#endSection(type, own, pointer);
    }
    for (const bootstrap of bootstraps) this.#storeBootstrap(bootstrap, plain);
    if (
      bootstraps.length === 0 &&
      lastPart(type) === "BootstrapConfigDump" &&
      this.#bootstrap.state === "absent"
    ) {
      this.#bootstrap = absent("the BootstrapConfigDump is empty");
    }
    if (found.length > 0) this.#sliceElement(type, plain, found, pointer);
    else if (section.hasLists && type === "") {
      this.#problems.add(note(this.entry, "has no @type; it was read by the names of its lists", pointer));
    } else if (!isSectionType(type)) this.#bareResource(type, pointer, start, end);
    return end;
  }

  /** A section that stands twice: the last one counts, as for istioctl, but ECDS sections add up. */
  #endSection(type: string, own: ReadonlyMap<SectionKind, Part[]>, pointer: string): void {
    const declared = isSectionType(type) ? (sectionTypes[lastPart(type)] ?? null) : null;
    if (declared !== null) {
      if (this.#seen.has(declared) && declared !== "extensionConfig") {
        this.#parts.delete(declared);
        this.#problems.add(note(this.entry, `${lastPart(type)} stands twice; the last one counts`, pointer));
      }
      this.#seen.add(declared);
    }
    for (const [kind, parts] of own) {
      const before = this.#parts.get(kind);
      if (before === undefined) this.#parts.set(kind, parts);
      else before.push(...parts);
    }
  }

  /**
   * Leaves a list for later, where the store does so with what is in it.
   * @returns the offset behind it; null where it must be read at once
   */
  #defer(pointer: string, start: number, of: ListOf): number | null {
    const searchIn = this.store.searchIn(this.bytes);
    if (searchIn === null) return null;
    let found: ReturnType<JsonScanner["objectsIn"]>;
    try {
      found = this.#scanner.objectsIn(start);
    } catch (error) {
      if (!(error instanceof ScanError)) throw error;
      return null; // what stands before the cut counts
    }
    if (found === null) return null;
    const { places, end } = found;
    if (places.length === 0) return end;
    const read = (index: number): number => this.#element(pointer, index, places[2 * index] ?? 0, of);
    const list = deferredList({
      places,
      element: (index) => this.#later(of.kind, () => read(index)),
      all: () =>
        this.#later(of.kind, () => {
          for (let index = 0; index < places.length / 2; index++) read(index);
        }),
      text: searchIn(places[0] ?? 0, places.at(-1) ?? 0),
    });
    this.#deferred.push(list);
    this.#partsOf(of.kind).push({ build: () => list });
    return end;
  }

  /**
   * Reads what was left for later.
   * @throws UnreadableResource where something is wrong with it: the same dump read at once tells what, and the rest
   */
  #later(kind: SectionKind, read: () => void): ReferenceList {
    const builder = this.#newBuilder(kind);
    const before = this.#problems.count;
    this.#own = new Map([[kind, [builder]]]);
    try {
      read();
    } catch (error) {
      if (!(error instanceof ScanError)) throw error;
      throw new UnreadableResource(error.message, { cause: error });
    } finally {
      this.#own = null;
    }
    if (this.#problems.count > before) throw new UnreadableResource(`a list of the kind ${kind} is damaged`);
    return builder.build();
  }

  /** One element of a section's list. */
  #element(list: string, index: number, start: number, of: ListOf): number {
    const pointer = `${list}/${index}`;
    if (this.bytes[start] !== 0x7b) {
      this.#problems.add(lost(this.entry, "must be object", pointer));
      return this.#skip(start, pointer).end;
    }
    const plain: Record<string, unknown> = {};
    const found: Found[] = [];
    const end = this.#scanner.object(start, (key, at) => {
      const field = envelopeFields.get(key);
      if (field === undefined) return this.#skip(at, `${pointer}/${pointerToken(key)}`).end;
      return this.#member(field, key, at, pointer, plain, found);
    });
    this.#add(of, plain, found, { list, index, pointer });
    return end;
  }

  /** One member of an element: a plain field, a resource, a state of a listener, an error. */
  #member(
    field: string,
    key: string,
    at: number,
    pointer: string,
    plain: Record<string, unknown>,
    found: Found[],
  ): number {
    const inside = `/${pointerToken(key)}`;
    const kind = Object.hasOwn(resourceFields, field) ? resourceFields[field] : undefined;
    if (kind !== undefined) {
      const { resource, end } = this.#resource(at, kind, pointer + inside);
      found.push({ state: null, resource, inside, plain, rejected: false });
      return end;
    }
    const state = Object.hasOwn(stateFields, field) ? stateFields[field] : undefined;
    const isError = field === "error_state";
    if ((state !== undefined || isError) && this.bytes[at] === 0x7b) {
      const own: Record<string, unknown> = {};
      const before = found.length;
      const end = this.#scanner.object(at, (innerKey, innerAt) => {
        const innerField = envelopeFields.get(innerKey);
        const innerInside = `${inside}/${pointerToken(innerKey)}`;
        if (innerField === "failed_configuration") return this.#skip(innerAt, pointer + innerInside).end;
        const innerKind =
          innerField !== undefined && Object.hasOwn(resourceFields, innerField)
            ? resourceFields[innerField]
            : undefined;
        if (innerKind !== undefined && !isError) {
          const { resource, end: resourceEnd } = this.#resource(innerAt, innerKind, pointer + innerInside);
          found.push({ state: state ?? null, resource, inside: innerInside, plain: own, rejected: false });
          return resourceEnd;
        }
        return this.#plain(innerField, innerAt, own, pointer + innerInside);
      });
      if (isError) found.push({ state: "rejected", resource: null, inside, plain: own, rejected: true });
      else if (found.length === before)
        this.#problems.add(lost(this.entry, "holds no resource", pointer + inside));
      return end;
    }
    if (state !== undefined || isError) {
      this.#problems.add(lost(this.entry, "must be object", pointer + inside));
      return this.#skip(at, pointer + inside).end;
    }
    return this.#plain(field, at, plain, pointer + inside);
  }

  #plain(field: string | undefined, at: number, into: Record<string, unknown>, pointer: string): number {
    const { end } = this.#skip(at, pointer);
    if (field === undefined || !plainFields.includes(field)) return end;
    try {
      into[field] =
        this.#scanner.plainString(at, end) ?? (JSON.parse(this.#scanner.text(at, end)) as unknown);
    } catch {
      this.#problems.add(lost(this.entry, "is not valid JSON", pointer));
    }
    return end;
  }

  #add(
    of: ListOf,
    plain: Record<string, unknown>,
    found: readonly Found[],
    at: { readonly list: string; readonly index: number; readonly pointer: string },
  ): void {
    const element = this.#validated(plain, at.pointer);
    const builder = this.#builder(of.kind);
    if (found.length === 0) {
      this.#problems.add(lost(this.entry, "holds no resource", at.pointer));
      return;
    }
    for (const { state, resource, inside, plain: own, rejected } of found) {
      const detail = own === plain ? element : this.#validated(own, at.pointer + inside);
      if (resource === null && !rejected) continue; // its problem is reported
      const lastUpdated = detail.last_updated ?? null;
      this.#sawTime(lastUpdated);
      builder.add({
        name: element.name ?? null,
        resource,
        source: of.source,
        state: state ?? of.state,
        versionInfo: detail.version_info ?? "",
        lastUpdated: lastUpdated === "" ? null : lastUpdated,
        rejection: rejected ? rejectionOf(detail) : null,
        list: at.list,
        index: at.index,
        inside,
      });
    }
  }

  #validated(plain: Record<string, unknown>, pointer: string): Element {
    for (;;) {
      try {
        return validateElement(plain, this.entry, pointer);
      } catch (error) {
        if (!(error instanceof BundleFormatError)) throw error;
        this.#problems.add(lost(this.entry, error.detail, error.pointer));
        const field = error.pointer.slice(pointer.length + 1).split("/")[0] ?? "";
        if (!Object.hasOwn(plain, field)) return {};
        Reflect.deleteProperty(plain, field); // costs the field, not the resource
      }
    }
  }

  /** `?resource=dynamic_listeners` and the like: `configs` holds the elements themselves. */
  #sliceElement(
    type: string,
    plain: Record<string, unknown>,
    found: readonly Found[],
    pointer: string,
  ): void {
    this.#isSlice = true;
    const first = found.find(({ resource }) => resource !== null)?.resource ?? null;
    const kind = (first?.kind ?? kindOfSlice(type)) as SectionKind | null;
    if (kind === null) {
      this.#problems.add(lost(this.entry, `is of an unknown type "${excerpt(type)}"`, pointer));
      return;
    }
    const at = pointer.lastIndexOf("/");
    const source = /\.Static\w*$/.test(type) ? "static" : "dynamic";
    // only a listener's element says itself which state it is in
    this.#add({ kind, source, state: "unknown" }, plain, found, {
      list: pointer.slice(0, at),
      index: Number(pointer.slice(at + 1)),
      pointer,
    });
  }

  /** A resource that stands in `configs` without an envelope. */
  #bareResource(type: string, pointer: string, start: number, end: number): void {
    const kind = resourceTypes.find(([pattern]) => pattern.test(type))?.[1];
    if (kind === undefined) {
      const what = type === "" ? "has no @type" : `is of an unknown type "${excerpt(type)}"`;
      this.#problems.add(note(this.entry, `${what} and was passed over`, pointer));
      return;
    }
    this.#isSlice = true;
    const resource = this.store.store(this.bytes, start, end, kind);
    if ("error" in resource) {
      this.#problems.add(lost(this.entry, resource.error, pointer));
      return;
    }
    const at = pointer.lastIndexOf("/");
    this.#builder(kind).add({
      name: null,
      resource,
      source: "dynamic",
      state: "unknown",
      versionInfo: "",
      lastUpdated: null,
      rejection: null,
      list: pointer.slice(0, at),
      index: Number(pointer.slice(at + 1)),
      inside: "",
    });
  }

  #storeBootstrap(
    { pointer, at, end }: { pointer: string; at: number; end: number },
    plain: Record<string, unknown>,
  ): void {
    const resource = this.store.store(this.bytes, at, end, "bootstrap");
    if ("error" in resource) {
      this.#problems.add(lost(this.entry, resource.error, pointer));
      this.#bootstrap = absent("the bootstrap could not be read");
      return;
    }
    const lastUpdated =
      this.#validated(plain, pointer.slice(0, pointer.lastIndexOf("/"))).last_updated ?? null;
    this.#sawTime(lastUpdated);
    this.#bootstrapText = resource.dumped === undefined ? resource.text : this.#nodeIn(resource.dumped);
    this.#bootstrap = present({ hash: resource.hash, lastUpdated, origin: { entry: this.entry, pointer } });
  }

  /** Of a bootstrap that is not read as a whole just its node. */
  #nodeIn(bootstrap: DumpedContent): string {
    const value = bootstrap.value();
    return JSON.stringify(isObject(value) && value["node"] !== undefined ? { node: value["node"] } : {});
  }

  /** The resource at `at`: known by its bytes, or parsed now; null (with a problem) when it is none. */
  #resource(at: number, kind: ResourceKind, pointer: string): { resource: Resource | null; end: number } {
    const known = this.store.find(this.bytes, at, kind);
    if (known !== null) return { resource: known.value, end: known.end };
    const { end, deep } = this.#skip(at, pointer);
    if (deep) return { resource: null, end };
    if (this.bytes[at] !== 0x7b && this.bytes[at] !== 0x5b) {
      this.#problems.add(lost(this.entry, "must be object", pointer));
      return { resource: null, end };
    }
    const resource = this.store.store(this.bytes, at, end, kind);
    if (!("error" in resource)) return { resource, end };
    this.#problems.add(lost(this.entry, resource.error, pointer));
    return { resource: null, end };
  }

  #skip(at: number, pointer: string): { end: number; deep: boolean } {
    const { end, depth } = this.#scanner.skipValue(at);
    const deep = depth > this.store.maxDepth;
    if (deep)
      this.#problems.add(
        lost(
          this.entry,
          `is nested deeper than ${this.store.maxDepth} (--max-json-depth raises the limit)`,
          pointer,
        ),
      );
    return { end, deep };
  }

  /** Where references go: into the present section, or for slices and bare resources into one list for all. */
  #builder(kind: SectionKind): ReferenceListBuilder {
    const parts = this.#partsOf(kind);
    const last = parts.at(-1);
    if (last instanceof ReferenceListBuilder) return last;
    const builder = this.#newBuilder(kind);
    parts.push(builder);
    return builder;
  }

  #newBuilder(kind: SectionKind): ReferenceListBuilder {
    return new ReferenceListBuilder(kind, this.entry, (text) => this.store.intern(text));
  }

  #partsOf(kind: SectionKind): Part[] {
    const all = this.#own ?? this.#parts;
    const parts = all.get(kind) ?? [];
    all.set(kind, parts);
    return parts;
  }

  #newestOfAll(): string | null {
    for (const list of this.#deferred) list.at(0); // reads all of it
    for (const time of this.#times)
      if (isTime(time) && (this.#newest === null || later(time, this.#newest))) this.#newest = time;
    this.#times = [];
    return this.#newest;
  }

  #sawTime(time: string | null): void {
    if (time !== null && time !== this.#times.at(-1)) this.#times.push(time);
  }
}

function rejectionOf(element: Element): Rejection {
  return {
    details: element.details ?? "",
    lastUpdateAttempt: element.last_update_attempt ?? null,
    versionInfo: element.version_info ?? "",
  };
}

function missing(kind: SectionKind, hasClusters: boolean): string {
  const section = `no ${sectionNames.get(kind) ?? kind} in this dump`;
  return kind === "endpointAssignment" && hasClusters
    ? `${section}: it was captured without include_eds`
    : section;
}

function kindOfSlice(type: string): SectionKind | null {
  const section = /\.(\w+ConfigDump)\.\w+$/.exec(type)?.[1];
  return section !== undefined && Object.hasOwn(sectionTypes, section)
    ? (sectionTypes[section] ?? null)
    : null;
}

const lastPart = (type: string): string => type.slice(type.lastIndexOf(".") + 1);
const isSectionType = (type: string): boolean => Object.hasOwn(sectionTypes, lastPart(type));
const isTime = (text: string): boolean => !Number.isNaN(Date.parse(text));
const later = (a: string, b: string): boolean => Date.parse(a) > Date.parse(b);

/** A key as a token of a JSON pointer (RFC 6901). */
export function pointerToken(key: string): string {
  if (!/[~/]/.test(key)) return key;
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
