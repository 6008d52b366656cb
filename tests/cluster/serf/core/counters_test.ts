import assert from "node:assert/strict";
import { Tally } from "../../../../cluster/serf/core/counters.ts";

Deno.test("what happens is counted, and told to the metrics under Go's names", () => {
  const told: [string, number | undefined][] = [];
  const tally = new Tally({
    count: (name, n) => told.push([name, n]),
    gauge: () => assert.fail("no gauge"),
    sample: () => assert.fail("no sample"),
  });
  tally.count("memberJoin");
  tally.count("events", "deploy");
  tally.count("queryDuplicateAcks");
  assert.deepEqual(told, [
    ["serf.member.join", undefined],
    ["serf.events", undefined],
    ["serf.events.deploy", undefined],
    ["serf.query_duplicate_acks", undefined],
  ]);
  const { memberJoin, events, queries } = tally.counters;
  assert.deepEqual({ memberJoin, events, queries }, { memberJoin: 1, events: 1, queries: 0 });
});

Deno.test("without metrics what happens is counted all the same", () => {
  const tally = new Tally(undefined);
  tally.count("events", "deploy");
  assert.equal(tally.counters.events, 1);
});
