/**
 * Snapshots: taking note of the own ones, and bringing a peer to the state of one.
 *
 * @module
 */

import { hearLeader } from "./follower.ts";
import { addWrite, send } from "./gate.ts";
import { replicate } from "./replication.ts";
import type { Install, InstallReply, SnapshotMeta } from "./state/message.ts";
import { probe } from "./state/peer.ts";
import type { Raft, Receiving } from "./state/raft.ts";
import { stepDown } from "./step_down.ts";

/** A snapshot of the own machine is on the disk: the log may be shorter, less what slightly late peers need. */
export function snapshotSaved(raft: Raft, snapshot: SnapshotMeta): void {
  const { log, members, options, out } = raft;
  if (snapshot.index <= (raft.snapshot?.index ?? 0)) return;
  if (snapshot.index > raft.applied || log.term(snapshot.index) !== snapshot.term) {
    throw new RangeError(
      `Snapshot covers entry ${snapshot.index} of term ${snapshot.term}, applied are ${raft.applied}`,
    );
  }
  raft.snapshot = snapshot;
  const byBytes = log.beforeNewest(options.trailingBytes, snapshot.index);
  const trimTo = Math.min(Math.max(snapshot.index - options.trailing, byBytes), log.durableIndex);
  if (trimTo <= log.beforeIndex) return;
  log.trim(trimTo);
  members.trim(trimTo);
  out.trimTo = trimTo;
}

/** A piece of the own snapshot is there for a peer. */
export function chunkLoaded(
  raft: Raft,
  to: string,
  index: number,
  offset: number,
  chunk: Uint8Array | undefined,
): void {
  const { role } = raft;
  const peer = role.name === "leader" ? role.peers.get(to) : undefined;
  if (peer?.state.name !== "snapshot" || peer.state.snapshot.index !== index) return;
  const { snapshot } = peer.state;
  if (chunk === undefined) {
    // The newest one cannot be gone: its piece is asked for again when it is late.
    if (raft.snapshot?.index === index) return;
    probe(peer, peer.match + 1);
    return replicate(raft, peer);
  }
  if (peer.state.offset !== offset) return;
  peer.state.askedAt = raft.now;
  send(raft, to, { type: "install", term: raft.term, snapshot, offset, chunk });
}

/** A peer has stored a piece, or wants another one, or has the snapshot in effect. */
export function takeInstallReply(raft: Raft, from: string, reply: InstallReply): void {
  if (reply.term > raft.term) return stepDown(raft, reply.term, undefined);
  const { role } = raft;
  if (role.name !== "leader" || reply.term < raft.term) return;
  const peer = role.peers.get(from);
  if (peer === undefined) return;
  peer.heardAt = raft.now;
  const { state } = peer;
  if (state.name !== "snapshot" || state.snapshot.index !== reply.index) return;
  if (reply.installed) {
    peer.match = Math.max(peer.match, reply.index);
    probe(peer, peer.match + 1);
    return replicate(raft, peer);
  }
  // It goes forward or begins anew. What says something else came late, and would only have the same pieces sent twice.
  const { nextOffset } = reply;
  if (nextOffset === state.offset || (nextOffset < state.offset && nextOffset > 0)) return;
  state.offset = nextOffset;
  state.askedAt = raft.now;
  raft.out.chunks.push({ to: from, index: reply.index, offset: nextOffset });
}

/** Takes a piece of the leader's snapshot; out of order it is not used, but the leader hears what is wanted. */
export function takeInstall(raft: Raft, from: string, message: Install): void {
  const follower = hearLeader(raft, from, message.term);
  const { snapshot } = message;
  const answer = (index: number, nextOffset: number, installed = false): void =>
    send(raft, from, {
      type: "install-reply",
      term: raft.term,
      index,
      nextOffset,
      installed,
    }, installed ? index : 0);
  if (follower === undefined) return answer(0, 0);
  if (snapshot.index <= raft.commit) return answer(snapshot.index, snapshot.size, true);
  const { receiving } = follower;
  if (receiving?.snapshot.index !== snapshot.index || receiving.snapshot.hash !== snapshot.hash) {
    follower.receiving = { snapshot, offset: 0, storing: undefined };
  }
  const current = follower.receiving as Receiving;
  if (current.storing !== undefined) return;
  if (current.offset !== message.offset) return answer(snapshot.index, current.offset);
  current.storing = message.offset + message.chunk.length;
  raft.out.store = { snapshot, offset: message.offset, chunk: message.chunk };
}

/** A piece is stored. */
export function chunkStored(raft: Raft, index: number, nextOffset: number): void {
  const { role } = raft;
  if (role.name !== "follower" || role.receiving?.snapshot.index !== index) return;
  const { receiving } = role;
  // Another one may be a piece of another leader's snapshot, which ends with the same entry and has other bytes.
  if (nextOffset !== receiving.storing && nextOffset !== 0) return;
  receiving.offset = nextOffset;
  receiving.storing = undefined;
  if (role.leader === undefined) return;
  send(raft, role.leader, {
    type: "install-reply",
    term: raft.term,
    index,
    nextOffset,
    installed: false,
  });
}

/**
 * All of the leader's snapshot is there: it takes effect. Entries after it stay when the log has the one that it ends with;
 * else nothing of the log is known to be the leader's.
 */
export function snapshotReceived(raft: Raft, snapshot: SnapshotMeta): void {
  const { role, log, members, out } = raft;
  // A server that campaigns or leads meanwhile has a log of its own to go by.
  if (role.name !== "follower") return;
  const { leader } = role;
  if (role.receiving?.snapshot.index === snapshot.index) role.receiving = undefined;
  if (snapshot.index <= raft.commit) return;
  const keepSuffix = log.term(snapshot.index) === snapshot.term;
  if (keepSuffix) {
    log.trim(snapshot.index);
    members.trim(snapshot.index);
  } else {
    log.reset(snapshot.index, snapshot.term);
    members.reset(snapshot.configurationIndex, snapshot.configuration);
    out.configuration = members.configuration;
  }
  addWrite(raft, { reset: { snapshot, keepSuffix }, entries: [] });
  raft.snapshot = snapshot;
  raft.commit = snapshot.index;
  raft.applied = snapshot.index;
  raft.applying = snapshot.index;
  if (leader === undefined) return;
  send(raft, leader, {
    type: "install-reply",
    term: raft.term,
    index: snapshot.index,
    nextOffset: snapshot.size,
    installed: true,
  }, snapshot.index);
}
