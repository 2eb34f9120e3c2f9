/** What differs between real Envoys and what their Istiods would send them, all of it, and why. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { driftOf, type KindDrift } from "../../src/diff/drift.js";
import { findingsOf } from "../support/drift-findings.js";
import { capture, overHttp, type Capture } from "../support/live/collector-run.js";
import { withoutEnvoy } from "../support/live/envoy-binary.js";
import { newFolder, type Folder } from "../support/live/folder.js";
import {
  liveMesh,
  proxyIn,
  startLiveEnvoys,
  type LiveEnvoys,
  type LiveState,
} from "../support/live/live-envoys.js";
import { serveMesh, type LiveMesh } from "../support/live/live-mesh.js";

const mesh = liveMesh();

type Compared = Extract<KindDrift, { readonly state: "compared" }>;

describe.skipIf(withoutEnvoy)("three real Envoys against their Istiods", () => {
  let folder: Folder;
  let envoys: LiveEnvoys;
  let live: LiveMesh;
  let bundle: Capture;
  beforeAll(async () => {
    folder = await newFolder();
    envoys = await startLiveEnvoys(mesh);
    const states = ["healthy", "rejected", "warming"] as const;
    live = await serveMesh(
      mesh,
      new Map(states.map((state) => [proxyIn(mesh, state).id, envoys[state].url])),
    );
    bundle = await capture(folder.path, overHttp(live));
  });
  afterAll(async () => {
    await (live as LiveMesh | undefined)?.stop(); // undefined when the Envoys could not start
    await (envoys as LiveEnvoys | undefined)?.stop();
    await folder.remove();
  });

  const compared = (state: LiveState): readonly Compared[] =>
    driftOf(bundle.snapshot, proxyIn(mesh, state).id)[0]!.kinds.flatMap((kind) =>
      kind.state === "compared" ? [kind] : [],
    );

  /** All that differs. */
  const differences = (state: LiveState): object[] =>
    compared(state).flatMap(({ kind, differences: list }) =>
      list.map(({ class: of, name, inFlight, warming, rejection, changes }) => ({
        what: `${kind} ${name} ${of}`,
        inFlight,
        warming,
        rejection: rejection?.details ?? null,
        changes,
      })),
    );

  it("a healthy one: nothing", () => {
    expect(differences("healthy")).toEqual([]);
  });

  it("one that refused a listener: that listener, in Envoy's words", () => {
    expect(differences("rejected")).toEqual([
      {
        what: "listener 0.0.0.0_9443 missing",
        inFlight: false,
        warming: false,
        rejection:
          "error adding listener '127.0.0.1:0': filter chain '' has the same matching rules defined as ''. " +
          'duplicate matcher is: {"server_names":["shop.example.com"]}',
        changes: [],
      },
    ]);
  });

  it("one in which a listener waits for its routes: that listener, which is warming", () => {
    expect(differences("warming")).toEqual([
      {
        what: "listener 0.0.0.0_9999 missing",
        inFlight: false,
        warming: true,
        rejection: null,
        changes: [],
      },
    ]);
  });

  it.each(["healthy", "rejected", "warming"] as const)("and all the rest is the same: %s", (state) => {
    const { desired } = proxyIn(mesh, state);
    const [clusters, listeners, routes, endpoints] = compared(state);
    const sent = [desired.clusters, desired.listeners, desired.routes, desired.endpoints];
    expect(
      [clusters, listeners, routes, endpoints].map((kind) => kind!.same + kind!.differences.length),
    ).toEqual(sent.map(({ length }) => length));
    // Envoy prints what it was sent, but for endpoints, which it writes anew from its hosts
    expect([clusters, listeners, routes].map((kind) => kind!.noise)).toEqual([0, 0, 0]);
    expect(endpoints!.noise).toBe(endpoints!.same);
    expect(compared(state).map(({ partial }) => partial)).toEqual(compared(state).map(() => null));
  });

  it("and nothing else is found in the bundle", () => {
    expect(findingsOf(bundle.snapshot).map(({ by, about }) => `${by}: ${about}`)).toEqual([
      "Istiod against Envoy: listener 0.0.0.0_9443",
      "Istiod against Envoy: listener 0.0.0.0_9999",
    ]);
  });
});
