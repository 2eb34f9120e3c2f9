import type { Role } from "./roles.js";

/** Enough of a config dump to hold its first section, the bootstrap. */
export const headBytes = 256 * 1024;

/** One file of a snapshot, whatever it was packed in. */
export interface Entry {
  /** The name as the archive has it, with "/" between its parts; for a bare file, the file's own name. */
  readonly name: string;
  readonly role: Role;
  /** Bytes; null when it is only known after reading. */
  readonly size: number | null;
  /** RFC 3339 time at which the content was captured, and who says so; null when nothing tells. */
  readonly capturedAt: { readonly time: string; readonly source: "manifest" | "tar entry" } | null;
  /**
   * Reads the content, once and before the next entry is asked for.
   * @returns the bytes; `cut` when the archive ended inside them
   * @throws UserError when a limit on the whole is reached
   */
  read(): Promise<{ readonly bytes: Uint8Array; readonly cut: boolean }>;
  /** Reads, instead of the whole, at least the first `headBytes` of it (less where the entry is shorter). */
  readHead(): Promise<Uint8Array>;
}
