/**
 * A client of topics with a server that says anything: each call ends, with a result or an error of those that are told of, and
 * what it keeps is bounded.
 *
 * SKEIN_SEED repeats what the server says, SKEIN_FUZZ_MS makes a run longer (3,000 by default).
 *
 * @module
 */

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import {
  ConnectError,
  ConnectionClosedError,
  OutcomeUnknownError,
  TimeoutError,
  TopicClient,
  TopicError,
} from "../../../client/mod.ts";
import { putU32 } from "../../../protocol/bytes.ts";
import { FrameWriter, type Request, writeReply } from "../../../protocol/topics/mod.ts";
import { alone } from "../../support/alone.ts";
import { loopback } from "../../support/loopback.ts";
import { mutated } from "../../support/mutate.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import { RandomFrames } from "../../support/topics/random_frames.ts";
import { serveTopics, type TopicConnectionEnd } from "../../support/topics/scripted_server.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

const HOST = loopback();
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 3_000);
const MAX_GROWTH_MIB = 200;

const EXPECTED = [
  ConnectError,
  ConnectionClosedError,
  OutcomeUnknownError,
  TimeoutError,
  TopicError,
];

test("whatever a server says, each call ends, and a server that makes sense is understood afterwards", async () => {
  const source = new SeededRandom(SEED);
  const random = new RandomFrames(source);
  await using server = serveTopics(HOST);
  server.model.create("t", 2);
  const odd = (request: Request, connection: TopicConnectionEnd): boolean => {
    server.received.length = 0;
    switch (below(source, 6)) {
      case 0:
        return false;
      case 1:
        connection.refuse(request, below(source, 110), "x 127.0.0.1:1".slice(below(source, 13)));
        return true;
      case 2:
        return true;
      case 3:
        server.hangUp();
        return true;
      default:
        connection.sendBytes(reply(random, source, request));
        return true;
    }
  };
  server.script = odd;
  const before = Deno.memoryUsage().rss;
  const end = performance.now() + DURATION_MS;
  const options = { timeoutMs: 100, dialTimeoutMs: 100, retry: { minDelayMs: 1, maxDelayMs: 5 } };
  let calls = 0;
  let failed = 0;
  while (performance.now() < end) {
    const reached = TopicClient.connect({ address: server.address, ...options });
    await using client = await reached.catch((error) => {
      // A machine with much to do.
      assert.ok(error instanceof ConnectError, `seed ${SEED}: ${error.stack}`);
      return undefined;
    });
    if (!client) continue;
    await using producer = client.producer({ idempotent: below(source, 2) === 0, lingerMs: 1 });
    await using consumer = client.consumer("t", { maxWaitMs: 10 });
    const results = await Promise.allSettled([
      ...Array.from({ length: 10 }, (_, i) => producer.send("t", { value: "v", partition: i % 2 })),
      consumer.fetch({ timeoutMs: 50 }),
      consumer.seekToEnd(),
      client.createTopic("t", { partitions: 2, retentionMs: 5 }),
      client.listTopics(),
      client.describeTopic("t"),
      client.metadata(),
      client.offsets("t", 1),
      client.committedOffsets("g"),
    ]);
    for (const result of results) {
      calls++;
      if (result.status === "fulfilled") continue;
      failed++;
      const { reason } = result;
      const isKnown = EXPECTED.some((kind) => reason instanceof kind);
      assert.ok(isKnown, `seed ${SEED}: ${reason.stack}`);
    }
  }
  const growth = (Deno.memoryUsage().rss - before) / 1024 / 1024;
  console.log(
    `topics: seed ${SEED}, ${calls} calls, ${failed} failed, ${growth.toFixed(1)} MiB more`,
  );
  assert.ok(calls > 100 && failed > 10 && failed < calls);
  assert.ok(growth < MAX_GROWTH_MIB, `Memory grew by ${growth} MiB`);
  server.script = () => false;
  await using client = await TopicClient.connect({ address: server.address });
  assert.deepEqual(await client.listTopics(), [{ name: "t", partitions: 2 }]);
});

/** A reply that is about right: of the right kind or another one, as it is, or bent with a checksum that is right. */
function reply(random: RandomFrames, source: SeededRandom, request: Request): Uint8Array {
  const writer = new FrameWriter();
  const isSame = below(source, 4) > 0;
  const { kind, flags } = isSame ? request : { ...random.kind(), flags: 0 };
  writeReply(writer, request.id, kind, 2, random.reply(kind, 2, flags) as never, flags);
  const frame = writer.finish();
  if (below(source, 2) === 0) return frame;
  const inner = mutated(source, frame.subarray(4, -4));
  // Its id stays, so that somebody believes it.
  inner.set(frame.subarray(4, 12).subarray(0, inner.length));
  const bent = new Uint8Array(inner.length + 8);
  bent.set(inner, 4);
  putU32(bent, 0, inner.length + 4);
  putU32(bent, inner.length + 4, crc32(inner));
  return bent;
}
