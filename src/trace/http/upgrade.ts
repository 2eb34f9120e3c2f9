/**
 * Upgrade and CONNECT requests: which chain of filters they get, or that they are refused.
 * Sources: envoyproxy/envoy, source/common/http/filter_manager.cc (createFilterChain),
 * source/extensions/filters/network/http_connection_manager/config.cc (createUpgradeFilterChain).
 */
import { children, flag, text, type Message } from "../../snapshot/message.js";
import { headerValue, withHeader, withoutHeader, type HeaderList } from "../request.js";

export type UpgradeDecision =
  | { readonly kind: "none" }
  /** @field filters its own chain; null: the normal one */
  | { readonly kind: "allowed"; readonly type: string; readonly filters: readonly Message[] | null }
  /** 403 `upgrade_failed` where a route was matched; without one the normal chain runs. */
  | { readonly kind: "refused"; readonly type: string };

export const isConnect = (headers: HeaderList): boolean => headerValue(headers, ":method") === "CONNECT";

/** Whether `connection` asks for what `upgrade` names. */
export function isUpgrade(headers: HeaderList): boolean {
  const tokens = (headerValue(headers, "connection") ?? "").split(",");
  return (
    headerValue(headers, "upgrade") !== undefined &&
    tokens.some((token) => token.trim().toLowerCase() === "upgrade")
  );
}

/** An extended CONNECT of HTTP/2 is for Envoy the upgrade of HTTP/1.1 that it stands for. */
export function withoutExtendedConnect(headers: HeaderList): HeaderList {
  const protocol = headerValue(headers, ":protocol");
  if (protocol === undefined || !isConnect(headers)) return headers;
  const upgrade = withHeader(withoutHeader(headers, ":protocol"), ":method", "GET");
  return withHeader(withHeader(upgrade, "upgrade", protocol), "connection", "upgrade");
}

/**
 * @param headers after the connection manager took away what is no upgrade
 * @param route the `RouteAction` of the matched route; undefined for other actions and without a route
 */
export function upgradeDecision(
  headers: HeaderList,
  manager: Message,
  route: Message | undefined,
): UpgradeDecision {
  const type = headerValue(headers, "upgrade") ?? (isConnect(headers) ? "CONNECT" : undefined);
  if (type === undefined) return { kind: "none" };
  const ofRoute = lastOfType(children(route, "upgrade_configs"), type);
  if (ofRoute !== undefined && flag(ofRoute, "enabled") === false) return { kind: "refused", type };
  const ofManager = lastOfType(children(manager, "upgrade_configs"), type);
  const isEnabled =
    ofRoute !== undefined || (ofManager !== undefined && flag(ofManager, "enabled") !== false);
  if (!isEnabled) return { kind: "refused", type };
  const filters = children(ofManager, "filters");
  return { kind: "allowed", type, filters: filters.length > 0 ? filters : null };
}

const lastOfType = (configs: readonly Message[], type: string): Message | undefined =>
  configs.findLast((config) => text(config, "upgrade_type").toLowerCase() === type.toLowerCase());
