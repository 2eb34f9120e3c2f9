/**
 * The last member of a bundle's gzip is empty, and its extra field says where the member with the manifest begins, as
 * eStargz does (containerd/stargz-snapshotter, docs/estargz.md). RFC 1952 has the extra field in section 2.3.1.1.
 */

const magic = "ISTIOSNP";
const hexDigits = 16;
const fieldLength = hexDigits + magic.length;
/** id1 id2 method flags(FEXTRA) mtime(4) xfl os(unknown) */
const gzipHeader = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255];
/** An empty, final deflate block with fixed codes, then CRC-32 and size of nothing. */
const emptyBody = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

export const footerLength = gzipHeader.length + 2 + 4 + fieldLength + emptyBody.length;

export function footer(manifestOffset: number): Uint8Array {
  const field = manifestOffset.toString(16).padStart(hexDigits, "0") + magic;
  return Uint8Array.from([
    ...gzipHeader,
    ...[fieldLength + 4, 0],
    ...[0x49, 0x53, fieldLength, 0], // subfield "IS"
    ...Buffer.from(field, "latin1"),
    ...emptyBody,
  ]);
}

/** @returns the offset of the manifest's member, null when these bytes are no footer of ours */
export function readFooter(bytes: Uint8Array): number | null {
  if (bytes.length !== footerLength) return null;
  const digits = Buffer.from(bytes.subarray(16, 16 + hexDigits)).toString("latin1");
  if (!/^[0-9a-f]{16}$/.test(digits)) return null;
  const offset = Number.parseInt(digits, 16);
  return Number.isSafeInteger(offset) && Buffer.compare(bytes, footer(offset)) === 0 ? offset : null;
}
