import assert from "node:assert/strict";
import type { Runtime } from "../../../cluster/runtime.ts";
import { EventKind, EventQueue, type SimEvent } from "../../support/simulation/event_queue.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import { Simulation, type SimulationOptions } from "../../support/simulation/simulation.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const C = "10.0.0.3";

Deno.test("EventQueue gives events by time, and in order of arrival among equals", () => {
  const random = new SeededRandom(1);
  const queue = new EventQueue();
  const pushed: { time: number; order: number }[] = [];
  for (let order = 0; order < 5_000; order++) {
    const time = Math.floor(random.float() * 100);
    pushed.push({ time, order });
    queue.push(time, EventKind.packet, order, 0, order);
  }
  pushed.sort((a, b) => a.time - b.time || a.order - b.order);
  const event: SimEvent = { time: 0, kind: 0, host: 0, from: 0, payload: undefined };
  for (const { time, order } of pushed) {
    assert.equal(queue.nextTime, time);
    assert.ok(queue.pop(event));
    assert.deepEqual([event.time, event.host, event.payload], [time, order, order]);
  }
  assert.equal(queue.pop(event), false);
  assert.equal(queue.nextTime, Infinity);
});

Deno.test("SeededRandom repeats itself for a seed and spreads evenly", () => {
  const [one, same, other] = [new SeededRandom(7), new SeededRandom(7), new SeededRandom(8)];
  const first = one.bytes(1_000);
  assert.deepEqual(same.bytes(1_000), first);
  assert.notDeepEqual(other.bytes(1_000), first);
  const buckets = new Array(10).fill(0);
  for (let i = 0; i < 100_000; i++) buckets[Math.floor(one.float() * 10)]++;
  for (const count of buckets) assert.ok(Math.abs(count - 10_000) < 500, `${buckets}`);
});

Deno.test("timers fire in order at their virtual time, and cancelled ones do not", async () => {
  const simulation = new Simulation(1);
  const { clock } = simulation.addHost(A);
  const fired: [string, number][] = [];
  const at = (name: string) => (): void => void fired.push([name, clock.now()]);
  clock.setTimer(3_600_000, at("hour"));
  clock.setTimer(10, at("ten"));
  clock.setTimer(-5, at("now"));
  clock.setTimer(20, at("cancelled")).cancel();
  await simulation.runFor(3_600_000);
  assert.deepEqual(fired, [["now", 0], ["ten", 10], ["hour", 3_600_000]]);
  assert.equal(simulation.now, 3_600_000);
});

Deno.test("a chain of 1,000 promises that an event wakes goes on before time does", async () => {
  const simulation = new Simulation(1);
  const { clock } = simulation.addHost(A);
  const seen: number[] = [];
  clock.setTimer(10, async () => {
    for (let depth = 0; depth < 1_000; depth++) await null;
    seen.push(clock.now());
  });
  clock.setTimer(10.001, () => seen.push(clock.now()));
  await simulation.runFor(100);
  assert.deepEqual(seen, [10, 10.001]);
});

Deno.test("what the condition of a run throws ends the run", async () => {
  const simulation = new Simulation(1);
  simulation.addHost(A).clock.setTimer(5, () => {});
  const broken = simulation.runUntil(() => {
    if (simulation.now >= 5) throw new RangeError("Seen");
    return false;
  }, 100);
  await assert.rejects(broken, RangeError);
  assert.equal(simulation.events, 1);
});

Deno.test("runUntil() stops soon after the condition holds, or at its limit", async () => {
  const simulation = new Simulation(1);
  const { clock } = simulation.addHost(A);
  let done = false;
  clock.setTimer(123, () => done = true);
  assert.equal(await simulation.runUntil(() => done, 100), false);
  assert.equal(simulation.now, 100);
  assert.equal(await simulation.runUntil(() => done, 100), true);
  assert.ok(simulation.now >= 123 && simulation.now <= 133, `${simulation.now}`);
});

Deno.test("the network loses, doubles and reorders as often as it is told", async () => {
  const { simulation, got, send } = packets({ loss: 0.2, duplicate: 0.1, reorder: 0.1 });
  for (let i = 0; i < 10_000; i++) send(i);
  await simulation.runFor(1_000);
  const distinct = new Set(got);
  assert.ok(Math.abs(distinct.size - 8_000) < 200, `${distinct.size} arrived`);
  assert.ok(Math.abs(got.length - distinct.size - 800) < 100, "doubled");
  const late = got.filter((n, i) => i > 0 && n < got[i - 1]!).length;
  assert.ok(late > 500, `${late} came late`);
  assert.equal(simulation.stats.sent, 10_000);
});

