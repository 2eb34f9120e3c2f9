/** Loaded into a measured process (`--import`): leaves its own accounting where the benchmark finds it. */
import { writeFileSync } from "node:fs";

process.on("exit", () => {
  const file = process.env.USAGE_FILE;
  if (file !== undefined) writeFileSync(file, JSON.stringify(process.resourceUsage()));
});
