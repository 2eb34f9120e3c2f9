import { validator } from "../../shared/validator.js";
import type { ServerInfo } from "../model.js";
import { parseNode } from "./node.js";

interface RawServerInfo {
  readonly version?: string;
  readonly state?: string;
  readonly uptime_current_epoch?: string;
  readonly uptimeCurrentEpoch?: string;
  readonly node?: unknown;
}
const validate = validator<RawServerInfo>("serverInfo");

/**
 * `/server_info` (envoy/admin/v3/server_info.proto).
 * @throws BundleFormatError naming the field
 */
export function parseServerInfo(json: unknown, entry: string): ServerInfo {
  const raw = validate(json, entry);
  const uptime = /^(\d+(?:\.\d+)?)s$/.exec(raw.uptime_current_epoch ?? raw.uptimeCurrentEpoch ?? "");
  return {
    version: raw.version ?? "",
    parts: parseVersion(raw.version ?? ""),
    state: raw.state ?? "LIVE",
    uptimeSeconds: uptime === null ? null : Number(uptime[1]),
    node: raw.node === undefined ? null : parseNode(raw.node, { entry, pointer: "/node" }),
    origin: { entry, pointer: "" },
  };
}

/** `<sha>/<version>/<Clean|Modified|...>/<RELEASE|DEBUG>/<ssl library>`; the last part is missing in old ones. */
function parseVersion(version: string): ServerInfo["parts"] {
  const [revision, release, revisionStatus, buildType, ssl] = version.split("/");
  if (
    revision === undefined ||
    release === undefined ||
    revisionStatus === undefined ||
    buildType === undefined
  )
    return null;
  return { revision, version: release, revisionStatus, buildType, ssl: ssl ?? null };
}
