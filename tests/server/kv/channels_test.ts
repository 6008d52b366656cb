/**
 * Channels as clients of one port have them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { brief, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

Deno.test("what is published comes to who has subscribed, once and in order, between whole answers", async () => {
  await using stage = serve(HOST);
  using hears = await stage.client();
  using other = await stage.client();
  await hears.ask({ action: "SUBSCRIBE", channels: ["^a^**", "a^b"] });
  await other.ask({ action: "HELLO", client: "me" });
  const publish = Array.from({ length: 1_000 }, (_, i) => ({
    action: "PUBLISH",
    channel: "a^b",
    message: { i, text: "\n" },
  }));
  const [replies, asked] = await Promise.all([
    other.all(publish),
    hears.all(Array.from({ length: 1_000 }, (_, id) => ({ id, action: "ECHO", value: id }))),
  ]);
  const pushes = await hears.pushes(1_000);
  assert.ok(replies.every((reply) => brief(reply) === "1"));
  assert.deepEqual(asked.map(({ id, result }) => [id, result]), asked.map((_, i) => [i, i]));
  assert.deepEqual(
    pushes,
    publish.map(({ message }, i) => ({
      push: "message",
      channel: "a^b",
      message,
      from: "me",
      node: "alpha",
      seq: i + 1,
      pattern: "a^**",
    })),
  );
});

Deno.test("a publisher hears itself, after the answer that says that it has subscribed", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.send(
    '{"action":"SUBSCRIBE","channel":"a"}\n{"action":"PUBLISH","channel":"a","message":1}\n{"action":"PING"}\n',
  );
  const lines = (await client.lines.lines(4)).map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ push, result }) => push ?? result), [["a"], 1, "PONG", "message"]);
  assert.equal(lines[3].from, client.lines.name, "without a name it is the address");
});

Deno.test("what a client publishes behind a change is published when the change is done", async () => {
  await using stage = serve(HOST);
  using hears = await stage.client();
  using other = await stage.client();
  await hears.ask({ action: "SUBSCRIBE", channel: "done" });
  stage.state.hold();
  await other.send(
    '{"action":"SET","key":"k","value":1}\n{"action":"PUBLISH","channel":"done","message":1}\n',
  );
  await until(() => stage.state.waiting === 1);
  await hears.ask({ action: "PING" });
  assert.equal(stage.pubsub.figures.published, 0);
  stage.state.release();
  assert.equal((await hears.pushes(1))[0]?.["message"], 1);
  assert.deepEqual((await other.replies(2)).map(brief), ['"OK" rev 1', "1"]);
});

Deno.test("nobody can say who it is but by HELLO, and nobody speaks for the agent", async () => {
  await using stage = serve(HOST);
  using hears = await stage.client();
  using forger = await stage.client();
  await hears.ask({ action: "SUBSCRIBE", channel: "a" });
  await forger.ask({ action: "HELLO", client: "forger" });
  const forged = { from: "root", node: "beta", seq: 99, pattern: "a^*", push: "change" };
  await forger.ask({ action: "PUBLISH", channel: "a", message: "m", ...forged });
  const tricky = 'm","from":"root"}\n{"push":"message';
  await forger.ask({ action: "PUBLISH", channel: "a", message: tricky });
  const told = { push: "message", channel: "a", from: "forger", node: "alpha" };
  assert.deepEqual(await hears.pushes(2), [
    { ...told, message: "m", seq: 1 },
    { ...told, message: tricky, seq: 2 },
  ]);
  await forger.ask({ action: "HELLO", strict: true });
  const strict = await forger.ask({ action: "PUBLISH", channel: "a", message: "m", from: "root" });
  assert.equal(brief(strict), "422 INVALID (from)");
  for (const channel of ["$sys", "$sys^a", "^$sys^**", ["$sys", "a"]]) {
    for (const action of ["PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE"]) {
      const reply = await forger.ask({
        action,
        channel,
        ...action === "PUBLISH" && { message: 1 },
      });
      assert.equal(brief(reply), "403 RESERVED (channel)");
    }
  }
});

Deno.test("what is wrong with a channel or a message is told, and nothing is done", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const cases: [object, string][] = [
    [{ action: "SUBSCRIBE", channels: ["a", "b^^c"] }, "422 BAD_KEY (channels)"],
    [{ action: "SUBSCRIBE", channels: ["a", "$sys"] }, "403 RESERVED (channels)"],
    [{ action: "SUBSCRIBE", channel: "a^*^b" }, "422 BAD_KEY (channel)"],
    [{ action: "PUBLISH", channel: "a^*", message: 1 }, "422 BAD_KEY (channel)"],
    [{ action: "PUBLISH", channel: "a" }, "422 INVALID (message)"],
    [{ action: "PUBLISH", channel: "a", message: 2 ** 53 }, "422 INVALID (message)"],
    [
      { action: "PUBLISH", channel: "a", message: "x".repeat(256 * 1024 - 1) },
      "413 MESSAGE_TOO_LARGE (message)",
    ],
    [
      { action: "PUBLISH", channel: "a", message: "x".repeat(600 * 1024) },
      "413 MESSAGE_TOO_LARGE (message)",
    ],
    [{ action: "PUBLISH", channel: "a", message: "x".repeat(256 * 1024 - 2) }, "0"],
    [{ action: "HELLO", client: "x".repeat(257) }, "422 INVALID (client)"],
    [{ action: "UNSUBSCRIBE" }, "[]"],
  ];
  for (const [request, answer] of cases) {
    assert.equal(brief(await client.ask(request)), answer, JSON.stringify(request).slice(0, 100));
  }
});

Deno.test("a connection has a thousand subscriptions, and one more is refused", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const channels = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => `c^${from + i}`);
  const ask = (action: string, list: string[]) => client.ask({ action, channels: list });
  await ask("SUBSCRIBE", channels(0, 999));
  assert.equal(brief(await ask("SUBSCRIBE", channels(998, 3))), "429 TOO_MANY_SUBSCRIPTIONS");
  assert.equal((await ask("UNSUBSCRIBE", ["none"]))["result"] instanceof Array, true);
  assert.equal(stage.pubsub.figures.subscriptions, 999);
  const { result } = await ask("SUBSCRIBE", [...channels(998, 2), ...channels(5, 5)]);
  assert.deepEqual(result, channels(0, 1_000));
  assert.equal(brief(await ask("SUBSCRIBE", ["one"])), "429 TOO_MANY_SUBSCRIPTIONS");
  await ask("UNSUBSCRIBE", channels(0, 1));
  assert.equal((await ask("SUBSCRIBE", ["one"]))["status"], "ok");
  await ask("UNSUBSCRIBE", ["one"]);
  stage.pubsub.hasRoom = (count) => count < 1;
  assert.equal((await ask("SUBSCRIBE", channels(5, 5)))["status"], "ok");
  assert.equal(brief(await ask("SUBSCRIBE", ["one"])), "429 TOO_MANY_SUBSCRIPTIONS");
});

Deno.test("a subscriber that is gone is forgotten at once, and the others hear", async () => {
  await using stage = serve(HOST);
  using stays = await stage.client();
  const goes = await stage.client();
  const resets = await stage.client();
  for (const client of [stays, goes, resets]) {
    await client.ask({ action: "SUBSCRIBE", channels: ["a", "b^*"] });
  }
  const figures = async () => {
    const { result } = await stays.ask({ action: "INFO", section: "channels" });
    return (result as { channels: Record<string, number> }).channels;
  };
  assert.equal((await figures())["subscribers"], 3);
  goes[Symbol.dispose]();
  await resets.send('{"action":"QUIT"}\n');
  await until(() => stage.pubsub.figures.subscribers === 1);
  assert.equal((await figures())["subscriptions"], 2);
  assert.equal(brief(await stays.ask({ action: "PUBLISH", channel: "a", message: 1 })), "1");
  assert.equal((await stays.pushes(1)).length, 1);
  resets[Symbol.dispose]();
});
