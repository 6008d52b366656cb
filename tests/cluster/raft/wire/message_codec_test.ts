import assert from "node:assert/strict";
import type { Entry, Message, SnapshotMeta } from "../../../../cluster/raft/mod.ts";
import {
  decodeMessage,
  encodeMessage,
  MessageError,
} from "../../../../cluster/raft/wire/message_codec.ts";
import { mutated } from "../../../support/mutate.ts";
import { randomMessage } from "../../../support/raft/random_message.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

const ENTRY: Entry = { index: 3, term: 2, type: "barrier", time: 3, data: Uint8Array.of(255) };

const SNAPSHOT: SnapshotMeta = {
  index: 9,
  term: 4,
  configuration: [{ id: "ab", role: "voter" }],
  configurationIndex: 1,
  size: 258,
  hash: "0123456789abcdef".repeat(4),
};

const u64 = (...numbers: number[]) => numbers.map((n) => n.toString(16).padStart(16, "0")).join("");

/** Each type, and the bytes that it has always had. */
const GOLDEN: readonly [Message, string][] = [
  [{ type: "pre-vote", term: 5, lastIndex: 6, lastTerm: 4 }, "01" + u64(5, 6, 4)],
  [{ type: "pre-vote-reply", term: 5, granted: true }, "02" + u64(5) + "01"],
  [
    { type: "vote", term: 5, lastIndex: 6, lastTerm: 4, transfer: true },
    "03" + u64(5, 6, 4) + "01",
  ],
  [{ type: "vote-reply", term: Number.MAX_SAFE_INTEGER, granted: false }, "04001fffffffffffff00"],
  [
    { type: "append", term: 5, prevIndex: 2, prevTerm: 1, entries: [ENTRY], commit: 1, round: 7 },
    "05" + u64(5, 2, 1, 1, 7) + "2ae3fa2600000001" + u64(3, 2) + "0200000000000003ff",
  ],
  [
    {
      type: "append-reply",
      term: 5,
      success: true,
      prevIndex: 2,
      matchIndex: 3,
      conflictTerm: 0,
      conflictIndex: 0,
      lastIndex: 3,
      round: 7,
    },
    "06" + u64(5, 2, 3, 0, 0, 3, 7) + "01",
  ],
  [
    { type: "install", term: 5, snapshot: SNAPSHOT, offset: 256, chunk: Uint8Array.of(1, 2) },
    "07" + u64(5, 9, 4, 1, 258, 256) + SNAPSHOT.hash + "00000028" +
    new TextEncoder().encode('{"members":[{"id":"ab","role":"voter"}]}').toHex() + "0102",
  ],
  [
    { type: "install-reply", term: 5, index: 9, nextOffset: 258, installed: true },
    "08" + u64(5, 9, 258) + "01",
  ],
  [{ type: "timeout-now", term: 5 }, "09" + u64(5)],
];

Deno.test("each message has the bytes that it has always had", () => {
  for (const [message, hex] of GOLDEN) {
    assert.equal(encodeMessage(message).toHex(), hex, message.type);
    assert.deepEqual(decodeMessage(Uint8Array.fromHex(hex)), message);
  }
});

Deno.test("messages come back as they were", () => {
  const random = new SeededRandom(SEED);
  for (let i = 0; i < 3_000; i++) {
    const message = randomMessage(random);
    assert.deepEqual(decodeMessage(encodeMessage(message)), message, `seed ${SEED}, message ${i}`);
  }
});

Deno.test("bent bytes are an error, or a message with just these bytes", () => {
  const random = new SeededRandom(SEED);
  let errors = 0;
  for (let i = 0; i < 20_000; i++) {
    const sample = GOLDEN[below(random, GOLDEN.length)]?.[0] as Message;
    const bytes = mutated(random, encodeMessage(i % 2 === 0 ? sample : randomMessage(random, 2)));
    let message: Message;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      assert.ok(error instanceof MessageError, `seed ${SEED}, try ${i}: ${error}`);
      errors++;
      continue;
    }
    assert.equal(encodeMessage(message).toHex(), bytes.toHex(), `seed ${SEED}, try ${i}`);
  }
  assert.ok(errors > 1_000, `${errors} errors`);
});

Deno.test("no part of a message is a message, and nothing may follow it", () => {
  for (const [message, hex] of GOLDEN) {
    const bytes = Uint8Array.fromHex(hex);
    for (let length = 0; length < bytes.length; length++) {
      // Without its entries an append is a heartbeat, and a piece of a snapshot may be of any length.
      if (message.type === "append" && length === 41) continue;
      if (message.type === "install" && length >= bytes.length - 2) continue;
      assert.throws(() => decodeMessage(bytes.subarray(0, length)), MessageError, message.type);
    }
    if (message.type === "install") continue;
    assert.throws(() => decodeMessage(Uint8Array.of(...bytes, 0)), MessageError, message.type);
  }
});

Deno.test("what is no message is refused with a reason", () => {
  const refused = (hex: string, reason: RegExp) =>
    assert.throws(() => decodeMessage(Uint8Array.fromHex(hex)), reason);
  refused("", /unknown type undefined/);
  refused("00", /unknown type 0/);
  refused("0a", /unknown type 10/);
  refused("090020000000000000", /above 2\^53-1/);
  refused("02" + u64(5) + "02", /flag 2, wanted 0 or 1/);
  const install = GOLDEN.find(([{ type }]) => type === "install")?.[1] ?? "";
  refused(install.replace("00000028", "ffffffff"), /claims 4294967295 bytes, at most 65536/);
  refused(install.replace("00000028", "0000ffff"), /needs 65535 more bytes, 42 are left/);
});

Deno.test("entries of an append follow each other, in terms that do not fall", () => {
  const append = (entry: Partial<Entry>) =>
    encodeMessage({
      type: "append",
      term: 5,
      prevIndex: 2,
      prevTerm: 2,
      entries: [ENTRY, { ...ENTRY, index: 4, ...entry }],
      commit: 1,
      round: 7,
    });
  assert.equal(decodeMessage(append({})).type, "append");
  for (const wrong of [{ index: 3 }, { index: 5 }, { term: 1 }, { term: 6 }]) {
    assert.throws(() => decodeMessage(append(wrong)), /Append of term 5 has entry/);
  }
});

Deno.test("a message without bytes of its own is not written", () => {
  for (const term of [-1, 0.5, 2 ** 53, NaN]) {
    assert.throws(() => encodeMessage({ type: "timeout-now", term }), MessageError);
  }
  const chunk = Uint8Array.of(1);
  for (const hash of ["", "AB".repeat(32), "0".repeat(63)]) {
    const snapshot = { ...SNAPSHOT, hash };
    assert.throws(
      () => encodeMessage({ type: "install", term: 5, snapshot, offset: 0, chunk }),
      MessageError,
    );
  }
});
