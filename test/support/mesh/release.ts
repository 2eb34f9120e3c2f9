/** What changed between the releases of Istio, as far as the generated data shows it (istio/istio, its release branches). */

/** True when the release is that one or newer: `atLeast("1.24.2", "1.23")`. */
export function atLeast(release: string, minimum: string): boolean {
  const [major, minor] = numbersOf(release);
  const [leastMajor, leastMinor] = numbersOf(minimum);
  return major === leastMajor ? minor >= leastMinor : major > leastMajor;
}

/** The Envoy that an Istio release ships: Istio 1.N goes with Envoy 1.(N+8). */
export function envoyVersionOf(istioVersion: string): string {
  const [major, minor, patch] = numbersOf(istioVersion);
  return `${major}.${minor + 8}.${patch + 1}-dev`;
}

export function numbersOf(release: string): [number, number, number] {
  const [major = 1, minor = 0, patch = 0] = release.split(/[.-]/).map((part) => Number.parseInt(part, 10));
  return [major, minor, Number.isNaN(patch) ? 0 : patch];
}
