/**
 * Agents of both kinds measure each other: what one knows of another's coordinate is what the other said of
 * itself, and both command lines make the same round trip of it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually, type Program, runCli, skein } from "../support/agents.ts";
import { allShow, join, LIMIT_MS, type Node, startNode } from "../support/interop/cluster.ts";
import { goTest, newestGoTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

interface Coordinate {
  Vec: number[];
  Error: number;
  Adjustment: number;
  Height: number;
}

goTest("agents of both kinds estimate round trips to each other", (go) => {
  return coordinates(go, HOST);
});
newestGoTest("agents of both kinds estimate round trips to each other", (go) => {
  return coordinates(go, HOST);
});

async function coordinates(go: Program, host: string): Promise<void> {
  const flags = ["-profile=local"];
  await using s = await startNode(skein, "s", host, { flags });
  await using g = await startNode(go, "g", host, { flags });
  await join(s, g);
  await allShow([s, g], { s: "alive", g: "alive" });
  assert.equal((await coordinateOf(s, "nobody")).Ok, false);

  await heardFrom(s, g);
  await heardFrom(g, s);
  for (const cli of [go, skein]) {
    for (const node of [s, g]) {
      await eventually(
        `${cli.label} rtt against ${node.name}`,
        () => estimated(cli, node),
        LIMIT_MS,
      );
    }
  }
}

/** Waits until what `asker` holds of `other`'s coordinate is exactly one that `other` had as its own. */
async function heardFrom(asker: Node, other: Node): Promise<void> {
  const own = new Set<string>();
  const start = JSON.stringify((await coordinateOf(other, other.name)).Coord);
  await eventually(`${asker.name} has a coordinate of ${other.name}`, async () => {
    own.add(JSON.stringify((await coordinateOf(other, other.name)).Coord));
    const { Ok, Coord } = await coordinateOf(asker, other.name);
    const known = JSON.stringify(Coord);
    return Ok && known !== start && own.has(known);
  }, LIMIT_MS);
}

/** Whether the command prints the estimate that follows from the agent's coordinates, which may change meanwhile. */
async function estimated(cli: Program, node: Node): Promise<boolean> {
  const before = await estimate(node);
  const { code, stdout } = await runCli(cli, ["rtt", "s", "g"], node.agent.rpc);
  if (await estimate(node) !== before) return false;
  assert.equal(code, 0, stdout);
  assert.equal(stdout, `Estimated s <-> g rtt: ${before} ms\n`);
  const swapped = await runCli(cli, ["rtt", "g", "s"], node.agent.rpc);
  assert.match(swapped.stdout, /^Estimated g <-> s rtt: \d+\.\d{3} ms\n$/);
  return true;
}

/** The distance between the two in milliseconds, with three decimals (docs/spec/serf.md 16.3). */
async function estimate(node: Node): Promise<string> {
  const [a, b] = await Promise.all(["s", "g"].map(async (name): Promise<Coordinate> => {
    return (await coordinateOf(node, name)).Coord;
  }));
  assert.ok(a !== undefined && b !== undefined);
  assert.equal(a.Vec.length, 8);
  const square = a.Vec.reduce((sum, x, i) => sum + (x - (b.Vec[i] ?? NaN)) ** 2, 0);
  const raw = Math.sqrt(square) + a.Height + b.Height;
  const adjusted = raw + a.Adjustment + b.Adjustment;
  const nanoseconds = Math.trunc((adjusted > 0 ? adjusted : raw) * 1e9);
  return (nanoseconds / 1e6).toFixed(3);
}

function coordinateOf(node: Node, name: string): Promise<{ Ok: boolean; Coord: Coordinate }> {
  return node.rpc.must("get-coordinate", { Node: name });
}
