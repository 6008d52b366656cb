/**
 * Builds and runs the load program of `bench/state/load/`, which is the same for all servers.
 *
 * @module
 */

import { join } from "node:path";
import type { Ground } from "./ground.ts";

const SOURCE = join(import.meta.dirname ?? ".", "load");

/** What the servers speak. */
export type Kind = "lines" | "sessions" | "etcd" | "redis" | "topics" | "streams" | "nats";

/** Servers as the load program knows them. */
export interface Target {
  readonly kind: Kind;
  /** `HOST:PORT` of each ... */
  readonly addresses: readonly string[];
  /** ... and its process. */
  readonly pids: readonly number[];
}

/** What the program takes besides (`load -h`); times are durations as Go writes them. */
export type LoadFlags = Readonly<Record<string, string | number>>;

/** The load program, built. */
export class Load {
  readonly #ground: Ground;
  readonly #program: string;

  private constructor(ground: Ground, program: string) {
    this.#ground = ground;
    this.#program = program;
  }

  /** Builds it into the folder of `ground`; throws with what Go says when it does not build. */
  static async build(ground: Ground): Promise<Load> {
    const program = join(ground.folder, "load");
    const build = ground.spawn(["go", "build", "-C", SOURCE, "-mod=readonly", "-o", program, "."]);
    if (await build.exited !== 0) throw new Error(`Load does not build: ${build.output()}`);
    return new Load(ground, program);
  }

  /** Measures. Throws with what the program says when it fails, and always ends after a minute or `limit`. */
  async run(
    { kind, addresses, pids }: Target,
    measure: string,
    flags: LoadFlags = {},
  ): Promise<Record<string, number>> {
    const process = this.#ground.spawn([
      this.#program,
      `-kind=${kind}`,
      `-addresses=${addresses.join(",")}`,
      `-pids=${pids.join(",")}`,
      `-measure=${measure}`,
      ...Object.entries(flags).map(([name, value]) => `-${name}=${value}`),
    ]);
    const code = await process.exited;
    await process.kill();
    if (code !== 0) throw new Error(process.output().trim());
    return JSON.parse(process.output());
  }
}
