/**
 * A whole server of the replicated state on a simulated machine: the driver, and log, vote and snapshots on a disk that crashes.
 * Only the links are others, and the state is in memory.
 *
 * @module
 */

import type { Entry } from "../../../../cluster/raft/log/entry.ts";
import { lastIndexOf } from "../../../../cluster/raft/log/restored.ts";
import { Machine, type MachineListener, PROGRAM } from "../../../../cluster/machine/mod.ts";
import {
  DEFAULT_RAFT_OPTIONS,
  foundingEntry,
  type Raft,
  type RaftOptions,
} from "../../../../cluster/raft/mod.ts";
import {
  type Clock,
  type Disk,
  DiskFullError,
  type Random,
  type Stream,
} from "../../../../cluster/runtime.ts";
import {
  type NodeIdentity,
  readNodeFile,
  writeNodeFile,
} from "../../../../server/replica/directory/node_file.ts";
import { type FormerHost, FormerIds } from "../../../../server/replica/rebuilding/former.ts";
import { Replica } from "../../../../server/replica/driver/replica.ts";
import { restore } from "../../../../server/replica/driver/restore.ts";
import { LogFiles } from "../../../../server/replica/log/log_files.ts";
import { VoteFile } from "../../../../server/replica/log/vote_file.ts";
import { mayLackVote } from "../../../../server/replica/storage.ts";
import type { OperationOutcome } from "../../../../server/replica/wire_requests.ts";
import { SnapshotFiles } from "../../../../server/replica/snapshots/snapshot_files.ts";
import type { SimDisk } from "../../simulation/disk/sim_disk.ts";
import type { SeededRandom } from "../../simulation/random.ts";
import type { SimRuntime, Simulation } from "../../simulation/simulation.ts";
import type { Checker } from "./checker.ts";
import { type MessageRule, openMessages } from "./messages.ts";
import type { KeptMessages, SimulatedTopics } from "./topics.ts";
import { KeptState, LaggingStore } from "./lagging_store.ts";
import { hostOf, Links, type Parcels, PORT } from "./links.ts";
import { orderedLog } from "./ordered_log.ts";
import { nodeIdOf, rebuild } from "./rebuilding.ts";

/** Small, so that a short run has many of everything. */
const OPTIONS: RaftOptions = {
  ...DEFAULT_RAFT_OPTIONS,
  maxBytes: 16_384,
  cacheBytes: 4_000,
  stagingMs: 500,
  stagingGap: 20,
};
const SEGMENT_BYTES = 8_192;

/** A disk with less room than that has none for a state. */
const STATE_BYTES = 500;

/** Disks may be slower than usual by factors up to this, mostly far less. */
const SLOWNESS = 40;

/** A clock runs so much faster or slower than it should, at most. */
const CLOCK_ERROR = 0.05;

/** Looks at the machines of all servers. */
export interface Follower {
  /** Looks at the machine of a server after all that it applies. */
  watched(id: string, machine: Machine): void;
}

/** What runs in a process beside its replica. */
export interface Beside {
  /** Hears of what entries do. */
  readonly listener: MachineListener;
  /** As the replica tells it. */
  progressed(): void;
  /** Takes a connection over. */
  accept(stream: Stream): void;
  /** The process ends. */
  close(): void;
}

/** What all servers of a run share. */
export interface World {
  readonly simulation: Simulation;
  readonly random: SeededRandom;
  readonly checker: Checker;
  readonly parcels: Parcels;
  /** Who looks at all machines. Default: nobody. */
  readonly followers?: readonly Follower[];
  /** Begins what runs beside the replica of a server, in each process anew. Default: nothing. */
  readonly beside?: (
    server: SimulatedServer,
    parts: { readonly clock: Clock; readonly random: Random },
  ) => Beside;
  /** Watches topics, if there are any. */
  readonly topics?: SimulatedTopics | undefined;
  /** A rule of messages that is left out. */
  readonly without?: MessageRule | undefined;
  /** After so many entries there is a snapshot, and so many before it stay in the log. */
  readonly snapshots: { readonly every: number; readonly trailing: number };
  /** Whether directories are rebuilt: each has a `node.json` then. Default: none is. */
  readonly rebuilds?: boolean;
  /** How long a state takes to reach the disk, in milliseconds. Default: chance decides. */
  readonly stateMs?: number;
}

/** One server, over all its lives. */
export class SimulatedServer {
  /** Another one after its directory was rebuilt. */
  id: string;
  readonly host: string;
  /** What runs, if something does. */
  replica: Replica | undefined;
  raft: Raft | undefined;
  store: LaggingStore | undefined;
  /** What it has of messages, if there are topics. */
  messages: KeptMessages | undefined;
  /** Which life this is. */
  life = 0;
  /** Whether it has begun to start and is neither up nor down yet. */
  isStarting = false;
  /** Why it did not start, the last time. */
  refusal: Error | undefined;
  /** A bit of what it had on the disk was changed: it must never serve again. */
  isDamaged = false;
  /** A rebuild of it has ended too early: it need not start. */
  isHalfMade = false;
  /** Its earlier ids, if it was rebuilt. */
  replaces: readonly string[] | undefined;
  /** Up to where its log was looked at. */
  checkedIndex = 0;
  /** Snapshots of others that it took over. */
  installed = 0;
  readonly #world: World;
  readonly #kept = new KeptState();
  readonly #number: number;
  #generation = 0;
  #former: FormerIds | undefined;
  #beside: Beside | undefined;

