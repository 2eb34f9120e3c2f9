import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Snapshot, SyncState, TypeSync } from "../../src/snapshot/model.js";
import {
  columnStatus,
  columnTypes,
  isWrong,
  statusText,
  syncStatus,
  type ColumnType,
  type ProxyStatus,
  type TypeStatus,
} from "../../src/status/sync-status.js";
import { anIstiod, aProxy, aRow, aSnapshot, aZtunnel, nonces, verdict } from "../support/builders.js";

const of = (snapshot: Partial<Snapshot>): ReturnType<typeof syncStatus> => syncStatus(aSnapshot(snapshot));

/** The row of the one proxy in the list of the one Istiod. */
const rowOf = (state: SyncState, more: Partial<Snapshot> = {}): ProxyStatus =>
  of({ istiods: [anIstiod("istiod-1", { rows: [state] })], ...more }).rows[0]!;

const cdsOf = (type: Partial<TypeSync>, more: Partial<SyncState> = {}): TypeStatus =>
  rowOf(aRow("a.default", { CDS: type }, more)).types.get("CDS")!;

describe("the state of a type", () => {
  it.each([
    { sent: "2", acked: "2", is: "SYNCED", because: "what was sent was acknowledged" },
    { sent: "2", acked: "1", is: "STALE", because: "an older push was acknowledged" },
    { sent: "2", acked: "", is: "STALE (Never Acknowledged)", because: "nothing was" },
    { sent: "", acked: "", is: "NOT SENT", because: "there was nothing to send" },
    { sent: "", acked: "1", is: "NOT SENT", because: "nothing was sent on this connection" },
    {
      sent: "2",
      acked: "1",
      error: "bad listener",
      is: "ERROR",
      because: "the proxy refused it (1.23 and newer)",
    },
  ])("by nonces is $is: $because", ({ sent, acked, error = "", is }) => {
    expect(cdsOf(nonces(sent, acked, { error }))).toMatchObject({
      state: is,
      error: error === "" ? null : error,
    });
  });

  it.each([
    { status: "SYNCED", is: "SYNCED" },
    { status: "NOT_SENT", is: "NOT SENT" },
    { status: "STALE", is: "STALE" },
    { status: "ERROR", is: "ERROR" },
    { status: "UNKNOWN", is: "IGNORED" },
  ] as const)("by verdict $status is $is", ({ status, is }) => {
    expect(cdsOf(verdict(status)).state).toBe(is);
  });

  it.each([
    { proxyType: "ztunnel", sent: "", is: "IGNORED", because: "Istiod has no such type for it" },
    {
      proxyType: "ztunnel",
      sent: "1",
      is: "STALE (Never Acknowledged)",
      because: "it was sent all the same",
    },
    { proxyType: "sidecar", sent: "", is: "NOT SENT", because: "it may be sent later" },
    { proxyType: "router", sent: "", is: "NOT SENT", because: "it may be sent later" },
    { proxyType: "", sent: "", is: "NOT SENT", because: "before 1.18 the type is not told" },
  ])("of a $proxyType with '$sent' sent is $is: $because", ({ proxyType, sent, is }) => {
    expect(cdsOf(nonces(sent, ""), { proxyType }).state).toBe(is);
  });
});

describe("a type that the answer does not name", () => {
  it("is not subscribed to, since 1.23 lists what is", () => {
    const row = rowOf(aRow("a.default", { CDS: {} }));
    expect(columnTypes.map((type) => columnStatus(row, type).state)).toEqual([
      "SYNCED",
      "IGNORED",
      "IGNORED",
      "IGNORED",
      "IGNORED",
    ]);
  });
  it("was not told of by an older release, which reads as nothing", () => {
    const row = rowOf(aRow("a.default", { CDS: {} }, { listsOnlySubscribed: false }));
    expect(columnStatus(row, "ECDS").state).toBe("UNKNOWN");
    expect(statusText(columnStatus(row, "ECDS"))).toBe("-");
  });
  it("of a proxy in no list is -", () => {
    const [row] = of({ proxies: [aProxy("a.default")] }).rows;
    expect(columnTypes.map((type) => columnStatus(row!, type).state)).toEqual(["-", "-", "-", "-", "-"]);
  });
});

