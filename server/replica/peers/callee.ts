/**
 * A connection that was accepted, from the preamble on: messages and requests come in, answers go back.
 *
 * @module
 */

import { NewsError } from "../../../cluster/pubsub/mod.ts";
import { decodeMessage, MessageError } from "../../../cluster/raft/wire/message_codec.ts";
import { NO_BYTES } from "../../../protocol/bytes.ts";
import type { Writer } from "../../../protocol/msgpack/mod.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { background, guarded } from "../../logging/background.ts";
import { type Conversation, type Peer, UnfinishedLimitError } from "../../net/conversation.ts";
import { answerFrame, CHANNEL, type Frame, frameOf, readRequest, STATUS } from "./frames.ts";
import {
  decodeHello,
  decodePreamble,
  encodeHello,
  type Hello,
  HelloError,
  preambleProblem,
} from "./hello.ts";
import {
  MAX_FRAME_BYTES,
  MAX_RUNNING_BYTES,
  MAX_RUNNING_REQUESTS,
  MISSED_BY_CALLEE,
} from "./limits.ts";
import { isPeersFault, Line } from "./line.ts";
import { greetingProblem, type Opening, openingOf, type PeerParts, sealingOf } from "./parts.ts";

const PONG = frameOf(CHANNEL.pong, NO_BYTES);

/** Bytes of an answer besides what was answered, at most. */
const ANSWER_OVERHEAD_BYTES = 16;

/** What a connection that was accepted needs of its surroundings. */
export interface CalleeParts extends PeerParts {
  /** Why there is no room for who sent this hello, `undefined` when there is. */
  readonly roomProblem: (hello: Hello) => string | undefined;
  /** The other end's hello is accepted. */
  readonly entered: (callee: Callee) => void;
  /** The connection is gone, after a hello or without. */
  readonly left: (callee: Callee) => void;
  /** The other end was refused, or did what no server does. Others can cause it, many times a second. */
  readonly refused: (source: string, problem: string) => void;
}

/** The end that accepted. */
export class Callee implements Conversation {
  /** Whether a refusal is the last word. */
  ended = false;
  /** The other end's hello, once it is accepted. */
  hello: Hello | undefined;
  /** When something came last, by `performance.now()`. */
  heardAt = performance.now();
  readonly #peer: Peer<Writer>;
  readonly #parts: CalleeParts;
  readonly #line: Line;
  readonly #opening: Opening;
  readonly #running = new Set<Promise<void>>();
  #runningBytes = 0;
  /** Frames of this turn. */
  #answers: Uint8Array[] = [];
  #hasPreamble = false;
  #hasHeard = true;
  #missed = 0;
  #closed = false;

  /** Nothing is said before the other end says something. */
  constructor(peer: Peer<Writer>, deliver: (block: Uint8Array) => void, parts: CalleeParts) {
    this.#peer = peer;
    this.#parts = parts;
    this.#line = new Line(peer, deliver);
    this.#opening = openingOf(parts);
  }

  /** Finds the blocks. */
  get parser(): Line["parser"] {
    return this.#line.parser;
  }

  /** Closes the connection at once. */
  hangUp(): void {
    this.#peer.close();
  }

