/** Route configurations that stand in listeners need no name, or share one, and are dumped in any order. */
import { describe, expect, it } from "vitest";

import { comparer, type Comparison } from "../../src/diff/sections.js";
import type { ReferenceList } from "../../src/snapshot/model.js";
import { aResource, aSection, aStore, readDump, valueOf } from "../support/builders.js";

const store = aStore();
const listOf = (...hosts: readonly string[]): ReferenceList =>
  valueOf(
    readDump(
      [
        aSection("Routes", {
          static_route_configs: hosts.map((host) => ({
            route_config: aResource("routeConfiguration", "", { virtual_hosts: [{ name: host }] }),
          })),
        }),
      ],
      store,
    ).sections.routeConfiguration,
  );
const compared = (before: ReferenceList, after: ReferenceList): Comparison =>
  comparer().compare("routeConfiguration", before, after);
const classes = ({ differences }: Comparison): string[] => differences.map((difference) => difference.class);

describe("several of one name", () => {
  it("are told apart by what they say", () => {
    expect(compared(listOf("a", "b", "c"), listOf("c", "a", "b"))).toMatchObject({
      same: 3,
      differences: [],
    });
    expect(classes(compared(listOf("a", "b"), listOf("b", "x")))).toEqual(["changed"]);
    expect(classes(compared(listOf("a", "b"), listOf("b")))).toEqual(["missing"]);
    expect(classes(compared(listOf("b"), listOf("a", "b", "c")))).toEqual(["extra", "extra"]);
    expect(classes(compared(listOf(), listOf("a", "b")))).toEqual(["extra", "extra"]);
    expect(classes(compared(listOf("a", "b"), listOf()))).toEqual(["missing", "missing"]);
  });

  it("count once where they are alike", () => {
    expect(compared(listOf("a", "a"), listOf("a"))).toMatchObject({ same: 1, differences: [] });
  });
});
