import { describe, expect, it } from "vitest";

import type { Message } from "../../src/snapshot/message.js";
import type { ActiveListener } from "../../src/trace/listener/listener-choice.js";
import {
  entryOfProxy,
  entryWords,
  inboundEntry,
  outboundEntry,
  type EntryPod,
  type TrafficEntry,
} from "../../src/trace/traffic-entry.js";
import { address } from "./listener/builders.js";

/** All settings that a pod could leave to the mesh. */
const defaults = {
  includeInboundPorts: "*",
  excludeInboundPorts: "15020",
  includeOutboundIPRanges: "*",
  excludeOutboundIPRanges: "",
  includeOutboundPorts: "",
  excludeOutboundPorts: "",
};

const annotations = (given: Readonly<Record<string, string>>): Message => ({
  ANNOTATIONS: Object.fromEntries(
    Object.entries({ ...defaults, ...given }).map(([name, value]) => [
      `traffic.sidecar.istio.io/${name}`,
      value,
    ]),
  ),
});

const socket = (ip: string, port: number, more: Message = {}): ActiveListener => ({
  name: `${ip}_${port}`,
  message: { address: { socket_address: { address: ip, port_value: port } }, ...more },
});

const aPod = (given: Readonly<Record<string, string>> = {}, more: Partial<EntryPod> = {}): EntryPod => ({
  isSidecar: true,
  metadata: annotations(given),
  ips: ["10.0.0.1", "fd00::1"],
  hostNetwork: false,
  listeners: [
    socket("0.0.0.0", 15001),
    socket("0.0.0.0", 15006),
    socket("0.0.0.0", 15021),
    socket("0.0.0.0", 15008),
  ],
  ...more,
});

/** "redirect to 127.0.0.1:15001", or why not. */
function words(entry: TrafficEntry): string {
  if (entry.enters === "unknown") return `unknown: ${entry.because[0]?.reason ?? ""}`;
  return entry.enters ? `${entry.by} to ${entry.at.ip} ${entry.at.port}` : entry.because;
}
const out = (pod: EntryPod, destination: string): string => words(outboundEntry(pod, address(destination)));
const into = (pod: EntryPod, destination: string): string => words(inboundEntry(pod, address(destination)));

