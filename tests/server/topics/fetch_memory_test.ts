/**
 * What fetches take of memory, and where they put what they read.
 *
 * @module
 */

import assert from "node:assert/strict";
import { loopback } from "../../support/loopback.ts";
import { fetching, producing } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();
const KIB = 1024;

Deno.test("a message of more than a fetch has room for comes, and nothing behind it is read", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("produce", producing("t", ["x".repeat(200 * KIB)]));
  await client.done("produce", producing("t", ["b"]));
  for (const maxBytes of [0, 1, 100 * KIB]) {
    const { messages, highWaterMark } = await client.done("fetch", fetching("t", 0, { maxBytes }));
    assert.deepEqual([messages.count, highWaterMark], [1, 2]);
    assert.ok(messages.bytes.length > 200 * KIB);
  }
});
