/**
 * Where the messages of a consumer come from: the partitions that it reads, which come and go with its group, and what it commits.
 *
 * @module
 */

import type { CallOptions } from "../../../call_options.ts";
import { CODE, CODEC } from "../../codes.ts";
import { isTakenOver, TopicError } from "../../errors.ts";
import type { Message } from "../../messages.ts";
import type { CommittedOffset, Fetched, Replies, TopicMetadata } from "../../requests.ts";
import { Commits, type CommitWorld } from "./commits.ts";
import { BEHIND_MS, HAND_OVER_MS, LOOK_MS, MAX_HELD_BYTES, MIN_FETCH_BYTES } from "./defaults.ts";
import { Membership } from "./membership.ts";
import { MAX_CHUNKS, PartitionReader, type PartitionWorld } from "./partition.ts";
import { Partitions } from "./partitions.ts";
import { Progress } from "./progress.ts";
import type { ConsumerSettings } from "./settings.ts";
import { Bell, limited, type LimitedCall } from "./timing.ts";
import type { TopicProgress } from "../types.ts";
import type { ConsumerWorld } from "./world.ts";

/** The messages of one consumer. */
export class Source {
  readonly partitions = new Partitions();
  /** Rings when there is something to be taken, a failure, or the end. */
  readonly arrival = new Bell();
  /** Why offsets could not be committed by themselves the last time. */
  commitError: Error | undefined;
  readonly figures = { fetches: 0, bytes: 0, wireBytes: 0 };
  readonly #world: ConsumerWorld;
  readonly #settings: ConsumerSettings;
  /** Ends what is read, when it begins to close. */
  readonly #closing = new AbortController();
  /** Ends what is still being committed, once it is closed. */
  readonly #over = new AbortController();
  readonly #commits: Commits | undefined;
  readonly #membership: Membership | undefined;
  readonly #timers = new Set<() => void>();
  readonly #progress: Progress | undefined;
  #beginning: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  /** Which topic it is of those that have had its name. */
  #topicId: number | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Reads nothing yet. */
  constructor(world: ConsumerWorld, settings: ConsumerSettings) {
    this.#world = world;
    this.#settings = settings;
    const { group, topic, partitions } = settings;
    if (group === undefined) return;
    const membership = partitions === undefined ? this.#member(group) : undefined;
    const save: CommitWorld["save"] = (offsets, options) =>
      membership?.commit(offsets, options) ?? this.#commit(group, offsets, options);
    const load: CommitWorld["load"] = (request, options) =>
      world.ask("fetchOffsets", request, options);
    this.#membership = membership;
    this.#commits = new Commits({ load, save, now: () => world.now() }, group, topic);
    this.#progress = new Progress(topic, this.#commits);
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Whether its group says which partitions it reads. */
  get isMember(): boolean {
    return this.#membership !== undefined;
  }

  /** Resolves when it is known which partitions there are, and where they are read. When it rejects it can be tried again. */
  begin(): Promise<void> {
    return this.#beginning ??= this.#begin().catch((error) => {
      this.#beginning = undefined;
      throw error;
    });
  }

  /** The next message that is there. Throws what keeps one from coming. */
  take(): { readonly partition: number; readonly message: Message } | undefined {
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    // Others may have its partitions.
    if (this.#membership?.isCurrent === false) return undefined;
    const taken = this.partitions.take();
    if (taken !== undefined) this.#progress?.note(taken.partition, taken.message.offset);
    return taken;
  }

  /**
   * Up to where all was delivered, to be committed with what has come of it. The servers refuse it for partitions that others have by
   * now.
   *
   * @throws {TypeError} when there is no group, or it is committed without being asked
   * @throws {TopicError} when a partition was lost before what it has delivered was committed
   */
  progress(): TopicProgress {
    const { group, autoCommitMs } = this.#settings;
    if (this.#progress === undefined || group === undefined) {
      throw new TypeError("Consumer has no group to commit for");
    }
    if (autoCommitMs > 0) {
      throw new TypeError("Consumer commits by itself: its 'autoCommitMs' has to be 0");
    }
    const membership = this.#membership;
    const inTurn: TopicProgress["inTurn"] = membership && ((commit) => membership.inTurn(commit));
    return { group, ...membership?.self, ...inTurn && { inTurn }, ...this.#progress.take() };
  }

  /**
   * Commits that all that was delivered is done with.
   *
   * @throws {TypeError} when there is no group
   */
  async commit(call: LimitedCall): Promise<void> {
    if (this.#commits === undefined) throw new TypeError("Consumer has no group to commit for");
    for (const reader of this.partitions.readers) reader.done = reader.position;
    this.partitions.settle();
    const committed = this.#progress?.committing();
    await this.#commits.save(() => this.partitions.done(), call);
    committed?.();
  }

  /** Ends reading, commits what is done with if that is not left to the program, and leaves the group. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const cancel of this.#timers) cancel();
    this.#membership?.stop();
    this.arrival.ring();
    const { autoCommitMs, timeoutMs } = this.#settings;
    const endsAt = this.#world.now() + Math.min(this.#world.closeLimitMs, timeoutMs);
    const left = (): { readonly timeoutMs: number } => {
      return { timeoutMs: Math.max(0, endsAt - this.#world.now()) };
    };
    try {
      const fetches = this.partitions.readers.map((reader) => reader.idle());
      await this.#limited(Promise.all(fetches), left()).catch(() => {}); // They are told to end.
      const saved = autoCommitMs > 0 && this.#commits?.save(() => this.partitions.done(), left());
      if (saved) await this.#limited(saved, left());
    } catch (error) {
      // A member that others have taken over from has nothing left to commit.
      if (!this.isMember || !isTakenOver(error)) throw error;
      this.commitError = error;
    } finally {
      this.#over.abort(this.#world.closed());
      await this.#membership?.leave(left().timeoutMs);
    }
  }

  async #begin(): Promise<void> {
    const { topic, autoCommitMs } = this.#settings;
    const found = await this.#found();
    if (found === undefined) throw new TopicError(CODE.TOPIC_NOT_FOUND, `No topic '${topic}'`);
    this.#topicId = found.topicId;
    if (this.#membership !== undefined) await this.#membership.start();
    else await this.#read(this.#settings.partitions ?? found.partitions.map((_, i) => i));
    if (this.isClosed) throw this.#world.closed();
    // What fails is tried again the next time.
    this.#every(LOOK_MS, () => this.#look().catch(() => {}));
    if (autoCommitMs > 0) this.#every(autoCommitMs, () => this.#saveByItself());
  }

  /** Commits for a group without members. */
  #commit(
    group: string,
    offsets: readonly CommittedOffset[],
    { signal, ...options }: CallOptions,
  ): Promise<Replies["commitOffsets"]> {
    const over = this.#over.signal;
    const call = { ...options, signal: signal ? AbortSignal.any([over, signal]) : over };
    return this.#world.ask("commitOffsets", { group, generation: 0, member: "", offsets }, call);
  }

  /** Begins to read partitions where the group is in them. */
  async #read(partitions: readonly number[]): Promise<readonly PartitionReader[]> {
    const { topic, start, onOutOfRange } = this.#settings;
    const committed = await this.#commits?.load(partitions, this.#own);
    if (this.isClosed) throw this.#world.closed();
    const world: PartitionWorld = {
      topic,
      onOutOfRange,
      fetch: (partition, offset) => this.#fetch(partition, offset),
      offsets: (partition, time) =>
        this.#world.ask("getOffset", { topic, partition, time }, this.#own),
      rest: () => this.#rest(BEHIND_MS),
      look: () => this.#look(),
      arrived: () => this.arrival.ring(),
    };
    const readers = partitions.map((partition) =>
      new PartitionReader(partition, committed?.get(partition) ?? start, world)
    );
    this.partitions.add(readers);
    return readers;
  }

  async #fetch(partition: number, offset: number): Promise<Fetched> {
    const { topic, minBytes, maxWaitMs, timeoutMs } = this.#settings;
    const share = Math.floor(MAX_HELD_BYTES / (MAX_CHUNKS * this.partitions.readers.length));
    const maxBytes = Math.min(this.#settings.maxBytes, Math.max(MIN_FETCH_BYTES, share));
    const rest = { maxBytes, minBytes, maxWaitMs, codec: CODEC.none };
    const request = { topic, partition, offset, ...rest };
    const call = { ...this.#own, timeoutMs: timeoutMs + maxWaitMs };
    const fetched = await this.#world.fetch(request, call);
    this.figures.fetches++;
    this.figures.bytes += fetched.messages.bytes.length;
    this.figures.wireBytes += fetched.wireBytes;
    return fetched;
  }

  /** A topic that was deleted and made anew is read as one whose messages are gone. */
  #look(): Promise<void> {
    return this.#looking ??= this.#compare().finally(() => this.#looking = undefined);
  }

  async #compare(): Promise<void> {
    const found = await this.#found();
    if (found === undefined || found.topicId === this.#topicId || this.isClosed) return;
    this.#topicId = found.topicId;
    this.#commits?.forget();
    this.#progress?.forget();
    this.partitions.restart();
    this.arrival.ring();
    if (this.isMember || this.#settings.partitions !== undefined) return;
    const { readers } = this.partitions;
    const gone = readers.slice(found.partitions.length).map(({ partition }) => partition);
    this.partitions.forget(this.partitions.release(gone));
    await this.#read(found.partitions.slice(readers.length).map((_, i) => readers.length + i));
  }

  async #found(): Promise<TopicMetadata | undefined> {
    const { topic } = this.#settings;
    const { topics } = await this.#world.ask("metadata", { topics: [topic] }, this.#own);
    return topics.find(({ name }) => name === topic);
  }

  #member(group: string): Membership {
    const { topic, sessionTimeoutMs, rebalanceTimeoutMs, timeoutMs } = this.#settings;
    const { client } = this.#world;
    const options = { group, topic, client, sessionTimeoutMs, rebalanceTimeoutMs, timeoutMs };
    return new Membership({
      now: () => this.#world.now(),
      setTimer: (ms, fn) => this.#world.setTimer(ms, fn),
      ask: (kind, request, call) => this.#world.ask(kind, request, call),
      assigned: (partitions) => this.#assigned(partitions),
      revoked: (partitions) => this.#revoked(partitions),
      lost: (partitions) => this.#lost(partitions),
      failed: (error) => this.#failed(error),
      resumed: () => this.arrival.ring(),
    }, options);
  }

  async #assigned(partitions: readonly number[]): Promise<void> {
    // It may be given a topic that was made anew, of which nothing was read before.
    await this.#look();
    const readers = await this.#read(partitions);
    const { onAssigned } = this.#settings;
    for (const reader of readers) reader.isOpen = onAssigned === undefined;
    await this.#tell(() => onAssigned?.(partitions));
    for (const reader of readers) reader.isOpen = true;
    this.arrival.ring();
  }

  /** What the program is at is done with before another member has the partition, unless it takes long. */
  async #revoked(partitions: readonly number[]): Promise<void> {
    const { onRevoked, rebalanceTimeoutMs, autoCommitMs } = this.#settings;
    const gone = this.partitions.release(partitions);
    const timeoutMs = Math.min(HAND_OVER_MS, rebalanceTimeoutMs / 3);
    const { signal } = this.#closing;
    // Who gets it reads again what is not done with by then.
    await this.#limited(this.partitions.settled(gone), { signal, timeoutMs }).catch(() => {});
    await this.#tell(() => onRevoked?.(partitions, false));
    // Closing commits for them, too.
    if (this.isClosed) return;
    if (autoCommitMs > 0) await this.#saved(() => this.partitions.done(gone));
    this.partitions.forget(gone);
    this.#progress?.lose(partitions);
  }

  async #lost(partitions: readonly number[]): Promise<void> {
    this.partitions.forget(this.partitions.release(partitions));
    this.#progress?.lose(partitions);
    await this.#tell(() => this.#settings.onRevoked?.(partitions, true));
  }

  /** Tells the program; what it throws comes to whoever reads. */
  async #tell(callback: () => void | Promise<void>): Promise<void> {
    const told = (async () => await callback())();
    const call = { signal: this.#closing.signal, timeoutMs: this.#settings.rebalanceTimeoutMs };
    await this.#limited(told, call).catch((error) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (this.isClosed) return;
    this.#failure = { error };
    this.arrival.ring();
  }

  async #saveByItself(): Promise<void> {
    if (this.#commits?.isBusy === false) await this.#saved(() => this.partitions.done());
  }

  /** Commits, and notes what keeps it from that. */
  async #saved(positions: () => ReadonlyMap<number, number>): Promise<void> {
    const { timeoutMs } = this.#settings;
    await this.#commits?.save(positions, { timeoutMs }).then(
      () => this.commitError = undefined,
      (error) => this.commitError = error,
    );
  }

  /** Of requests that nobody waits for in particular. */
  get #own(): LimitedCall {
    return { timeoutMs: this.#settings.timeoutMs, signal: this.#closing.signal };
  }

  #limited<T>(promise: Promise<T>, call: LimitedCall): Promise<T> {
    return limited(this.#world, promise, call, () => this.#world.late(call.timeoutMs));
  }

  /** Resolves after so many milliseconds, or when it is closed. */
  async #rest(ms: number): Promise<void> {
    const call = { signal: this.#closing.signal, timeoutMs: ms };
    // Both ends of the wait are rejections, and neither is a failure.
    await this.#limited(new Promise<never>(() => {}), call).catch(() => {});
  }

  /** Does something again and again until it is closed. */
  #every(ms: number, work: () => Promise<void>): void {
    const cancel = this.#world.setTimer(ms, () => {
      this.#timers.delete(cancel);
      this.#every(ms, work);
      work().catch((error) => this.#failed(error));
    });
    this.#timers.add(cancel);
  }
}
