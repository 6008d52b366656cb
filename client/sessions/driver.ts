/**
 * What moves the core of a session: sockets, the clock, chance, and the promises of the program.
 *
 * @module
 */

import { type CallOptions, type Settle, waitFor } from "../net/deadline.ts";
import type { TlsOptions } from "../net/dial.ts";
import { ConnectError } from "../net/errors.ts";
import { deferred, reportFault } from "../net/portable.ts";
import type { Call, Chance, Effect, Input, ServerRequest, SessionEvent } from "./core/inputs.ts";
import { newState, type Settings, type State } from "./core/state.ts";
import { step, wakeAt } from "./core/step.ts";
import { Wire } from "./wire.ts";

/** Longest time of a timer, in milliseconds; it only wakes the core too early. */
const MAX_TIMER_MS = 3_600_000;

/** What a driver tells. */
export interface DriverListener {
  /** A server request, in order and once. */
  deliver(request: ServerRequest): void;
  /** Something has become of the session. */
  tell(event: SessionEvent): void;
}

/** A session that lives. */
export class Driver {
  /** Resolves when nothing follows: with nothing after {@linkcode Driver.close}, else with the reason. */
  readonly ended: Promise<Error | undefined>;
  readonly #resolveEnded: (error: Error | undefined) => void;
  readonly #state: State;
  readonly #tls: TlsOptions | undefined;
  readonly #listener: DriverListener;
  readonly #settles = new Map<Call, Settle<Uint8Array>>();
  /** Those who wait for the session. */
  readonly #waiting = new Set<Settle<void>>();
  /** All connections of which something is left; the last one is in use. */
  readonly #wires = new Set<Wire>();
  #wire: Wire | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  /** Does nothing by itself. */
  constructor(settings: Settings, tls: TlsOptions | undefined, listener: DriverListener) {
    this.#state = newState(settings);
    this.#tls = tls;
    this.#listener = listener;
    const { promise, resolve } = deferred<Error | undefined>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  /** What is known of the session. */
  get state(): Readonly<State> {
    return this.#state;
  }

  /** Looks for a server that gives the session, and goes on to do so when this has rejected. */
  connect({ signal, timeoutMs }: CallOptions & { readonly timeoutMs: number }): Promise<void> {
    const deadline = {
      signal,
      timeoutMs,
      timeoutError: () => {
        const { reason } = this.#state.link;
        const text = `No session within ${timeoutMs} ms${reason ? `: ${reason.message}` : ""}`;
        return new ConnectError(text, { cause: reason });
      },
      giveUp: () => void this.#waiting.delete(settle),
    };
    let settle!: Settle<void>;
    return waitFor<void>(deadline, (own) => {
      settle = own;
      this.#waiting.add(own);
      this.#take({ type: "connect" });
      if (this.#state.isOver || this.#state.phase === "connected") this.#settleWaiting();
    });
  }

  /** Has a command or query done. `name` is what it is called in errors. */
  call(
    type: Call["type"],
    name: string,
    payload: Uint8Array,
    { signal, timeoutMs }: CallOptions & { readonly timeoutMs: number },
  ): Promise<Uint8Array> {
    const now = this.#now();
    const call: Call = {
      type,
      name,
      payload,
      createdAt: Math.floor(now),
      deadlineAt: now + timeoutMs,
      id: undefined,
      isRepeated: false,
      resendAt: Infinity,
      resendMs: this.#state.settings.resendMs,
    };
    const deadline = {
      signal,
      // The core gives it up in time.
      timeoutMs: Infinity,
      timeoutError: () => new Error("Unreachable"),
      giveUp: () => {
        this.#settles.delete(call);
        this.#take({ type: "abandon", call });
      },
    };
    return waitFor<Uint8Array>(deadline, (settle) => {
      this.#settles.set(call, settle);
      this.#take({ type: "submit", call });
    });
  }

  /** The program has read so many server requests. */
  taken(count: number): void {
    this.#take({ type: "taken", count });
  }

  /** The program has done the job of a server request of a session. */
  done(requestId: number, sessionId: string | undefined): void {
    this.#take({ type: "done", requestId, sessionId });
  }

  /** Ends the session, or with `keep` only this connection to it. Resolves when nothing is left. */
  async close(keep: boolean): Promise<void> {
    this.#take({ type: "close", keep });
    await this.ended;
    await Promise.all([...this.#wires].map(({ ended }) => ended));
  }

  #take(input: Input): void {
    const now = this.#now();
    for (const effect of step(this.#state, input, now, CHANCE)) this.#perform(effect);
    this.#wakeIn(wakeAt(this.#state, now), now);
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "dial":
        this.#hangUp();
        return this.#dial(effect.address);
      case "hang-up":
        return this.#hangUp();
      case "send":
        return this.#wire?.send(effect.message, effect.again);
      case "resolve":
        this.#settles.get(effect.call)?.resolve(effect.result);
        return void this.#settles.delete(effect.call);
      case "reject":
        this.#settles.get(effect.call)?.reject(effect.error);
        return void this.#settles.delete(effect.call);
      case "deliver":
        return this.#listener.deliver(effect.request);
      case "tell":
        if (effect.event.name === "connected") this.#settleWaiting();
        return this.#listener.tell(effect.event);
      case "end":
        this.#settleWaiting();
        this.#resolveEnded(effect.error);
    }
  }

  #settleWaiting(): void {
    const { isOver, end } = this.#state;
    for (const { resolve, reject } of this.#waiting) isOver ? reject(end) : resolve();
    this.#waiting.clear();
  }

  #dial(address: string): void {
    const options = { timeoutMs: this.#state.settings.attemptMs, tls: this.#tls };
    const ifCurrent = (input: Input): void => {
      if (this.#wire === wire) this.#take(input);
    };
    const wire = new Wire(address, options, {
      opened: () => ifCurrent({ type: "opened" }),
      message: (message) => ifCurrent({ type: "message", message }),
      heard: () => ifCurrent({ type: "heard" }),
      lost: (error) => ifCurrent({ type: "lost", error }),
    });
    this.#wire = wire;
    this.#wires.add(wire);
    wire.ended.then(() => this.#wires.delete(wire)).catch(reportFault);
  }

  #hangUp(): void {
    this.#wire?.close().catch(reportFault);
    this.#wire = undefined;
  }

  /** Sees to it that the core hears of `at`; a timer that comes before is left as it is. */
  #wakeIn(at: number, now: number): void {
    if (at >= this.#timerAt && at !== Infinity) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (at === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.#take({ type: "tick" });
    }, Math.min(Math.ceil(at - now), MAX_TIMER_MS));
  }

  /** By a clock that does not run back. */
  #now(): number {
    return performance.timeOrigin + performance.now();
  }
}

const CHANCE: Chance = {
  float: Math.random,
  nonce(): bigint {
    for (;;) {
      const [nonce] = crypto.getRandomValues(new BigInt64Array(1));
      if (nonce !== undefined && nonce !== 0n) return nonce;
    }
  },
};
