import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

import type { Limits } from "../bundle/limits.js";
import { openBundle, type OpenBundle } from "../bundle/open.js";
import { surveySnapshot, type Survey } from "../ingest/survey.js";
import { append, cannotWrite, contentOf, namelessFile } from "./output-file.js";

/** An input that can be read more than once. */
export interface InputSource {
  open(limits: Limits): Promise<OpenBundle>;
  survey(limits: Limits): Promise<Survey>;
  close(): Promise<void>;
}

/** What can be read only once, such as standard input, is kept in a file without a name. @throws UserError */
export async function inputSource(path: string): Promise<InputSource> {
  if (path !== "-" && !(await isPipe(path))) {
    return {
      open: (limits) => openBundle(path, { limits, seek: false }),
      survey: (limits) => surveySnapshot(path, { limits }),
      close: () => Promise.resolve(),
    };
  }
  const handle = await namelessFile();
  const from: AsyncIterable<Uint8Array> = path === "-" ? process.stdin : createReadStream(path);
  try {
    for await (const chunk of from) await append(handle, chunk);
  } catch (error) {
    await handle.close();
    throw cannotWrite("a temporary copy of the input (TMPDIR names another folder)", error);
  }
  return {
    open: (limits) => openBundle("-", { limits, stdin: contentOf(handle) }),
    survey: (limits) => surveySnapshot("-", { limits, stdin: contentOf(handle) }),
    close: () => handle.close(),
  };
}

async function isPipe(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null); // that it is not there opening it says
  return found !== null && !found.isFile() && !found.isDirectory();
}
