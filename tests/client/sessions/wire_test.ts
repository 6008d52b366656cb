/**
 * One connection of a session, to a server that reads when it likes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Wire } from "../../../client/sessions/wire.ts";
import {
  type ClientMessage,
  frameSplitter,
  readClientMessage,
  serverFrame,
} from "../../../protocol/sessions/mod.ts";
import { eventually } from "../../support/agents.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

/** Far more than what a connection that nobody reads takes. */
const LARGE = new Uint8Array(15 * 1024 * 1024);

const command = (requestId: number, payload: Uint8Array): ClientMessage => ({
  kind: "clientRequest",
  requestId,
  lowestPending: 1,
  payload,
  createdAt: 0,
});

/** A connection, and its other end. */
async function opened(): Promise<
  { wire: Wire; conn: Deno.Conn; lost: Error[]; heard: string[] }
> {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const address = `${HOST}:${(listener.addr as Deno.NetAddr).port}`;
  const open = Promise.withResolvers<void>();
  const lost: Error[] = [];
  const heard: string[] = [];
  const wire = new Wire(address, { timeoutMs: 5_000, tls: undefined }, {
    opened: open.resolve,
    message: ({ kind }) => void heard.push(kind),
    heard: () => void heard.push("some"),
    lost: (error) => void lost.push(error),
  });
  const conn = await listener.accept();
  listener.close();
  await open.promise;
  return { wire, conn, lost, heard };
}

/** What comes until the connection ends. */
async function read(conn: Deno.Conn): Promise<string[]> {
  const kinds: string[] = [];
  const splitter = frameSplitter((bytes) => {
    const message = readClientMessage(bytes);
    kinds.push("requestId" in message ? `${message.kind} ${message.requestId}` : message.kind);
  });
  for await (const chunk of conn.readable) splitter.push(chunk);
  return kinds;
}

Deno.test("what was sent is written before the connection is closed, acknowledgements together", async () => {
  const { wire, conn, lost } = await opened();
  const reading = read(conn);
  wire.send(command(1, LARGE), false);
  for (let requestId = 1; requestId <= 100; requestId++) {
    wire.send({ kind: "serverRequestAck", requestId }, false);
  }
  wire.send({ kind: "closeSession", reason: 1 }, false);
  await wire.close();
  wire.send({ kind: "connectionClosed" }, false);
  assert.deepEqual(await reading, ["clientRequest 1", "serverRequestAck 100", "closeSession"]);
  assert.deepEqual(lost, [], "it was closed here");
});

Deno.test("a message that comes slowly is heard before it is whole", async () => {
  const { wire, conn, heard } = await opened();
  const frame = serverFrame({ kind: "keepAliveResponse", time: 1 });
  await conn.write(frame.subarray(0, 10));
  await eventually("some of it is heard", () => heard.length > 0);
  await conn.write(frame.subarray(10));
  await eventually("it is heard", () => heard.includes("keepAliveResponse"));
  assert.deepEqual(heard, ["some", "keepAliveResponse"]);
  const closing = wire.close();
  conn.close();
  await closing;
});

Deno.test("nothing is sent again to a server that does not take what was sent before", async () => {
  const { wire, conn } = await opened();
  wire.send(command(1, LARGE), true);
  // The write begins.
  await Promise.resolve();
  await Promise.resolve();
  for (let i = 0; i < 50; i++) wire.send(command(1, LARGE), true);
  wire.send(command(2, new Uint8Array(1)), false);
  const [seen] = await Promise.all([read(conn), wire.close()]);
  assert.deepEqual(seen, ["clientRequest 1", "clientRequest 2"]);
});

Deno.test("a server that reads nothing is left a second after the connection is given up", async () => {
  const { wire, conn } = await opened();
  wire.send(command(1, LARGE), false);
  const start = performance.now();
  await wire.close();
  assert.ok(performance.now() - start < 4_000);
  conn.close();
});

Deno.test("a connection that is given up while it is dialled ends, and is not heard of", async () => {
  const heard: string[] = [];
  const wire = new Wire(`${HOST}:1`, { timeoutMs: 5_000, tls: undefined }, {
    opened: () => void heard.push("opened"),
    message: () => void heard.push("message"),
    heard: () => void heard.push("some"),
    lost: () => void heard.push("lost"),
  });
  await wire.close();
  assert.deepEqual(heard, []);
});
