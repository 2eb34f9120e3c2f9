/** The certificate of the client, as filters and conditions see it. */
import type { MatchContext } from "../match-context.js";
import type { ClientCertificate } from "../request.js";

/** null where there is none, also where the client's TLS is passed on and does not end here. */
export function peerCertificate({
  connection,
  isTlsTerminated,
}: Pick<MatchContext, "connection" | "isTlsTerminated">): ClientCertificate | null | "unknown" {
  return isTlsTerminated === false ? null : (connection.tls?.certificate ?? null);
}
