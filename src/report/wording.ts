/** Small help for sentences that count and group. */
import { by } from "../shared/sorting.js";

/** An error text without what differs between proxies: addresses, ids and numbers. */
export function causeOf(text: string): string {
  return text.replace(/\d+/g, "#").trim();
}

export function grouped<T>(items: readonly T[], key: (item: T) => string): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

export function counted(texts: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(by(([text]) => text));
}

export const unique = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

const plurals: Readonly<Record<string, string>> = { proxy: "proxies" };

/** "1 proxy", "3 proxies". */
export function countOf(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : (plurals[noun] ?? `${noun}s`)}`;
}
