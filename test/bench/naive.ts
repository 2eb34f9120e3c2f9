/**
 * The reader that anybody would write first: gunzip, tar-stream, `JSON.parse` of every entry that is JSON, in one
 * process. What `npm run bench` measures against.
 */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";

import { extract } from "tar-stream";

const path = process.argv[2];
if (path === undefined) throw new Error("usage: naive <archive>");

const tar = extract();
createReadStream(path).pipe(createGunzip()).pipe(tar);
let parsed = 0;
for await (const entry of tar) {
  const chunks: Buffer[] = [];
  for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  if (!/^\s*[[{]/.test(text)) continue;
  JSON.parse(text);
  parsed++;
}
process.stdout.write(`${parsed} entries parsed\n`);
