/**
 * Producers that say their batches again, and groups that say how far they are.
 *
 * @module
 */

import assert from "node:assert/strict";
import { loopback } from "../../support/loopback.ts";
import { producing, type RawTopics } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();

/** Produces as somebody, and returns the offset, or the code. */
async function produce(
  client: RawTopics,
  id: number,
  baseSequence: number,
  values: readonly string[],
  epoch = 0,
): Promise<string> {
  const answer = await client.ask(
    "produce",
    producing("t", values, { producer: { id, epoch, baseSequence } }),
  );
  return "baseOffset" in answer ? `at ${answer.baseOffset}` : `code ${answer.code}`;
}

Deno.test("a batch that comes again is stored once, a gap and an earlier epoch are refused", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const first = await client.done("initProducer", { transactionalId: "" });
  const second = await client.done("initProducer", { transactionalId: "" });
  assert.notEqual(first.producerId, second.producerId);
  const id = first.producerId;
  assert.equal(await produce(client, id, 0, ["a", "b"]), "at 0");
  assert.equal(await produce(client, id, 0, ["a", "b"]), "at 0");
  assert.equal(await produce(client, id, 3, ["d"]), "code 102");
  for (let i = 2; i < 8; i++) assert.equal(await produce(client, id, i, ["c"]), `at ${i}`);
  // The last five are known.
  assert.equal(await produce(client, id, 3, ["c"]), "at 3");
  assert.equal(await produce(client, id, 2, ["c"]), "code 102");
  assert.equal(await produce(client, id, 3, ["c", "c"]), "code 102");
  assert.equal(await produce(client, second.producerId, 0, ["x"]), "at 8");
  // A later one takes over.
  assert.equal(await produce(client, id, 5, ["y"], 1), "code 102");
  assert.equal(await produce(client, id, 0, ["y"], 1), "at 9");
  assert.equal(await produce(client, id, 8, ["z"], 0), "code 35");
  assert.equal(await produce(client, 77, 0, ["x"]), "code 32");
  const { highWaterMark } = await client.done("getOffset", { topic: "t", partition: 0 });
  assert.equal(highWaterMark, 10);
  assert.equal(await client.refused("initProducer", { transactionalId: "tx" }), 2);
});

Deno.test("what a group commits is told again, to that group", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 3, replicationFactor: 1 });
  const place = (partition: number, topic = "t") => ({ topic, partition });
  const commit = (group: string, offsets: readonly object[], rest: object = {}) =>
    client.ask("commitOffsets", {
      group,
      generation: 0,
      member: "",
      offsets: offsets as never,
      ...rest,
    });
  assert.deepEqual(
    await commit("g", [
      { ...place(0), offset: 7, metadata: "é" },
      { ...place(1), offset: 0, metadata: "" },
      { ...place(3), offset: 1, metadata: "" },
      { ...place(0, "u"), offset: 1, metadata: "" },
      { ...place(2), offset: 1, metadata: "x".repeat(4_097) },
    ]),
    { codes: [0, 0, 5, 8, 26] },
  );
  assert.deepEqual(await commit("h", [{ ...place(0), offset: 9, metadata: "" }]), { codes: [0] });
  // It may go back.
  await commit("g", [{ ...place(0), offset: 5, metadata: "again" }]);
  const told = (group: string, partitions: readonly object[]) =>
    client.done("fetchOffsets", { group, partitions: partitions as never });
  const all = [
    { ...place(0), offset: 5, metadata: "again" },
    { ...place(1), offset: 0, metadata: "" },
  ];
  assert.deepEqual((await told("g", [])).offsets, all);
  assert.deepEqual((await told("g", [place(1), place(2), place(0, "u")])).offsets, [
    all[1],
    { ...place(2), offset: -1, metadata: "" },
    { ...place(0, "u"), offset: -1, metadata: "" },
  ]);
  assert.deepEqual((await told("h", [])).offsets, [{ ...place(0), offset: 9, metadata: "" }]);
  assert.deepEqual((await told("nobody", [])).offsets, []);
  const negative = await commit("g", [{ ...place(0), offset: -1, metadata: "" }]);
  assert.equal("code" in negative && negative.code, 2);
  const member = await commit("g", [], { member: "m", generation: 1 });
  assert.equal("code" in member && member.code, 20);
  // What belonged to a deleted topic is nobody's.
  await client.done("deleteTopic", { topic: "t" });
  await client.done("createTopic", { topic: "t", partitions: 3, replicationFactor: 1 });
  assert.deepEqual((await told("g", [])).offsets, []);
  assert.deepEqual((await told("g", [place(0)])).offsets[0]?.offset, -1);
});

Deno.test("a group is told all of its offsets, however many", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const offsets = [];
  for (const topic of ["a", "b", "c"]) {
    await client.done("createTopic", { topic, partitions: 1_000, replicationFactor: 1 });
    for (let partition = 0; partition < 1_000; partition++) {
      offsets.push({ topic, partition, offset: partition, metadata: "m" });
    }
  }
  await client.done("commitOffsets", { group: "g", generation: 0, member: "", offsets });
  const told = await client.done("fetchOffsets", { group: "g", partitions: [] });
  assert.deepEqual(told.offsets, offsets);
  const long = offsets.map((one) => ({ ...one, metadata: "x".repeat(4_000) }));
  for (let i = 0; i < 3; i++) {
    const some = long.slice(1_000 * i, 1_000 * (i + 1));
    await client.done("commitOffsets", { group: "g", generation: 0, member: "", offsets: some });
  }
  assert.equal(await client.refused("fetchOffsets", { group: "g", partitions: [] }), 12);
});
