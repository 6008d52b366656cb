/**
 * What all parts of the benchmark share.
 *
 * @module
 */

import type { Ground } from "./ground.ts";
import type { Load } from "./load.ts";
import { type Peer, Servers } from "./peers.ts";

/** How many addresses a benchmark needs. */
export const HOSTS = 5;

/** How much is measured. Times are milliseconds. */
export interface Sizes {
  /** How often everything is measured. */
  readonly runs: number;
  /** How long one kind of request is measured. */
  readonly requestsMs: number;
  /** How long requests at a fixed rate are measured. */
  readonly rateMs: number;
  /** With how many keys servers are started anew ... */
  readonly keys: number;
  /** ... and with how many skein. */
  readonly manyKeys: number;
  /** How many clients connect and say nothing. */
  readonly connections: number;
  /** How many sessions live and work ... */
  readonly sessions: number;
  /** ... for how long, ... */
  readonly sessionsMs: number;
  /** ... and how many rest. */
  readonly idleSessions: number;
  /** How long servers rest first: the runtime gives back what a start took after some 35 s. */
  readonly restMs: number;
  /** How long servers that nobody uses are watched. */
  readonly idleMs: number;
}

/** Where and how much is measured. */
export interface Scene {
  readonly ground: Ground;
  readonly load: Load;
  /** Skein first. */
  readonly peers: readonly Peer[];
  /** {@linkcode HOSTS} loopback addresses. */
  readonly hosts: readonly string[];
  readonly sizes: Sizes;
}

/** Servers of each of `peers`, which are ended together. */
export interface Side extends AsyncDisposable {
  readonly all: readonly Servers[];
}

/** Starts `size` servers of each of `peers`, one product after the other. */
export async function startSide(
  scene: Scene,
  peers: readonly Peer[],
  size: number,
): Promise<Side> {
  await using stack = new AsyncDisposableStack();
  const all: Servers[] = [];
  const hosts = scene.hosts.slice(0, size);
  for (const peer of peers) all.push(stack.use(await Servers.start(peer, hosts, scene)));
  const owned = stack.move();
  return { all, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Milliseconds as a duration of Go. */
export function goTime(ms: number): string {
  return `${ms}ms`;
}

/** `1 server`, `3 servers`. */
export function serversOf(size: number): string {
  return size === 1 ? "1 server" : `${size} servers`;
}
