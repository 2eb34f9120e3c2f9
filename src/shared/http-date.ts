/** A time as Go's RFC 1123 prints it, in UTC: `Tue, 19 Jun 2018 06:21:16 UTC`. @param time RFC 3339 */
export function humanTime(time: string): string {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? time : new Date(parsed).toUTCString().replace(/GMT$/, "UTC");
}
