/**
 * Beginning where an earlier life ended: its clocks, and the members that it knew (docs/spec/serf.md 15.5).
 *
 * @module
 */

import { joinHostPort } from "../../../protocol/host_port.ts";
import { addrToHost } from "../../../protocol/ip.ts";
import { shuffle } from "../../runtime.ts";
import { type Core, pause } from "../core/core.ts";
import { hasOtherAlive } from "../members/depart.ts";

/** The longest pause between two rounds of tries, in milliseconds. Serf itself tries once. */
const MAX_PAUSE_MS = 5 * 60_000;

/** A member that is silent for so long no longer holds up the next one, in milliseconds (RFC 8305, section 5). */
const STAGGER_MS = 250;

/** Most members that are tried at the same time. */
const MAX_AT_ONCE = 16;

/** Sets the clocks on; what was told in the earlier life is not told again. */
export function restoreClocks(core: Core): void {
  const { restored } = core.config;
  if (restored === undefined) return;
  core.memberClock.witness(restored.memberTime);
  core.eventClock.witness(restored.eventTime);
  core.queryClock.witness(restored.queryTime);
  core.events.minTime = restored.eventTime + 1n;
  core.queries.minTime = restored.queryTime + 1n;
}

/**
 * Looks for the members of the earlier life, in the background: until one answers or another member is there, those that
 * had failed last. The next one is tried when one failed, or is silent for {@linkcode STAGGER_MS}. After a round without success comes another one, with pauses that grow.
 *
 * Members that are not seen again within `reconnectTimeoutMs` are forgotten, unless nobody is there.
 */
export function startRejoin(core: Core): void {
  const { restored } = core.config;
  if (restored === undefined) return;
  const { addr, port } = core.cluster.localNode;
  // The own node may have had another name.
  const own = joinHostPort(addrToHost(addr), port);
  const others = (known: ReadonlyMap<string, string>): Target[] => {
    const targets = [...known].filter(([name, address]) => name !== core.name && address !== own);
    return shuffle(core.random, targets);
  };
  const targets = [...others(restored.members), ...others(restored.failed)];
  if (targets.length === 0) return;
  core.timers.background(rejoin(core, targets));
  forgetLost(core, targets);
}

/** Writes down the last thing and lets the recorder finish. */
export async function endRecord(core: Core): Promise<void> {
  const { recorder } = core.config;
  recorder?.tick(core.memberClock.time() - 1n);
  await recorder?.close();
}

/** Name and `ip:port`. */
type Target = readonly [name: string, address: string];

async function rejoin(core: Core, targets: readonly Target[]): Promise<void> {
  let pauseMs = core.config.reconnectIntervalMs;
  let level: "info" | "debug" = "info";
  while (!await tryAll(core, targets, level)) {
    if (level === "info") core.log.warn("Failed to re-join any previously known node");
    if (pauseMs <= 0) return;
    core.log.debug(`Trying to re-join again in ${pauseMs / 1_000} s`);
    await pause(core, pauseMs);
    if (isSettled(core)) return;
    pauseMs = Math.min(2 * pauseMs, Math.max(MAX_PAUSE_MS, pauseMs));
    level = "debug";
  }
}

/** Whether there is nothing more to do. */
async function tryAll(
  core: Core,
  targets: readonly Target[],
  level: "info" | "debug",
): Promise<boolean> {
  const stop = new AbortController();
  const { signal } = stop;
  const running = new Set<Promise<void>>();
  const isOver = (): boolean => signal.aborted || isSettled(core);
  for (const target of targets) {
    const tried = tryOne(core, target, level, stop).finally(() => running.delete(tried));
    running.add(tried);
    await Promise.race([tried, pause(core, STAGGER_MS)]);
    while (running.size >= MAX_AT_ONCE && !isOver()) await Promise.race(running);
    if (isOver()) break;
  }
  while (running.size > 0 && !isOver()) await Promise.race(running);
  const done = isOver();
  stop.abort();
  await Promise.all(running);
  return done;
}

/** Tries one member; success ends all tries. */
async function tryOne(
  core: Core,
  [name, address]: Target,
  level: "info" | "debug",
  stop: AbortController,
): Promise<void> {
  const { signal } = stop;
  core.log[level](`Attempting re-join to previously known node: ${name}: ${address}`);
  try {
    // A name with a slash cannot be told from the address behind it.
    await core.cluster.join([name.includes("/") ? address : `${name}/${address}`], {
      signal,
      chosen: false,
    });
    if (signal.aborted) return;
    stop.abort();
    core.log.info(`Re-joined to previously known node: ${name}: ${address}`);
  } catch (error) {
    if (signal.aborted) return;
    core.log.debug(`Failed to re-join ${name}: ${(error as Error).message}`, { error });
  }
}

/** Whether the node is with others, or on its way out. */
function isSettled(core: Core): boolean {
  return core.timers.closed || core.state !== "alive" || hasOtherAlive(core);
}

function forgetLost(core: Core, targets: readonly Target[]): void {
  const { recorder, reconnectTimeoutMs } = core.config;
  if (recorder === undefined) return;
  core.timers.set(reconnectTimeoutMs, () => {
    if (!hasOtherAlive(core)) return forgetLost(core, targets);
    for (const [name] of targets) {
      if (core.members.get(name) === undefined) recorder.forget(name);
    }
  });
}
