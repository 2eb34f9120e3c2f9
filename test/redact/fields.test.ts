import { expect, it } from "vitest";

import { fields } from "../../src/redact/fields.js";
import { folded } from "../../src/redact/key-names.js";

it("names every field in the one spelling that names are compared in", () => {
  for (const name of fields.keys()) expect(folded(name)).toBe(name);
});

it("has the fields of Envoy, of Istio and of Kubernetes", () => {
  for (const name of ["private_key", "proxy_metadata", "managed_fields"]) expect(fields.has(name)).toBe(true);
  expect(fields.has("cluster")).toBe(false);
});
