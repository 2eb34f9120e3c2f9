/** Parts of many requests, 0..1; null where one cannot be told. */
export type Share = number | null;

/** A part of a part. */
export const times = (a: Share, b: Share): Share => (a === null || b === null ? null : a * b);

export const sumOf = (shares: readonly Share[]): Share =>
  shares.reduce<Share>((sum, share) => (sum === null || share === null ? null : sum + share), 0);
