/** Durations in configurations and in headers of requests. */
import { field, isMessage, number, type Message } from "../../snapshot/message.js";

/** A protobuf Duration, `"0.250s"` or `{seconds, nanos}`, in whole milliseconds; undefined where it is absent. */
export function milliseconds(message: Message | undefined, name: string): number | undefined {
  const value = field(message, name);
  if (isMessage(value))
    return Math.trunc((number(value, "seconds") ?? 0) * 1000 + (number(value, "nanos") ?? 0) / 1e6);
  if (typeof value !== "string") return undefined;
  const match = /^(-?)(\d{1,15})(?:\.(\d{1,9}))?s$/.exec(value);
  if (match === null) return undefined;
  const whole = Number(match[2]) * 1000 + Math.trunc(Number(`0.${match[3] ?? "0"}`) * 1000 + 1e-6);
  return match[1] === "-" ? -whole : whole;
}

const grpcUnits: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** The header `grpc-timeout`, in milliseconds rounded up; undefined where it is none. */
export function grpcTimeout(value: string | undefined): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value ?? "");
  return match === null ? undefined : Math.ceil(Number(match[1]) * (grpcUnits[match[2] ?? ""] ?? 1));
}
