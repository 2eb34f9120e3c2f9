import { describe, expect, it } from "vitest";

import type { Message } from "../../src/snapshot/message.js";
import type { Pod, Service } from "../../src/snapshot/model.js";
import type { NameTable } from "../../src/snapshot/parse/ndsz.js";
import {
  destinationResolver,
  splitAuthority,
  type DestinationSources,
  type OriginalDestination,
} from "../../src/trace/original-destination.js";

const origin = { entry: "e", pointer: "" };
const aService = (name: string, clusterIps: readonly string[], more: Partial<Service> = {}): Service => ({
  ...{ name, namespace: "default", clusterIps, selector: {}, origin },
  ports: [{ name: "http", port: 9080, targetPort: "9080" }],
  ...more,
});
const aPod = (name: string, ips: readonly string[], labels: Readonly<Record<string, string>> = {}): Pod => ({
  ...{ name, namespace: "default", labels, owner: "", ips, hasProxy: true, hostNetwork: false, origin },
});
const aTable = (hosts: Readonly<Record<string, readonly string[]>>): NameTable => ({
  proxyId: "web.default",
  hosts: new Map(Object.entries(hosts)),
  origin,
});

const resolve = (host: string, given: Partial<DestinationSources> = {}, port = 9080): OriginalDestination =>
  destinationResolver({
    ...{ namespace: "default", dnsDomain: "default.svc.cluster.local", nameTable: null },
    ...{ services: [], pods: [], routeConfigurations: () => [] },
    ...given,
  })(host, port);

const found = (destination: OriginalDestination): string =>
  `${destination.from}: ${destination.addresses.map(({ ip, port }) => `${ip} ${port}`).join(", ")}`;

describe("an authority", () => {
  it.each([
    ["reviews", "reviews", 80],
    ["reviews:9080", "reviews", 9080],
    ["10.0.0.1:1", "10.0.0.1", 1],
    ["[fd00::1]", "fd00::1", 80],
    ["[fd00::1]:9080", "fd00::1", 9080],
  ])("%s is %s and %d", (authority, host, port) => {
    expect(splitAuthority(authority, 80)).toEqual({ host, port });
  });

  it.each(["", ":80", "a:b", "a:99999", "fd00::1", "[a]", "[fd00::1", "[x:y]:80", "[fd00::1]80", "a:80:80"])(
    "%j is none",
    (authority) => {
      expect(splitAuthority(authority, 80)).toBeNull();
    },
  );
});

describe("an address", () => {
  it("is where it goes, without an assumption", () => {
    expect(resolve("10.0.0.1")).toEqual({
      from: "literal",
      addresses: [{ ip: "10.0.0.1", port: 9080 }],
      host: "10.0.0.1",
      assumptions: [],
    });
    expect(found(resolve("FD00:0::1"))).toBe("literal: fd00::1 9080");
  });
});

describe("a service", () => {
  const services = [
    aService("reviews", ["10.96.0.1"]),
    aService("reviews", ["10.96.0.2"], { namespace: "other" }),
  ];

  it.each([
    ["reviews", "10.96.0.1"],
    ["Reviews", "10.96.0.1"],
    ["reviews.default", "10.96.0.1"],
    ["reviews.other", "10.96.0.2"],
    ["reviews.default.svc", "10.96.0.1"],
    ["reviews.other.svc.cluster.local", "10.96.0.2"],
    ["reviews.other.svc.cluster.local.", "10.96.0.2"],
  ])("%s goes to %s", (host, ip) => {
    expect(found(resolve(host, { services }))).toBe(`service: ${ip} 9080`);
  });

  it("is said with its words", () => {
    expect(resolve("reviews", { services })).toMatchObject({
      host: "reviews.default.svc.cluster.local",
      assumptions: ["reviews is 10.96.0.1: the service's cluster IP."],
    });
    expect(resolve("reviews", { services }, 81).assumptions[1]).toBe(
      "The service reviews.default has no port 81.",
    );
  });

  it.each([
    "reviews.",
    "reviews.elsewhere",
    "pod.reviews.default",
    "ratings",
    "a.b.reviews.default.svc.cluster.local",
  ])("is not %s", (host) => {
    expect(resolve(host, { services }).from).toBe("unknown host");
  });

  it("is looked for in the client's own domain", () => {
    const dnsDomain = "other.svc.example.org";
    const own = { services, namespace: "other", dnsDomain };
    expect(found(resolve("reviews", own))).toBe("service: 10.96.0.2 9080");
    expect(found(resolve("reviews.default.svc.example.org", own))).toBe("service: 10.96.0.1 9080");
    expect(resolve("reviews.default.svc.cluster.local", own).from).toBe("unknown host");
    expect(found(resolve("reviews.default.svc.cluster.local", { services, dnsDomain: "" }))).toBe(
      "service: 10.96.0.1 9080",
    );
  });

  it("of two families has two addresses", () => {
    const dual = [aService("reviews", ["10.96.0.1", "fd00::1"])];
    expect(found(resolve("reviews", { services: dual }))).toBe("service: 10.96.0.1 9080, fd00::1 9080");
  });

  it("with more than five dots is first tried as it is", () => {
    const nameTable = aTable({ "a.b.c.d.e.f": ["10.0.0.1"], "a.b.c.d.e.f.cluster.local": ["10.0.0.2"] });
    expect(found(resolve("a.b.c.d.e.f", { nameTable }))).toBe("name table: 10.0.0.1 9080");
    const short = aTable({ "a.b": ["10.0.0.1"], "a.b.cluster.local": ["10.0.0.2"] });
    expect(found(resolve("a.b", { nameTable: short }))).toBe("name table: 10.0.0.2 9080");
  });
});

