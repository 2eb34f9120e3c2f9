import { describe, expect, it } from "vitest";

import { textOf, type Json, type JsonObject } from "../../support/mesh/json.js";
import type { ArchiveFile } from "../../support/mesh/layouts.js";
import { buildMesh } from "../../support/mesh/mesh.js";
import { bundleFiles } from "../../support/snapshot-of.js";
import { everyObject, objectIn, readForTrace, told, trace, without, type Asked } from "./bookinfo.js";

const requests: readonly Asked[] = [
  { from: "productpage-v1", url: "http://details:9080/details/0" },
  { from: "productpage-v1", url: "http://reviews:9080/reviews/0", allBranches: true },
  { from: "productpage-v1", url: "http://ratings:9080/ratings/0" },
  { from: "reviews-v2", url: "http://ratings:9080/ratings/0" },
  { from: "productpage-v1", url: "tcp://kubernetes:443" },
  { from: "productpage-v1", url: "http://203.0.113.9:8080/" },
  {
    from: "istio-ingressgateway",
    url: "https://bookinfo.example.com/productpage",
    sourceIp: "203.0.113.7",
  },
];

const isDump = ({ name }: ArchiveFile): boolean => /\/proxies\/.*\/config_dump/.test(name);

/** The files with every object of the proxies' dumps changed. */
function* withDumps(
  files: Iterable<ArchiveFile>,
  change: (object: JsonObject) => JsonObject,
): Generator<ArchiveFile> {
  for (const file of files) {
    if (!isDump(file)) {
      yield file;
      continue;
    }
    const json = JSON.parse(file.body.toString()) as Json;
    yield { ...file, body: JSON.stringify(everyObject(json, change)) };
  }
}

/** As the first releases with Istio wrote it: filters and TLS without a type, by their well-known names. */
function asStructs(object: JsonObject): JsonObject {
  const { typed_config: typed, transport_socket: socket, ...others } = object;
  const config = objectIn(typed);
  const type = textOf(config, "@type");
  const fields = without(config, "@type");
  if (/\.(?:HttpConnectionManager|TcpProxy)$/.test(type) && "name" in object) {
    const name = type.endsWith("TcpProxy") ? "envoy.tcp_proxy" : "envoy.http_connection_manager";
    return { ...others, name, config: fields };
  }
  const tls = objectIn(objectIn(socket)["config"]);
  if ("filters" in object && "common_tls_context" in tls) return { ...others, tls_context: tls };
  if (/\.(?:Upstream|Downstream)TlsContext$/.test(type)) return { ...others, name: "tls", config: fields };
  return object;
}

describe("a dump in the words of API v2", () => {
  const mesh = buildMesh({ seed: 7, istioVersion: "1.6.8" });
  const files = [...bundleFiles(mesh)];
  const typed = readForTrace(files);
  const untyped = readForTrace(withDumps(files, asStructs));

  it("is one, with Structs and tls_context in its older form", () => {
    const textOfDumps = (all: Iterable<ArchiveFile>): string =>
      [...all].flatMap((file) => (isDump(file) ? [file.body.toString()] : [])).join("");
    expect(textOfDumps(files)).toContain("envoy.api.v2.Listener");
    const older = textOfDumps(withDumps(files, asStructs));
    expect(older).toContain('"tls_context":');
    expect(older).toContain('"envoy.http_connection_manager"');
    expect(older).not.toMatch(/HttpConnectionManager|DownstreamTlsContext/);
  });

  it.each(requests)("$url from $from: the same path", (request) => {
    const expected = trace(typed, request);
    expect(told(expected).unknowns).toEqual([]);
    expect(told(trace(untyped, request))).toEqual(told(expected));
    expect(trace(untyped, request).branches.map(({ share }) => share)).toEqual(
      expected.branches.map(({ share }) => share),
    );
  });

  it.each(requests)("$url from $from: the path of today's mesh, but for names", (request) => {
    const now = told(trace(readForTrace(bundleFiles(buildMesh({ seed: 7 }))), request));
    const old = told(trace(typed, request));
    const inShort = ({ hops }: typeof old): unknown =>
      hops.map(({ at, listener, to }) => ({ at, listener, to: to.map((end) => end.split(" ")[1] ?? end) }));
    expect(inShort(old)).toEqual(inShort(now));
    // releases before 1.9 do not name the policy
    expect(old.outcome).toBe(now.outcome.replace("_matched_policy[none]", ""));
  });
});

describe("every release that the generator knows", () => {
  it.each(["1.4.10", "1.9.9", "1.12.9", "1.18.7", "1.23.2", "1.27.0"])("%s", (istioVersion) => {
    const snapshot = readForTrace(bundleFiles(buildMesh({ seed: 7, istioVersion })));
    const ends = requests.map((request) => told(trace(snapshot, request)));
    expect(ends.map(({ outcome }) => outcome.split(" ")[0])).toEqual([
      "endpoint",
      "endpoint",
      "403",
      "endpoint",
      "endpoint",
      "endpoint",
      "endpoint",
    ]);
    expect(ends.flatMap(({ unknowns }) => unknowns)).toEqual([]);
  });
});
