/**
 * What one peer may cost, and how long things take between peers.
 *
 * @module
 */

import { MAX_MEMBERS } from "../../../cluster/raft/membership/configuration.ts";
import type { AdmissionLimits } from "../../net/admission.ts";
import { BLOCK_HEAD_BYTES } from "./blocks.ts";

/** Most bytes of a frame behind its length: an entry of 12 MiB, or a megabyte of small ones, and their message. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** Most bytes of a block: one such frame, sealed. */
export const MAX_BLOCK_BYTES = MAX_FRAME_BYTES + BLOCK_HEAD_BYTES + 64;

/** Most bytes of a block of a peer that is not known yet: a hello with the longest names. */
export const MAX_STRANGER_BYTES = 1_024;

/** Bytes that may wait for one peer on one channel; a single larger frame may wait alone. */
export const MAX_QUEUE_BYTES = 8 * 1024 * 1024;

/** Bytes of one channel that go to the socket at a time, so that those of the others need not wait long. */
export const BATCH_BYTES = 256 * 1024;

/** Requests to one peer that wait for their answers. */
export const MAX_WAITING_REQUESTS = 65_536;

/** Requests of one peer that are being dealt with; further ones are sent back. */
export const MAX_RUNNING_REQUESTS = 4_096;

/** Bytes of such requests, but for a single larger one. */
export const MAX_RUNNING_BYTES = 16 * 1024 * 1024;

/** Bytes of answers that may wait for a peer before its next messages have to wait. */
export const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

/** A peer that takes no byte for this long, although some wait, is disconnected; in milliseconds. */
export const STALL_LIMIT_MS = 10_000;

/** Answers that are on their way get this long when the links are closed, in milliseconds. */
export const DRAIN_LIMIT_MS = 250;

/** News to a peer that has come by itself and is not reached yet wait so long, in milliseconds: gossip may tell later where it is. */
export const NEWS_LIMIT_MS = 5_000;

/** Beats without a byte from the accepting end after which a connection is given up by who dialled it. */
export const MISSED_BY_CALLER = 2;

/** The same for the accepting end, which is not to notice first. */
export const MISSED_BY_CALLEE = 5;

/** Connections that gateways leave to members of the log, which have two each. */
export const MEMBER_CONNECTIONS = 2 * MAX_MEMBERS;

/** Caps on the connections of others: of members and of gateways, those of one machine the most of them. */
export const ADMISSION: AdmissionLimits = {
  connections: 512,
  perSource: 256,
  strangers: 128,
  strangersPerSource: 32,
  strangerMs: 5_000,
};

/** How long things take, in milliseconds. */
export interface PeerTimings {
  /** How long a connection may take until it is there. Default 1,000. */
  readonly dialMs: number;
  /** How long both hellos may take then. Default 1,000. */
  readonly helloMs: number;
  /** How often a sign of life is asked for on each connection. Default 2,000. */
  readonly beatMs: number;
  /** Pause after a failure, by chance down to half of it; it doubles from the first to the second. Default 50 and 1,000. */
  readonly pauseMs: { readonly first: number; readonly longest: number };
}

/** The defaults. */
export const PEER_TIMINGS: PeerTimings = {
  dialMs: 1_000,
  helloMs: 1_000,
  beatMs: 2_000,
  pauseMs: { first: 50, longest: 1_000 },
};
