/** Many targets at once: what a capture of them costs, measured on the collector as a program of its own. */
import { join } from "node:path";

import { buildMesh } from "../mesh/mesh.js";
import { collector } from "./collector-program.js";
import { argumentsOf } from "./collector-run.js";
import { dealtOut } from "./live-envoys.js";
import { loadGauge, type LoadGauge } from "./load.js";
import { serve } from "./served-mesh.js";

export interface ScaleOptions {
  readonly proxies: number;
  /** The larger, the larger is every dump. */
  readonly services: number;
  /** Milliseconds before every answer. */
  readonly latency: number;
}

export interface Measured {
  readonly code: number | null;
  readonly stderr: string;
  /** The bundle. */
  readonly path: string;
  readonly requests: number;
  /** Of the whole process. */
  readonly seconds: number;
  /** How long the answers would take one after the other, of their latency alone. */
  readonly latencies: number;
  /** Requests under way at a time. */
  readonly peak: number;
  /** The collector's largest resident set, in bytes. */
  readonly memory: number;
}

export interface ManyTargets {
  /** Captures the first so many of the proxies, and both Istiods. */
  measure(proxies: number, concurrency: number, folder: string): Promise<Measured>;
  stop(): Promise<void>;
}

/** Proxies whose dumps are all of one size, however many of them are asked. */
export async function manyTargets({ proxies, services, latency }: ScaleOptions): Promise<ManyTargets> {
  let gauge = loadGauge();
  let requests = 0;
  const overall: LoadGauge = {
    get inFlight() {
      return gauge.inFlight;
    },
    get peak() {
      return gauge.peak;
    },
    enter: () => {
      requests++;
      return gauge.enter();
    },
  };
  const replicas = Math.ceil(proxies / services);
  const mesh = buildMesh({ bookinfo: false, services, replicas, proxies, istiods: 2 });
  const served = await serve(dealtOut(mesh), { latency, overall });
  return {
    measure: async (count, concurrency, folder) => {
      gauge = loadGauge();
      requests = 0;
      const { istiods, envoys } = served.ways;
      const path = join(folder, `${count}-${concurrency}.tar.gz`);
      const args = argumentsOf({ istiods, envoys: envoys.slice(0, count) });
      const start = performance.now();
      const ended = await collector([...args, "--concurrency", String(concurrency), "-o", path], { folder });
      return {
        code: ended.code,
        stderr: ended.stderr,
        path,
        requests,
        seconds: (performance.now() - start) / 1000,
        latencies: (requests * latency) / 1000,
        peak: gauge.peak,
        memory: ended.peakMemory ?? NaN,
      };
    },
    stop: () => served.stop(),
  };
}

/** `200 targets, 8 at a time: 4.1 s, ...`, for people. */
export const asFigures = (proxies: number, concurrency: number, measured: Measured): string =>
  [
    `${proxies} proxies, ${concurrency} at a time: ${measured.seconds.toFixed(1)} s`,
    `${measured.requests} requests of ${measured.latencies.toFixed(1)} s latency in all`,
    `at most ${measured.peak} under way`,
    `${(measured.memory / 1e6).toFixed(0)} MB`,
  ].join(", ");
