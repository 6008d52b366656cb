/**
 * The rules of capabilities, for the client that declares them and the server that keeps them (docs/spec/sessions.md 2).
 *
 * @module
 */

import { utf8Length } from "../text.ts";
import { MAX_CAPABILITIES, MAX_CAPABILITY_BYTES } from "./limits.ts";
import type { Capability } from "./messages.ts";

const NAME = /^[A-Za-z0-9_-]+$/;

/** What is wrong with the capabilities of a session, in words; `undefined` when nothing is. */
export function capabilityProblem(capabilities: readonly Capability[]): string | undefined {
  const count = capabilities.length;
  if (count === 0) return "Expected at least one capability, got none";
  if (count > MAX_CAPABILITIES) {
    return `Expected at most ${MAX_CAPABILITIES} capabilities, got ${count}`;
  }
  const names = new Set<string>();
  let bytes = 0;
  for (const [name, value] of capabilities) {
    if (!NAME.test(name)) {
      return `Expected a capability of letters, digits, '_' and '-', got '${name}'`;
    }
    if (value === "") return `Capability '${name}' has no value`;
    if (!value.isWellFormed()) return `Capability '${name}' has a value that is no text`;
    if (names.has(name)) return `Capability '${name}' is there twice`;
    names.add(name);
    bytes += name.length + utf8Length(value);
  }
  return bytes > MAX_CAPABILITY_BYTES
    ? `Capabilities take ${bytes} of ${MAX_CAPABILITY_BYTES} bytes`
    : undefined;
}
