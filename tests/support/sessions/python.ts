/**
 * The session client in Python.
 *
 * @module
 */

import assert from "node:assert/strict";

const PROGRAM = new URL("../../interop/session_client.py", import.meta.url).pathname;

/**
 * Has it live a session's life with servers, of which one leads, and looks at what it has seen; false without Python. While it has
 * lost its connection, `meanwhile` happens.
 */
export async function livePythonSession(
  addresses: readonly string[],
  meanwhile: () => Promise<void> = async () => {},
): Promise<boolean> {
  if (!await hasPython()) {
    assert.equal(Deno.env.get("CI"), undefined, "Expected Python where CI is set");
    console.error("\n!!! SKIPPED, no python3 on this machine: the session client in Python\n");
    return false;
  }
  await using process = new Deno.Command("python3", {
    args: [PROGRAM, ...addresses],
    stdin: "piped",
    stdout: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  let seen = "";
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    seen += text;
    if (!seen.startsWith("lost\n")) continue;
    await meanwhile();
    seen = seen.slice("lost\n".length);
    const stdin = process.stdin.getWriter();
    await stdin.write(new TextEncoder().encode("\n"));
    await stdin.close();
  }
  assert.ok((await process.status).success);
  assert.deepEqual(JSON.parse(seen), {
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
