/**
 * A connection that this server has dialled, from the preamble on: messages and requests go out, answers come back.
 *
 * @module
 */

import type { Writer } from "../../../protocol/msgpack/mod.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import { type Conversation, type Peer, UnfinishedLimitError } from "../../net/conversation.ts";
import { CHANNEL, type Frame, frameOf, readAnswer } from "./frames.ts";
import {
  decodeHello,
  decodePreamble,
  encodeHello,
  type Hello,
  HelloError,
  type Lane,
  preambleProblem,
} from "./hello.ts";
import { MISSED_BY_CALLER } from "./limits.ts";
import { isPeersFault, Line } from "./line.ts";
import { greetingProblem, type Opening, openingOf, type PeerParts, sealingOf } from "./parts.ts";

const PING = frameOf(CHANNEL.ping, new Uint8Array(0));

/** Whom a connection is to. */
export interface CallerParts extends PeerParts {
  /** Id of the server that is expected there. */
  readonly to: string;
  /** What the connection is for. */
  readonly lane: Lane;
  /** The other end has said hello: {@linkcode Caller.send} may be used. */
  readonly opened: (hello: Hello) => void;
  /** The other end has said what became of a request. */
  readonly settle: (number: number, status: number, answer: Uint8Array) => void;
}

/** The end that dialled. */
export class Caller implements Conversation {
  /** Never: it is closed at once when something is wrong. */
  readonly ended = false;
  /** The other end's hello, once it has come. */
  hello: Hello | undefined;
  /** Why the connection was given up, if it was. */
  problem: string | undefined;
  /** When something came last, by `performance.now()`. */
  heardAt = performance.now();
  readonly #peer: Peer<Writer>;
  readonly #parts: CallerParts;
  readonly #line: Line;
  readonly #opening: Opening;
  #hasPreamble = false;
  #hasHeard = false;
  #missed = 0;
  #closed = false;

  /** Nothing is said before {@linkcode Caller.begin}. */
  constructor(peer: Peer<Writer>, deliver: (block: Uint8Array) => void, parts: CallerParts) {
    this.#peer = peer;
    this.#parts = parts;
    this.#line = new Line(peer, deliver);
    this.#opening = openingOf(parts);
  }

  /** Finds the blocks. */
  get parser(): Line["parser"] {
    return this.#line.parser;
  }

  /** Whether the other end listens. */
  get isOpen(): boolean {
    return this.hello !== undefined && !this.#closed;
  }

  /** Bytes that the other end has not taken. */
  get backlog(): number {
    return this.#peer.outbox.backlog;
  }

  /** Says the first word. */
  begin(): void {
    this.#line.sendPreamble(this.#opening.preamble);
  }

  /** Sends frames in this order. */
  send(frames: readonly Uint8Array[]): void {
    this.#line.send(frames);
  }

  /** Begins to send what waits. Without this it is sent at the end of the turn. */
  flush(): void {
    this.#peer.outbox.flush();
  }

  /** Resolves when no more than so many bytes wait, or the connection is closed. */
  drained(below: number): Promise<void> {
    return this.#peer.outbox.drained(below);
  }

  /**
   * Asks for a sign of life, and gives the connection up after some without: nothing came, and nothing was taken. Counted by
   * calls, not by the clock, so that a pause of this program is not taken for one of the peer.
   */
  beat(periodMs: number): void {
    if (!this.isOpen) return;
    const isTaking = this.backlog > 0 &&
      this.#peer.outbox.stalledFor(performance.now()) < periodMs;
    this.#missed = this.#hasHeard || isTaking ? 0 : this.#missed + 1;
    this.#hasHeard = false;
    if (this.#missed >= MISSED_BY_CALLER) this.#give("It gave no sign of life");
    else this.#line.send([PING]);
  }

  /** Takes the preamble, or a block. */
  take(block: Uint8Array): undefined {
    this.heardAt = performance.now();
    this.#hasHeard = true;
    try {
      if (this.#hasPreamble) {
        for (const frame of this.#line.frames(block)) this.#takeFrame(frame);
      } else this.#takePreamble(block);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Gives the connection up, if it is the peer's fault. */
  fail(error: unknown): void {
    if (!isPeersFault(error) && !(error instanceof UnfinishedLimitError)) throw error;
    this.#give(error.message);
  }

  /** Nothing to do: answers that did not come will not come. */
  finish(): void {}

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
  }

  #takePreamble(bytes: Uint8Array): void {
    const preamble = decodePreamble(bytes);
    const problem = preambleProblem(preamble, this.#opening.sealed);
    if (problem !== undefined) throw new HelloError(problem);
    this.#hasPreamble = true;
    this.#line.seal(sealingOf(this.#parts, this.#opening, preamble.nonce, "caller"));
    const { identity, to, lane } = this.#parts;
    const hello = { ...identity(), to, lane };
    this.#line.send([frameOf(CHANNEL.hello, encodeHello(hello))]);
  }

  #takeFrame({ channel, payload }: Frame): void {
    if (this.#closed) return;
    if (channel === CHANNEL.refusal) {
      return this.#give(`It refuses: ${decodeUtf8(payload.subarray(0, 512))}`);
    }
    if (this.hello === undefined) return this.#takeHello(channel, payload);
    if (channel === CHANNEL.pong) return;
    if (channel !== CHANNEL.answer) throw new HelloError(`It sent a frame of channel ${channel}`);
    const { number, status, answer } = readAnswer(payload);
    this.#parts.settle(number, status, answer);
  }

  #takeHello(channel: number, payload: Uint8Array): void {
    if (channel !== CHANNEL.hello) throw new HelloError(`It began with channel ${channel}`);
    const hello = decodeHello(payload);
    const { to } = this.#parts;
    if (hello.id !== to) throw new HelloError(`It is '${hello.id}', wanted is '${to}'`);
    const problem = greetingProblem(this.#parts, hello);
    if (problem !== undefined) throw new HelloError(problem);
    this.#line.know();
    this.hello = hello;
    this.#parts.opened(hello);
  }

  #give(problem: string): void {
    this.problem ??= problem;
    this.#peer.close();
  }
}
