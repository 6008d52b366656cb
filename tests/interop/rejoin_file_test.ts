/**
 * A rejoin file that one kind of agent wrote is read by the other: the reader goes back to the cluster without being
 * told, runs no event again that the writer had seen, and gets those that it missed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join as path } from "node:path";
import { eventually, freePort, type Program, skein } from "../support/agents.ts";
import { allShow, join, LIMIT_MS, type Node, startNode } from "../support/interop/cluster.ts";
import { goTest, newestGoTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

/** How the writer ends, and which flags let the reader come back all the same. */
const ENDS: { signal: Deno.Signal; flags: string[]; status: string }[] = [
  { signal: "SIGTERM", flags: [], status: "failed" },
  { signal: "SIGINT", flags: ["-rejoin"], status: "left" },
];

goTest("each kind reads the other's rejoin file", (go) => bothWays(go, HOST));
newestGoTest("each kind reads the other's rejoin file", (go) => bothWays(go, HOST));

async function bothWays(go: Program, host: string): Promise<void> {
  await Promise.all(
    ENDS.flatMap((end) => [
      handOver(go, skein, skein, host, end),
      handOver(skein, go, go, host, end),
    ]),
  );
}

async function handOver(
  writerKind: Program,
  readerKind: Program,
  seedKind: Program,
  host: string,
  { signal, flags, status }: typeof ENDS[number],
): Promise<void> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  cleanUp.defer(() => Deno.remove(folder, { recursive: true }));
  const file = path(folder, "snapshot");
  const bindPort = await freePort(host);
  const seed = cleanUp.use(await startNode(seedKind, "seed", host));
  const withFile = { bindPort, flags: [`-snapshot=${file}`, ...flags] };
  const writer = cleanUp.use(await startNode(writerKind, "moves", host, withFile));
  await join(writer, seed);
  await allShow([seed, writer], { seed: "alive", moves: "alive" });
  for (const name of ["old-1", "old-2", "old-3"]) await fire(seed, name);
  await fire(writer, "old-4");
  const asked = await writer.rpc.subscribe("query", { Name: "old-query", Timeout: 300_000_000 });
  for (const node of [seed, writer]) {
    await hasReceived(node, ["user-event: old-3", "user-event: old-4", "query: old-query"]);
  }
  await eventually("the query is over", () => asked.at(-1)?.Type === "done");
  writer.agent.kill(signal);
  await writer.agent.exited;
  const written = await Deno.readTextFile(file);
  assert.match(written, /^alive: seed /m);
  assert.match(written, /^event-clock: [1-9]$/m);
  assert.match(written, /^query-clock: [1-9]$/m);
  assert.equal(/^leave$/m.test(written), status === "left", written);
  await allShow([seed], { seed: "alive", moves: status });
  await fire(seed, "missed");

  const reader = cleanUp.use(await startNode(readerKind, "moves", host, withFile));
  await allShow([seed, reader], { seed: "alive", moves: "alive" });
  await eventually(
    `${reader.agent.program.label} tells that it has re-joined`,
    () => /Re-joined to previously known node: seed/.test(reader.agent.output()),
  );
  await fire(seed, "fresh");
  await hasReceived(reader, ["user-event: missed", "user-event: fresh"]);
  // One that remembers nothing gets every event of the past when it asks for a replay.
  const stranger = cleanUp.use(await startNode(readerKind, "stranger", host));
  const replay = { Existing: [seed.agent.gossip], Replay: true };
  await stranger.rpc.must("join", replay);
  await hasReceived(
    stranger,
    ["old-1", "old-2", "old-3", "old-4"].map((it) => `user-event: ${it}`),
  );
  await reader.rpc.must("join", replay);
  await fire(seed, "last");
  await hasReceived(reader, ["user-event: last"]);
  assert.deepEqual(
    receivedBy(reader),
    ["user-event: missed", "user-event: fresh", "user-event: last"],
    `${writerKind.label} wrote, ${readerKind.label} read:\n${written}${reader.agent.output()}`,
  );
}

async function fire(node: Node, Name: string): Promise<void> {
  await node.rpc.must("event", { Name, Payload: null, Coalesce: false });
}

async function hasReceived(node: Node, events: readonly string[]): Promise<void> {
  await eventually(`${node.name} (${node.agent.program.label}) has received ${events}`, () => {
    const received = receivedBy(node);
    return events.every((event) => received.includes(event));
  }, LIMIT_MS).catch((cause) => {
    throw new Error(node.agent.output(), { cause });
  });
}

/** The events and queries that the agent has logged, in order. */
function receivedBy(node: Node): string[] {
  return [...node.agent.output().matchAll(/agent: Received event: (user-event: .*|query: .*)$/gm)]
    .map(([, event = ""]) => event);
}
