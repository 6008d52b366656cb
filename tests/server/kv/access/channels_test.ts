/**
 * Who may publish and subscribe, and by whom a message is.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readEntries } from "../../../../server/kv/access/entries.ts";
import { accessOf, tokensText } from "../../../support/kv/access.ts";
import { brief, type KvPeer, serve } from "../../../support/kv/stage.ts";
import { loopback } from "../../../support/loopback.ts";

const HOST = loopback();

async function letIn(client: KvPeer, name: string): Promise<KvPeer> {
  assert.equal(brief(await client.ask({ action: "AUTH", token: `${name}-token` })), '"OK"');
  return client;
}

Deno.test("publishing and subscribing are rights of their own, as are patterns", async () => {
  const access = await accessOf([
    { name: "pub", publish: ["news"] },
    { name: "sub", subscribe: ["news", "a^b"] },
    { name: "wild", subscribe: ["news"], patterns: true },
    { name: "keys", read: ["^"], write: ["^"] },
  ]);
  await using stage = serve(HOST, { access });
  const rows: [name: string, request: object, answer: string][] = [
    ["pub", { action: "PUBLISH", channel: "news^x", message: 1 }, "0"],
    ["pub", { action: "PUBLISH", channel: "newspaper", message: 1 }, "403 FORBIDDEN"],
    ["pub", { action: "PUBLISH", channel: "$sys^x", message: 1 }, "403 RESERVED (channel)"],
    ["pub", { action: "SUBSCRIBE", channel: "news" }, "403 FORBIDDEN"],
    ["sub", { action: "PUBLISH", channel: "news", message: 1 }, "403 FORBIDDEN"],
    ["sub", { action: "SUBSCRIBE", channels: ["news", "a"] }, "403 FORBIDDEN"],
    ["sub", { action: "SUBSCRIBE", channel: "news^*" }, "403 FORBIDDEN"],
    ["sub", { action: "SUBSCRIBE", channels: ["news", "a^b^c"] }, '["news","a^b^c"]'],
    ["sub", { action: "UNSUBSCRIBE" }, "[]"],
    ["wild", { action: "SUBSCRIBE", channel: "news^**" }, '["news^**"]'],
    ["wild", { action: "SUBSCRIBE", channel: "**" }, "403 FORBIDDEN"],
    ["wild", { action: "SUBSCRIBE", channel: "$sys^**" }, "403 RESERVED (channel)"],
    ["keys", { action: "SUBSCRIBE", channel: "news" }, "403 FORBIDDEN"],
    ["keys", { action: "PUBLISH", channel: "news", message: 1 }, "403 FORBIDDEN"],
  ];
  for (const [name, request, answer] of rows) {
    using client = await letIn(await stage.client(), name);
    assert.equal(brief(await client.ask(request)), answer, `${name} ${JSON.stringify(request)}`);
  }
});

Deno.test("a message is from the entry of who published it, whatever that calls itself", async () => {
  const access = await accessOf([
    { name: "pub", publish: ["^"] },
    { name: "sub", subscribe: ["^"] },
  ]);
  await using stage = serve(HOST, { access });
  using sub = await letIn(await stage.client(), "sub");
  await sub.ask({ action: "SUBSCRIBE", channel: "news" });
  using pub = await stage.client();
  await pub.ask({ action: "HELLO", client: "root" });
  await letIn(pub, "pub");
  await pub.ask({ action: "HELLO", client: "root" });
  await pub.ask({ action: "PUBLISH", channel: "news", message: 1 });
  const [message] = await sub.pushes(1);
  assert.deepEqual([message?.["push"], message?.["from"]], ["message", "pub"]);
});

Deno.test("who is not let in any more hears nothing more, of channels and of keys", async () => {
  const pubEntry = { name: "pub", publish: ["^"], write: ["^"] };
  const access = await accessOf([{ name: "sub", subscribe: ["^"], read: ["^"] }, pubEntry]);
  await using stage = serve(HOST, { access });
  using sub = await letIn(await stage.client(), "sub");
  using pub = await letIn(await stage.client(), "pub");
  await sub.ask({ action: "SUBSCRIBE", channel: "news" });
  assert.equal((await sub.ask({ action: "WATCH", key: "k" })).status, "ok");
  access.replace(readEntries(await tokensText([pubEntry])));
  stage.port.recheck();
  assert.equal(brief(await pub.ask({ action: "PUBLISH", channel: "news", message: 1 })), "0");
  assert.equal(brief(await pub.ask({ action: "SET", key: "k", value: 1 })), '"OK" rev 1');
  assert.deepEqual(await sub.rest(), [{ push: "closing", code: 401, reason: "AUTH_REQUIRED" }]);
});
