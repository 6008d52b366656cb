import assert from "node:assert/strict";
import { BroadcastQueue } from "../../../../cluster/memberlist/core/broadcast_queue.ts";
import { seededRandom } from "../../../support/memberlist/fakes.ts";

/** A message of `length` bytes that can be told from others. */
function message(tag: string, length = tag.length): Uint8Array {
  return new TextEncoder().encode(tag.padEnd(length, "."));
}

function texts(messages: Uint8Array[]): string[] {
  return messages.map((bytes) => new TextDecoder().decode(bytes).replaceAll(".", ""));
}

function queueOf(nodeCount: number, retransmitMult = 4): BroadcastQueue {
  return new BroadcastQueue({ retransmitMult, nodeCount: () => nodeCount });
}

Deno.test("a broadcast is sent the multiplier times the magnitude of the cluster", () => {
  const expected = { 0: 1, 1: 4, 9: 4, 10: 8, 99: 8, 100: 12, 999: 12, 1_000: 16 };
  for (const [nodeCount, times] of Object.entries(expected)) {
    const queue = queueOf(Number(nodeCount));
    let finished = 0;
    queue.enqueue({ message: message("a"), onFinished: () => finished++ });
    let sent = 0;
    while (queue.length > 0) {
      assert.equal(finished, 0);
      sent += queue.take(2, 1_000).length;
    }
    assert.equal(sent, times, `${nodeCount} nodes`);
    assert.equal(finished, 1);
  }
});

Deno.test("the size of the cluster counts when a broadcast is taken, not when it is queued", () => {
  let nodeCount = 1;
  const queue = new BroadcastQueue({ retransmitMult: 1, nodeCount: () => nodeCount });
  queue.enqueue({ message: message("a") });
  nodeCount = 500;
  for (let i = 0; i < 3; i++) assert.equal(queue.take(0, 10).length, 1);
  assert.equal(queue.take(0, 10).length, 0);
});

Deno.test("take() hands out the least sent first, of those the longest, of those the newest", () => {
  const queue = queueOf(1);
  queue.enqueue({ message: message("old", 20) });
  assert.deepEqual(texts(queue.take(0, 20)), ["old"]);
  queue.enqueue({ message: message("short", 10) });
  queue.enqueue({ message: message("long1", 30) });
  queue.enqueue({ message: message("long2", 30) });
  assert.deepEqual(texts(queue.take(0, 1_000)), ["long2", "long1", "short", "old"]);
});

Deno.test("take() skips what does not fit and never hands out a message twice", () => {
  const queue = queueOf(1);
  queue.enqueue({ message: message("big", 60) });
  queue.enqueue({ message: message("mid", 40) });
  queue.enqueue({ message: message("small", 8) });
  assert.deepEqual(texts(queue.take(2, 100)), ["big", "small"], "62 + 10 leave 28 bytes");
  assert.deepEqual(texts(queue.take(2, 100)), ["mid", "small"], "less often sent comes first");
  assert.deepEqual(texts(queue.take(2, 100)), ["big", "small"]);
});

Deno.test("take() stays within its limit with the overhead of each message", () => {
  const random = seededRandom(11);
  for (let round = 0; round < 200; round++) {
    const queue = queueOf(20);
    for (let i = 0; i < 30; i++) {
      queue.enqueue({ message: new Uint8Array(1 + Math.floor(random.float() * 200)) });
    }
    const limit = Math.floor(random.float() * 600);
    const taken = queue.take(3, limit);
    const used = taken.reduce((sum, bytes) => sum + bytes.length + 3, 0);
    assert.ok(used <= limit, `${used} of ${limit}`);
    assert.equal(queue.length, 30);
  }
});

Deno.test("a message that is too long for any packet stays queued", () => {
  const queue = queueOf(1);
  queue.enqueue({ message: message("huge", 5_000) });
  assert.deepEqual(queue.take(2, 1_400), []);
  assert.equal(queue.length, 1);
});

Deno.test("a named message replaces the queued one and finishes it", () => {
  const queue = queueOf(1);
  const finished: string[] = [];
  queue.enqueue({ name: "n", message: message("v1"), onFinished: () => finished.push("v1") });
  queue.take(0, 100);
  queue.enqueue({ name: "m", message: message("other") });
  queue.enqueue({ name: "n", message: message("v2"), onFinished: () => finished.push("v2") });
  assert.deepEqual(finished, ["v1"]);
  assert.equal(queue.length, 2);
  assert.deepEqual(texts(queue.take(0, 100)), ["other", "v2"]);
  queue.enqueue({ name: "n", message: message("v3") });
  assert.deepEqual(finished, ["v1", "v2"]);
});

Deno.test("a name is free again once its message is finished", () => {
  const queue = queueOf(0);
  let finished = 0;
  queue.enqueue({ name: "n", message: message("v1"), onFinished: () => finished++ });
  queue.take(0, 100);
  assert.equal(queue.length, 0);
  queue.enqueue({ name: "n", message: message("v2"), onFinished: () => finished++ });
  assert.equal(finished, 1);
  assert.equal(queue.length, 1);
});

Deno.test("messages without a name never replace each other", () => {
  const queue = queueOf(1);
  queue.enqueue({ message: message("same") });
  queue.enqueue({ message: message("same") });
  assert.equal(queue.take(0, 100).length, 2);
});

Deno.test("prune() drops the most sent first, of those the shortest, of those the oldest", () => {
  const queue = queueOf(1);
  const dropped: string[] = [];
  const add = (tag: string, length: number) =>
    queue.enqueue({ message: message(tag, length), onFinished: () => dropped.push(tag) });
  add("sent", 50);
  queue.take(0, 100);
  add("old", 20);
  add("new", 20);
  add("long", 30);
  queue.prune(4);
  assert.deepEqual(dropped, []);
  queue.prune(2);
  assert.deepEqual(dropped, ["sent", "old"]);
  assert.deepEqual(texts(queue.take(0, 100)), ["long", "new"]);
  queue.prune(0);
  assert.equal(queue.length, 0);
});

Deno.test("a callback may queue the next message", () => {
  const queue = queueOf(0);
  queue.enqueue({
    message: message("first"),
    onFinished: () => queue.enqueue({ message: message("second") }),
  });
  assert.deepEqual(texts(queue.take(0, 100)), ["first"]);
  assert.deepEqual(texts(queue.take(0, 100)), ["second"]);
});

Deno.test("defer() lets the others go first and counts one transmission", () => {
  const queue = new BroadcastQueue({ retransmitMult: 2, nodeCount: () => 3 });
  const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
  queue.enqueue({ name: "b", message: b });
  queue.enqueue({ name: "a", message: a });
  queue.defer("a");
  queue.defer("nobody");
  const sent = [1, 2, 3].flatMap(() => queue.take(0, 1));
  assert.deepEqual(sent, [b, a, b]);
  assert.equal(queue.length, 0);
});

Deno.test("a withdrawn message is never sent and counts as finished", () => {
  const queue = queueOf(10);
  let finished = 0;
  queue.enqueue({ name: "a", message: message("a"), onFinished: () => finished++ });
  queue.enqueue({ name: "b", message: message("b") });
  queue.withdraw("a");
  queue.withdraw("nobody");
  assert.equal(finished, 1);
  assert.deepEqual(texts(queue.take(0, 100)), ["b"]);
});