describe("a headless service", () => {
  const services = [aService("db", ["None"], { selector: { app: "db" } })];
  const pods = [
    aPod("db-0", ["10.0.0.5", "fd00::5"], { app: "db", more: "x" }),
    aPod("db-1", ["10.0.0.6"], { app: "db" }),
    aPod("web-1", ["10.0.0.7"], { app: "web" }),
    { ...aPod("db-9", ["10.0.0.9"], { app: "db" }), namespace: "other" },
  ];

  it("goes to one of its pods", () => {
    expect(found(resolve("db", { services, pods }))).toBe("headless service: 10.0.0.5 9080, 10.0.0.6 9080");
    expect(resolve("db", { services, pods }).assumptions).toEqual([
      "db is 10.0.0.5, 10.0.0.6: the pods of the headless service db.default.",
    ]);
  });

  it("names single pods", () => {
    expect(found(resolve("db-1.db", { services, pods }))).toBe("headless service: 10.0.0.6 9080");
    expect(resolve("web-1.db", { services, pods }).from).toBe("unknown host");
  });

  it("without a selector, or without the list of pods, leads nowhere", () => {
    expect(resolve("db", { services: [aService("db", ["None"])], pods }).from).toBe("unknown host");
    expect(resolve("db", { services, pods: null }).assumptions[0]).toContain(
      "the lists of pods were not captured",
    );
  });
});

describe("Istiod's DNS table", () => {
  const nameTable = aTable({
    "reviews.default.svc.cluster.local": ["240.240.0.1"],
    "*.example.com": ["240.240.0.2"],
    "*.b.example.com": ["240.240.0.3"],
    "a.b.example.com": ["240.240.0.4", "fd00::4"],
    "broken.example.com": ["x"],
  });

  it.each([
    ["reviews", "240.240.0.1 9080"],
    ["www.example.com", "240.240.0.2 9080"],
    ["x.b.example.com", "240.240.0.3 9080"],
    ["a.b.example.com", "240.240.0.4 9080, fd00::4 9080"],
    ["broken.example.com", "240.240.0.2 9080"],
  ])("answers %s first", (host, addresses) => {
    const services = [aService("reviews", ["10.96.0.1"])];
    expect(found(resolve(host, { nameTable, services }))).toBe(`name table: ${addresses}`);
  });

  it("does not know other names", () => {
    expect(resolve("example.com", { nameTable }).from).toBe("unknown host");
  });
});

describe("route configurations", () => {
  const config = (name: string, virtualHosts: Readonly<Record<string, readonly string[]>>): Message => ({
    name,
    virtual_hosts: Object.entries(virtualHosts).map(([own, domains]) => ({ name: own, domains })),
  });

  it("hold a service's address beside its names", () => {
    const routeConfigurations = (): Message[] => [
      config("9080", {
        "reviews.default.svc.cluster.local:9080": [
          "reviews.default.svc.cluster.local",
          "reviews",
          "10.96.0.1",
        ],
        "ext.example.com:9080": ["ext.example.com:9080", "[fd00::7]:9080", "240.240.0.7:9080"],
        allow_any: ["*"],
      }),
      config("9081", {
        "reviews.default.svc.cluster.local:9081": ["reviews.default.svc.cluster.local", "10.96.0.9"],
      }),
    ];
    expect(found(resolve("reviews", { routeConfigurations }))).toBe("route configuration: 10.96.0.1 9080");
    expect(found(resolve("reviews", { routeConfigurations }, 9081))).toBe(
      "route configuration: 10.96.0.9 9081",
    );
    expect(found(resolve("ext.example.com", { routeConfigurations }))).toBe(
      "route configuration: fd00::7 9080, 240.240.0.7 9080",
    );
    expect(resolve("reviews", { routeConfigurations }, 9082).from).toBe("unknown host");
    expect(resolve("other", { routeConfigurations }).from).toBe("unknown host");
  });

  it("take the port of the configuration where a virtual host has none", () => {
    const routeConfigurations = (): Message[] => [config("9080", { plain: ["a.example.com", "10.0.0.1"] })];
    expect(found(resolve("a.example.com", { routeConfigurations }))).toBe(
      "route configuration: 10.0.0.1 9080",
    );
    expect(
      resolve("a.example.com", {
        routeConfigurations: () => [config("x", { plain: ["a.example.com", "10.0.0.1"] })],
      }).from,
    ).toBe("unknown host");
  });
});

describe("a pod", () => {
  it("is named by its address", () => {
    const pods = [aPod("web-1", ["10.0.0.7"])];
    expect(found(resolve("10-0-0-7.default.pod.cluster.local", { pods }))).toBe("pod: 10.0.0.7 9080");
    expect(resolve("10-0-0-7.default.pod", { pods }).assumptions).toHaveLength(1);
    expect(resolve("10-0-0-8.default.pod", { pods }).assumptions[1]).toBe(
      "No pod of the namespace default has the address 10.0.0.8.",
    );
    expect(found(resolve("fd00--7.default.pod", { pods: null }))).toBe("pod: fd00::7 9080");
    expect(resolve("web.default.pod", { pods }).from).toBe("unknown host");
  });
});

describe("a host that nothing names", () => {
  it("has an address of nobody, and says so", () => {
    expect(resolve("www.example.com")).toEqual({
      from: "unknown host",
      addresses: [{ ip: "192.0.2.1", port: 9080 }],
      host: "www.example.com",
      assumptions: [
        "www.example.com is an address that no listener names: nothing in the snapshot tells its address; 192.0.2.1 stands for it.",
      ],
    });
  });

  it("may be one of what was not captured", () => {
    expect(resolve("reviews", { services: null, pods: null }).assumptions[0]).toContain(
      "(the lists of services and pods were not captured)",
    );
  });
});
