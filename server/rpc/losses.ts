/**
 * Tells what slow clients have lost: in the log while it goes on and when it is over, and by number in `stats`.
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../cluster/log_limiter.ts";
import { background } from "../logging/background.ts";
import type { AgentLog, Monitor } from "../logging/log.ts";
import type { Output } from "./output.ts";

/** How many records of one kind a client has lost. */
export interface LossCount {
  /** In all. */
  total: number;
  /** How many of them the log has the sum of. */
  told: number;
}

/** Who loses records. */
export interface Loser {
  /** The client's name in logs. */
  readonly client: string;
  /** What it does not read. */
  readonly output: Output;
}

/** Counts and tells the losses of one kind of record. */
export class Losses {
  readonly #log: AgentLog;
  readonly #limiter = new LogLimiter(performance);
  readonly #during: string;
  readonly #noun: string;
  /** Records that were dropped because a client was slow. */
  total = 0;

  /**
   * @param during What the Go agent says is dropped, `event` or `logs`.
   * @param noun What was lost in the end, for a number of them.
   */
  constructor(log: AgentLog, during: string, noun: string) {
    this.#log = log;
    this.#during = during;
    this.#noun = noun;
  }

  /**
   * Counts one record. A line about it is written at most once a second for a client, as in the Go agent but for the
   * limit (agent.md 1.7). When the client has read everything that waits, or is gone, one more line has the sum.
   *
   * @param except The monitor that lost the line: a line about each loss would be the next to be lost.
   */
  count({ client, output }: Loser, loss: LossCount, except?: Monitor): void {
    this.total++;
    if (loss.total++ === loss.told) {
      background(output.drained(0).then(() => this.#sum(client, loss)), this.#log);
    }
    const hidden = this.#limiter.admit(client);
    if (hidden === undefined) return;
    const text = `Dropping ${this.#during} to ipc.client: ${client}`;
    this.#log.write("WARN", "agent.ipc", text + hiddenNote(hidden), { except });
  }

  #sum(client: string, loss: LossCount): void {
    const lost = loss.total - loss.told;
    loss.told = loss.total;
    const text = `Dropped ${lost} ${this.#noun} to ipc.client: ${client}, which read too slowly`;
    this.#log.write("WARN", "agent.ipc", text);
  }
}
