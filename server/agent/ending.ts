/**
 * How an agent ends: when it is told to, and by itself after an error that nobody expected.
 *
 * @module
 */

import { LeaveInProgressError, SerfStateError } from "../../cluster/serf/mod.ts";
import { background } from "../logging/background.ts";
import { type AgentLog, escapeControls } from "../logging/log.ts";
import { closeInOrder } from "../net/closing.ts";
import { within } from "../net/deadline.ts";

/**
 * The agent ended because most members know another node by its name (docs/spec/serf.md 14).
 *
 * @example
 * ```ts
 * import { Agent, NameTakenError } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * agent.closed.then((error) => {
 *   if (error instanceof NameTakenError) console.error(error.message);
 * });
 * ```
 */
export class NameTakenError extends Error {
  /** "NameTakenError". */
  override readonly name = "NameTakenError";

  /** `node` is the name. */
  constructor(node: string) {
    super(`Node name '${escapeControls(node)}' is taken by another member, choose one with -node`);
  }
}

/** What leaving and closing may take after an error that nobody expected, in milliseconds. */
const LAST_MS = { leave: 5_000, close: 3_000 } as const;

/** What ends with an agent. */
export interface EndingParts {
  /** Where errors are told, and from where those come that nobody expected. */
  readonly log: AgentLog;
  /** Leaves the cluster. */
  leave(): Promise<void>;
  /** Closes everything but what {@linkcode EndingParts.closeServers} does. */
  close(): Promise<void>;
  /** Closes what clients are connected to; they may still get to know that the agent has ended. */
  closeServers(): Promise<void>;
}

/** The end of one agent. */
export class Ending {
  /** Resolves when the agent has ended: with nothing, or with the error that made it end. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly #parts: EndingParts;
  readonly #markClosed: (error: Error | undefined) => void;
  readonly #ignoreErrors: () => void;
  #error: Error | undefined;
  #shutdown: Promise<void> | undefined;

  /** An agent that goes on until it is shut down, or its log is told of an error that nobody expected. */
  constructor(parts: EndingParts) {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    this.#markClosed = resolve;
    this.#parts = parts;
    this.#ignoreErrors = parts.log.onUnexpected((error) => this.#onUnexpected(error));
  }

  /** Whether the agent was shut down. */
  get begun(): boolean {
    return this.#shutdown !== undefined;
  }

  /** Closes everything because of `error`, which {@linkcode Ending.closed} then gives. */
  endWith(error: Error): Promise<void> {
    this.#error ??= error;
    return this.shutdown();
  }

  /** Closes everything. Safe to call again. Rejects, when all is done, with what could not be closed. */
  shutdown(): Promise<void> {
    if (this.#shutdown === undefined) {
      this.#shutdown = this.#close();
      // It is in the log. Whoever waits for the end gets it, but nobody has to.
      this.#shutdown.catch(() => {});
    }
    return this.#shutdown;
  }

  async #close(): Promise<void> {
    const { close, closeServers } = this.#parts;
    await closeInOrder([
      () => this.#reported(close),
      () => this.#markClosed(this.#error),
      () => this.#reported(closeServers),
      this.#ignoreErrors,
    ]);
  }

  async #reported(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#parts.log.unexpected(error);
      throw error;
    }
  }

  #onUnexpected(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    if (!this.begun) background(this.#giveUp(), this.#parts.log);
  }

  /** Nobody can tell what the error has left behind, so nothing of this may take for ever. */
  async #giveUp(): Promise<void> {
    this.#parts.log.write("ERR", "agent", "The agent ends because of an unexpected error");
    await within(LAST_MS.leave, this.#leave());
    const closed = await within(LAST_MS.close, this.shutdown().then(() => true, () => true));
    if (closed !== true) this.#parts.log.write("ERR", "agent", "The agent could not be closed");
    this.#markClosed(this.#error);
  }

  async #leave(): Promise<void> {
    const { leave, log } = this.#parts;
    try {
      await leave();
    } catch (error) {
      // Whoever began that leave also ends the agent.
      if (error instanceof LeaveInProgressError) await this.closed;
      else if (!(error instanceof SerfStateError)) log.unexpected(error);
    }
  }
}