describe("types", () => {
  it.each([
    { typeUrl: "envoy.extensions.transport_sockets.tls.v3.Secret", name: "SDS" },
    { typeUrl: "istio.networking.nds.v1.NameTable", name: "NDS" },
    { typeUrl: "istio.mesh.v1alpha1.ProxyConfig", name: "PCDS" },
    { typeUrl: "istio.workload.Address", name: "WDS" },
    { typeUrl: "istio.workload.Workload", name: "WDS" },
    { typeUrl: "istio.security.Authorization", name: "WADS" },
    { typeUrl: "envoy.api.v2.Cluster", name: "CDS" },
    { typeUrl: "envoy.api.v2.RouteConfiguration", name: "RDS" },
    { typeUrl: "example.Later", name: "example.Later" },
  ])("of $typeUrl are called $name", ({ typeUrl, name }) => {
    expect(rowOf(aRow("a.default", { [typeUrl]: {} })).types.get(name)?.state).toBe("SYNCED");
  });

  it("stand in istioctl's order, others behind by name", () => {
    const row = rowOf(
      aRow("a.default", {
        "z.Later": {},
        "istio.workload.Address": {},
        ECDS: {},
        RDS: {},
        "a.Later": {},
        CDS: {},
      }),
    );
    expect([...row.types.keys()]).toEqual(["CDS", "LDS", "EDS", "RDS", "ECDS", "WDS", "a.Later", "z.Later"]);
  });
});

describe("ages", () => {
  const sentTime = "2026-03-14T09:27:00Z";
  const stale = nonces("2", "1", { sentTime });
  const captureTime = { value: "2026-03-14T09:30:12Z", source: "manifest" } as const;
  const withList = (capturedAt: string | null, more: Partial<Snapshot> = {}): TypeStatus =>
    of({
      istiods: [anIstiod("istiod-1", { rows: [aRow("a.default", { CDS: stale })], list: { capturedAt } })],
      ...more,
    }).rows[0]!.types.get("CDS")!;

  it.each([
    { list: "2026-03-14T09:30:00Z", age: 180_000, because: "the list was asked for then" },
    { list: null, age: 192_000, because: "the capture is the next best" },
    { list: "2026-03-14T09:20:00Z", age: 0, because: "clocks differ, and no age is negative" },
  ])("are counted up to $list: $because", ({ list, age }) => {
    expect(withList(list, { captureTime }).age).toBe(age);
  });

  it("are none where it is not known when the list was captured: never counted up to now", () => {
    expect(withList(null)).toMatchObject({ state: "STALE", age: null, sentTime });
  });

  it("are none where the release does not tell when it sent", () => {
    expect(
      rowOf(aRow("a.default", { CDS: nonces("2", "1") }), { captureTime }).types.get("CDS")?.age,
    ).toBeNull();
  });

  it.each([
    { what: "STALE", type: nonces("2", "1", { sentTime }), age: 192_000 },
    { what: "never acknowledged", type: nonces("2", "", { sentTime }), age: 192_000 },
    { what: "refused", type: nonces("2", "1", { sentTime, error: "no" }), age: 192_000 },
    { what: "STALE by verdict", type: verdict("STALE", { sentTime }), age: 192_000 },
    { what: "synced", type: nonces("2", "2", { sentTime }), age: null },
    { what: "not sent", type: nonces("", "", { sentTime }), age: null },
  ])("of what is $what: $age", ({ type, age }) => {
    expect(rowOf(aRow("a.default", { CDS: type }), { captureTime }).types.get("CDS")?.age).toBe(age);
  });
});

