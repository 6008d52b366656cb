/**
 * Members of a group as processes, which are killed, stopped and started again; what they have dealt with, and what their group has
 * committed meanwhile.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { TopicClient } from "../../../../client/mod.ts";

const MEMBER = join(import.meta.dirname ?? ".", "member.ts");

/** A process. */
export class Member {
  /** Partitions that it was told to read. */
  readonly holds = new Set<number>();
  /** How often it has lost some. */
  losses = 0;
  /** What it said that was no message. */
  stderr = "";
  isStopped = false;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  #isOver = false;

  /** Starts it; `dealt` hears of each message. */
  constructor(args: readonly string[], dealt: (partition: number, offset: number) => void) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", MEMBER, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const take = (line: string): void => {
      const [first = "", second = ""] = line.split(" ");
      const partitions = second.split(",").map(Number);
      if (/^\d+$/.test(first)) return dealt(Number(first), Number(second));
      if (first === "+") { for (const one of partitions) this.holds.add(one); }
      else for (const one of partitions) this.holds.delete(one);
      if (first === "!") this.losses++;
    };
    this.#reading = Promise.all([
      linesOf(this.#child.stdout, take),
      linesOf(this.#child.stderr, (line) => void (this.stderr += `${line}\n`)),
    ]);
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Kills it. */
  async kill(): Promise<void> {
    this.#isOver = true;
    this.#child.kill("SIGKILL");
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
    await this.#reading;
  }

  /** Has it leave; it must end without a fault. */
  async leave(): Promise<void> {
    this.#isOver = true;
    await this.#child.stdin.close();
    const { code } = await this.#child.status;
    await this.#reading;
    assert.equal(code, 0, this.stderr);
  }

  /** Stops it. */
  stop(): void {
    this.isStopped = true;
    this.#child.kill("SIGSTOP");
  }

  /** Goes on with it. */
  resume(): void {
    this.isStopped = false;
    this.#child.kill("SIGCONT");
  }
}

/** The members of a group, and what all of them have done. */
export class Processes implements AsyncDisposable {
  readonly members: Member[] = [];
  /** What was dealt with, by partition: how often each offset. */
  readonly dealt = new Map<number, Map<number, number>>();
  /** The highest offsets that were seen as committed. */
  readonly committed = new Map<number, number>();
  readonly #args: readonly string[];
  readonly #group: string;

  /** None yet. */
  constructor(address: string, topic: string, group: string, sessionTimeoutMs: number) {
    this.#args = [address, topic, group, `${sessionTimeoutMs}`];
    this.#group = group;
  }

  /** Those that run, stopped or not. */
  get running(): readonly Member[] {
    return this.members.filter(({ isOver }) => !isOver);
  }

  /** Starts one more. */
  start(): Member {
    const member = new Member(this.#args, (partition, offset) => {
      const offsets = this.dealt.get(partition) ?? new Map<number, number>();
      this.dealt.set(partition, offsets.set(offset, (offsets.get(offset) ?? 0) + 1));
    });
    this.members.push(member);
    return member;
  }

  /** Sees what the group has committed; it must not be less than before. */
  async look(client: TopicClient): Promise<void> {
    for (const { partition, offset } of await client.committedOffsets(this.#group)) {
      const before = this.committed.get(partition) ?? 0;
      assert.ok(offset >= before, `Partition ${partition} goes back from ${before} to ${offset}`);
      this.committed.set(partition, offset);
    }
  }

  /** Everything before these offsets was dealt with. */
  checkAll(ends: readonly number[]): void {
    ends.forEach((end, partition) => {
      const offsets = this.dealt.get(partition);
      const missing = Array.from({ length: end }, (_, i) => i).filter((one) => !offsets?.has(one));
      assert.deepEqual(missing, [], `Partition ${partition} has messages that nobody dealt with`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.running.map((member) => {
      if (member.isStopped) member.resume();
      return member.kill();
    }));
  }
}

/** Reads the whole lines of a stream. */
export async function linesOf(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
}
