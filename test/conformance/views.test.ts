/** Every case that istioctl's own tests hold of its views, through the command. Cases: istio/istio, istioctl/pkg. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { corpus, everythingIsRequired } from "../support/builders.js";
import { cli } from "../support/cli.js";
import { expectSuperset } from "../support/golden.js";

const folder = join(corpus, "istioctl");
const config = "writer/envoy/configdump/testdata";
const clusters16 = "release-1.6/writer/envoy/clusters/testdata";
const config16 = "release-1.6/writer/envoy/configdump/testdata";
const ztunnel = "writer/ztunnel/configdump/testdata";
const policy = "outbound|15014||istio-policy.istio-system.svc.cluster.local";

interface Case {
  readonly number: number;
  readonly input: string;
  readonly args: readonly string[];
  readonly golden: string;
  readonly form?: "json" | "yaml";
}

const era = ["--istioctl-version", "1.6"];

const cases: readonly Case[] = [
  {
    number: 1,
    input: "proxyconfig/testdata/config_dump.json",
    args: ["pc", "all"],
    golden: "proxyconfig/testdata/config_dump_summary.txt",
  },
  {
    number: 2,
    input: "proxyconfig/testdata/config_dump.json",
    args: ["pc", "all", "--with-headers"],
    golden: "proxyconfig/testdata/config_dump_summary_withheaders.txt",
  },
  {
    number: 3,
    input: `${config}/configdump.json`,
    args: ["pc", "bootstrap", "-o", "json"],
    golden: `${config}/bootstrapdump.json`,
    form: "json",
  },
  {
    number: 4,
    input: `${config}/configdump.json`,
    args: ["pc", "bootstrap", "-o", "short"],
    golden: `${config}/versionsummary.txt`,
  },
  {
    number: 5,
    input: `${config}/ecds/configdump.json`,
    args: ["pc", "ecds"],
    golden: `${config}/ecds/output.txt`,
  },
  {
    number: 6,
    input: `${config}/ecds/configdump.json`,
    args: ["pc", "ecds", "-o", "yaml"],
    golden: `${config}/ecds/output.yaml`,
    form: "yaml",
  },
  {
    number: 7,
    input: `${config}/ecds/configdump.json`,
    args: ["pc", "ecds", "-o", "json"],
    golden: `${config}/ecds/output.json`,
    form: "json",
  },
  {
    number: 8,
    input: `${config}/endpoint/configdump.json`,
    args: ["pc", "eds"],
    golden: `${config}/endpoint/emptyfilter_output.txt`,
  },
  {
    number: 9,
    input: `${config}/endpoint/configdump.json`,
    args: ["pc", "eds", "-o", "json"],
    golden: `${config}/endpoint/emptyfilter_output.json`,
    form: "json",
  },
  {
    number: 10,
    input: `${config}/endpoint/configdump.json`,
    args: ["pc", "eds", "-o", "yaml"],
    golden: `${config}/endpoint/emptyfilter_output.yaml`,
    form: "yaml",
  },
  {
    number: 11,
    input: `${config}/routes/empty-gateway/configdump.json`,
    args: ["pc", "route"],
    golden: `${config}/routes/empty-gateway/output.txt`,
  },
  {
    number: 12,
    input: `${config}/routes/k8s-gateway-http-route-path-prefix/configdump.json`,
    args: ["pc", "route"],
    golden: `${config}/routes/k8s-gateway-http-route-path-prefix/output.txt`,
  },
  {
    number: 13,
    input: `${config}/secret/istio/config_dump.json`,
    args: ["pc", "secret", "--at", "2025-04-11T15:00:00Z"],
    golden: `${config}/secret/istio/output`,
  },
  {
    number: 14,
    input: `${clusters16}/clusters.json`,
    args: ["pc", "endpoint", ...era],
    golden: `${clusters16}/clustersummary.txt`,
  },
  {
    number: 15,
    input: `${clusters16}/clusters.json`,
    args: ["pc", "endpoint", "--cluster", policy, ...era],
    golden: `${clusters16}/clustersummaryfiltered.txt`,
  },
  {
    number: 16,
    input: `${clusters16}/clusters.json`,
    args: ["pc", "endpoint", "--address", "172.17.0.14", ...era],
    golden: `${clusters16}/clustersummaryfiltered.txt`,
  },
  {
    number: 17,
    input: `${clusters16}/clusters.json`,
    args: ["pc", "endpoint", "--port", "15014", ...era],
    golden: `${clusters16}/clustersummaryfiltered.txt`,
  },
  {
    number: 18,
    input: `${clusters16}/clusters.json`,
    args: ["pc", "endpoint", "-o", "json", ...era],
    golden: `${clusters16}/clustersnofiltered.txt`,
    form: "json",
  },
  {
    number: 19,
    input: `${clusters16}/clusters.json`,
    args: ["pc", "endpoint", "-o", "json", "--cluster", policy, ...era],
    golden: `${clusters16}/clusterfiltered.txt`,
    form: "json",
  },
  {
    number: 20,
    input: `${clusters16}/clusters.json`,
    args: ["pc", "endpoint", "-o", "json", "--address", "172.17.0.14", ...era],
    golden: `${clusters16}/clusterfiltered.txt`,
    form: "json",
  },
  {
    number: 21,
    input: `${clusters16}/clusters.json`,
    args: ["pc", "endpoint", "-o", "json", "--port", "15014", ...era],
    golden: `${clusters16}/clusterfiltered.txt`,
    form: "json",
  },
  {
    number: 22,
    input: `${config16}/configdump.json`,
    args: ["pc", "cluster", ...era],
    golden: `${config16}/clustersummary.txt`,
  },
  {
    number: 23,
    input: `${config16}/configdump.json`,
    args: ["pc", "cluster", "--fqdn", "istio-policy.istio-system.svc.cluster.local", ...era],
    golden: `${config16}/clustersummaryfiltered.txt`,
  },
  {
    number: 24,
    input: `${config16}/configdump.json`,
    args: ["pc", "cluster", "--port", "15004", ...era],
    golden: `${config16}/clustersummaryfiltered.txt`,
  },
  {
    number: 25,
    input: `${config16}/configdump.json`,
    args: ["pc", "cluster", "-o", "json", ...era],
    golden: `${config16}/clusterdump.json`,
    form: "json",
  },
  {
    number: 26,
    input: `${config16}/configdump.json`,
    args: ["pc", "listener", "--verbose=false", ...era],
    golden: `${config16}/listenersummary.txt`,
  },
  {
    number: 27,
    input: `${config16}/configdump.json`,
    args: ["pc", "listener", "--verbose=false", "--address", "172.21.134.116", ...era],
    golden: `${config16}/listenersummaryfiltered.txt`,
  },
  {
    number: 28,
    input: `${config16}/configdump.json`,
    args: ["pc", "listener", "--verbose=false", "--port", "443", ...era],
    golden: `${config16}/listenersummaryfiltered.txt`,
  },
  {
    number: 29,
    input: `${config16}/configdump.json`,
    args: ["pc", "listener", "-o", "json", ...era],
    golden: `${config16}/listenerdump.json`,
    form: "json",
  },
  {
    number: 30,
    input: `${config16}/configdump.json`,
    args: ["pc", "route", "--verbose=false", ...era],
    golden: `${config16}/routesummary.txt`,
  },
  {
    number: 31,
    input: `${config16}/configdump.json`,
    args: ["pc", "route", "-o", "json", ...era],
    golden: `${config16}/routedump.json`,
    form: "json",
  },
  {
    number: 32,
    input: "release-1.17/writer/envoy/configdump/testdata/secret/config_dump.json",
    args: ["pc", "secret", "--istioctl-version", "1.17", "--at", "2023-05-17T00:00:00Z"],
    golden: "release-1.17/writer/envoy/configdump/testdata/secret/output",
  },
  {
    number: 51,
    input: `${ztunnel}/dump.json`,
    args: ["zc", "certificate", "--at", "2024-01-01T00:00:00Z"],
    golden: `${ztunnel}/secretsummary.txt`,
  },
  {
    number: 52,
    input: `${ztunnel}/dump.json`,
    args: ["zc", "workload"],
    golden: `${ztunnel}/workloadsummary.txt`,
  },
  {
    number: 53,
    input: `${ztunnel}/dump.json`,
    args: ["zc", "workload", "--workload", "productpage-v1-675fc69cf-jscn2.bookinfo"],
    golden: `${ztunnel}/workloadsummary_workload.txt`,
  },
  { number: 54, input: `${ztunnel}/dump.json`, args: ["zc", "policy"], golden: `${ztunnel}/policies.txt` },
  {
    number: 55,
    input: `${ztunnel}/dump.json`,
    args: ["zc", "connections"],
    golden: `${ztunnel}/connectionsummary.txt`,
  },
  {
    number: 56,
    input: `${ztunnel}/dump.json`,
    args: ["zc", "connections", "-o", "json"],
    golden: `${ztunnel}/connectionsdump.json`,
    form: "json",
  },
  {
    number: 57,
    input: `${ztunnel}/dump.json`,
    args: ["zc", "all", "--at", "2024-01-01T00:00:00Z"],
    golden: `${ztunnel}/allsummary.txt`,
  },
];

const inline = {
  number: 58,
  text: [
    "ACTION   AuthorizationPolicy         RULES",
    "ALLOW    _anonymous_match_nothing_   1",
    "ALLOW    httpbin.default             1",
    "CUSTOM   ext-authz.default           1",
  ],
};

/** Upstream compares after trimming the whole texts; blanks at line ends are the tab writer's. */
const plain = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
    .trim();

describe.skipIf(!existsSync(folder) && !everythingIsRequired)("istioctl's own cases of its views", () => {
  let ran = 0;

  it.each(cases)("case $number: $args", async ({ input, args, golden, form }) => {
    const answer = await cli([...args, "-f", join(folder, input)]);
    expect(answer.stderr).not.toContain("    at ");
    expect(answer.code, answer.stderr).toBe(0);
    const wanted = readFileSync(join(folder, golden), "utf8");
    if (form === "json") expectSuperset(JSON.parse(answer.stdout), JSON.parse(wanted));
    else if (form === "yaml") expectSuperset(parse(answer.stdout), parse(wanted));
    else expect(plain(answer.stdout)).toBe(plain(wanted));
    ran++;
  });

  it(`case ${inline.number}: authz`, async () => {
    const { stdout } = await cli(["authz", "-f", join(folder, "authz/testdata/configdump.yaml")]);
    expect(plain(stdout)).toBe(inline.text.join("\n"));
    ran++;
  });

  afterAll(() => {
    if (ran > 0)
      console.info(
        `${ran} of istioctl's ${cases.length + 1} cases of proxy-config, ztunnel-config and authz conform`,
      );
  });
});
