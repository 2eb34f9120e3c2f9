/** The thread of `runQuery`: reads one dump after the other and answers what a path finds in it. */
import { parentPort } from "node:worker_threads";

import { BundleFormatError, UserError } from "../shared/errors.js";
import { parseJson } from "../shared/json.js";
import { queryJson, type QueryAnswer, type QueryTask } from "./query.js";

parentPort?.on("message", (task: QueryTask) => parentPort?.postMessage(answer(task)));
parentPort?.postMessage("ready");

function answer({ entry, bytes, path, limitHits }: QueryTask): QueryAnswer {
  try {
    return { hits: queryJson(parseJson(bytes, entry).value, path, { limitHits }) };
  } catch (error) {
    if (error instanceof BundleFormatError) return { problem: error.detail };
    if (error instanceof UserError) return { problem: error.message };
    throw error;
  }
}
