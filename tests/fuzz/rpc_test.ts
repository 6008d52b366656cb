/**
 * Random and mutated bytes on the RPC port, from clients that read, do not read, stop in the middle or just vanish: the
 * server goes on serving others, forgets every client, and its memory and its log stay bounded.
 *
 * The agent behind the port is a stand-in, since mutated requests may ask to join any address or to leave.
 *
 * SKEIN_SEED repeats the bytes of a run, SKEIN_FUZZ_MS makes it longer (5,000 by default).
 *
 * @module
 */

import assert from "node:assert/strict";
import { encodeValue } from "../../protocol/msgpack/mod.ts";
import { ownPayload } from "../../protocol/payload.ts";
import { RpcServer } from "../../server/rpc/server.ts";
import { heldMiB } from "../support/held_memory.ts";
import { loopback } from "../support/loopback.ts";
import { mutated } from "../support/mutate.ts";
import { below, randomValue } from "../support/random_value.ts";
import { FakeBackend, FakeQuery, keyReport, member, queryEvent } from "../support/rpc/backend.ts";
import { concat, Peer, request, until } from "../support/rpc/peer.ts";
import { SeededRandom } from "../support/simulation/random.ts";
import vectors from "../vectors/ipc.json" with { type: "json" };

const HOST = loopback();

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 5_000);
const CLIENTS = 8;

/** What memory may grow by, however long a run is. */
const MAX_GROWTH_MIB = 32;

const HANDSHAKE = request("handshake", 1, { Version: 1 });
const SAMPLES = vectors.map(({ request_hex }) => Uint8Array.fromHex(request_hex)).filter((bytes) =>
  bytes.length > 0
);
const COMMANDS = [
  "handshake",
  "auth",
  "event",
  "join",
  "members",
  "members-filtered",
  "stream",
  "monitor",
  "stop",
  "tags",
  "stats",
  "force-leave",
  "query",
  "respond",
  "install-key",
  "use-key",
  "remove-key",
  "list-keys",
  "get-coordinate",
];

Deno.test("the RPC port survives random and mutated bytes and clients of every temper", async () => {
  const backend = new FakeBackend();
  backend.list = Array.from(
    { length: 30 },
    (_, i) => member(`node-${i}`, { tags: { role: "web" } }),
  );
  backend.on.event = (name) => backend.emitUser(String(name));
  backend.on.shutdown = () => new Promise(() => {});
  backend.on.query = (name) => answered(backend, String(name));
  backend.on.listKeys = () => keyReport({ keys: { k: 2 } });
  backend.on.useKey = () => {
    throw new Error("no such key");
  };
  let complaints = 0;
  const counter = backend.log.monitor("WARN", () => complaints++);
  const faults: Error[] = [];
  backend.log.onUnexpected((error) => faults.push(error));
  await using server = RpcServer.listen(backend, { address: `${HOST}:0`, stallLimitMs: 300 });
  const before = heldMiB();
  const end = performance.now() + DURATION_MS;
  const conversations = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => {
      return badClients(server.address, new SeededRandom(SEED, i), end);
    }),
  );
  await until(() => server.stats().clients === "0" && server.stats().queries === "0");
  counter.stop();
  const growth = heldMiB() - before;
  const total = conversations.reduce((sum, count) => sum + count, 0);
  console.log(
    `rpc: seed ${SEED}, ${total} clients, ${
      growth.toFixed(1)
    } MiB more, ${complaints} complaints logged`,
  );
  const { streams, monitors, pending_queries } = server.stats();
  assert.deepEqual([streams, monitors, pending_queries], ["0", "0", "0"]);
  assert.equal(backend.log.monitors, 0);
  assert.deepEqual(faults, [], "nothing that comes from outside is a fault of the program");
  assert.ok(growth < MAX_GROWTH_MIB, `Memory grew by ${growth} MiB`);
  assert.ok(complaints < 20 * (2 + DURATION_MS / 1_000), `${complaints} complaints`);
  using peer = await Peer.ready(server.address);
  assert.deepEqual(await peer.ask("stop", { Stop: 0 }), { Error: "", Seq: 2 });
});

