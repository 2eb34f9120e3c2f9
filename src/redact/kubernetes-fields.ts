/** Fields of Kubernetes objects, in YAML and in JSON. What `data` is, the object's `kind` tells: see siblings.ts. */
import { everything, membersOf, placeOf, plain, replacing, withItself, type Place } from "./places.js";

const object = everything("Kubernetes object");

export const kubernetesFields: Readonly<Record<string, Place>> = {
  kubectl_kubernetes_io_last_applied_configuration: object,
  managed_fields: placeOf({ whole: "empty list" }),
  image_pull_secrets: object,
  image_pull_secret: object,
  string_data: object,
  binary_data: everything("Kubernetes object", true),
  auths: object,
  ca_bundle: placeOf({ strings: { kind: "fingerprint", base64: true } }),
  args: placeOf({ isArguments: true }),
  command: placeOf({ isArguments: true }),
};

/** `data` of a Secret: base64, as `inline_bytes` is. */
export const secretData = everything("Kubernetes object", true);

/** Values of a ConfigMap but those of Istio's own, which are walked by the rules for what is in them. */
export const configMapData = withItself({
  strings: replacing("Kubernetes object"),
  members: membersOf({
    mesh: placeOf({ strings: { kind: "YAML" }, others: object }),
    mesh_networks: placeOf({ strings: { kind: "YAML" }, others: object }),
    root_cert_pem: placeOf({ others: object }),
  }),
});

/** `metadata` of a Secret: its annotations repeat what is in it (a token of OpenShift), its names do not. */
export const secretMetadata = withItself({
  members: membersOf({ annotations: object, managed_fields: placeOf({ whole: "empty list" }) }),
  strings: plain.strings,
});
