import { describe, expect, it } from "vitest";

import { contentOf } from "../../src/snapshot/message.js";
import { bootstrapView } from "../../src/views/bootstrap.js";
import { newestIstioctl, type View } from "../../src/views/view.js";
import { aStore, readText, valueOf } from "../support/builders.js";
import { expectSuperset, expectText, golden, rendered, withoutGoldens } from "../support/golden.js";

const newest = { istioctl: newestIstioctl };

function goldenView(path: string): View {
  const store = aStore();
  const { hash, lastUpdated, origin } = valueOf(readText(golden(path), store).bootstrap);
  return bootstrapView(contentOf(store.resources.get(hash)!), lastUpdated, { ...newest, origin });
}

describe.skipIf(withoutGoldens)("istioctl's own cases", () => {
  const folder = "writer/envoy/configdump/testdata";

  it("01, 02: the bootstrap of proxy-config all", () => {
    const view = goldenView("proxyconfig/testdata/config_dump.json");
    for (const file of ["config_dump_summary.txt", "config_dump_summary_withheaders.txt"]) {
      const all = golden(`proxyconfig/testdata/${file}`);
      expectText(rendered(view), /^Istio Version:[^]*?\n\n/m.exec(all)?.[0] ?? "");
    }
  });

  it("03: JSON", () =>
    expectSuperset(
      goldenView(`${folder}/configdump.json`).json,
      JSON.parse(golden(`${folder}/bootstrapdump.json`)),
    ));

  it("04: short", () =>
    expectText(rendered(goldenView(`${folder}/configdump.json`)), golden(`${folder}/versionsummary.txt`)));
});

describe("the lines of a bootstrap", () => {
  const node = (metadata: object, build: object = {}): Readonly<Record<string, unknown>> => ({
    node: { metadata, user_agent_build_version: build },
  });
  const rows = (bootstrap: Readonly<Record<string, unknown>>): View["rows"] =>
    bootstrapView(bootstrap, null, newest).rows;

  it("are the versions, without a header", () => {
    const view = bootstrapView(
      node(
        { ISTIO_VERSION: "1.24.2", ISTIO_PROXY_SHA: "istio-proxy:abc" },
        {
          version: { major_number: 1, minor_number: 32, patch: 3 },
          metadata: {
            "build.label": "dev",
            "revision.status": "Clean",
            "build.type": "RELEASE",
            "ssl.version": "BoringSSL",
          },
        },
      ),
      null,
      { ...newest, origin: { entry: "dump", pointer: "/configs/0/bootstrap" } },
    );
    expect(view).toMatchObject({ header: [], padding: 1 });
    expect(view.rows).toEqual([
      ["Istio Version:", "1.24.2"],
      ["Istio Proxy Version:", "abc"],
      ["Envoy Version:", "1.32.3-dev/Clean/RELEASE/BoringSSL"],
    ]);
    expect(view.origins).toEqual(
      ["/metadata/ISTIO_VERSION", "/metadata/ISTIO_PROXY_SHA", "/user_agent_build_version"].map((way) => ({
        entry: "dump",
        pointer: `/configs/0/bootstrap/node${way}`,
      })),
    );
  });

  it("leave out what the node does not say, but for Envoy's version", () => {
    expect(rows({})).toEqual([["Envoy Version:", "0.0.0"]]);
    expect(rows(node({ ISTIO_VERSION: "1.24.2" }))).toEqual([
      ["Istio Version:", "1.24.2"],
      ["Envoy Version:", "0.0.0"],
    ]);
  });

  it.each([
    { sha: "abc", shown: "abc" },
    { sha: "istio-proxy:abc", shown: "abc" },
    { sha: "a:b:c", shown: "b" },
  ])("have of the proxy's version $sha: $shown", ({ sha, shown }) => {
    expect(rows(node({ ISTIO_PROXY_SHA: sha }))[0]).toEqual(["Istio Proxy Version:", shown]);
  });

  it("have no label where there is none", () => {
    const build = { version: { major_number: 1 }, metadata: { "build.type": "RELEASE" } };
    expect(rows(node({}, build))).toEqual([["Envoy Version:", "1.0.0/RELEASE"]]);
  });
});

describe("the JSON of a bootstrap", () => {
  it("is the section, with JSON names; metadata stays", () => {
    expect(
      bootstrapView(
        { node: { user_agent_name: "envoy", metadata: { my_key: { a_b: 1 } } } },
        "2026-01-02T03:04:05Z",
        newest,
      ).json,
    ).toEqual({
      bootstrap: { node: { userAgentName: "envoy", metadata: { my_key: { a_b: 1 } } } },
      lastUpdated: "2026-01-02T03:04:05Z",
    });
    expect(bootstrapView({}, null, newest).json).toEqual({ bootstrap: {} });
  });
});
