/**
 * Where an Istio resource landed: every object of every proxy whose metadata names it. Istiod writes the source of what it
 * generates into `metadata.filter_metadata.istio.config` (istio/istio, pilot/pkg/networking/util).
 */
import { UserError } from "../shared/errors.js";
import { excerpt } from "../shared/printable.js";
import { sectionKinds, type Origin, type Proxy, type Resource, type SectionKind } from "../snapshot/model.js";
import { contentOf, isMessage, text, type Message } from "../snapshot/message.js";
import { pointerToken } from "../snapshot/parse/config-dump.js";
import { configSourceOf } from "../snapshot/istio-config.js";

/** An Istio resource as a user names it: `VirtualService/reviews.default`. */
export interface IstioResource {
  /** As the user wrote it, any case: `VirtualService`, `virtual-service`. */
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

export interface Landing {
  readonly proxy: string;
  readonly kind: SectionKind;
  /** The name of the listener, route configuration, cluster, ... */
  readonly resource: string;
  /** What inside it, e.g. `route default`, `filter chain 0.0.0.0_9080`; "" for the resource itself. */
  readonly object: string;
  readonly origin: Origin;
}

/** @throws UserError when the text is not `Kind/name.namespace` */
export function parseIstioResource(reference: string): IstioResource {
  const match = /^([A-Za-z][A-Za-z-]*)\/(.+)\.([^.]+)$/.exec(reference);
  const [, kind, name, namespace] = match ?? [];
  if (kind === undefined || name === undefined || namespace === undefined) {
    throw new UserError(
      `--origin takes an Istio resource such as VirtualService/reviews.default, not "${excerpt(reference)}"`,
    );
  }
  return { kind, name, namespace };
}

/** Every place in a proxy's configuration that comes from the resource, in the order of the dump. */
export function landings(
  proxy: Proxy,
  resource: IstioResource,
  kinds: readonly SectionKind[] = sectionKinds,
  cache = new Map<string, readonly Place[]>(),
): Landing[] {
  return kinds.flatMap((kind) => {
    const section = proxy.config[kind];
    if (section.state === "absent") return [];
    const found: Landing[] = [];
    for (let index = 0; index < section.value.length; index++) {
      const content = section.value.resource(index);
      if (content === null) continue;
      const places = cache.get(content.hash) ?? placesIn(content, resource);
      cache.set(content.hash, places);
      if (places.length === 0) continue;
      const reference = section.value.at(index);
      for (const { object, pointer } of places) {
        found.push({
          proxy: proxy.id,
          kind,
          resource: reference.name,
          object,
          origin: { entry: reference.origin.entry, pointer: reference.origin.pointer + pointer },
        });
      }
    }
    return found;
  });
}

/** A place inside a resource. */
export interface Place {
  readonly object: string;
  readonly pointer: string;
}

function placesIn(resource: Resource, wanted: IstioResource): Place[] {
  if (!resource.text.includes(`/${wanted.name}"`)) return []; // cheaper than parsing, and most resources do not
  const places: Place[] = [];
  const walk = (value: unknown, pointer: string, what: string): void => {
    if (Array.isArray(value)) {
      value.forEach((item: unknown, index) => walk(item, `${pointer}/${index}`, what));
      return;
    }
    if (!isMessage(value)) return;
    const source = configSourceOf(value);
    if (
      source?.name === wanted.name &&
      source.namespace === wanted.namespace &&
      plain(source.kind) === plain(wanted.kind)
    ) {
      places.push({ object: objectName(value, pointer, what), pointer });
    }
    for (const [key, item] of Object.entries(value)) {
      if (key !== "metadata") walk(item, `${pointer}/${pointerToken(key)}`, key);
    }
  };
  walk(contentOf(resource), "", "");
  return places;
}

const singular: Readonly<Record<string, string>> = {
  routes: "route",
  virtual_hosts: "virtual host",
  filter_chains: "filter chain",
  default_filter_chain: "default filter chain",
};

function objectName(message: Message, pointer: string, key: string): string {
  if (pointer === "") return "";
  const name = text(message, "name");
  const what = singular[key] ?? key;
  return name === "" ? what : `${what} ${name}`;
}

/** `virtual-service`, `VirtualService` and `virtualservice` are one kind. */
const plain = (kind: string): string => kind.replaceAll("-", "").toLowerCase();
