import assert from "node:assert/strict";
import { type MemberNode, NodeState } from "../../../../cluster/memberlist/core/node.ts";
import { NodeTable } from "../../../../cluster/memberlist/core/node_table.ts";
import { PORT } from "../../../support/memberlist/fake_network.ts";
import { seededRandom } from "../../../support/memberlist/fakes.ts";

function node(name: string, incarnation = 1): MemberNode {
  return {
    name,
    addr: Uint8Array.of(10, 0, 0, 1),
    host: "10.0.0.1",
    port: PORT,
    meta: new Uint8Array(0),
    incarnation,
    state: NodeState.alive,
    versions: [1, 5, 2, 0, 0, 0],
  };
}

function names(table: NodeTable): string[] {
  return table.records.map(({ node }) => node.name);
}

Deno.test("a round of the ring visits every node once and then ends", () => {
  const table = new NodeTable(seededRandom(5));
  for (const name of ["a", "b", "c", "d"]) table.add(node(name), 0);
  const visited: string[] = [];
  for (let next = table.next(); next !== undefined; next = table.next()) {
    visited.push(next.node.name);
  }
  assert.deepEqual(visited.sort(), ["a", "b", "c", "d"]);
  table.startRound(() => false);
  assert.notEqual(table.next(), undefined);
});

Deno.test("new nodes come into the ring at a random place", () => {
  const places = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    const table = new NodeTable(seededRandom(seed));
    for (const name of ["a", "b", "c", "new"]) table.add(node(name), 0);
    places.add(names(table).indexOf("new"));
  }
  assert.equal(places.size, 4);
});

Deno.test("a new round forgets what is gone and shuffles the rest", () => {
  const table = new NodeTable(seededRandom(5));
  for (let i = 0; i < 20; i++) table.add(node(`n${i}`), 0);
  const before = names(table);
  table.startRound(({ node }) => node.name === "n7");
  assert.equal(table.size, 19);
  assert.equal(table.get("n7"), undefined);
  assert.equal(table.get("n8")?.node.name, "n8");
  assert.notDeepEqual(names(table), before.filter((name) => name !== "n7"));
  assert.deepEqual(names(table).sort(), before.filter((name) => name !== "n7").sort());
});

Deno.test("a node is held in the form that the table was given for it", () => {
  const first = node("a");
  const held = new Map([[1, first]]);
  const table = new NodeTable(seededRandom(5), (node) => held.get(node.incarnation) ?? node);
  const record = table.add(node("a"), 7);
  assert.deepEqual([record.node, record.changedAt], [first, 7]);
  assert.equal(table.get("a")?.node, first);
  const second = node("a", 2);
  table.replace(record, second);
  assert.equal(record.node, second);
  table.replace(record, node("a"));
  assert.equal(record.node, first);
});

Deno.test("of those that may be forgotten one is, and the rest stay as they are", () => {
  const table = new NodeTable(seededRandom(5));
  for (const name of ["a", "b", "c", "d"]) table.add(node(name), 0);
  const isSpare = (name: string) => name === "b" || name === "d";
  const first = table.forgetOne((record) => isSpare(record.node.name));
  const second = table.forgetOne((record) => isSpare(record.node.name));
  assert.deepEqual([first?.node.name, second?.node.name].sort(), ["b", "d"]);
  assert.equal(table.forgetOne((record) => isSpare(record.node.name)), undefined);
  assert.deepEqual(names(table).sort(), ["a", "c"]);
  assert.deepEqual([table.get("b"), table.get("a")?.node.name], [undefined, "a"]);
});
