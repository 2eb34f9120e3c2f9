/** The tracer against recorded decisions of a real Envoy: runs where there is none. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { comparison } from "../support/judge/compare.js";
import { predictor } from "../support/judge/prediction.js";
import { recordingFolder, recordingSuffix } from "../support/judge/recorded-files.js";
import { readRecording } from "../support/judge/recording.js";
import { scenarios } from "./scenarios/index.js";

const files = readdirSync(recordingFolder).sort();
const recordings = files.map((file) => ({
  file,
  ...readRecording(gunzipSync(readFileSync(new URL(file, recordingFolder))).toString()),
}));

it("has a recording of every scenario, in less than half a megabyte", () => {
  const names = (file: string): string[] =>
    recordings.find((one) => one.file === file + recordingSuffix)?.trials.map(({ name }) => name) ?? [];
  for (const [file, list] of Object.entries(scenarios))
    expect(names(file)).toEqual(list.map(({ name }) => name));
  const size = files.reduce((sum, file) => sum + statSync(new URL(file, recordingFolder)).size, 0);
  expect(size).toBeLessThan(500_000);
});

describe.each(recordings)("$file", ({ admin, trials }) => {
  const predict = predictor(admin);

  it.each(trials)("$name", ({ requests }) => {
    expect(requests.length).toBeGreaterThan(0);
    const disagreements = requests.flatMap(({ request, connectedTo, from, decisions }) => {
      const predicted = predict(request, { connectedTo, from: { ip: from, port: 50_000 } });
      return decisions.flatMap(({ decision }) =>
        comparison(decision, predicted).disagreements.map(
          (sentence) => `${JSON.stringify(request)}: ${sentence}`,
        ),
      );
    });
    expect(disagreements).toEqual([]);
  });
});
