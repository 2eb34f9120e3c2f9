import { describe, expect, it } from "vitest";

import { ProblemList } from "../../../src/shared/problem.js";
import type { SyncList, SyncState } from "../../../src/snapshot/model.js";
import {
  istiodIdentity,
  isSyncAnswer,
  parseIstiodAnswers,
  parseSyncAnswer,
  parseSyncz,
  parseXdsSync,
  shortTypes,
} from "../../../src/snapshot/parse/syncz.js";
import { buildMesh } from "../../support/mesh/mesh.js";
import { synczText } from "../../support/mesh/syncz.js";

const entry = "istio/istio-system/istiod-1/debug/syncz";

function read(json: unknown): { readonly list: SyncList; readonly problems: string[] } {
  const problems = new ProblemList();
  const list = parseSyncAnswer(json, entry, "", problems);
  return { list, problems: problems.all.map(({ pointer, message }) => `${pointer} ${message}`) };
}
const statesOf = (json: unknown): readonly SyncState[] => read(json).list.states;
const only = (json: unknown): SyncState => statesOf(json)[0]!;

/** By short name, `sent/acked` or the verdict. */
const typesOf = ({ types }: SyncState): Record<string, string> =>
  Object.fromEntries(
    types.map(({ typeUrl, evidence }) => [
      Object.entries(shortTypes).find(([, full]) => full === typeUrl)?.[0] ?? typeUrl,
      evidence.form === "nonces" ? `${evidence.sent}/${evidence.acked}` : evidence.status,
    ]),
  );

const row = (more: object = {}): object => ({ proxy: "a.default", istio_version: "1.6.1", ...more });

describe("/debug/syncz", () => {
  const nonces = {
    cluster_sent: "c2",
    cluster_acked: "c1",
    listener_sent: "l",
    listener_acked: "l",
    route_sent: "r",
    endpoint_acked: "e",
  };
  const fourTypes = { CDS: "c2/c1", LDS: "l/l", EDS: "/e", RDS: "r/" };

  it.each([
    {
      era: "1.4 and 1.5",
      json: row({ ...nonces, proxy_version: "1.4.3", endpoint_percent: 100 }),
      types: fourTypes,
    },
    { era: "1.6 to 1.12", json: row(nonces), types: fourTypes },
    { era: "1.13", json: row({ ...nonces, cluster_id: "c" }), types: { ...fourTypes, ECDS: "/" } },
    {
      era: "1.14 to 1.22",
      json: row({ ...nonces, cluster_id: "c", extensionconfig_sent: "x", extensionconfig_acked: "x" }),
      types: { ...fourTypes, ECDS: "x/x" },
    },
    {
      era: "1.18 to 1.22, without ECDS",
      json: row({ ...nonces, cluster_id: "c", proxy_type: "router" }),
      types: { ...fourTypes, ECDS: "/" },
    },
  ])("of $era has flat nonces", ({ json, types }) => {
    const state = only([json]);
    expect(typesOf(state)).toEqual(types);
    expect(state.listsOnlySubscribed).toBe(false);
    expect(state.types.every(({ sentTime, error }) => sentTime === null && error === "")).toBe(true);
  });

  it("of 1.23 and newer has every type that is subscribed to, with time and error", () => {
    const url = (type: string): string => `type.googleapis.com/${type}`;
    const state = only([
      row({
        ...nonces,
        cluster_id: "c",
        resources: {
          [url(shortTypes.CDS)]: {
            sent: "c2",
            acked: "c1",
            sentTime: "2026-03-14T09:00:00Z",
            lastError: "no",
          },
          [url(shortTypes.RDS)]: { sentTime: "0001-01-01T00:00:00Z" },
          [url("istio.workload.Address")]: { sent: "w", acked: "w", sentTime: "2026-03-14T09:00:00.5Z" },
        },
      }),
    ]);
    expect(state.listsOnlySubscribed).toBe(true);
    expect(state.types).toEqual([
      {
        typeUrl: shortTypes.CDS,
        evidence: { form: "nonces", sent: "c2", acked: "c1" },
        sentTime: "2026-03-14T09:00:00Z",
        error: "no",
      },
      {
        typeUrl: shortTypes.RDS,
        evidence: { form: "nonces", sent: "", acked: "" },
        sentTime: null,
        error: "",
      },
      {
        typeUrl: "istio.workload.Address",
        evidence: { form: "nonces", sent: "w", acked: "w" },
        sentTime: "2026-03-14T09:00:00.5Z",
        error: "",
      },
    ]);
  });

  it("tells of ECDS when one row does", () => {
    const [first] = statesOf([row(nonces), row({ extensionconfig_sent: "x" })]);
    expect(typesOf(first!)).toMatchObject({ ECDS: "/" });
    expect(typesOf(only([row(nonces)]))).not.toHaveProperty("ECDS");
  });

  it("says who the proxy is, as far as the release does", () => {
    expect(
      only([
        row({ cluster_id: "east", proxy_type: "waypoint", proxy_version: "1.4*", istio_version: "1.24.2" }),
      ]),
    ).toMatchObject({
      proxyId: "a.default",
      clusterId: "east",
      proxyType: "waypoint",
      proxyVersion: "1.4*",
      istioVersion: "1.24.2",
      origin: { entry, pointer: "/0" },
    });
    expect(only([{ proxy: "a.default" }])).toMatchObject({
      clusterId: "",
      proxyType: "",
      proxyVersion: "",
      istioVersion: "",
    });
  });

  it("keeps rows in their order, one proxy twice too", () => {
    expect(
      statesOf([row({ proxy: "b.x" }), row({ proxy: "a.x" }), row({ proxy: "b.x" })]).map((s) => s.proxyId),
    ).toEqual(["b.x", "a.x", "b.x"]);
  });

  it("may be empty", () => {
    expect(read([])).toEqual({
      list: { form: "syncz", states: [], lostRows: 0, capturedAt: null, origin: { entry, pointer: "" } },
      problems: [],
    });
  });

  it.each([
    { element: { cluster_id: "c" }, problem: "/0 must have required property 'proxy'" },
    { element: { proxy: "" }, problem: "/0/proxy must NOT have fewer than 1 characters" },
    { element: { proxy: "a", cluster_sent: 1 }, problem: "/0/cluster_sent must be string" },
    {
      element: { proxy: "a", resources: { "x/y": { sent: 1 } } },
      problem: "/0/resources/x~1y/sent must be string",
    },
    { element: "text", problem: "/0 must be object" },
  ])("loses a bad row and keeps the others: $problem", ({ element, problem }) => {
    const { list, problems } = read([element, row()]);
    expect(list.states.map(({ origin }) => origin.pointer)).toEqual(["/1"]);
    expect(problems).toEqual([problem]);
  });

  it.each([
    "1.4.10",
    "1.5.1",
    "1.6.14",
    "1.10.6",
    "1.12.9",
    "1.13.4",
    "1.14.5",
    "1.18.2",
    "1.22.1",
    "1.23.0",
    "1.31.0",
  ])("of Istio %s is read whole", (istioVersion) => {
    const mesh = buildMesh({ istioVersion });
    for (const istiod of mesh.istiods) {
      const { list, problems } = read(JSON.parse(synczText(istiod.syncz, istioVersion, 1).toString()));
      expect(problems).toEqual([]);
      expect(list.states.map(({ proxyId }) => proxyId).sort()).toEqual(
        istiod.syncz.map(({ proxyId }) => proxyId).sort(),
      );
      for (const state of list.states) {
        const { CDS, LDS, EDS, RDS } = typesOf(state);
        for (const type of [CDS, LDS, EDS, RDS]) expect(type).toMatch(/^(.+)\/\1$/);
      }
    }
  });
});

