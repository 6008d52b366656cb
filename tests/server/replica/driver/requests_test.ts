/**
 * What clients may have under way at another server.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Request, RequestQueue, Shares } from "../../../../server/replica/driver/requests.ts";

const LIMIT = { count: 10_000, bytes: 1_000_000 };

/** A client whose questions wait in a queue, and what it is told. */
class Client {
  hasRoom = true;
  told = 0;
  readonly asker = { client: this, hasRoom: () => this.hasRoom };

  ask(queue: RequestQueue, count: number): void {
    for (let i = 0; i < count; i++) {
      const done = (): void => void this.told++;
      const bytes = Uint8Array.of(i);
      const { asker } = this;
      const request = {
        kind: "question",
        bytes,
        lease: false,
        deadline: 1,
        staysHere: false,
      } as const;
      assert.ok(queue.add({ ...request, asker, done }));
    }
  }
}

/** How many of some requests are of a client. */
function of(client: Client, requests: readonly Request[]): number {
  return requests.filter(({ asker }) => asker === client.asker).length;
}

function answer(bytes: number) {
  return { ok: true, rev: 1, body: new Uint8Array(bytes) } as const;
}

Deno.test("a client that has no room is told so and asks nobody, and the others behind it do", () => {
  const queue = new RequestQueue(LIMIT);
  const [full, other] = [new Client(), new Client()];
  full.ask(queue, 1_000);
  other.ask(queue, 2);
  full.hasRoom = false;
  const taken = new Shares().take(queue, 512, 1_000);
  assert.deepEqual([of(full, taken), of(other, taken)], [0, 2]);
  assert.deepEqual([full.told, other.told, queue.length], [1_000, 0, 0]);
});

Deno.test("a client whose answers are large has few questions under way, and all again when they are not any more", () => {
  const queue = new RequestQueue(LIMIT);
  const shares = new Shares();
  const [large, other] = [new Client(), new Client()];
  large.ask(queue, 1_000);
  other.ask(queue, 2);
  assert.equal(of(large, shares.take(queue, 100, 1_000)), 100, "nothing is known of it");
  shares.note(large, answer(500_000));
  shares.note(other, answer(10));
  const next = shares.take(queue, 100, 1_000);
  assert.deepEqual([of(large, next), of(other, next)], [1, 2]);
  assert.deepEqual([queue.length, large.told], [899, 0], "the others wait for their turn");
  shares.note(large, answer(10));
  assert.equal(shares.take(queue, 100, 1_000).length, 1, "one was small among large ones");
  for (let i = 0; i < 16; i++) shares.note(large, answer(10));
  assert.equal(shares.take(queue, 100, 1_000).length, 100);
});

Deno.test("what is under way counts until it is not any more, whatever the number of messages", () => {
  const queue = new RequestQueue(LIMIT);
  const shares = new Shares();
  const client = new Client();
  client.ask(queue, 10);
  shares.note(client, answer(100_000));
  const underWay = new Map<object, number>();
  assert.equal(shares.take(queue, 8, Infinity, underWay).length, 2);
  assert.equal(shares.take(queue, 8, Infinity, underWay).length, 0);
  underWay.delete(client);
  assert.equal(shares.take(queue, 8, Infinity, underWay).length, 2);
  assert.equal(queue.length, 6);
});

Deno.test("questions that nobody in particular asks go as they come, within the bounds of a message", () => {
  const queue = new RequestQueue({ count: 10, bytes: 100 });
  const request = { kind: "question", lease: false, deadline: 1, staysHere: false } as const;
  for (let i = 0; i < 6; i++) queue.add({ ...request, bytes: new Uint8Array(10), done() {} });
  const shares = new Shares();
  assert.equal(shares.take(queue, 2, Infinity).length, 2);
  assert.equal(shares.take(queue, 10, 15).length, 2);
  assert.equal(shares.take(queue, 10, 100).length, 2);
  assert.equal(
    queue.add({ ...request, bytes: new Uint8Array(100), done() {} }),
    true,
    "all is given back",
  );
});
