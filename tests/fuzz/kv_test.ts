/**
 * Random and bent lines on the key-value port, from clients that read, do not read, stop in the middle or just vanish: the port
 * goes on serving others, forgets every client, and its memory and its log stay bounded.
 *
 * SKEIN_SEED repeats the bytes of a run, SKEIN_FUZZ_MS makes it longer (5,000 by default).
 *
 * @module
 */

import assert from "node:assert/strict";
import { ACTIONS } from "../../protocol/kv/mod.ts";
import { within } from "../../server/net/deadline.ts";
import { TlsServer } from "../../server/net/wire/tls.ts";
import { heldMiB } from "../support/held_memory.ts";
import { accessOf } from "../support/kv/access.ts";
import { brief, KvPeer, serve, type Stage } from "../support/kv/stage.ts";
import { loopback } from "../support/loopback.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../support/net/certificate.ts";
import { LineClient } from "../support/net/line_client.ts";
import { mutated } from "../support/mutate.ts";
import { below } from "../support/random_value.ts";
import { concat, until } from "../support/rpc/peer.ts";
import { SeededRandom } from "../support/simulation/random.ts";

const HOST = loopback();
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 5_000);
const CLIENTS = 8;
/** What memory may grow by, however long a run is. */
const MAX_GROWTH_MIB = 32;

const LIMITS = { stallLimitMs: 300, lineLimitMs: 500, idleLimitMs: 500 };

const SAMPLES = [
  '{"action":"PING"}',
  '{"id":1,"action":"ECHO","value":{"a":[1,2.5e3,null,"\\u00e9\\"é"]}}',
  '{"action":"HELLO","strict":true,"version":1}',
  '{"action":"INFO","section":"memory"}',
  '{"action":"AUTH","token":"app_token"}',
  '{"action":"AUTH","user":"app","password":"app-token"}',
  '{"action":"USE","namespace":"^n"}',
  "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\x03",
  '{"id":"x","action":"SET","key":"k","value":"v","nx":true,"get":true}',
  '{"action":"SET","key":["a","b"],"namespace":"^n","value":[[[[]]]],"if_rev":3}',
  '{"action":"GET","key":"k","consistency":"stale"}',
  '{"action":"DEL","key":"^n","tree":true,"if_exists":true}',
  '{"action":"EXISTS","key":"n^a"}',
  '{"action":"KEYS","namespace":"n","after":"n^a","limit":3,"depth":2,"values":true}',
  '{"action":"KEYS","prefix":["n","a"]}',
  '{"action":"CHILDREN","key":"^","after":"n"}',
  '{"action":"INCR","key":"c","by":9007199254740991}',
  '{"action":"DECR","key":"c"}',
  '{"action":"SET","key":"t","value":1,"ttl":0.02}',
  '{"action":"INCR","key":"c","ttl_ms":1000}',
  '{"action":"EXPIRE","key":"t","ttl":1.5}',
  '{"action":"PERSIST","key":"t"}',
  '{"action":"TTL","key":"t","consistency":"lease"}',
  '{"action":"MSET","namespace":"n","items":[{"key":"a","value":[1]},{"key":["b"],"value":null,"ttl":9}]}',
  '{"action":"MGET","keys":["k",["n","a"],"c"]}',
  '{"action":"TXN","if":[{"key":"k","exists":true},{"key":"c","rev":3},{"key":"t","value":1}],' +
  '"then":[{"action":"SET","key":"k","value":"w","keep_ttl":true},{"action":"INCR","key":"c"},' +
  '{"action":"DEL","key":"t"}],"else":[{"action":"GET","key":"k"},{"action":"EXPIRE","key":"k","ttl_ms":5}]}',
  '{"action":"SUBSCRIBE","channels":["a^*",["a","b"],"**"]}',
  '{"action":"UNSUBSCRIBE","channel":"a^*"}',
  '{"id":2,"action":"PUBLISH","channel":"a^b","message":{"a":["x",null]}}',
  '{"action":"WATCH","key":"^","tree":true,"old":true}',
  '{"action":"WATCH","key":["a"],"namespace":"^n","initial":true,"coalesce":true}',
  '{"action":"WATCH","key":"k","from_rev":1}',
  '{"action":"UNWATCH","watch":1}',
  '{"action":"SESSION","op":"create","capabilities":{"worker":"v2"}}',
  '{"action":"SESSION","op":"continue","session":"00000000000000000000000000000000"}',
  '{"action":"SESSION","op":"ack","ack":3}',
  '{"action":"SESSION","op":"close"}',
  '{"action":"INCR","key":"c","rid":1,"low":1}',
  '{"action":"SET","key":"k","value":["x"],"get":true,"rid":2,"low":1}',
  '{"action":"WATCH","key":"^k","tree":true,"initial":true,"rid":3,"low":2}',
  '{"action":"UNWATCH","watch":1,"rid":4}',
  '{"action":"DISPATCH","capability":"worker","value":"v2","payload":{"a":[1]}}',
  '{"action":"DISPATCH","capability":"worker","payload":null,"rid":5}',
  '{"action":"QUIT"}',
  '{"__proto__":{"action":"PING"},"constructor":7}',
  "[".repeat(70),
  "\r",
].map((line) => new TextEncoder().encode(`${line}\n`));

