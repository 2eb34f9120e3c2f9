import { describe, expect, it } from "vitest";

import { holdsHosts, outsideHosts } from "../../src/redact/outside-hosts.js";

const hosts = outsideHosts((label) => `<${label}>`, new Set(["prod"]));
const marked = (text: string, key = "name"): string => hosts.name(text, 0, text, holdsHosts(key));
const markedIn = (before: string, text: string, after: string): string =>
  hosts.name(text, before.length, before + text + after, false);

describe("a host outside the mesh", () => {
  it.each([
    ["pay.acme.com", "<pay>.<acme>.<com>"],
    ["db.corp", "<db>.<corp>"],
    ["Pay.Acme.Com", "<Pay>.<Acme>.<Com>"],
    ["auth.internal", "<auth>.<internal>"],
    ["reviews.stage", "<reviews>.<stage>"],
    ["shop.acme.svc.id.goog", "<shop>.<acme>.<svc>.<id>.<goog>"],
    ["reviews.prod.svc.acme.lan", "reviews.prod.svc.<acme>.<lan>"],
    ["outbound_.443_._.pay.acme.com", "outbound_.443_._.<pay>.<acme>.<com>"],
    ["xn--pfefferkuchen.xn--p1ai", "<xn--pfefferkuchen>.<xn--p1ai>"],
  ])("%s -> %s", (text, expected) => {
    expect(marked(text)).toBe(expected);
  });

  it.each([
    "reviews",
    "reviews.prod",
    "reviews-v1-5f-abc.default",
    "reviews.prod.svc",
    "reviews.prod.svc.cluster.local",
    "prod.svc.cluster.local",
    "reviews.stage.svc.clusterset.local",
    "cluster.local",
    "istio.io",
    "networking.istio.io",
    "type.googleapis.com",
    "envoy.filters.http.router",
    "io.istio.peer_principal",
    "request.auth.claims",
    "cluster_manager.cds.update_success",
    "server.live",
    "root-cert.pem",
    "istio-proxy.log",
    "1.24.2",
    "1.25-alpha.0123abc",
    "https.443.https.shop-gateway.prod",
    "nm--abcdefghijkl.nm--bcdefghijklm",
  ])("is not %s", (text) => {
    expect(marked(text)).toBe(text);
  });

  it("is any dotted name where hosts stand", () => {
    expect(marked("auth.metrics")).toBe("auth.metrics");
    expect(marked("auth.metrics", "serverNames")).toBe("<auth>.<metrics>");
    expect(marked("reviews.prod", "host")).toBe("reviews.prod");
    expect(markedIn("outbound|80||", "auth.metrics", "")).toBe("<auth>.<metrics>");
    expect(markedIn("https://", "auth.metrics", "/x")).toBe("<auth>.<metrics>");
    expect(markedIn("*.", "auth.metrics", "")).toBe("<auth>.<metrics>");
    expect(markedIn("", "auth.metrics", ":8080")).toBe("<auth>.<metrics>");
    expect(markedIn("the ", "auth.metrics", ": 1")).toBe("auth.metrics");
  });
});
