import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { endpoint, failure, type HopInput, type Leaf, type Onward } from "../../src/trace/leaf.js";
import { likeliestWays, noWay, throughProxy, type OpenWay, type Way } from "../../src/trace/path.js";
import type { Hop } from "../../src/trace/result.js";

/** What a proxy may do: weights of hosts behind which another proxy is, or the end. */
type Tree = readonly { readonly weight: number; readonly behind: Tree | null }[];

// of these no more is read than what stands here
const input = {} as HopInput;
const hop = { requestHeaders: [] } as unknown as Hop;
const onwardTo = (share: number | null, behind: Tree | null): Onward =>
  ({ share, isHttp: true, sent: { request: null }, host: { transport: { tls: null } }, behind }) as never;

const total = (tree: Tree): number => tree.reduce((sum, { weight }) => sum + weight, 0);
const leafOfTree = (tree: Tree): Leaf => ({
  share: 1,
  hop,
  outcome: null,
  closing: null,
  assumptions: [],
  unknowns: [],
  onward: tree.map(({ weight, behind }) => onwardTo(weight / total(tree), behind)),
});
const behindOf = ({ next }: OpenWay): Tree | null =>
  next.kind === "host" ? (next.onward as unknown as { behind: Tree | null }).behind : null;

function follow(way: OpenWay): readonly OpenWay[] {
  const behind = behindOf(way);
  return behind === null
    ? [{ ...way, next: { kind: "end", outcome: endpoint, closing: null } }]
    : throughProxy(way, leafOfTree(behind), input, "every host");
}
const waysOf = (tree: Tree, most: number): Way[] =>
  likeliestWays(throughProxy(noWay, leafOfTree(tree), input, "every host"), follow, most);

const sharesOf = (tree: Tree, share = 1): number[] =>
  tree.flatMap(({ weight, behind }) => {
    const own = (share * weight) / total(tree);
    return behind === null ? [own] : sharesOf(behind, own);
  });
const { tree: trees } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.array(
    fc.record({
      weight: fc.integer({ min: 1, max: 100 }),
      behind: fc.option(tie("tree"), { depthSize: "small", maxDepth: 3, nil: null }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
}));
const sum = (shares: readonly (number | null)[]): number =>
  shares.reduce<number>((all, share) => all + (share ?? Number.NaN), 0);

describe("the ways of a request", () => {
  it("have shares that add up to all of it, the largest first", () => {
    fc.assert(
      fc.property(trees, fc.integer({ min: 2, max: 40 }), (tree, most) => {
        const ways = waysOf(tree, most);
        const expected = sharesOf(tree).sort((a, b) => b - a);
        expect(sum(ways.map(({ share }) => share))).toBeCloseTo(1, 9);
        expect(ways.length).toBe(Math.min(expected.length, most + 1));
        for (const [index, { share }] of ways.slice(0, most).entries())
          expect(share).toBeCloseTo(expected[index] ?? Number.NaN, 9);
      }),
      { numRuns: 300 },
    );
  });

  it("the likeliest one alone is the first of all of them", () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const [best, ...others] = waysOf(tree, 1);
        expect(others).toEqual([]);
        expect(best?.share).toBeCloseTo(Math.max(...sharesOf(tree)), 9);
        expect(best?.outcome.kind).toBe("endpoint");
      }),
      { numRuns: 300 },
    );
  });

  it("are not followed without an end, and what is left is said", () => {
    const loop: { weight: number; behind: Tree | null }[] = [];
    for (const weight of [1, 1]) loop.push({ weight, behind: loop });
    let followed = 0;
    const counted = (way: OpenWay): readonly OpenWay[] => {
      followed++;
      return follow(way);
    };
    const ways = likeliestWays(throughProxy(noWay, leafOfTree(loop), input, "every host"), counted, 256);
    expect(followed).toBe(256);
    expect(ways).toHaveLength(1);
    expect(ways[0]).toMatchObject({
      share: 1,
      outcome: { kind: "unknown" },
      unknowns: [{ reason: "limit", message: "More than 256 branches are not followed." }],
    });
  });

  it("of a list without measure are not all looked at", () => {
    const wide: Tree = Array.from({ length: 3000 }, () => ({ weight: 1, behind: null }));
    const wider: Tree = Array.from({ length: 100 }, () => ({ weight: 1, behind: wide }));
    let followed = 0;
    const counted = (way: OpenWay): readonly OpenWay[] => {
      followed++;
      return follow(way);
    };
    const ways = likeliestWays(throughProxy(noWay, leafOfTree(wider), input, "every host"), counted, 256);
    expect(followed).toBeLessThan(10);
    expect(sum(ways.map(({ share }) => share))).toBeCloseTo(1, 9);
  });

  it("where one share cannot be told, neither can that of what is left", () => {
    const first: OpenWay = { ...noWay, share: 0.5 };
    const ways = likeliestWays([first, { ...first, share: null }, { ...first, share: 0.25 }], follow, 2);
    expect(ways.map(({ share }) => share)).toEqual([0.5, 0.25, null]);
  });
});

