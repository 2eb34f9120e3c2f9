import { randomBytes } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  isRandom,
  redactAddresses,
  redactEmails,
  redactHomes,
  redactRandomRuns,
} from "../../src/redact/log-shapes.js";
import { marked } from "./redacting.js";

const mark = (): string => "#";

describe("e-mail addresses", () => {
  it.each([
    ["from a.b+c@example.com to", "from # to"],
    ['"sub":"x@y.example"', '"sub":"#"'],
    ["user=a@b.example", "user=#"],
  ])("%s", (text, expected) => expect(redactEmails(text, mark)).toBe(expected));
  it.each(["a@b", "docker.io/istio/proxyv2@sha256:0123", "@decorator", "outbound|80||a@"])(
    "none in %s",
    (text) => expect(redactEmails(text, mark)).toBe(text),
  );
});

describe("addresses", () => {
  it.each([
    ["203.0.113.7:1234", "#:1234"],
    ["from 10.1.2.3, 198.51.100.1", "from #, #"],
    ["[2001:db8::1]:443", "[#]:443"],
    ["outbound|80||10.1.2.3", "outbound|80||#"],
    ["10.1.2.3_8080", "#_8080"],
    ["x 2001:db8:0:1:2:3:4:5 y", "x # y"],
  ])("%s", (text, expected) => expect(redactAddresses(text, mark)).toBe(expected));
  it.each([
    "127.0.0.1:15000",
    "0.0.0.0_8080",
    "[::1]:80 [::]:80",
    "2024-01-02T10:20:30.123456Z",
    "version 1.2.3",
    "999.1.1.1",
    "inbound::8080",
    "12:34:56",
    "1.2.3.4.5",
  ])("none in %s", (text) => expect(redactAddresses(text, mark)).toBe(text));
});

it("takes out who owns a home folder, but not the proxy's", () => {
  expect(redactHomes("open /home/jdoe/.kube/config", marked)).toBe(
    "open /home/<environment identity: jdoe>/.kube/config",
  );
  expect(redactHomes("C:\\Users\\jdoe\\x /Users/jane", marked)).toBe(
    "C:\\Users\\<environment identity: jdoe>\\x /Users/<environment identity: jane>",
  );
  for (const text of ["/home/istio-proxy/x", "/var/home/x/y", "/usr/share"])
    expect(redactHomes(text, marked)).toBe(text);
});

describe("values that look random", () => {
  it("are most values of 30 random bytes", () => {
    const values = Array.from({ length: 200 }, () => randomBytes(30).toString("base64"));
    expect(values.filter(isRandom).length).toBeGreaterThan(190);
  });

  it.each(["kJ8sd72hGs6Lq0Zm4Yt1", "x9k2m4q8z1w7e3r5t6y0u2i4"])("%s", (value) =>
    expect(redactRandomRuns(`rejected: ${value}!`, mark)).toBe("rejected: #!"),
  );

  it.each([
    ["names of pods", "productpage-v1-7f6c8d9b4f-x2k4p"],
    ["hosts", "reviews.default.svc.cluster.local"],
    ["types", "type.googleapis.com/envoy.config.listener.v3.Listener"],
    ["commits", "ee85c5f28702f00621aed895915fca565796b9e4"],
    ["builds", "1.24.0-ee85c5f28702f00621aed895915fca565796b9e4-Clean"],
    ["UUIDs", "b8bd6f4e-6f0c-4b0d-9d0c-6b1d2e3f4a5b"],
    ["fields", "outbound_traffic_policy_registry_only"],
    ["classes", "HttpConnectionManagerConfigFactory"],
    ["times", "2024-01-02T10:20:30.123456Z"],
    ["figures", "12345678901234567890123"],
    ["paths", "/apis/networking.istio.io/v1/namespaces/default/virtual-service/bookinfo"],
    ["our tokens", "‹redacted:rejected-configuration:17-32:0123456789abcdef›"],
  ])("not %s", (_, text) => expect(redactRandomRuns(text, mark)).toBe(text));

  it("and nothing shorter than 20 characters", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 19 }), (text) => {
        expect(redactRandomRuns(text, mark)).toBe(text);
      }),
    );
  });
});
