/**
 * What goes wrong in a run of simulated servers.
 *
 * @module
 */

import { type ConfigurationChange, type MemberRole } from "../../../../cluster/raft/mod.ts";
import { DiskFullError } from "../../../../cluster/runtime.ts";
import { SimFile } from "../../simulation/disk/tree.ts";
import { advise } from "../../../../server/replica/members/autopilot.ts";
import { shortId } from "../../../../server/replica/gossip_tag.ts";
import { server as gossipServer } from "../planted.ts";
import { CLUSTER } from "./rebuilding.ts";
import type { SimulatedServer, World } from "./server.ts";

/** A cluster grows to at most so many servers. */
const MAX_SERVERS = 8;

/** Longest time in which damaged messages come from others, in virtual milliseconds. */
const REPAIR_MS = 120_000;

/** Longest time in which servers start, in virtual milliseconds. */
const START_MS = 60_000;

const GOOD = { loss: 0, duplicate: 0, reorder: 0 } as const;
const BAD = { loss: 0.1, duplicate: 0.1, reorder: 0.1 } as const;

/** Who leads in the newest term in which somebody does. */
export function newestLeader(servers: readonly SimulatedServer[]): SimulatedServer | undefined {
  let newest: SimulatedServer | undefined;
  for (const server of servers) {
    if (server.raft?.role.name !== "leader" || !server.isUp) continue;
    if (newest?.raft === undefined || server.raft.term > newest.raft.term) newest = server;
  }
  return newest;
}

/** Who hears of the harm. */
export interface Victims {
  /** A server has ended: its clients learn nothing of what they have asked. */
  serverEnded(server: SimulatedServer): void;
}

/** Does harm, one at a time. */
export class Nemesis {
  /** Servers that ended without a word. */
  crashes = 0;
  /** Servers that refused what was damaged. */
  damaged = 0;
  /** Times that a disk was full. */
  full = 0;
  /** Directories that were rebuilt. */
  rebuilt = 0;
  /** Times that messages on a disk were changed. */
  flipped = 0;
  /** Changes of the members that were done. */
  changes = 0;
  readonly #world: World;
  readonly #servers: readonly SimulatedServer[];
  readonly #clients: Victims;
  readonly #add: () => SimulatedServer;
  readonly #paused = new Set<SimulatedServer>();
  /** Each run is hard on some things: how likely each harm is. */
  readonly #harms: readonly { readonly weight: number; readonly harm: () => unknown }[];

