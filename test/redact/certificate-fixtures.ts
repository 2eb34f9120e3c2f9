import { createAuthority } from "../support/mesh/certificates.js";

const authority = createAuthority("redaction", "cluster.local", Date.UTC(2024, 0, 1), Date.UTC(2034, 0, 1));

export const root = authority.root;
export const leaf = authority.issue({
  keyName: "reviews",
  notBefore: Date.UTC(2024, 2, 1),
  notAfter: Date.UTC(2024, 2, 2),
  uri: "spiffe://cluster.local/ns/default/sa/reviews",
  dnsNames: ["reviews.example"],
});
/** Its name has a comma, which Node writes in quotes. */
export const withComma = authority.issue({
  keyName: "comma",
  notBefore: Date.UTC(2024, 2, 1),
  notAfter: Date.UTC(2024, 2, 2),
  uri: "spiffe://cluster.local/ns/a, DNS:b",
});
