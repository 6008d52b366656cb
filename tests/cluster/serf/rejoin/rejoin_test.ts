import assert from "node:assert/strict";
import type { Recorder, Restored } from "../../../../cluster/serf/mod.ts";
import { startRejoin } from "../../../../cluster/serf/rejoin/rejoin.ts";
import { settle } from "../../../support/manual_clock.ts";
import {
  eventMessage,
  type Fixture,
  fixture,
  type FixtureOptions,
  node,
  queryMessage,
  told,
} from "../../../support/serf/fixture.ts";
import { type Agent, Network } from "../../../support/serf/simulated.ts";

const HOUR = 3_600_000;

function restored(parts: {
  members?: Record<string, string>;
  failed?: Record<string, string>;
  times?: [member: bigint, event: bigint, query: bigint];
}): Restored {
  const [memberTime, eventTime, queryTime] = parts.times ?? [0n, 0n, 0n];
  const members = new Map(Object.entries(parts.members ?? {}));
  const failed = new Map(Object.entries(parts.failed ?? {}));
  return { members, failed, memberTime, eventTime, queryTime };
}

/** Writes down what it is asked to write down. */
class Recording implements Recorder {
  readonly calls: string[] = [];
  /** Resolves `leave`; set by a test. */
  left: Promise<void> = Promise.resolve();

  event(event: Parameters<Recorder["event"]>[0], memberTime: bigint): void {
    this.calls.push(`${told([event])} ${memberTime}`);
  }
  tick(memberTime: bigint): void {
    this.calls.push(`tick ${memberTime}`);
  }
  forget(name: string): void {
    this.calls.push(`forget ${name}`);
  }
  leave(): Promise<void> {
    this.calls.push("leave");
    return this.left;
  }
  close(): Promise<void> {
    this.calls.push("close");
    return Promise.resolve();
  }
}

const nobody: Pick<FixtureOptions, "join"> = {
  join: () => Promise.reject(new Error("connection refused")),
};

function rejoining(known: Restored, options: FixtureOptions = {}): Fixture {
  const f = fixture({ ...options, config: { ...options.config, restored: known } });
  startRejoin(f.core);
  return f;
}

Deno.test("clocks go on behind the restored times", () => {
  const { core } = fixture({ config: { restored: restored({ times: [41n, 7n, 9n] }) } });
  const times = [core.memberClock, core.eventClock, core.queryClock].map((clock) => clock.time());
  assert.deepEqual(times, [42n, 8n, 10n]);
});

Deno.test("without restored times clocks begin at 1", () => {
  const { core } = fixture({ config: { restored: restored({}) } });
  const times = [core.memberClock, core.eventClock, core.queryClock].map((clock) => clock.time());
  assert.deepEqual(times, [1n, 1n, 1n]);
});

Deno.test("events and queries of the earlier life are neither told nor passed on", () => {
  const f = fixture({ config: { restored: restored({ times: [0n, 7n, 9n] }) } });
  f.delegate.notifyMessage(eventMessage(7n, "old"));
  f.delegate.notifyMessage(queryMessage({ LTime: 9n, Name: "old" }));
  assert.deepEqual(f.gossip(), []);
  f.delegate.notifyMessage(eventMessage(8n, "new"));
  f.delegate.notifyMessage(queryMessage({ LTime: 10n, Name: "new" }));
  assert.deepEqual(told(f.events), ["user new", "query new"]);
  assert.equal(f.gossip().length, 2);
});

Deno.test("known members are tried in turn until one answers, and no intent is sent", async () => {
  let tries = 0;
  const join = () => ++tries < 3 ? Promise.reject(new Error("refused")) : Promise.resolve(1);
  const members = {
    a: "127.0.0.1:7946",
    "once me": "127.0.0.1:7946",
    b: "10.0.0.2:7946",
    c: "[fd00::3]:7946",
    d: "10.0.0.4:7946",
  };
  const f = rejoining(restored({ members }), { join });
  await settle();
  assert.equal(f.joins.length, 3, "The own name and address are not tried");
  const possible = ["b/10.0.0.2:7946", "c/[fd00::3]:7946", "d/10.0.0.4:7946"];
  assert.ok(f.joins.every((target) => possible.includes(target)), `${f.joins}`);
  assert.equal(new Set(f.joins).size, 3);
  const told = f.logs.filter((line) => line.startsWith("[INFO]"));
  assert.equal(told.length, 4);
  assert.match(told[0]!, /^\[INFO\] Attempting re-join to previously known node: .+: .+:7946$/);
  assert.match(told[3]!, /^\[INFO\] Re-joined to previously known node: .+: .+:7946$/);
  assert.deepEqual(f.gossip(), []);
  await f.clock.advance(HOUR);
  assert.equal(f.joins.length, 3);
});

