/**
 * Topics in memory, as a port asks for them.
 *
 * @module
 */

import { Machine, MemoryStore, type Result, type SegmentId } from "../../../cluster/machine/mod.ts";
import { readBatchHead } from "../../../cluster/machine/topics/mod.ts";
import { putInto } from "../../../protocol/bytes.ts";
import type { TopicServer } from "../../../protocol/topics/mod.ts";
import { SegmentGoneError } from "../../../server/replica/segments/errors.ts";
import { type BatchPlace, RecentBatches } from "../../../server/replica/segments/recent.ts";
import { Waiting } from "../../../server/replica/segments/waiting.ts";
import type { MessageReader, TopicCluster, TopicState } from "../../../server/topics/services.ts";
import { SegmentBytes, segmentName } from "./segment_bytes.ts";

/** The state and the messages of a lone server, or of one that does not lead. */
export class MemoryTopics implements TopicState, MessageReader, TopicCluster {
  readonly name = "alpha";
  readonly clusterId = "c1";
  /** Who leads. */
  leader: string | undefined = "alpha";
  isFull = false;
  /** The others. */
  others: TopicServer[] = [];
  /** The bytes of segments. */
  readonly segments = new SegmentBytes();
  /** Called before something is read. */
  beforeRead: (() => Promise<void>) | undefined;
  /** Reads that are under way, and the most that ever were. */
  reading = 0;
  mostReading = 0;
  /** What is said of a command instead of doing it. */
  instead: Result | undefined;
  /** Questions that were answered. */
  peeks = 0;
  /** Members that have given a sign of life. */
  readonly signs: number[] = [];
  /** Commands that were taken on. */
  commands = 0;
  readonly #machine: Machine;
  readonly #waiting = new Waiting();
  readonly #recent = new RecentBatches();
  /** Commands that are held back. */
  #held: (() => void)[] | undefined;

  constructor(store: MemoryStore = new MemoryStore()) {
    this.#machine = new Machine(store, undefined, {
      messages: (changes) => {
        this.segments.take(changes);
        this.#recent.take(changes);
        this.#waiting.wake(changes);
      },
    });
  }

  get isLeader(): boolean {
    return this.leader === this.name;
  }

  /** From now on commands wait. */
  hold(): void {
    this.#held ??= [];
  }

  /** Does those that wait, and waits no more. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
  }

  /** Commands that wait. */
  get held(): number {
    return this.#held?.length ?? 0;
  }

  servers(): readonly TopicServer[] {
    return [{ id: this.name, host: "127.0.0.1", port: 1, role: 1 }, ...this.others];
  }

  askHere(
    kind: "command" | "question",
    bytes: Uint8Array,
    _timeoutMs: number,
    done: (result: Result | undefined) => void,
  ): void {
    const go = (): void => {
      if (!this.isLeader) return done(undefined);
      if (kind === "question") return done(this.peek(bytes));
      this.commands++;
      done(this.instead ?? this.apply(bytes));
    };
    if (kind === "command" && this.#held !== undefined) this.#held.push(go);
    else queueMicrotask(go);
  }

  /** Applies a command at once. */
  apply(data: Uint8Array): Result {
    const { index } = this.#machine.context;
    const entry = { index: index + 1, type: "command", time: Date.now(), data };
    return this.#machine.apply([entry])[0] as Result;
  }

  heard(member: number): void {
    this.signs.push(member);
  }

  peek(question: Uint8Array): Result {
    this.peeks++;
    return this.#machine.query(question, Date.now());
  }

  async read(
    segment: SegmentId,
    position: number,
    length: number,
    into: Uint8Array,
  ): Promise<Uint8Array> {
    this.mostReading = Math.max(this.mostReading, ++this.reading);
    await this.beforeRead?.();
    this.reading--;
    const all = this.segments.all.get(segmentName(segment));
    if (all === undefined) throw new SegmentGoneError(segmentName(segment));
    let end = position;
    while (end < all.length) {
      const size = readBatchHead(all, end)?.size ?? Infinity;
      if (end > position && end + size > position + length) break;
      end += size;
    }
    const found = all.subarray(position, end);
    return found.length <= length ? putInto(found, into) : found;
  }

  find(topic: number, partition: number, offset: number): BatchPlace | undefined {
    return this.#recent.find(topic, partition, offset);
  }

  waitFor(topic: number, partition: number, next: number, signal: AbortSignal): Promise<void> {
    const segments = [...this.segments.all];
    const isThere = segments.some(([name, bytes]) => {
      if (!name.startsWith(`${topic}/${partition}/`)) return false;
      let offset = Number(name.split("/")[2]);
      for (let at = 0; at < bytes.length;) {
        const head = readBatchHead(bytes, at);
        if (head === undefined) break;
        offset = head.baseOffset + head.count;
        at += head.size;
      }
      return offset > next;
    });
    return isThere ? Promise.resolve() : this.#waiting.wait(topic, partition, signal);
  }
}
