/**
 * `istioctl proxy-config bootstrap`.
 * Source: istio/istio, istioctl/pkg/writer/envoy/configdump/configdump.go.
 */
import { child, field, number, text, type Message } from "../snapshot/message.js";
import type { Origin } from "../snapshot/model.js";
import { withJsonNames } from "../snapshot/parse/recase.js";
import { inside } from "./clusters.js";
import type { View, ViewOptions } from "./view.js";

export interface BootstrapOptions extends ViewOptions {
  /** Where the bootstrap stands. */
  readonly origin?: Origin;
}

/** The short form is lines without a header. */
export function bootstrapView(
  bootstrap: Message,
  lastUpdated: string | null,
  { origin = { entry: "", pointer: "" } }: BootstrapOptions,
): View {
  const metadata = child(bootstrap, "node", "metadata");
  const sha = text(metadata, "ISTIO_PROXY_SHA");
  const lines = [
    ["Istio Version:", text(metadata, "ISTIO_VERSION"), "/node/metadata/ISTIO_VERSION"],
    ["Istio Proxy Version:", sha.split(":")[1] ?? sha, "/node/metadata/ISTIO_PROXY_SHA"],
    [
      "Envoy Version:",
      envoyVersion(child(bootstrap, "node", "user_agent_build_version")),
      "/node/user_agent_build_version",
    ],
  ].filter(([, value]) => value !== "");
  return {
    header: [],
    rows: lines.map((line) => line.slice(0, 2)),
    origins: lines.map(([, , way = ""]) => inside(origin, way)),
    padding: 1,
    json: {
      bootstrap: withJsonNames(bootstrap, "envoy.config.bootstrap.v3.Bootstrap"),
      ...(lastUpdated === null ? {} : { lastUpdated }),
    },
    note: "",
  };
}

/** `envoy.config.core.v3.BuildVersion` on one line; what is not said counts as 0. */
function envoyVersion(build: Message | undefined): string {
  const version = child(build, "version");
  const metadata = child(build, "metadata");
  const numbers = ["major_number", "minor_number", "patch"].map((name) => number(version, name) ?? 0);
  const extras = [
    ["-", "build.label"],
    ["/", "revision.status"],
    ["/", "build.type"],
    ["/", "ssl.version"],
  ] as const;
  return (
    numbers.join(".") +
    extras
      .filter(([, key]) => field(metadata, key) !== undefined)
      .map(([mark, key]) => mark + text(metadata, key))
      .join("")
  );
}
