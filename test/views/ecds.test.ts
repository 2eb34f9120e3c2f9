import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import type { ReferenceList } from "../../src/snapshot/model.js";
import { ecdsView } from "../../src/views/ecds.js";
import { newestIstioctl } from "../../src/views/view.js";
import { aResource, aSection, readDump, valueOf } from "../support/builders.js";
import {
  expectSuperset,
  expectText,
  golden,
  goldenSection,
  rendered,
  withoutGoldens,
} from "../support/golden.js";

const newest = { istioctl: newestIstioctl };
const filter = (name: string, type?: string): Readonly<Record<string, unknown>> =>
  aResource(
    "extensionConfig",
    name,
    type === undefined ? {} : { typed_config: { "@type": `type.googleapis.com/${type}` } },
  );
const sectionOf = (...lists: readonly (readonly unknown[])[]): ReferenceList =>
  valueOf(readDump(lists.map((ecds_filters) => aSection("Ecds", { ecds_filters }))).sections.extensionConfig);

describe.skipIf(withoutGoldens)("istioctl's own cases", () => {
  const folder = "writer/envoy/configdump/testdata/ecds";
  const view = (): ReturnType<typeof ecdsView> =>
    ecdsView(goldenSection(`${folder}/configdump.json`, "extensionConfig"), newest);

  it("05: table", () => expectText(rendered(view()), golden(`${folder}/output.txt`)));
  it("06: YAML", () => expectSuperset(view().json, parse(golden(`${folder}/output.yaml`))));
  it("07: JSON", () => expectSuperset(view().json, JSON.parse(golden(`${folder}/output.json`))));
});

describe("the table of extension configurations", () => {
  it("is sorted by type, then name; the JSON is not", () => {
    const view = ecdsView(
      sectionOf([
        { ecds_filter: filter("b", "b.v3.B") },
        { ecds_filter: filter("c", "a.v3.A") },
        { ecds_filter: filter("a", "a.v3.A") },
        { ecds_filter: filter("z") },
      ]),
      newest,
    );
    expect(view.header).toEqual(["ECDS NAME", "TYPE"]);
    expect(view.rows).toEqual([
      ["z", ""],
      ["a", "a.v3.A"],
      ["c", "a.v3.A"],
      ["b", "b.v3.B"],
    ]);
    expect(view.origins.map(({ pointer }) => pointer)).toEqual(
      [3, 2, 1, 0].map((index) => `/configs/0/ecds_filters/${index}/ecds_filter`),
    );
    expect(view.json).toMatchObject({
      ecdsFilters: ["b", "c", "a", "z"].map((name) => ({ ecdsFilter: { name } })),
    });
  });

  it("has all sections", () => {
    const view = ecdsView(sectionOf([{ ecds_filter: filter("a") }], [{ ecds_filter: filter("b") }]), newest);
    expect(view.rows).toEqual([
      ["a", ""],
      ["b", ""],
    ]);
  });

  it("shows a TypedStruct as such", () => {
    const any = {
      typed_config: { "@type": "x.io/xds.type.v3.TypedStruct", type_url: "x.io/wasm", value: {} },
    };
    expect(ecdsView(sectionOf([{ ecds_filter: { ...filter("a"), ...any } }]), newest).rows).toEqual([
      ["a", "x.io/xds.type.v3.TypedStruct"],
    ]);
  });

  it("keeps the types and times in its JSON, as far as there are any", () => {
    const times = { version_info: "7", last_updated: "2026-01-02T03:04:05.678Z" };
    const view = ecdsView(
      sectionOf([{ ecds_filter: filter("a", "b.v3.B"), ...times }, { ecds_filter: filter("b") }]),
      newest,
    );
    const type = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
    expect(view.json).toEqual({
      ecdsFilters: [
        {
          versionInfo: "7",
          ecdsFilter: { "@type": type, name: "a", typedConfig: { "@type": "type.googleapis.com/b.v3.B" } },
          lastUpdated: "2026-01-02T03:04:05.678Z",
        },
        { ecdsFilter: { "@type": type, name: "b" } },
      ],
    });
  });

  it("is empty where the section is", () => {
    expect(ecdsView(sectionOf([]), newest)).toMatchObject({ rows: [], json: { ecdsFilters: [] } });
  });
});
