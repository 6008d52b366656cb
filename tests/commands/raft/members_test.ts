/**
 * `skein raft` changes who leads and who is a member, while clients write: three agents in this process.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { eventually } from "../../support/agents.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();
const NAMES = ["a", "b", "c"];

/** Three servers that agree on a leader, and keep members as they are told. */
class Three implements AsyncDisposable {
  readonly agents = new Map<string, Agent>();
  readonly #rpc = new Map<string, number>();
  readonly #folder = Deno.makeTempDirSync({ prefix: "skein_members_" });

  static async start(): Promise<Three> {
    const three = new Three();
    for (const nodeName of NAMES) {
      const [first] = three.agents.values();
      const agent = await Agent.start({
        nodeName,
        bind: `${HOST}:0`,
        profile: "local",
        server: true,
        dataDir: `${three.#folder}/${nodeName}`,
        peerAddr: `${HOST}:0`,
        kvAddr: `${HOST}:0`,
        sessionAddr: "none",
        topicsAddr: "none",
        bootstrapExpect: 3,
        raft: { autopilot: false },
        ...first && { startJoin: [`${HOST}:${first.address.port}`] },
      });
      three.agents.set(nodeName, agent);
      three.#rpc.set(nodeName, agent.listenRpc(`${HOST}:0`).address.port);
    }
    await three.leader(NAMES);
    return three;
  }

  /** Runs `skein raft` at one of them. */
  async raft(at: string, ...args: string[]): Promise<[code: number, output: string]> {
    const terminal = recordingTerminal();
    const code = await dispatch(
      ["raft", `-rpc-addr=${HOST}:${this.#rpc.get(at)}`, ...args],
      terminal,
    );
    return [code, terminal.stdout + terminal.stderr];
  }

  /** What one knows. */
  async status(
    at: string,
  ): Promise<{ role: string; leader: string | null; peers: { name: string }[] }> {
    return JSON.parse((await this.raft(at, "-format=json", "status"))[1]);
  }

  /** The leader on which these agree, one of them. */
  async leader(names: readonly string[]): Promise<string> {
    let leader: string | null | undefined;
    await eventually("all agree on a leader", async () => {
      const told = new Set(
        await Promise.all(names.map(async (at) => (await this.status(at)).leader)),
      );
      [leader] = told;
      return told.size === 1 && names.includes(leader ?? "");
    });
    return leader as string;
  }

  /** Increments a counter at all of `names` until told to stop; gives how often that was done, and how often perhaps. */
  load(names: readonly string[]): () => Promise<{ done: number; unknown: number }> {
    const counts = { done: 0, unknown: 0 };
    let isOver = false;
    const clients = names.flatMap((name) => [name, name]).map(async (name) => {
      while (!isOver) {
        try {
          await this.agents.get(name)?.kv.increment("n");
          counts.done++;
        } catch (error) {
          assert.match(String(error), /OutcomeUnknown/);
          counts.unknown++;
        }
      }
    });
    return async () => {
      isOver = true;
      await Promise.all(clients);
      return counts;
    };
  }

  /** What was acknowledged is there once. */
  async check(at: string, { done, unknown }: { done: number; unknown: number }): Promise<void> {
    const { value } = await this.agents.get(at)?.kv.get("n") ?? {};
    assert.ok(
      done > 0 && Number(value) >= done && Number(value) <= done + unknown,
      `${value} ${done}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.shutdown()));
    await Deno.remove(this.#folder, { recursive: true });
  }
}

Deno.test("the leadership is handed to a named server under load, and nothing is lost", async () => {
  await using three = await Three.start();
  const stop = three.load(NAMES);
  for (let round = 0; round < 4; round++) {
    const leader = await three.leader(NAMES);
    const heir = NAMES[(NAMES.indexOf(leader) + 1) % NAMES.length] as string;
    // A leader gives up after one election timeout: that it is done says that it was done within that.
    assert.deepEqual(await three.raft(leader, "transfer", heir), [0, "Handed over\n"]);
    assert.equal(await three.leader(NAMES), heir);
  }
  await three.check("a", await stop());
});

Deno.test("a leader that is taken out steps down, and the others go on", async () => {
  await using three = await Three.start();
  const removed = await three.leader(NAMES);
  const others = NAMES.filter((name) => name !== removed);
  const stop = three.load(others);
  assert.deepEqual(await three.raft(others[0] as string, "remove", removed), [0, "Removed\n"]);
  const next = await three.leader(others);
  const { peers } = await three.status(next);
  assert.deepEqual(peers.map(({ name }) => name).sort(), others);
  await eventually("it knows that it leads no more", async () => {
    return (await three.status(removed)).role !== "leader";
  });
  await three.agents.get(next)?.kv.set("after", 1);
  await three.check(next, await stop());
});