describe("of a push that was not acknowledged, the answer taken before tells whether", () => {
  const cds = (type: Partial<TypeSync>): SyncState => aRow("a.default", { CDS: type });
  const progress = (before: readonly SyncState[] | undefined, after: Partial<TypeSync>): string | null =>
    of({
      istiods: [
        anIstiod("istiod-1", {
          rows: [cds(after)],
          ...(before === undefined ? {} : { before }),
          list: { capturedAt: "2026-03-14T09:30:00Z" },
        }),
      ],
    }).rows[0]!.types.get("CDS")!.progress;
  const sentAt = (sentTime: string): Partial<TypeSync> => ({ sentTime });

  it.each<{ before: readonly SyncState[]; after: Partial<TypeSync>; is: string | null; because: string }>([
    {
      before: [cds(nonces("2", "1"))],
      after: nonces("2", "1"),
      is: "stuck",
      because: "the same push still waits",
    },
    {
      before: [cds(nonces("2", ""))],
      after: nonces("2", ""),
      is: "stuck",
      because: "the same push still waits",
    },
    {
      before: [cds(nonces("1", "1"))],
      after: nonces("2", "1"),
      is: "in flight",
      because: "it was sent since",
    },
    {
      before: [cds(nonces("2", "1"))],
      after: nonces("3", "2"),
      is: "in flight",
      because: "the one before was taken",
    },
    {
      before: [cds(nonces("2", "1"))],
      after: nonces("3", "1"),
      is: "in flight",
      because: "another one was sent",
    },
    {
      before: [cds(nonces("2", "2"))],
      after: nonces("2", "1"),
      is: "in flight",
      because: "it has connected anew",
    },
    { before: [], after: nonces("2", ""), is: "in flight", because: "it was not connected moments ago" },
    {
      before: [aRow("a.default", { LDS: {} })],
      after: nonces("2", ""),
      is: "in flight",
      because: "it had not subscribed",
    },
    {
      before: [aRow("b.default", { CDS: nonces("2", "1") })],
      after: nonces("2", "1"),
      is: "in flight",
      because: "that was another proxy",
    },
    {
      before: [cds(nonces("2", "1"))],
      after: nonces("2", "2"),
      is: null,
      because: "it has been acknowledged",
    },
    {
      before: [cds(nonces("2", "1"))],
      after: nonces("2", "1", { error: "no" }),
      is: null,
      because: "it was refused",
    },
    {
      before: [cds(verdict("STALE", sentAt("2026-03-14T09:00:00Z")))],
      after: verdict("STALE", sentAt("2026-03-14T09:00:00Z")),
      is: "stuck",
      because: "it was sent at the same time",
    },
    {
      before: [cds(verdict("STALE", sentAt("2026-03-14T09:00:00Z")))],
      after: verdict("STALE", sentAt("2026-03-14T09:29:00Z")),
      is: "in flight",
      because: "it was sent again",
    },
    {
      before: [cds(verdict("SYNCED"))],
      after: verdict("STALE"),
      is: "in flight",
      because: "it was synced before",
    },
    {
      before: [cds(verdict("STALE"))],
      after: verdict("STALE"),
      is: null,
      because: "verdicts do not tell one push from another",
    },
  ])("it is $is: $because", ({ before, after, is }) => {
    expect(progress(before, after)).toBe(is);
  });

  it.each([
    { sentTime: "2026-03-14T09:29:31Z", is: "in flight", because: "it was sent less than 30 seconds ago" },
    { sentTime: "2026-03-14T09:29:30Z", is: null, because: "one answer cannot tell" },
    { sentTime: null, is: null, because: "nobody says when it was sent" },
  ])("without such an answer a push of $sentTime is $is: $because", ({ sentTime, is }) => {
    expect(progress(undefined, nonces("2", "1", { sentTime }))).toBe(is);
  });
});

describe("the text of a status", () => {
  const status = (more: Partial<TypeStatus>): TypeStatus => ({
    state: "STALE",
    sentTime: null,
    error: null,
    age: null,
    progress: null,
    ...more,
  });
  it.each<{ given: Partial<TypeStatus>; text: string }>([
    { given: {}, text: "STALE" },
    { given: { age: 192_000 }, text: "STALE (3m12s)" },
    { given: { progress: "stuck" }, text: "STALE (stuck)" },
    { given: { progress: "in flight", age: 2000 }, text: "STALE (in flight, 2s)" },
    { given: { state: "STALE (Never Acknowledged)" }, text: "STALE (Never Acknowledged)" },
    {
      given: { state: "STALE (Never Acknowledged)", age: 1_620_000 },
      text: "STALE (Never Acknowledged, 27m)",
    },
    { given: { state: "ERROR", age: 45_000, error: "no" }, text: "ERROR (45s)" },
    { given: { state: "SYNCED", age: 45_000 }, text: "SYNCED" },
    { given: { state: "NOT SENT" }, text: "NOT SENT" },
    { given: { state: "IGNORED" }, text: "IGNORED" },
    { given: { state: "UNKNOWN" }, text: "-" },
    { given: { state: "-" }, text: "-" },
  ])("of $given is $text", ({ given, text }) => {
    expect(statusText(status(given))).toBe(text);
  });
});