  /** `name` is "s" and a number. */
  constructor(name: string, world: World) {
    this.#number = Number(name.slice(1));
    this.id = world.rebuilds ? nodeIdOf(this.#number, 0) : name;
    this.host = hostOf(name);
    this.#world = world;
  }

  /** Whether it runs. */
  get isUp(): boolean {
    return this.replica !== undefined;
  }

  /** The disk of its machine. */
  get disk(): SimDisk {
    return this.#world.simulation.disk(this.host);
  }

  /** Begins to start it with what its disk has; `founders`: if that is nothing, it founds a cluster of these. */
  start(founders?: readonly string[]): void {
    const { simulation, checker } = this.#world;
    const life = ++this.life;
    const runtime = simulation.addHost(this.host, PORT);
    simulation.watch(this.host, [checker.watching(this)]);
    this.isStarting = true;
    this.refusal = undefined;
    this.#open(runtime, founders).then(() => {
      if (life !== this.life) return;
      this.isStarting = false;
      this.isHalfMade = false;
      if (this.isDamaged) checker.note(`${this.id} serves what is damaged`);
    }, (error) => {
      if (life !== this.life) return;
      this.end("killed");
      this.refusal = error as Error;
      const isExpected = error instanceof DiskFullError ||
        (this.isDamaged && /^Damaged\w+Error$/.test(this.refusal.name)) ||
        (this.isHalfMade && /^(?:Damaged\w+|TornState)Error$/.test(this.refusal.name));
      if (!isExpected) checker.note(`${this.id} does not start: ${this.refusal.message}`);
    });
  }

  /** Ends it: with answers, without a word, or with the machine and all that was not synced. */
  end(how: "closed" | "killed" | "crashed"): void {
    const { simulation, random } = this.#world;
    if (how === "closed") this.replica?.close();
    this.life++;
    this.replica?.close();
    this.replica = undefined;
    this.#beside?.close();
    this.#beside = undefined;
    this.messages = undefined;
    this.isStarting = false;
    if (how === "crashed") simulation.crash(this.host);
    else simulation.kill(this.host);
    this.#kept.kill(random);
  }

  /**
   * Rebuilds its directory, as its operator would; it does not run. After so many operations of its disk the power fails. Returns
   * whether it was done before.
   */
  async rebuild(operations: number): Promise<boolean> {
    const { simulation, checker } = this.#world;
    const { disk } = simulation.addHost(this.host, PORT);
    const last = this.disk.operations + operations;
    let end: "done" | Error | undefined;
    const nodeId = nodeIdOf(this.#number, ++this.#generation);
    rebuild({ disk, nodeId, loseState: () => this.#kept.lose() }).then(
      () => end = "done",
      (error) => end = error,
    );
    const isOver = (): boolean => end !== undefined || this.disk.operations >= last;
    await simulation.runUntil(isOver, 60_000, 0);
    // What is done has to outlive that.
    simulation.crash(this.host);
    if (end instanceof Error) checker.note(`${this.id} is not rebuilt: ${end.stack}`);
    this.isHalfMade = end !== "done";
    // Nobody takes in whom it was.
    if (end === "done") this.id = nodeId;
    return end === "done";
  }

  /** Reads some messages. */
  look(): void {
    const { topics, random } = this.#world;
    if (this.replica !== undefined && this.messages !== undefined) {
      topics?.look(this.messages, random);
    }
  }

  /** Has its earlier ids taken out of the members, and forgets them then; `operate` asks the leader. */
  lookAtFormer(operate: FormerHost["operate"]): void {
    this.#operate = operate;
    if (this.replica !== undefined) this.#former?.look(true, () => false);
  }

  #operate: FormerHost["operate"] = () => Promise.resolve({ reason: "no-leader" });

  /** Who it is by its disk, which is made known there at the first start. */
  async #identify(disk: Disk, life: number): Promise<NodeIdentity> {
    const found = await readNodeFile(disk, this.host);
    const identity = found ?? { nodeId: this.id, clusterId: undefined };
    if (found === undefined) await writeNodeFile(disk, identity);
    else await disk.sync("");
    if (life !== this.life) return identity;
    this.id = identity.nodeId;
    this.replaces = identity.rebuilt?.replaces;
    return identity;
  }

  #formerIds({ disk, clock }: SimRuntime, replica: Replica, identity: NodeIdentity): FormerIds {
    const { checker } = this.#world;
    const host: FormerHost = {
      id: identity.nodeId,
      replica,
      replaces: identity.rebuilt?.replaces ?? [],
      forget: async (ids) => {
        const replaces = host.replaces.filter((id) => !ids.includes(id));
        await writeNodeFile(disk, { ...identity, rebuilt: { replaces } });
        if (replica === this.replica) this.replaces = replaces;
        Object.assign(host, { replaces });
      },
      operate: (operation, limitMs) => {
        const { promise, resolve } = Promise.withResolvers<OperationOutcome>();
        clock.setTimer(limitMs, () => resolve({ reason: "lost" }));
        this.#operate(operation, limitMs).then(resolve);
        return promise;
      },
    };
    const unexpected = (error: unknown): void => checker.note(`${this.id}: ${error}`);
    return new FormerIds(host, { write: () => {}, unexpected });
  }

  async #open(runtime: SimRuntime, founders: readonly string[] | undefined): Promise<void> {
    const { random, checker, parcels } = this.#world;
    const life = this.life;
    const { disk } = runtime;
    const slowness = 1 + SLOWNESS * random.float() ** 8;
    this.disk.times = { accessMs: [0.01, 0.2 * slowness], syncMs: [0.2, 8 * slowness] };
    const clock = wrongClock(runtime.clock, random);
    const identity = this.#world.rebuilds ? await this.#identify(disk, life) : undefined;
    const { log, restored } = await LogFiles.open(disk, "raft", { segmentBytes: SEGMENT_BYTES });
    const { file: votes, restored: vote } = await VoteFile.open(
      disk,
      "raft/vote",
      mayLackVote(identity?.clusterId, restored),
    );
    const isFull = (): boolean => this.disk.room < STATE_BYTES;
    const writeMs = this.#world.stateMs;
    const links = new Links(this.id, { ...runtime, disk, clock }, random, parcels, life);
    const { topics } = this.#world;
    const isAlive = (): boolean => life === this.life;
    const failed = (error: Error): void => {
      if (isAlive()) checker.note(`${this.id} ended: ${error.stack}`);
    };
    const messages = topics && await openMessages({
      disk,
      clock,
      topics,
      without: this.#world.without,
      links,
      failed,
      isAlive,
      id: () => this.id,
      store: (): LaggingStore => store,
      replica: () => isAlive() ? this.replica : undefined,
    });
    const store: LaggingStore = new LaggingStore({
      clock,
      random,
      kept: this.#kept,
      isFull,
      writeMs,
      companion: messages?.besideRows,
    });
    const snapshots = await SnapshotFiles.open({
      disk,
      folder: "raft/snapshots",
      store,
      ...messages && { companion: messages.besideSnapshots },
    });
    let entries: readonly Entry[] = [];
    if (founders !== undefined && lastIndexOf(restored) === 0) {
      entries = [foundingEntry(founders.map((id) => ({ id, role: "voter" })), 1)];
      await log.write({ seq: 0, entries });
    }
    const beside = this.#world.beside?.(this, { clock, random: runtime.random });
    const newMachine = (): Machine => {
      const machine = new Machine(store, PROGRAM, { ...messages?.listener, ...beside?.listener });
      for (const follower of this.#world.followers ?? []) follower.watched(this.id, machine);
      return machine;
    };
    const begun = await restore({
      directory: this.id,
      id: this.id,
      options: { ...OPTIONS, trailing: this.#world.snapshots.trailing },
      clock,
      random: runtime.random,
      log,
      snapshots,
      newMachine,
    }, { ...restored, ...vote, entries, snapshot: snapshots.newest });
    await messages?.settle();
    if (life !== this.life) return;
    const logger = runtime.logger(this.id);
    const wallOffset = 1_000_000 + Math.floor(random.float() * 10_000);
    const replica = new Replica({
      clock,
      wallClock: () => Math.floor(clock.now()) + wallOffset,
      logger: {
        ...logger,
        info: (line) => {
          if (line.startsWith("Takes over")) this.installed++;
          logger.info(line);
        },
      },
      ...begun,
      store,
      ...messages && { messages: messages.messages },
      log: orderedLog(log, {
        keptIndex: () => this.#kept.index,
        snapshotIndex: () => snapshots.newest?.index ?? 0,
        wrong: (problem) => {
          if (life === this.life) checker.note(`${this.id}: ${problem}`);
        },
      }),
      votes,
      snapshots,
      peers: links,
      snapshotTrigger: { entries: this.#world.snapshots.every, bytes: Infinity, growth: 0 },
      nameOf: (id) => id,
      newMachine,
      progressed: () => beside?.progressed(),
      failed,
    });
    links.start(
      messages?.receiving(replica) ?? replica,
      (error) => checker.note(`${this.id}: ${error.stack}`),
      (stream) => beside ? beside.accept(stream) : stream.close(),
    );
    this.#beside = beside;
    this.messages = messages?.kept;
    const { raft, machine } = begun;
    Object.assign(this, { store, raft, replica, checkedIndex: machine.context.index });
    if (identity?.rebuilt !== undefined) this.#former = this.#formerIds(runtime, replica, identity);
    replica.start();
  }
}

/** A clock that is a little too fast or too slow. */
function wrongClock(clock: Clock, random: SeededRandom): Clock {
  const rate = 1 + (2 * random.float() - 1) * CLOCK_ERROR;
  return {
    now: () => clock.now() * rate,
    setTimer: (ms, work) => clock.setTimer(ms / rate, work),
  };
}
