/**
 * Groups whose members share partitions, as clients of a port see them.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Requests } from "../../../protocol/topics/mod.ts";
import { loopback } from "../../support/loopback.ts";
import type { RawTopics } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();

/** A request to join. */
function joining(rest: Partial<Requests["joinGroup"]> = {}): Requests["joinGroup"] {
  return {
    group: "g",
    member: "",
    client: "c",
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 60_000,
    topics: ["t"],
    ...rest,
  };
}

/** Partitions of a topic. */
function parts(...numbers: number[]): { topic: string; partition: number }[] {
  return numbers.map((partition) => ({ topic: "t", partition }));
}

/** A member of the group that says what it is told. */
class Member {
  held: readonly { topic: string; partition: number }[] = [];

  private constructor(
    readonly client: RawTopics,
    readonly member: string,
    public generation: number,
  ) {}

  static async join(client: RawTopics): Promise<Member> {
    const { member, generation } = await client.done("joinGroup", joining());
    return new Member(client, member, generation);
  }

  /** Syncs once: what is assigned, and whether more comes. */
  async sync(): Promise<[partitions: number[], more: boolean]> {
    const { member, generation, held } = this;
    const request = { group: "g", member, generation, held };
    const synced = await this.client.done("syncGroup", request);
    this.generation = synced.generation;
    this.held = synced.assigned;
    return [synced.assigned.map(({ partition }) => partition), synced.more];
  }

  /** The code of a heartbeat, 0 when nothing is to be done. */
  async beat(): Promise<number> {
    const { member, generation } = this;
    const answer = await this.client.ask("heartbeat", { group: "g", member, generation });
    return "code" in answer ? answer.code : 0;
  }

  /** Commits an offset of a partition: the code for it, or that of the whole. */
  async commit(partition: number, offset = 1, generation = this.generation): Promise<number> {
    const offsets = [{ topic: "t", partition, offset, metadata: "" }];
    const request = { group: "g", member: this.member, generation, offsets };
    const answer = await this.client.ask("commitOffsets", request);
    return "code" in answer ? answer.code : answer.codes[0] ?? -1;
  }
}

Deno.test("members share partitions, hand over what others are to read, and keep the rest", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 6, replicationFactor: 0 });
  const one = await Member.join(client);
  assert.equal(one.member, "member-1");
  assert.equal(await one.beat(), 22);
  assert.deepEqual(await one.sync(), [[0, 1, 2, 3, 4, 5], false]);
  assert.equal(await one.beat(), 0);
  const two = await Member.join(client);
  assert.deepEqual(await two.sync(), [[], true]);
  // Nothing of what is to be the other's is free, and the first one has to be told.
  assert.equal(await two.beat(), 0);
  assert.equal(await one.beat(), 22);
  const [kept] = await one.sync();
  assert.equal(kept.length, 3);
  assert.deepEqual(await two.sync(), [[], true]);
  // What it holds no more is the other's once it has said so.
  assert.deepEqual(await one.sync(), [kept, false]);
  assert.equal(await one.beat(), 0);
  assert.equal(await two.beat(), 22);
  const [others, more] = await two.sync();
  assert.equal(more, false);
  assert.deepEqual([...kept, ...others].sort(), [0, 1, 2, 3, 4, 5]);
  const described = await client.done("describeGroup", { group: "g" });
  assert.deepEqual(
    described.members.map(({ member, client, owned }) => [member, client, owned]),
    [["member-1", "c", parts(...kept)], ["member-2", "c", parts(...others)]],
  );
  // One that leaves has nothing to say.
  await client.done("leaveGroup", { group: "g", member: two.member });
  assert.equal(await one.beat(), 22);
  assert.deepEqual(await one.sync(), [[0, 1, 2, 3, 4, 5], false]);
});
