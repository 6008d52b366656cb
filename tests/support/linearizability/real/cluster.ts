/**
 * Three servers as processes that can be killed, stopped and started again.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { type AgentProcess, eventually, type Program, skein, startAgent } from "../../agents.ts";
import { Connection, type Place } from "../connection.ts";
import type { Ground } from "./ground.ts";

const GOSSIP_PORT = 7946;
const RPC_PORT = 7373;
const PEER_PORT = 7376;
const KV_PORT = 8379;

/** Snapshots after few entries, so that servers that were away need them. */
const FEW_ENTRIES: Configuration = { raft: { snapshot_entries: 400, trailing: 200 } };

/** Three servers that were just started agree on a leader within this time, in milliseconds. */
const FOUNDING_LIMIT_MS = 5_000;

/** After whatever was done to them, servers have to work again within this time, in milliseconds. */
const RECOVERY_LIMIT_MS = 30_000;

/** A key that no client uses. */
const PROBE = "probe";

/** Lines of a server's output that are kept of each of its lives. */
const KEPT_LINES = 400;

/** What the configuration of all servers says. */
export interface Configuration {
  readonly raft?: Readonly<Record<string, number>>;
  readonly sessions?: Readonly<Record<string, string>>;
}

/** One server, whether it runs or not. */
export interface Server {
  readonly number: number;
  /** Name of its agent. */
  readonly name: string;
  /** Where it answers clients ... */
  readonly place: Place;
  /** ... and where command lines. */
  readonly rpc: string;
  readonly dataDir: string;
  /** The process. */
  agent: AgentProcess | undefined;
  /** Resolves when it has a state again that it had lost. */
  renewal: Promise<void>;
  /** What it said in the lives that are over. */
  said: string;
}

/** The servers. */
export class Cluster implements AsyncDisposable {
  readonly ground: Ground;
  readonly servers: readonly Server[];
  /** Processes that were killed while they ran. */
  kills = 0;
  readonly #configuration: string;

  private constructor(ground: Ground, configuration: string) {
    this.ground = ground;
    this.#configuration = configuration;
    this.servers = ground.hosts.map((hostname, number) => ({
      number,
      name: `n${number + 1}`,
      place: { hostname, port: KV_PORT },
      rpc: `${hostname}:${RPC_PORT}`,
      dataDir: join(ground.disks[number] as string, "data"),
      agent: undefined,
      renewal: Promise.resolve(),
      said: "",
    }));
  }

  /** Starts all servers and waits until they work; `folder` gets their configuration. */
  static async start(
    ground: Ground,
    folder: string,
    configuration: Configuration = FEW_ENTRIES,
  ): Promise<Cluster> {
    const path = join(folder, "servers.json");
    await Deno.writeTextFile(path, JSON.stringify(configuration));
    const cluster = new Cluster(ground, path);
    try {
      await Promise.all(cluster.servers.map((server) => cluster.start(server)));
      await cluster.settle(FOUNDING_LIMIT_MS);
      const leaders = await Promise.all(cluster.servers.map((server) => cluster.leaderAt(server)));
      assert.ok(leaders[0] !== undefined && new Set(leaders).size === 1, `Leaders: ${leaders}`);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** Starts one. Throws, with all it said, when it does not come up. */
  async start(server: Server): Promise<void> {
    const { number, name, place: { hostname }, dataDir } = server;
    const { launcher, hosts, flags } = this.ground;
    const program: Program = { ...skein, command: [...launcher(number), ...skein.command] };
    const agent = await startAgent(program, {
      name,
      host: hostname,
      bindPort: GOSSIP_PORT,
      rpcPort: RPC_PORT,
      flags: [
        "-server",
        `-data-dir=${dataDir}`,
        `-bootstrap-expect=${hosts.length}`,
        `-peer-addr=${hostname}:${PEER_PORT}`,
        `-kv-addr=${hostname}:${KV_PORT}`,
        `-session-addr=${hostname}`,
        `-topics-addr=${hostname}`,
        "-profile=local",
        `-config-file=${this.#configuration}`,
        "-retry-interval=1s",
        ...hosts.filter((host) => host !== hostname).map((host) =>
          `-retry-join=${host}:${GOSSIP_PORT}`
        ),
        ...flags,
      ],
    });
    server.agent = agent;
    agent.exited.then(() => {
      if (server.agent !== agent) return;
      server.renewal = this.#renewState(server, agent);
      // Whoever needs the server hears of it.
      server.renewal.catch(() => {});
    });
  }

  /** Kills one with SIGKILL; returns when it is gone. */
  async kill(server: Server): Promise<void> {
    await server.renewal;
    const { agent } = server;
    if (agent === undefined) return;
    this.kills++;
    await this.#end(server, agent);
  }

  async #end(server: Server, agent: AgentProcess): Promise<void> {
    server.agent = undefined;
    await agent.stop();
    const lines = agent.output().split("\n").slice(-KEPT_LINES);
    server.said += `${lines.join("\n")}\n--- killed\n`;
  }

  /** The server that leads, as far as any knows. */
  async leader(): Promise<Server | undefined> {
    for (const server of this.servers) {
      const name = await this.leaderAt(server);
      const leader = this.servers.find((one) => one.name === name);
      if (leader !== undefined) return leader;
    }
    return undefined;
  }

  /** The name of the server that leads, as far as one knows; `undefined` when it knows of none, or does not run. */
  async leaderAt(server: Server): Promise<unknown> {
    using connection = new Connection();
    if (server.agent === undefined || !await connection.open(server.place)) return undefined;
    const reply = await connection.ask({ action: "HELLO" });
    return (reply?.result as { leader?: unknown } | undefined)?.leader ?? undefined;
  }

  /** Waits until every server runs and answers with what is new. */
  async settle(limitMs = RECOVERY_LIMIT_MS): Promise<void> {
    await Promise.all(this.servers.map(async (server) => {
      await eventually(`${server.name} works again`, async () => {
        await server.renewal;
        using connection = new Connection();
        assert.ok(server.agent !== undefined && await connection.open(server.place));
        const reply = await connection.ask({ action: "GET", key: PROBE });
        assert.equal(reply?.code, 404, JSON.stringify(reply));
        return true;
      }, limitMs);
    }));
  }

  /** What each server said, by its name. */
  get logs(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.servers.map(({ name, said, agent }) => [name, said + (agent?.output() ?? "")]),
    );
  }

  /** A row of a damaged state may be read long after the start. Then its server ends; log and snapshot make the state anew. */
  async #renewState(server: Server, agent: AgentProcess): Promise<void> {
    await this.#end(server, agent);
    assert.match(agent.output(), /\n==> State '[^'\n]*' is damaged: [^\n]*\n+$/);
    await Deno.remove(join(server.dataDir, "state"), { recursive: true });
    await this.start(server);
  }

  /** Kills all. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => this.kill(server)));
  }
}