  constructor(
    world: World,
    servers: readonly SimulatedServer[],
    clients: Victims,
    add: () => SimulatedServer,
  ) {
    this.#world = world;
    this.#servers = servers;
    this.#clients = clients;
    this.#add = add;
    const harms: readonly (() => unknown)[] = [
      () => this.#end(this.#any(), "crashed"),
      () => this.#end(this.#any(), "killed"),
      () => this.#end(this.#any(), "closed"),
      () => this.#endAll(),
      () => this.#crashAtOperation(),
      () => this.#crashInElection(),
      () => this.#crashInStart(),
      () => this.#crashAfterKill(),
      () => this.#pause(this.#any()),
      () => this.#cut(),
      () => this.#fill(this.#any()),
      () => this.#change(),
      () => this.#change(),
      () => this.#change(),
      () => this.#operate(newestLeader(servers)?.replica?.transfer()),
      () => this.#operate(this.#any().replica?.snapshot().catch(unlessFull)),
      () => this.#damage(),
      ...world.topics === undefined ? [] : [() => this.#flipMessages(), () => this.#flipMessages()],
      ...world.rebuilds ? Array.from({ length: 5 }, () => () => this.#rebuild()) : [],
    ];
    this.#harms = harms.map((harm) => ({ weight: world.random.float() ** 2, harm }));
  }

  /** Does one thing, which need not be harm. */
  async act(): Promise<void> {
    const { random, simulation, rebuilds } = this.#world;
    if (rebuilds) this.tend();
    simulation.setNetwork(random.float() < 0.5 ? BAD : GOOD);
    const chance = random.float();
    if (chance < 0.35) return await this.startAll();
    if (chance < 0.5) return this.calm();
    const total = this.#harms.reduce((sum, { weight }) => sum + weight, 0);
    let at = random.float() * total;
    await this.#harms.find(({ weight }) => (at -= weight) < 0)?.harm();
  }

  /** Ends all that is wrong, but for servers that do not run. */
  calm(): void {
    const { simulation } = this.#world;
    simulation.heal();
    for (const server of this.#paused) simulation.resume(server.host);
    this.#paused.clear();
    for (const { disk } of this.#servers) disk.room = Infinity;
  }

  /** The network is well. */
  goodNetwork(): void {
    this.#world.simulation.setNetwork(GOOD);
  }

  /** Starts all that do not run, but for those that must not. */
  async startAll(): Promise<void> {
    for (const server of this.#servers) {
      if (!server.isUp && !server.isStarting && !server.isDamaged) server.start();
    }
    await this.#started();
  }

  /** What servers, and the leader, do by themselves about those that were rebuilt. */
  tend(): void {
    const leader = newestLeader(this.#servers);
    for (const server of this.#servers) {
      server.lookAtFormer((operation) =>
        operation.kind === "change" && leader?.replica !== undefined
          ? leader.replica.change(operation.change)
          : Promise.resolve({ reason: "no-leader" })
      );
    }
    if (leader?.replica === undefined) return;
    const rebuilt = this.#servers.filter(({ isUp, replaces }) => isUp && replaces !== undefined);
    const seen = rebuilt.map(({ id }) => gossipServer(id, { cluster: shortId(CLUSTER) }));
    const advice = advise(leader.replica.status, seen, shortId(CLUSTER), 0);
    if (advice !== undefined) this.#operate(leader.replica.change(advice.change));
  }

  /** Whether all that were rebuilt are members, and nobody's earlier id is, unless its server cannot run to take it out. */
  get isTended(): boolean {
    const members = newestLeader(this.#servers)?.raft?.members.configuration;
    const isMember = (one: string) => members?.some(({ id }) => id === one);
    const isSomebody = (one: string) =>
      this.#servers.some(({ id, isUp, replaces }) =>
        id === one || (!isUp && replaces?.includes(one))
      );
    return members !== undefined && members.every(({ id }) => isSomebody(id)) &&
      this.#servers.every(({ id, isUp, replaces }) =>
        !isUp || replaces === undefined || (isMember(id) && replaces.length === 0)
      );
  }

  async #started(): Promise<void> {
    const isDone = (): boolean => !this.#servers.some(({ isStarting }) => isStarting);
    if (!await this.#world.simulation.runUntil(isDone, START_MS, 0)) {
      this.#world.checker.note("Servers do not start");
    }
  }

  /** Whether those who work still are a majority of the voters, when one more is damaged, or the members change. */
  canGoOn(voters: readonly string[], without?: SimulatedServer): boolean {
    const working = voters.filter((id) => {
      const server = this.#servers.find((one) => one.id === id);
      return server !== undefined && server !== without && !server.isDamaged;
    });
    return working.length > voters.length / 2;
  }

  #any(): SimulatedServer {
    return this.#oneOf(this.#servers);
  }

  #end(server: SimulatedServer, how: "closed" | "killed" | "crashed"): void {
    if (!server.isUp && !server.isStarting) return;
    if (how === "crashed") this.crashes++;
    this.#paused.delete(server);
    server.end(how);
    this.#clients.serverEnded(server);
  }

  #endAll(): void {
    for (const server of this.#servers) this.#end(server, "crashed");
  }

  /** The power of one or all fails after some operation of a disk, while others are under way. */
  async #crashAtOperation(): Promise<void> {
    const server = this.#any();
    const { disk } = server;
    const last = disk.operations + this.#dice(40);
    await this.#world.simulation.runUntil(() => disk.operations >= last, 1_000, 0);
    if (this.#dice(3) === 0) this.#endAll();
    else this.#end(server, "crashed");
  }

  /** The leader loses power, and then others at any step of what follows, which are back at once. */
  async #crashInElection(): Promise<void> {
    const { simulation, checker, random } = this.#world;
    const leader = newestLeader(this.#servers);
    if (leader !== undefined) this.#end(leader, "crashed");
    await this.startAll();
    const term = checker.lastTerm;
    const others = this.#servers.filter((server) => server !== leader);
    const hasBegun = (): boolean => others.some(({ raft }) => (raft?.term ?? 0) > term);
    await simulation.runUntil(hasBegun, 5_000, 0);
    let steps = this.#dice(25);
    await simulation.runUntil(() => steps-- <= 0, 100, 0);
    for (const server of others) if (random.float() < 0.7) this.#end(server, "crashed");
    await this.startAll();
  }

  /** The power fails again while a server starts. */
  async #crashInStart(): Promise<void> {
    const server = this.#any();
    if (server.isDamaged) return;
    this.#end(server, "crashed");
    for (let times = 1 + this.#dice(2); times > 0; times--) {
      const last = server.disk.operations + this.#dice(15);
      server.start();
      await this.#world.simulation.runUntil(() => server.disk.operations >= last, 1_000, 0);
      this.#end(server, this.#dice(3) === 0 ? "killed" : "crashed");
    }
  }