describe("the XDS answer", () => {
  const answer = (resources: unknown[], more: object = {}): object => ({
    versionInfo: "1",
    resources,
    ...more,
  });
  const client = (configs: unknown, metadata?: object): object => ({
    "@type": "type.googleapis.com/envoy.service.status.v3.ClientConfig",
    node: { id: "a.default", ...(metadata === undefined ? {} : { metadata }) },
    genericXdsConfigs: configs,
  });
  const config = (type: string, configStatus: unknown, more: object = {}): object => ({
    typeUrl: `type.googleapis.com/${type}`,
    configStatus,
    ...more,
  });
  const controlPlane = (id: string, version: string): object => ({
    controlPlane: { identifier: JSON.stringify({ Component: "istiod", ID: id, Info: { version } }) },
  });

  it.each([
    { status: "SYNCED", is: "SYNCED" },
    { status: "NOT_SENT", is: "NOT_SENT" },
    { status: "STALE", is: "STALE" },
    { status: "ERROR", is: "ERROR" },
    { status: "UNKNOWN", is: "UNKNOWN" },
    { status: undefined, is: "UNKNOWN" },
    { status: 1, is: "SYNCED" },
    { status: 4, is: "ERROR" },
    { status: 77, is: "UNKNOWN" },
    { status: "LATER", is: "UNKNOWN" },
  ])("says $status: $is", ({ status, is }) => {
    expect(typesOf(only(answer([client([config(shortTypes.CDS, status)])])))).toEqual({ CDS: is });
  });

  it("of 1.9 to 1.13 says nothing of a type that is missing", () => {
    expect(only(answer([client([])])).listsOnlySubscribed).toBe(false);
  });

  it("of 1.14 and newer names all types that count", () => {
    expect(only(answer([client([], { CLUSTER_ID: "east" })]))).toMatchObject({
      clusterId: "east",
      listsOnlySubscribed: true,
    });
  });

  it("of 1.23 and newer has times and errors", () => {
    const { types } = only(
      answer([
        client([
          config(shortTypes.LDS, "ERROR", {
            lastUpdated: "2026-03-14T09:00:00Z",
            errorState: { details: "no", lastUpdateAttempt: "x" },
          }),
          config(shortTypes.RDS, "NOT_SENT", { lastUpdated: "0001-01-01T00:00:00Z" }),
        ]),
      ]),
    );
    expect(types).toMatchObject([
      { sentTime: "2026-03-14T09:00:00Z", error: "no" },
      { sentTime: null, error: "" },
    ]);
  });

  it("of 1.10 and before names types by members", () => {
    const xdsConfig = [
      { status: "NOT_SENT", listenerConfig: {} },
      { status: "STALE", routeConfig: {} },
      { status: "SYNCED", endpointConfig: {} },
      { status: 3, clusterConfig: {} },
      { status: "SYNCED", scopedRouteConfig: {} },
    ];
    const state = only(answer([{ node: { id: "a.default" }, xdsConfig }]));
    expect(typesOf(state)).toEqual({ LDS: "NOT_SENT", RDS: "STALE", EDS: "SYNCED", CDS: "STALE" });
    expect(state.listsOnlySubscribed).toBe(false);
  });

  it.each([
    { metadata: { ISTIO_VERSION: "1.20" }, version: "1.20", because: "since 1.19 it is the proxy's own" },
    { metadata: {}, version: "1.12.9", because: "before it was the control plane's" },
    { metadata: { ISTIO_VERSION: 7 }, version: "1.12.9", because: "that is no version" },
  ])("of $metadata is of version $version: $because", ({ metadata, version }) => {
    const json = answer([client([], metadata)], controlPlane("istiod-1", "1.12.9"));
    expect(only(json).istioVersion).toBe(version);
  });

  it.each([
    { resource: { node: {} }, problem: "/resources/0/node must have required property 'id'" },
    { resource: { node: { id: "" } }, problem: "/resources/0/node/id must NOT have fewer than 1 characters" },
    { resource: client({}), problem: "/resources/0/genericXdsConfigs must be array" },
    {
      resource: client([{}]),
      problem: "/resources/0/genericXdsConfigs/0 must have required property 'typeUrl'",
    },
    { resource: null, problem: "/resources/0 must be object" },
  ])("loses a bad client and keeps the others: $problem", ({ resource, problem }) => {
    const { list, problems } = read(answer([resource, client([])]));
    expect(list.states.map(({ origin }) => origin.pointer)).toEqual(["/resources/1"]);
    expect(problems).toEqual([problem]);
  });

  it("is a list of its own form", () => {
    const problems = new ProblemList();
    expect(parseXdsSync(answer([]), entry, "/x", problems)).toMatchObject({
      form: "xds",
      origin: { entry, pointer: "/x" },
    });
    expect(parseSyncz([], entry, "/x", problems)).toMatchObject({ form: "syncz" });
    expect(() => parseXdsSync({ resources: 1 }, entry, "", problems)).toThrow("/resources must be array");
  });

  it("of an Istiod without proxies has no resources: protobuf JSON leaves an empty list out", () => {
    const problems = new ProblemList();
    const json = { versionInfo: "1", typeUrl: "type.googleapis.com/envoy.service.status.v3.ClientConfig" };
    expect(parseXdsSync(json, entry, "", problems)).toMatchObject({ form: "xds", states: [], lostRows: 0 });
    expect(isSyncAnswer(json)).toBe(true);
    expect(isSyncAnswer({ versionInfo: "1" })).toBe(false);
  });
});

