/**
 * One simulated server: the core, a disk, and a machine that adds everything up.
 *
 * @module
 */

import {
  createRaft,
  type Effects,
  type Entry,
  type Input,
  type Raft,
  type RaftOptions,
  step,
} from "../../../cluster/raft/mod.ts";
import type { LogWrite } from "../../../cluster/raft/state/effects.ts";
import type { Random } from "../../../cluster/runtime.ts";
import { type Checker, digestOf, SafetyError } from "./checker.ts";
import { applyLog, type DurableState, SimulatedDisk } from "./disk.ts";
import type { EventQueue } from "./event_queue.ts";
import type { SimulatedNetwork } from "./network.ts";
import { digestIn, SimulatedSnapshots, snapshotOf } from "./snapshots.ts";

/** Wrong clocks run at 1 less or more so much. Twice that is just below what the lease's fraction of 0.9 makes good. */
const CLOCK_ERROR = 0.05;

/** How the parts around the core behave. */
export interface ServerTimings {
  /** Longest write of the disk, in milliseconds; now and then one takes ten times as long. */
  readonly diskMs: number;
  /** Pause between two ticks. */
  readonly tickMs: number;
  /** Entries after which a snapshot is taken. */
  readonly snapshotEvery: number;
}

/** What a server shares with the others. */
export interface World {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly checker: Checker;
  readonly timings: ServerTimings;
  readonly options: RaftOptions;
  /** A server has ended without a word. */
  readonly died: (server: SimulatedServer) => void;
  /** A server has begun to lead. */
  readonly leads: (server: SimulatedServer) => void;
}

/** A read that a client waits for. */
interface PendingRead {
  readonly known: number;
  index: number | undefined;
}

/** A server that can crash, stand still and have a wrong clock. */
export class SimulatedServer {
  readonly id: string;
  readonly disk = new SimulatedDisk();
  raft!: Raft;
  /** Whether its process runs. */
  running = false;
  /** Up to where the checker has seen it commit. */
  checkedCommit = 0;
  /** The log as the core asked for it, on the disk or not. */
  #log!: Pick<DurableState, "beforeIndex" | "beforeTerm" | "entries" | "snapshot">;
  #machine = { index: 0, digest: 0 };
  readonly #world: World;
  /** Which life this is: what was begun in an earlier one is forgotten. */
  #life = 0;
  #pausedUntil = 0;
  #clockRate = 1;
  #clockOffset = 0;
  #writing = { vote: false, log: false };
  #reads = new Map<number, PendingRead>();
  #nextRead = 1;
  #proposed = new Map<number, Entry>();
  #taking = false;
  /** After how many more effects it dies, if it is to. */
  #effectsLeft = Infinity;
  readonly #snapshots = new SimulatedSnapshots();
  #storeFreeAt = 0;

  constructor(id: string, world: World) {
    this.id = id;
    this.#world = world;
  }

