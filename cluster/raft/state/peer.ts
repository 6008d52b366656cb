/**
 * What a leader knows of one peer.
 *
 * A peer is probed with one message at a time until it is known where its log agrees with the leader's; then messages follow
 * each other without waiting, within a window; one that lacks entries that are gone gets a snapshot.
 *
 * @module
 */

import type { SnapshotMeta } from "./message.ts";

/** A message with entries that has not been answered. */
interface Flight {
  readonly last: number;
  readonly bytes: number;
  readonly at: number;
}

/** What the leader does with a peer. */
export type PeerState =
  | { readonly name: "probe"; askedAt: number | undefined }
  | { readonly name: "pipeline"; readonly flights: Flight[]; bytes: number }
  | { readonly name: "snapshot"; readonly snapshot: SnapshotMeta; offset: number; askedAt: number };

/** One peer. */
export interface Peer {
  readonly id: string;
  /** Up to here its log is known to be the leader's, on its disk. */
  match: number;
  /** The newest round that had begun when that became known. */
  matchRound: number;
  /** What it gets next. */
  next: number;
  state: PeerState;
  /** Whether entries for it are being loaded from the disk. */
  loading: boolean;
  /** The newest round that it has answered. */
  round: number;
  /** When it last said something, `undefined` if never in this term. */
  heardAt: number | undefined;
  /** The last index of its log, as it said. */
  lastIndex: number;
  /** Since when a staging member has kept up. */
  keepsUpSince: number | undefined;
}

/** A peer of which nothing is known but that it may have what the leader has. */
export function newPeer(id: string, next: number): Peer {
  return {
    id,
    match: 0,
    matchRound: 0,
    next,
    state: { name: "probe", askedAt: undefined },
    loading: false,
    round: 0,
    heardAt: undefined,
    lastIndex: 0,
    keepsUpSince: undefined,
  };
}

/** Where its log agrees has to be found out, beginning at `next`. */
export function probe(peer: Peer, next: number): void {
  peer.next = Math.max(next, peer.match + 1);
  peer.state = { name: "probe", askedAt: undefined };
}

/** Its log agrees up to `match`. */
export function pipeline(peer: Peer): void {
  peer.next = peer.match + 1;
  peer.state = { name: "pipeline", flights: [], bytes: 0 };
}

/** Notes entries that are on their way. */
export function launch(peer: Peer, last: number, bytes: number, at: number): void {
  if (peer.state.name !== "pipeline") return;
  peer.state.flights.push({ last, bytes, at });
  peer.state.bytes += bytes;
  peer.next = last + 1;
}

/** Takes the entries up to `match` off the window. */
export function land(peer: Peer, match: number): void {
  if (peer.state.name !== "pipeline") return;
  const { flights } = peer.state;
  while (flights[0] !== undefined && flights[0].last <= match) {
    peer.state.bytes -= (flights.shift() as Flight).bytes;
  }
}
