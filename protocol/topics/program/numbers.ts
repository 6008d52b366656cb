/**
 * Checks of numbers that a program gives as options.
 *
 * @module
 */

/**
 * `value`, if it is a whole number in this range.
 *
 * @throws {RangeError} when it is none
 */
export function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value)) return within(name, value, least, most);
  throw new RangeError(`Option '${name}' is ${value}, expected a whole number`);
}

/**
 * `value`, if it is in this range.
 *
 * @throws {RangeError} when it is not
 */
export function within(name: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  throw new RangeError(`Option '${name}' is ${value}, expected ${least} to ${most}`);
}
