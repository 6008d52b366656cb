/**
 * The signals of the operating system, one after the other.
 *
 * @module
 */

import { closeInspector } from "./inspector.ts";

/** The signals that the agent handles, and what it calls them (docs/spec/agent.md 6.7). */
export const SIGNAL_NAMES = {
  SIGINT: "interrupt",
  SIGTERM: "terminated",
  SIGHUP: "hangup",
  SIGUSR1: "user defined signal 1",
  // Windows has it instead of SIGUSR1.
  SIGBREAK: "break",
} as const;

/** A signal that the agent handles. */
export type AgentSignal = keyof typeof SIGNAL_NAMES;

/** Where signals come from: the operating system, or a test. */
export interface SignalSource {
  /** Calls `listener` on each signal of this name. */
  add(signal: AgentSignal, listener: () => void): void;
  /** Ends that. */
  remove(signal: AgentSignal, listener: () => void): void;
}

/** The operating system. */
export const systemSignals: SignalSource = {
  add(signal, listener) {
    try {
      Deno.addSignalListener(signal, listener);
      if (signal === "SIGUSR1") Deno.addSignalListener(signal, onDebuggerSignal);
    } catch {
      // This operating system does not have it.
    }
  },
  remove(signal, listener) {
    try {
      Deno.removeSignalListener(signal, listener);
      if (signal === "SIGUSR1") Deno.removeSignalListener(signal, onDebuggerSignal);
    } catch {
      // It was never added.
    }
  },
};

function onDebuggerSignal(): void {
  closeInspector().catch(reportError);
}

/** Signals in the order in which they came; none is lost while nobody waits. */
export class SignalQueue implements Disposable {
  readonly #source: SignalSource;
  readonly #listeners = new Map<AgentSignal, () => void>();
  readonly #pending: AgentSignal[] = [];
  #wake = Promise.withResolvers<void>();

  /** @param source Where signals come from. */
  constructor(source: SignalSource = systemSignals) {
    this.#source = source;
    for (const signal of Object.keys(SIGNAL_NAMES) as AgentSignal[]) {
      const listener = (): void => this.#receive(signal);
      this.#listeners.set(signal, listener);
      source.add(signal, listener);
    }
  }

  /** Resolves when a signal is there; it stays there until {@linkcode SignalQueue.take}. */
  get waiting(): Promise<void> {
    return this.#wake.promise;
  }

  /** The signal that {@linkcode SignalQueue.take} would give. */
  get next(): AgentSignal | undefined {
    return this.#pending[0];
  }

  /** The oldest signal, `undefined` when there is none. */
  take(): AgentSignal | undefined {
    const signal = this.#pending.shift();
    if (this.#pending.length === 0) this.#wake = Promise.withResolvers<void>();
    return signal;
  }

  /** Handles no more signals. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) this.#source.remove(signal, listener);
    this.#listeners.clear();
  }

  #receive(signal: AgentSignal): void {
    this.#pending.push(signal);
    this.#wake.resolve();
  }
}
