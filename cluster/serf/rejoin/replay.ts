/**
 * Reading a rejoin file back (docs/spec/serf.md 15). What is damaged is counted and passed over.
 *
 * @module
 */

import { concatBytes, NO_BYTES } from "../../../protocol/bytes.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import type { Restored } from "../model/restored.ts";
import { MAX_LINE_BYTES, parseRecord, type RejoinRecord } from "./record.ts";

/** Most members of each kind that a rejoin file keeps: as many as memberlist remembers. The one kept longest makes room. */
export const MAX_KEPT_MEMBERS = 65_536;

const LINE_END = 0x0a;

/** What a file said. */
export interface Replayed {
  /** What outlived. */
  readonly restored: Restored;
  /** Lines that made no sense or were too long. */
  readonly damaged: number;
  /** Lines that said something. */
  readonly records: number;
  /** Bytes up to the end of the last whole line; what follows them is torn and counts for nothing. */
  readonly wholeBytes: number;
  /** Whether the file goes on after its last whole line. */
  readonly torn: boolean;
  /** Whether the node had left, and that is passed over because it is to join again. */
  readonly ignoredLeave: boolean;
}

/** Takes a file in piece by piece. */
export class RejoinReplay {
  readonly #rejoinAfterLeave: boolean;
  /** The beginning of a line whose end has not come; never longer than a line may be. */
  #held: Uint8Array = NO_BYTES;
  /** Whether the line that is coming is too long already. */
  #overlong = false;
  #bytes = 0;
  #wholeBytes = 0;
  #members = new Map<string, string>();
  #failed = new Map<string, string>();
  #times = { clock: 0n, "event-clock": 0n, "query-clock": 0n };
  #damaged = 0;
  #records = 0;
  #ignoredLeave = false;

  /** A replay that has read nothing. */
  constructor({ rejoinAfterLeave }: { rejoinAfterLeave: boolean }) {
    this.#rejoinAfterLeave = rejoinAfterLeave;
  }

  /** Takes the next bytes of the file in, and does not hold on to them. */
  push(bytes: Uint8Array): void {
    let begin = 0;
    for (;;) {
      const end = bytes.indexOf(LINE_END, begin);
      if (end < 0) break;
      this.#endLine(bytes.subarray(begin, end));
      begin = end + 1;
      this.#wholeBytes = this.#bytes + begin;
    }
    this.#bytes += bytes.length;
    this.#hold(bytes.subarray(begin));
  }

  /** What the whole file said. */
  end(): Replayed {
    return {
      restored: {
        members: this.#members,
        failed: this.#failed,
        memberTime: this.#times.clock,
        eventTime: this.#times["event-clock"],
        queryTime: this.#times["query-clock"],
      },
      damaged: this.#damaged,
      records: this.#records,
      wholeBytes: this.#wholeBytes,
      torn: this.#wholeBytes < this.#bytes,
      ignoredLeave: this.#ignoredLeave,
    };
  }

  #hold(part: Uint8Array): void {
    if (part.length === 0) return;
    if (this.#held.length + part.length >= MAX_LINE_BYTES) this.#overlong = true;
    this.#held = this.#overlong ? NO_BYTES : concatBytes([this.#held, part]);
  }

  #endLine(part: Uint8Array): void {
    const fits = !this.#overlong && this.#held.length + part.length < MAX_LINE_BYTES;
    const line = fits ? decodeUtf8(concatBytes([this.#held, part])) : undefined;
    this.#held = NO_BYTES;
    this.#overlong = false;
    const record = line === undefined ? undefined : parseRecord(line);
    if (record === undefined) this.#damaged++;
    else this.#apply(record);
  }

  #apply(record: RejoinRecord): void {
    switch (record.type) {
      case "comment":
        return;
      case "alive":
        this.#failed.delete(record.name);
        keep(this.#members, record.name, record.address);
        break;
      case "failed":
        this.#members.delete(record.name);
        keep(this.#failed, record.name, record.address);
        break;
      case "not-alive":
        this.#members.delete(record.name);
        this.#failed.delete(record.name);
        break;
      case "leave":
        this.#leave();
        break;
      default:
        this.#times[record.type] = record.time;
    }
    this.#records++;
  }

  /** A node that left on purpose begins anew, unless it is to join again. */
  #leave(): void {
    this.#ignoredLeave = this.#rejoinAfterLeave;
    if (this.#rejoinAfterLeave) return;
    this.#members.clear();
    this.#failed.clear();
    this.#times = { clock: 0n, "event-clock": 0n, "query-clock": 0n };
  }
}

/** Sets an entry and makes it the newest one; the oldest one makes room. */
export function keep(entries: Map<string, string>, name: string, address: string): void {
  entries.delete(name);
  entries.set(name, address);
  if (entries.size <= MAX_KEPT_MEMBERS) return;
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}
