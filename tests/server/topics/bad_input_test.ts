/**
 * Frames that are none, and requests that break a rule: answered or not, nothing else suffers.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Failure } from "../../../cluster/machine/mod.ts";
import {
  NO_LEADER,
  OUTCOME_UNKNOWN,
  OVERLOADED,
  SHUTTING_DOWN,
  STORAGE_FULL,
} from "../../../server/replica/service.ts";
import { eventually } from "../../support/agents.ts";
import { alone } from "../../support/alone.ts";
import { loopback } from "../../support/loopback.ts";
import { rawFrame, sealed, str, u32 } from "../../support/topics/frames.ts";
import { encodeMessages, messageOf } from "../../support/topics/messages.ts";
import { answerOf, frameOf, isRefused, producing } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

const HOST = loopback();
const MiB = 1024 * 1024;

/** How much the process has taken while something was done, in MiB. */
async function grown(work: () => Promise<void>): Promise<number> {
  const before = Deno.memoryUsage().rss;
  await work();
  return (Deno.memoryUsage().rss - before) / MiB;
}

Deno.test("a wrong checksum is answered with its code and the id, and ends that connection alone", async () => {
  await using stage = serveTopics(HOST);
  using other = await stage.client();
  for (let bit = 0; bit < 8; bit++) {
    using client = await stage.client();
    const frame = frameOf(4_711, "createTopic", {
      topic: "t",
      partitions: 1,
      replicationFactor: 1,
    });
    const at = 12 + bit;
    frame[at] = (frame[at] as number) ^ 1 << bit;
    await client.send(frame);
    const replies = await client.end();
    assert.deepEqual(replies.map(({ id, code }) => [id, code]), [[4_711, 10]], `byte ${at}`);
  }
  await other.done("healthCheck", {});
  assert.equal(stage.topics.commands, 0);
});

test("frames that are too short or too long end their connection without a word, and take no memory", async () => {
  await using stage = serveTopics(HOST);
  const lengths = [...Array(16).keys(), 10 * MiB + 1, 0x7fffffff, 0xffffffff];
  const took = await grown(async () => {
    for (const length of lengths) {
      using client = await stage.client();
      await client.send(Uint8Array.from([...u32(length), ...Array(12).fill(0)]));
      assert.deepEqual(await client.end(), [], `length ${length}`);
    }
  });
  assert.ok(took < 64, `${took} MiB`);
  using client = await stage.client();
  await client.done("healthCheck", {});
});

Deno.test("a frame of almost the longest length is taken", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const big = "x".repeat(3 * MiB);
  const count = 3;
  const bytes = encodeMessages(Array(count).fill(messageOf(big)));
  await client.done("produce", producing("t", [], { messages: { count, bytes } }));
});

test("counts and lengths beyond the frame are refused, and take no memory", async () => {
  await using stage = serveTopics(HOST);
  const huge = u32(0xffffffff);
  const produce = [...str("t"), ...u32(0)];
  const v2 = [0xff, 0xff, ...u32(0), ...Array(14).fill(0), 0];
  const payloads: readonly (readonly [type: number, version: number, payload: number[]])[] = [
    [1, 1, huge],
    [1, 1, [...produce, ...huge]],
    [1, 1, [...produce, ...u32(1), ...Array(28).fill(0xff)]],
    [1, 2, [...produce, ...v2, ...huge]],
    [1, 2, [...produce, ...v2, ...u32(1), ...Array(16).fill(0), ...u32(0x7fffffff)]],
    [2, 1, [...str("t"), ...u32(0)]],
    [4, 1, [...str("t"), ...u32(1), 0, 0, 9]],
    [12, 2, [...str("g"), ...u32(0), ...str(""), ...huge]],
    [13, 2, [...str("g"), ...huge]],
    [0x41, 2, huge],
  ];
  const took = await grown(async () => {
    for (const [type, version, payload] of payloads) {
      using client = await stage.client();
      for (let i = 0; i < 10; i++) {
        await client.send(rawFrame(i, type, version, payload));
        const reply = await client.reply();
        assert.deepEqual([reply.id, reply.code], [i, 2], `type ${type}: ${payload}`);
      }
    }
  });
  assert.ok(took < 64, `${took} MiB`);
});

Deno.test("a produce without messages or with a message that is too long is refused", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.send(rawFrame(1, 1, 1, [...str("t"), ...u32(0), ...u32(0)]));
  assert.equal((await client.reply()).code, 2);
  const long = messageOf("x".repeat(4 * MiB - 27));
  assert.equal(await client.refused("produce", producing("t", [long])), 12);
  const longest = messageOf("x".repeat(4 * MiB - 28));
  await client.done("produce", producing("t", [longest]));
  assert.equal(stage.topics.commands, 1);
});