describe("what an application sends", () => {
  it("is redirected to the outbound capture listener", () => {
    expect(outboundEntry(aPod(), address("10.96.0.1:80"))).toEqual({
      enters: true,
      by: "redirect",
      direction: "outbound",
      at: { ip: "127.0.0.1", port: 15001 },
      because: "traffic.sidecar.istio.io/includeOutboundIPRanges holds every address",
      assumptions: [],
    });
    expect(out(aPod(), "[fd00::9]:80")).toBe("redirect to ::1 15001");
    const capturePorts = { outbound: 1, inbound: 2 };
    expect(out(aPod({}, { capturePorts }), "10.96.0.1:80")).toBe("redirect to 127.0.0.1 1");
  });

  it.each([
    ["127.0.0.1:80", "it stays inside the pod, on the loopback interface"],
    ["127.0.0.2:80", "it stays inside the pod, on the loopback interface"],
    ["[::1]:80", "it stays inside the pod, on the loopback interface"],
    ["10.0.0.1:80", "it stays inside the pod, on the loopback interface"],
    ["[fd00:0::1]:80", "it stays inside the pod, on the loopback interface"],
    ["10.0.0.2:80", "redirect to 127.0.0.1 15001"],
  ])("to %s: %s", (destination, expected) => {
    expect(out(aPod(), destination)).toBe(expected);
  });

  it("to itself is captured where loopback ranges are included, but not to 127.0.0.1", () => {
    const pod = aPod({ includeOutboundIPRanges: "127.0.0.0/8,10.0.0.0/8" });
    expect(out(pod, "127.0.0.2:80")).toBe("redirect to 127.0.0.1 15001");
    expect(out(pod, "10.0.0.1:80")).toBe("redirect to 127.0.0.1 15001");
    expect(out(pod, "127.0.0.1:80")).toBe("it goes to the loopback address");
  });

  it.each([
    [
      { excludeOutboundPorts: "3306, 5432" },
      "10.96.0.1:5432",
      "traffic.sidecar.istio.io/excludeOutboundPorts names 5432",
    ],
    [{ excludeOutboundPorts: "3306,5432" }, "10.96.0.1:80", "redirect to 127.0.0.1 15001"],
    [
      { excludeOutboundIPRanges: "10.96.0.0/16" },
      "10.96.0.1:80",
      "traffic.sidecar.istio.io/excludeOutboundIPRanges holds 10.96.0.1, in 10.96.0.0/16",
    ],
    [{ excludeOutboundIPRanges: "10.96.0.0/16" }, "10.97.0.1:80", "redirect to 127.0.0.1 15001"],
    [{ includeOutboundIPRanges: "10.0.0.0/8" }, "10.96.0.1:80", "redirect to 127.0.0.1 15001"],
    [
      { includeOutboundIPRanges: "10.0.0.0/8" },
      "11.0.0.1:80",
      'traffic.sidecar.istio.io/includeOutboundIPRanges, "10.0.0.0/8", does not hold 11.0.0.1',
    ],
    [
      { includeOutboundIPRanges: "" },
      "10.96.0.1:80",
      'traffic.sidecar.istio.io/includeOutboundIPRanges, "", does not hold 10.96.0.1',
    ],
    [
      { includeOutboundIPRanges: "", includeOutboundPorts: "80" },
      "10.96.0.1:80",
      "redirect to 127.0.0.1 15001",
    ],
    [
      { includeOutboundPorts: "80", excludeOutboundIPRanges: "10.0.0.0/8" },
      "10.96.0.1:80",
      "traffic.sidecar.istio.io/excludeOutboundIPRanges holds 10.96.0.1, in 10.0.0.0/8",
    ],
    [
      { includeOutboundPorts: "80", excludeOutboundPorts: "80" },
      "10.96.0.1:80",
      "traffic.sidecar.istio.io/excludeOutboundPorts names 80",
    ],
    [
      { excludeOutboundIPRanges: "10.96.0.1" },
      "10.96.0.1:80",
      "traffic.sidecar.istio.io/excludeOutboundIPRanges holds 10.96.0.1, in 10.96.0.1",
    ],
  ])("with %j to %s: %s", (given, destination, expected) => {
    expect(out(aPod(given), destination)).toBe(expected);
  });

  it("is unknown where a range cannot be read and none that can holds the address", () => {
    expect(out(aPod({ excludeOutboundIPRanges: "[redacted]" }), "10.96.0.1:80")).toBe("unknown: redacted");
    const both = { excludeOutboundIPRanges: "[redacted],10.96.0.0/16" };
    expect(out(aPod(both), "10.96.0.1:80")).toContain("excludeOutboundIPRanges holds 10.96.0.1");
  });

  it("to DNS goes to the agent where DNS is captured", () => {
    const pod = aPod({}, { metadata: { ...annotations({}), DNS_CAPTURE: "true" } });
    expect(out(pod, "10.96.0.10:53")).toBe("DNS goes to the DNS proxy of the agent, on port 15053");
    expect(out(pod, "127.0.0.1:53")).toBe("DNS goes to the DNS proxy of the agent, on port 15053");
    expect(out(aPod(), "10.96.0.10:53")).toBe("redirect to 127.0.0.1 15001");
    expect(out(pod, "10.96.0.10:80")).toBe("redirect to 127.0.0.1 15001");
  });
});

describe("what comes to a pod", () => {
  it("is redirected to the inbound capture listener", () => {
    expect(into(aPod(), "10.0.0.1:9080")).toBe("redirect to 10.0.0.1 15006");
    expect(into(aPod(), "[fd00::1]:9080")).toBe("redirect to fd00::1 15006");
    const capturePorts = { outbound: 1, inbound: 2 };
    expect(into(aPod({}, { capturePorts }), "10.0.0.1:9080")).toBe("redirect to 10.0.0.1 2");
  });

  it.each([
    [{}, "10.0.0.1:15020", "port 15020 is one of Istio's own, which are not captured"],
    [{}, "10.0.0.1:15090", "port 15090 is one of Istio's own, which are not captured"],
    [{}, "10.0.0.1:15021", "bound to 10.0.0.1 15021"],
    [{}, "10.0.0.1:15008", "bound to 10.0.0.1 15008"],
    [
      { excludeInboundPorts: "9080,9081" },
      "10.0.0.1:9081",
      "traffic.sidecar.istio.io/excludeInboundPorts names 9081",
    ],
    [{ excludeInboundPorts: "9080,9081" }, "10.0.0.1:9082", "redirect to 10.0.0.1 15006"],
    [{ includeInboundPorts: "9080" }, "10.0.0.1:9080", "redirect to 10.0.0.1 15006"],
    [
      { includeInboundPorts: "9080" },
      "10.0.0.1:9081",
      'traffic.sidecar.istio.io/includeInboundPorts, "9080", does not name port 9081',
    ],
    [
      { includeInboundPorts: "" },
      "10.0.0.1:9080",
      'traffic.sidecar.istio.io/includeInboundPorts, "", does not name port 9080',
    ],
    [
      { includeInboundPorts: "9080", excludeInboundPorts: "9080" },
      "10.0.0.1:9080",
      "redirect to 10.0.0.1 15006",
    ],
  ])("with %j to %s: %s", (given, destination, expected) => {
    expect(into(aPod(given), destination)).toBe(expected);
  });

  it("keeps its destination under TPROXY", () => {
    const pod = aPod({}, { metadata: { ...annotations({}), INTERCEPTION_MODE: "TPROXY" } });
    expect(into(pod, "10.0.0.1:9080")).toBe("tproxy to 10.0.0.1 15006");
    expect(out(pod, "10.96.0.1:80")).toBe("redirect to 127.0.0.1 15001");
  });
});

