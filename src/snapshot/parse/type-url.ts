/** The type of an Any: what stands after the last "/" of its URL. */
export function typeName(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}
