/** What the seeded messages have in common. */

import type { JsonObject } from "../mesh/json.js";

export const typeUrl = (name: string): string => `type.googleapis.com/${name}`;

/** A message in an Any. */
export const any = (type: string, fields: JsonObject = {}): JsonObject => ({
  "@type": typeUrl(type),
  ...fields,
});

/** An extension: a filter, a tracer, an access log, ... */
export const extension = (name: string, type: string, fields: JsonObject = {}): JsonObject => ({
  name,
  typed_config: any(type, fields),
});

/** `envoy.config.core.v3.HeaderValueOption`. */
export const headerOption = (key: string, value: string): JsonObject => ({
  header: { key, value },
  append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
});
