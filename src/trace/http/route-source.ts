/** Where a connection manager has its routes from (facts 4.1). */
import { child, children, field, flag, text, type Message } from "../../snapshot/message.js";
import type { Origin } from "../../snapshot/model.js";
import type { HeaderList } from "../request.js";
import { unknown, type Unknown } from "../unknown.js";
import { chooseScope } from "./scoped-routes.js";

/** A route configuration and where it stands; what was captured of it. */
export interface FoundRoutes {
  readonly configuration: Message;
  /** null for one that stands inside of its listener. */
  readonly origin: Origin | null;
}

/** What a proxy has of RDS and scoped RDS. */
export interface RouteTables {
  /** By name. undefined: the proxy has none; "not captured": the snapshot does not tell. */
  readonly routes: (name: string) => FoundRoutes | undefined | "not captured";
  /** The scopes of the set of this name. */
  readonly scopes: (name: string) => readonly Message[] | "not captured";
}

export type RouteSource =
  | {
      readonly kind: "routes";
      readonly name: string;
      readonly routes: FoundRoutes;
      readonly scope: string | null;
    }
  /** Every request gets 404 `route_not_found`. @field because in one sentence */
  | { readonly kind: "none"; readonly name: string; readonly scope: string | null; readonly because: string }
  | { readonly kind: "unknown"; readonly name: string; readonly because: Unknown };

/** @param headers those of the moment: a scope is chosen again with every new choice of a route */
export function routeSource(manager: Message, headers: HeaderList, tables: RouteTables): RouteSource {
  const inline = child(manager, "route_config");
  if (inline !== undefined) return inlineRoutes(inline, null);
  const rds = child(manager, "rds");
  if (rds !== undefined) return namedRoutes(text(rds, "route_config_name"), null, tables);
  const scoped = child(manager, "scoped_routes");
  if (scoped !== undefined) return scopedRoutes(scoped, headers, tables);
  return {
    kind: "none",
    name: "",
    scope: null,
    because: "The connection manager names no route configuration.",
  };
}

const inlineRoutes = (configuration: Message, scope: string | null): RouteSource => ({
  kind: "routes",
  name: text(configuration, "name"),
  routes: { configuration, origin: null },
  scope,
});

function namedRoutes(name: string, scope: string | null, tables: RouteTables): RouteSource {
  const found = tables.routes(name);
  if (found === "not captured") {
    const because = unknown("not captured", `The route configuration ${name} was not captured.`);
    return { kind: "unknown", name, because };
  }
  if (found === undefined)
    return { kind: "none", name, scope, because: `The proxy has no route configuration ${name}.` };
  return { kind: "routes", name, routes: found, scope };
}

function scopedRoutes(scoped: Message, headers: HeaderList, tables: RouteTables): RouteSource {
  const set = text(scoped, "name");
  const list = child(scoped, "scoped_route_configurations_list");
  const scopes = list === undefined ? tables.scopes(set) : children(list, "scoped_route_configurations");
  if (scopes === "not captured") {
    const because = unknown("not captured", `The scopes of ${set} were not captured.`);
    return { kind: "unknown", name: "", because };
  }
  const choice = chooseScope(scoped, scopes, headers);
  if (choice.kind === "none") {
    const because =
      choice.key === null
        ? `The request has no key for the scopes of ${set}.`
        : `No scope of ${set} has the key ${choice.key.join(", ")}.`;
    return { kind: "none", name: "", scope: null, because };
  }
  const { scope } = choice;
  const name = text(scope, "name");
  if (field(scope, "route_configuration") !== undefined)
    return inlineRoutes(child(scope, "route_configuration") ?? {}, name);
  const routes = text(scope, "route_configuration_name");
  const source = namedRoutes(routes, name, tables);
  if (source.kind !== "none" || flag(scope, "on_demand") !== true) return source;
  const because = unknown(
    "on demand",
    `The routes ${routes} of the scope ${name} are loaded when they are asked for.`,
  );
  return { kind: "unknown", name: routes, because };
}
