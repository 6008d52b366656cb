/**
 * Leaders that are killed, with a look at how long the others take.
 *
 * @module
 */

import { eventually } from "../../agents.ts";
import { Connection } from "../connection.ts";
import type { Server } from "./cluster.ts";
import { leaderOf, type Nemesis, type Scene } from "./nemesis.ts";

/** Clients that may ask any server can write again within this time, in milliseconds. */
const WRITE_LIMIT_MS = 5_000;

/** A key that no client uses. */
const KEY = "after the leader";

/** Kills the leader, and notes in `times` after how many milliseconds another one leads. Writes go on at all of the others. */
export function replaceLeader(times: number[]): Nemesis {
  return async function replaceLeader(scene) {
    const { cluster, tell } = scene;
    const killed = await leaderOf(scene);
    const others = cluster.servers.filter((server) => server !== killed);
    const begin = performance.now();
    await cluster.kill(killed);
    await eventually("another server leads", async () => {
      return others.includes(await cluster.leader() as Server);
    }, WRITE_LIMIT_MS);
    times.push(performance.now() - begin);
    await Promise.all(others.map((server) => writes(scene, server, begin)));
    tell(`${killed.name} was replaced after ${times.at(-1)} ms`);
    await cluster.start(killed);
  };
}

/** Waits until a server takes a write. */
async function writes({ tell }: Scene, { name, place }: Server, begin: number): Promise<void> {
  using connection = new Connection();
  await eventually(`writes go on at ${name}`, async () => {
    if (!connection.isOpen && !await connection.open(place)) return false;
    const reply = await connection.ask({ action: "SET", key: KEY, value: name });
    return reply?.status === "ok";
  }, begin + WRITE_LIMIT_MS - performance.now());
  tell(`${name} writes after ${performance.now() - begin} ms`);
}