describe("a row", () => {
  it.each([
    { istioVersion: "1.24.2", proxyVersion: "1.1", version: "1.24.2" },
    { istioVersion: "", proxyVersion: "1.1", version: "1.1*" },
    { istioVersion: "", proxyVersion: "", version: "*" },
  ])("of version '$istioVersion', old form '$proxyVersion', prints $version", ({ version, ...said }) => {
    expect(rowOf(aRow("a.default", {}, said)).version).toBe(version);
  });

  it.each<{ said: string; more: Partial<Snapshot>; type: string; because: string }>([
    {
      said: "waypoint",
      more: { proxies: [aProxy("a.default")] },
      type: "waypoint",
      because: "Istiod says so",
    },
    { said: "", more: { proxies: [aProxy("a.default")] }, type: "sidecar", because: "its node says so" },
    {
      said: "",
      more: { ztunnels: [aZtunnel("a.default")] },
      type: "ztunnel",
      because: "a ztunnel's dump was captured",
    },
    { said: "", more: {}, type: "unknown", because: "nobody does" },
  ])("is of type $type: $because", ({ said, more, type }) => {
    expect(rowOf(aRow("a.default", {}, { proxyType: said }), more).type).toBe(type);
  });

  it("of a proxy with dots in its pod's name has the last part as namespace", () => {
    expect(rowOf(aRow("pod.1.default"))).toMatchObject({ name: "pod.1.default", namespace: "default" });
  });
});

describe("is something wrong with a row", () => {
  it.each<{ types: Record<string, Partial<TypeSync>>; wrong: boolean; because: string }>([
    { types: { CDS: nonces("1") }, wrong: false, because: "it is synced" },
    { types: { CDS: nonces("2", "1") }, wrong: true, because: "it is stale" },
    { types: { CDS: nonces("2", "") }, wrong: true, because: "nothing was acknowledged" },
    { types: { CDS: nonces("2", "1", { error: "no" }) }, wrong: true, because: "it was refused" },
    { types: { RDS: nonces("") }, wrong: false, because: "a gateway without servers has no routes" },
    { types: { "istio.workload.Address": nonces("2", "1") }, wrong: true, because: "other types count too" },
    { types: {}, wrong: false, because: "it subscribes to nothing" },
  ])("$wrong: $because", ({ types, wrong }) => {
    expect(isWrong(rowOf(aRow("a.default", types)))).toBe(wrong);
  });
  it("false: the push is on its way", () => {
    const before = [aRow("a.default", { CDS: nonces("1") })];
    const rows = [aRow("a.default", { CDS: nonces("2", "1") })];
    expect(isWrong(of({ istiods: [anIstiod("istiod-1", { rows, before })] }).rows[0]!)).toBe(false);
  });
});

