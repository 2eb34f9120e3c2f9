/**
 * Values that name nobody and whose equality is what matters: nonces, versions of configuration, serial numbers,
 * fingerprints, times. They stay, where they look like one.
 */

/** In lower case and without separators. */
const keys = new Set(
  `sent acked nonce responsenonce versioninfo resourceversion lastupdated lastupdateattempt senttime connectedat
  creationtimestamp creationtime validfrom expirationtime notbefore notafter clustersent clusteracked listenersent
  listeneracked routesent routeacked endpointsent endpointacked extensionconfigsent extensionconfigacked serialnumber
  serial sha256 fingerprint fingerprints revisionsha istioproxysha gitrevision buildlabel istioversion version gittag
  istiometawasmpluginresourceversion`.split(/\s+/),
);

const shapes: readonly RegExp[] = [
  /^\d{4}-\d\d-\d\dT[\d:.]+Z?(?:\/[\w+/=-]{0,100})?$/, // a push of Istiod: its time, its number, a UUID
  /^[0-9a-fA-F]{1,8}(?:-[0-9a-fA-F]{1,12}){4}$/, // a UUID
  /^(?:hash_)?[0-9a-fA-F:]+$/,
  /^[A-Za-z0-9+/_-]{11,86}={1,2}$/, // a nonce in base64
  /^dev$/, // a build's label
  /^(?:release|master)-[\d.-]+$/, // a nightly build
  /^istio-proxy:[0-9a-f]+$/,
  /^\d+\.\d+(?:\.\d+)?(?:-(?:alpha|beta|rc|dev)[.\w]{0,64})?$/,
];

/** What `/version` of Istiod and `version` of Envoy's `/server_info` say: release, commit, state of the tree. */
const builds: readonly RegExp[] = [
  /^\d+\.\d+(?:\.\d+)?(?:-(?:alpha|beta|rc|dev)[.\w]{0,64})?-[0-9a-f]{7,40}-(?:Clean|Modified)\s*$/,
  /^[0-9a-f]{40}\/\d+\.\d+\.\d+(?:-dev)?\/(?:Clean|Modified|Distribution)\/(?:RELEASE|DEBUG)(?:\/[A-Za-z-]{1,20})?$/,
];

export const holdsOpaqueValues = (key: string): boolean => keys.has(key.toLowerCase().replace(/[_.-]/g, ""));

export const isOpaque = (value: string): boolean =>
  value.length <= 256 && shapes.some((shape) => shape.test(value));

export const isBuild = (value: string): boolean => builds.some((build) => build.test(value));
