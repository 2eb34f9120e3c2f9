import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { configsOf, isEnabled, levelsOf } from "../../../src/trace/filters/per-route-config.js";

const any = (type: string, own: Message = {}): Message => ({
  "@type": `type.googleapis.com/${type}`,
  ...own,
});
const filterConfig = (own: Message): Message => any("envoy.config.route.v3.FilterConfig", own);
const perRoute = any("envoy.extensions.filters.http.rbac.v3.RBACPerRoute", { rbac: {} });
const levels = (...values: readonly (Message | null)[]): ReturnType<typeof levelsOf> =>
  levelsOf(
    values.map((value) => (value === null ? {} : { f: value })),
    ["f"],
  );
const off = filterConfig({ disabled: true });
const on = filterConfig({ config: {} });

describe("whether a filter is on (case 54)", () => {
  it.each<{ what: string; disabled: boolean; values: readonly (Message | null)[]; isOn: boolean }>([
    { what: "by its own", disabled: false, values: [], isOn: true },
    { what: "not by its own", disabled: true, values: [], isOn: false },
    { what: "by a plain configuration of the route", disabled: true, values: [perRoute], isOn: true },
    { what: "by an empty FilterConfig", disabled: true, values: [on], isOn: true },
    { what: "not by a level", disabled: false, values: [off], isOn: false },
    { what: "not by a deeper level", disabled: true, values: [on, off], isOn: false },
    { what: "again by a deeper level", disabled: false, values: [off, on], isOn: true },
    { what: "by the deepest level that names it", disabled: false, values: [off, null], isOn: false },
  ])("$what: $isOn", ({ disabled, values, isOn }) => {
    expect(isEnabled({ name: "f", disabled }, levels(...values))).toBe(isOn);
  });
});

describe("the configurations", () => {
  it("are those inside of FilterConfig, too", () => {
    const inside = filterConfig({ config: perRoute });
    expect(configsOf(levels(inside))).toEqual([perRoute]);
    expect(configsOf(levels(perRoute))).toEqual([perRoute]);
  });

  it("are not hidden by a deeper level that only turns the filter on", () => {
    expect(configsOf(levels(perRoute, on))).toEqual([perRoute]);
    expect(configsOf(levels(off, on))).toEqual([]);
  });

  it("are read from a TypedStruct in either spelling", () => {
    const struct = any("xds.type.v3.TypedStruct", {
      type_url: "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
      value: { tokenBucket: { maxTokens: 5 }, stat_prefix: "x" },
    });
    expect(configsOf(levels(struct))).toEqual([{ token_bucket: { max_tokens: 5 }, stat_prefix: "x" }]);
  });

  it("stand under the first name that a level has", () => {
    const named = levelsOf([{ own: perRoute }, { known: off }, { other: off }], ["own", "known"]);
    expect(named.map(({ isDisabled }) => isDisabled)).toEqual([false, true]);
    expect(levelsOf([{ own: "text" }], ["own"])).toEqual([]);
  });
});
