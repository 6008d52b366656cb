/**
 * Values in nested objects under names such as `mdns.interface`.
 *
 * @module
 */

/** The value at a path of at most two names, `undefined` when there is none. */
export function valueAt(object: object, path: string): unknown {
  const [outer = "", inner] = path.split(".");
  const value = (object as Record<string, unknown>)[outer];
  if (inner === undefined || value === undefined) return value;
  return (value as Record<string, unknown>)[inner];
}

/** Puts a value at a path of at most two names, and makes the object around it. */
export function setValueAt(object: object, path: string, value: unknown): void {
  const record = object as Record<string, unknown>;
  const [outer = "", inner] = path.split(".");
  record[outer] = inner === undefined ? value : { ...record[outer] as object, [inner]: value };
}
