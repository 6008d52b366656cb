/**
 * Links between simulated servers: messages and requests travel as datagrams, which get lost, doubled and late.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Message } from "../../../../cluster/raft/mod.ts";
import { decodeMessage, encodeMessage } from "../../../../cluster/raft/wire/message_codec.ts";
import type { Address, Stream } from "../../../../cluster/runtime.ts";
import { concatBytes, getU32, putU32 } from "../../../../protocol/bytes.ts";
import { type PeerNet, UnsentError } from "../../../../server/replica/driver/parts.ts";
import type { SeededRandom } from "../../simulation/random.ts";
import type { SimRuntime } from "../../simulation/simulation.ts";

/** Port of every server. */
export const PORT = 7376;

const KIND = { message: 1, request: 2, answer: 3 } as const;
/** Before the ids of both ends. */
const HEAD_BYTES = 5;

/** Chance that a request finds no way at all, or that its connection breaks after it was sent. */
const BROKEN = { before: 0.05, after: 0.03 } as const;

/** Longest body that a datagram carries itself. */
const MOST_CARRIED_BYTES = 32_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bodies that are too long for a datagram, by the numbers that travel in their place. One for all servers of a run. */
export class Parcels {
  readonly #bodies = new Map<number, Uint8Array>();
  #count = 0;

  /** What travels in place of a body: itself, or its number and checksum. */
  pack(body: Uint8Array): Uint8Array {
    if (body.length <= MOST_CARRIED_BYTES) return concatBytes([Uint8Array.of(0), body]);
    const slip = new Uint8Array(9);
    slip[0] = 1;
    putU32(slip, 1, ++this.#count);
    putU32(slip, 5, crc32(body));
    this.#bodies.set(this.#count, body);
    return slip;
  }

  /** The body. */
  unpack(packed: Uint8Array): Uint8Array {
    if (packed[0] === 0) return packed.slice(1);
    return (this.#bodies.get(getU32(packed, 1)) as Uint8Array).slice();
  }
}

/** Who gets what arrives. */
export interface Receiver {
  receive(from: string, message: Message): void;
  receiveRequests(bytes: Uint8Array): Promise<Uint8Array>;
}

/** The machine of a server. */
export function hostOf(id: string): string {
  return `10.0.0.${id.startsWith("s") ? id.slice(1) : parseInt(id.slice(0, 8), 16)}`;
}

/** The links of one process. */
export class Links implements PeerNet {
  readonly #id: string;
  readonly #runtime: SimRuntime;
  readonly #random: SeededRandom;
  readonly #parcels: Parcels;
  readonly #told = new Map<number, PromiseWithResolvers<Uint8Array>>();
  readonly #heard = new Set<string>();
  #requests: number;

  /** Of the server `id`; `life`: which process of its machine this is, so that no two requests have the same number. */
  constructor(
    id: string,
    runtime: SimRuntime,
    random: SeededRandom,
    parcels: Parcels,
    life: number,
  ) {
    this.#id = id;
    this.#runtime = runtime;
    this.#random = random;
    this.#parcels = parcels;
    this.#requests = life * 1_000_000;
  }

  /** Begins to hand over what arrives. */
  start(
    receiver: Receiver,
    failed: (error: Error) => void,
    accept: (stream: Stream) => void,
  ): void {
    this.#runtime.transport.start({
      packet: (from, bytes) => this.#receive(receiver, failed, from, bytes),
      stream: accept,
    });
  }

  send(to: string, message: Message): void {
    this.#send(addressOf(to), to, KIND.message, 0, encodeMessage(message));
  }

  flush(): void {}

  request(to: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const luck = this.#random.float();
    if (luck < BROKEN.before) return Promise.reject(new UnsentError("Nobody is there"));
    const number = ++this.#requests;
    this.#send(addressOf(to), to, KIND.request, number, bytes);
    const waiting = Promise.withResolvers<Uint8Array>();
    this.#told.set(number, waiting);
    const isBroken = luck < BROKEN.before + BROKEN.after;
    const endMs = isBroken ? this.#random.float() * 5 : timeoutMs;
    this.#runtime.clock.setTimer(endMs, () => waiting.reject(new Error("No answer")));
    return waiting.promise;
  }

  #send(address: Address, to: string, kind: number, number: number, body: Uint8Array): void {
    const ids = encoder.encode(`${this.#id} ${to}`);
    const head = new Uint8Array(HEAD_BYTES + 1);
    head[0] = kind;
    putU32(head, 1, number);
    head[HEAD_BYTES] = ids.length;
    this.#runtime.transport.sendPacket(address, concatBytes([head, ids, this.#parcels.pack(body)]));
  }

  #receive(
    receiver: Receiver,
    failed: (error: Error) => void,
    from: Address,
    bytes: Uint8Array,
  ): void {
    const [kind, number] = [bytes[0], getU32(bytes, 1)];
    const end = HEAD_BYTES + 1 + (bytes[HEAD_BYTES] as number);
    const [id = "", to] = decoder.decode(bytes.subarray(HEAD_BYTES + 1, end)).split(" ");
    // As servers say hello to whom they mean.
    if (to !== this.#id) return;
    const body = this.#parcels.unpack(bytes.subarray(end));
    if (kind === KIND.message) return receiver.receive(id, decodeMessage(body));
    if (kind === KIND.answer) return this.#told.get(number)?.resolve(body);
    // A connection brings a request once.
    const name = `${from.host} ${number}`;
    if (this.#heard.has(name)) return;
    this.#heard.add(name);
    receiver.receiveRequests(body).then(
      (answer) => this.#send(from, id, KIND.answer, number, answer),
      failed,
    );
  }
}

function addressOf(id: string): Address {
  return { host: hostOf(id), port: PORT };
}
