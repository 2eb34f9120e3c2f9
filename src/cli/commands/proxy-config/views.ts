/** What the kinds of `proxy-config` share: options, and printing over one proxy or all. */
import type { Argv, Options } from "yargs";

import { UserError } from "../../../shared/errors.js";
import { textTable } from "../../../shared/text-table.js";
import type { Collected, Proxy, ResourceState } from "../../../snapshot/model.js";
import { istioctlOf } from "../istioctl-version.js";
import type { Landing } from "../../../views/landed.js";
import type { View, ViewOptions } from "../../../views/view.js";
import { document, outputForms, remark } from "../../output.js";
import { withSnapshot } from "../../snapshot-options.js";
import type { FlagName, KindArgs } from "./kinds.js";
import type { TargetArgs } from "./targets.js";

export interface ProxyConfigArgs extends TargetArgs, KindArgs {
  output?: string | undefined;
  istioctlVersion?: string | undefined;
  state?: ResourceState[] | undefined;
  origin?: string | undefined;
  raw?: boolean | undefined;
}

const flags: Readonly<Record<FlagName, Options>> = {
  fqdn: { type: "string", describe: "Only clusters whose name holds this text" },
  port: { type: "number", describe: "Only this port" },
  subset: { type: "string", describe: "Only clusters whose name holds this subset" },
  direction: { type: "string", describe: "Only this direction (inbound, outbound, inbound-vip)" },
  address: { type: "string", describe: "Only this address" },
  type: { type: "string", describe: "Only listeners of this type (HTTP, TCP, HTTP+TCP)" },
  name: { type: "string", describe: "Only the route configuration of this name" },
  cluster: { type: "string", describe: "Only endpoints of the cluster of this full name" },
  status: { type: "string", describe: "Only endpoints of this health (HEALTHY, UNHEALTHY, ...)" },
  verbose: {
    type: "boolean",
    default: true,
    describe: "Matches and destinations; --verbose=false for the short table",
  },
  waypoint: { type: "boolean", describe: "The table for waypoints" },
  wide: {
    type: "boolean",
    describe: "Join EDS and /clusters: health flags, priority, weight, locality, TLS mode, pod",
  },
};

/** The options that every kind of view has. */
export function withView<T>(yargs: Argv<T>, names: readonly FlagName[]): Argv<T & ProxyConfigArgs> {
  for (const name of names)
    yargs.option(name, { requiresArg: flags[name].type !== "boolean", ...flags[name] });
  return withSnapshot(
    yargs
      .positional("proxy", {
        type: "string",
        describe: "pod.namespace, deploy/<workload>, or a prefix; all proxies without it",
      })
      .option("namespace", {
        alias: "n",
        type: "string",
        requiresArg: true,
        describe: "The namespace of the proxy",
      })
      .option("output", {
        alias: "o",
        choices: outputForms,
        requiresArg: true,
        describe: "Form of the answer",
      })
      .option("istioctl-version", {
        type: "string",
        requiresArg: true,
        describe: "Whose table to print, e.g. 1.17 (default: the newest)",
      }),
  );
}

export function viewOptions(args: ProxyConfigArgs): ViewOptions {
  return {
    istioctl: istioctlOf(args.istioctlVersion),
    ...(args.state === undefined ? {} : { states: args.state }),
  };
}

/**
 * The views that can be had; what cannot is said on standard error.
 * @throws UserError when none can
 */
export function collect(
  proxies: readonly Proxy[],
  view: (proxy: Proxy) => Collected<View>,
): { proxy: Proxy; view: View }[] {
  const missing: string[] = [];
  const views = proxies.flatMap((proxy) => {
    const got = view(proxy);
    if (got.state === "present") return [{ proxy, view: got.value }];
    missing.push(`${proxy.id}: ${got.reason}`);
    return [];
  });
  if (views.length === 0) {
    const shown = missing.slice(0, 3).join("; ");
    throw new UserError(
      missing.length > 3 ? `${shown}; and ${missing.length - 3} more proxies like these` : shown,
    );
  }
  for (const line of missing) remark(line);
  return views;
}

/** Where an Istio resource landed, as it is printed; "" where it did not. */
export function landingList(found: readonly Landing[], form: "table" | "json" | "yaml"): string {
  if (form !== "table") return document(found, form);
  if (found.length === 0) {
    remark("no object of these proxies names that resource as its source");
    return "";
  }
  return textTable(
    ["PROXY", "KIND", "NAME", "OBJECT", "POINTER"],
    found.map(({ proxy, kind, resource, object, origin }) => [
      proxy,
      kind,
      resource,
      object === "" ? "-" : object,
      origin.pointer,
    ]),
    { padding: 3 },
  );
}
