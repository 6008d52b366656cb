/**
 * Random requests and replies of topics.
 *
 * @module
 */

import { deflateSync, gzipSync } from "node:zlib";
import {
  CODE,
  CODEC,
  type EncodedMessages,
  FLAG,
  FrameWriter,
  type Message,
  type Replies,
  type RequestKind,
  type Requests,
  writeMessage,
} from "../../../protocol/topics/mod.ts";
import { below } from "../random_value.ts";
import type { SeededRandom } from "../simulation/random.ts";

/** Kinds that both versions have. */
export const BOTH = [
  "produce",
  "fetch",
  "getOffset",
  "createTopic",
  "deleteTopic",
  "listTopics",
  "healthCheck",
] as const satisfies readonly RequestKind[];

/** Kinds that only the second version has. */
export const SECOND = [
  "commitOffsets",
  "fetchOffsets",
  "initProducer",
  "hello",
  "metadata",
  "describeTopic",
  "alterTopic",
  "deleteRecords",
  "transact",
  "joinGroup",
  "syncGroup",
  "heartbeat",
  "leaveGroup",
  "describeGroup",
  "listGroups",
] as const satisfies readonly RequestKind[];

const LETTERS = "abcxyzABCXYZ019._-";

/** Random values from a seed. */
export class RandomFrames {
  readonly #random: SeededRandom;

