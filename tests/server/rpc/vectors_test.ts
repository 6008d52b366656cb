/**
 * Conversations captured from real agents, held with skein agents on raw sockets: the same bytes come back, but for the
 * differences that `captures.ts` names.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Member, SerfEvent } from "../../../cluster/serf/mod.ts";
import { decodeValue, encodeValue } from "../../../protocol/msgpack/mod.ts";
import { ownPayload } from "../../../protocol/payload.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { RpcServer } from "../../../server/rpc/server.ts";
import { loopback } from "../../support/loopback.ts";
import { FakeBackend, keyReport, member } from "../../support/rpc/backend.ts";
import {
  assertCaptured,
  type Exchange,
  EXCHANGES,
  MENDED,
  split,
} from "../../support/rpc/captures.ts";
import { concat, Peer, request, until } from "../../support/rpc/peer.ts";

const HOST = loopback();

const RPC = `${HOST}:0`;
const TOKEN = "s3cret";

/** Indices of the exchanges that were replayed; the last test looks for ones that were forgotten. */
const replayed = new Set<number>();

Deno.test("three agents answer what the cluster a, b, c answered", async () => {
  await using a = await start("a", { tags: { role: "web", dc: "east" } });
  await using b = await start("b", { tags: { role: "web-server" } });
  await using c = await start("c");
  await a.join([addressOf(b), addressOf(c)]);
  await until(() => [a, b, c].every((agent) => agent.members().length === 3));
  const { address } = a.listenRpc(RPC);
  const peer = { address };

  for (const index of [0, 1, 2, 3, 4, 5, 6]) await replay(index, peer);
  await replay(7, peer, [[`127.0.0.1:19947`, addressOf(b)], ["127.0.0.1:19948", addressOf(c)]]);
  for (const index of [8, 9, 10, 11, 19, 20]) await replay(index, peer);
  await c.updateTags({ set: { m: "2" } });
  await until(() => a.members().some(({ tags }) => tags.m === "2"));
  await replay(46, peer);

  await records(14, [15, 16, 17, 18], peer);
  await records(21, [22, 23, 24, 25], peer);

  await until(() => a.coordinate("b") !== undefined);
  for (const index of [12, 13]) await replay(index, peer);
});

Deno.test("an agent alone answers what agents answered to a raw client", async () => {
  await using agent = await start("a");
  const { address } = agent.listenRpc(RPC);
  const shaken = { address };
  for (const index of [26, 27, 28, 29, 38, 40, 41, 42, 43, 44, 45, 47]) {
    await replay(index, shaken);
  }
  for (const index of [36, 37, 39]) await replay(index, { address, handshake: false });
});

Deno.test("an agent with a token answers what d answered", async () => {
  await using agent = await start("d", { rpcAuth: TOKEN });
  const { address } = agent.listenRpc(RPC);
  for (const index of [48, 49, 50, 52]) await replay(index, { address });
  await replay(51, { address, token: TOKEN });
  await replay(55, { address, token: TOKEN });
  await agent.closed;
});

Deno.test("a query is answered once, as captured", async () => {
  await using agent = await start("a");
  using peer = await Peer.ready(agent.listenRpc(RPC).address);
  await peer.ask("stream", { Type: "query" });
  agent.query("ping", null, { timeoutMs: 5_000 });
  await peer.take(2);
  for (const index of [53, 54]) {
    const exchange = at(index);
    peer.keep();
    await peer.send(Uint8Array.fromHex(exchange.request_hex));
    await peer.next();
    assertCaptured(exchange, peer.kept());
  }
});

Deno.test("two agents with keys answer what k1 and k2 answered", async () => {
  const encryptKey = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";
  await using k1 = await start("k1", { encryptKey });
  await using k2 = await start("k2", { encryptKey });
  await k1.join([addressOf(k2)]);
  await until(() => k2.members().length === 2);
  const peer = { address: k1.listenRpc(RPC).address };
  for (const index of [56, 57, 58, 59, 60]) await replay(index, peer);
  await k1.useKey("fr8k1mf3k+C6xQoJU+GC00rd0CcYNsUPsboxZZB1i6k=");
  for (const index of [61, 62]) await replay(index, peer);
  // Gone without a word, it counts as silent until it is found to have failed.
  await k2.shutdown();
  await replay(63, peer);
});

Deno.test("requests as the newest Serf encodes them are understood", async () => {
  await using agent = await start("a");
  const { address } = agent.listenRpc(RPC);
  for (const index of [64, 65, 66]) {
    using peer = await Peer.ready(address);
    await peer.send(Uint8Array.fromHex(at(index).request_hex));
    assert.deepEqual(await peer.next(), { Error: "", Seq: 2 });
  }
});

Deno.test("responses are encoded as the newest Serf encodes them", async () => {
  const backend = new FakeBackend();
  await using server = RpcServer.listen(backend, { address: RPC });
  for (const [index, Num] of [[67, 200], [68, 127]] as const) {
    backend.on.join = () => Num;
    await answer(server, index, request("join", 2, { Existing: ["x"] }));
  }
  backend.on.listKeys = () => keyReport({ keys: { k: 200 }, numNodes: 200, numResp: 70_000 });
  await answer(server, 69, request("list-keys", 2));
});

