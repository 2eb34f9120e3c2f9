/** Credentials that are told by their looks, wherever they stand. Every pattern is linear: bounded, or one run of a class. */
import type { Replace } from "./strings.js";
import { isRedacted } from "./tokens.js";

/** Forms that the issuers document: a fixed beginning, then so many characters of an alphabet. */
const issuedKeys = new RegExp(
  [
    "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])", // AWS access key
    "AIza[\\w-]{35}", // Google API key
    "ya29\\.[\\w-]{20,}", // Google access token
    "1//0[\\w-]{20,}", // Google refresh token
    "GOCSPX-[\\w-]{20,}", // Google client secret
    "gh[pousr]_[A-Za-z0-9]{20,}", // GitHub
    "github_pat_\\w{20,}",
    "glpat-[\\w-]{20,}", // GitLab
    "xox[abeoprs]-[\\w-]{10,}", // Slack
    "xapp-[\\w-]{10,}",
    "(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}", // Stripe
    "npm_[A-Za-z0-9]{30,}",
    "SG\\.[\\w-]{16,}\\.[\\w-]{16,}", // SendGrid
    "hv[sbr]\\.[\\w-]{20,}", // Vault
    "dop_v1_[0-9a-f]{40,}", // DigitalOcean
    "AGE-SECRET-KEY-1[A-Z0-9]{40,}",
    "[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}", // Azure client secret
  ]
    .map((pattern) => `(?<![A-Za-z0-9_.-])${pattern}`)
    .join("|"),
  "g",
);
const slackHook = /(hooks\.slack\.com\/(?:services|workflows)\/)([\w/-]{10,200})/g;
/** Azure: an account key is 64 bytes in base64; so are those of Service Bus, but 32. */
const azureKey =
  /((?:AccountKey|SharedAccessKey|SharedAccessSignature|SharedSecret)\s{0,2}=\s{0,2})([^\s;"'&]{8,})/gi;

export function redactIssuedKeys(text: string, replace: Replace): string {
  return text
    .replace(issuedKeys, (key) => replace("credential", key))
    .replace(slackHook, (_, before: string, path: string) => before + replace("credential", path))
    .replace(azureKey, (whole, before: string, key: string) =>
      isRedacted(key) ? whole : before + replace("credential", key),
    );
}

/** A JSON web token: its header is an object, so it begins with base64 of `{"`. JWE have five parts. */
const webToken = /eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*){0,3}/y;
const tokenRun = /[\w-]*/y;

export function redactWebTokens(text: string, replace: Replace): string {
  let found = text.indexOf("eyJ");
  if (found < 0) return text;
  const pieces: string[] = [];
  let done = 0;
  while (found >= 0) {
    webToken.lastIndex = found;
    const match = webToken.exec(text);
    if (match === null) {
      // another beginning in the same run would end at the same place
      tokenRun.lastIndex = found;
      tokenRun.test(text);
      found = text.indexOf("eyJ", tokenRun.lastIndex);
      continue;
    }
    pieces.push(text.slice(done, found), replace("credential", match[0]));
    done = found + match[0].length;
    found = text.indexOf("eyJ", done);
  }
  return pieces.join("") + text.slice(done);
}

/** `Authorization` schemes (RFC 7617, RFC 6750); white space may be percent-encoded. */
const scheme = /(?<![A-Za-z0-9])((bearer|basic|negotiate)(?:[ \t]{1,4}|%20|\+))([A-Za-z0-9._~+/=-]{6,})/gi;

export function redactSchemes(text: string, replace: Replace): string {
  return text.replace(scheme, (whole, before: string, name: string, value: string) =>
    isCredential(name.toLowerCase(), value) ? before + replace("credential", value) : whole,
  );
}

/** Not the next word of a sentence: "Basic authentication", "Bearer tokens". */
function isCredential(name: string, value: string): boolean {
  if (name === "basic") {
    const decoded = Buffer.from(value, "base64").toString("utf8");
    return decoded.includes(":") && !decoded.includes("\ufffd");
  }
  return value.length >= 20 || (value.length >= 8 && /\d/.test(value));
}
