/**
 * Secrets of every shape, drawn from a seeded stream: none of them opens anything. Some are long and look like keys;
 * some are short and plain, so that only a rule which knows their place can find them.
 */

import type { Random } from "../mesh/random.js";

/** Bytes of which no run of `minimum` may be found. */
export interface Fragment {
  readonly bytes: Buffer;
  readonly minimum: number;
}

export interface Secret {
  /** What stands in the document. */
  readonly text: string;
  /** What gives it away. */
  readonly fragments: readonly Fragment[];
  /** True for names and addresses: a longer word that contains one is another. */
  readonly wholeWord: boolean;
}

export type SecretKind = (random: Random) => Secret;

const whole = (text: string | Buffer): Fragment => ({
  bytes: Buffer.from(text),
  minimum: Buffer.from(text).length,
});
const plain = (text: string): Secret => ({ text, fragments: [whole(text)], wholeWord: false });

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const draw = (random: Random, alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet.charAt(random.between(0, alphabet.length - 1))).join("");
const bytes = (random: Random, length: number): Buffer => Buffer.from(random.hex(length * 2), "hex");

export const base64 = (value: string | Buffer): string => Buffer.from(value).toString("base64");

// Without a shape

/** Words and five letters: entropy that no scanner can tell from a name's. */
export const password: SecretKind = (random) => plain(`hunter2-${random.kubernetesSuffix(5)}`);
export const phrase: SecretKind = (random) => plain(`open sesame ${random.kubernetesSuffix(5)}`);

/** For places that hold a number. */
export const digits: SecretKind = (random) => plain(draw(random, "123456789", 12));

// Random, but of no maker

export const token: SecretKind = (random) => plain(draw(random, letters, 40));
export const hexadecimal: SecretKind = (random) => plain(random.hex(64));
/** 32 bytes in base64. */
export const symmetricKey: SecretKind = (random) => plain(base64(bytes(random, 32)));
/** Bytes that a document holds in base64 only. */
export const binary =
  (length: number): SecretKind =>
  (random) => {
    const secret = bytes(random, length);
    return { text: base64(secret), fragments: [whole(secret)], wholeWord: false };
  };

// Of known makers

export const awsKeyId: SecretKind = (random) =>
  plain(`AKIA${draw(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)}`);
export const awsSecret: SecretKind = (random) => plain(draw(random, `${letters}+/`, 40));
export const googleApiKey: SecretKind = (random) => plain(`AIza${draw(random, `${letters}-_`, 35)}`);
export const azureAccountKey: SecretKind = (random) => plain(base64(bytes(random, 64)));

/** RFC 7519. The header tells nothing; what it signs and the signature do. */
export const jsonWebToken: SecretKind = (random) => {
  const url = (value: string | Buffer): string => Buffer.from(value).toString("base64url");
  const claims = url(
    JSON.stringify({ iss: "https://issuer.example", sub: random.uuid(), exp: 1_900_000_000 }),
  );
  const signature = url(bytes(random, 64));
  return {
    text: `${url('{"alg":"ES256","typ":"JWT"}')}.${claims}.${signature}`,
    fragments: [whole(claims), whole(signature)],
    wholeWord: false,
  };
};

/** Characters of a key's body that give it away. */
const keyRun = 24;

/** A PEM block (RFC 7468) around random bytes that begin as PKCS #8 does. */
export const privateKey =
  (label = "PRIVATE KEY"): SecretKind =>
  (random) => {
    const der = Buffer.concat([Buffer.from("308204bd0201003004", "hex"), bytes(random, 300)]);
    const body = der.toString("base64").match(/.{1,64}/g) ?? [];
    return {
      text: `-----BEGIN ${label}-----\n${body.join("\n")}\n-----END ${label}-----\n`,
      fragments: [
        ...body
          .filter(({ length }) => length >= keyRun)
          .map((line) => ({ bytes: Buffer.from(line), minimum: keyRun })),
        { bytes: der, minimum: (keyRun * 3) / 4 },
      ],
      wholeWord: false,
    };
  };

/** A certificate is public, but tells names: for the places where its fingerprint alone may stay. */
export const certificate =
  (pem: string): SecretKind =>
  () => ({
    text: pem,
    fragments: pem
      .split("\n")
      .filter((line) => line.length >= keyRun && !line.startsWith("-----"))
      .map((line) => ({ bytes: Buffer.from(line), minimum: line.length })),
    wholeWord: false,
  });

// People and places

const word = (text: string): Secret => ({ text, fragments: [whole(text)], wholeWord: true });

export const email: SecretKind = (random) => word(`j.doe-${random.kubernetesSuffix(6)}@corp.example`);
/** Of a block that is routed, so that no table of special ranges spares it. */
export const publicAddress: SecretKind = (random) =>
  word(`45.${random.between(64, 250)}.${random.between(16, 250)}.${random.between(16, 250)}`);
export const publicAddress6: SecretKind = (random) =>
  word(`2a01:${random.between(4096, 9999)}:${random.between(4096, 9999)}::${random.between(4096, 9999)}`);
/** Of a private block in which the mesh has nothing else, so that no other address can be given its place. */
export const podAddress: SecretKind = (random) =>
  word(`10.87.${random.between(16, 250)}.${random.between(16, 250)}`);
export const hostLabel: SecretKind = (random) => word(`partner-${random.kubernetesSuffix(8)}`);
export const cloudAccount: SecretKind = (random) => word(draw(random, "123456789", 12));
export const cloudProject: SecretKind = (random) => word(`acme-prod-${random.kubernetesSuffix(6)}`);
export const contextName: SecretKind = (random) => word(`admin-of-${random.kubernetesSuffix(8)}`);
export const userName: SecretKind = (random) => word(`jdoe-${random.kubernetesSuffix(6)}`);
/** A name that the mesh has already. */
export const named =
  (name: string): SecretKind =>
  () =>
    word(name);
