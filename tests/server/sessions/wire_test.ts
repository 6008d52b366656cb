/**
 * What the session port says to the bytes of a client, good and bad.
 *
 * @module
 */

import assert from "node:assert/strict";
import { clientFrame, CLOSED, type ServerMessage } from "../../../protocol/sessions/mod.ts";
import { statusOf } from "../../support/replica/agents.ts";
import {
  EXTENDED,
  PLAIN,
  type RawClient,
  requestOf,
  textOf,
} from "../../support/sessions/raw_client.ts";
import { oneServer } from "../../support/sessions/server.ts";

/** Frames of the golden vectors, as clients send them. */
const VECTORS = {
  create: "7a72616674010100010006776f726b6572000276320000000000000007",
  keepAlive: "7a726166740103000001a3185c5000",
  request: "7a726166740104000000000000000300000000000000020000000753455420612031000001a3185c5000",
  ack: "7a7261667401050000000000000009",
  query: "7a72616674010800027131000000054745542061000001a3185c5000",
  close: "7a72616674010601",
  connectionClosed: "7a726166740107",
};

Deno.test("the messages of a client get the bytes that are their answers", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.sendBytes(frame(VECTORS.create));
  const created = await client.hex();
  const id = textOf(Uint8Array.fromHex(created.slice(16, -16)));
  assert.match(id, /^[0-9a-f]{32}$/);
  const head = "7a726166740101" + "20";
  assert.equal(created, head + new TextEncoder().encode(id).toHex() + "0000000000000007");
  await client.sendBytes(frame(VECTORS.keepAlive));
  assert.equal(await client.hex(), "7a726166740105000001a3185c5000");
  // The payloads of the vectors are no JSON.
  await client.sendBytes(frame(VECTORS.request), frame(VECTORS.query), frame(VECTORS.ack));
  assert.equal(await client.hex(), "7a726166740108000000000000000305");
  await client.request(3, { action: "SET", key: "a", value: 1 }, 2);
  const result = new TextEncoder().encode('{"status":"ok","result":"OK","rev":1}');
  assert.equal(
    await client.hex(),
    "7a7261667401060000000000000003000000" + result.length.toString(16) + result.toHex(),
  );
  const other = await server.open();
  await other.send({ kind: "continueSession", sessionId: id, nonce: 8n });
  assert.equal(await other.hex(), "7a7261667401020000000000000008");
  await client.ended();
  await other.sendBytes(frame(VECTORS.connectionClosed));
  await other.ended();
  const third = await server.open();
  await third.send({ kind: "continueSession", sessionId: id, nonce: 8n });
  assert.equal(await third.hex(), "7a7261667401020000000000000008");
  await third.sendBytes(frame(VECTORS.close));
  await third.ended();
  const fourth = await server.open();
  await fourth.send({ kind: "continueSession", sessionId: id, nonce: 8n });
  assert.equal(await fourth.hex(), "7a7261667401030200000000000000" + "0800");
  await fourth.ended();
});

Deno.test("each session has an id of its own that nobody guesses, and the nonce comes back", async () => {
  await using server = await oneServer();
  const ids = new Set<string>();
  const bits = Array.from({ length: 128 }, () => 0);
  for (let i = 0; i < 100; i++) {
    await using client = await server.open();
    const id = await client.create();
    ids.add(id);
    const value = BigInt(`0x${id}`);
    for (let bit = 0; bit < 128; bit++) {
      bits[bit] = (bits[bit] ?? 0) + Number(value >> BigInt(bit) & 1n);
    }
  }
  assert.equal(ids.size, 100);
  // Each bit is 1 about every second time: by chance this fails once in a billion runs.
  for (const ones of bits) assert.ok(ones > 10 && ones < 90, `${bits}`);
});

Deno.test("a nonce of 0, no capabilities and bad ones are refused, and the server goes on", async () => {
  await using server = await oneServer();
  const refused = async (...frames: Uint8Array[]): Promise<ServerMessage> => {
    const client = await server.open();
    await client.sendBytes(...frames);
    const message = await client.next("sessionRejected", "sessionClosed");
    await client.ended();
    return message;
  };
  const create = (capabilities: [string, string][]): Promise<ServerMessage> =>
    refused(clientFrame({ kind: "createSession", capabilities, nonce: 7n }));
  const zero = VECTORS.create.slice(0, -2) + "00";
  assert.deepEqual(await refused(frame(zero)), {
    kind: "sessionClosed",
    reason: CLOSED.sessionError,
    leader: undefined,
  });
  const before = (await statusOf(server.agent)).last_index;
  const long = "x".repeat(4 * 1024);
  const bad: [string, string][][] = [
    [],
    [["", "v"]],
    [["a b", "v"]],
    [["ä", "v"]],
    [["a", ""]],
    [["a", "1"], ["a", "2"]],
    [["a", long]],
    Array.from({ length: 65 }, (_, i) => [`n${i}`, "v"]),
  ];
  for (const capabilities of bad) {
    assert.deepEqual(await create(capabilities), {
      kind: "sessionRejected",
      reason: 3,
      nonce: 7n,
      leader: undefined,
    }, JSON.stringify(capabilities));
  }
  assert.equal((await statusOf(server.agent)).last_index, before);
  assert.equal((await create([["client-id", "x".repeat(257)]])).kind, "sessionRejected");
  const client = await server.open();
  await client.create();
});

