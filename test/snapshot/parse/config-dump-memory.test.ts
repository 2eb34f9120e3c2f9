import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { expect, it } from "vitest";

import { readConfigDump, type ConfigDump } from "../../../src/snapshot/parse/config-dump.js";
import type { ResourceStore } from "../../../src/snapshot/parse/resources.js";
import { unreadResources } from "../../../src/snapshot/parse/unread-resources.js";
import { aStore, platform } from "../../support/builders.js";
import { smallDump } from "../../support/hostile.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Reads a dump that nobody else holds. */
function readFresh(store: ResourceStore): { readonly dump: ConfigDump; readonly bytes: WeakRef<Uint8Array> } {
  const bytes = Uint8Array.from(smallDump());
  return { dump: readConfigDump(bytes, "dump", store), bytes: new WeakRef(bytes) };
}

it.each([
  { store: "one that reads all", make: aStore, isHeld: false },
  { store: "one that reads later", make: () => unreadResources(aStore(), platform), isHeld: true },
])("the bytes of a dump are held by $store: $isHeld", async ({ make, isHeld }) => {
  const store = make();
  const { dump, bytes } = readFresh(store);
  await new Promise((resolve) => setTimeout(resolve)); // what a WeakRef gave lives until here
  collectGarbage();
  expect(bytes.deref() !== undefined).toBe(isHeld);
  expect(dump.newest).not.toBeNull();
  expect(store.resources.size).toBeGreaterThan(0);
});
