/**
 * Builds and talks to the Go program of `tests/interop/raft_oracle/`.
 *
 * @module
 */

import { join } from "node:path";
import type { LockstepState, Phase } from "../raft/lockstep.ts";

const SOURCE = join(import.meta.dirname ?? ".", "..", "..", "interop", "raft_oracle");

/** Whether this machine has Go. */
export function hasGo(): boolean {
  try {
    return new Deno.Command("go", { args: ["version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A cluster of etcd's servers, in a process of its own. */
export class RaftOracle implements AsyncDisposable {
  readonly #folder: string;
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  private constructor(folder: string, process: Deno.ChildProcess) {
    this.#folder = folder;
    this.#process = process;
    this.#writer = process.stdin.getWriter();
    this.#reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Builds and starts it; throws with what Go says when it does not build. */
  static async start(): Promise<RaftOracle> {
    const folder = await Deno.makeTempDir({ prefix: "raft_oracle_" });
    const program = join(folder, "raft_oracle");
    const build = new Deno.Command("go", {
      args: ["build", "-mod=readonly", "-o", program, "."],
      cwd: SOURCE,
    });
    const { success, stderr } = await build.output();
    if (!success) throw new Error(`Oracle does not build: ${new TextDecoder().decode(stderr)}`);
    const command = new Deno.Command(program, { stdin: "piped", stdout: "piped" });
    return new RaftOracle(folder, command.spawn());
  }

  /** Carries out a phase. Returns what all servers have come to. */
  async run(phase: Phase): Promise<LockstepState[]> {
    await this.#writer.write(new TextEncoder().encode(JSON.stringify(phase) + "\n"));
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return JSON.parse(line);
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("Oracle ended; what it said is above");
      this.#text += value;
    }
  }

  /** Ends the process and removes the program. */
  async [Symbol.asyncDispose](): Promise<void> {
    // A process that has died closes the pipe itself.
    await this.#writer.close().catch(() => {});
    await this.#reader.cancel();
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}
