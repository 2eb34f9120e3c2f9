/** Assembles bracket-scan.wat; `npm run bracket-scan` calls it, a test holds the result. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import wabt from "wabt";

const folder = new URL("../shared/", import.meta.url);

/** The module that holds the code, as TypeScript. */
export async function assembled(): Promise<string> {
  const assembler = await wabt();
  const source = readFileSync(new URL("bracket-scan.wat", folder), "utf8");
  const { buffer } = assembler
    .parseWat("bracket-scan.wat", source, { simd: true, multi_value: true })
    .toBinary({});
  const code = Buffer.from(buffer).toString("hex");
  return `// made from bracket-scan.wat by "npm run bracket-scan"\n/** Hexadecimal. */\nexport const bracketScan =\n  "${code}";\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(new URL("bracket-scan.generated.ts", folder), await assembled());
