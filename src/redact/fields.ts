import { envoyFields } from "./envoy-fields.js";
import { istioFields } from "./istio-fields.js";
import { kubernetesFields } from "./kubernetes-fields.js";
import type { Place } from "./places.js";

/** The places that fields have by their names, everywhere. */
export const fields: ReadonlyMap<string, Place> = new Map(
  Object.entries({ ...envoyFields, ...kubernetesFields, ...istioFields }),
);
