import { JsonScanner, ScanError } from "../shared/json-scan.js";

/** The JSON pointer (RFC 6901) of the value that an offset lies in; as far as there is JSON, "" in a text. */
export function pointerAt(bytes: Uint8Array, offset: number): string {
  const scanner = new JsonScanner(bytes);
  const path: string[] = [];
  let start = scanner.skipSpace(0);
  try {
    while (offset > start && (bytes[start] === 0x7b || bytes[start] === 0x5b)) {
      const inner = memberAt(scanner, start, offset);
      if (inner === null) break;
      path.push(inner.token.replaceAll("~", "~0").replaceAll("/", "~1"));
      start = inner.start;
    }
  } catch (error) {
    if (!(error instanceof ScanError)) throw error;
  }
  return path.map((token) => `/${token}`).join("");
}

class Found extends Error {
  constructor(
    readonly token: string,
    readonly start: number,
  ) {
    super("found");
  }
}

/** The member of the object, or the element of the array, that an offset lies in. */
function memberAt(
  scanner: JsonScanner,
  start: number,
  offset: number,
): { readonly token: string; readonly start: number } | null {
  const visit = (token: string, valueStart: number): number => {
    const { end } = scanner.skipValue(valueStart);
    if (offset < end) throw new Found(token, valueStart);
    return end;
  };
  try {
    if (scanner.bytes[start] === 0x7b) scanner.object(start, visit);
    else scanner.array(start, (index, valueStart) => visit(String(index), valueStart));
  } catch (error) {
    if (error instanceof Found) return { token: error.token, start: error.start };
    throw error;
  }
  return null;
}
