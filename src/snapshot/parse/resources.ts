import { messageOf } from "../../shared/errors.js";
import type { SearchedText } from "./deferred-list.js";
import type { Resource, ResourceKind } from "../model.js";
import { identityForm } from "./identity.js";
import { pieceCache, type PieceCache } from "./piece-cache.js";

/** What the parsers need of the platform; a browser brings its own. */
export interface Platform {
  /** A collision-resistant hash of a text, as short text (SHA-256 in hex). */
  readonly hash: (text: string) => string;
  /** Whether `b` stands in `a` at `aStart`; `a` is long enough. */
  readonly same: (a: Uint8Array, aStart: number, b: Uint8Array) => boolean;
  readonly searched: (bytes: Uint8Array) => SearchedText;
}

/** Every distinct resource of a mesh, once. */
export interface ResourceStore {
  /** By hash. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly maxDepth: number;
  /** The resource whose bytes begin at `start`, when the very same bytes were stored before. */
  find(
    bytes: Uint8Array,
    start: number,
    kind: ResourceKind,
  ): { readonly value: Resource; readonly end: number } | null;
  /** @returns the stored resource, or why the piece is none */
  store(
    bytes: Uint8Array,
    start: number,
    end: number,
    kind: ResourceKind,
  ): Resource | { readonly error: string };
  /** What is between two offsets, to search in, where lists of these bytes are to be read only when they are asked for. */
  searchIn(bytes: Uint8Array): ((from: number, to: number) => SearchedText) | null;
  /** One copy of a text that many references hold. */
  intern(text: string): string;
}

/** The type of a resource that names none (dumps of Istio 1.4 and before), by what it is. */
export const defaultTypes: Readonly<Record<ResourceKind, string>> = {
  cluster: "envoy.config.cluster.v3.Cluster",
  listener: "envoy.config.listener.v3.Listener",
  routeConfiguration: "envoy.config.route.v3.RouteConfiguration",
  scopedRoutes: "envoy.config.route.v3.ScopedRouteConfiguration",
  endpointAssignment: "envoy.config.endpoint.v3.ClusterLoadAssignment",
  secret: "envoy.extensions.transport_sockets.tls.v3.Secret",
  extensionConfig: "envoy.config.core.v3.TypedExtensionConfig",
  bootstrap: "envoy.config.bootstrap.v3.Bootstrap",
};

const cacheBytes = 256 * 1024 * 1024;

export function resourceStore(platform: Platform, maxDepth: number): ResourceStore {
  const resources = new Map<string, Resource>();
  const texts = new Map<string, string>();
  const cache: PieceCache<Resource> = pieceCache(platform.same, cacheBytes);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  return {
    resources,
    maxDepth,
    find: (bytes, start, kind) => cache.find(bytes, start, kind),
    store(bytes, start, end, kind) {
      try {
        const { text, type, name } = identityForm(
          decoder.decode(bytes.subarray(start, end)),
          defaultTypes[kind],
          maxDepth,
        );
        const hash = platform.hash(`${kind}\n${text}`);
        let resource = resources.get(hash);
        if (resource === undefined) {
          resource = { hash, kind, type, name, text };
          resources.set(hash, resource);
        }
        cache.remember(bytes, start, end, kind, resource);
        return resource;
      } catch (error) {
        return { error: messageOf(error) };
      }
    },
    searchIn: () => null,
    intern(text) {
      const known = texts.get(text);
      if (known !== undefined) return known;
      texts.set(text, text);
      return text;
    },
  };
}
