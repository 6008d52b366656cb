/**
 * What becomes of the ids that a server had before its directory was rebuilt.
 *
 * @module
 */

import type { AgentLog } from "../../logging/log.ts";
import { background } from "../../logging/background.ts";
import type { ReplicaHost } from "../replica_host.ts";

/** How long taking one out may take, in milliseconds. */
const LIMIT_MS = 5_000;

/** Has the leader take earlier ids out of the members, and forgets them then. */
export class FormerIds {
  readonly #host: ReplicaHost;
  readonly #log: AgentLog;
  #isBusy = false;

  /** Does nothing yet. */
  constructor(host: ReplicaHost, log: AgentLog) {
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
    const isMember = (one: string) => replica.configuration.some((member) => member.id === one);
    if (replaces.length === 0 || this.#isBusy || !isMember(id)) return;
    const { configurationIndex, appliedIndex } = replica.status;
    const gone = replaces.filter((one) => !isMember(one));
    if (gone.length > 0 && configurationIndex <= appliedIndex) {
      return this.#begin(this.#host.forget(gone));
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
