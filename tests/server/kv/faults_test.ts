/**
 * Whose fault it is: what clients do wrong, and what the program does.
 *
 * @module
 */

import assert from "node:assert/strict";
import { brief, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

Deno.test("each kind of a client's mistake is logged once, without a stack or what was sent", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const secret = "swordfish";
  for (let round = 0; round < 10; round++) {
    await client.ask(secret);
    await client.ask(`["${secret}"]`);
    await client.ask({ action: secret });
    await client.ask({ action: "SET", key: secret });
    await client.ask({ action: "SET", key: `${secret}^`, value: 1 });
    await client.ask({ action: "HELLO", version: 9 });
    await client.ask({ action: "GET", key: "none" });
    await client.ask({ action: "SET", key: secret, value: secret, xx: true });
  }
  const lines = stage.log.lines("WARN").map((line) => line.replace(/^.*127\.\S+: /, ""));
  assert.deepEqual(lines, [
    "400 BAD_JSON",
    "400 NOT_OBJECT",
    "405 UNKNOWN_ACTION",
    "422 INVALID ('value')",
    "422 BAD_KEY ('key')",
    "426 UNSUPPORTED_VERSION ('version')",
  ]);
  assert.ok(!stage.log.lines("TRACE").join().includes(secret));
});

Deno.test("a fault of the program is an answer with a number that the log knows, and service goes on", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  stage.state.fault = new TypeError("planted");
  const replies = await client.all([
    { id: 1, action: "SET", key: "k", value: 1 },
    { id: 2, action: "GET", key: "k" },
    { id: 3, action: "PING" },
  ]);
  assert.deepEqual(replies.map(brief), ["500 INTERNAL", "500 INTERNAL", '"PONG"']);
  const log = stage.log.lines("ERR").join("\n");
  for (const { id, incident } of replies.slice(0, 2)) {
    assert.ok(typeof id === "number" && typeof incident === "string");
    assert.ok(log.includes(`Incident ${incident}: TypeError: planted\n    at `), log);
  }
  stage.state.fault = undefined;
  assert.equal(brief(await client.ask({ action: "SET", key: "k", value: 1 })), '"OK" rev 1');
  assert.deepEqual(stage.unexpected, []);
});
