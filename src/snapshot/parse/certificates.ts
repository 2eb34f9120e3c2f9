import type { CertificateSummary } from "../../shared/certificate-summary.js";
import { BundleFormatError } from "../../shared/errors.js";
import { lost, type ProblemList } from "../../shared/problem.js";
import { validator } from "../../shared/validator.js";

const validate = validator<Readonly<Record<string, CertificateSummary>>>("certificates");

/**
 * `certificates.json` of a redacted snapshot, by the token that stands in a certificate's place. A bad summary costs that
 * one.
 * @throws BundleFormatError when the whole is no object
 */
export function parseCertificates(
  json: unknown,
  entry: string,
  problems: ProblemList,
): ReadonlyMap<string, CertificateSummary> {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new BundleFormatError(entry, "", "must be object");
  const certificates = new Map<string, CertificateSummary>();
  for (const one of Object.entries(json as Readonly<Record<string, unknown>>)) {
    try {
      for (const [token, summary] of Object.entries(validate(Object.fromEntries([one]), entry)))
        certificates.set(token, summary);
    } catch (error) {
      if (!(error instanceof BundleFormatError)) throw error;
      problems.add(lost(entry, error.detail, error.pointer));
    }
  }
  return certificates;
}
