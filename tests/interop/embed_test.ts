/**
 * The program of docs/embed.ts, as it stands there: a member of a Go cluster that answers a query.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { RpcClient } from "../../client/mod.ts";
import { type Program, startAgent } from "../support/agents.ts";
import { goTest, newestGoTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();
const PROGRAM = join(import.meta.dirname ?? ".", "..", "..", "docs", "embed.ts");

/** The program with its output, ended when the scope ends. */
class Embedder implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #out: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(address: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", PROGRAM, address],
      env: { BIND: `${HOST}:0`, NO_COLOR: "1" },
      stdout: "piped",
    }).spawn();
    this.#out = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads until this line has come. */
  async prints(line: string): Promise<void> {
    while (!this.#text.includes(`${line}\n`)) {
      const { value, done } = await this.#out.read();
      assert.ok(!done, `Expected '${line}', got '${this.#text}'`);
      this.#text += value;
    }
  }

  /** Presses Ctrl-C; resolves with the exit code. */
  async interrupt(): Promise<number> {
    this.#child.kill("SIGINT");
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#out.cancel();
  }
}

async function embeds(serf: Program): Promise<void> {
  await using one = await startAgent(serf, { name: "one", host: HOST });
  await using _two = await startAgent(serf, {
    name: "two",
    host: HOST,
    flags: ["-join", one.gossip],
  });
  await using program = new Embedder(one.gossip);
  await program.prints("members: embedded one two");
  await using client = await RpcClient.connect({ address: one.rpc });
  const query = await client.query("uptime", null, {
    tags: { role: "worker" },
    requestAck: true,
    timeoutMs: 1_000,
  });
  const records = await Array.fromAsync(query);
  const answers = records.filter((record) => record.type === "response");
  assert.deepEqual(records.map(({ type, from }) => `${type} ${from}`).sort(), [
    "ack embedded",
    "response embedded",
  ]);
  assert.match(new TextDecoder().decode(answers[0]?.payload ?? undefined), /^\d+ s$/);
  await client.event("deploy", "v2", { coalesce: false });
  await program.prints("deploy v2");
  assert.equal(await program.interrupt(), 0);
  const [embedded] = await client.members({ name: "embedded" });
  assert.equal(embedded?.status, "left");
  assert.deepEqual(embedded.tags, { role: "worker" });
}

goTest("the program of docs/embed.ts joins a Go cluster and answers a query", embeds);
newestGoTest("the program of docs/embed.ts joins a Go cluster and answers a query", embeds);

Deno.test("the program of docs/embed.ts has at most 20 lines", async () => {
  const lines = (await Deno.readTextFile(PROGRAM)).trimEnd().split("\n");
  assert.ok(lines.length <= 20, `It has ${lines.length}`);
});