describe("the likeliest host", () => {
  const tree: Tree = [
    { weight: 1, behind: null },
    { weight: 3, behind: null },
  ];

  it("stands for all of its cluster", () => {
    const [way, ...others] = throughProxy(
      noWay,
      { ...leafOfTree(tree), share: 0.4 },
      input,
      "likeliest host",
    );
    expect(others).toEqual([]);
    expect(way).toMatchObject({ share: 0.4, next: { onward: { share: 0.75 } } });
  });

  it("is none where the proxy answers itself", () => {
    const outcome = failure(404, ["NR"], "route_not_found");
    const [way] = throughProxy(noWay, { ...leafOfTree([]), outcome }, input, "likeliest host");
    expect(way?.next).toEqual({ kind: "end", outcome, closing: null });
  });
});

describe("a connection that the next proxy ends is for the one that opened it", () => {
  const closed = failure(null, ["NR"], "filter_chain_not_found");
  const through = (isHttp: boolean, tls: object | null): Onward =>
    ({ share: 1, isHttp, host: { transport: { tls } } }) as never;
  const end = (closing: "refused" | "at once" | "later", ...sent: readonly Onward[]): unknown => {
    const way: OpenWay = { ...noWay, sent, next: { kind: "end", outcome: closed, closing } };
    const [{ outcome } = { outcome: null }] = likeliestWays([way], follow, 1);
    return outcome;
  };
  const answered = (flag: "UF" | "UC"): unknown =>
    failure(503, [flag], "upstream_reset_before_response_started");
  const tls = {};

  it.each([
    ["refused", null, "UF"],
    ["refused", tls, "UF"],
    ["at once", null, "UC"],
    ["at once", tls, "UF"],
    ["later", null, "UC"],
    ["later", tls, "UC"],
  ] as const)("HTTP, %s, %j: 503 %s", (closing, upstreamTls, flag) => {
    expect(end(closing, through(true, upstreamTls))).toEqual(answered(flag));
  });

  it("bytes: no connection is UF, one that ends is what it was", () => {
    expect(end("refused", through(false, null))).toEqual(failure(null, ["UF"], ""));
    expect(end("at once", through(false, tls))).toEqual(failure(null, ["UF"], ""));
    expect(end("later", through(false, tls))).toEqual(closed);
    expect(end("at once", through(false, null))).toEqual(closed);
  });

  it("bytes on behalf of HTTP: the proxy with the request answers", () => {
    expect(end("later", through(true, tls), through(false, null))).toEqual(answered("UC"));
    expect(end("refused", through(true, tls), through(false, null))).toEqual(answered("UF"));
  });

  it("nothing where it was an answer", () => {
    const reply = failure(403, [], "rbac_access_denied_matched_policy[none]");
    const way: OpenWay = {
      ...noWay,
      sent: [through(true, tls)],
      next: { kind: "end", outcome: reply, closing: null },
    };
    expect(likeliestWays([way], follow, 1)[0]?.outcome).toEqual(reply);
  });
});
