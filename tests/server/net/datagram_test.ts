import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { takeDatagram } from "../../../server/net/wire/datagram.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

Deno.test("takeDatagram() frees the buffer of a datagram at once, and leaves one that others may use as it is", () => {
  const own = Buffer.from(new ArrayBuffer(65_536), 0, 3);
  own.set([1, 2, 3]);
  const { buffer } = own;
  const taken = takeDatagram(own);
  assert.deepEqual([...taken], [1, 2, 3]);
  assert.equal(taken.buffer.byteLength, 3);
  assert.equal(buffer.byteLength, 0);

  for (const shared of [new Uint8Array(8).subarray(0, 3), new Uint8Array(65_536).subarray(8, 11)]) {
    shared.set([4, 5, 6]);
    const copy = takeDatagram(shared);
    assert.deepEqual([...copy], [4, 5, 6]);
    assert.equal(copy.buffer.byteLength, 3);
    shared.fill(0);
    assert.deepEqual([...copy], [4, 5, 6]);
  }
});

Deno.test("each datagram of this runtime comes in a buffer that takeDatagram() frees, and the next one comes as well", async () => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind({ address: HOST, port: 0 }, resolve));
  try {
    for (const text of ["first", "second", "", "third"]) {
      const { promise, resolve } = Promise.withResolvers<Uint8Array>();
      socket.once("message", resolve);
      socket.send(text, socket.address().port, HOST);
      const received = await promise;
      const { buffer } = received;
      assert.equal(new TextDecoder().decode(takeDatagram(received)), text);
      assert.equal(buffer.byteLength, 0);
    }
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
});
