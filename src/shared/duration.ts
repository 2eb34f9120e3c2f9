const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/**
 * A duration in milliseconds as Kubernetes' HumanDuration prints it: `45s`, `3m12s`, `27m`, `3h5m`, `30h`, `5d2h`, `90d`.
 * Istio's proxy-status uses it for ages (k8s.io/apimachinery, pkg/util/duration).
 */
export function humanDuration(milliseconds: number): string {
  const whole = (unit: number): number => Math.floor(milliseconds / unit);
  const pair = (unit: number, name: string, part: number, partName: string): string => {
    const rest = Math.floor((milliseconds % unit) / part);
    return rest === 0 ? `${whole(unit)}${name}` : `${whole(unit)}${name}${rest}${partName}`;
  };
  if (milliseconds <= -2 * second) return "<invalid>";
  if (milliseconds < 0) return "0s";
  if (milliseconds < 2 * minute) return `${whole(second)}s`;
  if (milliseconds < 10 * minute) return pair(minute, "m", second, "s");
  if (milliseconds < 3 * hour) return `${whole(minute)}m`;
  if (milliseconds < 8 * hour) return pair(hour, "h", minute, "m");
  if (milliseconds < 2 * day) return `${whole(hour)}h`;
  if (milliseconds < 8 * day) return pair(day, "d", hour, "h");
  if (milliseconds < 2 * year) return `${whole(day)}d`;
  if (milliseconds < 8 * year) return pair(year, "y", day, "d");
  return `${whole(year)}y`;
}
