/**
 * Messages for clients that read slowly, or not at all, and for those who only listen.
 *
 * @module
 */

import assert from "node:assert/strict";
import { serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

Deno.test("a subscriber that does not read loses the oldest messages and is told how many, and others lose none", async () => {
  await using stage = serve(HOST);
  using slow = await stage.client();
  using fast = await stage.client();
  for (const client of [slow, fast]) await client.ask({ action: "SUBSCRIBE", channel: "a" });
  using publisher = await stage.client();
  const text = "x".repeat(10_000);
  const most = 4_000;
  const all = fast.pushes(most);
  for (let i = 0; i < most; i += 100) {
    await publisher.all(
      Array.from({ length: 100 }, (_, k) => ({
        action: "PUBLISH",
        channel: "a",
        message: [i + k, text],
      })),
    );
  }
  const numbers = (await all).map(({ message }) => (message as [number])[0]);
  assert.deepEqual(numbers, Array.from({ length: most }, (_, i) => i));
  let [next, dropped, pongs] = [0, 0, 0];
  await slow.send('{"action":"PING"}\n');
  while (next < most || pongs === 0) {
    const line = JSON.parse((await slow.lines.lines(1))[0] as string);
    if (line.push === "dropped") {
      assert.ok(line.count > 0);
      dropped += line.count;
      next += line.count;
    } else if (line.push === "message") assert.equal(line.message[0], next++);
    else pongs++;
  }
  assert.ok(dropped > 2_000, `${dropped} were dropped, 8 MiB of 40 wait`);
  assert.equal(pongs, 1);
});

Deno.test("a client that only listens is asked for a line, stays when it answers, and goes when it does not", async () => {
  await using stage = serve(HOST, { idleLimitMs: 150, pingMs: 400 });
  using answers = await stage.client();
  using silent = await stage.client();
  using idle = await stage.client();
  for (const client of [answers, silent]) {
    await client.ask({ action: "SUBSCRIBE", channel: "a" });
  }
  const closing = { push: "closing", code: 408, reason: "IDLE_TIMEOUT" };
  assert.deepEqual(await idle.rest(), [closing]);
  const begin = performance.now();
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await answers.pushes(1), [{ push: "ping" }]);
    await answers.ask({ action: "PING" });
  }
  assert.ok(performance.now() - begin > 600, "it was asked too often");
  assert.deepEqual(await silent.rest(), [{ push: "ping" }, closing]);
  await until(() => stage.pubsub.figures.subscribers === 1);
});
