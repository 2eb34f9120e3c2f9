/** What logs and error texts hold of people and machines beside secrets. */
import ipaddr from "ipaddr.js";

import type { Replace } from "./strings.js";
import { tokenSource } from "./tokens.js";

const eMail = /(?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g;

export function redactEmails(text: string, replace: Replace): string {
  return text.includes("@") ? text.replace(eMail, (address) => replace("e-mail address", address)) : text;
}

const ipv4 = /(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d|-\d)/g;
const ipv6 =
  /(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}(?:\d{0,3}(?:\.\d{1,3}){3})?(?![\w:])/g;
/** Ranges that name nobody. */
const nobody: ReadonlySet<string> = new Set(["loopback", "unspecified", "linkLocal", "broadcast"]);

/** All addresses: in a log nothing tells those of clients from those of pods. */
export function redactAddresses(text: string, replace: Replace): string {
  const change = (address: string): string =>
    ipaddr.isValid(address) && !nobody.has(ipaddr.parse(address).range())
      ? replace("client address", address)
      : address;
  return text.replace(ipv4, change).replace(ipv6, change);
}

/** Home folders tell who captured: `/home/<name>`, `/Users/<name>`, `C:\Users\<name>`. */
const home = /((?:^|[^\w/])(?:\/home\/|\/Users\/|[A-Za-z]:\\{1,2}Users\\{1,2}))([^/\\\s:"'‹]{1,64})/g;

export function redactHomes(text: string, replace: Replace): string {
  return text.replace(home, (whole, before: string, user: string) =>
    user === "istio-proxy" ? whole : before + replace("environment identity", user),
  );
}

/** Runs of characters that random values are written in. Tokens of ours are passed over. */
const run = new RegExp(`${tokenSource}|[A-Za-z0-9+/_=~-]{20,}`, "g");

/**
 * Values that nobody would type: long, of mixed letters and digits. Names of pods and hosts are in lower case with few
 * digits in a row, UUIDs and hexadecimal hashes (commits, fingerprints) name what is public; all of those stay.
 */
export function redactRandomRuns(text: string, replace: Replace): string {
  return text.replace(run, (value) => (isRandom(value) ? replace("secret in text", value) : value));
}

export function isRandom(value: string): boolean {
  if (value.length < 20 || value.startsWith("‹") || value.split(/[-_/]/).every(isPlainPart)) return false;
  const kinds = Array.from(value.slice(0, longestSample), kindOf);
  const count = (kind: Kind): number => kinds.filter((one) => one === kind).length;
  const digits = count("digit");
  if (digits === 0 || entropyOf(value.slice(0, longestSample)) < 3.4) return false;
  const changes = kinds.filter(
    (kind, index) => index > 0 && kind !== kinds[index - 1] && kind !== "mark" && kinds[index - 1] !== "mark",
  ).length;
  if (count("lower") > 0 && count("upper") > 0) return changes >= kinds.length * 0.38;
  // one case of letters: only what has no hyphen, slash or underscore, as names have
  return count("mark") === 0 && changes >= 6 && digits * 7 >= kinds.length;
}
const longestSample = 512;
/** A word, a number, a hash. */
const isPlainPart = (part: string): boolean => /^(?:[A-Za-z]?[a-z]*|[A-Z]*|[0-9a-f]*|[0-9A-F]*)$/.test(part);

type Kind = "digit" | "lower" | "upper" | "mark";
const kindOf = (character: string): Kind =>
  /\d/.test(character)
    ? "digit"
    : /[a-z]/.test(character)
      ? "lower"
      : /[A-Z]/.test(character)
        ? "upper"
        : "mark";

/** Shannon's, in bits per character. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
