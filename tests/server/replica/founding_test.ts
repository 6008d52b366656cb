import assert from "node:assert/strict";
import { Promises } from "../../../server/replica/founding/belonging.ts";
import { gather, type Gatherer } from "../../../server/replica/founding/gathering.ts";
import type { GossipServer } from "../../../server/replica/servers.ts";
import { ManualClock } from "../../support/manual_clock.ts";

function server(id: string, changes: Partial<GossipServer> = {}): GossipServer {
  return {
    id,
    name: `n${id}`,
    port: 7376,
    cluster: undefined,
    expect: 3,
    sessionPort: undefined,
    topicsPort: undefined,
    isLeaving: false,
    status: "alive",
    address: { host: "127.0.0.1", port: 7376 },
    ...changes,
  };
}

function own(id: string, expect = 3, clusterId?: string): Gatherer {
  return { id, expect, clusterId };
}

Deno.test("the server with the least id founds the cluster once all are there", () => {
  const all = [server("a"), server("b"), server("c")];
  assert.deepEqual(gather(own("a"), all), { state: "founding", ids: ["a", "b", "c"] });
  assert.deepEqual(gather(own("b"), all), { state: "following", founder: "a" });
});

Deno.test("until then it says whom it waits for, and what is wrong", () => {
  const text = (servers: GossipServer[], expect = 3) => {
    const gathering = gather(own("a", expect), servers);
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
    const gathering = gather(own("a", 0), servers);
    assert.equal(gathering.state, "waiting");
    assert.match(gathering.state === "waiting" ? gathering.text : "", /cluster to be added to/);
  }
});

Deno.test("a server that belongs to a cluster says which one, and which ones it finds", () => {
  const cluster = "0123456789abcdef".repeat(2);
  const text = (...servers: GossipServer[]) => {
    const gathering = gather(own("a", 0, cluster), [
      server("a", { cluster: "01234567" }),
      ...servers,
    ]);
    return gathering.state === "waiting" ? gathering.text : gathering.state;
  };
  const [ours, other] = [
    server("b", { cluster: "01234567" }),
    server("c", { cluster: "fedcba98" }),
  ];
  assert.match(
    text(other, server("d", { cluster: "99999999" })),
    /^it belongs to cluster 01234567, and finds only 'nc' of cluster fedcba98, 'nd' of cluster 99999999: .*-cluster-id ID$/,
  );
  assert.equal(text(other, ours), "waiting to be added to the cluster of 'nb'");
  assert.match(text(), /^waiting for a cluster to be added to/);
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
