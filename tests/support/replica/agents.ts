/**
 * Servers as agents of this process, with a data directory each.
 *
 * @module
 */

import { Agent } from "../../../server/agent/agent.ts";
import type { AgentSettings } from "../../../server/agent/start/settings.ts";
import type { StateStatus } from "../../../server/replica/state_status.ts";
import { eventually } from "../agents.ts";
import { KvPeer } from "../kv/stage.ts";
import { loopback } from "../loopback.ts";
import { LineClient } from "../net/line_client.ts";

const HOST = loopback();

/** A folder for the data of a test, gone after it. */
export async function folder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "skein-state-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Starts a server whose data are below `path`, in a directory of its name. */
export function startServer(
  name: string,
  path: string,
  settings: AgentSettings = {},
): Promise<Agent> {
  return Agent.start({
    nodeName: name,
    bind: `${HOST}:0`,
    profile: "local",
    server: true,
    dataDir: `${path}/${name}`,
    peerAddr: `${HOST}:0`,
    kvAddr: `${HOST}:0`,
    sessionAddr: `${HOST}:0`,
    topicsAddr: `${HOST}:0`,
    bootstrapExpect: 3,
    raft: { electionTimeoutMs: 500, heartbeatMs: 50 },
    ...settings,
  });
}

/** Starts a gateway that joins through some agents. */
export function startGateway(
  name: string,
  others: readonly Agent[],
  settings: AgentSettings = {},
): Promise<Agent> {
  return Agent.start({
    nodeName: name,
    bind: `${HOST}:0`,
    profile: "local",
    peerAddr: `${HOST}:0`,
    kvAddr: `${HOST}:0`,
    startJoin: others.map(addressOf),
    ...settings,
  });
}

/** A client of an agent. */
export async function clientOf(agent: Agent): Promise<KvPeer> {
  const [hostname = "", port] = agent.state?.addresses.kvAddr?.split(":") ?? [];
  const address: Deno.NetAddr = { transport: "tcp", hostname, port: Number(port) };
  return new KvPeer(await LineClient.connect(address));
}

/** Where an agent is found by gossip. */
export function addressOf(agent: Agent): string {
  return `${HOST}:${agent.address.port}`;
}

/** What a server tells of itself. */
export async function statusOf(agent: Agent): Promise<StateStatus> {
  return await agent.state?.administer("status") as StateStatus;
}

/** The name of the leader on which all agree, who is one of them; all have got the members from it. */
export async function leaderOf(agents: readonly Agent[]): Promise<string> {
  let name: string | undefined;
  await eventually("all agree on a leader", async () => {
    const all = await Promise.all(agents.map(statusOf));
    const names = new Set(all.map(({ leader }) => leader));
    name = [...names][0] ?? undefined;
    if (all.some(({ peers }) => peers.length === 0)) return false;
    return names.size === 1 && agents.some(({ config }) => config.nodeName === name);
  });
  return name as string;
}

/** Servers that found a cluster together, and come and go. */
export class Servers implements AsyncDisposable {
  /** Those that run. */
  readonly agents: Agent[] = [];
  readonly #path: string;
  readonly #settings: AgentSettings;
  /** Where each was found last: who comes back there needs not wait until its end is known. */
  readonly #places = new Map<string, string>();

  constructor(path: string, settings: AgentSettings) {
    this.#path = path;
    this.#settings = settings;
  }

  /** The one of that name, which runs. */
  at(name: string): Agent {
    return this.agents.find(({ config }) => config.nodeName === name) as Agent;
  }

  /** Starts one where it was before, and lets it join those that run. */
  async start(name: string, settings: AgentSettings = {}): Promise<Agent> {
    const startJoin = this.agents.slice(0, 1).map(addressOf);
    const bind = this.#places.get(name);
    const agent = await startServer(name, this.#path, {
      ...this.#settings,
      ...bind !== undefined && { bind },
      startJoin,
      ...settings,
    });
    this.agents.push(agent);
    this.#places.set(name, addressOf(agent));
    return agent;
  }

  /** Ends some. */
  async end(...names: string[]): Promise<void> {
    for (const name of names) {
      const at = this.agents.findIndex(({ config }) => config.nodeName === name);
      const [agent] = this.agents.splice(at, 1);
      await agent?.shutdown();
    }
  }

  /** Ends all. */
  endAll(): Promise<void> {
    return this.end(...this.agents.map(({ config }) => config.nodeName));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.shutdown()));
  }
}

/** Three servers, `a`, `b` and `c`, that have found each other. */
export async function threeServers(path: string, settings: AgentSettings = {}): Promise<Servers> {
  const servers = new Servers(path, settings);
  for (const name of ["a", "b", "c"]) await servers.start(name);
  return servers;
}
