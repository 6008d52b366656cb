/**
 * Checks of small JSON values that come from outside. What people write is checked by a schema that explains more, and takes
 * longer to load.
 *
 * @module
 */

/** Whether a value is one of some kind. */
export type Check = (value: unknown) => boolean;

/** Checks by the names of the fields. */
export type Fields = Readonly<Record<string, Check>>;

/** A text of so many UTF-16 code units. */
export function text(most: number, least = 0): Check {
  return (value) => typeof value === "string" && value.length >= least && value.length <= most;
}

/** A text that matches. */
export function matching(pattern: RegExp): Check {
  return (value) => typeof value === "string" && pattern.test(value);
}

/** One of some texts. */
export function oneOf(...texts: readonly string[]): Check {
  return (value) => typeof value === "string" && texts.includes(value);
}

/** A whole number that a double holds exactly, `least` or more. */
export function whole(least: number): Check {
  return (value) => Number.isSafeInteger(value) && value as number >= least;
}

/** True or false. */
export function flag(value: unknown): boolean {
  return typeof value === "boolean";
}

/** A list of at most so many. */
export function listOf(check: Check, most: number): Check {
  return (value) => Array.isArray(value) && value.length <= most && value.every(check);
}

/** What may be missing. */
export function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

/** An object with these fields and no others. */
export function record(fields: Fields): Check {
  return (value) => problemOf(value, fields) === undefined;
}

/** An object with these fields and perhaps others, which are not looked at. */
export function openRecord(fields: Fields): Check {
  return (value) => isObject(value) && wrongField(value, fields) === undefined;
}

/** What is wrong with a value that is to be a {@linkcode record}, in words; `undefined` when nothing is. */
export function problemOf(value: unknown, fields: Fields): string | undefined {
  if (!isObject(value)) return "no object";
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined) return `unknown field ${JSON.stringify(unknown)}`;
  const wrong = wrongField(value, fields);
  if (wrong === undefined) return undefined;
  return `field "${wrong}" is ${Object.hasOwn(value, wrong) ? "wrong" : "missing"}`;
}

function wrongField(value: Record<string, unknown>, fields: Fields): string | undefined {
  return Object.keys(fields).find((name) =>
    !fields[name]?.(Object.hasOwn(value, name) ? value[name] : undefined)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
