import { describe, expect, it } from "vitest";

import { driftOf } from "../../src/diff/drift.js";
import { aResource } from "../support/builders.js";
import { meshOf } from "../support/drift-snapshot.js";

type Fields = Readonly<Record<string, unknown>>;

const wasm = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

const plugin = (vmConfig: Fields, more: Fields = {}): Fields =>
  aResource("extensionConfig", "default.plugin", {
    typed_config: { "@type": wasm, config: { root_id: "r", vm_config: vmConfig, ...more } },
  });

/** Whether what the agent made of an extension is held against the proxy. */
function differs(sent: Fields, held: Fields): boolean {
  const snapshot = meshOf({
    istiods: { x: { sends: { "a.b": { extensions: [sent] } } } },
    proxies: { "a.b": { holds: { extensions: [held] } } },
  });
  const drift = driftOf(snapshot)[0]!.kinds.find(({ kind }) => kind === "extensionConfig")!;
  if (drift.state === "not compared") throw new Error(drift.reason);
  expect(drift.same + drift.differences.length).toBe(1);
  return drift.differences.length > 0;
}

describe("a Wasm module that the agent fetched", () => {
  const remote = { remote: { http_uri: { uri: "oci://registry/plugin:1", timeout: "30s" }, sha256: "0a" } };
  const local = { local: { filename: "/var/lib/istio/data/0a/1b.wasm" } };
  const variables = (values: Fields): Fields => ({ environment_variables: { key_values: values } });
  const secret = { ISTIO_META_WASM_IMAGE_PULL_SECRET: "<Redacted>" };

  it.each<{ says: string; sent: Fields; held: Fields; isDrift: boolean }>([
    { says: "a file for a URL", sent: { code: remote }, held: { code: local }, isDrift: false },
    {
      says: "without the agent's variables, which were all",
      sent: { code: remote, ...variables(secret) },
      held: { code: local },
      isDrift: false,
    },
    {
      says: "without the agent's variables, beside others",
      sent: { code: remote, ...variables({ ...secret, LEVEL: "info" }) },
      held: { code: local, ...variables({ LEVEL: "info" }) },
      isDrift: false,
    },
    {
      says: "without the agent's variables, with those of the host",
      sent: { code: remote, environment_variables: { key_values: secret, host_env_keys: ["HOME"] } },
      held: { code: local, environment_variables: { host_env_keys: ["HOME"] } },
      isDrift: false,
    },
    {
      says: "but not without the user's variables",
      sent: { code: remote, ...variables({ ...secret, LEVEL: "info" }) },
      held: { code: local },
      isDrift: true,
    },
    {
      says: "but not with other variables",
      sent: { code: remote, ...variables({ LEVEL: "info" }) },
      held: { code: local, ...variables({ LEVEL: "debug" }) },
      isDrift: true,
    },
    {
      says: "but not code from elsewhere",
      sent: { code: remote },
      held: { code: { local: { inline_string: "other" } } },
      isDrift: true,
    },
    {
      says: "but not a URL for a file",
      sent: { code: local },
      held: { code: remote },
      isDrift: true,
    },
  ])("$says", ({ sent, held, isDrift }) => {
    expect(differs(plugin(sent), plugin(held))).toBe(isDrift);
  });

  it("hides nothing that differs beside it", () => {
    expect(differs(plugin({ code: remote }), plugin({ code: local }, { fail_open: true }))).toBe(true);
  });

  it("where the agent could not fetch it, the filter that denies everything is a difference", () => {
    const deny = aResource("extensionConfig", "default.plugin", {
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        rules: {},
      },
    });
    expect(differs(plugin({ code: remote }), deny)).toBe(true);
  });

  it("and as Istiod may send it, in a TypedStruct", () => {
    const struct = aResource("extensionConfig", "default.plugin", {
      typed_config: {
        "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
        type_url: wasm,
        value: { config: { rootId: "r", vmConfig: { code: { remote: { sha256: "0a" } } } } },
      },
    });
    expect(differs(struct, plugin({ code: local }))).toBe(false);
    expect(differs(struct, plugin({ code: local }, { root_id: "s" }))).toBe(true);
  });
});
