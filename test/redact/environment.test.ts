import { describe, expect, it } from "vitest";

import { holdsEnvironment, replaceEnvironment } from "../../src/redact/environment.js";

const marked = (text: string, isName = false): string =>
  replaceEnvironment(text, isName, { of: (name) => `<${name}>` });

describe("names of the environment", () => {
  it.each([
    [
      "at arn:aws:acm:eu-west-1:123456789012:certificate/ab, why",
      "at <arn:aws:acm:eu-west-1:123456789012:certificate/ab>, why",
    ],
    ["aws:///eu-west-1a/i-0123456789abcdef0", "aws:///<eu-west-1a/i-0123456789abcdef0>"],
    ["gce://acme-prod/europe-west1-b/node-1", "gce://<acme-prod/europe-west1-b/node-1>"],
    [
      "azure:///subscriptions/0a/resourceGroups/acme/providers/x",
      "azure:///<subscriptions/0a/resourceGroups/acme/providers/x>",
    ],
    ["id=/subscriptions/0a-1b/resourceGroups/acme/x", "id=/subscriptions/<0a-1b>/resourceGroups/<acme>/x"],
    ["projects/acme-prod/locations/global", "projects/<acme-prod>/locations/global"],
    ["eu.gcr.io/acme-prod/shop:1", "eu.gcr.io/<acme-prod>/shop:1"],
    ["europe-docker.pkg.dev/acme-prod/shop", "europe-docker.pkg.dev/<acme-prod>/shop"],
    ["gke_acme-prod_europe-west1_main", "<gke_acme-prod_europe-west1_main>"],
    ["cn-acme-prod-us-central1-c-main", "<cn-acme-prod-us-central1-c-main>"],
    [
      "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop",
      "<123456789012>.dkr.ecr.eu-west-1.amazonaws.com/shop",
    ],
    ["i-0123456789abcdef0, i-01234567", "<i-0123456789abcdef0>, <i-01234567>"],
    ["ip-10-0-1-2.ec2.internal", "<ip-10-0-1-2>.ec2.internal"],
    ["gke-main-default-pool-0a1b2c3d-x1y2", "<gke-main-default-pool-0a1b2c3d-x1y2>"],
    ["aks-nodepool1-12345678-vmss000001", "<aks-nodepool1-12345678-vmss000001>"],
  ])("%s -> %s", (text, expected) => {
    expect(marked(text)).toBe(expected);
  });

  it.each([
    "outbound|80||reviews.prod.svc.cluster.local",
    "kubernetes://apis/apps/v1/namespaces/prod/deployments/reviews",
    "spiffe://cluster.local/ns/prod/sa/reviews",
    "/projects/alpha/tasks",
    "/projects/alpha",
    "ships-ip-10-0-1-2",
    "i-am-a-service",
    "vpc-0123",
    "123456789012",
    "gcr.io/istio-release/proxyv2",
    "Kubernetes",
    "cn-service",
  ])("%s is none", (text) => {
    expect(marked(text)).toBe(text);
  });

  it.each(["context", "current-context", "providerID", "gcp_project", "aws_account_id"])(
    "are all of a value under %s",
    (key) => {
      expect(holdsEnvironment(key)).toBe(true);
    },
  );

  it.each(["", "name", "cluster_id", "node", "server"])("are not all of a value under %j", (key) => {
    expect(holdsEnvironment(key)).toBe(false);
  });

  it("are replaced as a whole there, once, and words of Istio's are not", () => {
    expect(marked("acme main", true)).toBe("<acme main>");
    expect(marked("SIDECAR_INBOUND", true)).toBe("SIDECAR_INBOUND");
    expect(marked("nm--abcdefghijkl", true)).toBe("nm--abcdefghijkl");
    expect(marked("aws:///nm--abcdefghijkl")).toBe("aws:///nm--abcdefghijkl");
  });
});
