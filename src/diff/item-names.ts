/** What items of lists are called: what names them in paths, and what lists of them are sorted by. */
import { canonicalText, isObject, type JsonValue } from "../shared/json-value.js";

export const nameOf = (item: JsonValue): string | null => {
  const name = isObject(item) ? item["name"] : undefined;
  return typeof name === "string" && name !== "" ? name : null;
};

/** A host of an endpoint assignment. */
export const addressOf = (item: JsonValue): string | null => {
  const endpoint = isObject(item) ? item["endpoint"] : undefined;
  const address = isObject(endpoint) ? endpoint["address"] : undefined;
  const socket = isObject(address) ? address["socket_address"] : undefined;
  if (!isObject(socket)) return address === undefined ? null : canonicalText(address);
  const { address: ip, port_value: port } = socket;
  return typeof ip === "string" ? `${ip}:${String(Number(port ?? 0))}` : null;
};

/** The hosts of a locality; one locality may stand under several priorities. */
export const localityOf = (item: JsonValue): string | null => {
  if (!isObject(item) || item["lb_endpoints"] === undefined) return null;
  const locality = isObject(item["locality"]) ? item["locality"] : {};
  const parts = ["region", "zone", "sub_zone"].map((part) => {
    const name = locality[part];
    return typeof name === "string" ? name : "";
  });
  while (parts.at(-1) === "") parts.pop();
  return [
    ...(parts.length === 0 ? [] : [parts.join("/")]),
    `priority ${String(Number(item["priority"] ?? 0))}`,
  ].join(" ");
};
