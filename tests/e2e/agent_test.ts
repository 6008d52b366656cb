/**
 * The life of an agent as its console shows it, beside what HashiCorp's agent 0.9.4 printed.
 *
 * @module
 */

import assert from "node:assert/strict";
import samples from "../vectors/cli-samples.json" with { type: "json" };
import { eventually, freePort, skein, startAgent } from "../agents.ts";
import { launchArguments, run } from "./cli.ts";

const HOST = "127.0.7.7";

/** Notes of the samples, the signals that ended them, and flags besides names and addresses. */
const LIVES: readonly [note: string, signal: Deno.Signal, flags: string[]][] = [
  ["SIGTERM default", "SIGTERM", []],
  ["advertise", "SIGINT", ["-advertise=127.0.0.9:1234"]],
];

for (const [note, signal, flags] of LIVES) {
  Deno.test(`an agent from its banner to ${signal}`, async () => {
    const sample = samples.find((candidate) => candidate.note === note);
    assert(sample !== undefined);
    await using agent = await startAgent(skein, { name: "t", host: HOST, flags });
    await eventually("the first event", () => agent.output().includes("Received event"));
    agent.kill(signal);
    assert.equal(await agent.exited, sample.rc);
    const want = sample.stdout
      .replaceAll("127.0.0.1:19960", agent.gossip)
      .replaceAll("127.0.0.1:19390", agent.rpc)
      .replaceAll("127.0.0.1", HOST);
    // The launcher asks over RPC whether the agent is ready.
    const got = agent.output().replace(/^.* agent\.ipc: Accepted client: .*\n/gm, "");
    assert.equal(withoutTimes(got), withoutTimes(want));
  });
}

function withoutTimes(text: string): string {
  return text.replace(/^ {4}\d{4}(?:\/\d\d){2} \d\d(?::\d\d){2} /gm, "    TIME ");
}

Deno.test("an agent outlives the reader of its output and keeps its exit code", async () => {
  const [bind, rpc] = [`${HOST}:${await freePort(HOST)}`, `${HOST}:${await freePort(HOST)}`];
  const agent = new Deno.Command(Deno.execPath(), {
    args: [...launchArguments(), "agent", "-node=unread", `-bind=${bind}`, `-rpc-addr=${rpc}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  try {
    await agent.stdout.cancel();
    const env = { SERF_RPC_ADDR: rpc };
    await eventually("the agent answers", async () => {
      return (await run(["members"], { env })).stdout === `unread  ${bind}  alive\n`;
    });
    assert.deepEqual(await run(["leave"], { env }), {
      code: 0,
      stdout: "Graceful leave complete\n",
      stderr: "",
    });
    assert.equal(await new Response(agent.stderr).text(), "");
    assert.equal((await agent.status).code, 0);
  } finally {
    try {
      agent.kill("SIGKILL");
    } catch { /* It has ended. */ }
    await agent.status;
  }
});
