import { expect, it } from "vitest";

import { keptOnPurpose } from "../../src/redact/kept.js";

const words = (profile: "internal" | "support" | "public"): string =>
  keptOnPurpose(profile)
    .map(({ what, why }) => `${what}: ${why}`)
    .join("\n");

it("says what stays and why, for each profile", () => {
  for (const profile of ["internal", "support", "public"] as const)
    for (const { what, why } of keptOnPurpose(profile)) expect([what, why]).not.toContain("");
  expect(words("internal")).toContain("public certificates");
  expect(words("support")).toContain("certificates.json");
  expect(words("support")).toContain("namespaces");
  expect(words("public")).not.toContain("namespaces");
});
