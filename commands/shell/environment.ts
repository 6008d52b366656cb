/**
 * The environment that a command runs in.
 *
 * @module
 */

/** A variable. One that this process may not read counts as not set, and nobody is asked for the permission. */
export function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}
