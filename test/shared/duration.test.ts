import { describe, expect, it } from "vitest";

import { humanDuration, parseDuration } from "../../src/shared/duration.js";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

describe("humanDuration", () => {
  it.each([
    { of: 0, is: "0s", because: "nothing has passed" },
    { of: 999, is: "0s", because: "parts of a second do not count" },
    { of: 45 * second, is: "45s", because: "below two minutes there are only seconds" },
    { of: 2 * minute - 1, is: "119s", because: "it is still below two minutes" },
    { of: 2 * minute, is: "2m", because: "a part of zero is left out" },
    { of: 3 * minute + 12 * second, is: "3m12s", because: "below ten minutes seconds are shown" },
    { of: 10 * minute - 1, is: "9m59s", because: "it is still below ten minutes" },
    { of: 10 * minute, is: "10m", because: "from ten minutes on only minutes are shown" },
    { of: 27 * minute + 59 * second, is: "27m", because: "it is cut, never rounded" },
    { of: 3 * hour - 1, is: "179m", because: "it is still below three hours" },
    { of: 3 * hour, is: "3h", because: "a part of zero is left out" },
    { of: 3 * hour + 5 * minute, is: "3h5m", because: "below eight hours minutes are shown" },
    { of: 8 * hour - 1, is: "7h59m", because: "it is still below eight hours" },
    { of: 8 * hour + 59 * minute, is: "8h", because: "from eight hours on only hours are shown" },
    { of: 48 * hour - 1, is: "47h", because: "it is still below two days" },
    { of: 48 * hour, is: "2d", because: "a part of zero is left out" },
    { of: 5 * day + 2 * hour, is: "5d2h", because: "below eight days hours are shown" },
    { of: 8 * day - 1, is: "7d23h", because: "it is still below eight days" },
    { of: 8 * day, is: "8d", because: "from eight days on only days are shown" },
    { of: 2 * year - 1, is: "729d", because: "it is still below two years" },
    { of: 2 * year, is: "2y", because: "a part of zero is left out" },
    { of: 2 * year + 7 * day, is: "2y7d", because: "below eight years days are shown" },
    { of: 8 * year - 1, is: "7y364d", because: "it is still below eight years" },
    { of: 8 * year + 300 * day, is: "8y", because: "from eight years on only years are shown" },
    { of: -1 * second, is: "0s", because: "clocks of two machines differ a little" },
    { of: -1, is: "0s", because: "clocks of two machines differ a little" },
    { of: -2 * second, is: "<invalid>", because: "that much is no difference of clocks" },
  ])("prints $of ms as $is: $because", ({ of, is }) => {
    expect(humanDuration(of)).toBe(is);
  });
});

describe("parseDuration", () => {
  it.each([
    { text: "500ms", is: 500 },
    { text: "30s", is: 30 * second },
    { text: "1.5m", is: 90 * second },
    { text: "2h", is: 2 * hour },
    { text: "3d", is: 3 * day },
  ])("takes $text", ({ text, is }) => {
    expect(parseDuration("since", text)).toBe(is);
  });

  it.each(["", "0s", "0.1ms", "-1s", "1", "s", "1 h", "1w", "1h30m", "1e9s", ".5s", "yesterday"])(
    'refuses "%s", naming the flag',
    (text) => {
      expect(() => parseDuration("since", text)).toThrow(
        `--since must be a time such as 30s or 2h, not "${text}"`,
      );
    },
  );
});
