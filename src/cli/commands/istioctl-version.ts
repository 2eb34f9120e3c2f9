import { UserError } from "../../shared/errors.js";
import { printable } from "../../shared/printable.js";
import { newestIstioctl } from "../../views/view.js";

/**
 * The minor release of istioctl whose words and tables are asked for; the newest where none is.
 * @throws UserError for what is no version of istioctl
 */
export function istioctlOf(version: string | undefined): number {
  if (version === undefined) return newestIstioctl;
  const match = /^v?1\.(\d{1,3})(?:\.\S*)?$/.exec(version);
  if (match === null)
    throw new UserError(`--istioctl-version takes a version such as 1.17, not "${printable(version)}"`);
  return Number(match[1]);
}
