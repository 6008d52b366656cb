import assert from "node:assert/strict";
import { gather, Promises } from "../../../server/replica/founding.ts";
import type { GossipServer } from "../../../server/replica/servers.ts";
import { ManualClock } from "../../support/manual_clock.ts";

function server(id: string, changes: Partial<GossipServer> = {}): GossipServer {
  return {
    id,
    name: `n${id}`,
    port: 7376,
    cluster: undefined,
    expect: 3,
    isLeaving: false,
    status: "alive",
    address: { host: "127.0.0.1", port: 7376 },
    ...changes,
  };
}

Deno.test("the server with the least id founds the cluster once all are there", () => {
  const all = [server("a"), server("b"), server("c")];
  assert.deepEqual(gather("a", 3, all), { state: "founding", ids: ["a", "b", "c"] });
  assert.deepEqual(gather("b", 3, all), { state: "following", founder: "a" });
});

Deno.test("until then it says whom it waits for, and what is wrong", () => {
  const text = (servers: GossipServer[], expect = 3) => {
    const gathering = gather("a", expect, servers);
    return gathering.state === "waiting" ? gathering.text : gathering.state;
  };
  assert.match(text([server("a")]), /waiting for 2 of 3 servers, here are 'na'/);
  assert.match(text([server("a"), server("b", { status: "failed" })]), /waiting for 2 of 3/);
  assert.match(text([server("a"), server("b", { expect: 5 })]), /'nb' expects 5/);
  assert.match(text([..."abcd"].map((id) => server(id))), /4 servers expect 3/);
  assert.match(text([server("a"), server("b", { cluster: "01234567" })]), /cluster of 'nb'/);
});

Deno.test("a server that expects nobody waits to be added", () => {
  for (const servers of [[], [server("a", { expect: 0 })], [server("b")]]) {
    const gathering = gather("a", 0, servers);
    assert.equal(gathering.state, "waiting");
    assert.match(gathering.state === "waiting" ? gathering.text : "", /cluster to be added to/);
  }
});

Deno.test("a promise is given to one at a time", async () => {
  const clock = new ManualClock();
  const promises = new Promises(clock);
  assert.equal(promises.give("a"), true);
  assert.equal(promises.give("b"), false);
  await clock.advance(5_000);
  assert.equal(promises.give("a"), true, "again, and for longer");
  await clock.advance(9_999);
  assert.equal(promises.give("b"), false);
  await clock.advance(1);
  assert.equal(promises.give("b"), true);
});
