import assert from "node:assert/strict";
import { Keyring, memberlistConfig } from "../../../cluster/memberlist/mod.ts";
import { Serf, serfConfig } from "../../../cluster/serf/mod.ts";
import { hostToAddr } from "../../../protocol/ip.ts";
import { told } from "../../support/serf/fixture.ts";
import { type Agent, Network, statusOf } from "../../support/serf/simulated.ts";

Deno.test("an agent alone shows itself and its figures", async () => {
  await using network = new Network();
  const { serf } = network.start("a");
  assert.equal(serf.state, "alive");
  assert.equal(serf.encrypted, false);
  assert.deepEqual(serf.members(), [serf.localMember()]);
  assert.deepEqual(serf.stats(), {
    members: "1",
    failed: "0",
    left: "0",
    health_score: "0",
    member_time: "1",
    event_time: "1",
    query_time: "1",
    intent_queue: "0",
    event_queue: "0",
    query_queue: "0",
    encrypted: "false",
    coordinate_resets: "0",
  });
  assert.equal(serf.defaultQueryTimeoutMs, 1_600);
});

Deno.test("an agent with keys is encrypted, and those with the same keys meet", async () => {
  await using network = new Network();
  const memberlist = () => ({ keyring: new Keyring([new Uint8Array(32).fill(7)]) });
  const a = network.start("a", {}, { memberlist: memberlist() });
  const b = network.start("b", {}, { memberlist: memberlist() });
  assert.equal(await network.join(b, a), 1);
  assert.equal(b.serf.encrypted, true);
  assert.equal(b.serf.stats().encrypted, "true");
});

Deno.test("the version grows with each visible change and only then", async () => {
  await using network = new Network();
  const { serf } = network.start("a");
  const before = serf.version;
  serf.userEvent("e", null, false);
  assert.equal(serf.version, before);
  await network.simulation.settle(serf.setTags({ v: "2" }));
  assert.ok(serf.version > before);
  assert.deepEqual(serf.localMember().tags, { v: "2" });
});

Deno.test("an array of members may be changed by who asked for it", async () => {
  await using network = new Network();
  const { serf } = network.start("a");
  serf.members().length = 0;
  assert.equal(serf.members().length, 1);
});

Deno.test("a join without addresses reaches nobody and announces nothing", async () => {
  await using network = new Network();
  const { serf } = network.start("a");
  assert.equal(await network.simulation.settle(serf.join([])), 0);
  assert.equal(serf.stats().member_time, "1");
});

Deno.test("a join that reaches nobody fails and announces nothing", async () => {
  await using network = new Network();
  const { serf } = network.start("a");
  await assert.rejects(network.simulation.settle(serf.join(["10.9.9.9"])), { name: "JoinError" });
  assert.equal(serf.stats().member_time, "1");
});

Deno.test("a join after a leave is refused with Go's text", async () => {
  await using network = new Network();
  const { serf } = network.start("a");
  await network.simulation.settle(serf.leave());
  const refusal = { name: "SerfStateError", message: "Serf can't Join after Leave or Shutdown" };
  await assert.rejects(serf.join(["10.0.0.2"]), refusal);
  await network.simulation.settle(serf.shutdown());
  await assert.rejects(serf.join([]), refusal);
});

Deno.test("joins run side by side, and only the one that asks ignores old events", async () => {
  await using network = new Network();
  const [a, b, c] = ["a", "b", "c"].map((name) => network.start(name)) as [Agent, Agent, Agent];
  a.serf.userEvent("old-a", null, false);
  b.serf.userEvent("old-b", null, false);
  b.serf.userEvent("old-b2", null, false);
  const joins = [
    c.serf.join(["10.9.9.9"]).catch(() => 0),
    c.serf.join([a.host], { ignoreOld: true }),
  ];
  assert.deepEqual(await network.simulation.settle(Promise.all(joins)), [0, 1]);
  assert.equal(await network.simulation.settle(c.serf.join([b.host])), 1);
  const users = told(c.events).filter((line) => line.startsWith("user"));
  assert.deepEqual(users, ["user old-b2"], "what the first join shut out stays out");
});