Deno.test("what is bent has been a request of each action", () => {
  const asked = new Set<unknown>();
  for (const sample of SAMPLES) {
    const { action } = record(new TextDecoder().decode(sample));
    if (typeof action === "string") asked.add(action);
  }
  assert.deepEqual([...asked].sort(), Object.keys(ACTIONS).sort());
});

Deno.test("the key-value port survives random and bent lines and clients of every temper", async () => {
  await using stage = serve(HOST, LIMITS);
  await survives(stage, DURATION_MS);
  using client = await stage.client();
  assert.equal(brief(await client.ask({ action: "PING" })), '"PONG"');
});

Deno.test("strangers of every temper get in nowhere, and who may get in does", async () => {
  const access = await accessOf([{ name: "app", read: ["^"] }]);
  await using stage = serve(HOST, { ...LIMITS, access, strangerLimitMs: 500 });
  await survives(stage, DURATION_MS / 2);
  using client = await stage.client();
  assert.equal(brief(await client.ask({ action: "AUTH", token: "app-token" })), '"OK"');
  assert.equal(brief(await client.ask({ action: "KEYS", prefix: "^" })), "[]");
});

Deno.test("bytes that are no TLS harm nobody who speaks it", async () => {
  const tls = new TlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
  await using stage = serve(HOST, { ...LIMITS, tls, strangerLimitMs: 500 });
  await survives(stage, DURATION_MS / 2);
  const { hostname, port } = stage.port.address;
  const conn = await Deno.connect({ hostname, port });
  const secured = await Deno.startTls(conn, { hostname: "localhost", caCerts: [CERTIFICATE] });
  using client = new KvPeer(new LineClient(secured));
  assert.equal(brief(await client.ask({ action: "KEYS", prefix: "^" })), "[]");
});

/** What a line is; nothing when it is no request. */
function record(line: string): { readonly action?: unknown } {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

/** Bad clients for some time leave no trace but some lines of the log. */
async function survives(stage: Stage, durationMs: number): Promise<void> {
  let complaints = 0;
  const counter = stage.log.monitor("WARN", () => complaints++);
  const before = heldMiB();
  const end = performance.now() + durationMs;
  const counts = await Promise.all(
    Array.from(
      { length: CLIENTS },
      (_, i) => badClients(stage.port.address, new SeededRandom(SEED, i), end),
    ),
  );
  await until(() => stage.port.size === 0);
  const growth = heldMiB() - before;
  counter.stop();
  const total = counts.reduce((sum, count) => sum + count, 0);
  console.log(
    `kv: seed ${SEED}, ${total} clients, ${
      growth.toFixed(1)
    } MiB more, ${complaints} complaints logged`,
  );
  assert.deepEqual(
    stage.unexpected,
    [],
    "nothing that comes from outside is a fault of the program",
  );
  assert.deepEqual(stage.log.lines("ERR"), []);
  assert.ok(growth < MAX_GROWTH_MIB, `Memory grew by ${growth} MiB`);
  assert.ok(
    complaints > 0 && complaints < 20 * (2 + DURATION_MS / 1_000),
    `${complaints} complaints`,
  );
}

/** One bad client after the other until `end`; gives how many. */
async function badClients(
  { hostname, port }: Deno.NetAddr,
  random: SeededRandom,
  end: number,
): Promise<number> {
  let count = 0;
  for (; performance.now() < end; count++) {
    using conn = await Deno.connect({ hostname, port });
    try {
      const bytes = noise(random);
      // A client that does not read may find no room for what it sends.
      const sent = sendAll(
        conn,
        bytes,
        below(random, 3) === 0 ? 1 + below(random, 50) : bytes.length,
      )
        .catch(() => {});
      if (below(random, 2) === 0) await within(below(random, 30), readAll(conn));
      await within(below(random, 30), sent);
    } catch { /* The port has closed it. */ }
  }
  return count;
}

function noise(random: SeededRandom): Uint8Array {
  if (below(random, 20) === 0) return new Uint8Array(1_100_000).fill(0x20 + below(random, 90));
  if (below(random, 8) === 0) return random.bytes(1 + below(random, 3_000));
  return concat(Array.from({ length: 1 + below(random, 40) }, () => {
    const sample = SAMPLES[below(random, SAMPLES.length)] as Uint8Array;
    return below(random, 2) === 0 ? sample : mutated(random, sample);
  }));
}

async function sendAll(conn: Deno.Conn, bytes: Uint8Array, pieceBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at, at + pieceBytes));
  }
}

async function readAll(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4_096);
  while (await conn.read(buffer).catch(() => null) !== null);
}
