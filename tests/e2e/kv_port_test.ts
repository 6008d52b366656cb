/**
 * The key-value port of a running server: when its address is taken, when clients vanish, and when a signal ends it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { connect } from "node:net";
import { type AgentProcess, eventually, freePort, startSkeinAgent } from "../support/agents.ts";
import { KvPeer, type Reply } from "../support/kv/stage.ts";
import { loopback } from "../support/loopback.ts";
import { LineClient } from "../support/net/line_client.ts";

const HOST = loopback();

/** An agent that is told to end does so within this time, in milliseconds. */
const END_LIMIT_MS = 10_000;

/** Descriptors are counted in Linux's /proc. */
const isLinux = Deno.build.os === "linux";

/** A server as a process, with data that can be kept over its end. */
class Server implements AsyncDisposable {
  /** The process. */
  agent!: AgentProcess;
  readonly #folder = Deno.makeTempDirSync({ prefix: "skein_kv_" });
  #port = 0;

  static async start(...flags: string[]): Promise<Server> {
    const server = new Server();
    await using opened = new AsyncDisposableStack();
    opened.defer(() => Deno.remove(server.#folder, { recursive: true }));
    server.#port = await freePort(HOST);
    await server.restart(...flags);
    opened.move();
    return server;
  }

  async restart(...flags: string[]): Promise<void> {
    this.agent = await startSkeinAgent({
      name: "one",
      host: HOST,
      flags: [
        "-server",
        `-data-dir=${this.#folder}/data`,
        `-peer-addr=${HOST}:0`,
        `-kv-addr=${this.address}`,
        "-session-addr=none",
        "-topics-addr=none",
        "-profile=local",
        ...flags,
      ],
    });
  }

  get address(): string {
    return `${HOST}:${this.#port}`;
  }

  async client(): Promise<KvPeer> {
    const place = { hostname: HOST, port: this.#port, transport: "tcp" as const };
    return new KvPeer(await LineClient.connect(place));
  }

  /** Sends text, waits for `bytes` bytes of an answer, and is gone with a reset, as a process that was killed. */
  reset(text: string, bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let received = 0;
      const socket = connect(this.#port, HOST, () => {
        socket.write(text);
        if (bytes === 0) socket.resetAndDestroy();
      });
      socket.on("data", (chunk) => {
        received += chunk.length;
        if (received >= bytes) socket.resetAndDestroy();
      });
      socket.on("close", () => resolve());
      socket.on("error", reject);
    });
  }

  /** Writes a file of its configuration; gives the flag that names it. */
  async configFile(config: object): Promise<string> {
    const path = `${this.#folder}/config.json`;
    await Deno.writeTextFile(path, JSON.stringify(config));
    return `-config-file=${path}`;
  }

  /** Descriptors of its process. */
  get descriptors(): number {
    return [...Deno.readDirSync(`/proc/${this.agent.pid}/fd`)].length;
  }