describe("a pod whose traffic is not captured", () => {
  const none = aPod({}, { metadata: { ...annotations({}), INTERCEPTION_MODE: "NONE" } });

  it.each([
    ["by its interception mode", none, "its interception mode is NONE"],
    [
      "on the host's network",
      aPod({}, { hostNetwork: true }),
      "the pod is on the host's network, where nothing is captured",
    ],
    ["a gateway", aPod({}, { isSidecar: false }), "a proxy that is no sidecar captures nothing"],
  ])("%s", (_, pod, because) => {
    expect(out(pod, "10.96.0.1:80")).toBe(because);
    expect(into(pod, "10.0.0.1:9080")).toBe(because);
  });

  it("is entered at the sockets that the proxy has itself", () => {
    const listeners = [
      socket("0.0.0.0", 8080),
      socket("127.0.0.1", 9080),
      socket("0.0.0.0", 7070, { bind_to_port: false }),
    ];
    const pod = { ...none, listeners };
    expect(into(pod, "10.0.0.1:8080")).toBe("bound to 10.0.0.1 8080");
    expect(into(pod, "10.0.0.1:9080")).toBe("its interception mode is NONE");
    expect(into(pod, "10.0.0.1:7070")).toBe("its interception mode is NONE");
    expect(out(pod, "127.0.0.1:9080")).toBe("bound to 127.0.0.1 9080");
    expect(out(pod, "10.96.0.1:8080")).toBe("its interception mode is NONE");
    expect(inboundEntry(pod, address("10.0.0.1:8080"))).toMatchObject({
      because: "its interception mode is NONE, and the proxy listens on 0.0.0.0:8080 itself",
    });
  });
});

describe("what the proxy itself sends", () => {
  it("is never captured, but comes in again where it goes to its own pod", () => {
    expect(words(entryOfProxy(aPod(), address("10.96.0.1:80")))).toBe("it comes from the proxy itself");
    expect(words(entryOfProxy(aPod(), address("127.0.0.1:80")))).toBe("the proxy dials a loopback address");
    expect(words(entryOfProxy(aPod(), address("10.0.0.1:80")))).toBe("redirect to 10.0.0.1 15006");
    expect(words(entryOfProxy(aPod(), address("10.0.0.1:15008")))).toBe("it comes from the proxy itself");
  });
});

describe("what the snapshot does not say", () => {
  const bare = aPod({}, { metadata: {}, hostNetwork: null });

  it("is assumed to be what Istio installs by default", () => {
    expect(outboundEntry(bare, address("10.96.0.1:80"))).toMatchObject({
      enters: true,
      assumptions: [
        "The pod is not on the host's network.",
        'The mesh has Istio\'s defaults of capture: excludeOutboundPorts nothing, includeOutboundIPRanges "*", excludeOutboundIPRanges nothing, includeOutboundPorts nothing.',
      ],
    });
  });

  it("is not named where it made no difference", () => {
    expect(inboundEntry(bare, address("10.0.0.1:15008")).assumptions).toEqual([
      "The pod is not on the host's network.",
    ]);
    expect(inboundEntry(aPod(), address("10.0.0.1:9080")).assumptions).toEqual([]);
  });

  it("is no setting of another type", () => {
    const odd = aPod(
      {},
      {
        metadata: {
          ANNOTATIONS: { "traffic.sidecar.istio.io/excludeOutboundPorts": 80 },
          INTERCEPTION_MODE: 7,
        },
      },
    );
    expect(out(odd, "10.96.0.1:80")).toBe("redirect to 127.0.0.1 15001");
    expect(out(aPod({}, { metadata: { ANNOTATIONS: "x" } }), "10.96.0.1:80")).toBe(
      "redirect to 127.0.0.1 15001",
    );
  });
});

describe("the words", () => {
  it.each([
    [
      aPod(),
      "10.96.0.1:80 enters the proxy: traffic.sidecar.istio.io/includeOutboundIPRanges holds every address",
    ],
    [
      aPod({ excludeOutboundPorts: "80" }),
      "10.96.0.1:80 does not enter the proxy: traffic.sidecar.istio.io/excludeOutboundPorts names 80",
    ],
    [
      aPod({ excludeOutboundIPRanges: "x" }),
      'whether 10.96.0.1:80 enters the proxy is unknown: excludeOutboundIPRanges names "x", which is no range of addresses',
    ],
  ])("say it in a sentence", (pod, sentence) => {
    const destination = address("10.96.0.1:80");
    expect(entryWords(outboundEntry(pod, destination), destination)).toBe(sentence);
  });
});
