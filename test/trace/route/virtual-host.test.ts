import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  chooseVirtualHost,
  domainTable,
  nearVirtualHosts,
  virtualHostName,
  withoutPort,
} from "../../../src/trace/route/virtual-host.js";
import { aRequest } from "../requests.js";

/** A virtual host for each list of domains, named by its first one. */
const hosts = (...domains: readonly (string | readonly string[])[]): Message => ({
  virtual_hosts: domains.map((one) => {
    const list = typeof one === "string" ? [one] : one;
    return { name: list[0], domains: list };
  }),
});
const ignoring = (config: Message): Message => ({ ...config, ignore_port_in_host_matching: true });

const chosen = (config: Message, authority: string): string | null => {
  const choice = chooseVirtualHost(config, aRequest({ authority }));
  return choice === null ? null : virtualHostName(choice.virtualHost);
};

describe("the virtual host", () => {
  const wildcards = hosts("*.foo.com", "*-bar.foo.com", "foo.*", "foo.b*", "exact.foo.com", "*");

  it.each([
    {
      config: wildcards,
      authority: "exact.foo.com",
      wins: "exact.foo.com",
      because: "exact before wildcards",
    },
    { config: wildcards, authority: "EXACT.Foo.com", wins: "exact.foo.com", because: "case does not count" },
    { config: wildcards, authority: "a-bar.foo.com", wins: "*-bar.foo.com", because: "the longest suffix" },
    { config: wildcards, authority: "a.b.foo.com", wins: "*.foo.com", because: "a wildcard covers dots" },
    { config: wildcards, authority: "foo.bar", wins: "foo.b*", because: "the longest prefix" },
    { config: wildcards, authority: "foo.com", wins: "foo.*", because: "*.foo.com needs a name in front" },
    { config: wildcards, authority: ".foo.com", wins: "*", because: "a wildcard is at least one character" },
    { config: wildcards, authority: "foo.b", wins: "foo.*", because: "at least one character" },
    {
      config: wildcards,
      authority: "a.foo.com:80",
      wins: "*",
      because: "a suffix does not match with a port",
    },
    { config: wildcards, authority: "foo.com:80", wins: "foo.*", because: "a prefix does" },
    {
      config: hosts("*w.example.com", "www.example.c*", "www.example.cc"),
      authority: "www.example.com",
      wins: "*w.example.com",
      because: "any suffix beats any prefix",
    },
    {
      config: hosts("*w.example.com", "www.example.c*", "www.example.cc"),
      authority: "www.example.cc",
      wins: "www.example.cc",
      because: "exact",
    },
    { config: hosts("*.foo.com"), authority: "foo.com", wins: null, because: "no virtual host at all" },
    { config: hosts("*.foo.com"), authority: "www.foo.com", wins: "*.foo.com", because: "its wildcard" },
    { config: hosts("www.foo.com"), authority: "www.foo.com:8090", wins: null, because: "the port counts" },
    {
      config: ignoring(hosts("www.foo.com")),
      authority: "www.foo.com:8090",
      wins: "www.foo.com",
      because: "unless it is ignored",
    },
    {
      config: ignoring(hosts("[12:34:56:7890::]")),
      authority: "[12:34:56:7890::]:8090",
      wins: "[12:34:56:7890::]",
      because: "behind the brackets",
    },
    {
      config: ignoring(hosts("[12:34:56:7890::]")),
      authority: "[12:34:56:7890::]",
      wins: "[12:34:56:7890::]",
      because: "colons in brackets are no port",
    },
    {
      config: hosts("[::1]:80"),
      authority: "[0:0:0:0:0:0:0:1]:80",
      wins: null,
      because: "addresses are text",
    },
    { config: hosts("a.com"), authority: "a.com.", wins: null, because: "so is a dot at the end" },
    {
      config: hosts(["a.com", "a.com:80", "10.0.0.7:80"]),
      authority: "10.0.0.7:80",
      wins: "a.com",
      because: "one of several domains",
    },
  ])("of $authority is $wins: $because", ({ config, authority, wins }) => {
    expect(chosen(config, authority)).toBe(wins);
  });

  it("of a request without a host is that of *, if there is nothing else", () => {
    expect(chooseVirtualHost(hosts("*"), [[":path", "/"]])?.domain).toBe("*");
    expect(chooseVirtualHost(hosts("*", "a.com"), [[":path", "/"]])).toBeNull();
  });

  it("is told with the domain as it is written", () => {
    expect(chooseVirtualHost(hosts("A.Com"), aRequest({ authority: "a.com" }))?.domain).toBe("A.Com");
  });

  it("that Envoy would have refused is told", () => {
    expect(domainTable(hosts("a.com", "A.COM")).duplicates).toEqual(["A.COM"]);
    expect(domainTable(hosts("*", ["b.com", "*"])).duplicates).toEqual(["*"]);
    expect(domainTable(hosts("a.com", "b.com", "*")).duplicates).toEqual([]);
  });

  it("is the best of all domains by class, then by length (a specification written as a sort)", () => {
    const label = fc.constantFrom("a", "b", "ab");
    const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
    const domain = fc.oneof(
      name,
      name.map((text) => `*.${text}`),
      name.map((text) => `*${text}`),
      name.map((text) => `${text}.*`),
      name.map((text) => `${text}*`),
      fc.constant("*"),
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.uniqueArray(domain, { minLength: 1, maxLength: 8 }), name, (domains, authority) => {
        const expected = specified(domains, authority);
        seen.add(expected === null ? "none" : expected.replaceAll(/[a-z.]+/g, "x"));
        expect(chosen(hosts(...domains), authority)).toBe(expected);
      }),
      { numRuns: 3000, seed: 7 },
    );
    expect([...seen].sort()).toEqual(["*", "*x", "none", "x", "x*"]);
  });
});

