/**
 * The public part of an X.509 certificate, which is all that `certificates.json` of a redacted snapshot keeps of it; names
 * are tokens under `public`. Schema: `schemas/certificates.schema.json`.
 */
export interface CertificateSummary {
  readonly subject: string;
  readonly issuer: string;
  /** Lower-case hex without leading zeros. */
  readonly serial: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** `URI:spiffe://...`, `DNS:...`, `IP:...`, in the certificate's order. */
  readonly sans: readonly string[];
  /** SHA-256 over the DER, lower-case hex. */
  readonly sha256: string;
  readonly isCa: boolean;
}