Deno.test("records of streams have the captured bytes", async () => {
  for (const index of [30, 31, 32, 33, 34, 35, 70]) {
    const { response_hex, decoded_response } = at(index);
    const backend = new FakeBackend();
    await using server = RpcServer.listen(backend, { address: RPC });
    using peer = await Peer.ready(server.address);
    const seq = decoded_response?.header?.Seq ?? 0;
    await peer.send(request("stream", seq, { Type: "*" }));
    await peer.next();
    peer.keep();
    backend.emit(toEvent(decoded_response?.body ?? {}));
    await peer.take(2);
    assert.equal(peer.kept().toHex(), response_hex);
  }
});

Deno.test("every exchange was replayed, and every difference is one that there was", () => {
  const all = EXCHANGES.map((_, index) => index);
  assert.deepEqual(all.filter((index) => !replayed.has(index)), []);
  const notes = EXCHANGES.map(({ note }) => note);
  assert.ok(Object.keys(MENDED).every((note) => notes.includes(note)));
});

interface Where {
  readonly address: Deno.NetAddr;
  /** Default true. */
  readonly handshake?: boolean;
  /** Token to give before. */
  readonly token?: string;
}

function start(nodeName: string, settings: Parameters<typeof Agent.start>[0] = {}): Promise<Agent> {
  return Agent.start({ nodeName, bind: `${HOST}:0`, profile: "local", ...settings });
}

function addressOf({ address }: Agent): string {
  return `${address.host}:${address.port}`;
}

function at(index: number): Exchange {
  replayed.add(index);
  return EXCHANGES[index] ?? assert.fail(`No exchange ${index}`);
}

/** Holds one exchange on a connection of its own; `texts` of its request are replaced. */
async function replay(index: number, where: Where, texts: [string, string][] = []): Promise<void> {
  const exchange = at(index);
  using peer = await connect(where);
  peer.keep();
  await peer.send(withTexts(Uint8Array.fromHex(exchange.request_hex), texts));
  await peer.finish();
  await peer.rest();
  assertCaptured(exchange, peer.kept());
}

/** Asks a query and compares the response and the records, which come in any order but for the last. */
async function records(
  index: number,
  recordIndices: readonly number[],
  where: Where,
): Promise<void> {
  const exchange = at(index);
  using peer = await connect(where);
  peer.keep();
  await peer.send(Uint8Array.fromHex(exchange.request_hex));
  await peer.take(1 + 2 * recordIndices.length);
  const [response, ...values] = split(peer.kept());
  assertCaptured(exchange, response ?? assert.fail());
  const got: string[] = [];
  for (let i = 0; i < values.length; i += 2) got.push(concat(values.slice(i, i + 2)).toHex());
  const captured = recordIndices.map((record) => at(record).response_hex);
  assert.equal(got.at(-1), captured.at(-1));
  assert.deepEqual(got.sort(), captured.sort());
}

async function connect({ address, handshake = true, token }: Where): Promise<Peer> {
  return handshake ? await Peer.ready(address, token) : await Peer.connect(address);
}

/** Compares the answer to a request of ours with a captured one, byte for byte. */
async function answer(server: RpcServer, index: number, sent: Uint8Array): Promise<void> {
  using peer = await Peer.ready(server.address);
  peer.keep();
  await peer.send(sent);
  await peer.take(2);
  assert.equal(peer.kept().toHex(), at(index).response_hex);
}

function withTexts(bytes: Uint8Array, texts: readonly [string, string][]): Uint8Array {
  if (texts.length === 0) return bytes;
  const [header, body] = split(bytes);
  const json = decodeValue(body ?? assert.fail()) as Map<string, unknown>;
  const replaced = new Map([...json].map(([key, value]) => [
    key,
    Array.isArray(value) ? value.map((item) => new Map(texts).get(item) ?? item) : value,
  ]));
  return concat([header ?? assert.fail(), encodeValue(replaced as Map<string, string>, "rpc")]);
}

interface WireMember {
  readonly Name: string;
  readonly Addr: { readonly $bin: string };
  readonly Port: number;
  readonly Status: string;
  readonly Tags: Record<string, string>;
}

function fromWire({ Name, Addr, Port, Status, Tags }: WireMember): Member {
  return member(Name, {
    addr: Uint8Array.fromHex(Addr.$bin),
    port: Port,
    status: Status as Member["status"],
    tags: Tags,
  });
}

function toEvent(body: Readonly<Record<string, unknown>>): SerfEvent {
  if (body.Event !== "user") {
    const { Event, Members } = body as { Event: "member-join"; Members: WireMember[] };
    return { type: Event, members: Members.map(fromWire) };
  }
  const payload = body.Payload as { $bin: string } | null;
  return {
    type: "user",
    ltime: BigInt(body.LTime as number),
    name: body.Name as string,
    payload: ownPayload(payload && Uint8Array.fromHex(payload.$bin)),
    coalesce: body.Coalesce as boolean,
  };
}
