/** Certificates for servers and clients on loopback, made anew for each run by `openssl`; they protect nothing. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

/** Folder of the certificates below the one that Envoy runs in; configurations name files in it. */
export const certificateFolder = "certificates";

/** `server` and `client` come from `ca`, `stranger` from a root that nobody trusts. */
const leaves = [
  { name: "server", issuer: "ca", names: "DNS:server.judge,URI:spiffe://cluster.local/ns/default/sa/server" },
  { name: "client", issuer: "ca", names: "URI:spiffe://cluster.local/ns/default/sa/client,DNS:client.judge" },
  { name: "stranger", issuer: "foreign", names: "URI:spiffe://foreign/ns/default/sa/stranger" },
] as const;
export type ClientCertificateName = "client" | "stranger";

export interface CertificateFiles {
  readonly key: string;
  readonly certificate: string;
}

/** What the client certificates say, as a trace is told it. */
export const clientIdentities = {
  client: {
    uriSans: ["spiffe://cluster.local/ns/default/sa/client"],
    dnsSans: ["client.judge"],
    subject: "CN=client",
  },
  stranger: {
    uriSans: ["spiffe://foreign/ns/default/sa/stranger"],
    dnsSans: [],
    subject: "CN=stranger",
  },
} as const;

/** Writes them. @throws Error where there is no openssl */
export async function writeCertificates(home: string): Promise<void> {
  const folder = join(home, certificateFolder);
  await mkdir(folder, { recursive: true });
  const openssl = (...words: readonly string[]) => execa("openssl", words, { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await Promise.all(
    ["ca", "foreign"].map((name) =>
      openssl(
        ...["req", "-x509", ...newKey, "-days", "2", "-subj", `/CN=${name}`],
        ...["-keyout", `${name}.key`, "-out", `${name}.pem`],
      ),
    ),
  );
  for (const { name, issuer, names } of leaves) {
    await writeFile(join(folder, `${name}.ext`), `subjectAltName=${names}\n`);
    await openssl("req", ...newKey, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    await openssl(
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`],
      ...["-CAcreateserial", "-days", "2", "-extfile", `${name}.ext`, "-out", `${name}.pem`],
    );
  }
}

export async function readCertificate(
  home: string,
  name: ClientCertificateName | "server",
): Promise<CertificateFiles> {
  const read = (extension: string): Promise<string> =>
    readFile(join(home, certificateFolder, `${name}.${extension}`), "utf8");
  return { key: await read("key"), certificate: await read("pem") };
}
