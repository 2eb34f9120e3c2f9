import type { CommandModule } from "yargs";

import { withSnapshot } from "../../snapshot-options.js";
import type { TraceArgs } from "./run.js";

const forms = ["table", "short", "json", "yaml", "junit"] as const;
const requestGroup = "The request:";
const connectionGroup = "The connection:";

export const traceCommand: CommandModule<object, TraceArgs> = {
  command: "trace [url]",
  describe: "The path of one request through the proxies, and what comes of it",
  builder: (yargs) =>
    withSnapshot(
      yargs
        .positional("url", {
          type: "string",
          describe: "http://, https:// or tcp://host:port; its path is sent as it is",
        })
        .option("from", {
          type: "string",
          requiresArg: true,
          describe: "Where it begins: pod.namespace, deploy/<workload>, or a prefix",
        })
        .option("namespace", {
          alias: "n",
          type: "string",
          requiresArg: true,
          describe: "The namespace of that proxy",
        })
        .option("request", {
          alias: "X",
          type: "string",
          requiresArg: true,
          group: requestGroup,
          describe: "The method (default: GET)",
        })
        .option("header", {
          alias: "H",
          type: "string",
          array: true,
          nargs: 1,
          requiresArg: true,
          group: requestGroup,
          describe: "A header, 'name: value'; may be given again",
        })
        .option("random", {
          type: "string",
          requiresArg: true,
          group: requestGroup,
          describe: "The draw for weighted clusters and fractions, 0 to 2^64 - 1",
        })
        .option("all-branches", {
          type: "boolean",
          group: requestGroup,
          describe: "Follow every cluster and endpoint, not the most likely alone",
        })
        .option("direction", {
          choices: ["outbound", "inbound"] as const,
          requiresArg: true,
          group: connectionGroup,
          describe: "Sent by the proxy's pod, or coming to it (default: outbound)",
        })
        .option("original-dst", {
          type: "string",
          requiresArg: true,
          group: connectionGroup,
          describe: "Where the client connects to, ip:port (default: found by the host)",
        })
        .option("source-ip", {
          type: "string",
          requiresArg: true,
          group: connectionGroup,
          describe: "The client's address",
        })
        .option("tls", {
          type: "boolean",
          group: connectionGroup,
          describe: "The client speaks TLS (https:// does, too)",
        })
        .option("sni", {
          type: "string",
          requiresArg: true,
          group: connectionGroup,
          describe: "The server name that it sends (default: the host)",
        })
        .option("alpn", {
          type: "string",
          requiresArg: true,
          group: connectionGroup,
          describe: "The protocols that it offers, with commas between: h2,http/1.1",
        })
        .option("cases", {
          type: "string",
          requiresArg: true,
          describe: "Many requests with expectations: our YAML, or tests of Envoy's router check tool",
        })
        .option("all", {
          type: "boolean",
          describe: "Every route of every proxy (or of --from): those that cannot end well",
        })
        .option("output", {
          alias: "o",
          choices: forms,
          default: "table",
          requiresArg: true,
          describe: "Form of the answer; junit with --cases",
        })
        .example(
          "$0 trace --from productpage http://reviews:9080/reviews/0 -H 'end-user: jason' -f bundle.tar.gz",
          "hop by hop",
        )
        .example("$0 trace --cases cases.yaml -o junit -f bundle.tar.gz", "exit 1 if any case fails")
        .example("$0 trace --all -f bundle.tar.gz", "routes that cannot end well")
        .example("$0 trace --cases tests.json -f route-configuration.yaml", "router check tool")
        .epilogue(
          "Exit codes: 0 it reaches an endpoint, is redirected or answered by its route, or what comes of it cannot be known (a remark says why); 1 it fails, with --all-branches on any of its ways, a case fails, or with --all a route cannot end well; 2 not answered.",
        ),
    ),
  // the tracer is loaded when it is asked for: other commands do without it
  handler: async (args) => (await import("./run.js")).runTrace(args),
};
