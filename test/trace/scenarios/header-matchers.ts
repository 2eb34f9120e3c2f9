/** Section 6.3 of the facts: header matchers in all their forms. */
import { route } from "../../support/judge/messages.js";
import { httpScenario, to, type CasePair, type Scenario } from "../../support/judge/scenario.js";
import type { HeaderList } from "../../../src/trace/request.js";
import type { JsonObject } from "../../support/mesh/json.js";

type Row = readonly [headers: HeaderList, isMatch: boolean];

const absent: HeaderList = [];
const x = (...values: readonly string[]): HeaderList => values.map((value) => ["x", value] as const);

/** A route that needs the header, and one for the rest. */
const headerScenario = (name: string, facts: string, matcher: JsonObject, rows: readonly Row[]): Scenario =>
  httpScenario(`header: ${name}`, facts, {
    routes: [route("match", { headers: [{ name: "x", ...matcher }] }), route("rest")],
    cases: rows.map(([headers, isMatch]): CasePair => [{ headers }, to(isMatch ? "match" : "rest")]),
  });

const exact = (value: string): JsonObject => ({ string_match: { exact: value } });

export const headerScenarios: readonly Scenario[] = [
  headerScenario("exact", "6.3", exact("v"), [
    [x("v"), true],
    [x("V"), false],
    [x("vv"), false],
    [absent, false],
    [x(""), false],
    [[["X", "v"]], true],
  ]),
  headerScenario("exact, any case", "6.3", { string_match: { exact: "Val", ignore_case: true } }, [
    [x("vAL"), true],
    [x("va"), false],
  ]),
  headerScenario("exact, inverted", "6.3; 12 #34", { ...exact("v"), invert_match: true }, [
    [absent, false],
    [x("w"), true],
    [x("v"), false],
    [x(""), true],
  ]),
  headerScenario(
    "exact, inverted, missing is empty",
    "6.3; 12 #35",
    { ...exact("v"), invert_match: true, treat_missing_header_as_empty: true },
    [
      [absent, true],
      [x("v"), false],
      [x("w"), true],
    ],
  ),
  headerScenario(
    "exact empty, missing is empty",
    "6.3",
    { ...exact(""), treat_missing_header_as_empty: true },
    [
      [absent, true],
      [x(""), true],
      [x("v"), false],
    ],
  ),
  headerScenario("exact empty", "6.3", exact(""), [
    [absent, false],
    [x(""), true],
    [x("v"), false],
  ]),
  headerScenario("present", "6.3", { present_match: true }, [
    [x("v"), true],
    [x(""), true],
    [absent, false],
  ]),
  headerScenario("absent", "6.3; 12 #36", { present_match: false }, [
    [absent, true],
    [x("v"), false],
  ]),
  headerScenario("present, inverted", "6.3", { present_match: true, invert_match: true }, [
    [x("v"), false],
    [absent, true],
  ]),
  headerScenario("absent, inverted", "6.3", { present_match: false, invert_match: true }, [
    [x("v"), true],
    [absent, false],
  ]),
  headerScenario(
    "present, missing is empty",
    "6.3",
    { present_match: true, treat_missing_header_as_empty: true },
    [
      [x("v"), true],
      [absent, true],
    ],
  ),
  headerScenario(
    "absent, missing is empty",
    "6.3",
    { present_match: false, treat_missing_header_as_empty: true },
    [
      [x("v"), false],
      [absent, false],
    ],
  ),
  headerScenario("no condition", "6.3", {}, [
    [x("v"), true],
    [absent, false],
  ]),
  headerScenario("two lines", "6.3; 12 #37", exact("a,b"), [
    [x("a", "b"), true],
    [x("a,b"), true],
    [x("b", "a"), false],
    [x("a, b"), false],
  ]),
  headerScenario("two empty lines", "6.3", exact(","), [
    [x("", ""), true],
    [x(""), false],
  ]),
  headerScenario("deprecated exact_match", "6.3", { exact_match: "v" }, [
    [x("v"), true],
    [x("w"), false],
  ]),
  headerScenario("deprecated exact_match, empty", "6.3; 12 #38", { exact_match: "" }, [
    [x("anything"), true],
    [absent, false],
  ]),
  headerScenario("deprecated prefix_match", "6.3", { prefix_match: "ab" }, [
    [x("abc"), true],
    [x("xab"), false],
  ]),
  headerScenario("deprecated suffix_match", "6.3", { suffix_match: "bc" }, [
    [x("abc"), true],
    [x("bcx"), false],
  ]),
  headerScenario("deprecated contains_match", "6.3", { contains_match: "b" }, [
    [x("abc"), true],
    [x("ac"), false],
  ]),
  headerScenario("deprecated safe_regex_match", "6.3", { safe_regex_match: { regex: "a.c" } }, [
    [x("abc"), true],
    [x("abcd"), false],
  ]),
  headerScenario("range", "6.3; 12 #39", { range_match: { start: -10, end: 0 } }, [
    [x("-1"), true],
    [x("-10"), true],
    [x("-11"), false],
    [x("0"), false],
    [x("10something"), false],
    [x("-1.5"), false],
    [absent, false],
    [x(""), false],
  ]),
  headerScenario("range, inverted", "6.3", { range_match: { start: 1, end: 3 }, invert_match: true }, [
    [x("5"), true],
    [x("2"), false],
    [x("no number"), true],
    [absent, false],
  ]),
  headerScenario("prefix", "6.3", { string_match: { prefix: "ab" } }, [
    [x("ab"), true],
    [x("AB"), false],
    [x("a"), false],
  ]),
  headerScenario("suffix, any case", "6.3", { string_match: { suffix: "BC", ignore_case: true } }, [
    [x("abc"), true],
    [x("abd"), false],
  ]),
  headerScenario("contains, any case", "6.3", { string_match: { contains: "BcD", ignore_case: true } }, [
    [x("aBCde"), true],
    [x("abc"), false],
  ]),
  headerScenario("regular expression", "6.3, 6.6", { string_match: { safe_regex: { regex: "a+" } } }, [
    [x("aaa"), true],
    [x("aab"), false],
    [x("a", "a"), false],
  ]),
  httpScenario("header: :path has the query", "6.3; 12 #33", {
    routes: [
      route("path", { prefix: "/api", headers: [{ name: ":path", ...exact("/api") }] }),
      route("rest"),
    ],
    cases: [
      [{ path: "/api?x=1" }, to("rest")],
      [{ path: "/api" }, to("path")],
    ],
  }),
  httpScenario("header: pseudo headers", "6.3", {
    routes: [
      route("method", { headers: [{ name: ":method", ...exact("POST") }] }),
      route("authority", { headers: [{ name: ":authority", ...exact("a.com:81") }] }),
      route("scheme", { headers: [{ name: ":scheme", ...exact("https") }] }),
      route("rest"),
    ],
    cases: [
      [{ method: "POST" }, to("method")],
      [{ authority: "a.com:81" }, to("authority")],
      [{ headers: [["x-forwarded-proto", "https"]] }, to("scheme")],
      [{ authority: "a.com" }, to("rest")],
    ],
  }),
  httpScenario("header: host is :authority", "4.5; 12 traps", {
    routes: [route("host", { headers: [{ name: "host", ...exact("a.com") }] }), route("rest")],
    cases: [
      [{ authority: "a.com" }, to("host")],
      [{ protocol: "h2", authority: "a.com" }, to("host")],
      [{ authority: "b.com" }, to("rest")],
    ],
  }),
  httpScenario("header: all of them", "6", {
    routes: [
      route("both", {
        headers: [
          { name: "a", ...exact("1") },
          { name: "b", present_match: true },
        ],
      }),
      route("rest"),
    ],
    cases: [
      [
        {
          headers: [
            ["a", "1"],
            ["b", ""],
          ],
        },
        to("both"),
      ],
      [{ headers: [["a", "1"]] }, to("rest")],
      [{ headers: [["b", "1"]] }, to("rest")],
    ],
  }),
  httpScenario("header: a cookie is one header", "6.3", {
    routes: [
      route("cookie", { headers: [{ name: "cookie", string_match: { contains: "user=jason" } }] }),
      route("rest"),
    ],
    cases: [
      [{ headers: [["cookie", "a=b; user=jason"]] }, to("cookie")],
      [
        {
          headers: [
            ["cookie", "a=b"],
            ["cookie", "user=jason"],
          ],
        },
        to("cookie"),
      ],
      [{ headers: [["cookie", "a=b"]] }, to("rest")],
    ],
  }),
];