  /** Starts it, with what its disk has. */
  start(): void {
    const { random, options } = this.#world;
    const { durable } = this.disk;
    const last = durable.beforeIndex + durable.entries.length;
    const covered = durable.snapshot?.index ?? 0;
    // The machine's state may be older than what was applied, but not newer than the log on the disk.
    const newest = Math.max(covered, Math.min(this.#machine.index, last));
    const applied = covered + Math.floor(random.float() * (newest - covered + 1));
    this.#machine = { index: applied, digest: this.#world.checker.digests[applied] as number };
    this.#life++;
    this.#clockRate = 1 - CLOCK_ERROR + random.float() * 2 * CLOCK_ERROR;
    this.#clockOffset = random.float() * 1e6;
    this.#log = {
      beforeIndex: durable.beforeIndex,
      beforeTerm: durable.beforeTerm,
      entries: [...durable.entries],
      snapshot: durable.snapshot,
    };
    this.#snapshots.start(durable.snapshot);
    this.raft = createRaft(this.id, options, random, this.#now(), this.disk.restored(applied));
    this.checkedCommit = this.raft.commit;
    this.running = true;
    this.#tick();
  }

  /** Ends it without a word. */
  crash(): void {
    if (!this.running) return;
    this.running = false;
    this.#life++;
    this.disk.crash(this.#world.random);
    this.#writing = { vote: false, log: false };
    this.#reads.clear();
    this.#proposed.clear();
    this.#pausedUntil = 0;
    this.#taking = false;
    this.#effectsLeft = Infinity;
    this.#storeFreeAt = 0;
    this.#world.died(this);
  }

  /** Lets it end without a word between two of its next effects. */
  crashAfter(effects: number): void {
    this.#effectsLeft = effects;
  }

  /** Lets it stand still; what comes meanwhile waits. */
  pause(ms: number): void {
    this.#pausedUntil = this.#world.queue.now + ms;
  }

  /** The entry at an index, if the log has it. */
  entryAt(index: number): Entry | undefined {
    return this.#log.entries[index - this.#log.beforeIndex - 1];
  }

  /** A message arrives. */
  receive(from: string, message: Extract<Input, { type: "message" }>["message"]): void {
    this.#when(0, () => this.take({ type: "message", from, message }));
  }

  /** A client writes; it hears of it when it is applied here. */
  propose(texts: readonly string[]): void {
    const proposals = texts.map((text) => ({
      type: "command" as const,
      data: new TextEncoder().encode(text),
    }));
    const { accepted } = this.take({ type: "propose", proposals, time: 0 });
    if (accepted === undefined || !this.running) return;
    for (let index = accepted.first; index <= accepted.last; index++) {
      this.#proposed.set(index, this.entryAt(index) as Entry);
    }
  }

  /** A client reads. */
  read(lease: boolean): void {
    const id = this.#nextRead++;
    this.#reads.set(id, { known: this.#world.checker.acknowledged, index: undefined });
    this.take({ type: "read", requests: [{ id, lease }] });
  }

  /** Gives the core an input and carries out what it asks for. */
  take(input: Input): Effects {
    const effects = step(this.raft, this.#now(), input);
    this.#carryOut(effects);
    if (!this.running) return effects;
    this.#world.checker.stepped(this);
    if (effects.role?.role === "leader") this.#world.leads(this);
    return effects;
  }

  /** In any order, as far as it gets. */
  #carryOut(effects: Effects): void {
    const isTalkative = this.#world.random.float() < 0.5;
    if (isTalkative) this.#sendAll(effects);
    if (effects.log !== undefined && this.#goesOn()) this.#write(effects.log);
    if (effects.vote !== undefined && this.#goesOn()) {
      this.disk.queueVote(effects.vote);
      this.#writeVotes();
    }
    if (!isTalkative) this.#sendAll(effects);
    if (this.#goesOn()) this.#doTheRest(effects);
  }

  /** Whether it lives still; false once it was to die here. */
  #goesOn(): boolean {
    if (this.running && this.#effectsLeft-- <= 0) this.crash();
    return this.running;
  }

  #sendAll({ messages }: Effects): void {
    const { network, checker } = this.#world;
    for (const { to, message } of messages) {
      if (!this.#goesOn()) return;
      checker.sent(this, to, message);
      network.send(this.id, to, message);
    }
  }

  #doTheRest(effects: Effects): void {
    const { random } = this.#world;
    if (effects.apply !== undefined) this.#apply();
    for (const { id, index } of effects.reads) {
      const read = this.#reads.get(id);
      if (read !== undefined) read.index = index;
    }
    for (const id of effects.lostReads) this.#reads.delete(id);
    if (effects.role !== undefined) this.#proposed.clear();
    if (effects.trimTo !== undefined) this.#trim(effects.trimTo);
    for (const { to, from, maxEntries } of effects.loads) {
      const first = from - this.#log.beforeIndex - 1;
      const entries = first < 0 ? [] : this.#log.entries.slice(first, first + maxEntries);
      this.#when(this.#loadTime(), () => this.take({ type: "entries-loaded", to, entries }));
    }
    for (const { to, index, offset } of effects.chunks) {
      const chunk = this.#snapshots.piece(index, offset);
      const input = { type: "chunk-loaded" as const, to, index, offset, chunk };
      this.#when(random.float() * 5, () => this.take(input));
    }
    if (effects.store !== undefined) this.#store(effects.store);
    this.#answerReads();
  }

  #write(write: LogWrite): void {
    const { checker } = this.#world;
    applyLog(this.#log, write, write.entries.length);
    if (write.reset !== undefined) {
      const { snapshot } = write.reset;
      const { index } = snapshot;
      this.#snapshots.keep(snapshot);
      this.#machine = { index, digest: digestIn(snapshot) };
      checker.applied(this, index, this.#machine.digest);
    }
    for (const entry of write.entries) {
      const previous = this.entryAt(entry.index - 1)?.term ?? this.#log.beforeTerm;
      checker.appended(entry, previous);
    }
    this.disk.queueLog(write);
    this.#writeLogs();
  }

  #writeLogs(): void {
    if (this.#writing.log) return;
    this.#writing.log = true;
    const { random, options } = this.#world;
    // To replace the machine takes longer than anybody's patience, now and then.
    const slow = this.disk.replaces && random.float() < 0.3 ? 3 * options.electionTimeoutMs : 0;
    this.#when(this.#diskTime() + slow, () => {
      this.#writing.log = false;
      const seq = this.disk.finishLog(1 + Math.floor(random.float() * 4));
      if (seq === undefined) return;
      this.#writeLogs();
      this.take({ type: "log-written", seq });
    });
  }

  #writeVotes(): void {
    if (this.#writing.vote) return;
    this.#writing.vote = true;
    this.#when(this.#diskTime(), () => {
      this.#writing.vote = false;
      const seq = this.disk.finishVote();
      if (seq === undefined) return;
      this.#writeVotes();
      this.take({ type: "vote-written", seq });
    });
  }

  /** Applies in slices, each in a turn of its own. */
  #apply(): void {
    if (this.#taking) return;
    this.#taking = true;
    this.#when(this.#world.random.float() * 3, () => {
      this.#taking = false;
      const to = Math.min(this.raft.applying, this.#machine.index + 64);
      while (this.#machine.index < to) this.#applyNext();
      this.#world.checker.applied(this, this.#machine.index, this.#machine.digest);
      this.take({ type: "applied", index: this.#machine.index });
      if (!this.running) return;
      if (this.#machine.index < this.raft.applying) this.#apply();
      this.#maybeSnapshot();
    });
  }

  #applyNext(): void {
    const { checker } = this.#world;
    const index = this.#machine.index + 1;
    const { beforeIndex, entries } = this.disk.durable;
    if (index > beforeIndex + entries.length) {
      throw new SafetyError(`${this.id} applies entry ${index}, which is not on its disk`);
    }
    const entry = this.entryAt(index) as Entry;
    this.#machine = { index, digest: digestOf(this.#machine.digest, entry) };
    const proposed = this.#proposed.get(index);
    this.#proposed.delete(index);
    if (proposed !== undefined && proposed.term === entry.term) checker.acknowledge(proposed);
  }

  #maybeSnapshot(): void {
    const { timings } = this.#world;
    const { raft } = this;
    const { index, digest } = this.#machine;
    if (index - (raft.snapshot?.index ?? 0) < timings.snapshotEvery) return;
    const made = raft.members.at(index);
    const term = raft.log.term(index);
    if (made === undefined || term === undefined || raft.applied < index) return;
    const { configuration, index: configurationIndex } = made;
    const place = { index, term, configuration, configurationIndex };
    const snapshot = snapshotOf(digest, this.id, place);
    this.#when(this.#diskTime(), () => {
      // A newer one may have come from the leader meanwhile.
      if (raft !== this.raft || index <= (raft.snapshot?.index ?? 0)) return;
      if (index > this.disk.durable.beforeIndex + this.disk.durable.entries.length) return;
      this.disk.saveSnapshot(snapshot);
      this.#snapshots.keep(snapshot);
      this.#log.snapshot = snapshot;
      this.take({ type: "snapshot-saved", snapshot });
    });
  }

