/** Takes a string apart into what is replaced as one: addresses, dotted names, and between them what never is. */
import { tokenSource } from "./tokens.js";

export interface PieceHandlers {
  /** An address or a range, or what only looks like one: then undefined, and it is gone through as names. */
  address(text: string): string | undefined;
  /**
   * Letters, digits, underscores and hyphens, also with dots between them: a host, `pod.namespace`, a filter's name.
   * @param start where it stands in `whole`
   */
  name(text: string, start: number, whole: string): string;
}

const timestamp =
  /(?<![\w.-])\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?(?![\w-])/;
const length = /(?:\/\d{1,3}(?![\w.]))?/;
/** Behind a dot too, as in `listener.10.1.2.3_80.downstream_cx_total`, but not behind more figures: `1.10.1.2.3`. */
const ipv4 = /(?<!\d|\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)/;
/** Not the end of a host with what follows it in `/clusters`: `acme.de::10.1.2.3:80::...`, `db::[fd00::1]:80::...`. */
const ipv6 =
  /(?<![0-9A-Za-z:.-])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})(?![0-9A-Za-z:[]|\.\d)/;
/** In names of statistics Envoy writes "_" for ":", so `[fd00::1]:80` is `[fd00__1]_80`. */
const ipv6InStatistic = /(?<=\[)[0-9a-f_]{2,39}(?=\]_\d)/;

const kept = [tokenSource, ...[/\[redacted\]/, /<[Rr]edacted>/, timestamp].map(({ source }) => source)].join(
  "|",
);
const special = new RegExp(
  `(?<kept>${kept})|(?<address>(?:${ipv6.source}|${ipv4.source})${length.source})|(?<statistic>${ipv6InStatistic.source})`,
  "g",
);
/** Every special piece has one of these; most strings have none. */
const maybeSpecial = /[‹<[]|\d\.\d|:[0-9A-Fa-f:]*:|\d{4}-/;
const names = /[\p{L}\p{N}\p{M}_-]+(?:\.[\p{L}\p{N}\p{M}_-]+)*/gu;

/** The string with its pieces replaced. Each pattern is bounded or walks its input once. */
export function replacePieces(text: string, handlers: PieceHandlers): string {
  const between = (from: number, to: number): string =>
    text
      .slice(from, to)
      .replace(names, (name: string, offset: number) => handlers.name(name, from + offset, text));
  if (!maybeSpecial.test(text)) return between(0, text.length);
  let result = "";
  let end = 0;
  for (const match of text.matchAll(special)) {
    const replacement = replacementOf(match, handlers);
    if (replacement === undefined) continue;
    result += between(end, match.index) + replacement;
    end = match.index + match[0].length;
  }
  return result + between(end, text.length);
}

function replacementOf(match: RegExpExecArray, handlers: PieceHandlers): string | undefined {
  const { address, statistic } = match.groups ?? {};
  if (address !== undefined) return handlers.address(address);
  if (statistic === undefined) return match[0];
  return handlers.address(statistic.replaceAll("_", ":"))?.replaceAll(":", "_");
}
