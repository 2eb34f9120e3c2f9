/** Lists of names on the page: many of them are folded away, and what is more than `most` is only counted. */
import type { ProxySection } from "./document.js";

export function nameList(label: string, names: readonly string[], most: number) {
  return { label, items: names.slice(0, most), more: Math.max(0, names.length - most) };
}

/** Makes a list of proxies. */
export type ProxyLinks = (
  label: string,
  ids: readonly string[],
  most?: number,
) => { label: string; folded: boolean; items: { id: string; anchor: string }[]; more: number };

/** Each proxy is linked to its section where it has one. */
export function proxyLinks(proxies: readonly ProxySection[]): ProxyLinks {
  const anchors = new Map(proxies.map((proxy) => [proxy.id, proxy.anchor]));
  return (label, ids, most = ids.length) => ({
    label,
    folded: ids.length > 6,
    items: ids.slice(0, most).map((id) => ({ id, anchor: anchors.get(id) ?? "" })),
    more: Math.max(0, ids.length - most),
  });
}