describe("a captured proxy that no Istiod lists", () => {
  const proxies = [aProxy("lost.default", { CLUSTER_ID: "east", ISTIO_VERSION: "1.24.2" })];
  const full = anIstiod("istiod-1", { rows: [aRow("a.default")] });
  const lostRow = (more: Partial<Snapshot>): ProxyStatus =>
    of({ proxies, ...more }).rows.find(({ name }) => name === "lost.default")!;

  it("is not connected when all lists are there, which is wrong", () => {
    const row = lostRow({ istiods: [full] });
    expect(row).toMatchObject({
      connected: false,
      istiod: "",
      cluster: "east",
      version: "1.24.2",
      captured: true,
    });
    expect(isWrong(row)).toBe(true);
  });

  it.each<{ what: string; more: Partial<Snapshot>; reason: string }>([
    {
      what: "a list could not be read",
      more: { istiods: [full, anIstiod("istiod-2", { rows: "is cut off" })] },
      reason: "the list of istiod-2 is missing",
    },
    {
      what: "no list could be read",
      more: { istiods: [anIstiod("istiod-2", { rows: "is cut off" })] },
      reason: "no list of any Istiod could be read (istiod-2: is cut off)",
    },
    { what: "there is no list", more: {}, reason: "no answer of any Istiod is in this snapshot" },
    {
      what: "a must-gather asked one Istiod only",
      more: {
        istiods: [full],
        source: { ...aSnapshot().source, kind: "must-gather", asksOneIstiodOnly: true },
      },
      reason: "a must-gather asks only one Istiod of each revision",
    },
    {
      what: "the collector could not get one",
      more: {
        istiods: [full],
        gaps: [{ target: "istiod-2.istio-system", what: "debug/syncz", reason: "timeout" }],
      },
      reason: "the list of istiod-2.istio-system was not captured (timeout)",
    },
  ])("may be connected or not when $what, which is not wrong", ({ more, reason }) => {
    const row = lostRow(more);
    expect(row.connected).toBeNull();
    expect(isWrong(row)).toBe(false);
    expect(of({ proxies, ...more }).listsIncomplete).toBe(reason);
  });

  it("is not connected when the collector missed other things only", () => {
    const gaps = [{ target: "b.default", what: "server_info", reason: "timeout" }];
    expect(lostRow({ istiods: [full], gaps }).connected).toBe(false);
  });

  it("is named in either case", () => {
    expect(of({ proxies, istiods: [full] }).capturedNotListed).toEqual(["lost.default"]);
    expect(of({ proxies }).capturedNotListed).toEqual(["lost.default"]);
    expect(of({ proxies: [aProxy("a.default")], istiods: [full] }).capturedNotListed).toEqual([]);
  });
});

describe("what is missing altogether", () => {
  it.each<{ what: string; more: Partial<Snapshot>; missing: string | null }>([
    { what: "a list is there", more: { istiods: [anIstiod("istiod-1")] }, missing: null },
    { what: "there is no Istiod", more: {}, missing: "no answer of any Istiod is in this snapshot" },
    {
      what: "no list can be read",
      more: { istiods: [anIstiod("b", { rows: "is HTML" }), anIstiod("c", { rows: "is empty" })] },
      missing: "no list of any Istiod could be read (b: is HTML; c: is empty)",
    },
  ])("is said when $what: $missing", ({ more, missing }) => {
    expect(of(more).missing).toBe(missing);
  });
});

describe("a proxy in two lists", () => {
  const istiods = [
    anIstiod("istiod-2", { rows: [aRow("a.default", { CDS: nonces("9") })] }),
    anIstiod("istiod-1", { rows: [aRow("a.default", { CDS: nonces("2", "1") }), aRow("b.default")] }),
  ];
  it("has two rows, as istioctl prints it, by Istiod", () => {
    expect(of({ istiods }).rows.map(({ name, istiod }) => `${name} ${istiod}`)).toEqual([
      "a.default istiod-1",
      "a.default istiod-2",
      "b.default istiod-1",
    ]);
  });
  it("is named with its Istiods, and others are not", () => {
    expect(of({ istiods }).listedTwice).toEqual(new Map([["a.default", ["istiod-2", "istiod-1"]]]));
  });
  it("is stuck or not by the Istiod that it is connected to", () => {
    const stuck = [aRow("a.default", { CDS: nonces("2", "1") })];
    const rows = of({
      istiods: [
        anIstiod("istiod-1", { rows: stuck, before: stuck }),
        anIstiod("istiod-2", { rows: stuck, before: [] }),
      ],
    }).rows;
    expect(rows.map(({ types }) => types.get("CDS")?.progress)).toEqual(["stuck", "in flight"]);
  });
});

describe("a listed proxy", () => {
  const istiods = [
    anIstiod("istiod-1", { rows: [aRow("b.default"), aRow("a.default"), aRow("z.istio-system")] }),
  ];
  it("that was not captured is named, sorted", () => {
    const status = of({ istiods, ztunnels: [aZtunnel("z.istio-system")] });
    expect(status.listedNotCaptured).toEqual(["a.default", "b.default"]);
    expect(status.rows.map(({ captured }) => captured)).toEqual([false, false, true]);
  });
  it("of which a file but no dump was captured is known, yet its dump was not captured", () => {
    const status = of({ istiods, proxies: [{ ...aProxy("a.default"), dumpEntry: null }] });
    expect(status.listedNotCaptured).toEqual(["b.default", "z.istio-system"]);
    expect(status.rows[0]).toMatchObject({ name: "a.default", captured: false });
  });
});

