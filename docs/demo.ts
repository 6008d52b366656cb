/**
 * A cluster of three agents in one process: they find each other, one fires an event, another leaves, and each
 * tells what it saw. `deno task demo` runs it; it takes about two seconds and leaves nothing behind.
 *
 * @module
 */

import { RpcClient } from "../client/mod.ts";
import { Agent, type SerfEvent } from "../mod.ts";

/** How long any step may take, in milliseconds. */
const LIMIT_MS = 8_000;

const started = performance.now();
await using alpha = await startAgent("alpha", { role: "web" });
await using beta = await startAgent("beta", { role: "web" });
await using gamma = await startAgent("gamma", { role: "db" });
const agents = [alpha, beta, gamma];

const first = `127.0.0.1:${alpha.address.port}`;
for (const agent of [beta, gamma]) await agent.join([first]);
await until(() => agents.every((agent) => aliveNames(agent).length === agents.length));
for (const agent of agents) say(agent, `sees ${aliveNames(agent).join(", ")}`);

const rpc = gamma.listenRpc("127.0.0.1:0");
await using client = await RpcClient.connect({ address: `127.0.0.1:${rpc.address.port}` });
const arrivals = agents.map((agent) => nextEvent(agent, ({ type }) => type === "user"));
say(gamma, "is asked over RPC to fire the event 'deploy' with the payload 'v1.2'");
await client.event("deploy", "v1.2", { coalesce: false });
await Promise.all(arrivals);

const departures = [alpha, beta].map((agent) => {
  return nextEvent(agent, ({ type }) => type === "member-leave");
});
say(gamma, "leaves");
await gamma.leave();
await Promise.all(departures);

async function startAgent(nodeName: string, tags: Record<string, string>): Promise<Agent> {
  const agent = await Agent.start({ nodeName, tags, bind: "127.0.0.1:0" });
  say(agent, `gossips at 127.0.0.1:${agent.address.port}`);
  return agent;
}

/** Waits for the next event that `wanted` holds for, and prints it. */
async function nextEvent(agent: Agent, wanted: (event: SerfEvent) => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<SerfEvent>();
  const unsubscribe = agent.subscribe((event) => {
    if (wanted(event)) resolve(event);
  });
  const limit = setTimeout(() => fail(`${agent.config.nodeName} got no event`), LIMIT_MS);
  const event = await promise;
  clearTimeout(limit);
  unsubscribe();
  if (event.type === "user") {
    say(
      agent,
      `got '${event.name}' with '${new TextDecoder().decode(event.payload ?? undefined)}'`,
    );
  } else if (event.type === "member-leave") {
    say(agent, `saw ${event.members.map(({ name }) => name).join(", ")} leave`);
  }
}

function aliveNames(agent: Agent): string[] {
  return agent.members().filter(({ status }) => status === "alive").map(({ name }) => name).sort();
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!holds()) {
    if (performance.now() > deadline) fail("the agents do not see each other");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function say(agent: Agent, what: string): void {
  const elapsed = ((performance.now() - started) / 1000).toFixed(2);
  console.log(`${elapsed.padStart(5)} s  ${agent.config.nodeName.padEnd(6)} ${what}`);
}

function fail(what: string): never {
  console.error(`The demo failed: ${what}`);
  Deno.exit(1);
}
