/** When each part of a mesh was captured: first syncz, then the proxies one by one, then syncz again and the rest. */

import type { Mesh } from "./model.js";
import { seconds } from "./time.js";

export interface CapturePlan {
  readonly before: number;
  /** Of the proxy at that place in `mesh.proxies`. */
  readonly proxy: (index: number) => number;
  readonly after: number;
}

const perProxy = 120;

export const capturePlan = (mesh: Mesh): CapturePlan => ({
  before: mesh.capturedAt,
  proxy: (index) => mesh.capturedAt + seconds(2) + index * perProxy,
  after: mesh.capturedAt + seconds(15) + mesh.proxies.length * perProxy,
});
