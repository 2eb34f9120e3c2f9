/** Logs and other texts: access logs in Envoy's default and JSON formats, Istiod's log, kubectl's words, memory. */

import type { Plant } from "./canary.js";
import {
  awsKeyId,
  azureAccountKey,
  base64,
  contextName,
  email,
  googleApiKey,
  hexadecimal,
  hostLabel,
  jsonWebToken,
  password,
  privateKey,
  publicAddress,
  token,
} from "./values.js";

/** `istio-proxy.log`. */
export const proxyLog = (plant: Plant): string =>
  [
    `[2026-03-02T09:00:00.000Z] "GET /pay?token=${plant("query string", password)} HTTP/1.1" 200 - via_upstream - "-" 0 2 3 2 "${plant("client IP", publicAddress)}" "curl/8.5.0" "f1" "ledger.internal" "10.244.1.9:8080"`,
    `2026-03-02T09:00:01.000000Z\tdebug\tenvoy http\t'authorization', 'Bearer ${plant("authorization Bearer", token)}'`,
    `2026-03-02T09:00:01.100000Z\tdebug\tenvoy http\t'authorization', 'Basic ${base64(`ci:${plant("authorization Basic", password)}`)}'`,
    `Authorization: ApiKey ${plant("Authorization header of another scheme", password)}`,
    `2026-03-02T09:00:01.200000Z\tdebug\tenvoy http\t'cookie', 'sid=${plant("cookie", password)}; theme=dark'`,
    `Set-Cookie: refresh=${plant("Set-Cookie", password)}; HttpOnly`,
    `2026-03-02T09:00:02.000000Z\twarn\tca\tjwt ${plant("JWT", jsonWebToken)} expired for ${plant("e-mail", email)}`,
    JSON.stringify({
      start_time: "2026-03-02T09:00:03.000Z",
      path: `/pay?session=${plant("query string in JSON", password)}&x=1`,
      authorization: `Bearer ${plant("authorization in JSON", password)}`,
      downstream_remote_address: `${plant("client IP in JSON", publicAddress)}:51820`,
    }),
    `2026-03-02T09:00:04.000000Z\terror\tenvoy config\trejected: ${JSON.stringify(plant("PEM escaped", privateKey("EC PRIVATE KEY")))}`,
    `2026-03-02T09:00:05.000000Z\tinfo\tkey file:\n${plant("PEM raw", privateKey("RSA PRIVATE KEY"))}`,
    `2026-03-02T09:00:06.000000Z\tinfo\tcalling https://ci:${plant("URL userinfo", password)}@git.internal/x`,
    `2026-03-02T09:00:07.000000Z\tinfo\tAWS ${plant("AWS key id", awsKeyId)} Google ${plant("Google API key", googleApiKey)}`,
    `2026-03-02T09:00:08.000000Z\tinfo\tDefaultEndpointsProtocol=https;AccountName=x;AccountKey=${plant("Azure account key", azureAccountKey)};EndpointSuffix=core.windows.net`,
    "",
  ].join("\n");

/** `discovery.log`. */
export const discoveryLog = (plant: Plant): string =>
  [
    `2026-03-02T09:00:00.000000Z\twarn\tads\tADS:LDS: ACK ERROR sidecar~10.244.1.9~a.b~c Internal:bad header value "Bearer ${plant("NACK Bearer", jsonWebToken)}"`,
    `2026-03-02T09:00:01.000000Z\terror\tads\tADS:SDS: NACK private_key: "${plant("NACK PEM in base64", privateKey()).replaceAll("\n", "\\n")}"`,
    `2026-03-02T09:00:02.000000Z\terror\tmodel\tFailed to fetch jwks from "https://idp.internal/keys?apikey=${plant("jwks query", password)}"`,
    `2026-03-02T09:00:03.000000Z\tinfo\tdelta\tconnection from ${plant("client IP", publicAddress)}:40112, cookie: id=${plant("cookie", password)}`,
    `2026-03-02T09:00:04.000000Z\tinfo\tkube\tusing password=${plant("password assignment", password)} access_token: ${plant("access_token assignment", token)}`,
    "",
  ].join("\n");

/** A log of some other program of the mesh. */
export const otherLog = (plant: Plant): string =>
  `2026-03-02T09:00:00.000000Z\tinfo\tGET /x?sig=${plant("query", hexadecimal)} Authorization: Bearer ${plant("Bearer", token)} for ${plant("e-mail", email)}\n`;

/** A core dump: memory, in which a key and a password lie. */
export const coreDump = (plant: Plant): Buffer =>
  Buffer.concat([
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0xff, 0xfe, 0x80]),
    Buffer.from(plant("PEM", privateKey())),
    Buffer.from([0, 0, 0, 0xc3, 0x28]),
    Buffer.from(plant("password", password)),
    Buffer.from([0, 1, 2, 3]),
  ]);

/** `cluster/cluster-context`: who asked whom. */
export const clusterContext = (plant: Plant): string =>
  `${plant("context", contextName, "support")}\nhttps://api.${plant("API server host", hostLabel, "support")}.com:6443\n`;

/** Why kubectl or a target did not answer, in their words. */
export const toolReasons = (plant: Plant): string[] => [
  `error: Get "https://ci:${plant("URL userinfo", password)}@proxy.internal/api?token=${plant("URL query", password)}": EOF`,
  `Unable to connect to the server: dial tcp: lookup api.${plant("API server host", hostLabel, "support")}.com: no such host`,
  `HTTP 400: bad header authorization: Bearer ${plant("Bearer", token)}`,
  `HTTP 401: Authorization: Basic ${base64(`ci:${plant("Basic", password)}`)}`,
  `error: token ${plant("JWT", jsonWebToken)} has expired`,
  `HTTP 500: cannot parse ${plant("PEM", privateKey())}`,
  `HTTP 500: cannot parse ${JSON.stringify(plant("PEM escaped", privateKey("EC PRIVATE KEY")))}`,
  `HTTP 500: cannot parse ${base64(plant("PEM in base64", privateKey("RSA PRIVATE KEY")))}`,
  `error: exec plugin: AWS ${plant("AWS key id", awsKeyId)} is not authorized`,
];
