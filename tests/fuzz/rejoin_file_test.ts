/**
 * Random and mutated files into the replay of rejoin files: it never throws, keeps within its bounds, does not depend on how the
 * bytes come, and what it restores can be written and read again.
 *
 * SKEIN_SEED repeats a run, SKEIN_FUZZ_MS makes it longer (2,000 by default).
 */

import assert from "node:assert/strict";
import { MAX_FIRST_TIME } from "../../cluster/serf/model/lamport.ts";
import {
  MAX_LINE_BYTES,
  RejoinJournal,
  RejoinReplay,
  type Replayed,
} from "../../cluster/serf/rejoin/mod.ts";
import { splitHostPort } from "../../protocol/host_port.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { mutated } from "../support/mutate.ts";
import { below } from "../support/random_value.ts";
import { SeededRandom } from "../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 2_000);

/** Whole and broken beginnings and rests of lines, put together at random. */
const HEADS = [
  "alive: ",
  "not-alive: ",
  "clock: ",
  "event-clock: ",
  "query-clock: ",
  "# failed: ",
  "# ",
  "coordinate: ",
  "leave",
  "",
];
const RESTS = [
  "a 127.0.0.1:7946",
  "my node [fd00::1]:7946",
  "größe 10.0.0.2:1",
  "a",
  "0",
  "41",
  "18446744073709551614",
  "18446744073709551615",
  "",
  " ",
  "\0\0",
  "x".repeat(MAX_LINE_BYTES),
  `${"n".repeat(MAX_LINE_BYTES - 24)} 10.0.0.3:7946`,
];

function pick<T>(random: SeededRandom, items: readonly T[]): T {
  return items[below(random, items.length)] as T;
}

function sample(random: SeededRandom): Uint8Array {
  if (random.float() < 0.1) return random.bytes(below(random, 3_000));
  const lines = Array.from(
    { length: below(random, 20) },
    () => pick(random, HEADS) + pick(random, RESTS) + (random.float() < 0.9 ? "\n" : ""),
  );
  return new TextEncoder().encode(lines.join(""));
}

function replay(bytes: Uint8Array, rejoinAfterLeave: boolean, step: number): Replayed {
  const replay = new RejoinReplay({ rejoinAfterLeave });
  for (let at = 0; at < bytes.length; at += step) {
    // A copy that is spoiled afterwards: the replay must not hold on to it.
    const part = bytes.slice(at, at + step);
    replay.push(part);
    part.fill(0x0a);
  }
  return replay.end();
}

function check(bytes: Uint8Array, random: SeededRandom): void {
  const rejoin = random.float() < 0.5;
  const replayed = replay(bytes, rejoin, bytes.length + 1);
  assert.deepEqual(replay(bytes, rejoin, 1 + below(random, 100)), replayed);
  const { restored, wholeBytes, torn, damaged, records } = replayed;
  assert.equal(wholeBytes, bytes.lastIndexOf(0x0a) + 1);
  assert.equal(torn, wholeBytes < bytes.length);
  const lines = bytes.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);
  assert.ok(damaged + records <= lines);
  for (const time of [restored.memberTime, restored.eventTime, restored.queryTime]) {
    assert.ok(time >= 0n && time <= MAX_FIRST_TIME);
  }
  for (const [name, address] of [...restored.members, ...restored.failed]) {
    assert.ok(!name.includes("\n") && name.length < MAX_LINE_BYTES);
    assert.equal(typeof splitHostPort(address), "object", address);
    assert.ok(!(restored.members.has(name) && restored.failed.has(name)), name);
  }
  const anew = [...new RejoinJournal(restored, { rejoinAfterLeave: rejoin }).lines()].join("");
  const again = replay(encodeUtf8(anew), rejoin, anew.length + 1);
  assert.deepEqual([again.damaged, again.torn], [0, false]);
  assert.deepEqual(again.restored, restored);
}

Deno.test("a replay takes any file", () => {
  const random = new SeededRandom(SEED);
  const end = performance.now() + DURATION_MS;
  let files = 0;
  for (; performance.now() < end; files++) {
    const whole = sample(random);
    const bytes = random.float() < 0.5 ? mutated(random, whole) : whole;
    try {
      check(bytes, random);
    } catch (cause) {
      const text = new TextDecoder().decode(bytes);
      throw new Error(`SKEIN_SEED=${SEED}, file ${files}: ${JSON.stringify(text)}`, { cause });
    }
  }
  assert.ok(files > 100, `Only ${files} files`);
});
