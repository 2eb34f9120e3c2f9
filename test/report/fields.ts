/** Where every field of a JSON value is: the way to it, e.g. ["verdict", "points", "0", "text"]. */
export function fieldsOf(value: unknown, way: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const here = [...way, key];
    return Array.isArray(value) ? fieldsOf(item, here) : [here, ...fieldsOf(item, here)];
  });
}

/** A deep copy, changed where `way` leads to: `change` is given the object and the name of the field. */
export function changed<T>(
  value: T,
  way: readonly string[],
  change: (holder: Record<string, unknown>, field: string) => void,
): T {
  const copy = structuredClone(value);
  let holder = copy as Record<string, unknown>;
  for (const step of way.slice(0, -1)) holder = holder[step] as Record<string, unknown>;
  change(holder, way.at(-1)!);
  return copy;
}

export const without = <T>(value: T, way: readonly string[]): T =>
  changed(value, way, (holder, field) => Reflect.deleteProperty(holder, field));
