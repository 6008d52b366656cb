/**
 * What must be true of all servers together, looked at after every step.
 *
 * @module
 */

import type { Entry, Message } from "../../../cluster/raft/mod.ts";
import { leaderOf } from "../../../cluster/raft/state/raft.ts";
import type { SimulatedServer } from "./server.ts";

/** Something happened that a correct core never lets happen. */
export class SafetyError extends Error {
  /** "SafetyError". */
  override readonly name = "SafetyError";
}

/** Watches a cluster from outside; knows more than any server does. */
export class Checker {
  /** What is committed, by index; index 0 is unused. */
  readonly committed: (Entry | undefined)[] = [undefined];
  /** In which term each of these was found to be committed, at the latest. */
  readonly #committedIn: number[] = [0];
  /** Digest of the machine after each committed index. */
  readonly digests: number[] = [0];
  readonly #leaders = new Map<number, string>();
  readonly #made = new Map<string, { readonly prevTerm: number; readonly data: string }>();
  readonly #grants = new Map<string, string>();
  /** The highest index of a write that a client knows to be done. */
  acknowledged = 0;

  /** A server appended an entry after one of `prevTerm`: log matching. */
  appended(entry: Entry, prevTerm: number): void {
    const key = `${entry.index} ${entry.term}`;
    const data = textOf(entry);
    const known = this.#made.get(key);
    if (known === undefined) this.#made.set(key, { prevTerm, data });
    else if (known.data !== data || known.prevTerm !== prevTerm) {
      throw new SafetyError(`Two entries ${key}: '${known.data}' and '${data}'`);
    }
  }

  /** After every step of a server. */
  stepped(server: SimulatedServer): void {
    const { raft } = server;
    if (raft.role.name === "leader") this.#oneLeader(server);
    for (let index = server.checkedCommit + 1; index <= raft.commit; index++) {
      this.#commit(server, index);
    }
    server.checkedCommit = Math.max(server.checkedCommit, raft.commit);
  }

  /** The machine of a server applied up to `index`, from which follows `digest`. */
  applied(server: SimulatedServer, index: number, digest: number): void {
    if (this.digests[index] !== digest) {
      throw new SafetyError(`Machine of ${server.id} differs after entry ${index}`);
    }
  }

  /** A message leaves: it shows nothing that is not on the disk. */
  sent(server: SimulatedServer, to: string, message: Message): void {
    const { durable } = server.disk;
    if (message.type === "pre-vote") return;
    if (message.type === "pre-vote-reply" && message.granted) return;
    if (message.term > durable.term) {
      throw new SafetyError(`${server.id} shows term ${message.term}, on disk is ${durable.term}`);
    }
    if (message.type === "vote-reply" && message.granted) {
      if (message.term === durable.term && durable.vote !== to) {
        throw new SafetyError(`${server.id} votes for ${to}, on disk is ${durable.vote}`);
      }
      const key = `${server.id} ${message.term}`;
      if ((this.#grants.get(key) ?? to) !== to) throw new SafetyError(`Two votes of ${key}`);
      this.#grants.set(key, to);
    }
    if (message.type === "append-reply" && message.success) {
      const last = durable.beforeIndex + durable.entries.length;
      if (message.matchIndex > last) {
        throw new SafetyError(
          `${server.id} has entry ${message.matchIndex}, on disk are ${last}`,
        );
      }
    }
  }

  /** A client hears that its write is done. */
  acknowledge(entry: Entry): void {
    const { index } = entry;
    const committed = this.committed[index];
    if (committed === undefined || textOf(committed) !== textOf(entry)) {
      throw new SafetyError(`Entry ${index} was acknowledged and is not what is committed`);
    }
    this.acknowledged = Math.max(this.acknowledged, index);
  }

  /** A client gets a read that sees up to `index`; when it asked, `known` was acknowledged. */
  read(server: SimulatedServer, index: number, known: number): void {
    if (index < known) {
      throw new SafetyError(`${server.id} answers a read with entry ${index}, ${known} was done`);
    }
  }

  /** At most one leader a term, which has everything that is committed. */
  #oneLeader(server: SimulatedServer): void {
    const { raft } = server;
    const known = this.#leaders.get(raft.term);
    if (known === server.id) return;
    if (known !== undefined) {
      throw new SafetyError(`Term ${raft.term} has two leaders: ${known} and ${server.id}`);
    }
    if (leaderOf(raft) !== server.id) throw new SafetyError(`${server.id} does not know itself`);
    this.#leaders.set(raft.term, server.id);
    for (let index = raft.log.beforeIndex + 1; index < this.committed.length; index++) {
      if (raft.log.term(index) === (this.committed[index] as Entry).term) continue;
      // A leader whose time is over already, without its knowing, need not have what came after it.
      if ((this.#committedIn[index] as number) >= raft.term) continue;
      throw new SafetyError(`Leader ${server.id} of term ${raft.term} lacks entry ${index}`);
    }
  }

  #commit(server: SimulatedServer, index: number): void {
    const entry = server.entryAt(index);
    const known = this.committed[index];
    if (entry === undefined) {
      if (known === undefined) throw new SafetyError(`${server.id} committed ${index} unseen`);
      return;
    }
    if (known === undefined) {
      if (index !== this.committed.length) {
        throw new SafetyError(`Entry ${index} is committed before ${this.committed.length}`);
      }
      this.committed.push(entry);
      this.#committedIn.push(server.raft.term);
      this.digests.push(digestOf(this.digests[index - 1] as number, entry));
    } else if (known.term !== entry.term || textOf(known) !== textOf(entry)) {
      throw new SafetyError(
        `Committed entry ${index} of term ${known.term} is of term ${entry.term} at ${server.id}`,
      );
    }
  }
}

/** The machine's digest after one more entry (FNV-1a). */
export function digestOf(before: number, entry: Entry): number {
  let hash = (before ^ entry.term) >>> 0;
  for (const byte of entry.data) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return Math.imul(hash ^ entry.index, 0x01000193) >>> 0;
}

function textOf({ type, data }: Entry): string {
  return `${type} ${data.toHex()}`;
}
