import { UserError } from "./errors.js";

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

const units: Readonly<Record<string, number>> = { ms: 1, s: second, m: minute, h: hour, d: day };

/**
 * A time span as a user writes it: `500ms`, `30s`, `90m`, `2h`, `3d`.
 * @returns milliseconds
 * @throws UserError naming the flag
 */
export function parseDuration(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const milliseconds = Number(match?.[1] ?? 0) * (units[match?.[2] ?? ""] ?? 0);
  if (milliseconds >= 1) return milliseconds;
  throw new UserError(`--${flag} must be a time such as 30s or 2h, not "${text}"`);
}