Deno.test("what needs a session is refused without one, and so is a second session on a connection", async () => {
  await using server = await oneServer();
  const closed = async (send: (client: RawClient) => Promise<void>): Promise<void> => {
    const client = await server.open();
    await send(client);
    assert.equal(await client.closed(), CLOSED.sessionError);
  };
  await closed((client) => client.request(1, { action: "INCR", key: "n" }));
  await closed((client) => client.send({ kind: "keepAlive", time: 1 }));
  await closed((client) => client.send({ kind: "serverRequestAck", requestId: 1 }));
  await closed((client) => client.send({ kind: "closeSession", reason: 1 }));
  await closed((client) =>
    client.send({ kind: "query", correlationId: "q", payload: JSON_GET, createdAt: 1 })
  );
  await closed(async (client) => {
    await client.create();
    await client.send({ kind: "createSession", capabilities: PLAIN, nonce: 9n });
  });
  await closed(async (client) => {
    const id = await client.create();
    await client.send({ kind: "continueSession", sessionId: id, nonce: 9n });
  });
  const client = await server.open();
  await client.send({ kind: "connectionClosed" });
  await client.ended();
  const last = await server.open();
  await last.create();
  assert.equal(await last.query({ action: "EXISTS", key: "n" }), NOTHING);
});

Deno.test("bytes that are no message end the connection with a word, and nothing else", async () => {
  await using server = await oneServer();
  const witness = await server.open();
  await witness.create();
  const bad = {
    signature: "7a72616674ff0107",
    version: "7a726166740207",
    type: "7a726166740163",
    typeOfTheServer: "7a726166740109",
    empty: "",
    short: VECTORS.create.slice(0, -2),
    long: VECTORS.keepAlive + "00",
    negativeLength: "7a72616674010400000000000000030000000000000002ffffffff",
    hugeId: "7a726166740105ffffffffffffffff",
    badUtf8: "7a7261667401020 2ff310000000000000008".replace(" ", ""),
  };
  for (const [name, hex] of Object.entries(bad)) {
    for (const hasSession of [false, true]) {
      const client = await server.open();
      if (hasSession) await client.create();
      await client.sendBytes(frame(hex));
      assert.equal(await client.closed(), CLOSED.sessionError, name);
    }
  }
  for (const length of [0xffffffff, 16 * 1024 * 1024 + 1]) {
    const client = await server.open();
    await client.create();
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, length);
    await client.sendBytes(head);
    assert.equal(await client.closed(), CLOSED.sessionError);
  }
  await witness.send({ kind: "keepAlive", time: 5 });
  assert.equal((await witness.next("keepAliveResponse")).time, 5);
});

Deno.test("messages that come byte by byte, or many at once, are the same", async () => {
  await using server = await oneServer();
  const client = await server.open();
  const bytes = clientFrame({ kind: "createSession", capabilities: PLAIN, nonce: 7n });
  for (const byte of bytes) await client.sendBytes(Uint8Array.of(byte));
  await client.next("sessionCreated");
  const second = await server.open();
  const increments = [1, 2, 3].map((id) => requestOf(id, { action: "INCR", key: "n" }, 1));
  await second.send(
    { kind: "createSession", capabilities: PLAIN, nonce: 7n },
    ...increments,
    { kind: "query", correlationId: "q", payload: JSON_GET, createdAt: 1 },
  );
  await second.next("sessionCreated");
  for (const id of [1, 2, 3]) assert.match(await second.result(id), new RegExp(`"result":${id},`));
  assert.match(textOf((await second.next("queryResponse")).result), /"result":3,/);
});

Deno.test("a client that understands more is told of its session and of the servers", async () => {
  await using server = await oneServer();
  const { sessionAddr } = server.agent.state?.addresses ?? {};
  const cluster = {
    kind: "clusterInfo",
    members: [{ id: "a", address: sessionAddr, role: 1 }],
    leader: "a",
    term: 1,
  };
  const state = { timeoutMs: 90_000, leader: "a", term: 1, kind: "sessionState" };
  const client = await server.open();
  const id = await client.create(EXTENDED);
  assert.deepEqual(await client.next("sessionState"), {
    ...state,
    floor: 0,
    highestRequestId: 0,
    lowestUnacked: 1,
    lastServerRequestId: 0,
  });
  assert.deepEqual(await client.next("clusterInfo"), cluster);
  await client.command(5, { action: "WATCH", key: "n", initial: true }, 4);
  assert.deepEqual(await client.requestIds(1), [1]);
  const other = await server.open();
  assert.equal(await other.goOn(id), "continued");
  assert.deepEqual(await other.next("sessionState"), {
    ...state,
    floor: 4,
    highestRequestId: 5,
    lowestUnacked: 1,
    lastServerRequestId: 1,
  });
  assert.deepEqual(await other.next("clusterInfo"), cluster);
  assert.deepEqual(await other.requestIds(1), [1]);
});

const NOTHING = '{"status":"ok","result":{"value":false,"children":false}}';

const JSON_GET = new TextEncoder().encode('{"action":"GET","key":"n"}');

function frame(hex: string): Uint8Array {
  const bytes = Uint8Array.fromHex(hex);
  const framed = new Uint8Array(4 + bytes.length);
  new DataView(framed.buffer).setUint32(0, bytes.length);
  framed.set(bytes, 4);
  return framed;
}