/** A query that streams are asked, too, and that others answer in time, too late or never. */
function answered(backend: FakeBackend, name: string): FakeQuery {
  const query = new FakeQuery();
  const respond = (payload: Uint8Array | null) => {
    if ((payload?.length ?? 0) > 100) throw new Error("too long");
    query.answers.push({ from: "a", payload: ownPayload(payload) });
  };
  backend.emit(queryEvent(name, { respond, deadline: performance.now() + name.length }));
  query.acks.push("a");
  query.acks.push("");
  if (name.length % 3 === 0) query.close();
  else if (name.length % 3 === 1) void Promise.resolve().then(() => query.close());
  return query;
}

/** One bad client after the other until `end`; gives how many. */
async function badClients(
  address: Deno.NetAddr,
  random: SeededRandom,
  end: number,
): Promise<number> {
  let count = 0;
  while (performance.now() < end) {
    await badClient(address, random);
    count++;
  }
  return count;
}

async function badClient(address: Deno.NetAddr, random: SeededRandom): Promise<void> {
  using conn = await Deno.connect({ hostname: address.hostname, port: address.port });
  const reading = below(random, 3) > 0 ? drain(conn) : Promise.resolve();
  try {
    if (below(random, 5) > 0) await writeAll(conn, HANDSHAKE);
    for (let left = below(random, 30); left > 0; left--) await writeAll(conn, anyBytes(random));
    if (below(random, 4) === 0) await conn.closeWrite();
    else if (below(random, 3) === 0) await new Promise((resolve) => setTimeout(resolve));
  } catch {
    // The server closed it.
  }
  try {
    conn.close();
  } catch {
    // The end of the stream closed it.
  }
  await reading;
}

function anyBytes(random: SeededRandom): Uint8Array {
  const sample = SAMPLES[below(random, SAMPLES.length)] ?? HANDSHAKE;
  switch (below(random, 16)) {
    case 0:
      return random.bytes(1 + below(random, 2_000));
    case 1:
      return encodeValue(randomValue(random), "rpc");
    case 2:
      return request(COMMANDS[below(random, COMMANDS.length)] ?? "", 9, randomValue(random));
    case 3:
      return new Uint8Array(1 + below(random, 100)).fill(0x80 + below(random, 128));
    case 4:
      return concat([
        request("event", 3),
        new Uint8Array([0xdb, 0, 15, 255, 255]),
        new Uint8Array(100),
      ]);
    case 5:
      return concat(Array.from({ length: 200 }, (_, i) => request("members", i)));
    case 6:
      return request("members-filtered", 5, {
        Name: pattern(random),
        Tags: { role: pattern(random) },
      });
    case 7:
      return request("stream", below(random, 50), { Type: "*" });
    case 8:
      return request("monitor", 4, { LogLevel: "TRACE" });
    case 9:
      return sample;
    case 10:
      return request("query", below(random, 50), {
        Name: "x".repeat(below(random, 300)),
        Timeout: random.float() < 0.5 ? 2n ** 63n - 1n : -1,
      });
    case 11:
      return request("respond", 6, { ID: below(random, 20), Payload: random.bytes(8) });
    case 12:
      return new Uint8Array(below(random, 50)).fill(0xc0);
    default:
      return mutated(random, sample);
  }
}

function pattern(random: SeededRandom): string {
  const parts = ["a", ".", "*", "+", "(", ")", "|", "[", "]", "^", "{9}", "\\", "(?i)", "\\Q", "w"];
  const length = below(random, 12);
  return Array.from({ length }, () => parts[below(random, parts.length)]).join("");
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
}

async function drain(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // Closed by either side.
  }
}
