import assert from "node:assert/strict";
import { type MemberNode, NodeState } from "../../../../cluster/memberlist/core/node.ts";
import { MemberTable } from "../../../../cluster/serf/core/member_table.ts";
import type { Member } from "../../../../cluster/serf/model/member.ts";

const NODE: MemberNode = {
  name: "n",
  addr: Uint8Array.of(10, 0, 0, 1),
  host: "10.0.0.1",
  port: 7946,
  meta: new Uint8Array(0),
  incarnation: 1,
  state: NodeState.alive,
  versions: [1, 5, 2, 2, 5, 5],
};

/** A table that knows one node, and how often it read the node's tags. */
function tableOf(views?: WeakMap<MemberNode, Member>) {
  let reads = 0;
  const tagsOf = () => {
    reads++;
    return { role: "web" };
  };
  const table = new MemberTable({ onGone() {}, tagsOf }, views);
  const record = table.add(NODE, "alive", 1n);
  return { view: () => table.view(record), reads: () => reads };
}

Deno.test("tables that share views make one of a node; others make their own", () => {
  const views = new WeakMap<MemberNode, Member>();
  const [a, b, apart] = [tableOf(views), tableOf(views), tableOf()];
  assert.equal(a.view(), b.view());
  assert.deepEqual([a.reads(), b.reads()], [1, 0]);
  assert.notEqual(apart.view(), a.view());
  assert.equal(apart.view(), apart.view());
  assert.equal(apart.reads(), 1);
});