/** Which of the domains, by sorting those that match at all. */
function specified(domains: readonly string[], authority: string): string | null {
  const classOf = (domain: string): number => {
    if (domain === "*") return 0;
    if (domain.startsWith("*")) return 2;
    return domain.endsWith("*") ? 1 : 3;
  };
  const matches = (domain: string): boolean => {
    const escaped = domain.replaceAll(".", "\\.").replace("*", ".+");
    return domain === "*" || new RegExp(`^${escaped}$`).test(authority);
  };
  const [best] = domains.filter(matches).sort((a, b) => classOf(b) - classOf(a) || b.length - a.length);
  return best ?? null;
}

it.each([
  ["a.com:80", "a.com"],
  ["a.com", "a.com"],
  ["[::1]:80", "[::1]"],
  ["[::1]", "[::1]"],
  ["a:b:80", "a:b"],
])("%s without its port is %s", (authority, bare) => {
  expect(withoutPort(authority)).toBe(bare);
});

describe("near misses", () => {
  const near = (config: Message, authority: string, port: number | null = null): string[] =>
    nearVirtualHosts(config, authority, port).map(({ domain, kind }) => `${domain}: ${kind}`);

  it.each([
    {
      config: hosts("a.com"),
      authority: "a.com:80",
      misses: ["a.com: port"],
      because: "the port is too much",
    },
    {
      config: hosts("a.com:80"),
      authority: "a.com",
      misses: ["a.com:80: port"],
      because: "the port is missing",
    },
    {
      config: hosts("*.foo.com"),
      authority: "foo.com",
      misses: ["*.foo.com: wildcard"],
      because: "a name is missing",
    },
    {
      config: hosts("*.foo.com"),
      authority: ".foo.com",
      misses: ["*.foo.com: wildcard"],
      because: "a character is missing",
    },
    {
      config: hosts("reviews.default.svc.cluster.local"),
      authority: "reviews",
      misses: ["reviews.default.svc.cluster.local: short name"],
      because: "a short name",
    },
    {
      config: hosts("reviews"),
      authority: "reviews.default",
      misses: ["reviews: long name"],
      because: "a long name",
    },
    { config: hosts("a.com", "*"), authority: "b.com", misses: [], because: "another name is not near" },
    { config: hosts("a.com"), authority: "a.com", misses: [], because: "it matches" },
  ])("of $authority are $misses: $because", ({ config, authority, misses }) => {
    expect(near(config, authority, 80)).toEqual(misses);
  });

  it("of a prefix that lacks a character", () => {
    expect(near(hosts("foo.*"), "foo.")).toEqual(["foo.*: wildcard"]);
    expect(near(hosts("foo.*"), "foo.x")).toEqual([]);
  });

  it("are few", () => {
    const many = hosts(...Array.from({ length: 100 }, (_, index) => `reviews.ns${index}`));
    expect(near(many, "reviews")).toHaveLength(5);
  });

  it("say why", () => {
    expect(nearVirtualHosts(hosts("a.com"), "a.com:80", null)[0]?.because).toBe(
      "its domain a.com would match without the port: a.com:80 has one",
    );
  });
});