  /** The process dies, and the power fails when the next one has hardly begun: what it found had to last. */
  async #crashAfterKill(): Promise<void> {
    const { simulation, random } = this.#world;
    const server = this.#any();
    if (!server.isUp) return;
    const { disk } = server;
    const last = disk.operations + this.#dice(20);
    await simulation.runUntil(() => disk.operations >= last, 1_000, 0);
    this.#end(server, "killed");
    server.start();
    await simulation.runFor(random.float() * 300);
    this.#end(server, "crashed");
    if (this.#dice(2) === 0) this.#endAll();
  }

  #pause(server: SimulatedServer): void {
    if (!server.isUp || this.#paused.has(server)) return;
    this.#paused.add(server);
    this.#world.simulation.pause(server.host);
  }

  #cut(): void {
    const { simulation } = this.#world;
    const alone = this.#any();
    const isSplit = this.#dice(3) === 0;
    const side = this.#servers.filter((one) => isSplit ? this.#dice(2) === 0 : one === alone);
    const rest = this.#servers.filter((one) => !side.includes(one));
    const [a, b] = [side, rest].map((part) => part.map(({ host }) => host)) as [string[], string[]];
    const isOneWay = this.#dice(2) === 0;
    if (this.#dice(2) === 0) simulation.partition(a, b, isOneWay);
    else simulation.partition(b, a, isOneWay);
  }