describe("the identity of an Istiod", () => {
  it.each([
    {
      identifier: '{"Component":"istiod","ID":"istiod-1","Info":{"version":"1.24.2"}}',
      id: "istiod-1",
      version: "1.24.2",
    },
    { identifier: '{"ID":"istiod-1"}', id: "istiod-1", version: "" },
    { identifier: undefined, id: "MISSING", version: "" },
    { identifier: "", id: "MISSING", version: "" },
    { identifier: "istiod-1", id: "INVALID", version: "" },
    { identifier: "{}", id: "INVALID", version: "" },
    { identifier: "null", id: "INVALID", version: "" },
    { identifier: '{"ID":7,"Info":{"version":8}}', id: "INVALID", version: "" },
  ])("in $identifier is $id, as istioctl prints it", ({ identifier, id, version }) => {
    expect(istiodIdentity(identifier)).toEqual({ id, version });
  });
});

describe("what is no answer", () => {
  it.each([{}, { resources: {} }, "text", 7, null])("is refused: %j", (json) => {
    expect(() => read(json)).toThrow(`${entry}: is no list of proxies`);
    expect(isSyncAnswer(json)).toBe(false);
  });
});

describe("an object of Istiods and their answers", () => {
  it("may mix both forms, and loses what is none", () => {
    const problems = new ProblemList();
    const answers = parseIstiodAnswers(
      { "istiod/1": [row()], istiod2: { resources: [] }, istiod3: "timeout" },
      entry,
      problems,
    );
    expect(answers.map(({ id, sync }) => [id, sync.form, sync.origin.pointer])).toEqual([
      ["istiod/1", "syncz", "/istiod~11"],
      ["istiod2", "xds", "/istiod2"],
    ]);
    expect(answers[0]?.sync.states[0]?.origin.pointer).toBe("/istiod~11/0");
    expect(problems.all).toMatchObject([{ pointer: "/istiod3", severity: "lost" }]);
  });
});
