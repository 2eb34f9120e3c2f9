/**
 * Whether a filter chain and what the client sends fit together: TLS or not, and the client's certificate.
 * Source: envoyproxy/envoy, api/envoy/extensions/transport_sockets/tls/v3/tls.proto (DownstreamTlsContext).
 */
import { child, children, flag, text, texts, typeOf, unpacked, type Message } from "../snapshot/message.js";
import { enumName } from "./enum-value.js";
import { matchString } from "./matchers/string-matcher.js";
import type { ClientCertificate, TlsClient } from "./request.js";
import { anyOf, isUnknown, unknownTruth, type Ternary } from "./ternary.js";
import { unknown, type Unknown } from "./unknown.js";

export type TlsAcceptance =
  | { readonly kind: "accepted"; readonly isTerminated: boolean; readonly words: string }
  /** The handshake fails, or what comes is no TLS. */
  | { readonly kind: "refused"; readonly because: string }
  | { readonly kind: "unknown"; readonly because: Unknown };

/** @param chain `envoy.config.listener.v3.FilterChain` @param tls what the client sends; null: plaintext */
export function acceptTls(chain: Message, tls: TlsClient | null): TlsAcceptance {
  const any = child(chain, "transport_socket", "typed_config");
  const isTls = /\.(?:DownstreamTlsContext|QuicDownstreamTransport)$/.test(typeOf(any));
  if (!isTls)
    return {
      kind: "accepted",
      isTerminated: false,
      words: tls === null ? "plaintext" : "TLS of the client, passed through",
    };
  if (tls === null)
    return { kind: "refused", because: "the filter chain takes TLS alone, and the client sends plaintext" };
  const checks = checksOf(unpacked(any));
  const { certificate } = tls;
  if (certificate === null)
    return checks.isRequired
      ? {
          kind: "refused",
          because: "the filter chain asks for a client certificate, and the client has none",
        }
      : { kind: "accepted", isTerminated: true, words: "TLS" };
  if (!checks.isVerified) return { kind: "accepted", isTerminated: true, words: "TLS" };
  if (certificate === "unknown")
    return checks.isRequired
      ? peerUnknown(
          "the filter chain asks for a client certificate, and whether the client has one is not known",
        )
      : { kind: "accepted", isTerminated: true, words: "TLS" };
  // one that is not asked for by force is looked at all the same
  if (certificate.isValidated === false)
    return { kind: "refused", because: "the client's certificate is not trusted" };
  const fits = hasName(checks.names, certificate);
  if (fits === false)
    return {
      kind: "refused",
      because: "the client's certificate has none of the names that the filter chain asks for",
    };
  if (isUnknown(fits) || checks.hasPins)
    return peerUnknown("what the filter chain asks of the client's certificate is not known of it");
  return { kind: "accepted", isTerminated: true, words: "mutual TLS" };
}

/** What client and chain agree upon by ALPN; the chain's order counts. Undefined: nothing, and the first bytes tell. */
export function agreedProtocol(chain: Message, { alpn }: TlsClient): string | undefined {
  const context = unpacked(child(chain, "transport_socket", "typed_config"));
  return texts(child(context, "common_tls_context"), "alpn_protocols").find((one) => alpn.includes(one));
}

const peerUnknown = (because: string): TlsAcceptance => ({
  kind: "unknown",
  because: unknown("peer identity", because),
});

interface Checks {
  /** Whether a client without a certificate is refused. */
  readonly isRequired: boolean;
  /** Whether Envoy looks at who signed a certificate, and what it says. */
  readonly isVerified: boolean;
  /** Of which a certificate must have one; none: any will do. */
  readonly names: readonly NameMatcher[];
  /** Whether it must be one of certain certificates or keys. */
  readonly hasPins: boolean;
}

interface NameMatcher {
  /** null: of every kind. */
  readonly kind: string | null;
  readonly matcher: Message;
}

/**
 * As `DefaultCertValidator` (source/common/tls/cert_validator/default_validator.cc): `require_client_certificate` needs a root
 * to mean anything, and names or pins mean it without being told. What a secret holds is not known, and taken for a root.
 */
function checksOf(context: Message | undefined): Checks {
  const common = child(context, "common_tls_context");
  const inline =
    child(common, "validation_context") ??
    child(common, "combined_validation_context", "default_validation_context");
  const hasRoot =
    child(common, "validation_context_sds_secret_config") !== undefined ||
    child(common, "combined_validation_context", "validation_context_sds_secret_config") !== undefined ||
    child(inline, "trusted_ca") !== undefined ||
    child(inline, "custom_validator_config") !== undefined;
  const names = [
    ...children(inline, "match_typed_subject_alt_names").map((one) => ({
      kind: enumName(one, "san_type", sanTypes),
      matcher: child(one, "matcher") ?? {},
    })),
    ...children(inline, "match_subject_alt_names").map((matcher) => ({ kind: null, matcher })),
  ];
  const hasPins = ["verify_certificate_hash", "verify_certificate_spki"].some(
    (list) => texts(inline, list).length > 0,
  );
  const takesAny =
    enumName(inline ?? {}, "trust_chain_verification", chainVerification) === "ACCEPT_UNTRUSTED";
  return {
    isRequired:
      (hasRoot && flag(context, "require_client_certificate") === true) ||
      (!takesAny && (names.length > 0 || hasPins)),
    isVerified: !takesAny && (hasRoot || hasPins),
    names,
    hasPins,
  };
}

const chainVerification = ["VERIFY_TRUST_CHAIN", "ACCEPT_UNTRUSTED"] as const;
const sanTypes = ["SAN_TYPE_UNSPECIFIED", "EMAIL", "DNS", "URI", "IP_ADDRESS", "OTHER_NAME"] as const;

/** Names of other kinds than URI and DNS are not known of a certificate. */
function hasName(names: readonly NameMatcher[], { uriSans, dnsSans }: ClientCertificate): Ternary {
  if (names.length === 0) return true;
  return anyOf(names, ({ kind, matcher }) => {
    const ofUris = anyOf(uriSans, (name) => matchString(matcher, name));
    const ofDns = anyOf(dnsSans, (name) => matchDnsName(matcher, name));
    if (kind === "URI") return ofUris;
    if (kind === "DNS") return ofDns;
    // the deprecated list: it names no kind, and Istio's are URIs
    if (kind === null) return anyOf([ofUris, ofDns], (one) => one);
    return unknownTruth(unknown("peer identity", `Names of the kind ${kind} are not known.`));
  });
}

/** An exact name may be that of a wildcard in the certificate, of one label (`Utility::dnsNameMatch`). */
function matchDnsName(matcher: Message, name: string): Ternary {
  const exact = text(matcher, "exact").toLowerCase();
  if (exact === "" || !name.startsWith("*.")) return matchString(matcher, name);
  const dot = exact.indexOf(".");
  return dot > 0 && exact.slice(dot) === name.slice(1).toLowerCase();
}
