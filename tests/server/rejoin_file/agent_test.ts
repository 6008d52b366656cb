/**
 * Agents with rejoin files on real sockets: restart, kill, leave.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Agent, AgentStartError } from "../../../server/agent/agent.ts";
import type { AgentConfig } from "../../../server/config/load.ts";
import { eventually, startSkeinAgent } from "../../support/agents.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

function start(name: string, settings: Partial<AgentConfig> = {}): Promise<Agent> {
  return Agent.start({ nodeName: name, bind: `${HOST}:0`, profile: "local", ...settings });
}

/** Where an agent can be started again. */
function addressOf({ address }: Agent): string {
  return `${address.host}:${address.port}`;
}

function statuses(agent: Agent): Record<string, string> {
  return Object.fromEntries(agent.members().map(({ name, status }) => [name, status]));
}

function lines(agent: Agent): string[] {
  return agent.log.lines().map((line) => line.slice(20));
}

/** The names of user events that an agent hears of from now on. */
function heard(agent: Agent): string[] {
  const names: string[] = [];
  agent.subscribe((event) => {
    if (event.type === "user") names.push(event.name);
  });
  return names;
}

/** Paths for rejoin files in a directory that is removed at the end of a test. */
class Folder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "skein-rejoin-" });

  of(name: string): string {
    return `${this.path}/${name}`;
  }

  read(name: string): string {
    return Deno.readTextFileSync(this.of(name));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("agents that restart find each other, and hear of nothing twice", async () => {
  using folder = new Folder();
  const life = (name: string, bind = `${HOST}:0`) =>
    start(name, { bind, snapshotPath: folder.of(name) });
  const a = await life("a");
  const b = await life("b");
  const [atA, atB] = [addressOf(a), addressOf(b)];
  await b.join([atA]);
  const before = heard(b);
  a.event("one", null, { coalesce: false });
  a.event("two", null, { coalesce: false });
  await eventually("both events", () => before.length === 2);
  await b.shutdown();
  const written = folder.read("b").split("\n");
  for (const line of [`alive: b ${atB}`, `alive: a ${atA}`, "event-clock: 2"]) {
    assert.ok(written.includes(line), line);
  }

  a.event("while away", null, { coalesce: false });
  const again = await life("b", atB);
  const names = heard(again);
  await eventually("a rejoin", () => statuses(a).b === "alive" && statuses(again).a === "alive");
  await eventually("the missed event", () => names.length > 0);
  assert.deepEqual(names, ["while away"]);
  const place = `previously known node: a: ${atA}`;
  assert.ok(lines(again).includes(`[INFO] serf: Attempting re-join to ${place}`));
  assert.ok(lines(again).includes(`[INFO] serf: Re-joined to ${place}`));

  await Promise.all([a.shutdown(), again.shutdown()]);
  await using first = await life("a", atA);
  await using second = await life("b", atB);
  await eventually("the cluster", () => statuses(first).b === "alive");
  await eventually("the cluster", () => statuses(second).a === "alive");
});

Deno.test("a killed agent comes back, past a torn line", async () => {
  using folder = new Folder();
  await using a = await start("a");
  const flags = ["-profile=local", `-snapshot=${folder.of("b")}`];
  const options = { name: "b", host: HOST };
  const gossip = await (async () => {
    const join = `-join=${addressOf(a)}`;
    await using b = await startSkeinAgent({ ...options, flags: [...flags, join] });
    await eventually("the join", () => statuses(a).b === "alive");
    a.event("deploy", null, { coalesce: false });
    await eventually("the event", () => folder.read("b").includes("event-clock: 1\n"));
    assert.match(b.output(), /^ +Snapshot: true$/m);
    b.kill("SIGKILL");
    await b.exited;
    return b.gossip;
  })();
  Deno.writeTextFileSync(folder.of("b"), "event-clock: 9", { append: true });
  const bindPort = Number(gossip.split(":")[1]);
  await using b = await startSkeinAgent({ ...options, bindPort, flags });
  await eventually("a rejoin", () => b.output().includes("Re-joined to previously known node: a:"));
  a.event("next", null, { coalesce: false });
  await eventually("an event", () => b.output().includes("user-event: next"));
  assert.ok(!b.output().includes("user-event: deploy"), b.output());
  assert.ok(b.output().includes("[WARN] serf: Ignored 1 damaged line of snapshot"));
});

Deno.test("an agent that left knows nobody any more, unless it is to join again", async () => {
  using folder = new Folder();
  await using a = await start("a");
  const life = (settings: Partial<AgentConfig> = {}) =>
    start("b", { snapshotPath: folder.of("b"), broadcastTimeoutMs: 1_000, ...settings });
  const b = await life();
  const bind = addressOf(b);
  await b.join([addressOf(a)]);
  await b.leave();
  assert.match(folder.read("b"), /\nleave\n/);
  await b.shutdown();
  const left = folder.read("b");
  {
    await using alone = await life({ bind });
    assert.ok(!lines(alone).some((line) => line.includes("re-join")));
    assert.equal(alone.stats().serf?.event_time, "1");
  }
  Deno.writeTextFileSync(folder.of("b"), left);
  await using rejoined = await life({ bind, rejoinAfterLeave: true });
  await eventually("a rejoin", () => statuses(a).b === "alive" && statuses(rejoined).a === "alive");
  assert.ok(lines(rejoined).includes("[INFO] serf: Ignoring previous leave in snapshot"));
});

Deno.test("queries that agents ask each other count for the clock of queries", async () => {
  using folder = new Folder();
  {
    await using a = await start("a", { snapshotPath: folder.of("a") });
    a.query("_serf_ping", null, { requestAck: true });
  }
  assert.match(folder.read("a"), /^query-clock: 1$/m);
});

Deno.test("an agent does not start without its rejoin file, and leaves nothing open", async () => {
  using folder = new Folder();
  const snapshotPath = folder.of("none/snapshot");
  const label = "Failed to start the Serf agent: Error creating Serf: Failed to setup snapshot";
  const refused = (error: Error): boolean => {
    assert.ok(error instanceof AgentStartError);
    const reason = `failed to open snapshot: open ${snapshotPath}: no such file or directory`;
    return error.message === `${label}: ${reason}`;
  };
  await assert.rejects(start("a", { snapshotPath }), refused);
  await using a = await start("a");
  const bind = addressOf(a);
  await assert.rejects(start("b", { bind, snapshotPath: folder.of("b") }), AgentStartError);
});

Deno.test("coordinates can be switched off", async () => {
  await using on = await start("on");
  await using off = await start("off", { coordinates: false });
  await off.join([addressOf(on)]);
  assert.ok(on.coordinate() !== undefined);
  assert.equal(on.stats().serf?.coordinate_resets, "0");
  assert.equal(off.coordinate(), undefined);
  assert.equal(off.stats().serf?.coordinate_resets, undefined);
});
