/**
 * Lines, good and bad, on the key-value port.
 *
 * @module
 */

import assert from "node:assert/strict";
import { brief, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

/** Lines that are no request, and what each is answered with. */
const BAD: readonly [line: string | Uint8Array, answer: string][] = [
  ["hello", "400 BAD_JSON"],
  ["{", "400 BAD_JSON"],
  ['{"action":"PING"', "400 BAD_JSON"],
  ['{"action":"PING"}}', "400 BAD_JSON"],
  ["{'action':'PING'}", "400 BAD_JSON"],
  ['{"action":"PING",}', "400 BAD_JSON"],
  ['{"action":"PI\u0000NG"}', "400 BAD_JSON"],
  ["\u0000", "400 BAD_JSON"],
  [" ", "400 BAD_JSON"],
  ['\ufeff{"action":"PING"}', "400 BAD_JSON"],
  ['{"action":"PING","value":01}', "400 BAD_JSON"],
  ['{"action":"PING","value":NaN}', "400 BAD_JSON"],
  ["[]", "400 NOT_OBJECT"],
  ['[{"action":"PING"}]', "400 NOT_OBJECT"],
  ["null", "400 NOT_OBJECT"],
  ["7", "400 NOT_OBJECT"],
  ['"PING"', "400 NOT_OBJECT"],
  [Uint8Array.of(0x22, 0xff, 0x22), "400 BAD_UTF8"],
  [Uint8Array.of(0xc0, 0x80), "400 BAD_UTF8"],
  [Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), "400 BAD_UTF8"],
  ["[".repeat(100_000), "400 TOO_DEEP"],
  [`{"action":"ECHO","value":${"[".repeat(64)}${"]".repeat(64)}}`, "400 TOO_DEEP"],
  ['{"a":'.repeat(65) + "1" + "}".repeat(65), "400 TOO_DEEP"],
  ["{}", "422 INVALID (action)"],
  ['{"action":7}', "422 INVALID (action)"],
  ['{"action":null}', "422 INVALID (action)"],
  ['{"action":""}', "405 UNKNOWN_ACTION"],
  ['{"action":"FLY"}', "405 UNKNOWN_ACTION"],
  ['{"action":"constructor"}', "405 UNKNOWN_ACTION"],
  ['{"action":"__proto__"}', "405 UNKNOWN_ACTION"],
  ['{"action":"pıng"}', "405 UNKNOWN_ACTION"],
  [`{"action":"${"x".repeat(100_000)}"}`, "405 UNKNOWN_ACTION"],
  ['{"__proto__":{"action":"PING"}}', "422 INVALID (action)"],
  ['{"id":{},"action":"PING"}', "422 INVALID (id)"],
  ['{"id":1.5,"action":"PING"}', "422 INVALID (id)"],
  ['{"id":9007199254740993,"action":"PING"}', "422 INVALID (id)"],
  [`{"id":"${"x".repeat(65)}","action":"PING"}`, "422 INVALID (id)"],
  ['{"id":null,"action":"PING"}', "422 INVALID (id)"],
  ['{"action":"ECHO"}', "422 INVALID (value)"],
  ['{"action":"ECHO","value":1e999}', "422 INVALID (value)"],
  ['{"action":"PING","value":[12345678901234567890]}', "422 INVALID (value)"],
];

/** Lines that look bad and are good, and the result of each. */
const GOOD: readonly [line: string, result: unknown][] = [
  [' {"action" : "PING"}\t', "PONG"],
  ['{"action":"ping"}', "PONG"],
  ['{"action":"FLY","action":"PiNg"}', "PONG"],
  ['{"action":"PING","constructor":1,"toString":2,"ttl":3}', "PONG"],
  ['{"action":"ECHO","value":"\\ud800"}', "\ud800"],
  ['{"action":"ECHO","value":{"a":1,"a":2}}', { a: 2 }],
  ['{"action":"ECHO","value":-0.0}', 0],
  ['{"action":"ECHO","value":"[[[[[["}', "[[[[[["],
  [
    `{"action":"ECHO","value":"${"[".repeat(100)}\\"${"{".repeat(100)}"}`,
    "[".repeat(100) + '"' + "{".repeat(100),
  ],
];

Deno.test("each bad line gets one answer that says what is wrong, and the connection lives", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  for (const [line, answer] of BAD) {
    await client.send(line);
    await client.send('\n{"id":"after","action":"PING"}\n');
    const [bad, after] = await client.replies(2);
    assert.equal(brief(bad ?? {}), answer, String(line).slice(0, 80));
    assert.equal(after?.["id"], "after");
  }
  assert.deepEqual(stage.unexpected, []);
});

Deno.test("odd but good lines are understood", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  for (const [line, result] of GOOD) {
    const reply = await client.ask(line);
    assert.equal(reply["status"], "ok", line);
    assert.deepEqual(reply["result"], result, line);
  }
  const echoed = await client.ask('{"action":"ECHO","value":{"__proto__":{"x":1}}}');
  assert.deepEqual(Object.entries(echoed["result"] as object), [["__proto__", { x: 1 }]]);
});

Deno.test("a thousand bad lines do not spoil the good one after them", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const lines = Array.from({ length: 1_000 }, (_, i) => BAD[i % BAD.length]?.[0])
    .filter((line) => typeof line === "string" && line.length < 1_000);
  await client.send(`${lines.join("\n")}\n{"id":1,"action":"PING"}\n`);
  const replies = await client.replies(lines.length + 1);
  assert.ok(replies.slice(0, -1).every(({ code }) => Number(code) >= 400));
  assert.deepEqual(replies.at(-1), { id: 1, status: "ok", result: "PONG" });
});

Deno.test("lines may be cut anywhere, end with \\r\\n and be empty", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const text = '\n\r\n{"id":1,"action":"ECHO","value":"é"}\r\n\n{"id":2,"action":"PING"}\n\r\n';
  for (const byte of new TextEncoder().encode(text)) await client.send(Uint8Array.of(byte));
  assert.deepEqual(await client.replies(2), [
    { id: 1, status: "ok", result: "é" },
    { id: 2, status: "ok", result: "PONG" },
  ]);
  await client.send('{"action":"PING"}\n{"action":"PI');
  await client.lines.finish();
  assert.deepEqual((await client.rest()).map(brief), ['"PONG"'], "what has no end is no line");
});

Deno.test("a line of the longest size is taken, a longer one is passed over once", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const line = (bytes: number) => {
    const start = '{"action":"ping","more":"';
    return `${start}${"x".repeat(bytes - start.length - 2)}"}`;
  };
  assert.equal(brief(await client.ask(line(1024 * 1024))), '"PONG"');
  assert.equal(brief(await client.ask(`${line(1024 * 1024)}\r`)), '"PONG"');
  await client.send(`${line(1024 * 1024 + 1)}\n${line(3 * 1024 * 1024)}\n{"action":"PING"}\n`);
  assert.deepEqual((await client.replies(3)).map(brief), [
    "413 LINE_TOO_LONG",
    "413 LINE_TOO_LONG",
    '"PONG"',
  ]);
});

Deno.test("a line without an end is given up, after what came before it is answered", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.send('{"action":"PING"}\n');
  const piece = new Uint8Array(1024 * 1024).fill(0x78);
  // The port hangs up before it has taken all of it.
  const sent = (async () => {
    for (let i = 0; i < 20; i++) await client.send(piece);
  })().catch((error) => error);
  assert.deepEqual((await client.rest()).map(brief), ['"PONG"', "413 LINE_TOO_LONG"]);
  await sent;
});
