import assert from "node:assert/strict";
import { Slices } from "../../../../cluster/memberlist/core/slices.ts";
import { Timers } from "../../../../cluster/memberlist/core/timers.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { serveStream } from "../../../../cluster/memberlist/traffic/stream_server.ts";
import { encodePushPull } from "../../../../cluster/memberlist/wire/stream.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { fakeCore } from "../../../support/memberlist/core_fake.ts";
import { alive } from "../../../support/memberlist/fakes.ts";
import { streamPair } from "../../../support/memberlist/stream_pair.ts";

const VERSIONS = Uint8Array.of(1, 5, 2, 0, 0, 0);

function nodes(count: number, prefix: string) {
  return Array.from({ length: count }, (_, i) => ({
    Name: `${prefix}${i}`,
    Addr: Uint8Array.of(10, 1, i >> 8, i),
    Port: 7946,
    Meta: null,
    Incarnation: 1,
    State: 0,
    Vsn: VERSIONS,
  }));
}

/** A peer that sends so many nodes to a core, and takes what comes back. */
function send(fake: ReturnType<typeof fakeCore>, count: number, prefix = "n") {
  const [near, far] = streamPair();
  const serving = serveStream(fake.core, far);
  const state = { join: false, nodes: nodes(count, prefix), userState: new Uint8Array(0) };
  void near.write(encodePushPull(state));
  return serving;
}

/** Lets time stand still until `work` is done; `watch` is called between any two timers that are due. */
async function finish(
  clock: ManualClock,
  work: Promise<unknown>,
  watch: () => void = () => {},
): Promise<void> {
  let left = 10_000;
  const turn = (): void => {
    watch();
    if (left-- > 0) clock.setTimer(0, turn);
  };
  turn();
  const done = work.finally(() => left = 0);
  await clock.advance(0);
  await done;
}

Deno.test("turns come one at a time, with a turn of everything else in between", async () => {
  const clock = new ManualClock();
  const slices = new Slices(new Timers(clock));
  const order: string[] = [];
  let turn = 0;
  const work = async (name: string): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await slices.next();
      order.push(`${name} ${turn}`);
    }
  };
  await finish(clock, Promise.all([work("a"), work("b")]), () => turn++);
  assert.deepEqual(order, ["a 1", "b 2", "a 3", "b 4", "a 5", "b 6"]);
});

Deno.test("who waits for a turn hears of the end", async () => {
  const timers = new Timers(new ManualClock());
  const turns = [new Slices(timers).next(), new Slices(timers).next()];
  timers.close();
  for (const turn of turns) await assert.rejects(turn, { name: "ShutdownError" });
});

Deno.test("a long list is read and merged in pieces of 256 nodes", async () => {
  const fake = fakeCore();
  const serving = send(fake, 1_000);
  const sizes = new Set<number>();
  await finish(fake.clock, serving, () => sizes.add(fake.core.table.size));
  assert.deepEqual([...sizes], [1, 257, 513, 769, 1_001]);
  fake.core.timers.close();
});

Deno.test("what a long list becomes in memory is taken from the budget, and given back", async () => {
  const fake = fakeCore();
  const before = fake.core.receiveBudget.left;
  const others = fake.core.receiveBudget.share();
  others.take(before - 200_000);
  const refused = send(fake, 1_000);
  await finish(fake.clock, refused);
  assert.equal(fake.core.table.size, 1);
  assert.match(fake.log.at(-1) ?? "", /^error Failed to read remote state: Other streams take/);
  others.release();
  const taken = send(fake, 1_000, "m");
  await finish(fake.clock, taken);
  assert.deepEqual([fake.core.table.size, fake.core.receiveBudget.left], [1_001, before]);
  fake.core.timers.close();
});

Deno.test("a long own state is made once a second, however often peers ask", async () => {
  const fake = fakeCore();
  for (const { Name, Addr } of nodes(5_000, "n")) {
    receiveAlive(fake.core, { ...alive(Name, "10.0.0.2", { Vsn: VERSIONS }), Addr }, "x");
  }
  const made = () => fake.delegate.events.filter((event) => event.startsWith("state")).length;
  const ask = async (times: number): Promise<void> => {
    const asked = Array.from({ length: times }, () => send(fake, 1));
    await finish(fake.clock, Promise.all(asked));
  };
  await ask(10);
  assert.equal(made(), 1);
  await fake.clock.advance(1_000);
  await ask(2);
  assert.equal(made(), 2);
  fake.core.timers.close();
});
