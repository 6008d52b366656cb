/**
 * The user events of the last Lamport times: what was seen already, and what a push/pull passes on
 * (docs/spec/serf.md 9 and 13).
 *
 * @module
 */

/** One event of a group. */
export interface RingEvent {
  /** Name of the event. */
  readonly name: string;
  /** What came with it. */
  readonly payload: Uint8Array | null;
}

/** All events of one Lamport time. */
export interface RingGroup {
  /** The time. */
  readonly ltime: bigint;
  /** Distinct events, in order of arrival. */
  readonly events: readonly RingEvent[];
}

/**
 * What became of an event: it was news, known, from before `minTime`, more than a ring behind the clock, or
 * it found the ring full.
 */
export type RingVerdict = "new" | "duplicate" | "too-early" | "old" | "full";

/** Most distinct events of one Lamport time. Serf itself has no bound (docs/spec/serf.md 9.2). */
export const MAX_EVENTS_PER_TIME = 4_096;

/**
 * Most bytes that all events of the ring may take. A Go peer refuses a push/pull whose state is over 20 MiB
 * (docs/spec/memberlist.md 6.3), and the ring is part of that state.
 */
export const MAX_RING_BYTES = 16 * 1024 * 1024;

/** What an event counts besides its name and payload: keys and headers on the wire, objects in memory. */
const EVENT_OVERHEAD_BYTES = 64;

interface Slot {
  readonly ltime: bigint;
  readonly events: RingEvent[];
  bytes: number;
}

/** A ring of `size` slots; the events of Lamport time t are in slot t mod size. */
export class EventRing {
  /** Events of an earlier time are not wanted. */
  minTime = 0n;
  readonly #slots: (Slot | null)[];
  readonly #size: bigint;
  #bytes = 0;

  /** An empty ring. */
  constructor(size: number) {
    this.#slots = new Array(size).fill(null);
    this.#size = BigInt(size);
  }

  /** Every slot in ring order; `null` where no event is. */
  get groups(): readonly (RingGroup | null)[] {
    return this.#slots;
  }

  /**
   * Takes an event in. Its payload is copied, so that a view of a larger buffer does not keep that alive.
   *
   * @param clock the event clock, which has witnessed `ltime`
   */
  add(ltime: bigint, name: string, payload: Uint8Array | null, clock: bigint): RingVerdict {
    if (ltime < this.minTime) return "too-early";
    if (clock > this.#size && ltime < clock - this.#size) return "old";
    const index = Number(ltime % this.#size);
    let slot = this.#slots[index] ?? null;
    if (slot?.ltime === ltime) {
      if (slot.events.some((e) => e.name === name && samePayload(e.payload, payload))) {
        return "duplicate";
      }
      if (slot.events.length >= MAX_EVENTS_PER_TIME) return "full";
    } else {
      this.#bytes -= slot?.bytes ?? 0;
      slot = { ltime, events: [], bytes: 0 };
      this.#slots[index] = slot;
    }
    const bytes = EVENT_OVERHEAD_BYTES + 2 * name.length + (payload?.length ?? 0);
    slot.events.push({ name, payload: payload?.slice() ?? null });
    slot.bytes += bytes;
    this.#bytes += bytes;
    return this.#makeRoom(slot) ? "new" : "full";
  }

  /**
   * Drops the groups of the earliest times until the ring is within its bytes. They count as too early from then
   * on, so that no peer can bring them back. Returns whether `kept` is still there.
   */
  #makeRoom(kept: Slot): boolean {
    while (this.#bytes > MAX_RING_BYTES) {
      let first = kept;
      for (const slot of this.#slots) if (slot !== null && slot.ltime < first.ltime) first = slot;
      this.#slots[Number(first.ltime % this.#size)] = null;
      this.#bytes -= first.bytes;
      if (first.ltime >= this.minTime) this.minTime = first.ltime + 1n;
    }
    return this.#slots[Number(kept.ltime % this.#size)] === kept;
  }
}

/** nil and an empty payload are the same (docs/spec/serf.md 9.2). */
function samePayload(a: Uint8Array | null, b: Uint8Array | null): boolean {
  const length = a?.length ?? 0;
  if (length !== (b?.length ?? 0)) return false;
  if (a === null || b === null) return true;
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}
