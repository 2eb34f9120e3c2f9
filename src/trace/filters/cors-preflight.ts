/** What browsers ask before a request to another origin. */
import { firstHeader, type HeaderList } from "../request.js";

/** OPTIONS with an origin and a method to ask for (https://www.w3.org/TR/cors/#resource-preflight-requests). */
export const isCorsPreflight = (headers: HeaderList): boolean =>
  firstHeader(headers, ":method") === "OPTIONS" &&
  (firstHeader(headers, "origin") ?? "") !== "" &&
  (firstHeader(headers, "access-control-request-method") ?? "") !== "";
