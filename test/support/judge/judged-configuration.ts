/** One small configuration; many of them share an Envoy, so their names and addresses must be their own. */
import type { JsonObject } from "../mesh/json.js";
import { socketAddress } from "./messages.js";

export interface JudgedConfiguration {
  /** Without an address they get one. */
  readonly listeners: readonly JsonObject[];
  readonly clusters?: readonly JsonObject[];
  /** Route configurations and endpoints that come from files (`fileSource`), as RDS and EDS. */
  readonly routes?: readonly JsonObject[];
  readonly endpoints?: readonly JsonObject[];
  /** Keys of the static runtime layer. */
  readonly runtime?: JsonObject;
}

const perNumber = 200;

/** An address for each trial, a port for each listener of it. */
export const boundAddress = (trial: number, position: number): JsonObject =>
  socketAddress(
    `127.77.${100 + Math.floor(trial / perNumber)}.${1 + (trial % perNumber)}`,
    10_000 + position,
  );