  /** Called now and then: closes the connection after some calls between which nothing came. */
  beat(): void {
    this.#missed = this.#hasHeard ? 0 : this.#missed + 1;
    this.#hasHeard = false;
    if (this.#missed >= MISSED_BY_CALLEE) this.#peer.close();
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

  /** Ends the connection, if it is the peer's fault. */
  fail(error: unknown): void {
    const isFault = isPeersFault(error) || error instanceof MessageError ||
      error instanceof NewsError || error instanceof UnfinishedLimitError;
    if (!isFault) throw error;
    this.#refuse(error.message);
  }

  /** Resolves when the requests that are being dealt with are answered. */
  async finish(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    this.#answers = [];
    this.#parts.left(this);
  }

  /** Whoever does not begin as a server does gets no word at all. */
  #takePreamble(bytes: Uint8Array): void {
    const preamble = decodePreamble(bytes);
    this.#line.sendPreamble(this.#opening.preamble);
    this.#hasPreamble = true;
    const problem = preambleProblem(preamble, this.#opening.sealed);
    if (problem !== undefined) throw new HelloError(problem);
    this.#line.seal(sealingOf(this.#parts, this.#opening, preamble.nonce, "callee"));
  }

  #takeFrame({ channel, payload }: Frame): void {
    if (this.#closed || this.ended) return;
    const { hello } = this;
    if (hello === undefined) return this.#takeHello(channel, payload);
    switch (channel) {
      case CHANNEL.raft:
        if (hello.lane === "visit") throw new HelloError("It takes no part in the log");
        return this.#parts.handlers.message(hello.id, decodeMessage(payload));
      case CHANNEL.request:
        return this.#takeRequest(hello, payload);
      case CHANNEL.news:
        return this.#parts.pubsub.receive(hello.id, payload);
      case CHANNEL.ping:
        return this.#say(PONG);
      default:
        throw new HelloError(`It sent a frame of channel ${channel}`);
    }
  }

  #takeHello(channel: number, payload: Uint8Array): void {
    if (channel !== CHANNEL.hello) throw new HelloError(`It began with channel ${channel}`);
    const hello = decodeHello(payload);
    const problem = greetingProblem(this.#parts, hello) ?? this.#parts.roomProblem(hello);
    if (problem !== undefined) throw new HelloError(problem);
    const own = { ...this.#parts.identity(), to: hello.id, lane: hello.lane };
    this.#line.send([frameOf(CHANNEL.hello, encodeHello(own))]);
    this.#line.know();
    this.hello = hello;
    this.#parts.entered(this);
  }

  #takeRequest(from: Hello, payload: Uint8Array): void {
    const { number, request } = readRequest(payload);
    const isTooMuch = this.#running.size >= MAX_RUNNING_REQUESTS ||
      (this.#running.size > 0 && this.#runningBytes + request.length > MAX_RUNNING_BYTES);
    if (isTooMuch) return this.#say(answerFrame(number, STATUS.unsent, NO_BYTES));
    const running = this.#answer(number, from, request);
    this.#running.add(running);
    this.#runningBytes += request.length;
    const ended = (): void => {
      this.#running.delete(running);
      this.#runningBytes -= request.length;
    };
    background(running.then(ended), this.#parts.log);
  }

  /** Never rejects. */
  async #answer(number: number, { id, lane }: Hello, request: Uint8Array): Promise<void> {
    let answer: Uint8Array | undefined;
    try {
      answer = await this.#parts.handlers.request(id, request, lane);
      if (answer.length > MAX_FRAME_BYTES - ANSWER_OVERHEAD_BYTES) {
        throw new RangeError(`Answer takes ${answer.length} bytes`);
      }
      this.#say(answerFrame(number, STATUS.answered, answer));
    } catch (error) {
      this.#parts.log.unexpected(error);
      this.#say(answerFrame(number, STATUS.failed, NO_BYTES));
    }
  }

  /** Sends a frame at the end of this turn, with the others. */
  #say(frame: Uint8Array): void {
    if (this.#closed) return;
    if (this.#answers.push(frame) > 1) return;
    const send = (): void => {
      if (!this.#closed) this.#line.send(this.#answers);
      this.#answers = [];
    };
    queueMicrotask(guarded(send, this.#parts.log));
  }

  #refuse(problem: string): void {
    if (this.#closed || this.ended) return;
    this.#parts.refused(this.#peer.source, problem);
    this.ended = true;
    if (!this.#hasPreamble) return;
    this.#line.send([frameOf(CHANNEL.refusal, encodeUtf8(problem))]);
  }
}
