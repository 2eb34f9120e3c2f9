/**
 * What the router filter takes off a request before it goes upstream: the headers by which a client asks it for retries
 * and timeouts. Sources: envoyproxy/envoy, source/common/router/retry_state_impl.cc (RetryStateImpl::create) and router.cc
 * (FilterUtility::finalTimeout).
 */
import type { HeaderList } from "../request.js";

const askedOfRouter: ReadonlySet<string> = new Set([
  "x-envoy-retry-on",
  "x-envoy-retry-grpc-on",
  "x-envoy-max-retries",
  "x-envoy-hedge-on-per-try-timeout",
  "x-envoy-retriable-header-names",
  "x-envoy-retriable-status-codes",
  "x-envoy-is-timeout-retry",
  "x-envoy-upstream-rq-timeout-ms",
  "x-envoy-upstream-rq-per-try-timeout-ms",
]);

/** The request as it goes upstream. */
export const withoutAskedOfRouter = (headers: HeaderList): HeaderList =>
  headers.filter(([name]) => !askedOfRouter.has(name));
