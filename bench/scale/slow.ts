/**
 * Slow nodes as in the Lifeguard paper (Dadgar, Phillips, Currey 2017, "Lifeguard: Local Health Awareness for More
 * Accurate Failure Detection"): for a while a node neither gets nor sends messages, then all that has piled up goes
 * through at once. Its timers run on, so that it takes the silence for that of the others.
 *
 * @module
 */

import type { Address, Runtime, Stream, Transport } from "../../cluster/runtime.ts";

/** How long a slow node is blocked, and how long it works in between, in milliseconds. */
export const BLOCKED_MS = 16_384;
/** See {@linkcode BLOCKED_MS}. */
export const WORKING_MS = 1_024;

/** Messages that pile up in each direction, at most; what comes after is lost, as in the buffer of a socket. */
const MOST_HELD = 256;

/** Lets messages through, or holds them back. */
export class Gate {
  readonly #runtime: Runtime;
  #blocked = false;
  #held: (() => void)[] = [];
  #running = false;

  /** An open gate of a node with this clock and chance. */
  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Runs `message` now, or when the gate opens; `false` when there is no room to wait. */
  pass(message: () => void): boolean {
    if (!this.#blocked) message();
    else if (this.#held.length < MOST_HELD) this.#held.push(message);
    else return false;
    return true;
  }

  /** Blocks, then works, over and over, after a random part of the time of both. */
  start(): void {
    this.#running = true;
    const { clock, random } = this.#runtime;
    clock.setTimer(random.float() * (BLOCKED_MS + WORKING_MS), () => this.#block());
  }

  /** Lets everything through from now on. */
  stop(): void {
    this.#running = false;
    this.#open();
  }

  #block(): void {
    if (!this.#running) return;
    this.#blocked = true;
    this.#runtime.clock.setTimer(BLOCKED_MS, () => {
      this.#open();
      this.#runtime.clock.setTimer(WORKING_MS, () => this.#block());
    });
  }

  #open(): void {
    this.#blocked = false;
    const held = this.#held;
    this.#held = [];
    for (const message of held) message();
  }
}

/** A runtime whose network is behind a gate. */
export function behindGate(runtime: Runtime, gate: Gate): Runtime {
  const { transport } = runtime;
  const opened = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!gate.pass(resolve)) reject(new Error("Too many messages are held back"));
    });
  const gated: Transport = {
    localAddress: transport.localAddress,
    start: ({ packet, stream }) =>
      transport.start({
        packet: (from, bytes) => void gate.pass(() => packet(from, bytes)),
        stream: (accepted) => {
          if (!gate.pass(() => stream(slowed(accepted, opened)))) accepted.close();
        },
      }),
    sendPacket: (to, bytes) => void gate.pass(() => transport.sendPacket(to, bytes)),
    dial: async (to: Address, timeoutMs: number) => {
      await opened();
      return slowed(await transport.dial(to, timeoutMs), opened);
    },
    resolve: (host) => transport.resolve(host),
    close: () => transport.close(),
  };
  return { ...runtime, transport: gated };
}

function slowed(stream: Stream, opened: () => Promise<void>): Stream {
  return {
    remote: stream.remote,
    read: async () => {
      const chunk = await stream.read();
      await opened();
      return chunk;
    },
    write: async (bytes) => {
      await opened();
      await stream.write(bytes);
    },
    close: () => stream.close(),
  };
}
