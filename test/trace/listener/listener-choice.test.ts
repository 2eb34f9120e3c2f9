import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  receivingListener,
  takeConnection,
  type ActiveListener,
  type Arrival,
  type ListenerChoice,
} from "../../../src/trace/listener/listener-choice.js";
import { parseSocketAddress } from "../../../src/trace/address.js";
import { address } from "./builders.js";

/** A listener on `10.0.0.5:80`, `[::]:80`; with `+ipv4` behind it on IPv4, too. */
function at(where: string, fields: Message = {}): ActiveListener {
  return { name: where, message: { address: socketAddress(where), ...fields } };
}

function socketAddress(where: string): Message {
  const { ip, port } = parseSocketAddress(where.replace("+ipv4", ""))!;
  const compat = where.endsWith("+ipv4") ? { ipv4_compat: true } : {};
  return { socket_address: { address: ip, port_value: port, ...compat } };
}

const virtual = (where: string): ActiveListener => at(where, { bind_to_port: false });
const capture = at("0.0.0.0:15001", { use_original_dst: true });
const inboundCapture = at("0.0.0.0:15006", {
  listener_filters: [{ name: "envoy.filters.listener.original_dst" }],
});

const plain = { proxyHeader: null, tls: null, protocol: "http/1.1" } as const;

function take(listeners: readonly ActiveListener[], arrival: Partial<Arrival>): ListenerChoice {
  return takeConnection(
    listeners,
    {
      at: address("127.0.0.1:15001"),
      originalDestination: null,
      peer: address("10.9.9.9:1"),
      client: plain,
      ...arrival,
    },
    () => null,
    36,
  );
}

/** The listener that a connection redirected to 15001 ends at; "" where none takes it. */
function taker(listeners: readonly ActiveListener[], originalDestination: string): string {
  const choice = take(listeners, { originalDestination: address(originalDestination) });
  return choice.kind === "taken" ? choice.listener.name : "";
}

