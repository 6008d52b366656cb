/**
 * Sessions of three servers that are killed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { SessionClient } from "../../client/mod.ts";
import { runSkeinCli } from "../support/agents.ts";
import {
  Cluster,
  type Configuration,
  type Server,
} from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";
import { EXTENDED, PLAIN, RawClient, requestOf, textOf } from "../support/sessions/raw_client.ts";

const hosts = [loopback(), loopback(), loopback()] as const;

/** How long a session may take to be found again after its server was killed, in milliseconds. */
const FIND_LIMIT_MS = 5_000;

const INCR = { action: "INCR", key: "n" };
const GET = { action: "GET", key: "n" };

Deno.test("servers that do not lead say who does, at once", async () => {
  await using three = await Three.start();
  const leader = await three.leader();
  for (const server of three.cluster.servers) {
    const { code, stdout } = await runSkeinCli(["raft", "status", "-format=json"], server.rpc);
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).leader, leader.name);
    if (server === leader) continue;
    const times: number[] = [];
    for (let i = 0; i < 11; i++) {
      await using client = await open(server);
      const since = performance.now();
      if (i % 2 === 0) await client.send({ kind: "createSession", capabilities: PLAIN, nonce: 7n });
      else await client.send({ kind: "continueSession", sessionId: "x", nonce: 7n });
      const rejected = await client.next("sessionRejected");
      times.push(performance.now() - since);
      assert.deepEqual(rejected, {
        kind: "sessionRejected",
        reason: 1,
        nonce: 7n,
        leader: leader.name,
      });
      await client.ended();
    }
    const median = times.sort((a, b) => a - b)[5] ?? Infinity;
    assert.ok(median < 10, `${times}`);
    await using other = await open(server);
    await other.request(1, INCR);
    const { reason, leader: named } = await other.next("sessionClosed");
    assert.deepEqual([reason, named], [2, leader.name]);
    await using silent = await open(server);
    await silent.send(
      { kind: "serverRequestAck", requestId: 1 },
      { kind: "closeSession", reason: 1 },
      { kind: "connectionClosed" },
    );
    await silent.ended();
    await using extended = await open(server);
    await extended.send({ kind: "createSession", capabilities: EXTENDED, nonce: 7n });
    assert.equal(await leaderIn(extended), `${leader.place.hostname}:7375`);
    // Of a session that has ended nobody knows what its client understands.
    await using late = await open(server);
    await late.hello("");
    await late.send({ kind: "continueSession", sessionId: "x", nonce: 7n });
    assert.equal(await leaderIn(late), `${leader.place.hostname}:7375`);
  }
});

/** Where the leader serves sessions, by what a client is told next. */
async function leaderIn(client: RawClient): Promise<string | undefined> {
  const { members, leader } = await client.next("clusterInfo");
  return members.find(({ id }) => id === leader)?.address;
}

Deno.test("a session goes on after its leader was killed: nothing is done twice, nothing it was told is lost", async () => {
  await using three = await Three.start();
  const leader = await three.leader();
  const client = await open(leader);
  const id = await client.create();
  await client.command(1, { action: "WATCH", key: "n" });
  await client.request(2, INCR, 1);
  const answer = await client.result(2);
  assert.equal((await client.next("serverRequest")).requestId, 1);
  for (let i = 3; i <= 6; i++) await client.request(i, INCR, 1);
  // Some of these are executed, and no answer is taken.
  await client.next("clientResponse", "serverRequest");
  await client.send({ kind: "serverRequestAck", requestId: 1 });
  await three.cluster.kill(leader);
  await client.close();

  const next = await three.goOn(id);
  for (let i = 2; i <= 6; i++) await next.request(i, INCR, 1);
  const results = new Map<number, string>();
  const told: number[] = [];
  const values: unknown[] = [];
  while (results.size < 5 || values.length < 4) {
    const message = await next.next("clientResponse", "serverRequest");
    if (message.kind === "clientResponse") {
      results.set(message.requestId, textOf(message.result));
    } else {
      told.push(message.requestId);
      if (message.requestId > 1) values.push(JSON.parse(textOf(message.payload)).value);
    }
  }
  assert.equal(results.get(2), answer);
  for (let i = 3; i <= 6; i++) assert.match(results.get(i) ?? "", new RegExp(`"result":${i - 1},`));
  assert.match(await next.query(GET), /"result":5,/);
  assert.deepEqual(told.filter((id) => id > 1), [2, 3, 4, 5]);
  assert.deepEqual(values, [2, 3, 4, 5]);
  await next.close();
});

Deno.test("a session goes on at the next leader while its own stands still, and so do its requests and watches", async () => {
  await using three = await Three.start({ sessions: { timeout: "8s" } });
  const leader = await three.leader();
  const address = three.cluster.servers.map(({ place }) => `${place.hostname}:7375`).join(",");
  await using session = new SessionClient({ address });
  await session.connect();
  const idle = new SessionClient({ address });
  await using _ = idle;
  await idle.connect();
  await using watch = await idle.kv.watch("n");
  assert.equal(await session.kv.increment("n"), 1);
  leader.agent?.kill("SIGSTOP");
  try {
    assert.equal(await session.kv.increment("n"), 2);
    assert.notEqual(session.leader, leader.name);
    const values: unknown[] = [];
    for await (const change of watch) {
      values.push(change.kind === "set" && change.value);
      if (values.length === 2) break;
    }
    assert.deepEqual(values, [1, 2]);
    assert.notEqual(idle.leader, leader.name);
  } finally {
    leader.agent?.kill("SIGCONT");
  }
  assert.equal(await session.kv.increment("n"), 3);
});

