import { describe, expect, it } from "vitest";

import { humanTime } from "../../src/shared/http-date.js";

describe("a time as RFC 1123 prints it", () => {
  it.each([
    { time: "2018-06-19T06:21:16.597131985+00:00", is: "Tue, 19 Jun 2018 06:21:16 UTC" },
    { time: "2026-03-01T23:59:59Z", is: "Sun, 01 Mar 2026 23:59:59 UTC" },
    { time: "2026-03-02T00:59:59+02:00", is: "Sun, 01 Mar 2026 22:59:59 UTC" },
    { time: "yesterday", is: "yesterday" },
    { time: "", is: "" },
  ])("$time is $is", ({ time, is }) => {
    expect(humanTime(time)).toBe(is);
  });
});
