import { constants } from "node:buffer";

/** How much of a stranger's input is read. Sizes are bytes after inflating. */
export interface Limits {
  /** Entries in an archive or directory; more end the reading. */
  readonly entries: number;
  /** One entry; a larger one costs that entry. */
  readonly entryBytes: number;
  /** All entries together; more end the reading. */
  readonly totalBytes: number;
  /** Inflated bytes to compressed bytes, once more than `ratioFloor` bytes are inflated; more end the reading. */
  readonly ratio: number;
  readonly ratioFloor: number;
  /** Bytes of an entry's name; a longer one costs that entry. */
  readonly nameBytes: number;
  /** Nesting of JSON; deeper costs the piece it is in. */
  readonly jsonDepth: number;
}

/**
 * A 10 GB mesh passes. An entry may not be larger than the longest string of V8, since parts of it become strings.
 * JSON dumps deflate to about a thirtieth and never to less than a hundredth; zeros to a thousandth. Envoy's own parser
 * stops at a nesting of 100 (protobuf's recursion limit).
 */
export const defaultLimits: Limits = {
  entries: 1_000_000,
  entryBytes: constants.MAX_STRING_LENGTH,
  totalBytes: 64 * 1024 ** 3,
  ratio: 250,
  ratioFloor: 64 * 1024 ** 2,
  nameBytes: 4096,
  jsonDepth: 256,
};
