/**
 * Sessions of the key-value port while servers are killed: a client that sends again what was not answered.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually } from "../support/agents.ts";
import { KvPeer, type Reply } from "../support/kv/stage.ts";
import { Cluster, type Server } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";
import { LineClient } from "../support/net/line_client.ts";

const hosts = [loopback(), loopback(), loopback()] as const;

const REQUESTS = 800;
const KILLS = 4;
/** Requests that are sent without an answer to those before them. */
const AHEAD = 8;
const LIMIT_MS = 90_000;

Deno.test("requests and changes of a session come about once and in order, while leaders, and the servers of its client, are killed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_rid_" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const client = new Client(cluster.servers);
    const killing = (async () => {
      for (let kill = 1; kill <= KILLS; kill++) {
        const count = kill * REQUESTS / (KILLS + 1);
        // However fast it is, it has some to do when the next one is killed.
        client.most = count + REQUESTS / (KILLS + 1) - AHEAD;
        await client.until(count);
        const server = kill % 2 === 0 ? client.server : await leaderOf(cluster);
        await cluster.kill(server);
        await client.until(count + 30);
        await cluster.start(server);
      }
      client.most = REQUESTS;
    })();
    await client.run();
    await killing;
    assert.equal(cluster.kills, KILLS);
    assert.ok(client.connections > KILLS / 2, `${client.connections}`);
    const all = Array.from({ length: REQUESTS }, (_, i) => i + 1);
    assert.deepEqual(client.answers, all);
    assert.deepEqual(client.told, all);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function leaderOf(cluster: Cluster): Promise<Server> {
  return await eventually("somebody leads", () => cluster.leader());
}

/** Counts up by one session, at whichever server it finds. */
class Client {
  /** What each request counted to, in order. */
  readonly answers: number[] = [];
  /** What the watch told. */
  readonly told: number[] = [];
  /** So many requests may be sent. */
  most = REQUESTS;
  /** Connections that had the session. */
  connections = 0;
  readonly #servers: readonly Server[];
  #session: string | undefined;
  #acked = 0;
  #turn = 0;
  readonly #end = performance.now() + LIMIT_MS;

  constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  /** The server that it asks. */
  get server(): Server {
    return this.#servers[this.#turn % 3] as Server;
  }

  /** Resolves when so many requests are answered. */
  async until(count: number): Promise<void> {
    while (this.answers.length < count) {
      assert.ok(performance.now() < this.#end, `${this.answers.length} answers`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Asks for all, and hears of all. */
  async run(): Promise<void> {
    while (this.answers.length < REQUESTS || this.told.length < REQUESTS) {
      assert.ok(performance.now() < this.#end, `${this.answers.length}, ${this.told.length}`);
      this.#turn++;
      const { place: { hostname } } = this.server;
      try {
        const address = { transport: "tcp", hostname, port: 8379 } as const;
        using peer = new KvPeer(await LineClient.connect(address));
        await this.#talk(peer);
      } catch (error) {
        // The connection is gone, or the server cannot do it now: another one is asked.
        const { name, message } = error as Error;
        if (name === "AssertionError" && !/^closed/.test(message)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async #talk(peer: KvPeer): Promise<void> {
    const begun = this.#session === undefined
      ? await peer.ask({ action: "SESSION", op: "create" })
      : await peer.ask({ action: "SESSION", op: "continue", session: this.#session });
    if (begun["status"] !== "ok") return this.#failed(begun);
    this.#session = (begun["result"] as { session: string }).session;
    this.connections++;
    const watch = await peer.ask({ action: "WATCH", key: "n", rid: 1, low: 1 });
    if (watch["status"] !== "ok") return this.#failed(watch);
    for (let sent = this.answers.length; this.answers.length < REQUESTS;) {
      const requests: object[] = [];
      for (; sent < Math.min(this.answers.length + AHEAD, this.most); sent++) {
        requests.push({ action: "INCR", key: "n", rid: sent + 2, low: 1 });
      }
      if (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      for (const reply of await peer.all(requests)) {
        if (reply["status"] !== "ok") return this.#failed(reply);
        this.answers.push(reply["result"] as number);
      }
      await this.#hear(peer, 1);
    }
    await this.#hear(peer, REQUESTS - this.told.length);
  }

  /** Takes so many changes at least, if there are some to come. */
  async #hear(peer: KvPeer, count: number): Promise<void> {
    const most = Math.min(count, this.answers.length - this.told.length);
    for (let i = 0; i < most;) {
      const [push] = await peer.pushes(1);
      if (push?.["push"] !== "change") throw new Error(JSON.stringify(push));
      const ack = push["ack"] as number;
      if (ack > this.#acked) {
        assert.equal(ack, this.#acked + 1);
        this.#acked = ack;
        this.told.push(push["value"] as number);
        i++;
      }
      if (ack % 5 === 0 || i === most) await peer.ask({ action: "SESSION", op: "ack", ack });
    }
  }

  /** What may come while servers die. */
  #failed(reply: Reply): never {
    assert.ok([503, 504].includes(reply["code"] as number), JSON.stringify(reply));
    throw new Error("It is to be asked for again");
  }
}
