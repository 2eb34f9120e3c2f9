/** An error that the user can act on: its message is printed alone, on one line, without a stack. */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** A piece of input that does not have the shape it must have; the message names the entry and the field. */
export class BundleFormatError extends UserError {
  override readonly name = "BundleFormatError";
  constructor(
    /** The bundle's entry. */
    readonly entry: string,
    /** JSON pointer of the field, "" for the entry as a whole. */
    readonly pointer: string,
    readonly detail: string,
  ) {
    super(`${entry}: ${pointer === "" ? "" : `${pointer} `}${detail}`);
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
