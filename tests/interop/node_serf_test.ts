/**
 * `node-serf` from npm, a client that others wrote and use, drives an agent through its whole interface: once
 * HashiCorp's, once skein's, and hears the same from both.
 *
 * It is unlike other clients in that it writes 64-bit integers as floats, sends text where bytes are meant, tells
 * a header from a body by the key `Seq` alone, and closes its half of the connection behind `leave`
 * (docs/spec/agent.md 10).
 *
 * @module
 */

import assert from "node:assert/strict";
import { connect } from "node-serf";
import { eventually, freePort, type Program, skein, startAgent } from "../support/agents.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOSTS = [loopback(), loopback()] as const;
const KEY = "T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=";
const NEW_KEY = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";

/** What the package calls back with: maps as objects, bytes as Buffer or, from old writers, text. */
// deno-lint-ignore no-explicit-any
type Answer = any;

/** What a stream of the package offers. */
interface NodeSerfStream {
  on(event: "data", listener: (record: Answer) => void): void;
  on(event: "listen" | "stop", listener: (error?: Error | null) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  stop(callback: (error: Error | null) => void): void;
}

/** A connection of the package; every command is a method of it. */
type NodeSerf =
  & Record<string, (body: unknown, callback?: (error: Error | null, body: Answer) => void) => void>
  & Record<"stream" | "monitor" | "query", (body: unknown) => NodeSerfStream>
  & { leave(): void; once(event: "close", listener: () => void): void; destroy(): void };

goTest("node-serf drives both kinds of agents through its whole interface", async (go) => {
  const ports: number[] = [];
  for (let i = 0; i < 4; i++) ports.push(await freePort(...HOSTS));
  const [expected, got] = await Promise.all([
    session(go, go, HOSTS[0], ports),
    session(skein, go, HOSTS[1], ports),
  ]);
  assert.deepEqual(got, expected);
  assert.ok(expected.length > 30);
});

Deno.test("node-serf may give skein a timeout that it writes as a float", async () => {
  await using agent = await startAgent(skein, { name: "one", host: HOSTS[0] });
  const client = await open(HOSTS[0], Number(agent.rpc.split(":")[1]));
  try {
    const Timeout = 2_200_000_000; // More than 31 bits.
    const query = await follow(client.query({ Name: "load", RequestAck: true, Timeout }));
    await eventually("the query has ended", query.stopped);
    assert.deepEqual(query.records, [
      { Type: "ack", From: "one", Payload: null },
      { Type: "done", From: "", Payload: null },
    ]);
  } finally {
    client.destroy();
  }
});

async function session(
  program: Program,
  go: Program,
  host: string,
  [bindPort = 0, rpcPort = 0, otherBind = 0, otherRpc = 0]: readonly number[],
): Promise<unknown[]> {
  const flags = ["-profile=local", `-encrypt=${KEY}`, "-tag=dc=east"];
  await using cleanUp = new AsyncDisposableStack();
  const config = await Deno.makeTempFile({ suffix: ".json" });
  cleanUp.defer(() => Deno.remove(config));
  await Deno.writeTextFile(config, JSON.stringify({ rpc_auth: "secret" }));
  await using agent = await startAgent(program, {
    name: "one",
    host,
    bindPort,
    rpcPort,
    flags: [...flags, `-config-file=${config}`],
  });
  await using other = await startAgent(go, {
    name: "two",
    host,
    bindPort: otherBind,
    rpcPort: otherRpc,
    flags: [...flags, "-event-handler=query:load=echo from two"],
  });
  const said: unknown[] = [];
  const say = (label: string, value: unknown) => said.push([label, comparable(value, host)]);

  const client = await open(host, rpcPort);
  const call = (command: string, body?: unknown) =>
    new Promise<Answer>((resolve, reject) => {
      const done = (error: Error | null, answer: Answer) => error ? reject(error) : resolve(answer);
      if (body === undefined) client[command]?.(done as unknown);
      else client[command]?.(body, done);
    });
  const says = async (command: string, body?: unknown) =>
    say(command, await call(command, body).then((answer) => answer ?? null, String));

  await says("members");
  // On a connection of its own, which skein closes then.
  const guesser = await open(host, rpcPort);
  say(
    "wrong token",
    await new Promise((resolve) => {
      guesser.auth?.({ AuthKey: "wrong" }, (error) => resolve(String(error)));
    }),
  );
  guesser.destroy();
  await says("auth", { AuthKey: "secret" });
  await says("join", { Existing: [other.gossip], Replay: false });
  await eventually("both are alive", async () => {
    const { Members } = await call("members");
    return Members.length === 2 && Members.every(({ Status }: Answer) => Status === "alive");
  });
  await says("join", { Existing: [`${host}:1`], Replay: false });
  say("members", byName((await call("members")).Members));
  await says("membersFiltered", { Name: "tw.", Status: "alive", Tags: { dc: "east" } });
  await says("members-filtered", { Name: "nobody" });

  const monitor = await follow(client.monitor({ LogLevel: "DEBUG" }));
  const stream = await follow(client.stream({ Type: "user:deploy,member-update,query" }));
  await says("event", { Name: "deploy", Payload: "text \u00e9", Coalesce: false });
  await says("event", { Name: "deploy", Payload: Buffer.from([0, 255, 128]), Coalesce: false });
  await says("event", { Name: "deploy", Coalesce: false });
  await says("event", { Name: "unheard", Payload: "x", Coalesce: false });
  await says("event", { Name: "deploy", Payload: "x".repeat(600), Coalesce: false });
  await says("tags", { Tags: { build: "7" }, DeleteTags: ["dc"] });
  await eventually("the stream has brought the events", () => stream.records.length >= 4);

  const query = await follow(client.query({
    Name: "load",
    Payload: "now",
    RequestAck: true,
    FilterNodes: ["one", "two"],
    FilterTags: { none: "^$" },
    Timeout: 2_000_000_000,
  }));
  const asked = await eventually(
    "the query is on the stream",
    () => stream.records.find(({ Event }) => Event === "query"),
  );
  await says("respond", { ID: asked.ID, Payload: "from one" });
  await says("respond", { ID: asked.ID + 1, Payload: "nobody asked" });
  await eventually("the query has ended", () => query.stopped());
  // HashiCorp's reads its channels on after they are closed, until the query is over: of nobody, and of nothing.
  const answers = query.records.slice(0, -1).filter(({ From }) => From !== "" || program === skein);
  say("query", answers.map((record) => JSON.stringify(comparable(record, host))).sort());
  say("done", query.records.at(-1));
  await stream.stop();
  await monitor.stop();
  say("stream", stream.records.map((record) => ({ ...record, ID: 0, LTime: 0 })));
  say(
    "log",
    monitor.records.map(({ Log }) => Log.replace(/^.*?\[/, "["))
      .filter((line) => /EventMemberUpdate|joined|user-event/.test(line)),
  );

  await says("installKey", { Key: NEW_KEY });
  await says("install-key", { Key: "AAAA" });
  await says("useKey", { Key: NEW_KEY });
  await says("removeKey", { Key: KEY });
  await says("listKeys");
  await says("getCoordinate", { Node: "nobody" });
  const { Ok, Coord } = await call("getCoordinate", { Node: "one" });
  say("getCoordinate", [Ok, Object.keys(Coord).sort(), Coord.Vec.length]);
  const { agent: self, tags, serf, event_handlers, runtime } = await call("stats");
  say("stats", [self, tags, event_handlers, serf.members, serf.encrypted, typeof runtime.os]);

  other.kill("SIGKILL");
  await eventually("two has failed", async () => {
    return (await call("membersFiltered", { Name: "two", Status: "failed" })).Members?.length === 1;
  });
  await says("forceLeave", { Node: "two" });
  await eventually("two has left", async () => {
    return (await call("membersFiltered", { Name: "two", Status: "left" })).Members?.length === 1;
  });
  await says("force-leave", { Node: "two", Prune: true });
  await eventually("two is gone", async () => (await call("members")).Members.length === 1);

  const closed = new Promise<void>((resolve) => client.once("close", resolve));
  client.leave();
  say("leave", await agent.exited);
  await closed;
  return said;
}

/** Connects, which includes the handshake. */
function open(host: string, port: number): Promise<NodeSerf> {
  return new Promise((resolve, reject) => {
    const client: NodeSerf = connect({ host, port }, (error: Error | null) => {
      return error ? reject(error) : resolve(client);
    });
  });
}

/** Waits until a stream is there and collects what it brings. */
function follow(stream: NodeSerfStream) {
  const records: Answer[] = [];
  let ended = false;
  stream.on("data", (record) => records.push(record));
  stream.on("stop", () => ended = true);
  const handle = {
    records,
    stopped: () => ended,
    stop: () =>
      new Promise<void>((resolve, reject) => {
        stream.stop((error) => error ? reject(error) : resolve());
      }),
  };
  return new Promise<typeof handle>((resolve, reject) => {
    stream.on("error", reject);
    stream.on("listen", (error) => error ? reject(error) : resolve(handle));
  });
}

/** Plain data: bytes as base64, the address taken out. */
function comparable(value: unknown, host: string): unknown {
  const address = host.replaceAll(".", ",");
  const plain = (value: unknown): unknown => {
    if (value instanceof Uint8Array) {
      const bytes = [...value].join();
      return bytes === address ? "ADDRESS" : `bytes ${bytes}`;
    }
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
    }
    if (typeof value !== "string") return value;
    // 0.9.4 wrote "Failed to join HOST:", its successors and skein write "failed to join HOST:PORT:".
    return value.replaceAll(host, "HOST").replace(
      /[Ff]ailed to join HOST(:\d+)?:/g,
      "failed to join HOST:",
    );
  };
  return plain(value);
}

function byName(members: Answer[]): Answer[] {
  return members.sort((a, b) => a.Name < b.Name ? -1 : 1);
}
