/**
 * Tables as `istioctl proxy-config` prints them, over one proxy of a snapshot, and what `-o json` prints of the same rows.
 * Sources: istio/istio, istioctl/pkg/writer/envoy/configdump and istioctl/pkg/proxyconfig.
 */
import type { Origin, ResourceState } from "../snapshot/model.js";

export interface View {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Where the object of each row stands; as many as rows. */
  readonly origins: readonly Origin[];
  /** Blanks behind each column: 5, 3 or 1, as istioctl has them for the kind. */
  readonly padding: number;
  /** What `-o json` and `-o yaml` print: JSON names (lowerCamelCase), istioctl's shape for the kind. */
  readonly json: unknown;
  /** A line that istioctl prints before the table in some releases; "" for none. */
  readonly note: string;
}

/** What every view is told beside its own filters. */
export interface ViewOptions {
  /** Minor version of istioctl whose table is wanted: 31 for 1.31, the newest that is known. */
  readonly istioctl: number;
  /** States to show; istioctl's own choice for the kind where it is left out. */
  readonly states?: readonly ResourceState[];
  /** Whether names carry their kind (`cluster/...`), as in `proxy-config all`. */
  readonly prefixed?: boolean;
}

/** The newest minor version of istioctl whose tables we print. */
export const newestIstioctl = 31;
