/**
 * Where servers are measured: a folder on a real disk, and the processes that work in it. Both are gone in the end.
 *
 * @module
 */

import { join } from "node:path";
import { quantile } from "../measure.ts";

/** So much of what a process says is kept, in characters. */
const KEPT_OUTPUT = 16_384;

/** File systems that keep nothing when the power fails. */
const IN_MEMORY: readonly string[] = ["tmpfs", "ramfs"];

/** How often a sync is measured. */
const SYNCS = 500;

/** A process of a {@linkcode Ground}. */
export interface Process {
  readonly pid: number;
  /** Its exit code; a death by signal is 128 + number. */
  readonly exited: Promise<number>;
  /** The last that it said, on both streams. */
  readonly output: () => string;
  /** Ends it with SIGKILL and waits. Does nothing once it has ended. */
  readonly kill: () => Promise<void>;
}

/** A folder with processes. */
export class Ground implements AsyncDisposable {
  /** Where data goes. */
  readonly folder: string;
  readonly #processes = new Set<Process>();
  #closed = false;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Makes a folder below `parent`; by default below the one for temporary files.
   *
   * @throws {Error} when that is in memory, where a sync costs nothing
   */
  static async make(parent?: string): Promise<Ground> {
    const folder = await Deno.makeTempDir({
      prefix: "skein-bench-",
      ...parent === undefined ? {} : { dir: parent },
    });
    const { type } = await mountOf(folder);
    if (IN_MEMORY.includes(type)) {
      await Deno.remove(folder);
      throw new Error(`'${folder}' is in memory (${type}): name a folder of a disk with --dir`);
    }
    return new Ground(folder);
  }

  /** Starts a program. */
  spawn(command: readonly string[], env: Readonly<Record<string, string>> = {}): Process {
    if (this.#closed) throw new Error("Nothing is started any more");
    const [program = "", ...args] = command;
    const child = new Deno.Command(program, {
      args,
      env,
      cwd: this.folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let output = "";
    const collect = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        output = (output + text).slice(-KEPT_OUTPUT);
      }
    };
    let isOver = false;
    const exited = Promise.all([child.status, collect(child.stdout), collect(child.stderr)])
      .then(([{ code }]) => code);
    child.status.then(() => isOver = true);
    const process: Process = {
      pid: child.pid,
      exited,
      output: () => output,
      kill: async () => {
        if (!isOver) child.kill("SIGKILL");
        await exited;
        this.#processes.delete(process);
      },
    };
    this.#processes.add(process);
    return process;
  }

  /** What kind of disk this is and how long a write of 128 bytes with fdatasync takes, in words. */
  async describeDisk(): Promise<string> {
    const { type, device } = await mountOf(this.folder);
    const path = join(this.folder, "sync");
    const times: number[] = [];
    {
      using file = Deno.openSync(path, { write: true, create: true });
      const bytes = new Uint8Array(128);
      for (let i = 0; i < SYNCS; i++) {
        const began = performance.now();
        file.writeSync(bytes);
        file.syncDataSync();
        times.push(performance.now() - began);
      }
    }
    await Deno.remove(path);
    times.sort((a, b) => a - b);
    const [p50, p99] = [0.5, 0.99].map((q) => quantile(times, q).toFixed(2));
    return `${type} on ${device}; 128 bytes and fdatasync take ${p50} ms (p99 ${p99})`;
  }

  /** Kills all processes and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#processes].map(({ kill }) => kill()));
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** The file system that a path is on. */
async function mountOf(path: string): Promise<{ type: string; device: string }> {
  const real = await Deno.realPath(path);
  const mounts = (await Deno.readTextFile("/proc/self/mountinfo")).trim().split("\n").map(
    (line) => {
      const [left = "", right = ""] = line.split(" - ");
      const [type = "", device = ""] = right.split(" ");
      return { point: left.split(" ")[4] ?? "", type, device };
    },
  );
  const holds = (point: string): boolean =>
    point === "/" || real === point || real.startsWith(`${point}/`);
  return mounts.filter(({ point }) => holds(point))
    .reduce((best, mount) => mount.point.length >= best.point.length ? mount : best);
}
