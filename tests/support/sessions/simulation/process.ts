/**
 * A process of a client with a session: the real core, moved by a simulated clock over simulated streams, as the driver moves it.
 *
 * @module
 */

import type { Call, Effect, Input } from "../../../../client/sessions/core/inputs.ts";
import { newState, type Settings, type State } from "../../../../client/sessions/core/state.ts";
import { step, wakeAt } from "../../../../client/sessions/core/step.ts";
import type { Stream, Timer } from "../../../../cluster/runtime.ts";
import {
  clientFrame,
  type ClientMessage,
  frameSplitter,
  readServerMessage,
} from "../../../../protocol/sessions/mod.ts";
import type { SimRuntime } from "../../simulation/simulation.ts";

/** A wall clock is so much ahead of the other clock, in milliseconds. */
const WALL_MS = 1_000_000;

/** Longest time after which a request is repeated by the way, and for which it is held back, in milliseconds. */
const REPEAT_MS = 12_000;
const HOLD_MS = 120;

/** Chance that a message is repeated by the way. */
const REPEATED = 0.08;

/** What a process is made of. */
export interface ProcessParts {
  readonly runtime: SimRuntime;
  readonly settings: Settings;
  /** Whether its way holds requests back, so that they come in another order. */
  readonly isMixed: boolean;
  /** Gets all that the core wants of its program. */
  readonly program: (effect: Effect) => void;
}

/** The process. */
export class SimulatedProcess {
  readonly state: State;
  readonly #parts: ProcessParts;
  /** Ids of requests that the way has repeated, or will. */
  readonly #repeated = new Set<number>();
  #wire: Wire | undefined;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #hasEnded = false;

  /** Connects. */
  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.state = newState(parts.settings);
    this.take({ type: "connect" });
  }

  /** By its own clock, in milliseconds since 1970. */
  get now(): number {
    return WALL_MS + this.#parts.runtime.clock.now();
  }

  /** Something has happened. */
  take(input: Input): void {
    if (this.#hasEnded) return;
    const { random } = this.#parts.runtime;
    const chance = {
      float: () => random.float(),
      nonce: () => BigInt(Math.floor(random.float() * 2 ** 32)) + 1n,
    };
    const { now } = this;
    for (const effect of step(this.state, input, now, chance)) this.#perform(effect);
    this.#wakeAt(wakeAt(this.state, now), now);
  }

  /** Whether the way has repeated a request, or will. */
  wasRepeated({ id }: Call): boolean {
    return typeof id === "number" && this.#repeated.has(id);
  }

  /** It is killed. */
  end(): void {
    this.#hasEnded = true;
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "dial":
        this.#wire?.close();
        this.#wire = this.#dial(effect.address);
        break;
      case "hang-up":
        this.#wire?.close();
        this.#wire = undefined;
        break;
      case "send":
        this.#send(effect.message);
        break;
      default:
        this.#parts.program(effect);
    }
  }

  #dial(address: string): Wire {
    const { runtime, settings } = this.#parts;
    const wire = new Wire(runtime, address, settings.attemptMs, (input) => {
      if (this.#wire === wire) this.take(input);
    });
    return wire;
  }

  /** The way repeats messages, also much later; one that mixes requests up repeats them on later connections too. */
  #send(message: ClientMessage): void {
    const { runtime: { random, clock }, isMixed } = this.#parts;
    const wire = this.#wire;
    const isRequest = message.kind === "clientRequest";
    if (isRequest && isMixed && random.float() < 0.3) {
      clock.setTimer(random.float() * HOLD_MS, () => wire?.send(message));
    } else wire?.send(message);
    const mayRepeat = isRequest || message.kind === "query" || message.kind === "serverRequestAck";
    if (!mayRepeat || random.float() > REPEATED) return;
    if (isRequest) this.#repeated.add(message.requestId);
    const session = this.state.sessionId;
    clock.setTimer(random.float() ** 2 * REPEAT_MS, () => {
      const isSame = this.state.phase === "connected" && this.state.sessionId === session;
      if (isSame && !this.#hasEnded) (isMixed ? this.#wire : wire)?.send(message);
    });
  }

  #wakeAt(at: number, now: number): void {
    if (at >= this.#timerAt && at !== Infinity) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    if (at === Infinity) return;
    this.#timer = this.#parts.runtime.clock.setTimer(Math.ceil(at - now), () => {
      this.#timerAt = Infinity;
      this.take({ type: "tick" });
    });
  }
}

/** A connection, from dialling on. */
class Wire {
  readonly #tell: (input: Input) => void;
  #stream: Stream | undefined;
  #frames: Uint8Array[] = [];
  #isClosed = false;

  constructor(
    { transport }: SimRuntime,
    address: string,
    timeoutMs: number,
    tell: (input: Input) => void,
  ) {
    this.#tell = tell;
    const [host = "", port] = address.split(":");
    transport.dial({ host, port: Number(port) }, timeoutMs).then(
      (stream) => this.#opened(stream),
      (error) => this.#lost(error),
    );
  }

  /** Sends a message; what is sent in one turn is written at once. */
  send(message: ClientMessage): void {
    if (this.#isClosed) return;
    this.#frames.push(clientFrame(message));
    if (this.#frames.length === 1) queueMicrotask(() => this.#flush());
  }

  /** Writes what was sent, and closes it. */
  close(): void {
    this.#flush();
    this.#isClosed = true;
    this.#stream?.close();
  }

  #flush(): void {
    const frames = this.#frames;
    this.#frames = [];
    // Who reads finds out that it is broken.
    for (const frame of frames) this.#stream?.write(frame).catch(() => {});
  }

  #opened(stream: Stream): void {
    this.#stream = stream;
    if (this.#isClosed) return stream.close();
    this.#tell({ type: "opened" });
    this.#read(stream).then((error) => this.#lost(error));
  }

  async #read(stream: Stream): Promise<Error> {
    const splitter = frameSplitter((bytes) => {
      if (!this.#isClosed) this.#tell({ type: "message", message: readServerMessage(bytes) });
    });
    for (;;) {
      try {
        const chunk = await stream.read();
        if (chunk === null) return new Error("Server closed the connection");
        splitter.push(chunk);
      } catch (error) {
        return error as Error;
      }
    }
  }

  #lost(error: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream?.close();
    this.#tell({ type: "lost", error });
  }
}
