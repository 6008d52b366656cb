/**
 * Who may connect: caps on connections, in all and from one address, tighter ones on strangers, and a deadline for these.
 *
 * A stranger is a peer that has not shown yet that it speaks the protocol, or who it is. Where a cap is met, the stranger
 * that has been there longest makes room: whoever comes to talk is known soon, and a flood of silent connections keeps
 * nobody else out. Only when there is no stranger to go, the new peer is refused.
 *
 * @module
 */

import { formatDuration } from "../../protocol/duration.ts";
import { isIPv6, plainHost } from "./problems.ts";

/** Caps on the connections of one port. Of this machine's own addresses, only the caps on all count. */
export interface AdmissionLimits {
  /** Connections in all. */
  readonly connections: number;
  /** Connections from one address; from one network of 64 bits with IPv6, as one machine may have all of it. */
  readonly perSource: number;
  /** Strangers in all. */
  readonly strangers: number;
  /** Strangers from one address. */
  readonly strangersPerSource: number;
  /** How long a peer may stay a stranger, in milliseconds, at most 24 days. */
  readonly strangerMs: number;
}

/** A connection. */
export interface Guest {
  /** The peer's address. */
  readonly source: string;
  /** Closes the connection. */
  close(): void;
}

/** What one source has. */
interface Share {
  connections: number;
  strangers: number;
}

/** Keeps count of the connections of one port. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #onRefusal: (source: string, text: string) => void;
  readonly #shares = new Map<string, Share>();
  /** The strangers, each with the time until which it may be one, the oldest first. */
  readonly #strangers = new Map<Guest, number>();
  #connections = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onRefusal Told who was turned away and why. Others can cause it, many times a second. */
  constructor(limits: AdmissionLimits, onRefusal: (source: string, text: string) => void) {
    this.#limits = limits;
    this.#onRefusal = onRefusal;
  }

  /** Whether a connection from `source` has room, which a stranger may have had to make. */
  admit(source: string): boolean {
    const { connections, strangers } = this.#limits;
    return this.#admitsFrom(source) &&
      (this.#connections < connections || this.#makeRoom(source, connections)) &&
      (this.#strangers.size < strangers || this.#makeRoom(source, strangers));
  }

  /** A connection that was admitted begins, as a stranger. */
  enter(guest: Guest): void {
    const key = machineOf(guest.source);
    const share = this.#shares.get(key) ?? { connections: 0, strangers: 0 };
    this.#shares.set(key, share);
    share.connections++;
    share.strangers++;
    this.#connections++;
    this.#strangers.set(guest, performance.now() + this.#limits.strangerMs);
    this.#timer ??= setTimeout(() => this.#closeLate(), this.#limits.strangerMs);
  }

  /** A peer is no stranger any more. */
  know(guest: Guest): void {
    if (!this.#strangers.delete(guest)) return;
    const share = this.#shares.get(machineOf(guest.source));
    if (share !== undefined) share.strangers--;
    if (this.#strangers.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A connection has ended. To be called once, at once. */
  leave(guest: Guest): void {
    this.know(guest);
    const key = machineOf(guest.source);
    const share = this.#shares.get(key);
    if (share !== undefined && --share.connections === 0) this.#shares.delete(key);
    this.#connections--;
  }

  #admitsFrom(source: string): boolean {
    const key = machineOf(source);
    const share = this.#shares.get(key);
    if (share === undefined || isLoopback(source)) return true;
    const { perSource, strangersPerSource } = this.#limits;
    return (share.connections < perSource || this.#makeRoom(source, perSource, key)) &&
      (share.strangers < strangersPerSource || this.#makeRoom(source, strangersPerSource, key));
  }

  /** Closes the oldest stranger, of one source if there is a key; returns whether there was one. */
  #makeRoom(source: string, limit: number, key?: string): boolean {
    const where = key === undefined ? "" : ` from ${key}`;
    for (const guest of this.#strangers.keys()) {
      if (key !== undefined && machineOf(guest.source) !== key) continue;
      guest.close();
      this.#onRefusal(source, `Closed a silent TCP connection${where}: ${limit} are open`);
      return true;
    }
    this.#onRefusal(source, `Refused a TCP connection${where}: ${limit} are open`);
    return false;
  }

  #closeLate(): void {
    const now = performance.now();
    this.#timer = undefined;
    for (const [guest, until] of this.#strangers) {
      if (until > now) {
        this.#timer = setTimeout(() => this.#closeLate(), until - now);
        return;
      }
      guest.close();
      const time = formatDuration(this.#limits.strangerMs);
      this.#onRefusal(guest.source, `Closed a TCP connection that was silent for ${time}`);
    }
  }
}

/** What the connections of one machine have in common: its address, with IPv6 its network of 64 bits. */
export function machineOf(source: string): string {
  const host = plainHost(source);
  if (!isIPv6(host)) return host;
  const [head = "", tail] = host.split("::");
  const groups = head.split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - tail.split(":").length;
  return `${[...groups, ...Array(Math.max(0, zeros)).fill("0"), tail].slice(0, 4).join(":")}::/64`;
}

function isLoopback(source: string): boolean {
  const host = plainHost(source);
  return host === "::1" || host.startsWith("127.");
}
