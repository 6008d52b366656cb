/**
 * What becomes of the ids that a server had before its directory was rebuilt.
 *
 * @module
 */

import type { AgentLog } from "../../logging/log.ts";
import { background } from "../../logging/background.ts";
import { DiskFullError } from "../../../cluster/runtime.ts";
import type { RaftStatus } from "../driver/status.ts";
import type { Operation, OperationOutcome } from "../wire_requests.ts";

/** How long taking one out may take, in milliseconds. */
const LIMIT_MS = 5_000;

/** The server that had other ids. */
export interface FormerHost {
  readonly id: string;
  /** The earlier ids. */
  readonly replaces: readonly string[];
  readonly replica: { readonly status: RaftStatus; readonly leaderId: string | undefined };
  /** Forgets ids for good. */
  forget(ids: readonly string[]): Promise<void>;
  /** Asks the leader. */
  operate(operation: Operation, limitMs: number): Promise<OperationOutcome>;
}

/** Has the leader take earlier ids out of the members, and forgets them then. */
export class FormerIds {
  readonly #host: FormerHost;
  readonly #log: Pick<AgentLog, "write" | "unexpected">;
  #isBusy = false;

  /** Does nothing yet. */
  constructor(host: FormerHost, log: Pick<AgentLog, "write" | "unexpected">) {
    this.#host = host;
    this.#log = log;
  }

  /**
   * Takes the next step once this server is a member, if `mayChange`. An earlier id is gone for good, and is not to count any more;
   * it is forgotten when it is out of the members by an entry that counts for good, since nobody takes it in again. `isAlive` tells
   * whether somebody shows that id after all.
   */
  look(mayChange: boolean, isAlive: (id: string) => boolean): void {
    const { id, replica, replaces } = this.#host;
    if (replaces.length === 0 || this.#isBusy) return;
    const { members, configurationIndex, appliedIndex } = replica.status;
    const isMember = (one: string) => members.some((member) => member.id === one);
    if (!isMember(id)) return;
    const gone = replaces.filter((one) => !isMember(one));
    if (gone.length > 0 && configurationIndex <= appliedIndex) {
      // Without room now it is tried again.
      return this.#begin(this.#host.forget(gone).catch(unlessFull));
    }
    const former = replaces.find((one) => isMember(one) && !isAlive(one));
    if (!mayChange || former === undefined || replica.leaderId === undefined) return;
    this.#begin(this.#takeOut(former));
  }

  async #takeOut(former: string): Promise<void> {
    const change = { kind: "change", change: { kind: "remove", id: former } } as const;
    if (await this.#host.operate(change, LIMIT_MS) !== undefined) return;
    const text = `Took out ${former}, which this server was before it was rebuilt`;
    this.#log.write("INFO", "raft", text);
  }

  #begin(work: Promise<void>): void {
    this.#isBusy = true;
    const done = work.finally(() => {
      this.#isBusy = false;
    });
    background(done, this.#log);
  }
}

function unlessFull(error: unknown): void {
  if (!(error instanceof DiskFullError)) throw error;
}
