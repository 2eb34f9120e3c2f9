/** A mesh full of secrets, captured from servers: none gets as far as the bundle, or what is said of it. */
import { readdir, readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { RedactionProfile } from "../../src/redact/types.js";
import { canaries, leaksOf, seededAnswers, type AnswersByPath, type Canary } from "../support/canaries.js";
import { SeedBed } from "../support/canaries/canary.js";
import { jsonWebToken } from "../support/canaries/values.js";
import { captured, type RunOptions } from "../support/live/collector-run.js";
import {
  answer,
  refuses,
  startServer,
  unknownAdminPath,
  type LocalServer,
} from "../support/live/faulty-server.js";
import { folderForEach } from "../support/live/folder.js";
import { gapsOf, readBack } from "../support/live/read-back.js";

const folder = folderForEach();
const bed = new SeedBed();
/** What a target says of itself when it fails, with a secret in it. */
const complaint = `cannot reach the upstream: Authorization: Bearer ${bed.at("reason", "bundle", /manifest/)("token", jsonWebToken)}`;
const all: readonly Canary[] = [...canaries, ...bed.canaries];

/** Answers as they were seeded; what Istiod would send a proxy is found by the beginning of its connection's id. */
const serverOf = (answers: AnswersByPath): Promise<LocalServer> =>
  startServer(({ url }) => {
    const { pathname, searchParams } = new URL(url, "http://target");
    const path = pathname.slice(1);
    const connection = searchParams.get("proxyID")?.replace(/-\d+$/, "");
    const body = answers.get(connection === undefined ? path : `${path}?proxyID=${connection}`);
    if (path === "runtime") return refuses(500, complaint);
    return body === undefined ? unknownAdminPath : answer(body);
  });

let servers: readonly LocalServer[];
let ways: Required<Pick<RunOptions, "istiods" | "envoys">>;
beforeAll(async () => {
  const seeded = seededAnswers();
  const serve = async (flag: string, targets: ReadonlyMap<string, AnswersByPath>) =>
    Promise.all(
      [...targets].map(async ([name, answers]) => ({ flag, name, server: await serverOf(answers) })),
    );
  const started = {
    istiods: await serve("--istiod", seeded.istiods),
    envoys: await serve("--envoy", seeded.envoys),
  };
  servers = [...started.istiods, ...started.envoys].map(({ server }) => server);
  const named = (targets: typeof started.istiods) =>
    targets.map(({ flag, name, server }) => ({ flag, name, url: server.url }));
  ways = { istiods: named(started.istiods), envoys: named(started.envoys) };
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

describe("a bundle of a mesh full of secrets", () => {
  it.each<RedactionProfile>(["internal", "support", "public"])(
    "holds none of them under %s",
    async (profile) => {
      const secrets = all.filter(({ gone }) => gone.includes(profile));
      const { path, stderr, stdout } = await captured(folder(), { ...ways, profile });
      const inflated = gunzipSync(await readFile(path)); // names, contents, manifest and all
      expect(leaksOf(inflated, secrets)).toEqual([]);
      // names of the mesh are no secret to whoever captures it
      const always = all.filter(({ gone }) => gone.includes("internal"));
      expect(leaksOf(Buffer.from(stderr + stdout), always)).toEqual([]);
      const { manifest } = await readBack(path);
      expect(gapsOf(manifest)).toContainEqual(
        expect.stringMatching(/: runtime: HTTP 500: cannot \S+ the upstream: \S*\s*‹redacted:/),
      );
      const left = await readdir(folder());
      expect(left.sort()).toEqual(
        profile === "internal" ? ["bundle.tar.gz"] : ["bundle.tar.gz", "bundle.tar.gz.map.json"],
      );
    },
  );

  it("holds them where nothing is taken out, so that they can be found", async () => {
    const { path } = await captured(folder(), { ...ways, profile: "none" });
    const found = new Set(leaksOf(gunzipSync(await readFile(path)), all).map(({ canary }) => canary));
    expect(found.size).toBeGreaterThan(100);
    expect(found).toContain("reason: token");
  });
});
