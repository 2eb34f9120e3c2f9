import { UserError } from "./errors.js";

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/**
 * A size as a user writes it: `256MiB`, `1.5G`, `1000`.
 * @returns bytes
 * @throws UserError naming the flag
 */
export function parseSize(flag: string, text: string): number {
  const [, number, unit, binaryUnit] = /^(\d+(?:\.\d+)?)(?:(|k|M|G)B?|(KiB|MiB|GiB))$/.exec(text) ?? [];
  const bytes = Math.floor(Number(number ?? 0) * (units[binaryUnit ?? unit ?? ""] ?? 0));
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new UserError(`--${flag} must be a size such as 256MiB, not "${text}"`);
}

/** A size for people: `512 B`, `1.4 MB`. */
export function humanSize(bytes: number): string {
  const names = ["kB", "MB", "GB", "TB"];
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let unit = -1;
  while (value >= 999.5 && unit < names.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${names[unit] ?? ""}`;
}
