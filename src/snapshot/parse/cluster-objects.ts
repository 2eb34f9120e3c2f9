import { validator } from "../../shared/validator.js";
import type { Pod, Service } from "../model.js";

interface RawPods {
  readonly pods: readonly {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly owner?: { readonly kind: string; readonly name: string };
    readonly ips?: readonly string[];
    readonly hostNetwork?: boolean;
    readonly proxyContainer?: boolean;
  }[];
}
interface RawServices {
  readonly services: readonly {
    readonly name: string;
    readonly namespace: string;
    readonly clusterIPs?: readonly string[];
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      readonly targetPort?: number | string;
    }[];
  }[];
}
const validatePods = validator<RawPods>("pods");
const validateServices = validator<RawServices>("services");

/** `cluster/pods.json` of a bundle. @throws BundleFormatError naming the field */
export function parsePods(json: unknown, entry: string): Pod[] {
  return validatePods(json, entry).pods.map((raw, index) => ({
    name: raw.name,
    namespace: raw.namespace,
    labels: raw.labels ?? {},
    owner: raw.owner === undefined ? "" : `${raw.owner.kind}/${raw.owner.name}`,
    ips: raw.ips ?? [],
    hasProxy: raw.proxyContainer ?? false,
    hostNetwork: raw.hostNetwork ?? false,
    origin: { entry, pointer: `/pods/${index}` },
  }));
}

/** `cluster/services.json` of a bundle. @throws BundleFormatError naming the field */
export function parseServices(json: unknown, entry: string): Service[] {
  return validateServices(json, entry).services.map((raw, index) => ({
    name: raw.name,
    namespace: raw.namespace,
    clusterIps: raw.clusterIPs ?? [],
    selector: raw.selector ?? {},
    ports: (raw.ports ?? []).map(({ name, port, targetPort }) => ({
      name: name ?? "",
      port,
      targetPort: String(targetPort ?? port),
    })),
    origin: { entry, pointer: `/services/${index}` },
  }));
}
