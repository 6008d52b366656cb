/**
 * The bytes between servers: blocks, frames, hellos and their seals.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import { BlockError, BlockParser } from "../../../../server/replica/peers/blocks.ts";
import {
  answerFrame,
  frameOf,
  framesIn,
  requestFrame,
} from "../../../../server/replica/peers/frames.ts";
import {
  decodeHello,
  decodePreamble,
  encodeHello,
  encodePreamble,
  type Hello,
  HelloError,
} from "../../../../server/replica/peers/hello.ts";
import { MAX_STRANGER_BYTES } from "../../../../server/replica/peers/limits.ts";
import { DecryptError, type End, Sealing } from "../../../../server/replica/peers/sealing.ts";
import { mutated } from "../../../support/mutate.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const HELLO: Hello = { lane: "bulk", clusterId: "c", id: "i", name: "n\udcff", to: "t" };

Deno.test("blocks are found however the network cuts them", () => {
  const random = new SeededRandom(SEED);
  for (let run = 0; run < 300; run++) {
    const blocks = Array.from(
      { length: below(random, 8) },
      () => random.bytes(1 + below(random, 200)),
    );
    const preamble = random.bytes(5);
    const bytes = [...preamble, ...blocks.flatMap((block) => [0, 0, 0, block.length, ...block])];
    const found: Uint8Array[] = [];
    const parser = new BlockParser(5, 200, (block) => found.push(block.slice()));
    for (let at = 0; at < bytes.length;) {
      const size = 1 + below(random, run % 2 === 0 ? 4 : 400);
      parser.push(Uint8Array.from(bytes.slice(at, at += size)));
    }
    assert.deepEqual(found, [preamble, ...blocks], `seed ${SEED}, run ${run}`);
    assert.equal(parser.pending, 0);
  }
});

Deno.test("a block that is too large is refused when its length is there", () => {
  for (const claimed of [0, 201, 2 ** 32 - 1]) {
    const parser = new BlockParser(0, 200, () => {});
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, claimed);
    assert.throws(() => {
      for (const byte of head) parser.push(Uint8Array.of(byte));
      parser.push(Uint8Array.of(0));
    }, BlockError);
  }
});

Deno.test("the bytes of preamble, hello and frames are the ones that they have always been", () => {
  const nonce = new Uint8Array(16).fill(0xab);
  assert.equal(encodePreamble(true, nonce).toHex(), "534b4e500101" + "ab".repeat(16));
  assert.deepEqual(decodePreamble(encodePreamble(true, nonce)), {
    version: 1,
    sealed: true,
    nonce,
  });
  assert.equal(encodeHello(HELLO).toHex(), "01" + "000163" + "000169" + "00026eff" + "000174");
  assert.deepEqual(decodeHello(encodeHello(HELLO)), HELLO);
  assert.equal(frameOf(4, Uint8Array.of(7)).toHex(), "000000020407");
  assert.equal(requestFrame(3, Uint8Array.of(7)).toHex(), "00000006050000000307");
  assert.equal(answerFrame(3, 1, Uint8Array.of(7)).toHex(), "0000000706000000030107");
});

Deno.test("the longest hello fits what a stranger may send, sealed", () => {
  const [id, name] = ["i".repeat(64), "n".repeat(768)];
  const frame = frameOf(0, encodeHello({ lane: "talk", clusterId: id, id, name, to: id }));
  const sealing = sealingOf("caller", new Keyring([new Uint8Array(32)]));
  assert.ok(sealing.seal(frame).length <= MAX_STRANGER_BYTES);
  for (const changes of [{ id: "" }, { to: "" }, { id: id + "i" }, { name: name + "n" }]) {
    assert.throws(() => encodeHello({ ...HELLO, ...changes }), HelloError);
  }
});

Deno.test("bent hellos and frames are an error, or read as what is written", () => {
  const random = new SeededRandom(SEED);
  for (let i = 0; i < 5_000; i++) {
    const bytes = mutated(random, encodeHello(HELLO));
    try {
      assert.equal(
        encodeHello(decodeHello(bytes)).toHex(),
        bytes.toHex(),
        `seed ${SEED}, try ${i}`,
      );
    } catch (error) {
      assert.ok(error instanceof HelloError, `seed ${SEED}, try ${i}: ${error}`);
    }
    const frames = mutated(random, Uint8Array.of(...frameOf(4, bytes), ...frameOf(2, bytes)));
    try {
      const again = framesIn(frames).flatMap((
        { channel, payload },
      ) => [...frameOf(channel, payload)]);
      assert.deepEqual(again, [...frames], `seed ${SEED}, try ${i}`);
    } catch (error) {
      assert.ok(error instanceof BlockError, `seed ${SEED}, try ${i}: ${error}`);
    }
  }
});

/** Seals for one end of the connection with these nonces. */
function sealingOf(end: End, ring: Keyring, [caller, callee] = [1, 2]): Sealing {
  const nonce = (byte: number | undefined) => new Uint8Array(16).fill(byte ?? 0);
  return new Sealing(
    ring,
    new SeededRandom(SEED),
    { caller: nonce(caller), callee: nonce(callee) },
    end,
  );
}

Deno.test("a sealed block opens once, in its place, at the other end of its connection", () => {
  const ring = new Keyring([new Uint8Array(32).fill(3)]);
  const block = Uint8Array.of(1, 2, 3);
  const sender = sealingOf("caller", ring);
  const [first, second] = [sender.seal(block), sender.seal(block)];
  const fresh = () => sealingOf("callee", ring);
  const receiver = fresh();
  assert.deepEqual(receiver.open(first), block);
  assert.deepEqual(receiver.open(second), block);
  const repeated = fresh();
  repeated.open(first);
  assert.throws(() => repeated.open(first), DecryptError);
  assert.throws(() => fresh().open(second), DecryptError, "left out");
  assert.throws(() => sealingOf("caller", ring).open(first), DecryptError, "sent back");
  assert.throws(
    () => sealingOf("callee", ring, [1, 3]).open(first),
    DecryptError,
    "other connection",
  );
  assert.throws(
    () => sealingOf("callee", ring, [3, 2]).open(first),
    DecryptError,
    "other connection",
  );
  for (let at = 0; at < first.length; at++) {
    const damaged = first.map((byte, i) => i === at ? byte ^ 0x40 : byte);
    assert.throws(() => fresh().open(damaged), DecryptError);
  }
});