Deno.test("a join that ignores old events ignores those of its own peers, not of another join", async () => {
  await using network = new Network();
  const [a, b, c] = ["a", "b", "c"].map((name) => network.start(name)) as [Agent, Agent, Agent];
  b.serf.userEvent("old-b", null, false);
  const joins = [c.serf.join([a.host], { ignoreOld: true }), c.serf.join([b.host])];
  assert.deepEqual(await network.simulation.settle(Promise.all(joins)), [1, 1]);
  const users = told(c.events).filter((line) => line.startsWith("user"));
  assert.deepEqual(users, ["user old-b"]);
});

Deno.test("a leave while a join is under way is not taken back", async () => {
  await using network = new Network();
  const [a, b] = ["a", "b"].map((name) => network.start(name)) as [Agent, Agent];
  const joining = b.serf.join([a.host]);
  const leaving = b.serf.leave();
  await network.simulation.settle(Promise.allSettled([joining, leaving]));
  assert.equal(b.serf.state, "left");
  await network.simulation.runFor(30_000);
  assert.notEqual(statusOf(a, "b"), "alive");
});

Deno.test("a shutdown is final, tells who waits, and may be called again", async () => {
  await using network = new Network();
  const a = network.start("a", { coalescePeriodMs: 3_000, quiescentPeriodMs: 1_000 });
  const query = a.serf.query("q", null);
  assert.deepEqual(told(a.events), ["query q"]);
  await network.simulation.settle(Promise.all([a.serf.shutdown(), a.serf.shutdown()]));
  await a.serf.closed;
  assert.deepEqual(told(a.events), ["query q", "member-join a"], "what waited is handed out");
  assert.equal(a.serf.state, "shutdown");
  assert.ok(query.closed);
  await assert.rejects(a.serf.leave(), { message: "Leave called after Shutdown" });
  await assert.rejects(a.serf.setTags({}), { name: "ShutdownError" });
});

Deno.test("a handler may call the instance that called it", async () => {
  await using network = new Network();
  const seen: string[] = [];
  const a: Agent = network.start("a", {
    onEvent: (event) => {
      seen.push(event.type);
      if (event.type === "user" && event.name === "ping") a.serf.userEvent("pong", null, false);
      if (event.type === "query") event.respond(null);
    },
  });
  a.serf.userEvent("ping", null, false);
  a.serf.query("q", null);
  assert.deepEqual(seen, ["member-join", "user", "user", "query"]);
});

Deno.test("settings that cannot work are refused before anything starts", () => {
  const network = new Network();
  assert.throws(() => network.start("a", { protocolVersion: 9 }), { name: "SerfConfigError" });
  assert.throws(() => network.start("b", {}, { memberlist: { label: "x".repeat(300) } }), {
    name: "MemberlistConfigError",
  });
});

Deno.test("a part that cannot be closed keeps no other one open, and nobody waiting", async () => {
  await using network = new Network();
  const recorder = {
    event() {},
    tick() {},
    forget() {},
    leave: () => Promise.resolve(),
    close: () => Promise.reject(new Error("the disk is gone")),
  };
  const saveKeys = () => Promise.resolve();
  const runtime = network.simulation.addHost("10.0.9.9");
  const closeNetwork = runtime.transport.close.bind(runtime.transport);
  runtime.transport.close = async () => {
    await closeNetwork();
    throw new Error("the network is gone");
  };
  const advertise = { addr: hostToAddr("10.0.9.9"), port: 7_946 };
  const memberlist = memberlistConfig("a", advertise, "local");
  const serf = new Serf(
    serfConfig({ nodeName: "a", memberlist, onEvent() {} }, { recorder, saveKeys }),
    runtime,
  );
  serf.start();
  const shutdown = serf.shutdown().then(() => "done", (error) => error);
  const error = await network.simulation.settle(shutdown);
  assert.ok(error instanceof SuppressedError);
  assert.equal(error.error.message, "the disk is gone");
  assert.equal(error.suppressed.message, "the network is gone");
  await network.simulation.settle(serf.closed);
});
