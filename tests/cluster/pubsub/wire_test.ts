/**
 * What agents say to each other about channels.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  decodeNews,
  encodeChanges,
  encodeDropped,
  encodeInterests,
  encodeNewsMessage,
  NewsError,
} from "../../../cluster/pubsub/wire.ts";
import { mutated } from "../../support/mutate.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const line = new TextEncoder().encode('{"push":"message"}\n');

const SAMPLES = [
  encodeInterests([]),
  encodeInterests(["a", "ä^*", "**"]),
  encodeChanges([["a^b", true], ["c^**", false]]),
  encodeNewsMessage("a^b", line),
  encodeDropped([["a", 3], ["", 2 ** 33]]),
];

Deno.test("what is said is heard", () => {
  const [none, some, changes, message, dropped] = SAMPLES.map(decodeNews);
  assert.deepEqual(none, { kind: "interests", interests: [] });
  assert.ok(some?.kind === "interests");
  assert.deepEqual(some.interests.map(({ text, kind, base }) => [text, kind, base]), [
    ["a", "channel", "a"],
    ["ä^*", "level", "ä"],
    ["**", "tree", ""],
  ]);
  assert.ok(changes?.kind === "changes");
  assert.deepEqual(changes.changes.map(([{ text }, added]) => [text, added]), [
    ["a^b", true],
    ["c^**", false],
  ]);
  assert.deepEqual(message, { kind: "message", channel: "a^b", line });
  assert.deepEqual(dropped, { kind: "dropped", dropped: [["a", 3], ["", 2 ** 32 - 1]] });
});

Deno.test("bytes that nobody says are an error, and nothing else", () => {
  const bad = [
    new Uint8Array(0),
    Uint8Array.of(0),
    Uint8Array.of(9),
    Uint8Array.of(1, 0),
    Uint8Array.of(1, 0, 5, 97),
    Uint8Array.of(1, 0, 0),
    Uint8Array.of(1, 255, 255, 97),
    encodeInterests(["*^a"]),
    encodeInterests(["x".repeat(1_025)]),
    encodeNewsMessage("a", new TextEncoder().encode("{}")),
    encodeNewsMessage("a", new TextEncoder().encode("{}\n{}\n")),
    encodeNewsMessage("a", new Uint8Array(0)),
  ];
  for (const bytes of bad) assert.throws(() => decodeNews(bytes), NewsError, String(bytes));
  const random = new SeededRandom(SEED);
  for (let i = 0; i < 20_000; i++) {
    const bytes = mutated(random, SAMPLES[i % SAMPLES.length] as Uint8Array);
    try {
      decodeNews(bytes);
    } catch (error) {
      assert.ok(error instanceof NewsError, `seed ${SEED}: ${error}`);
    }
  }
});
