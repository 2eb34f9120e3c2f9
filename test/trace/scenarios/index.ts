/** All scenarios; each runs on the real Envoy, and what it decided is recorded. */
import { chainLevelScenarios } from "./chain-levels.js";
import { chainMatcherScenarios } from "./chain-matchers.js";
import { clusterScenarios, shareScenarios } from "./clusters.js";
import { conditionScenarios } from "./conditions.js";
import { connectionManagerScenarios } from "./connection-manager.js";
import { filterScenarios, rbacScenarios } from "./filters.js";
import { fractionScenarios } from "./fractions.js";
import { headerScenarios } from "./header-matchers.js";
import { handshakeScenarios } from "./handshakes.js";
import { listenerAddressScenarios } from "./listener-addresses.js";
import { listenerScenarios } from "./listeners.js";
import { oddActionScenarios } from "./odd-actions.js";
import { oddClusterScenarios } from "./odd-clusters.js";
import { oddHostScenarios } from "./odd-hosts.js";
import { oddManagerScenarios } from "./odd-managers.js";
import { oddMatchScenarios } from "./odd-matches.js";
import { pathScenarios } from "./paths.js";
import { policyMatcherScenarios } from "./policy-matchers.js";
import { policyScenarios } from "./policies.js";
import { requestLineScenarios } from "./request-lines.js";
import { clusterChoiceScenarios, redirectScenarios, rewriteScenarios } from "./route-actions.js";
import { tcpProxyScenarios } from "./tcp-proxies.js";
import { tcpScenarios } from "./tcp.js";
import { upstreamFilterScenarios } from "./upstream-filters.js";
import { virtualHostScenarios } from "./virtual-hosts.js";
import type { Scenario } from "../../support/judge/scenario.js";

/** By the name of their file of recordings. */
export const scenarios: Readonly<Record<string, readonly Scenario[]>> = {
  listeners: listenerScenarios,
  "connection-manager": connectionManagerScenarios,
  "virtual-hosts": virtualHostScenarios,
  paths: pathScenarios,
  headers: headerScenarios,
  conditions: conditionScenarios,
  "cluster-choice": clusterChoiceScenarios,
  rewriting: rewriteScenarios,
  redirects: redirectScenarios,
  tcp: tcpScenarios,
  clusters: clusterScenarios,
  shares: shareScenarios,
  rbac: rbacScenarios,
  filters: filterScenarios,
  fractions: fractionScenarios,
  "chain-levels": chainLevelScenarios,
  "chain-matchers": chainMatcherScenarios,
  "listener-addresses": listenerAddressScenarios,
  handshakes: handshakeScenarios,
  "tcp-proxies": tcpProxyScenarios,
  policies: policyScenarios,
  "policy-matchers": policyMatcherScenarios,
  "upstream-filters": upstreamFilterScenarios,
  "request-lines": requestLineScenarios,
  "odd-actions": oddActionScenarios,
  "odd-clusters": oddClusterScenarios,
  "odd-hosts": oddHostScenarios,
  "odd-managers": oddManagerScenarios,
  "odd-matches": oddMatchScenarios,
};
