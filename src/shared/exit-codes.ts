/** The convention of diff, grep and ESLint. */
export const exitCodes = {
  /** Answered, nothing wrong found. */
  clean: 0,
  /** Answered, and something is wrong. */
  found: 1,
  /** Not answered. */
  failed: 2,
} as const;
