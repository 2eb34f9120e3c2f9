import { describe, expect, it } from "vitest";

import { routeSource, type FoundRoutes, type RouteTables } from "../../../src/trace/http/route-source.js";

const origin = { entry: "dump", pointer: "/x" };
const found = (name: string): FoundRoutes => ({ configuration: { name }, origin });
const tables = (more: Partial<RouteTables> = {}): RouteTables => ({
  routes: (name) => (name === "9080" ? found(name) : undefined),
  scopes: () => [],
  ...more,
});

describe("routes", () => {
  it("may stand in the connection manager", () => {
    expect(routeSource({ route_config: { name: "inline" } }, [], tables())).toMatchObject({
      kind: "routes",
      name: "inline",
      routes: { origin: null },
    });
  });

  it("may come by RDS, by name", () => {
    const manager = (route_config_name: string) => ({ rds: { route_config_name } });
    expect(routeSource(manager("9080"), [], tables())).toMatchObject({ kind: "routes", routes: { origin } });
    expect(routeSource(manager("80"), [], tables())).toMatchObject({ kind: "none", name: "80" });
    const lost = tables({ routes: () => "not captured" });
    expect(routeSource(manager("9080"), [], lost)).toMatchObject({
      kind: "unknown",
      because: { reason: "not captured" },
    });
  });

  it("are none where nothing names them", () => {
    expect(routeSource({}, [], tables())).toMatchObject({ kind: "none" });
  });
});

describe("scoped routes", () => {
  const scope = (more: object) => ({ name: "blue", key: { fragments: [{ string_key: "blue" }] }, ...more });
  const scoped = {
    name: "set",
    scope_key_builder: { fragments: [{ header_value_extractor: { name: "x-scope", index: 0 } }] },
  };
  const blue = [["x-scope", "blue"]] as const;
  const sourceFor = (scopeFields: object, headers: readonly (readonly [string, string])[] = blue) =>
    routeSource(
      { scoped_routes: { ...scoped, scoped_rds: {} } },
      headers,
      tables({ scopes: () => [scope(scopeFields)] }),
    );

  it("go by the scope that the headers choose", () => {
    expect(sourceFor({ route_configuration_name: "9080" })).toMatchObject({
      kind: "routes",
      name: "9080",
      scope: "blue",
    });
    expect(sourceFor({ route_configuration_name: "9080" }, [])).toMatchObject({ kind: "none" });
    expect(sourceFor({ route_configuration_name: "9080" }, [["x-scope", "red"]])).toMatchObject({
      kind: "none",
    });
  });

  it("may stand in the scope, and the scopes in the connection manager", () => {
    expect(sourceFor({ route_configuration: { name: "own" } })).toMatchObject({
      kind: "routes",
      name: "own",
    });
    const list = { scoped_route_configurations: [scope({ route_configuration_name: "9080" })] };
    const manager = { scoped_routes: { ...scoped, scoped_route_configurations_list: list } };
    expect(routeSource(manager, blue, tables())).toMatchObject({ kind: "routes", scope: "blue" });
  });

  it("are unknown where they are loaded on demand or were not captured", () => {
    expect(sourceFor({ route_configuration_name: "80", on_demand: true })).toMatchObject({
      kind: "unknown",
      because: { reason: "on demand" },
    });
    expect(sourceFor({ route_configuration_name: "80" })).toMatchObject({ kind: "none" });
    const lost = tables({ scopes: () => "not captured" });
    expect(routeSource({ scoped_routes: scoped }, blue, lost)).toMatchObject({
      kind: "unknown",
      because: { reason: "not captured" },
    });
  });
});
