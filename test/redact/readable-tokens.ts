/** What the tests of names share: a salt, and tokens shown as what they stand for. */
import { pseudonyms, type PseudonymOptions, type Pseudonyms } from "../../src/redact/pseudonyms.js";

export const aSalt = (byte = 7): Uint8Array => new Uint8Array(32).fill(byte);

export const aPseudonyms = (
  profile: PseudonymOptions["profile"],
  more: Partial<PseudonymOptions> = {},
): Pseudonyms =>
  pseudonyms({ profile, salt: aSalt(), namespaces: new Set(["prod"]), onReplace: () => undefined, ...more });

const tokenOrAddress =
  /nm--[a-z2-7]{12}|\d+(?:\.\d+){3}(?:\/\d+)?|(?<![\w:])[0-9a-f]*(?::[0-9a-f]*){2,}(?:\/\d+)?/gi;

/** The text with each token shown as `show` says of what it stands for. */
export const withTokens = (
  text: string,
  names: ReadonlyMap<string, string>,
  show: (original: string) => string,
): string =>
  text.replace(tokenOrAddress, (found) => {
    const original = names.get(found);
    return original === undefined ? found : show(original);
  });

/** `nm--k3f9a2q7d5tw.prod` as `<reviews>.prod`. */
export const readable = (text: string, { names }: Pseudonyms): string =>
  withTokens(text, names, (original) => `<${original}>`);