Deno.test("a partition can stop one direction, and heals", async () => {
  const { simulation, got, send, back } = packets({});
  simulation.partition([A], [B], true);
  send(1);
  back(2);
  await simulation.runFor(100);
  assert.deepEqual(got, [2]);
  simulation.partition([A], [B]);
  back(3);
  await simulation.runFor(100);
  simulation.heal();
  send(4);
  back(5);
  await simulation.runFor(100);
  assert.deepEqual(got.toSorted(), [2, 4, 5]);
  assert.equal(simulation.stats.blocked, 2);
});

Deno.test("a paused process gets what its socket held when it goes on, and its timers", async () => {
  const { simulation, got, send, b } = packets({ latencyMs: [1, 1] });
  b.clock.setTimer(50, () => got.push(-1));
  simulation.pause(B);
  for (let i = 0; i < 300; i++) send(i);
  await simulation.runFor(1_000);
  assert.equal(got.length, 0);
  simulation.resume(B);
  await simulation.runFor(0);
  assert.deepEqual(got, [...Array.from({ length: 256 }, (_, i) => i), -1]);
});

Deno.test("a killed process is silent and its streams break; a new one can take its place", async () => {
  const { simulation, got, send, a, b } = packets({});
  b.clock.setTimer(50, () => got.push(-1));
  const stream = await simulation.settle(a.transport.dial(b.transport.localAddress, 1_000));
  const reading = assert.rejects(stream.read(), /connection reset by peer/);
  simulation.kill(B);
  send(1);
  await simulation.settle(reading);
  await simulation.runFor(100);
  assert.equal(got.length, 0);
  await assert.rejects(
    simulation.settle(a.transport.dial(b.transport.localAddress, 1_000)),
    /connection refused/,
  );
  simulation.addHost(B).transport.start({ packet: () => got.push(7), stream: () => {} });
  send(1);
  await simulation.runFor(100);
  assert.deepEqual(got, [7]);
});

Deno.test("a stream waits for a short partition and gives up on a long one", async () => {
  const { simulation, a, b, streams } = packets({});
  const dial = () => simulation.settle(a.transport.dial(b.transport.localAddress, 1_000));
  const short = await dial();
  simulation.partition([A], [B]);
  await simulation.settle(short.write(Uint8Array.of(1)));
  await simulation.runFor(2_000);
  simulation.heal();
  assert.deepEqual(await simulation.settle(streams[0]!.read()), Uint8Array.of(1));
  const long = await dial();
  simulation.partition([A], [B]);
  await simulation.settle(long.write(Uint8Array.of(1)));
  await assert.rejects(simulation.settle(long.read()), /connection timed out/);
  await assert.rejects(dial(), /i\/o timeout/);
});

Deno.test("one seed gives one run, another seed another", async () => {
  const first = await rumour(5);
  assert.deepEqual(await rumour(5), first);
  assert.notEqual((await rumour(6)).hash, first.hash);
});

/** Two hosts; packets and streams that either gets are kept. */
function packets(options: SimulationOptions) {
  const simulation = new Simulation(3, options);
  const got: number[] = [];
  const streams: { read(): Promise<Uint8Array | null> }[] = [];
  const start = (host: string): Runtime => {
    const runtime = simulation.addHost(host);
    runtime.transport.start({
      packet: (_, bytes) => got.push(new DataView(bytes.buffer).getUint32(0)),
      stream: (stream) => streams.push(stream),
    });
    return runtime;
  };
  const [a, b] = [start(A), start(B)];
  const sender = (from: Runtime, to: Runtime) => (n: number): void => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, n);
    from.transport.sendPacket(to.transport.localAddress, bytes);
  };
  return { simulation, a, b, got, streams, send: sender(a, b), back: sender(b, a) };
}

/** A toy protocol with every source of chance: three hosts forward numbers, by packet and stream. */
async function rumour(seed: number): Promise<{ hash: string; log: string[] }> {
  const log: string[] = [];
  const simulation = new Simulation(seed, { loss: 0.1, duplicate: 0.1, reorder: 0.1 });
  const hosts = [A, B, C].map((host) => simulation.addHost(host));
  for (const { clock, random, transport } of hosts) {
    const peer = () => hosts[Math.floor(random.float() * 3)]!.transport.localAddress;
    transport.start({
      packet: (from, bytes) => {
        log.push(`${clock.now()} ${from.host} ${bytes}`);
        if (random.float() < 0.9) transport.sendPacket(peer(), random.bytes(4));
      },
      stream: async (stream) => {
        const chunk = await stream.read();
        log.push(`${clock.now()} ${chunk}`);
        stream.close();
      },
    });
    const tick = async (): Promise<void> => {
      clock.setTimer(10 + 5 * random.float(), () => void tick());
      transport.sendPacket(peer(), random.bytes(8));
      const stream = await transport.dial(peer(), 100).catch(() => log.push(`${clock.now()} lost`));
      if (typeof stream === "number") return;
      await stream.write(random.bytes(3));
      stream.close();
    };
    void tick();
  }
  await simulation.runFor(1_000);
  assert.ok(log.length > 500, `${log.length} happenings`);
  return { hash: simulation.traceHash, log };
}
