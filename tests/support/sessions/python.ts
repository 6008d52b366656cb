/**
 * The session client in Python.
 *
 * @module
 */

import assert from "node:assert/strict";

const PROGRAM = new URL("../../interop/session_client.py", import.meta.url).pathname;

/** Has it live a session's life with servers, of which one leads, and looks at what it has seen; false without Python. */
export async function livePythonSession(addresses: readonly string[]): Promise<boolean> {
  if (!await hasPython()) {
    assert.equal(Deno.env.get("CI"), undefined, "Expected Python where CI is set");
    console.error("\n!!! SKIPPED, no python3 on this machine: the session client in Python\n");
    return false;
  }
  const { success, stdout, stderr } = await new Deno.Command("python3", {
    args: [PROGRAM, ...addresses],
    signal: AbortSignal.timeout(60_000),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
    again: [1, 1],
    query: ["q1", 1],
    alive: true,
    told: 2,
    after: 3,
    evicted: [3, 1],
    sum: 4,
    closed: true,
  });
  return true;
}

async function hasPython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["--version"] }).output()).success;
  } catch {
    // There is no such program.
    return false;
  }
}
