/**
 * What the name of a field, variable or header says about its value: a secret, or something that only names or describes
 * one. Names are compared in one spelling: `privateKey`, `PRIVATE-KEY` and `private_key` are the same.
 */

/** A name as words in lower case joined by "_". `@type` keeps its mark, which tells it from a field `type`. */
export function folded(name: string): string {
  if (name === "@type") return name;
  return name
    .slice(0, longestName)
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .replace(/^_|_$/g, "")
    .toLowerCase();
}
const longestName = 256;

/** Words that alone mean a secret. */
const secretWords: ReadonlySet<string> = new Set(
  (
    "password passwd passwords pwd passphrase passcode pass secret secrets token tokens credential credentials creds " +
    "authorization cookie cookies apikey apikeys apisecret accesskey secretkey privatekey authkey accesstoken authtoken " +
    "refreshtoken idtoken clientsecret sharedkey signingkey encryptionkey sharedsecret bearer jwk jwks kubeconfig dockerconfig " +
    "dockerconfigjson dockercfg htpasswd pkcs12 keytab keystore pkcs8 psk signature sig assertion"
  ).split(" "),
);
/** Kinds of keys: `<word>_key`, also in plural. */
const keyKinds: ReadonlySet<string> = new Set(
  (
    "private api access secret client signing sign encryption encrypt decryption shared account auth master session ssh storage " +
    "json hmac service jwt ticket license aws gcp azure app deploy host tls ssl subscription instrumentation functions " +
    "admin crypto cipher preshared"
  ).split(" "),
);
/** Pairs of words that mean a secret. */
const secretPairs: ReadonlySet<string> = new Set([
  "connection_string",
  "pre_shared",
  "key_material",
  "basic_auth",
  "auth_string",
  "key_data",
]);
/** Last words with which a name says something about a secret and does not hold it. */
const describingWords: ReadonlySet<string> = new Set(
  (
    "name names namespace namespaces ref refs file files filename filenames path paths dir directory endpoint endpoints url uri urls " +
    "uris ttl timeout duration interval expiry expires expiration lifetime age type types count counts size length limit limits " +
    "max min enabled enable disabled required optional allowed header headers prefix suffix algorithm algorithms alg audience " +
    "audiences issuer issuers provider providers config configs configuration field fields param params parameter parameters mode " +
    "policy policies format location locations bucket buckets request requests response responses fill status state error errors reason " +
    "index version source sources template templates rotation manager store class controller selector mount mounts volume " +
    "volumes review generator cache rules rule only discovery server host hosts port ports address domain domains cluster plugin_name " +
    "usage validation verification support supported exchange forwarding preserve attributes method methods matcher " +
    "matchers match kind kinds failed denied allow deny success total sent received"
  ).split(" "),
);
/** First words of counts: `max_tokens`. */
const countingWords: ReadonlySet<string> = new Set(["max", "min", "num", "total", "remaining", "tokens"]);
/** Words of secrets that are also ordinary words: in a text without quotes their value must look like a secret. */
const weakWords: ReadonlySet<string> = new Set(
  "token tokens secret secrets credential credentials cookies bearer pass".split(" "),
);

/** How sure a name is: `weak` ones are words of plain language too. */
export type Secrecy = "none" | "weak" | "strong";

/** @param name in one spelling, as `folded` gives it */
export function secrecyOf(name: string): Secrecy {
  const words = name.split("_");
  const last = words.at(-1) ?? "";
  if (describingWords.has(last) || (words.length > 1 && countingWords.has(words[0] ?? ""))) return "none";
  let secrecy: Secrecy = "none";
  for (const [index, word] of words.entries()) {
    const before = words[index - 1] ?? "";
    if (((word === "key" || word === "keys") && keyKinds.has(before)) || secretPairs.has(`${before}_${word}`))
      return "strong";
    if (!secretWords.has(word) || (word === "pass" && index < words.length - 1)) continue;
    if (!weakWords.has(word) || words.length > 1) return "strong";
    secrecy = "weak";
  }
  return secrecy;
}

/** Whether the value of a header of this name is a secret: wider than for other names, since `x-my-key` is one too. */
export function isSecretHeader(name: string): boolean {
  return headerPattern.test(name.slice(0, longestName));
}
const headerPattern =
  /authorization|authentication|cookie|token|secret|key|passw|pwd|credential|session|jwt|signature|bearer|assertion|(?:^|[-_.])auth(?:[-_.]|$)/i;

/** `--password`: an argument of a command that says what the next one is. */
export function isSecretFlag(argument: string): boolean {
  return /^--?[A-Za-z][\w-]{1,60}$/.test(argument) && secrecyOf(folded(argument)) !== "none";
}

/** Fields whose strings are base64: what replaces them has to be, too. */
export function isBase64Field(name: string): boolean {
  return base64Fields.has(name) || name.endsWith("_bytes");
}
const base64Fields: ReadonlySet<string> = new Set([
  "raw_value",
  "ca_bundle",
  "binary_data",
  "client_key_data",
  "client_certificate_data",
  "certificate_authority_data",
]);