Deno.test("messages that are not as many as said, or have a null in the first version, are refused", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const bytes = encodeMessages([messageOf("a")]);
  const nulls = encodeMessages([messageOf("a", { key: null })]);
  assert.equal(
    await client.refused("produce", producing("t", [], { messages: { count: 1, bytes: nulls } }), {
      version: 1,
    }),
    2,
  );
  const longer = Uint8Array.of(...bytes, 0);
  assert.equal(
    await client.refused("produce", producing("t", [], { messages: { count: 1, bytes: longer } })),
    2,
  );
  await client.done("produce", producing("t", [], { messages: { count: 1, bytes: nulls } }));
});

Deno.test("the flag of compression is refused where nothing is compressed, other flags are passed over", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const frame = frameOf(7, "healthCheck", {});
  frame[15] = 2;
  await client.send(sealed(frame as Uint8Array<ArrayBuffer>));
  assert.equal((await client.reply(7)).code, 2);
  for (const flags of [1, 4, 16, 0x7ff5 & ~2]) await client.done("healthCheck", {}, { flags });
});

Deno.test("sixteen requests that are none end the connection, with an answer for each", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const wrong = rawFrame(5, 0x7f, 1, []);
  for (let i = 0; i < 15; i++) {
    await client.send(wrong);
    assert.equal((await client.reply()).code, 1);
  }
  await client.done("healthCheck", {});
  await client.send(wrong);
  assert.deepEqual((await client.end()).map(({ code }) => code), [1]);
  // What is right and cannot be done is no mistake.
  using other = await stage.client();
  for (let i = 0; i < 40; i++) {
    assert.equal(await other.refused("deleteTopic", { topic: "t" }), 8);
  }
});

Deno.test("what a server cannot do has a code of its own", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 1, replicationFactor: 1 });
  stage.topics.others = [{ id: "beta", host: "10.0.0.2", port: 9, role: 1 }];
  const codeOf = async (instead: Failure) => {
    stage.topics.instead = instead;
    const answer = await client.ask("produce", producing("t", ["a"]));
    assert.ok(isRefused(answer));
    return [answer.code, answer.message];
  };
  assert.equal((await codeOf(STORAGE_FULL))[0], 105);
  assert.equal((await codeOf(OUTCOME_UNKNOWN))[0], 6);
  assert.equal((await codeOf(OVERLOADED))[0], 101);
  assert.equal((await codeOf(SHUTTING_DOWN))[0], 101);
  const tooLarge = { ok: false, code: 413, reason: "VALUE_TOO_LARGE" } as const;
  assert.equal((await codeOf(tooLarge))[0], 12);
  // Who leads, and cannot, knows nobody else.
  assert.deepEqual(await codeOf(NO_LEADER), [100, ""]);
  stage.topics.leader = "beta";
  assert.deepEqual(await codeOf(NO_LEADER), [100, "beta 10.0.0.2:9"]);
  stage.topics.others = [{ id: "beta", host: "", port: 0, role: 1 }];
  assert.deepEqual(await codeOf(NO_LEADER), [100, ""]);
  stage.topics.leader = undefined;
  assert.deepEqual(await codeOf(NO_LEADER), [100, ""]);
});

Deno.test("a fault of the program is answered, logged, and ends nothing", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("produce", producing("t", ["a"]));
  stage.topics.beforeRead = () => Promise.reject(new Error("broken"));
  const id = await client.post("fetch", {
    topic: "t",
    partition: 0,
    offset: 0,
    maxBytes: 9,
    minBytes: 0,
    maxWaitMs: 0,
    codec: 0,
  });
  const answer = answerOf(await client.reply(id), "fetch");
  assert.ok(isRefused(answer) && answer.code === 7, JSON.stringify(answer));
  await eventually("the incident is logged", () => {
    return stage.log.lines("ERR").some((line) => line.includes("broken"));
  });
  await client.done("healthCheck", {});
});

Deno.test("a bent golden frame gets an answer or none, and the server goes on", async () => {
  await using stage = serveTopics(HOST);
  const golden = frameOf(3, "produce", producing("t", ["v"]), { version: 1 });
  for (let at = 12; at < golden.length - 4; at++) {
    using client = await stage.client();
    const bent = sealed(golden.with(at, 0xff) as Uint8Array<ArrayBuffer>);
    await client.send(bent);
    await client.done("healthCheck", {});
  }
});
