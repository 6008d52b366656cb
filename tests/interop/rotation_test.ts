/**
 * The keys of an encrypted cluster of both kinds are changed, through either command line, while every agent
 * sends events: nobody ever meets a message that it cannot open, no event is lost, and every keyring file is
 * right after each step.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join as path } from "node:path";
import { eventually, type Program, runCli, skein } from "../support/agents.ts";
import { allShow, join, LIMIT_MS, type Node, startNode } from "../support/interop/cluster.ts";
import { goTest, newestGoTest } from "../support/interop/go.ts";
import type { RpcRecord } from "../support/interop/rpc.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

const FIRST = "T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=";
const SECOND = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";
const THIRD = "BhQyvb2hdSuKqB0rW4sUjQ==";

/** Between two events of one agent: an event begins somewhere every 5 ms. */
const PAUSE_MS = 20;
const MOST_EVENTS_EACH = 1_000;

goTest("keys turn while events flow", (go) => rotation(go, HOST));
newestGoTest("keys turn while events flow", (go) => rotation(go, HOST));

async function rotation(go: Program, host: string): Promise<void> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  cleanUp.defer(() => Deno.remove(folder, { recursive: true }));
  const file = (name: string) => path(folder, `${name}.json`);
  const start = async (program: Program, name: string, keyring = JSON.stringify([FIRST])) => {
    await Deno.writeTextFile(file(name), keyring, { mode: 0o600 });
    const flags = [`-keyring-file=${file(name)}`];
    return cleanUp.use(await startNode(program, name, host, { flags }));
  };
  const [s1, s2, g1, g2] = await Promise.all([
    start(skein, "s1"),
    start(skein, "s2"),
    start(go, "g1"),
    start(go, "g2"),
  ]);
  const nodes = [s1, s2, g1, g2];
  for (const node of [s2, g1, g2]) await join(node, s1);
  await allShow(nodes, { s1: "alive", s2: "alive", g1: "alive", g2: "alive" });

  const received = await Promise.all(
    nodes.map((node) => node.rpc.subscribe("stream", { Type: "user" })),
  );
  const ending = new AbortController();
  const traffic = Promise.all(nodes.map((node) => sendEvents(node, ending.signal)));
  const rotating = (async () => {
    for (
      const [cli, node, from, to] of [[go, s1, FIRST, SECOND], [skein, g2, SECOND, THIRD]] as const
    ) {
      for (
        const [step, ring] of [
          [["-install", to], [from, to]],
          [["-use", to], [to, from]],
          [["-remove", from], [to]],
        ] as const
      ) {
        const { code, stdout } = await runCli(cli, ["keys", ...step], node.agent.rpc);
        assert.equal(code, 0, `${cli.label} keys ${step.join(" ")}: ${stdout}`);
        for (const { name } of nodes) {
          assert.equal(await Deno.readTextFile(file(name)), JSON.stringify(ring, null, 2), name);
          assert.equal(((await Deno.stat(file(name))).mode ?? 0) & 0o777, 0o600, name);
        }
      }
    }
  })();
  await rotating.finally(() => ending.abort());

  await allArrived(nodes, received, (await traffic).flat());
  for (const { agent, name } of nodes) {
    const lines = agent.output().split("\n").filter((line) => /crypt|keys could/i.test(line));
    assert.deepEqual(lines.filter((line) => !/Encrypted: true/.test(line)), [], name);
  }

  // Each kind starts with the file that the other kind wrote.
  const s3 = await start(skein, "s3", await Deno.readTextFile(file("g1")));
  const g3 = await start(go, "g3", await Deno.readTextFile(file("s1")));
  await Promise.all([join(s3, g1), join(g3, s1)]);
  const everyone = { s1: "alive", s2: "alive", s3: "alive", g1: "alive", g2: "alive", g3: "alive" };
  await allShow([s3, g3], everyone);
}

/** Sends events until told to stop; gives their names. */
async function sendEvents(node: Node, signal: AbortSignal): Promise<string[]> {
  const sent: string[] = [];
  while (!signal.aborted && sent.length < MOST_EVENTS_EACH) {
    const Name = `${node.name}-${sent.length}`;
    await node.rpc.must("event", { Name, Payload: null, Coalesce: false });
    sent.push(Name);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return sent;
}

/** Waits until every node has got each event exactly once. What gossip happens to miss, a push/pull brings. */
async function allArrived(
  nodes: readonly Node[],
  received: readonly RpcRecord[][],
  sent: readonly string[],
): Promise<void> {
  assert.ok(sent.length > 20, `only ${sent.length} events were sent`);
  const [first, ...rest] = nodes;
  for (const node of rest) {
    await node.rpc.must("join", { Existing: [first?.agent.gossip], Replay: true });
  }
  await eventually(`${sent.length} events are everywhere`, () => {
    return received.every((records) => records.length >= sent.length);
  }, LIMIT_MS);
  for (const [i, records] of received.entries()) {
    assert.deepEqual(records.map(({ Name }) => Name).sort(), [...sent].sort(), nodes[i]?.name);
  }
}
