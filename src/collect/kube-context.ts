import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

import { parse } from "yaml";

/**
 * The name of the context that kubectl will use: the first `current-context` of the files of the kubeconfig, as kubectl
 * merges them. Nothing else of the files is kept.
 * @param kubeconfig `--kubeconfig`; null: `$KUBECONFIG`, else `~/.kube/config`
 * @returns "" where nothing names one, as inside a pod
 */
export async function currentContext(
  kubeconfig: string | null,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const listed = (environment["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  const paths =
    kubeconfig !== null ? [kubeconfig] : listed.length > 0 ? listed : [join(homedir(), ".kube", "config")];
  for (const path of paths) {
    try {
      const config = parse(await readFile(path, "utf8"), { logLevel: "error" }) as unknown;
      const name = (config as { "current-context"?: unknown } | null)?.["current-context"];
      if (typeof name === "string" && name !== "") return name;
    } catch {
      // kubectl says what is wrong with its configuration, and better
    }
  }
  return "";
}