Deno.test("members that had failed are tried after those that were alive", async () => {
  const members = { b: "10.0.0.2:1", c: "10.0.0.3:1" };
  const f = rejoining(restored({ members, failed: { d: "10.0.0.4:1" } }), nobody);
  await settle();
  assert.equal(f.joins.length, 3);
  assert.equal(f.joins[2], "d/10.0.0.4:1");
});

Deno.test("a name with a slash is left out, as nobody could tell where it ends", async () => {
  const f = rejoining(restored({ members: { "d/e": "10.0.0.4:7946" } }));
  await settle();
  assert.deepEqual(f.joins, ["10.0.0.4:7946"]);
});

Deno.test("those that are left are not tried when another member has come meanwhile", async () => {
  const members = { b: "10.0.0.2:1", c: "10.0.0.3:1", d: "10.0.0.4:1" };
  const begun: { f?: Fixture } = {};
  const join = async () => {
    await settle();
    begun.f?.delegate.notifyJoin(node("e"));
    throw new Error("connection refused");
  };
  const f = begun.f = rejoining(restored({ members }), { join });
  await f.clock.advance(HOUR);
  assert.equal(f.joins.length, 1);
  assert.ok(!f.logs.some((line) => line.startsWith("[WARN]")));
});

Deno.test("a member that is silent holds up the next one for a quarter of a second, and is given up in the end", async () => {
  const members = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`n${i}`, `10.0.0.2:${i + 1}`]),
  );
  const silent: (() => void)[] = [];
  let cancelled = 0;
  const join: FixtureOptions["join"] = (_addresses, options) =>
    new Promise((resolve, reject) => {
      options?.signal?.addEventListener("abort", () => {
        cancelled++;
        reject(new Error("cancelled"));
      });
      silent.push(() => resolve(1));
    });
  const f = rejoining(restored({ members }), { join });
  await f.clock.advance(1_000);
  assert.equal(f.joins.length, 5);
  await f.clock.advance(60_000);
  assert.equal(f.joins.length, 16, "so many at the same time");
  silent[7]?.();
  await f.clock.advance(HOUR);
  assert.equal(f.joins.length, 16);
  assert.equal(cancelled, 16);
  const told = f.logs.filter((line) => line.includes("Re-joined"));
  assert.equal(told.length, 1);
});

Deno.test("the order is by chance, so that many nodes do not all try the same one first", async () => {
  const known = restored({ members: { b: "10.0.0.2:1", c: "10.0.0.3:1" } });
  const firsts = [0, 0.99].map((draw) => {
    const f = fixture({ ...nobody, config: { restored: known } });
    f.draws.push(draw);
    startRejoin(f.core);
    return f.joins[0];
  });
  await settle();
  assert.deepEqual(firsts.toSorted(), ["b/10.0.0.2:1", "c/10.0.0.3:1"]);
});

Deno.test("a round without success is told once and comes again, with pauses that grow to 5 minutes", async () => {
  const tries: number[] = [];
  const begun: { f?: Fixture } = {};
  const join = () => {
    tries.push((begun.f?.clock.now() ?? 0) / 1_000);
    return Promise.reject(new Error("connection refused"));
  };
  const f = begun.f = rejoining(restored({ members: { b: "10.0.0.2:1" } }), { join });
  await f.clock.advance(1_100_000);
  assert.deepEqual(tries, [0, 30, 90, 210, 450, 750, 1_050]);
  const warnings = f.logs.filter((line) => line.startsWith("[WARN]"));
  assert.deepEqual(warnings, ["[WARN] Failed to re-join any previously known node"]);
});

