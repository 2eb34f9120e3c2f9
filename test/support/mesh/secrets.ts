/** Secrets as SDS delivers them: certificates in full, keys redacted (envoyproxy/envoy, api/envoy/admin/v3/config_dump.proto). */

import type { Certificate } from "./certificates.js";
import type { JsonObject } from "./json.js";

const secretType = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

/** Base64 of "[redacted]": what Envoy prints for a private key. */
const redacted = Buffer.from("[redacted]").toString("base64");

const inlineBytes = ({ pem }: Certificate): JsonObject => ({
  inline_bytes: Buffer.from(pem).toString("base64"),
});

export const certificateSecret = (name: string, certificate: Certificate): JsonObject => ({
  "@type": secretType,
  name,
  tls_certificate: { certificate_chain: inlineBytes(certificate), private_key: { inline_bytes: redacted } },
});

export const rootSecret = (root: Certificate): JsonObject => ({
  "@type": secretType,
  name: "ROOTCA",
  validation_context: { trusted_ca: inlineBytes(root) },
});
