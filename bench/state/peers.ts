/**
 * Who is measured, and how each is started so that what it acknowledges is on the disks of a majority.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Program, skein } from "../../tests/support/agents.ts";
import type { Who } from "./figures.ts";
import type { Ground, Process } from "./ground.ts";
import type { Kind, Load, Target } from "./load.ts";

/** A product. */
export interface Peer {
  readonly who: Who;
  /** With its version. */
  readonly label: string;
  readonly kind: Kind;
  /** Port of its clients. */
  readonly port: number;
  /** The command line of server `index` of those at `hosts`, whose data are in `folder`. */
  readonly command: (index: number, hosts: readonly string[], folder: string) => readonly string[];
}

/** skein from this checkout. */
export const skeinPeer: Peer = skeinPeerOf(skein);

/** skein, in the form that `program` starts. */
export function skeinPeerOf(program: Program): Peer {
  return {
    who: "skein",
    label: program.label,
    kind: "lines",
    port: 8379,
    command: (index, hosts, folder) => [
      ...agentCommand(program, `s${index}`, hosts[index] as string),
      "-server",
      `-data-dir=${folder}`,
      `-bootstrap-expect=${hosts.length}`,
      `-peer-addr=${hosts[index]}:7376`,
      `-kv-addr=${hosts[index]}:8379`,
      `-session-addr=${hosts[index]}`,
      `-topics-addr=${hosts[index]}`,
      "-retry-interval=1s",
      ...hosts.filter((_, i) => i !== index).map((host) => `-retry-join=${host}:7946`),
    ],
  };
}

/** An agent of skein that keeps no state. */
export function agentCommand(program: Program, name: string, host: string): string[] {
  return [
    ...program.command,
    "agent",
    `-node=${name}`,
    `-bind=${host}:7946`,
    `-rpc-addr=${host}:7373`,
    "-log-level=err",
  ];
}

/** etcd as it comes: `SKEIN_ETCD`, or the first on PATH. */
export function etcdPeer(): Peer | undefined {
  const found = programOf("etcd", "SKEIN_ETCD", /etcd Version: (\S+)/);
  return found && {
    who: "etcd",
    label: `etcd ${found.version}`,
    kind: "etcd",
    port: 2379,
    command: (index, hosts, folder) => [
      found.path,
      `--name=n${index}`,
      `--data-dir=${folder}`,
      "--log-level=error",
      `--listen-peer-urls=http://${hosts[index]}:2380`,
      `--initial-advertise-peer-urls=http://${hosts[index]}:2380`,
      `--listen-client-urls=http://${hosts[index]}:2379`,
      `--advertise-client-urls=http://${hosts[index]}:2379`,
      `--initial-cluster=${hosts.map((host, i) => `n${i}=http://${host}:2380`).join(",")}`,
    ],
  };
}

/** Redis that syncs every write, the first server the primary of the others: `SKEIN_REDIS`, or the first on PATH. */
export function redisPeer(): Peer | undefined {
  const found = programOf("redis-server", "SKEIN_REDIS", /v=(\S+)/);
  return found && {
    who: "redis",
    label: `Redis ${found.version}`,
    kind: "redis",
    port: 6379,
    command: (index, hosts, folder) => [
      found.path,
      ...["--bind", hosts[index] as string, "--port", "6379", "--dir", folder],
      ...["--appendonly", "yes", "--appendfsync", "always", "--save", ""],
      ...index === 0 ? [] : ["--replicaof", hosts[0] as string, "6379"],
    ],
  };
}

/** Servers of one product. */
export class Servers implements AsyncDisposable {
  readonly peer: Peer;
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
  readonly #ground: Ground;
  readonly #folder: string;
  readonly #processes: (Process | undefined)[] = [];

  private constructor(peer: Peer, hosts: readonly string[], ground: Ground) {
    this.peer = peer;
    this.hosts = hosts;
    this.addresses = hosts.map((host) => `${host}:${peer.port}`);
    this.#ground = ground;
    this.#folder = join(ground.folder, `${peer.who}-${hosts.join("-")}`);
  }

  /** Starts one at each of `hosts` and waits until a write is acknowledged and all answer. */
  static async start(
    peer: Peer,
    hosts: readonly string[],
    { ground, load }: { ground: Ground; load: Load },
  ): Promise<Servers> {
    const servers = new Servers(peer, hosts, ground);
    await using stack = new AsyncDisposableStack();
    stack.use(servers);
    try {
      for (const i of hosts.keys()) await servers.start(i);
      await load.run(servers.target, "set", { time: "50ms", "warm-up": "0s" });
      for (const i of hosts.keys()) await load.run(servers.only(i), "await");
    } catch (error) {
      throw new Error(`${peer.label} does not work: ${servers.output}`, { cause: error });
    }
    stack.move();
    return servers;
  }

  /** All of them. */
  get target(): Target {
    return { kind: this.peer.kind, addresses: this.addresses, pids: this.pids };
  }

  /** One of them. */
  only(index: number): Target {
    return { ...this.target, addresses: [this.addresses[index] as string] };
  }

  /** Those that run. */
  get pids(): number[] {
    return this.#processes.flatMap((process) => process?.pid ?? []);
  }

  /** What they said last. */
  get output(): string {
    return this.#processes.map((process) => process?.output() ?? "").join("\n");
  }

  /** Starts one, on the data that it has. */
  async start(index: number): Promise<void> {
    const folder = join(this.#folder, `${index}`);
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    this.#processes[index] = this.#ground.spawn(
      this.peer.command(index, this.hosts, folder),
      { NO_COLOR: "1" },
    );
  }

  /** Kills one with SIGKILL. */
  async kill(index: number): Promise<void> {
    await this.#processes[index]?.kill();
    this.#processes[index] = undefined;
  }

  /** Kills all and removes their data. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.hosts.map((_, i) => this.kill(i)));
    if (existsSync(this.#folder)) await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A program: the one that an environment variable names, or the first on PATH. */
export function programOf(
  name: string,
  variable: string,
  version: RegExp,
): { path: string; version: string } | undefined {
  const path = Deno.env.get(variable) ||
    (Deno.env.get("PATH") ?? "").split(":").map((folder) => join(folder, name)).find(existsSync);
  if (path === undefined) return undefined;
  const { stdout } = new Deno.Command(path, { args: ["--version"] }).outputSync();
  const found = version.exec(new TextDecoder().decode(stdout))?.[1];
  if (found === undefined) throw new Error(`'${path} --version' tells no version`);
  return { path, version: found };
}
