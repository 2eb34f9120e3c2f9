/**
 * Text in base64, and base64 in base64: it is decoded, looked at as any text is, and coded again where something was taken
 * out. Bytes that are no text are looked at for keys and archives.
 */
import { redactDerCertificate, type CertificateSink } from "./certificates.js";
import { isDerPrivateKey } from "./private-keys.js";
import type { Replace } from "./strings.js";

/** Runs of either alphabet (RFC 4648, sections 4 and 5), each found at its beginning. */
const runs = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}={0,2}/g;
/** What a run may be made of: a prefix with hyphens before it, folders of a path. */
const partsOfRun = [/[A-Za-z0-9+/]{24,}={0,2}/g, /[A-Za-z0-9+_-]{24,}={0,2}/g];
/** Lines as PEM and MIME have them, of 64 or 76 characters. */
const lines =
  /[A-Za-z0-9+/]{60,80}(?:\r?\n[ \t]{0,20}[A-Za-z0-9+/]{60,80})*\r?\n[ \t]{0,20}[A-Za-z0-9+/]{1,80}={0,2}/g;
const isWrapped = /\n(?<=[A-Za-z0-9+/]{60}\r?\n)/;
const shortest = 24;

/** Whether a text is base64 from end to end, of what begins like a text. */
export const isBase64Text = (text: string): boolean =>
  text.length >= shortest && onlyRun.test(text) && isTextHead(Buffer.from(text.slice(0, shortest), "base64"));
const onlyRun = /^(?:[A-Za-z0-9+/]+={0,2}|[A-Za-z0-9_-]+={0,2})\s*$/;

export interface Base64Options {
  readonly replace: Replace;
  /** What is left of a decoded text; the same text where nothing is to be taken out. */
  readonly look: (text: string) => string;
  readonly certificates: CertificateSink | null;
}

/** Redacts every run of base64 in a text. */
export function redactBase64Runs(text: string, options: Base64Options): string {
  if (text.length < shortest) return text;
  const joined = isWrapped.test(text) ? text.replace(lines, (run) => redactRun(run, options)) : text;
  return joined.replace(runs, (run) => redactParts(run, options));
}

function redactParts(run: string, options: Base64Options): string {
  const whole = redactRun(run, options);
  if (whole !== run || !/[-_/]/.test(run)) return whole;
  return partsOfRun.reduce((left, part) => left.replace(part, (piece) => redactRun(piece, options)), run);
}

function redactRun(run: string, { replace, look, certificates }: Base64Options): string {
  // a run may begin with characters of what stands before it: a path, a prefix
  for (let skip = 0; skip < 4; skip++) {
    const body = skip === 0 ? run : run.slice(skip);
    const head = Buffer.from(body.slice(0, shortest), "base64");
    if (skip === 0 && isHiddenSecret(head))
      return encodedLike(replace("secret", Buffer.from(run, "base64")), run);
    if (skip === 0 && head[0] === 0x30 && head[1] === 0x82 && certificates !== null) {
      const token = redactDerCertificate(Buffer.from(run, "base64"), certificates);
      if (token !== null) return encodedLike(token, run);
    }
    if (!isTextHead(head)) continue;
    const decoded = decodedText(body);
    if (decoded === null) continue;
    const left = look(decoded);
    if (left !== decoded) return run.slice(0, skip) + encodedLike(left, run);
    return run;
  }
  return run;
}

/** A private key without armour, or an archive that nobody looks into. */
const isHiddenSecret = (head: Uint8Array): boolean =>
  (head[0] === 0x30 && isDerPrivateKey(padded(head))) || (head[0] === 0x1f && head[1] === 0x8b);

/** `isDerPrivateKey` wants more bytes than the head has; what it tells by stands in the head. */
function padded(head: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set(head.subarray(0, 32));
  return bytes;
}

/** The text that base64 stands for; null where it is no text. */
export function decodedText(base64: string): string | null {
  const text = Buffer.from(base64, "base64").toString("utf8");
  return text === "" || notText.test(text) ? null : text;
}
/** Control characters but those of lines, and what was no UTF-8. */
const notText = /[^\P{Cc}\t\n\r]|\ufffd/u;

/** Whether bytes begin like a text; the last character may be cut. */
function isTextHead(head: Uint8Array): boolean {
  for (const byte of head) {
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false;
    if (byte === 0x7f || byte === 0xc0 || byte === 0xc1 || byte > 0xf4) return false;
  }
  return !decodeHead(head).includes("\ufffd");
}
const decodeHead = (head: Uint8Array): string => new TextDecoder().decode(head, { stream: true });

/** A text in the alphabet of what it replaces. */
export function encodedLike(text: string, like: string): string {
  const isUrlSafe = /[-_]/.test(like);
  const base64 = Buffer.from(text).toString(isUrlSafe ? "base64url" : "base64");
  return isUrlSafe && like.endsWith("=") ? base64 + "=".repeat((4 - (base64.length % 4)) % 4) : base64;
}
