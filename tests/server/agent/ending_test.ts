/**
 * How an agent in a program ends: after an error that nobody expected, and when a part cannot be closed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { LeaveInProgressError } from "../../../cluster/serf/mod.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { Ending } from "../../../server/agent/ending.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import { until, withPatience } from "../../support/rpc/peer.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

function start(nodeName: string): Promise<Agent> {
  return Agent.start({ nodeName, bind: `${HOST}:0`, profile: "local" });
}

function statusOf(agent: Agent, node: string): string | undefined {
  return agent.members().find(({ name }) => name === node)?.status;
}

/** An ending whose parts do what a test says, and in which order they did it. */
function ending(parts: Partial<Record<"leave" | "close" | "closeServers", () => unknown>> = {}) {
  const log = new AgentLog("t");
  const done: string[] = [];
  const part = (name: keyof typeof parts) => async (): Promise<void> => {
    done.push(name);
    await parts[name]?.();
  };
  const [leave, close, closeServers] = [part("leave"), part("close"), part("closeServers")];
  return { log, done, ending: new Ending({ log, leave, close, closeServers }) };
}

Deno.test("a timer of the core that throws ends the agent, not the program: it leaves, and closed has the error", async () => {
  await using observer = await start("observer");
  await using faulty = await start("faulty");
  await faulty.join([`${observer.address.host}:${observer.address.port}`]);
  await until(() => statusOf(observer, "faulty") === "alive");
  const error = new TypeError("planted");
  let thrown = 0;
  faulty.metrics.add({
    push(line) {
      if (thrown > 0 || !line.includes("memberlist.gossip")) return;
      thrown++;
      throw error;
    },
  });
  assert.equal(await withPatience(faulty.closed), error);
  await until(() => statusOf(observer, "faulty") === "left");
  const told = faulty.log.lines("ERR").filter((line) => line.includes("Unexpected error"));
  assert.equal(told.length, 1);
  assert.match(String(told[0]), /TypeError: planted\n {4}at /);
  assert.equal(await observer.shutdown(), undefined);
  assert.equal(await observer.closed, undefined);
});

Deno.test("an agent whose log is told of an error leaves once, however many follow", async () => {
  const { log, done, ending: end } = ending();
  const first = new TypeError("first");
  log.unexpected(first);
  for (let i = 0; i < 100; i++) log.unexpected(new TypeError("more"));
  assert.equal(await end.closed, first);
  await end.shutdown();
  assert.deepEqual(done, ["leave", "close", "closeServers"]);
  assert.equal(log.lines("ERR").filter((line) => line.includes("Unexpected error")).length, 1);
});

Deno.test("an error out of the leave does not keep the agent from closing", async () => {
  const { log, done, ending: end } = ending({
    leave: () => Promise.reject(new TypeError("again")),
  });
  log.unexpected(new TypeError("first"));
  assert.equal((await end.closed)?.message, "first");
  await end.shutdown();
  assert.deepEqual(done, ["leave", "close", "closeServers"]);
});

Deno.test("a leave that others began is waited for", async () => {
  const { log, done, ending: end } = ending({
    leave: () => Promise.reject(new LeaveInProgressError()),
  });
  log.unexpected(new TypeError("first"));
  await until(() => done.includes("leave"));
  assert.deepEqual(done, ["leave"]);
  await end.shutdown();
  assert.deepEqual(done, ["leave", "close", "closeServers"]);
  assert.equal((await end.closed)?.message, "first");
});

Deno.test("what cannot be closed is told and rejected, after everything else was closed", async () => {
  const error = new Error("The disk is gone");
  const { log, done, ending: end } = ending({ close: () => Promise.reject(error) });
  await assert.rejects(end.shutdown(), error);
  await assert.rejects(end.shutdown(), error);
  assert.deepEqual(done, ["close", "closeServers"]);
  assert.equal(await end.closed, error);
  assert.match(String(log.lines("ERR")), /The disk is gone/);
});

Deno.test("an end that fails and that nobody waits for is no error of the program around it", async () => {
  const { ending: end } = ending({ close: () => Promise.reject(new Error("The disk is gone")) });
  end.shutdown();
  assert.equal((await end.closed)?.message, "The disk is gone");
});

Deno.test("an ended agent leaves its log alone", async () => {
  const { log, done, ending: end } = ending();
  await end.shutdown();
  log.unexpected(new TypeError("late"));
  assert.equal(await end.closed, undefined);
  assert.deepEqual(done, ["close", "closeServers"]);
});

Deno.test("an agent closes everything, also when one part cannot be closed", async () => {
  const agent = await start("t");
  const listener = agent.listenRpc(`${HOST}:0`);
  const feed = agent.events();
  const { serf } = agent;
  const shutdown = serf.shutdown.bind(serf);
  const error = new Error("Serf cannot be closed");
  serf.shutdown = async () => {
    await shutdown();
    throw error;
  };
  await assert.rejects(agent.shutdown(), error);
  assert.equal(await agent.closed, error);
  const rest = await withPatience(Array.fromAsync(feed, ({ type }) => type));
  assert.deepEqual(rest, ["member-join"], "the feed ends after what was waiting");
  // Both ports are free again.
  Deno.listen({ hostname: HOST, port: listener.address.port }).close();
  Deno.listen({ hostname: HOST, port: agent.address.port }).close();
  assert.match(String(agent.log.lines("ERR")), /Unexpected error: Error: Serf cannot be closed/);
});
