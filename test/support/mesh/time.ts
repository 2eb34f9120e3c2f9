/** Times are milliseconds since 1970, all of them counted from the mesh's fixed epoch; no clock is read. */

export const seconds = (count: number): number => count * 1000;
export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;
export const days = (count: number): number => count * 86_400_000;

/** RFC 3339 with milliseconds, as Envoy prints timestamps. */
export const rfc3339 = (time: number): string => new Date(time).toISOString();

/** RFC 3339 in whole seconds, as Kubernetes and Istiod's push versions print them. */
export const rfc3339Seconds = (time: number): string => rfc3339(time).replace(/\.\d+Z$/, "Z");
