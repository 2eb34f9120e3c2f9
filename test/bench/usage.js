/** Loaded into a measured process (`--import`): leaves its own accounting where the benchmark finds it. */
import { readFileSync, writeFileSync } from "node:fs";

process.on("exit", () => {
  const file = process.env.USAGE_FILE;
  if (file === undefined) return;
  const usage = process.resourceUsage();
  writeFileSync(file, JSON.stringify({ ...usage, maxRSS: largestResidentSet() ?? usage.maxRSS }));
});

/** In kilobytes. What `getrusage` tells on Linux is at least the size of whoever started the process. */
function largestResidentSet() {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
    return line === null ? null : Number(line[1]);
  } catch {
    return null; // no Linux
  }
}
