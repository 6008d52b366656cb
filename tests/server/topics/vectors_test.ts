/**
 * The golden frames, in order, to a server that has nothing yet.
 *
 * @module
 */

import assert from "node:assert/strict";
import { loopback } from "../../support/loopback.ts";
import { rawFrame, SECOND_ONLY } from "../../support/topics/frames.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();

/** Request and reply; what depends on the time is `.` in the reply. */
const VECTORS: readonly (readonly [what: string, request: string, reply: string])[] = [
  [
    "HealthCheck",
    "00000010000000000000000107010000daa0bd51",
    "00000022000000000000000100000000000007" + "6865616c746879" + "................" + "........",
  ],
  [
    "CreateTopic",
    "0000001b0000000000000002040100000000000174000000010001403b2b35",
    "000000150000000000000002000000000000017401f08cc7d3",
  ],
  [
    "Produce",
    "0000004500000000000000030101000100000001740000000000000001000000000000000018fae27693b40000" +
    "000000016b00000001760000000100000001680000000178febe1f18",
    "0000002300000000000000030000000000000000000000000000010000000000000001516b214d",
  ],
  [
    "Fetch",
    "00000025000000000000000402010000000000017400000000000000000000000000000400dd297570",
    "000000430000000000000004000000000000000000000100000001000000000000000018fae27693b400000000" +
    "00016b00000001760000000100000001680000000178acd79ba4",
  ],
  [
    "GetOffset",
    "0000001900000000000000050301000000000001740000000024c61eed",
    "000000300000000000000005000000000000017400000000000000000000000000000000000000010000000000" +
    "000001406c2d29",
  ],
  [
    "ListTopics",
    "00000010000000000000000606010000d03c0624",
    "0000001c0000000000000006000000000000010000000174000000015b3eb32a",
  ],
  [
    "DeleteTopic",
    "000000150000000000000007050100000000000174e37d2b71",
    "00000015000000000000000700000000000001740116a50c97",
  ],
];

Deno.test("every golden request gets the golden reply", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  for (const [what, request, reply] of VECTORS) {
    await client.send(request);
    const got = await client.raw(reply.length / 2);
    assert.match(got, new RegExp(`^${reply}$`), what);
  }
});

Deno.test("every byte of a request may come alone, and all of them together", async () => {
  await using stage = serveTopics(HOST);
  using slow = await stage.client();
  const [, request, reply] = VECTORS[1] as (typeof VECTORS)[number];
  for (const byte of Uint8Array.fromHex(request)) await slow.send(Uint8Array.of(byte));
  assert.equal(await slow.raw(reply.length / 2), reply);

  using fast = await stage.client();
  const health = Uint8Array.fromHex(VECTORS[0]?.[1] ?? "");
  const all = new Uint8Array(1_000 * health.length);
  for (let i = 0; i < 1_000; i++) all.set(health, i * health.length);
  await fast.send(all);
  for (let i = 0; i < 1_000; i++) assert.equal((await fast.reply()).id, 1);
});

Deno.test("an unknown type and a wrong version are answered, and the connection goes on", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.send("0000001000000000000000097f010000445b7ee3");
  const unknown = await client.reply();
  assert.deepEqual([unknown.id, unknown.code], [9, 1]);
  await client.send("00000010000000000000000a07090000a363ddf8");
  const version = await client.reply();
  assert.deepEqual([version.id, version.code], [10, 11]);
  await client.done("healthCheck", {});
});

Deno.test("nothing that is not built is answered with success", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const types = [0x0f, 0x10, 0x11, 0x12, 0x48, 0xff];
  for (const version of [1, 2]) {
    using other = await stage.client();
    for (const type of types) {
      await other.send(rawFrame(7, type, version, []));
      assert.equal((await other.reply()).code, 1, `type ${type}`);
    }
  }
  // The first version knows nothing of what is not StreamBus's.
  for (const type of SECOND_ONLY) {
    await client.send(rawFrame(7, type, 1, []));
    assert.equal((await client.reply()).code, 1, `type ${type}`);
  }
});
