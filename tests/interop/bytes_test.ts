/**
 * Names, tags, events and queries that are no UTF-8 in a cluster of both kinds of agents, told apart and kept to the byte.
 *
 * @module
 */

import assert from "node:assert/strict";
import { RpcClient } from "../../client/mod.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import { eventually, type Program, skein, startAgent } from "../support/agents.ts";
import { LIMIT_MS } from "../support/interop/cluster.ts";
import { goTest, newestGoTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";
import { runBytes, spelt, throughShell } from "../support/shell_bytes.ts";

const HOST = loopback();

const SKEIN = "sk\udce9";
const GO = ["go\udce9", "go\udce8"] as const;

/** What a command line prints. */
async function say(
  program: Program,
  rpc: string,
  command: string,
  ...args: string[]
): Promise<string> {
  const { stdout, stderr } = await runBytes(program, [command, `-rpc-addr=${rpc}`, ...args]);
  return stdout + stderr;
}

for (const register of [goTest, newestGoTest]) {
  register("bytes that are no UTF-8 are the same for every agent and command line", async (go) => {
    await using stack = new AsyncDisposableStack();
    const start = async (program: Program, name: string, flags: string[] = []) =>
      stack.use(
        await startAgent(throughShell(program), {
          name: spelt(name),
          host: HOST,
          flags: [`-tag=${spelt("st\udce4dte=Z\udcfcrich")}`, ...flags],
        }),
      );
    const first = await start(skein, SKEIN);
    const join = `-join=${first.gossip}`;
    const agents = [first, await start(go, GO[0], [join]), await start(go, GO[1], [join])];
    const clients: RpcClient[] = [];
    for (const { rpc } of agents) {
      clients.push(stack.use(await RpcClient.connect({ address: rpc })));
    }

    const names = [SKEIN, ...GO];
    const wanted = names.map((name) => `${name} alive Z\udcfcrich`).sort();
    const views = async () =>
      await Promise.all(
        clients.map(async (client) =>
          (await client.members()).map((member) =>
            `${member.name} ${member.status} ${member.tags["st\udce4dte"]}`
          ).sort()
        ),
      );
    await eventually("everybody sees everybody", async () => {
      return (await views()).every((view) => view.join() === wanted.join());
    }, LIMIT_MS);

    // Each command line says the same of each agent.
    for (const { rpc } of agents) {
      const [ours, theirs] = await Promise.all([
        say(skein, rpc, "members"),
        say(go, rpc, "members"),
      ]);
      const lines = (text: string) => text.split("\n").map((line) => line.trimEnd()).sort();
      assert.deepEqual(lines(ours), lines(theirs));
      for (const name of names) assert.ok(ours.includes(`${name}  `), ours);
      const json = ["-format=json", "-name", "sk."];
      assert.equal(
        await say(skein, rpc, "members", ...json),
        await say(go, rpc, "members", ...json),
      );
    }

    // Events of all of them reach all of them, and none twice when a late member brings them again.
    const heard: string[][] = [];
    for (const client of clients) {
      const told: string[] = [];
      heard.push(told);
      const stream = await client.stream("user");
      (async () => {
        for await (const event of stream) {
          if (event.type === "user") told.push(`${event.name} ${decodeUtf8(event.payload!)}`);
        }
      })().catch(() => {}); // The agent ends with the test.
    }
    const events = [["ev\udce7", "p\udcfc"], ["ev\udce8", "p\udcfd"], [
      "ev\udce9",
      "p\udcfe",
    ]] as const;
    for (const [i, { rpc }] of agents.entries()) {
      await say(i === 2 ? go : skein, rpc, "event", "-coalesce=false", ...events[i]!);
    }
    const sent = events.map((event) => event.join(" "));
    const all = () => heard.every((told) => sent.every((event) => told.includes(event)));
    await eventually("everybody heard every event", all, LIMIT_MS);
    const late = await start(skein, "l\udcfft", [join]);
    await say(go, late.rpc, "join", "-replay", agents[1]!.gossip);
    await say(skein, agents[1]!.rpc, "join", "-replay", late.gossip);
    await say(go, agents[2]!.rpc, "join", "-replay", late.gossip);
    for (const told of heard) assert.deepEqual(told.toSorted(), sent.toSorted());

    // One node is asked by its name, by each kind through each kind.
    for (
      const [program, asked, at] of [[skein, GO[1], 0], [go, SKEIN, 1], [skein, SKEIN, 2]] as const
    ) {
      const answer = await say(program, agents[at]!.rpc, "query", `-node=${asked}`, "q\udce9", "x");
      assert.match(answer, /Total Acks: 1\n/);
      assert.ok(answer.includes(`Ack from '${asked}'`), answer);
    }
    const left = [...wanted, "l\udcfft alive Z\udcfcrich"].sort();
    await eventually("nobody else is there", async () => {
      return (await views()).every((view) => view.join() === left.join());
    }, LIMIT_MS);
    const failures = agents.map((agent) => agent.output()).join("\n").match(
      /.*(?:failed|suspect).*/gi,
    );
    assert.equal(failures, null);
  });
}