  #trim(index: number): void {
    const count = index - this.#log.beforeIndex;
    if (count <= 0) return;
    this.#log.beforeTerm = (this.#log.entries[count - 1] as Entry).term;
    this.#log.entries = this.#log.entries.slice(count);
    this.#log.beforeIndex = index;
    this.disk.trim(index);
  }

  /** Stores one piece after the other. */
  #store(piece: NonNullable<Effects["store"]>): void {
    const { queue } = this.#world;
    this.#storeFreeAt = Math.max(queue.now, this.#storeFreeAt) + this.#diskTime();
    this.#when(this.#storeFreeAt - queue.now, () => {
      const { snapshot } = piece;
      const nextOffset = this.#snapshots.store(piece);
      if (nextOffset >= snapshot.size) this.take({ type: "snapshot-received", snapshot });
      else this.take({ type: "chunk-stored", index: snapshot.index, nextOffset });
    });
  }

  #answerReads(): void {
    for (const [id, { known, index }] of this.#reads) {
      if (index === undefined || this.#machine.index < index) continue;
      this.#reads.delete(id);
      this.#world.checker.read(this, this.#machine.index, known);
    }
  }

  #tick(): void {
    this.#when(this.#world.timings.tickMs, () => {
      this.take({ type: "tick" });
      this.#tick();
    });
  }

  #diskTime(): number {
    const { random, timings } = this.#world;
    const slow = random.float() < 0.02 ? 10 : 1;
    return random.float() * timings.diskMs * slow;
  }

  /** Now and then it takes so long that there may have been other leaders meanwhile. */
  #loadTime(): number {
    const { random, options } = this.#world;
    return random.float() * (random.float() < 0.01 ? 6 * options.electionTimeoutMs : 5);
  }

  /** Runs `run` later, unless this life has ended; not while the process stands still. */
  #when(ms: number, run: () => unknown): void {
    const life = this.#life;
    const { queue } = this.#world;
    queue.after(ms, () => {
      if (life !== this.#life) return;
      if (queue.now < this.#pausedUntil) return this.#when(this.#pausedUntil - queue.now, run);
      run();
    });
  }

  #now(): number {
    return this.#clockOffset + this.#world.queue.now * this.#clockRate;
  }
}