  /** Ends it with a signal; gives the exit code. */
  async end(signal: Deno.Signal): Promise<number> {
    let code: number | undefined;
    this.agent.exited.then((it) => code = it);
    this.agent.kill(signal);
    await eventually(`it ends on ${signal}`, () => code !== undefined, END_LIMIT_MS);
    return code as number;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

const ONE = "-bootstrap-expect=1";
const CLOSING = { push: "closing", code: 503, reason: "SHUTTING_DOWN" };

Deno.test("an agent whose key-value address is taken says so and exits with 1", async () => {
  await using server = await Server.start(ONE);
  const line = new RegExp(
    `exited with 1:[^]*\\n==> .*${server.address}: bind: address already in use`,
  );
  await assert.rejects(Server.start(ONE, `-kv-addr=${server.address}`), line);
  using client = await server.client();
  assert.equal((await client.ask({ action: "PING" })).result, "PONG");
});

Deno.test("an agent that takes any free port tells which", async () => {
  await using server = await Server.start(ONE, `-kv-addr=${HOST}:0`);
  const port = await eventually("it tells", () => {
    return new RegExp(`Key-value addr: '${HOST}:(\\d+)'`).exec(server.agent.output())?.[1];
  });
  const place = { hostname: HOST, port: Number(port), transport: "tcp" as const };
  using client = new KvPeer(await LineClient.connect(place));
  assert.equal((await client.ask({ action: "PING" })).result, "PONG");
});

Deno.test({
  name: "clients that reset their connections harm nobody, and leave no descriptor behind",
  ignore: !isLinux,
  async fn() {
    await using server = await Server.start(ONE);
    using other = await server.client();
    await other.ask({ action: "SET", key: "big", value: "x".repeat(500_000) });
    const before = server.descriptors;
    for (let round = 0; round < 40; round++) {
      await Promise.all([
        server.reset("", 0),
        server.reset('{"action":"PING"}\n{"action":"SE', 5),
        server.reset('{"action":"INCR","key":"n"}\n'.repeat(50), 0),
        server.reset('{"action":"GET","key":"big"}\n'.repeat(20), 100_000),
      ]);
      assert.equal((await other.ask({ action: "PING" })).result, "PONG");
    }
    await eventually("the descriptors are back", () => server.descriptors <= before);
    assert.doesNotMatch(server.agent.output(), /\[ERR\]/);
  },
});

Deno.test({
  name: "a thousand connections one after the other leave no descriptor behind",
  ignore: !isLinux,
  async fn() {
    await using server = await Server.start(ONE);
    using other = await server.client();
    await other.ask({ action: "PING" });
    const before = server.descriptors;
    for (let i = 0; i < 1_000; i++) {
      using client = await server.client();
      if (i % 2 === 0) assert.equal((await client.ask({ action: "PING" })).result, "PONG");
    }
    await eventually("the descriptors are back", () => server.descriptors <= before);
  },
});

/** How a server ends under load, with the exit code of Serf's agent. */
const ENDS: readonly (readonly [string, Deno.Signal, code: number, config: object])[] = [
  ["SIGINT under load: what was done is answered, and the exit code is 0", "SIGINT", 0, {}],
  ["SIGTERM under load: what was done is answered, and the exit code is 1", "SIGTERM", 1, {}],
  ["SIGTERM under load that is to leave: the exit code is 0", "SIGTERM", 0, {
    leave_on_terminate: true,
  }],
];

for (const [name, signal, code, config] of ENDS) {
  Deno.test(name, async () => {
    await using server = await Server.start(ONE);
    await server.end("SIGTERM");
    await server.restart(await server.configFile(config));
    const begun = Promise.withResolvers<void>();
    let done = 0;
    const clients = Array.from({ length: 20 }, async () => {
      using client = await server.client();
      const last: Reply[] = [];
      try {
        for (;;) {
          const replies = await client.all(Array(10).fill({ action: "INCR", key: "n" }));
          done += replies.filter(({ status }) => status === "ok").length;
          if (done > 2_000) begun.resolve();
        }
      } catch {
        last.push(...await client.rest());
      }
      done += last.filter(({ status }) => status === "ok").length;
      return last.at(-1);
    });
    await begun.promise;
    assert.equal(await server.end(signal), code);
    for (const last of await Promise.all(clients)) assert.deepEqual(last, CLOSING);
    await server.restart();
    using client = await server.client();
    assert.equal((await client.ask({ action: "GET", key: "n" })).result, done);
  });
}

Deno.test("a request that waits for a leader is answered before its server ends", async () => {
  await using server = await Server.start("-bootstrap-expect=3");
  using client = await server.client();
  await client.send('{"action":"SET","key":"k","value":1}\n');
  using other = await server.client();
  await other.ask({ action: "PING" });
  assert.equal(await server.end("SIGTERM"), 1);
  const [answer, ...rest] = await client.rest();
  assert.deepEqual([answer?.code, answer?.reason, rest], [503, "SHUTTING_DOWN", [CLOSING]]);
  assert.match(server.agent.output(), /shutdown complete/);
});
