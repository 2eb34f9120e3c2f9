/** Longer than any number, duration or version that is one. */
const longest = 32;

const figures: readonly RegExp[] = [
  /^\d+$/,
  /^0x[0-9a-f]+$/i,
  /^\d+e\d*$/i,
  /^(?:\d+(?:ns|us|ms|[smhdy]))+$/, // durations, as one writes them and as Go does
  /^\d+(?:[kKMGTPE]i?B?|[mnu])$/, // amounts of Kubernetes
  /^v\d+(?:(?:alpha|beta|rc)\d+)?$/i,
  /^\d+-(?:alpha|beta|rc|dev|distroless|debug)\d*$/, // the end of 1.24.2-rc
  /^\d{1,4}(?:-\d{1,4}){1,2}$/, // the revision 1-24-2; four numbers are an address
];

/** Whether a word is a number, an amount, a duration or a version, and so names nobody. */
export const isFigure = (word: string): boolean =>
  word.length <= longest && /^[\dv]/i.test(word) && figures.some((figure) => figure.test(word));
