/**
 * Accepting connections goes on after a failure, with pauses, until the end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Listener } from "../../../server/net/listener.ts";

/** A socket whose accepts a test answers. */
function fakeSocket() {
  const accepts: PromiseWithResolvers<Deno.Conn>[] = [];
  let closed = false;
  const socket = {
    addr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    accept: () => {
      accepts.push(Promise.withResolvers());
      return accepts.at(-1)?.promise;
    },
    close: () => {
      closed = true;
      accepts.at(-1)?.reject(new Deno.errors.BadResource("Listener has been closed"));
    },
  };
  return { socket: socket as unknown as Deno.Listener<Deno.Conn>, accepts, isClosed: () => closed };
}

function fakeConn() {
  const conn = { closed: false, close: () => void (conn.closed = true) };
  return conn as unknown as Deno.Conn & { readonly closed: boolean };
}

Deno.test("a failed accept is told, and the next one comes after a pause", async () => {
  const { socket, accepts } = fakeSocket();
  const listener = new Listener(socket);
  const failures: unknown[] = [];
  const taken = Promise.withResolvers<Deno.Conn>();
  const conn = fakeConn();
  const started = performance.now();
  listener.start(taken.resolve, (cause) => failures.push(cause));
  const cause = new Error("Too many open files");
  for (let i = 0; i < 4; i++) {
    accepts[i]?.reject(cause);
    while (accepts.length === i + 1) await new Promise((resolve) => setTimeout(resolve));
  }
  assert.ok(performance.now() - started >= 5 + 10 + 20 + 40 - 4, "each pause is twice the last");
  assert.deepEqual(failures, [cause, cause, cause, cause]);
  accepts[4]?.resolve(conn);
  assert.equal(await taken.promise, conn);
  await listener.close();
});

Deno.test("close() ends a pause and an accept, is no failure, and lets nobody in who comes late", async () => {
  const failures: unknown[] = [];
  const taken: Deno.Conn[] = [];
  for (const end of ["in an accept", "in a pause", "with a late one"]) {
    const { socket, accepts, isClosed } = fakeSocket();
    const listener = new Listener(socket);
    failures.length = 0;
    listener.start((conn) => taken.push(conn), (cause) => failures.push(cause));
    if (end === "in a pause") {
      accepts[0]?.reject(new Error("No"));
      while (failures.length === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    const late = fakeConn();
    if (end === "with a late one") accepts[0]?.resolve(late);
    const closing = listener.close();
    assert.equal(listener.close(), closing);
    await closing;
    assert.ok(isClosed());
    assert.equal(failures.length, end === "in a pause" ? 1 : 0, end);
    assert.equal(late.closed, end === "with a late one");
  }
  assert.deepEqual(taken, []);
});
