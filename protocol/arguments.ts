/**
 * Checks of what a program hands over, for programs whose compiler does not check it: each mistake is one line that says
 * what was expected and what was got.
 *
 * @module
 */

/** What each kind of argument is called, and what tells it. A `secret` is a text that is not shown; `any` is checked elsewhere. */
const KINDS = {
  any: ["anything", () => true],
  text: ["a string", (value: unknown) => typeof value === "string"],
  secret: ["a string", (value: unknown) => typeof value === "string"],
  number: ["a number", (value: unknown) => typeof value === "number"],
  duration: ["a number of milliseconds", (value: unknown) => typeof value === "number"],
  switch: ["true or false", (value: unknown) => typeof value === "boolean"],
  list: ["an array of strings", (value: unknown) => Array.isArray(value) && areTexts(value)],
  map: ["an object of strings", (value: unknown) => isObject(value) && areTexts(value)],
  object: ["an object", isObject],
  function: ["a function", (value: unknown) => typeof value === "function"],
  signal: ["an AbortSignal", (value: unknown) => value instanceof AbortSignal],
} as const;

/** A kind of argument. */
export type ArgumentKind = keyof typeof KINDS;

/** The kind of each option that a call takes. */
export type OptionKinds = Readonly<Record<string, ArgumentKind>>;

/** What is wrong with `value`, "expected a string, got number 5"; `undefined` when it is of this kind. */
export function mismatch(value: unknown, kind: ArgumentKind): string | undefined {
  const [wanted, fits] = KINDS[kind];
  return fits(value) ? undefined : `expected ${wanted}, got ${kindOf(value, kind === "secret")}`;
}

/**
 * Checks one argument.
 *
 * @throws {TypeError} when it is of another kind
 */
export function requireArgument(name: string, value: unknown, kind: ArgumentKind): void {
  const problem = mismatch(value, kind);
  if (problem !== undefined) throw new TypeError(`Invalid ${name}: ${problem}`);
}

/**
 * Checks the options of a call; what is `undefined` counts as left out.
 *
 * @param call Name of the call.
 * @throws {TypeError} when they are no object, or one is unknown or of another kind
 */
export function requireOptions(call: string, options: unknown, kinds: OptionKinds): void {
  if (options === undefined) return;
  requireArgument(`options of ${call}`, options, "object");
  for (const name in options as object) {
    const value = (options as Record<string, unknown>)[name];
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      const known = Object.keys(kinds).join(", ");
      throw new TypeError(`Unknown option '${name}' of ${call}: expected ${known}`);
    }
    if (value !== undefined) requireArgument(`option '${name}' of ${call}`, value, kind);
  }
}

/** What a value is and, if short, the value itself. */
export function kindOf(value: unknown, isSecret = false): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (isSecret) return `a ${typeof value}`;
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return `${typeof value} ${text.length > 40 ? `${text.slice(0, 40)}...` : text}`;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function areTexts(value: object): boolean {
  return Object.values(value).every((held) => typeof held === "string");
}
