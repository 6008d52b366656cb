/**
 * `skein topic` as a person uses it, with servers that are killed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually, freePort, runSkeinCli, skein, startAgent } from "../support/agents.ts";
import { Cluster, type Server } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();
const hosts = [loopback(), loopback(), loopback()];

/** Messages that go on while the leader is killed. */
const COUNT = 3_000;

/** Messages of which there are too many for the log, and their bytes. */
const LONG_COUNT = 40_000;
const LONG_BYTES = 1_000;

/** So that the log has not kept what a server lacks, however few entries the messages are. */
const HARDLY_ANY_ENTRIES = { raft: { snapshot_entries: 10, trailing: 5 } };

/** The output of a command is expected within this time, in milliseconds. */
const LIMIT_MS = 30_000;

/** A command line with all its pipes. */
class Running implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  stdout = "";
  stderr = "";

  constructor(address: string, args: readonly string[]) {
    const [program = "", ...rest] = skein.command;
    this.#child = new Deno.Command(program, {
      args: [...rest, "topic", ...args],
      env: { SKEIN_TOPICS_ADDR: address },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    const read = async (
      stream: ReadableStream<Uint8Array>,
      add: (text: string) => void,
    ): Promise<void> => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) add(text);
    };
    this.#reading = Promise.all([
      read(this.#child.stdout, (text) => this.stdout += text),
      read(this.#child.stderr, (text) => this.stderr += text),
    ]);
  }

  async write(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Resolves when it has ended, whoever ended it. */
  get exited(): Promise<unknown> {
    return this.#child.status;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Ends standard input; returns exit code, standard output and standard error. */
  async end(): Promise<[number, string, string]> {
    await this.#writer.close().catch(() => {}); // It has ended already.
    const { code } = await this.#child.status;
    await this.#reading;
    return [code, this.stdout, this.stderr];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* It has ended. */ }
    await this.end();
  }
}

async function topic(address: string, ...args: string[]): Promise<[number, string, string]> {
  await using running = new Running(address, args);
  return await running.end();
}

const range = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `${from + i}\n`).join("");

Deno.test("lines go into a topic and come out of it, until Ctrl-C or SIGTERM, or nobody reads them", async () => {
  const address = `${HOST}:${await freePort(HOST)}`;
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const flags = [
    "-dev",
    `-peer-addr=${HOST}:0`,
    "-kv-addr=none",
    "-session-addr=none",
    `-topics-addr=${address}`,
  ];
  const env = { TMPDIR: folder };
  stack.use(await startAgent(skein, { name: "one", host: HOST, flags, env }));

  assert.deepEqual(await topic(address, "create", "t"), [0, "Created\n", ""]);
  await using typed = new Running(address, ["produce", "t"]);
  await typed.write("first\nsecond\nunfin");
  await using watching = new Running(address, ["consume", "-follow", "-g=g", "t"]);
  await eventually("they are there", () => watching.stdout === "first\nsecond\n", LIMIT_MS);
  typed.kill("SIGINT");
  await typed.exited;
  assert.deepEqual(await typed.end(), [0, "Produced 2 messages\n", ""]);

  await using more = new Running(address, ["produce", "t"]);
  await more.write(range(0, 20_000));
  assert.deepEqual(await more.end(), [0, "Produced 20000 messages\n", ""]);
  const all = `first\nsecond\n${range(0, 20_000)}`;
  await eventually("it goes on", () => watching.stdout === all, LIMIT_MS);
  watching.kill("SIGINT");
  assert.deepEqual(await watching.end(), [0, all, ""]);
  const [, offsets] = await topic(address, "offsets", "-g=g", "-format=json");
  assert.deepEqual(JSON.parse(offsets), [
    { topic: "t", partition: 0, start: 0, end: 20_002, committed: 20_002, lag: 0 },
  ]);

  // What ends services does as Ctrl-C.
  await using ended = new Running(address, ["produce", "t"]);
  await ended.write("last\n");
  await using follower = new Running(address, ["consume", "-follow", "-g=f", "t"]);
  await eventually("it has all", () => follower.stdout === `${all}last\n`, LIMIT_MS);
  ended.kill("SIGTERM");
  follower.kill("SIGTERM");
  await ended.exited;
  assert.deepEqual(await ended.end(), [0, "Produced 1 message\n", ""]);
  assert.deepEqual((await follower.end())[0], 0);
  const [, committed] = await topic(address, "offsets", "-g=f", "-format=json");
  assert.equal(JSON.parse(committed)[0].committed, 20_003);

  // What a closed pipe has not taken is not done with.
  const shell = `set -o pipefail; "$@" | head -n 3`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", shell, "bash", ...skein.command, "topic", "consume", "-g=h", "t"],
    env: { SKEIN_TOPICS_ADDR: address },
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  assert.deepEqual([code, text(stdout), text(stderr)], [141, "first\nsecond\n0\n", ""]);
  const [, after] = await topic(address, "offsets", "-format=json", "-g=h", "t");
  assert.ok(JSON.parse(after)[0].lag > 0, after);
});