Deno.test("the tries end when another member is there, and with the instance", async () => {
  const known = restored({ members: { b: "10.0.0.2:1" } });
  const [met, gone, leaving] = [0, 0, 0].map(() => rejoining(known, nobody)) as [
    Fixture,
    Fixture,
    Fixture,
  ];
  await settle();
  met.delegate.notifyJoin(node("c"));
  gone.core.timers.close();
  leaving.core.state = "leaving";
  for (const f of [met, gone, leaving]) {
    await f.clock.advance(HOUR);
    assert.equal(f.joins.length, 1);
  }
});

Deno.test("without reconnects there is one round only", async () => {
  const known = restored({ members: { b: "10.0.0.2:1" } });
  const f = rejoining(known, { ...nobody, config: { reconnectIntervalMs: 0 } });
  await f.clock.advance(HOUR);
  assert.equal(f.joins.length, 1);
});

Deno.test("who knows nobody tries nobody and says nothing", async () => {
  const f = rejoining(restored({ members: { a: "127.0.0.1:7946" } }));
  await f.clock.advance(HOUR);
  assert.deepEqual([f.joins, f.logs], [[], []]);
});

Deno.test("members that are not seen again in a day are forgotten, unless nobody is there", async () => {
  const recorder = new Recording();
  const members = { b: "10.0.0.2:1", c: "10.0.0.3:1" };
  const f = rejoining(restored({ members, failed: { d: "10.0.0.4:1" } }), {
    ...nobody,
    config: { recorder },
  });
  recorder.calls.length = 0;
  await f.clock.advance(24 * HOUR);
  assert.deepEqual(recorder.calls, []);
  f.delegate.notifyJoin(node("b"));
  recorder.calls.length = 0;
  await f.clock.advance(24 * HOUR);
  assert.deepEqual(recorder.calls, ["forget c", "forget d"]);
});

Deno.test("a recorder gets every event before it is coalesced, also of internal queries", () => {
  const recorder = new Recording();
  const periods = { coalescePeriodMs: 3_000, quiescentPeriodMs: 1_000 };
  const f = fixture({ config: { recorder, ...periods } });
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyMessage(queryMessage({ LTime: 10n, Name: "_serf_ping" }));
  f.delegate.notifyMessage(eventMessage(3n, "deploy"));
  assert.deepEqual(recorder.calls, [
    "member-join a 0",
    "member-join b 0",
    "query _serf_ping 0",
    "user deploy 0",
  ]);
  assert.deepEqual(told(f.events), ["user deploy"]);
});

Deno.test("a recorder gets the member clock twice a second, and hears of the leave first and the end last", async () => {
  await using network = new Network();
  const recorder = new Recording();
  const written = Promise.withResolvers<void>();
  recorder.left = written.promise;
  const { serf } = network.start("a", { recorder });
  await network.simulation.runFor(1_700);
  const leaving = serf.leave();
  await network.simulation.runFor(10_000);
  assert.equal(serf.state, "leaving");
  assert.equal(serf.localMember().status, "alive", "Nobody is told before the leave is written");
  written.resolve();
  await network.simulation.settle(leaving);
  await network.simulation.settle(serf.shutdown());
  const ticks = recorder.calls.filter((call) => call === "tick 0").length;
  assert.ok(ticks >= 3);
  assert.equal(recorder.calls.indexOf("leave") < recorder.calls.indexOf("member-leave a 1"), true);
  assert.deepEqual(recorder.calls.slice(-2), ["tick 1", "close"]);
});

Deno.test("a node that comes back by its rejoin file is a member again, and takes its old leave back", async () => {
  await using network = new Network();
  const [a, b] = await network.cluster(["a", "b"]) as [Agent, Agent];
  await network.simulation.settle(b.serf.leave());
  await network.simulation.settle(b.serf.shutdown());
  const known = restored({ members: { a: `${a.host}:7946` }, times: [1n, 0n, 0n] });
  const again = network.start("b", { restored: known }, { host: "10.0.0.9" });
  await network.until(() =>
    a.serf.members().some(({ name, status }) => name === "b" && status === "alive")
  );
  await network.until(() => again.serf.members().length === 2);
});