Deno.test("a session outlives the loss of all servers", async () => {
  await using three = await Three.start();
  const client = await open(await three.leader());
  const id = await client.create();
  const answer = await client.command(1, INCR);
  await Promise.all(three.cluster.servers.map((server) => three.cluster.kill(server)));
  await client.close();
  await Promise.all(three.cluster.servers.map((server) => three.cluster.start(server)));
  const next = await three.goOn(id, 30_000);
  assert.equal(await next.command(1, INCR), answer);
  await next.close();
});

Deno.test("the change of a leader gives a session more time, and never less", async () => {
  await using three = await Three.start({ sessions: { timeout: "8s" } });
  const leader = await three.leader();
  const client = await open(leader);
  const id = await client.create();
  const began = performance.now();
  await pauseUntil(began + 6_400);
  await three.cluster.kill(leader);
  await client.close();
  await pauseUntil(began + 8_800);
  const next = await three.goOn(id);
  await next.close();
});

Deno.test("queries see what was acknowledged to others, while leaders are killed", async () => {
  await using three = await Three.start();
  let kills = 0;
  let writer = await three.begin();
  let reader = await three.begin();
  let value = 0;
  const until = performance.now() + 15_000;
  let killAt = performance.now() + 3_000;
  for (let id = 1; performance.now() < until; id++) {
    if (performance.now() > killAt) {
      killAt = performance.now() + 5_000;
      const leader = await three.leader();
      await three.cluster.kill(leader);
      kills++;
      await Promise.all([writer.client.close(), reader.client.close()]);
      writer = { id: writer.id, client: await three.goOn(writer.id) };
      reader = { id: reader.id, client: await three.goOn(reader.id) };
      await three.cluster.start(leader);
    }
    const answer = await writer.client.command(id, INCR, id);
    value = JSON.parse(answer).result;
    assert.equal(value, id);
    assert.equal(JSON.parse(await reader.client.query(GET)).result, value);
  }
  assert.ok(kills >= 2 && value > 100, `${kills} ${value}`);
  await Promise.all([writer.client.close(), reader.client.close()]);
});

Deno.test("a leader that stops hands over first, and its clients go on at the next one", async () => {
  await using three = await Three.start();
  const leader = await three.leader();
  const client = await open(leader);
  const id = await client.create();
  await client.command(1, INCR);
  let asked = 1;
  const since = performance.now();
  await using agent = leader.agent;
  leader.agent = undefined;
  agent?.kill("SIGTERM");
  const closing = client.closed();
  closing.catch(() => {});
  while (!client.hasEnded) {
    await client.send(requestOf(++asked, INCR, 1)).catch(() => {});
    await pauseUntil(performance.now() + 5);
  }
  const reason = await closing;
  assert.ok(reason === 1 || reason === 2, `${reason}`);
  const next = await three.goOn(id);
  const pause = performance.now() - since;
  for (let i = 2; i <= asked; i++) assert.match(await next.command(i, INCR, 1), /"status":"ok"/);
  assert.match(await next.query(GET), new RegExp(`"result":${asked},`));
  assert.ok(pause < 3_000, `${pause}`);
  await client.close();
  await next.close();
  await agent?.exited;
});

/** Three servers, and where sessions are found. */
class Three implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly #folder: string;

  private constructor(cluster: Cluster, folder: string) {
    this.cluster = cluster;
    this.#folder = folder;
  }

  static async start(configuration: Configuration = {}): Promise<Three> {
    const folder = await Deno.makeTempDir({ prefix: "skein_sessions_" });
    try {
      const cluster = await Cluster.start(loopbackGround(hosts, folder), folder, configuration);
      return new Three(cluster, folder);
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      throw error;
    }
  }

  /** The server that leads. */
  async leader(): Promise<Server> {
    return await this.#retry("no leader", () => this.cluster.leader());
  }

  /** A session on a connection with the leader. */
  async begin(): Promise<{ id: string; client: RawClient }> {
    return await this.#retry("no session begins", async () => {
      const client = await open(await this.leader());
      return { client, id: await client.create() };
    });
  }

  /** A connection on which a session goes on. */
  async goOn(id: string, limitMs = FIND_LIMIT_MS): Promise<RawClient> {
    return await this.#retry("the session does not go on", async () => {
      for (const server of this.cluster.servers) {
        if (server.agent === undefined) continue;
        const client = await open(server).catch(() => undefined);
        const said = await client?.goOn(id).catch(() => "nothing");
        if (said === "continued") return client;
        await client?.close();
        assert.notEqual(said, "rejected 2");
      }
      return undefined;
    }, limitMs);
  }

  async #retry<T>(
    what: string,
    get: () => Promise<T | undefined>,
    limitMs = FIND_LIMIT_MS,
  ): Promise<T> {
    const end = performance.now() + limitMs;
    for (;;) {
      const got = await get();
      if (got !== undefined) return got;
      assert.ok(performance.now() < end, `${what} within ${limitMs} ms`);
      await pauseUntil(performance.now() + 50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function open({ place: { hostname } }: Server): Promise<RawClient> {
  return RawClient.open(`${hostname}:7375`);
}

async function pauseUntil(time: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, time - performance.now()));
}