  #fill(server: SimulatedServer): void {
    this.full++;
    server.disk.room = this.#dice(3_000);
  }

  #operate(promise: Promise<unknown> | undefined): void {
    promise?.catch((error: unknown) => this.#world.checker.note(`Operation failed: ${error}`));
  }

  #change(): void {
    const leader = newestLeader(this.#servers);
    if (leader?.replica === undefined || leader.raft === undefined) return;
    const { configuration } = leader.raft.members;
    const change = this.#anyChange(configuration.map(({ id }) => id));
    const voters = configuration.filter(({ id, role }) => role === "voter" && id !== change.id)
      .map(({ id }) => id);
    if (change.role === "voter") voters.push(change.id);
    if (!this.canGoOn(voters)) return;
    const { replica } = leader;
    this.#operate(
      replica.change(change).then((outcome) => void (outcome === undefined && this.changes++)),
    );
  }

  #anyChange(members: readonly string[]): ConfigurationChange {
    const damaged = this.#servers.find(({ id, isDamaged }) => isDamaged && members.includes(id));
    if (damaged !== undefined) return { kind: "remove", id: damaged.id };
    if (this.#dice(3) === 0) return { kind: "remove", id: this.#oneOf(members) };
    const isNew = this.#servers.length < MAX_SERVERS && this.#dice(3) === 0;
    const server = isNew ? this.#begun() : this.#any();
    if (server.isDamaged) return { kind: "remove", id: this.#oneOf(members) };
    const roles: readonly MemberRole[] = ["voter", "voter", "staging", "learner"];
    return { kind: "add", id: server.id, role: this.#oneOf(roles) };
  }

  #begun(): SimulatedServer {
    const server = this.#add();
    server.start();
    return server;
  }

  /** A bit of what a server has synced turns over while it is off: it must not serve again, and the others go on. */
  async #damage(): Promise<void> {
    if (this.#servers.some(({ isDamaged }) => isDamaged)) return;
    await this.startAll();
    const server = this.#any();
    const known = this.#servers.flatMap(({ raft }) => raft === undefined ? [] : [raft.members]);
    if (!server.isUp || !known.every(({ voters }) => this.canGoOn(voters, server))) return;
    this.#end(server, "crashed");
    // What the crash has torn is put right, and synced.
    server.start();
    await this.#world.simulation.runUntil(() => !server.isStarting, START_MS, 0);
    this.#end(server, "crashed");
    const path = this.#oneOf(keptFiles(server));
    server.disk.flip(path);
    server.isDamaged = true;
    server.start();
    await this.#world.simulation.runUntil(() => !server.isStarting, START_MS, 0);
    if (server.refusal === undefined) this.#world.checker.note(`${path} is damaged, and used`);
    this.damaged++;
  }

  /** A bit of a segment turns over, of a server that runs or not: it is not served, and the others have it. */
  async #flipMessages(): Promise<void> {
    const { topics, simulation, checker } = this.#world;
    this.calm();
    this.goodNetwork();
    await this.startAll();
    const server = this.#any();
    const leader = newestLeader(this.#servers);
    const isMember = leader?.raft?.members.configuration.some(({ id }) => id === server.id);
    const others = this.#servers.filter((one) => one !== server && one.isUp);
    const paths = segmentFiles(server);
    if (topics === undefined || !server.isUp || !isMember || others.length === 0) return;
    if (paths.length === 0) return;
    const known = this.#servers.flatMap(({ raft }) => raft === undefined ? [] : [raft.members]);
    if (!known.every(({ voters }) => this.canGoOn(voters, server))) return;
    topics.flipped.add(server.id);
    const restarts = this.#dice(2) === 0;
    if (restarts) this.#end(server, this.#dice(2) === 0 ? "killed" : "crashed");
    // What a snapshot that is still to come needs is not looked at before it has come.
    const told = new Map(
      [...server.messages?.rows() ?? []].map(({ segment, bytes }) => {
        return [server.messages?.files.pathOf(segment), bytes];
      }),
    );
    for (let count = 1 + this.#dice(3); count > 0; count--) {
      const path = this.#oneOf(paths);
      const node = server.disk.root.find(path);
      const length = restarts ? Infinity : told.get(path) ?? 0;
      const bytes = node instanceof SimFile ? Math.min(node.length, length) : 0;
      if (bytes > 0) server.disk.flip(path, this.#dice(8 * bytes));
    }
    this.flipped++;
    if (restarts) await this.startAll();
    const { messages } = server;
    let isChecked = false;
    const end = (error?: unknown): void => {
      isChecked = true;
      if (error !== undefined && messages?.isAlive()) checker.note(`${error}`);
    };
    messages?.files.check(() => false).then(() => end(), end);
    const isWhole = (): boolean =>
      isChecked && topics.needed(messages?.files.damaged() ?? []).length === 0;
    if (await simulation.runUntil(isWhole, REPAIR_MS, 0)) topics.flipped.delete(server.id);
    else checker.note(`Messages of ${server.id} stay damaged`);
  }

  /** A directory is damaged, or its operator takes it for that: it is made anew, and the power fails meanwhile, again and again. */
  async #rebuild(): Promise<void> {
    await this.startAll();
    const damaged = this.#servers.find(({ isDamaged }) => isDamaged);
    const server = damaged ?? this.#any();
    const known = this.#servers.flatMap(({ raft }) => raft === undefined ? [] : [raft.members]);
    if (!known.every(({ voters }) => this.canGoOn(voters, server))) return;
    if ((server.replaces ?? []).length > 2 || (damaged === undefined && !server.isUp)) return;
    this.#end(server, this.#dice(2) === 0 ? "killed" : "crashed");
    server.disk.room = Infinity;
    for (let tries = this.#dice(4); !await server.rebuild(tries > 0 ? this.#dice(25) : Infinity);) {
      tries--;
      // Its operator tries whether it starts: as whoever it is by now.
      if (server.isDamaged || this.#dice(2) === 0) continue;
      server.start();
      await this.#world.simulation.runUntil(() => !server.isStarting, START_MS, 0);
      if (server.isUp) return;
    }
    server.isDamaged = false;
    this.rebuilt++;
  }

  #dice(limit: number): number {
    return Math.floor(this.#world.random.float() * limit);
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[this.#dice(list.length)] as T;
  }
}

/** The segments of messages that a server has. */
function segmentFiles({ disk }: SimulatedServer): string[] {
  const folder = disk.root.find("topics");
  if (folder === undefined || folder instanceof SimFile) return [];
  return folder.entries().flatMap(({ name }) => {
    const topic = disk.root.find(`topics/${name}`);
    if (topic === undefined || topic instanceof SimFile) return [];
    return topic.entries().map((file) => `topics/${name}/${file.name}`);
  });
}

/** The files that a server cannot do without. */
function keptFiles({ disk }: SimulatedServer): string[] {
  const namesIn = (folder: string, end: RegExp): string[] => {
    const node = disk.root.find(folder);
    if (node === undefined || node instanceof SimFile) return [];
    return node.entries().filter(({ name }) => end.test(name)).map(({ name }) =>
      `${folder}/${name}`
    );
  };
  return [
    "raft/vote",
    ...namesIn("raft", /\.log$/),
    ...namesIn("raft/snapshots", /\.snapshot$/).slice(-1),
  ];
}

/** An operator who asks for a snapshot on a full disk is told so: nothing else may go wrong with it. */
function unlessFull(error: unknown): void {
  if (!(error instanceof DiskFullError)) throw error;
}
