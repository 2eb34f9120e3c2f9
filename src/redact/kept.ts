import type { RedactionProfile, Redactor } from "./types.js";

/** What redaction leaves in on purpose, for the record in the manifest. */
export function keptOnPurpose(profile: RedactionProfile): Redactor["kept"] {
  const certificates =
    profile === "internal"
      ? { what: "public certificates", why: "the secret view and the audits read them; they hold no secret" }
      : {
          what: "subject, names, issuer, serial number, validity and fingerprints of certificates",
          why: "the secret view and the audits read them from certificates.json",
        };
  const names = {
    what:
      profile === "public"
        ? "words that Istio, Envoy and Kubernetes use themselves, and the order of prefixes of addresses"
        : "SPIFFE identities, names of resources, namespaces and workloads, labels, addresses",
    why:
      profile === "public"
        ? "without them nothing tells what refers to what"
        : "analyses follow them from one resource to the next",
  };
  return [
    certificates,
    names,
    {
      what: "ports, versions, nonces, times, health flags and counters",
      why: "status and audits are computed from them",
    },
    {
      what: "metadata of nodes that analyses read, and annotations of Istio",
      why: "they say what a proxy is and which version and settings it has",
    },
    {
      what: "names of headers, filters, variables and secrets",
      why: "what is configured stays visible, its value does not",
    },
  ];
}