  /** Takes its chance from `random`. */
  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** A whole number from 0, below `limit`. */
  below(limit: number): number {
    return below(this.#random, limit);
  }

  /** A kind and a version that has it, and the flag for what is compressed where it may be. */
  kind(): { kind: RequestKind; version: number; flags: number } {
    const version = 1 + this.below(2);
    const kinds = version === 1 ? BOTH : [...BOTH, ...SECOND];
    const kind = kinds[this.below(kinds.length)] as RequestKind;
    const mayBe = version === 2 && (kind === "produce" || kind === "fetch");
    return { kind, version, flags: mayBe && this.#chance() ? FLAG.compressed : 0 };
  }

  /** A number near a power of two, from `least` to `most`. */
  near(least: number, most: number): number {
    if (this.below(20) === 0) return least;
    if (this.below(20) === 0) return most;
    const value = Math.floor(2 ** (this.#random.float() * 53)) + this.below(5) - 2;
    return Math.min(most, Math.max(least, value));
  }

  /** A request of `kind`. */
  request<K extends RequestKind>(kind: K, version: number, flags = 0): Requests[K] {
    return this.#requests(version, (flags & FLAG.compressed) !== 0)[kind]();
  }

  /** A reply to a request of `kind`. */
  reply<K extends RequestKind>(kind: K, version: number, flags = 0): Replies[K] {
    return this.#replies(version, (flags & FLAG.compressed) !== 0)[kind]();
  }

  /** A message, with nulls where they are known. */
  message(nulls: boolean): Message {
    return {
      offset: this.near(0, MOST),
      timestamp: BigInt.asIntN(
        64,
        BigInt(this.near(-MOST, MOST)) * BigInt(1 + this.below(1_000_000)),
      ),
      key: this.#content(nulls),
      value: this.#content(nulls),
      headers: this.#many(3, () => [this.#text(), this.#random.bytes(this.below(5))] as const),
    };
  }

  /** Messages, `least` or more. */
  messages(least: number, nulls: boolean): EncodedMessages {
    const count = least + this.below(5);
    const writer = new FrameWriter();
    for (let i = 0; i < count; i++) writeMessage(writer, this.message(nulls), nulls);
    return { count, bytes: writer.finish() };
  }

  #packed(least: number, nulls: boolean, codec: number) {
    const { count, bytes } = this.messages(least, nulls);
    const pack = [(plain: Uint8Array) => plain, gzipSync, deflateSync][codec] ?? deflateSync;
    return { codec, messages: { count, bytes: new Uint8Array(pack(bytes)) } };
  }

  #requests(version: number, isCompressed: boolean): { [K in RequestKind]: () => Requests[K] } {
    const second = version === 2;
    return {
      produce: () => ({
        ...this.#partition(),
        acks: second ? this.below(3) - 1 : -1,
        timeoutMs: second ? this.near(0, 0x7fff_ffff) : 0,
        producer: second && this.#chance() ? this.#producer() : undefined,
        ...this.#packed(1, second, isCompressed ? 1 + this.below(2) : CODEC.none),
      }),
      fetch: () => ({
        ...this.#partition(),
        offset: this.near(-2, MOST),
        maxBytes: this.#u32(),
        minBytes: second ? this.#u32() : 0,
        maxWaitMs: second ? this.#u32() : 0,
        codec: isCompressed ? 1 + this.below(2) : CODEC.none,
      }),
      getOffset: () => ({
        ...this.#partition(),
        time: second && this.#chance() ? BigInt(this.near(0, MOST)) << 10n : undefined,
      }),
      createTopic: () => ({
        ...this.#topic(),
        partitions: this.#u32(),
        replicationFactor: this.#u16(),
      }),
      deleteTopic: () => this.#topic(),
      listTopics: () => ({}),
      healthCheck: () => ({}),
      commitOffsets: () => ({
        ...this.#group(),
        ...this.#member(),
        offsets: this.#many(5, () => this.#committed()),
      }),
      fetchOffsets: () => ({
        ...this.#group(),
        partitions: this.#many(5, () => this.#partition()),
      }),
      initProducer: () => ({ transactionalId: this.#text() }),
      hello: () => ({ client: this.#text(), token: this.#text() }),
      metadata: () => ({ topics: this.#many(5, () => this.#name()) }),
      describeTopic: () => this.#topic(),
      alterTopic: () => ({ ...this.#topic(), settings: this.#settings(-2) }),
      deleteRecords: () => ({ ...this.#partition(), offset: this.near(-1, MOST) }),
      transact: () => ({
        producerId: this.near(0, MOST),
        epoch: this.#u16(),
        parts: this.#many(4, () => ({
          ...this.#partition(),
          baseSequence: this.near(0, 0x7fff_ffff),
          messages: this.messages(1, true),
        })),
        group: this.#text(),
        generation: this.#u32(),
        member: this.#text(),
        offsets: this.#many(4, () => ({
          ...this.#committed(),
          offset: this.near(0, MOST),
          expected: this.near(-2, MOST),
        })),
      }),
      joinGroup: () => ({
        ...this.#group(),
        member: this.#text(),
        client: this.#text(),
        sessionTimeoutMs: this.#u32(),
        rebalanceTimeoutMs: this.#u32(),
        topics: [...new Set([this.#name(), ...this.#many(5, () => this.#name())])],
      }),
      syncGroup: () => ({
        ...this.#group(),
        ...this.#member(),
        held: this.#many(9, () => this.#partition()),
      }),
      heartbeat: () => ({ ...this.#group(), ...this.#member() }),
      leaveGroup: () => ({ ...this.#group(), member: this.#text() }),
      describeGroup: () => this.#group(),
      listGroups: () => ({}),
    };
  }

  #replies(version: number, isCompressed: boolean): { [K in RequestKind]: () => Replies[K] } {
    return {
      produce: () => this.#produced(version),
      fetch: () => ({
        highWaterMark: this.near(0, MOST),
        ...this.#packed(0, version === 2, isCompressed ? this.below(3) : CODEC.none),
      }),
      getOffset: () => ({
        ...this.#partition(),
        ...this.#range(),
        end: this.near(0, MOST),
        atTime: version === 2 ? this.near(-1, MOST) : -1,
      }),
      createTopic: () => ({ ...this.#topic(), created: this.#chance() }),
      deleteTopic: () => ({ ...this.#topic(), deleted: this.#chance() }),
      listTopics: () => ({
        topics: this.#many(9, () => ({ name: this.#name(), partitions: this.#u32() })),
      }),
      healthCheck: () => ({ status: this.#text(), uptimeSeconds: this.near(0, MOST) }),
      commitOffsets: () => ({
        codes: this.#many(9, () => this.#chance() ? 0 : CODE.INVALID_COMMIT_SIZE),
      }),
      fetchOffsets: () => ({ offsets: this.#many(9, () => this.#committed()) }),
      initProducer: () => ({ producerId: this.near(0, MOST), epoch: this.#u16() }),
      hello: () => ({ serverId: this.#text(), clusterId: this.#text(), features: this.#u32() }),
      metadata: () => ({
        servers: this.#many(4, () => ({
          id: this.#text(),
          host: this.#text(),
          port: this.#u16(),
          role: this.below(256),
        })),
        leader: this.#text(),
        topics: this.#many(4, () => ({
          name: this.#name(),
          topicId: this.near(0, MOST),
          partitions: this.#many(4, () => this.#range()),
        })),
      }),
      describeTopic: () => ({
        ...this.#topic(),
        topicId: this.near(0, MOST),
        replicationFactor: this.#u16(),
        settings: this.#settings(-1),
        partitions: this.#many(4, () => ({ ...this.#range(), bytes: this.near(0, MOST) })),
      }),
      alterTopic: () => ({ settings: this.#settings(-1) }),
      deleteRecords: () => ({ start: this.near(0, MOST) }),
      transact: () => ({ parts: this.#many(4, () => this.#produced(2)) }),
      joinGroup: () => this.#member(),
      syncGroup: () => ({
        generation: this.#u32(),
        assigned: this.#many(9, () => this.#partition()),
        more: this.#chance(),
      }),
      heartbeat: () => ({}),
      leaveGroup: () => ({}),
      describeGroup: () => ({
        generation: this.#u32(),
        members: this.#many(4, () => ({
          ...this.#member(),
          client: this.#text(),
          owned: this.#many(4, () => this.#partition()),
        })),
      }),
      listGroups: () => ({
        groups: this.#many(9, () => ({
          ...this.#group(),
          generation: this.#u32(),
          members: this.#u32(),
        })),
      }),
    };
  }

  #chance(): boolean {
    return this.#random.float() < 0.5;
  }

  #u16(): number {
    return this.near(0, 0xffff);
  }

  #u32(): number {
    return this.near(0, 0xffff_ffff);
  }

  #many<T>(below: number, item: () => T): T[] {
    return Array.from({ length: this.below(below) }, item);
  }

  #name(): string {
    const name = Array.from({ length: 1 + this.below(40) }, () => LETTERS[this.below(18)]).join("");
    return name === "." || name === ".." ? "dots" : name;
  }

  #text(): string {
    const letters = ["a", "~", "é", "€", "日", "😀", "\0", "\ufeff"];
    return Array.from({ length: this.below(40) }, () => letters[this.below(letters.length)]).join(
      "",
    );
  }

  #topic(): { topic: string } {
    return { topic: this.#name() };
  }

  #partition(): { topic: string; partition: number } {
    return { topic: this.#name(), partition: this.#u32() };
  }

  #group(): { group: string } {
    return { group: `g${this.#text()}` };
  }

  #member(): { member: string; generation: number } {
    return { member: this.#text(), generation: this.#u32() };
  }

  #range(): { start: number; highWaterMark: number } {
    return { start: this.near(0, MOST), highWaterMark: this.near(0, MOST) };
  }

  #committed(): { topic: string; partition: number; offset: number; metadata: string } {
    return { ...this.#partition(), offset: this.near(-1, MOST), metadata: this.#text() };
  }

  #producer(): { id: number; epoch: number; baseSequence: number } {
    return { id: this.near(1, MOST), epoch: this.#u16(), baseSequence: this.near(0, 0x7fff_ffff) };
  }

  #produced(version: number): Replies["produce"] {
    return {
      baseOffset: this.near(0, MOST),
      count: this.#u32(),
      highWaterMark: this.near(0, MOST),
      duplicates: version === 1 ? [] : this.#many(4, () => ({
        message: this.#u32(),
        partition: this.#u32(),
        offset: this.near(0, MOST),
      })),
    };
  }

  #settings(least: number): Requests["alterTopic"]["settings"] {
    return {
      retentionMs: this.near(least, MOST),
      retentionBytes: this.near(least, MOST),
      segmentBytes: this.near(least, MOST),
      segmentMs: this.near(least, MOST),
      dedupeMs: this.near(least, MOST),
    };
  }

  /** Where nulls are not known, nothing is empty: that would come back as null. */
  #content(nulls: boolean): Uint8Array | null {
    if (this.below(4) === 0) return null;
    return this.#random.bytes(this.below(nulls ? 60 : 59) + (nulls ? 0 : 1));
  }
}

const MOST = Number.MAX_SAFE_INTEGER;