describe("a redirected connection", () => {
  const listeners = [virtual("10.0.0.5:80"), virtual("0.0.0.0:80"), capture];

  it.each([
    ["10.0.0.5:80", "10.0.0.5:80"],
    ["10.0.0.9:80", "0.0.0.0:80"],
    ["10.0.0.9:81", "0.0.0.0:15001"],
  ])("to %s is taken by %s", (destination, wins) => {
    expect(taker(listeners, destination)).toBe(wins);
  });

  it("keeps its own destination, and tells its way", () => {
    const choice = take(listeners, { originalDestination: address("10.0.0.9:80") });
    expect(choice).toMatchObject({
      kind: "taken",
      address: "0.0.0.0:80",
      connection: { destination: { ip: "10.0.0.9", port: 80 }, source: { ip: "10.9.9.9" } },
      socket: { isRestored: true },
    });
    expect(choice.steps.map(({ words }) => words)).toEqual([
      "0.0.0.0:15001 on 0.0.0.0:15001 receives 10.0.0.9:80",
      "0.0.0.0:80 on 0.0.0.0:80 takes over 10.0.0.9:80",
    ]);
  });

  it.each([
    ["IPv4 is not for [::] alone", ["[::]:80"], "10.0.0.9:80", "0.0.0.0:15001"],
    ["IPv4 is for [::] with ipv4_compat", ["[::]:80+ipv4"], "10.0.0.9:80", "[::]:80+ipv4"],
    ["0.0.0.0 goes before it", ["[::]:80+ipv4", "0.0.0.0:80"], "10.0.0.9:80", "0.0.0.0:80"],
    ["0.0.0.0 goes before it in any order", ["0.0.0.0:80", "[::]:80+ipv4"], "10.0.0.9:80", "0.0.0.0:80"],
    ["IPv6 is for [::]", ["[::]:80", "0.0.0.0:80"], "[fd00::9]:80", "[::]:80"],
    ["IPv6 is not for 0.0.0.0", ["0.0.0.0:80"], "[fd00::9]:80", "0.0.0.0:15001"],
    [
      "a mapped address is IPv4, too",
      ["[::ffff:10.0.0.5]:80+ipv4"],
      "10.0.0.5:80",
      "[::ffff:10.0.0.5]:80+ipv4",
    ],
    ["a mapped address for IPv6 only is not", ["[::ffff:10.0.0.5]:80"], "10.0.0.5:80", "0.0.0.0:15001"],
    ["spelling is no difference", ["[fd00:0::5]:80"], "[FD00::5]:80", "[fd00:0::5]:80"],
  ])("%s", (_, own, destination, wins) => {
    expect(taker([...own.map(virtual), capture], destination)).toBe(wins);
  });

  it("stays where the capture listener does not hand off", () => {
    const choice = take([virtual("0.0.0.0:8080"), inboundCapture], {
      at: address("10.0.0.1:15006"),
      originalDestination: address("10.0.0.1:8080"),
    });
    expect(choice).toMatchObject({
      kind: "taken",
      listener: { name: "0.0.0.0:15006" },
      socket: { destination: { ip: "10.0.0.1", port: 8080 } },
      nearMisses: [],
    });
    expect(choice.steps).toHaveLength(1);
  });

  it("stays where nothing was restored", () => {
    const choice = take([virtual("0.0.0.0:15001"), capture], {});
    expect(choice).toMatchObject({ kind: "taken", listener: capture, socket: { isRestored: false } });
  });

  it("is handed over once only", () => {
    const second = at("0.0.0.0:80", { use_original_dst: true, bind_to_port: false });
    expect(take([second, capture], { originalDestination: address("10.0.0.9:80") }).steps).toHaveLength(2);
    expect(taker([capture], "10.0.0.9:15001")).toBe("0.0.0.0:15001");
  });

  it("is taken at additional addresses", () => {
    const dual = at("0.0.0.0:80", {
      bind_to_port: false,
      additional_addresses: [
        { address: socketAddress("[::]:80") },
        { address: socketAddress("10.0.0.7:90") },
      ],
    });
    expect(taker([dual, capture], "[fd00::1]:80")).toBe("0.0.0.0:80");
    expect(taker([dual, capture], "10.0.0.7:90")).toBe("0.0.0.0:80");
    expect(taker([dual, capture], "10.0.0.8:90")).toBe("0.0.0.0:15001");
  });

  it("is never taken by what has no TCP address", () => {
    const others = [
      at("0.0.0.0:80", { udp_listener_config: {} }),
      at("0.0.0.0:80", { api_listener: {} }),
      at("0.0.0.0:80", { internal_listener: {} }),
      {
        name: "udp",
        message: { address: { socket_address: { protocol: "UDP", address: "0.0.0.0", port_value: 80 } } },
      },
      { name: "pipe", message: { address: { pipe: { path: "/tmp/80" } } } },
      { name: "none", message: {} },
    ];
    expect(taker([...others, capture], "10.0.0.9:80")).toBe("0.0.0.0:15001");
  });

  it("runs the filters of both listeners, with what the first ones found", () => {
    const tls = { name: "envoy.filters.listener.tls_inspector" };
    const http = { name: "envoy.filters.listener.http_inspector" };
    const first = at("0.0.0.0:15001", { use_original_dst: true, listener_filters: [tls] });
    const second = at("0.0.0.0:80", { bind_to_port: false, listener_filters: [http] });
    const client = { ...plain, tls: { sni: "A.com", alpn: ["h2"], certificate: null } };
    const choice = take([first, second], { originalDestination: address("10.0.0.9:80"), client });
    expect(choice.steps.map(({ filters }) => filters.map(({ name }) => name))).toEqual([
      [tls.name, "envoy.filters.listener.original_dst"],
      [http.name],
    ]);
    expect(choice).toMatchObject({
      kind: "taken",
      socket: { transportProtocol: "tls", serverName: "a.com", applicationProtocols: ["h2"] },
    });
  });

  it("that the listener which takes it over does not want is closed there", () => {
    const filter = { name: "envoy.filters.listener.proxy_protocol" };
    const second = at("0.0.0.0:80", { bind_to_port: false, listener_filters: [filter] });
    const choice = take([second, capture], { originalDestination: address("10.0.0.9:80") });
    expect(choice).toMatchObject({ kind: "closed", listener: { name: "0.0.0.0:80" } });
    expect(choice.steps).toHaveLength(2);
  });

  it("is not handed over when the capture listener runs into its timeout first", () => {
    const waiting = at("0.0.0.0:15001", {
      use_original_dst: true,
      listener_filters: [{ name: "envoy.filters.listener.tls_inspector" }],
      continue_on_listener_filters_timeout: true,
    });
    const serverFirst = { ...plain, protocol: "nothing" } as const;
    const arrival = { originalDestination: address("10.0.0.9:80") };
    const choice = take([virtual("0.0.0.0:80"), waiting], { ...arrival, client: serverFirst });
    expect(choice).toMatchObject({ kind: "taken", listener: waiting, socket: { isRestored: false } });
    expect(take([virtual("0.0.0.0:80"), waiting], arrival)).toMatchObject({
      listener: { name: "0.0.0.0:80" },
    });
  });
});

