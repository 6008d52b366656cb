/**
 * Starts the bare server with an agent's own answer.
 *
 * @module
 */

import { join } from "node:path";
import { type AgentProcess, eventually, freePort } from "../tests/support/agents.ts";
import { HOST } from "./cluster.ts";
import { oneAnswer } from "./load.ts";
import type { Call } from "./scenarios/rpc.ts";
import { bodyOf } from "./scenarios/rpc.ts";

/** Lets `measure` call a server that gives `agent`'s answer without any work, as if it was an agent. */
export async function withBareServer<T>(
  agent: AgentProcess,
  { command }: Call,
  measure: (bare: AgentProcess) => Promise<T>,
): Promise<T> {
  const file = await Deno.makeTempFile();
  const port = await freePort(HOST);
  await Deno.writeFile(file, await oneAnswer(agent.rpc, command, bodyOf(command, agent)));
  const script = join(import.meta.dirname ?? ".", "bare_server.ts");
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, HOST, `${port}`, file],
    stdin: "null",
  }).spawn();
  try {
    await eventually("the bare server listens", async () => {
      (await Deno.connect({ hostname: HOST, port })).close();
      return true;
    });
    return await measure({ ...agent, pid: process.pid, rpc: `${HOST}:${port}` });
  } finally {
    process.kill("SIGKILL");
    await process.status;
    await Deno.remove(file);
  }
}
