/**
 * Random and mutated bytes into every MessagePack decoder: the only thing that may come out besides values
 * is a DecodeError, and the decoders must agree with each other about where values end.
 *
 * SKEIN_SEED repeats a run, SKEIN_FUZZ_MS makes it longer (5,000 by default).
 */

import assert from "node:assert/strict";
import * as ipc from "../../protocol/ipc/mod.ts";
import {
  bytes,
  type Codec,
  DecodeError,
  decodeValue,
  encodeValue,
  f64,
  i32,
  i64,
  list,
  optional,
  Reader,
  record,
  seq,
  Splitter,
  str,
  struct,
  u16,
  u32,
  u64,
  u8,
} from "../../protocol/msgpack/mod.ts";
import { mutated } from "../support/mutate.ts";
import { below, randomValue } from "../support/random_value.ts";
import { SeededRandom } from "../support/simulation/random.ts";
import codecVectors from "../vectors/codec.json" with { type: "json" };
import ipcVectors from "../vectors/ipc.json" with { type: "json" };

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 5_000);

const LIMITS = { maxDepth: 20, maxBytes: 4096, maxCount: 1024, maxValueBytes: 8192 };

const Ping = struct({
  SeqNo: u32,
  Node: str,
  SourceAddr: optional(bytes),
  SourcePort: optional(u16),
  SourceNode: optional(str),
});
const Alive = struct({
  Incarnation: u32,
  Node: str,
  Addr: bytes,
  Port: u16,
  Meta: bytes,
  Vsn: bytes,
});

const CODECS: Codec<unknown>[] = [
  ...(Object.values(ipc) as unknown[]).filter((item): item is Codec<unknown> =>
    typeof item === "object" && item !== null && "read" in item
  ),
  ...Object.values(ipc.COMMANDS).flatMap(({ request, response }) => [request, response])
    .filter((codec) => codec !== null),
  ...[Ping, Alive, u8, i32, u64, i64, seq, f64, str, bytes],
  list(record(list(Ping))),
];

const SAMPLES: Uint8Array[] = [
  ...ipcVectors.flatMap((v) => [v.request_hex, v.response_hex]).filter((hex) => hex),
  ...codecVectors.msgpack_0_5_5.map((v) => v.hex),
  ...codecVectors.msgpack_2_1_5.map((v) => v.hex),
].map((hex) => Uint8Array.fromHex(hex));

Deno.test("garbage into the decoders gives values or a DecodeError, and they agree", () => {
  console.log(`fuzz msgpack: SKEIN_SEED=${SEED}`);
  const random = new SeededRandom(SEED);
  const end = performance.now() + DURATION_MS;
  let rounds = 0;
  for (; performance.now() < end; rounds++) {
    const input = randomInput(random);
    try {
      feedCodecs(input, random);
      assert.deepEqual(splitEnds(input, random), skipEnds(input));
    } catch (cause) {
      throw new Error(`SKEIN_SEED=${SEED} round ${rounds} input ${input.toHex()}`, { cause });
    }
  }
  assert(rounds > 100);
});

function randomInput(random: SeededRandom): Uint8Array {
  switch (below(random, 4)) {
    case 0:
      return random.bytes(below(random, 64));
    case 1:
      return mutated(random, encodeValue(randomValue(random, 3), "rpc"));
    default:
      return mutated(random, SAMPLES[below(random, SAMPLES.length)] as Uint8Array);
  }
}

function feedCodecs(input: Uint8Array, random: SeededRandom): void {
  const raw = random.float() < 0.5 ? "text" : "bytes";
  attempt(() => decodeValue(input, { limits: LIMITS, raw }));
  for (const codec of CODECS) {
    attempt(() => codec.read(new Reader(input, below(random, 3), LIMITS)));
  }
}

/** Where the values of `input` end, found by skipping; stops at the first that is none. */
function skipEnds(input: Uint8Array): number[] {
  const reader = new Reader(input, 0, LIMITS);
  const ends: number[] = [];
  attempt(() => {
    while (reader.remaining > 0) {
      const start = reader.offset;
      reader.skip();
      if (reader.offset - start > LIMITS.maxValueBytes) break;
      ends.push(reader.offset);
    }
  });
  return ends;
}

/** The same, found by pushing `input` in pieces. Every whole value must also decode, to its last byte. */
function splitEnds(input: Uint8Array, random: SeededRandom): number[] {
  const ends: number[] = [];
  const splitter = new Splitter((value) => {
    ends.push((ends.at(-1) ?? 0) + value.length);
    decodeValue(value, { limits: LIMITS });
  }, LIMITS);
  attempt(() => {
    for (let at = 0; at < input.length;) {
      const next = at + 1 + below(random, 20);
      splitter.push(input.subarray(at, next));
      assert(splitter.pending <= Math.min(input.length, LIMITS.maxValueBytes));
      at = next;
    }
  });
  return ends;
}

function attempt(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
}
