/**
 * What `full_disk_test.ts` runs where `/mnt` is a disk of 16 MiB.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type AgentProcess, eventually, startSkeinAgent } from "../agents.ts";
import { Connection, type Reply } from "../linearizability/connection.ts";
import { writeUntilFull } from "../linearizability/real/disks.ts";

const HOST = "127.0.0.1";
const KV = { hostname: HOST, port: 8379 };
const FILLER = "/mnt/filler";

/** What is written just before there is no room: the state is still in memory then. */
const KEYS = Array.from({ length: 100 }, (_, i) => `k${i}`);
const VALUE = "v".repeat(3_000);

/** More than there is room for in the file that the log grows in. */
const MORE = { action: "SET", key: "more", value: "m".repeat(250_000) };

function start(): Promise<AgentProcess> {
  return startSkeinAgent({
    name: "one",
    host: HOST,
    flags: [
      "-server",
      "-data-dir=/mnt/data",
      "-bootstrap-expect=1",
      "-profile=local",
      `-peer-addr=${HOST}:7376`,
      `-kv-addr=${HOST}:${KV.port}`,
      "-session-addr=none",
      "-topics-addr=none",
    ],
  });
}

async function ask(request: object): Promise<Reply> {
  using connection = new Connection();
  assert.ok(await connection.open(KV));
  return await connection.ask(request) ?? assert.fail("no answer");
}

/** Asks for something, and is gone as soon as something else holds. */
async function giveUp(request: object, holds: () => boolean): Promise<void> {
  const connection = new Connection();
  assert.ok(await connection.open(KV));
  const answer = connection.ask(request);
  await eventually("there is no room", holds);
  connection.close();
  assert.notEqual((await answer)?.status, "ok");
}

/** Exit codes as on any disk. */
const ENDS = { SIGTERM: 1, SIGINT: 0 } as const;

for (const [signal, code] of Object.entries(ENDS)) {
  Deno.test(`a server on a full disk ends on ${signal}, and has all of it later`, async () => {
    try {
      await using agent = await start();
      for (const key of KEYS) {
        assert.equal((await ask({ action: "SET", key, value: VALUE })).status, "ok");
      }
      writeUntilFull(FILLER);
      await giveUp(MORE, () => {
        return /Disk is full.*No room for/s.test(agent.output());
      });
      assert.equal((await ask(MORE)).code, 507);
      agent.kill(signal as keyof typeof ENDS);
      assert.equal(await agent.exited, code, agent.output());
      const lines = agent.output().split("\n").filter((line) => /\[(ERR|WARN)\] raft/.test(line));
      assert.deepEqual(lines.map((line) => line.replace(/^.*raft: /, "")), [
        "Disk is full: takes nothing on, and leads no more if another can",
        "No room for more of '/mnt/data/state/state.1.db': the state stays in memory, and the log has it",
      ]);
    } finally {
      await Deno.remove(FILLER);
    }
    await using _again = await start();
    for (const key of KEYS) assert.equal((await ask({ action: "GET", key })).result, VALUE);
    await ask({ action: "DEL", key: "more" });
  });
}
