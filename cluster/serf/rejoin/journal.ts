/**
 * What a rejoin file holds, and what to add to it when something happens (docs/spec/serf.md 15). The file can be
 * written anew from it at any time, so a failed write loses nothing.
 *
 * @module
 */

import { joinHostPort } from "../../../protocol/host_port.ts";
import { addrToHost } from "../../../protocol/ip.ts";
import type { MemberEvent, SerfEvent } from "../model/event.ts";
import type { Member } from "../model/member.ts";
import type { Restored } from "../model/restored.ts";
import { type ClockName, formatRecord, type RejoinRecord } from "./record.ts";
import { keep } from "./replay.ts";

/** A file up to this size is not written anew, in bytes (docs/spec/serf.md 15.4). */
const LEAST_COMPACTED_BYTES = 128 * 1024;

/** What a known member may take before the file is written anew, in bytes: twice 128 (docs/spec/serf.md 15.4). */
const BYTES_PER_MEMBER = 2 * 128;

/** The content of a rejoin file in memory. Its methods return the lines to append, "" for none. */
export class RejoinJournal {
  readonly #members: Map<string, string>;
  readonly #failed: Map<string, string>;
  readonly #times: Record<ClockName, bigint>;
  readonly #rejoinAfterLeave: boolean;
  #leaving = false;

  /** A journal that goes on after what was restored. */
  constructor(
    { members, failed, memberTime, eventTime, queryTime }: Restored,
    { rejoinAfterLeave }: { rejoinAfterLeave: boolean },
  ) {
    this.#members = new Map(members);
    this.#failed = new Map(failed);
    this.#times = { clock: memberTime, "event-clock": eventTime, "query-clock": queryTime };
    this.#rejoinAfterLeave = rejoinAfterLeave;
  }

  /**
   * Something happened. During and after a leave only the clock of intents goes on.
   *
   * @param memberTime the last time in use of the clock of intents
   */
  event(event: SerfEvent, memberTime: bigint): string {
    if (this.#leaving) return "";
    if (event.type === "user") return this.#tick("event-clock", event.ltime);
    if (event.type === "query") return this.#tick("query-clock", event.ltime);
    const lines = event.members.map((member) => this.#member(event.type, member));
    return lines.join("") + this.tick(memberTime);
  }

  /** The clock of intents has used this time. */
  tick(memberTime: bigint): string {
    return this.#tick("clock", memberTime);
  }

  /** A member is not to be tried again. */
  forget(name: string): string {
    const known = this.#members.delete(name);
    return this.#failed.delete(name) || known ? lineOf({ type: "not-alive", name }) : "";
  }

  /** The node leaves on purpose. Unless it is to join again, nobody is to be tried. */
  leave(): string {
    this.#leaving = true;
    if (!this.#rejoinAfterLeave) {
      this.#members.clear();
      this.#failed.clear();
    }
    return lineOf({ type: "leave" });
  }

  /** The lines of a file that says the same. The clocks come last, so that a torn copy has older ones, not none. */
  *lines(): Generator<string> {
    for (const [name, address] of this.#members) yield lineOf({ type: "alive", name, address });
    for (const [name, address] of this.#failed) yield lineOf({ type: "failed", name, address });
    for (const type of ["clock", "event-clock", "query-clock"] as const) {
      yield lineOf({ type, time: this.#times[type] });
    }
    // A later life that is not to join again must see that the node left; one that never was to knows nobody any more.
    if (this.#leaving && this.#rejoinAfterLeave) yield lineOf({ type: "leave" });
  }

  /**
   * The lines to append to a file, whatever it says, so that it says the same: a leave forgets what stands above it. A node
   * that joins again after a leave also tries those who stand there.
   */
  *linesAnew(): Generator<string> {
    yield lineOf({ type: "leave" });
    yield* this.lines();
  }

  /**
   * Whether a file is so long that it should be written anew.
   *
   * @param bytes its length
   * @param compactedBytes its length when it was last written anew, 0 if it never was
   */
  isTooLong(bytes: number, compactedBytes: number): boolean {
    const known = this.#members.size + this.#failed.size;
    return bytes > Math.max(LEAST_COMPACTED_BYTES, known * BYTES_PER_MEMBER, 2 * compactedBytes);
  }

  #member(type: MemberEvent["type"], { name, addr, port }: Member): string {
    const address = joinHostPort(addrToHost(addr), port);
    switch (type) {
      case "member-join": {
        if (this.#members.get(name) === address) return "";
        const line = lineOf({ type: "alive", name, address });
        if (line === "") return "";
        this.#failed.delete(name);
        keep(this.#members, name, address);
        return line;
      }
      case "member-failed": {
        const gone = this.forget(name);
        const line = lineOf({ type: "failed", name, address });
        if (line !== "") keep(this.#failed, name, address);
        return gone + line;
      }
      case "member-leave":
      case "member-reap":
        return this.forget(name);
      case "member-update":
        return "";
    }
  }

  #tick(type: ClockName, time: bigint): string {
    if (time <= this.#times[type]) return "";
    this.#times[type] = time;
    return lineOf({ type, time });
  }
}

/** A record as a line, "" when its name cannot be in one: such a member is not kept. */
function lineOf(record: RejoinRecord): string {
  return formatRecord(record) ?? "";
}