describe("a direct connection", () => {
  const direct = (listeners: readonly ActiveListener[], where: string): string =>
    receivingListener(listeners, address(where))?.listener.name ?? "";

  it("goes to the exact address, then to the whole family's", () => {
    const listeners = [at("0.0.0.0:8080"), at("10.0.0.1:8080")];
    expect(direct(listeners, "10.0.0.1:8080")).toBe("10.0.0.1:8080");
    expect(direct(listeners, "10.0.0.2:8080")).toBe("0.0.0.0:8080");
    expect(direct(listeners, "10.0.0.2:8081")).toBe("");
    expect(direct([at("[::]:8080+ipv4")], "10.0.0.2:8080")).toBe("[::]:8080+ipv4");
  });

  it("finds no listener without a socket", () => {
    const v1 = at("0.0.0.0:8080", { deprecated_v1: { bind_to_port: false } });
    expect(direct([virtual("0.0.0.0:8080")], "10.0.0.1:8080")).toBe("");
    expect(direct([v1], "10.0.0.1:8080")).toBe("");
    expect(direct([at("0.0.0.0:8080", { bind_to_port: true })], "10.0.0.1:8080")).toBe("0.0.0.0:8080");
  });

  it("to a port that nothing listens on is refused", () => {
    const choice = take([virtual("10.0.0.1:8080"), at("10.0.0.2:8080"), at("[::]:8080")], {
      at: address("10.0.0.1:8080"),
    });
    expect(choice).toMatchObject({ kind: "refused", because: "nothing listens on 10.0.0.1:8080", steps: [] });
    expect(choice.nearMisses.map(({ because }) => because)).toEqual([
      "it has no socket on 10.0.0.1:8080: connections are only handed to it",
      "it listens on 10.0.0.2:8080, and the connection goes to 10.0.0.1:8080",
      "it listens on [::]:8080, for IPv6 only",
    ]);
  });
});

describe("an internal connection", () => {
  const listeners = [
    {
      name: "main_internal",
      message: { internal_listener: {}, listener_filters: [{ name: "envoy.filters.listener.original_dst" }] },
    },
    at("0.0.0.0:80", {}),
  ];

  it("goes to the listener of that name", () => {
    const choice = take(listeners, { at: { internalListener: "main_internal" }, peer: null });
    expect(choice).toMatchObject({
      kind: "taken",
      listener: { name: "main_internal" },
      connection: { destination: null, source: null },
      socket: { isPipe: false, isRestored: false },
    });
    expect(take(listeners, { at: { internalListener: "0.0.0.0:80" } })).toMatchObject({ kind: "refused" });
    expect(take(listeners, { at: { internalListener: "other" } })).toMatchObject({ kind: "refused" });
  });

  it("has the destination that came with it", () => {
    const passed = {
      dynamicMetadata: new Map([["envoy.filters.listener.original_dst", { local: "10.0.0.5:80" }]]),
      filterState: new Map<string, string>(),
      isComplete: true,
    };
    expect(take(listeners, { at: { internalListener: "main_internal" }, peer: null, passed })).toMatchObject({
      connection: { destination: { ip: "10.0.0.5", port: 80 } },
      socket: { isRestored: true },
    });
  });
});

describe("near misses", () => {
  it("are the listeners of the port that lost", () => {
    const listeners = [
      virtual("0.0.0.0:80"),
      virtual("10.0.0.5:80"),
      virtual("10.0.0.6:80"),
      virtual("10.0.0.5:81"),
      capture,
    ];
    expect(take(listeners, { originalDestination: address("10.0.0.5:80") }).nearMisses).toEqual([
      {
        what: "listener",
        name: "0.0.0.0:80",
        because: "it listens on 0.0.0.0:80, and the listener on 10.0.0.5:80 goes before it",
      },
      {
        what: "listener",
        name: "10.0.0.6:80",
        because: "it listens on 10.0.0.6:80, and the connection goes to 10.0.0.5:80",
      },
    ]);
    expect(take(listeners, { originalDestination: address("10.0.0.5:81") }).nearMisses).toEqual([]);
  });

  it("are not many", () => {
    const many = Array.from({ length: 300 }, (_, index) => virtual(`10.0.${index >> 8}.${index & 255}:80`));
    expect(take([...many, capture], { originalDestination: address("10.9.0.1:80") }).nearMisses).toHaveLength(
      20,
    );
  });
});