Deno.test("nothing is lost, doubled or out of order when the leader is killed, and the servers are equal after it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_topics_" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const address = hosts.map((host) => `${host}:9092`).join(",");
    for (const name of ["z", "a", "orders"]) {
      assert.deepEqual(await topic(address, "create", name), [0, "Created\n", ""]);
    }
    await using reader = new Running(address, ["consume", "-follow", `-n=${COUNT}`, "orders"]);
    await using writer = new Running(address, ["produce", "-idempotent", "orders"]);
    await writer.write(range(0, COUNT / 3));
    await eventually("some are read", () => reader.stdout.length > 0, LIMIT_MS);
    const leader = await cluster.leader() as Server;
    await cluster.kill(leader);
    await writer.write(range(COUNT / 3, COUNT));
    assert.deepEqual((await writer.end()).slice(0, 2), [0, `Produced ${COUNT} messages\n`]);
    const [code, stdout] = await reader.end();
    assert.equal(code, 0);
    assert.equal(stdout, range(0, COUNT));
    await cluster.start(leader);
    await cluster.settle();
    const verified = await runSkeinCli(["topic", "verify", "-format=json"], leader.rpc);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    const { equal, servers } = JSON.parse(verified.stdout);
    assert.deepEqual([equal, servers.length], [true, 3]);

    // All of it is there after the loss of all servers.
    await Promise.all(cluster.servers.map((server) => cluster.kill(server)));
    await Promise.all(cluster.servers.map((server) => cluster.start(server)));
    await cluster.settle();
    assert.deepEqual(await topic(address, "list"), [
      0,
      "Topic   Partitions\na       1\norders  1\nz       1\n",
      "",
    ]);
    assert.deepEqual(await topic(address, "consume", "orders"), [0, range(0, COUNT), ""]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a server that was away for long gets all messages while more come, and is equal after it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_topics_" });
  try {
    const ground = loopbackGround(hosts, folder);
    await using cluster = await Cluster.start(ground, folder, HARDLY_ANY_ENTRIES);
    const address = hosts.map((host) => `${host}:9092`).join(",");
    const text = Array.from(
      { length: LONG_COUNT },
      (_, i) => `${i}`.padEnd(LONG_BYTES, ".") + "\n",
    );
    const path = join(folder, "lines");
    await Deno.writeTextFile(path, text.join(""));
    await topic(address, "create", "t");
    const produce = () => topic(address, "produce", "-idempotent", `-file=${path}`, "t");
    const leader = await cluster.leader();
    const away = cluster.servers.find((server) => server !== leader) as Server;
    await cluster.kill(away);
    const all = [0, `Produced ${LONG_COUNT} messages\n`, ""];
    assert.deepEqual(await produce(), all);
    const more = produce();
    await cluster.start(away);
    assert.deepEqual(await more, all);
    await cluster.settle();
    assert.match(away.agent?.output() ?? "", /Takes over a snapshot/);
    const { code, stdout } = await runSkeinCli(["topic", "verify", "-format=json"], away.rpc);
    assert.deepEqual([code, JSON.parse(stdout).equal], [0, true], stdout);
    const [, offsets] = await topic(address, "offsets", "-format=json", "t");
    assert.equal(JSON.parse(offsets)[0].end, 2 * LONG_COUNT);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
