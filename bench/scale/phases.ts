/**
 * What is measured in a cluster of one size on a good network.
 *
 * @module
 */

import { joinText, spread } from "../../tests/support/simulation/mod.ts";
import type { Sighting, World } from "./world.ts";

/** Times that belong together, in virtual milliseconds. */
export interface Times {
  /** How often it was measured. */
  readonly count: number;
  /** The middle one. */
  readonly medianMs: number;
  /** The longest. */
  readonly maxMs: number;
}

/** How long events took. */
export interface EventTimes {
  /** Until 99 % of the nodes had one. */
  readonly to99: Times;
  /** Until all had it. */
  readonly toAll: Times;
}

/** What a node sends in a second. */
export interface Rates {
  /** Virtual seconds that were looked at. */
  readonly seconds: number;
  /** Datagrams. */
  readonly packets: number;
  /** Bytes in datagrams. */
  readonly packetBytes: number;
  /** Bytes on streams, which push/pulls are made of. */
  readonly streamBytes: number;
}

/** Longest wait for anything, in virtual milliseconds: a lost one comes with the next push/pull. */
const LIMIT_MS = 600_000;

/** Pause between two events, in virtual milliseconds: the gossip of the one is over. */
const EVENT_GAP_MS = 4_000;

/** News is looked for so often, in virtual milliseconds. */
const LOOK_MS = 10;

/** `count` nodes join at the same moment: the virtual milliseconds until everybody lists everybody. */
export async function convergence(world: World, count: number): Promise<number> {
  const { simulation } = world;
  const before = world.live;
  const random = simulation.addHost("10.255.255.255").random;
  const newcomers = world.grow(count);
  const all = before.length + count;
  const sightings = newcomers.map(({ name }) => world.watch(name));
  const startedAt = simulation.now;
  const joins = newcomers.map(({ app }) =>
    app.join(joinText(before[Math.floor(random.float() * before.length)]!))
  );
  // A newcomer learns of the others by its own push/pull, and saw itself before it was watched.
  await simulation.settle(Promise.all(joins));
  const joinedAt = simulation.now;
  const done = () => sightings.every(({ times }) => times.length >= all - 1);
  await until(world, done, `${count} newcomers are known to all`);
  const lastAt = Math.max(joinedAt, ...sightings.map(({ times }) => times.at(-1) ?? 0));
  return lastAt - startedAt;
}

/** Events from different nodes, one after the other. */
export async function events(world: World, count: number): Promise<EventTimes> {
  const { simulation, live } = world;
  const to99: number[] = [];
  const toAll: number[] = [];
  for (let i = 0; i < count; i++) {
    const name = `deploy-${i}`;
    const sighting = world.watch(name);
    const firedAt = simulation.now;
    live[Math.floor((i + 0.5) * live.length / count)]!.app.fire(name);
    await until(world, () => sighting.times.length >= live.length, `${name} is known to all`);
    to99.push(sighting.times[Math.ceil(live.length * 0.99) - 1]! - firedAt);
    toAll.push(sighting.times.at(-1)! - firedAt);
    world.watched.delete(name);
    await simulation.runFor(EVENT_GAP_MS);
  }
  return { to99: timesOf(to99), toAll: timesOf(toAll) };
}

/** Kills a few nodes at the same moment: for each the time until all others list it as failed. */
export async function deaths(world: World, count: number): Promise<Times> {
  const { simulation } = world;
  const candidates = world.live;
  const victims = Array.from(
    { length: count },
    (_, i) => candidates[Math.floor((i + 0.3) * candidates.length / count)]!,
  );
  const sightings: Sighting[] = victims.map(({ name }) => world.watch(name));
  const killedAt = simulation.now;
  for (const victim of victims) world.kill(victim);
  const left = world.live.length;
  const done = () => sightings.every(({ times }) => times.length >= left);
  await until(world, done, `${count} deaths are known to all`);
  return timesOf(sightings.map(({ times }) => times.at(-1)! - killedAt));
}

/** What a node sends when nothing happens. */
export async function idleRates(world: World, seconds: number): Promise<Rates> {
  const { simulation } = world;
  const before = { ...simulation.stats };
  await simulation.runFor(seconds * 1_000);
  const { sent, bytes, streamBytes } = simulation.stats;
  const per = (more: number): number => more / world.live.length / seconds;
  return {
    seconds,
    packets: per(sent - before.sent),
    packetBytes: per(bytes - before.bytes),
    streamBytes: per(streamBytes - before.streamBytes),
  };
}

async function until(world: World, condition: () => boolean, what: string): Promise<void> {
  if (await world.simulation.runUntil(condition, LIMIT_MS, LOOK_MS)) return;
  throw new Error(`After ${LIMIT_MS} virtual ms it does not hold that ${what}`);
}

function timesOf(ms: readonly number[]): Times {
  const { median, last } = spread(ms);
  return { count: ms.length, medianMs: median, maxMs: last };
}
