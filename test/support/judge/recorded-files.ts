/** Where recordings lie, and what is in them. */
export const recordingFolder = new URL("../../trace/recorded/", import.meta.url);

export const recordingSuffix = ".jsonl.gz";

/** Seeds of the file `generated`. */
export const recordedSeeds = Array.from({ length: 20 }, (_, index) => index + 1);