describe("the order of rows", () => {
  const rows = (cluster: (name: string) => string): SyncState[] =>
    ["b.default", "a.default", "c.default"].map((name) => aRow(name, {}, { clusterId: cluster(name) }));
  const east = (name: string): string => (name.startsWith("c") ? "east" : "west");

  it.each([
    {
      era: "/debug/syncz before 1.13",
      form: "syncz" as const,
      cluster: () => "",
      order: "a b c",
      because: "there is no cluster",
    },
    {
      era: "/debug/syncz of 1.13 and newer",
      form: "syncz" as const,
      cluster: east,
      order: "c a b",
      because: "the cluster comes first",
    },
    {
      era: "the XDS answer",
      form: "xds" as const,
      cluster: east,
      order: "a b c",
      because: "it goes by id alone",
    },
  ])("of $era is $order: $because", ({ form, cluster, order }) => {
    const status = of({ istiods: [anIstiod("istiod-1", { rows: rows(cluster), list: { form } })] });
    expect(status.rows.map(({ name }) => name.charAt(0)).join(" ")).toBe(order);
  });

  it("has proxies in no list among the others", () => {
    const status = of({
      istiods: [anIstiod("istiod-1", { rows: [aRow("a.default"), aRow("c.default")] })],
      proxies: [aProxy("b.default", { CLUSTER_ID: "Kubernetes" })],
    });
    expect(status.rows.map(({ name }) => name)).toEqual(["a.default", "b.default", "c.default"]);
  });
});

describe("the order of the input", () => {
  const ids = ["a.default", "b.default", "pod.1.default", "a.staging"];
  const type = fc.oneof(
    fc
      .tuple(fc.constantFrom("", "1", "2"), fc.constantFrom("", "1", "2"))
      .map(([sent, acked]) => nonces(sent, acked)),
    fc
      .constantFrom("SYNCED", "STALE", "UNKNOWN", "NOT_SENT", "ERROR")
      .map((status) => verdict(status as "STALE")),
  );
  const state = fc
    .record({
      id: fc.constantFrom(...ids),
      cluster: fc.constantFrom("", "east", "west"),
      types: fc.dictionary(fc.constantFrom<ColumnType>(...columnTypes), type),
    })
    .map(({ id, cluster, types }) => aRow(id, types, { clusterId: cluster }));
  const states = fc.uniqueArray(state, { selector: ({ proxyId }) => proxyId });
  const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
    fc.shuffledSubarray([...items], { minLength: items.length });

  it("does not change what is said", () => {
    const meshes = fc
      .record({
        lists: fc.array(fc.tuple(states, fc.option(states, { nil: undefined })), { maxLength: 3 }),
        form: fc.constantFrom("syncz", "xds"),
      })
      .chain(({ lists, form }) => {
        const istiods = lists.map(([rows, before], index) => ({ id: `istiod-${index}`, rows, before }));
        return fc.tuple(
          fc.constant({ istiods, form: form as "xds" }),
          shuffled(istiods).chain((order) =>
            fc.tuple(
              ...order.map(({ id, rows, before }) =>
                shuffled(rows).map((mixed) => ({ id, rows: mixed, before })),
              ),
            ),
          ),
          shuffled(ids.map((id) => aProxy(id))),
        );
      });
    fc.assert(
      fc.property(meshes, ([{ istiods, form }, mixed, proxies]) => {
        const build = (lists: typeof istiods): Snapshot["istiods"] =>
          lists.map(({ id, rows, before }) =>
            anIstiod(id, { rows, list: { form }, ...(before === undefined ? {} : { before }) }),
          );
        const sorted = (status: ReturnType<typeof syncStatus>): unknown => ({
          ...status,
          listedTwice: [...status.listedTwice].map(([id, lists]) => [id, [...lists].sort()]).sort(),
          capturedNotListed: [...status.capturedNotListed].sort(),
        });
        expect(sorted(of({ istiods: build(mixed), proxies }))).toEqual(
          sorted(of({ istiods: build(istiods), proxies: ids.map((id) => aProxy(id)) })),
        );
      }),
    );
  });
});
