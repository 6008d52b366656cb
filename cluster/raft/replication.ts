/**
 * What a leader sends to its peers, and how much of it at a time.
 *
 * @module
 */

import { send } from "./gate.ts";
import { entryBytes } from "./log/entry.ts";
import type { Append } from "./state/message.ts";
import { launch, type Peer, probe } from "./state/peer.ts";
import type { Leader, Raft } from "./state/raft.ts";

/**
 * Sends a peer what it lacks, as far as its window allows. A message that was not answered for an election timeout counts as
 * lost: the peer is probed again, or gets a piece of the same snapshot.
 */
export function replicate(raft: Raft, peer: Peer): void {
  expire(raft, peer);
  if (peer.state.name === "snapshot") return;
  while (!peer.loading && hasRoom(raft, peer) && sendNext(raft, peer));
}

/**
 * Asks a peer whether it still follows. What the message shows of the log the peer has for sure.
 *
 * Proof obligation: it is answered at once, whatever the disk of the peer does. While a snapshot takes the place of its log, an
 * answer that shows any of it would wait for that, and the leader would give up where it needs this peer.
 */
export function heartbeat(raft: Raft, leader: Leader, to: string): void {
  const peer = leader.peers.get(to);
  const match = peer === undefined || peer.state.name === "snapshot" ? 0 : peer.match;
  // What is known of a peer may lie before the log by now; then nothing is said of the log.
  const prevTerm = raft.log.term(match);
  const prevIndex = prevTerm === undefined ? 0 : match;
  send(raft, to, append(raft, leader, prevIndex, prevTerm ?? 0, []));
}

/** Entries that were loaded from the disk for a peer. */
export function entriesLoaded(raft: Raft, to: string, entries: Append["entries"]): void {
  const { role } = raft;
  const peer = role.name === "leader" ? role.peers.get(to) : undefined;
  if (role.name !== "leader" || peer === undefined || !peer.loading) return;
  peer.loading = false;
  // They cannot be had; the next round of heartbeats tries again.
  if (entries.length === 0) return;
  // They may have been asked for before other leaders cut some of them off.
  const areNext = peer.state.name !== "snapshot" &&
    entries.every(({ index, term }, i) => index === peer.next + i && raft.log.term(index) === term);
  if (areNext) sendEntries(raft, role, peer, entries);
  replicate(raft, peer);
}

function expire({ now, options, out }: Raft, peer: Peer): void {
  const { state } = peer;
  const isLate = (at: number | undefined): boolean =>
    at !== undefined && now - at >= options.electionTimeoutMs;
  switch (state.name) {
    case "probe":
      if (isLate(state.askedAt)) state.askedAt = undefined;
      break;
    case "pipeline":
      if (isLate(state.flights[0]?.at)) probe(peer, peer.match + 1);
      break;
    case "snapshot":
      if (!isLate(state.askedAt)) break;
      state.askedAt = now;
      // The first piece, whatever there is already: the answer tells where to go on.
      state.offset = 0;
      out.chunks.push({ to: peer.id, index: state.snapshot.index, offset: 0 });
      break;
  }
}

function hasRoom({ options, log }: Raft, { state, next }: Peer): boolean {
  if (state.name === "probe") return state.askedAt === undefined;
  if (state.name !== "pipeline" || next > log.lastIndex) return false;
  return state.flights.length < options.windowMessages && state.bytes < options.windowBytes;
}

/** Returns whether there may be more to send at once. */
function sendNext(raft: Raft, peer: Peer): boolean {
  const { log, options, role } = raft;
  if (role.name !== "leader") return false;
  if (log.term(peer.next - 1) === undefined) return startSnapshot(raft, peer);
  const limits = { count: options.maxEntries, bytes: options.maxBytes };
  const entries = log.slice(peer.next, limits);
  if (entries !== undefined) {
    sendEntries(raft, role, peer, entries);
    return true;
  }
  peer.loading = true;
  raft.out.loads.push({
    to: peer.id,
    from: peer.next,
    maxEntries: limits.count,
    maxBytes: limits.bytes,
  });
  return false;
}

function sendEntries(raft: Raft, leader: Leader, peer: Peer, entries: Append["entries"]): void {
  const prevIndex = peer.next - 1;
  const prevTerm = raft.log.term(prevIndex);
  if (prevTerm === undefined) return;
  send(raft, peer.id, append(raft, leader, prevIndex, prevTerm, entries));
  if (peer.state.name === "probe") peer.state.askedAt = raft.now;
  else {
    const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    launch(peer, prevIndex + entries.length, bytes, raft.now);
  }
}

function append(
  raft: Raft,
  { round }: Leader,
  prevIndex: number,
  prevTerm: number,
  entries: Append["entries"],
): Append {
  const { term, commit } = raft;
  return { type: "append", term, prevIndex, prevTerm, entries, commit, round };
}

/** What the peer needs is gone from the log. Returns false: it goes on when the first piece is there. */
function startSnapshot(raft: Raft, peer: Peer): false {
  const { snapshot } = raft;
  if (snapshot === undefined) {
    throw new RangeError(`Log begins after ${raft.log.beforeIndex}, but there is no snapshot`);
  }
  peer.state = { name: "snapshot", snapshot, offset: 0, askedAt: raft.now };
  raft.out.chunks.push({ to: peer.id, index: snapshot.index, offset: 0 });
  return false;
}
