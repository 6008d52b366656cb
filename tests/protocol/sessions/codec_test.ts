/**
 * Messages of sessions: their bytes, the ends of their numbers, and bytes that are none.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  capabilityProblem,
  clientFrame,
  MAX_CAPABILITIES,
  MAX_CAPABILITY_BYTES,
  MessageError,
  readClientMessage,
  readServerMessage,
  serverFrame,
  type ServerMessage,
} from "../../../protocol/sessions/mod.ts";
import { mutated } from "../../support/mutate.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import { CLIENT_VECTORS, SERVER_VECTORS } from "./vectors.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const HEAD = "7a7261667401";

const bodyOf = (frame: Uint8Array): Uint8Array => frame.subarray(4);
const hexOf = (frame: Uint8Array): string => bodyOf(frame).toHex();
const fromClient = (hex: string) => readClientMessage(Uint8Array.fromHex(HEAD + hex));
const fromServer = (hex: string) => readServerMessage(Uint8Array.fromHex(HEAD + hex));

Deno.test("every message has exactly its bytes, and its bytes are the message", () => {
  for (const [hex, message] of CLIENT_VECTORS) {
    assert.equal(hexOf(clientFrame(message)), hex);
    assert.deepEqual(readClientMessage(Uint8Array.fromHex(hex)), message);
  }
  for (const [hex, message] of SERVER_VECTORS) {
    assert.equal(hexOf(serverFrame(message)), hex);
    assert.deepEqual(readServerMessage(Uint8Array.fromHex(hex)), message);
  }
});

Deno.test("a frame begins with the length of its message", () => {
  const [, message] = CLIENT_VECTORS[0] as (typeof CLIENT_VECTORS)[0];
  const frame = clientFrame(message);
  assert.equal(frame.subarray(0, 4).toHex(), "0000001d");
  assert.equal(frame.length, 4 + 0x1d);
});

Deno.test("a leader id of any length comes back, and takes one byte and its bits beside its text", () => {
  for (const leader of [undefined, "", "é", "\uffff", "x".repeat(127), "日".repeat(21_845)]) {
    const closed: ServerMessage = { kind: "sessionClosed", reason: 2, leader };
    const body = bodyOf(serverFrame(closed));
    const text = new TextEncoder().encode(leader);
    assert.equal(body.length, 8 + (leader === undefined ? 1 : 3 + text.length));
    assert.deepEqual(readServerMessage(body), closed);
  }
  assert.equal(hexOf(serverFrame({ kind: "sessionClosed", reason: 2 })), `${HEAD}040200`);
});

Deno.test("a leader id is refused unless each of its bits is right", () => {
  const wrong = ["01", "40", "80", "8000", "800001", "8000b101", "8000b140", "800131", "0000"];
  assert.deepEqual(fromServer("04028000b100"), { kind: "sessionClosed", reason: 2, leader: "b" });
  for (const bits of [...wrong, "8000b10000", "00b100", "80007f80"]) {
    assert.throws(() => fromServer(`0402${bits}`), MessageError, bits);
  }
});

Deno.test("ids are safe integers, times of either sign, and nonces whole 64 bits", () => {
  for (const requestId of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const ack = { kind: "serverRequestAck", requestId } as const;
    assert.deepEqual(readClientMessage(bodyOf(clientFrame(ack))), ack);
  }
  for (const time of [-1, -(2 ** 32), Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]) {
    const alive = { kind: "keepAlive", time } as const;
    assert.deepEqual(readClientMessage(bodyOf(clientFrame(alive))), alive);
  }
  for (const nonce of [1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const continued = { kind: "sessionContinued", nonce } as const;
    assert.deepEqual(readServerMessage(bodyOf(serverFrame(continued))), continued);
  }
  assert.equal(hexOf(clientFrame({ kind: "keepAlive", time: -1 })), `${HEAD}03ffffffffffffffff`);
  const refused = ["0020000000000000", "7fffffffffffffff", "ffffffffffffffff", "8000000000000000"];
  for (const hex of refused) assert.throws(() => fromClient(`05${hex}`), MessageError, hex);
  assert.throws(() => fromClient("030020000000000000"), MessageError);
  assert.throws(() => fromClient("03ffe0000000000000"), MessageError);
  assert.throws(() => fromServer("020000000000000000"), /nonce 0/);
});

Deno.test("what is no message is refused, and lengths are checked before anything is taken", () => {
  const wrong = {
    "another signature": () => readClientMessage(Uint8Array.fromHex("7a72616675010601")),
    "another version": () => readClientMessage(Uint8Array.fromHex("7a72616674020601")),
    "nothing": () => readClientMessage(new Uint8Array(0)),
    "no type": () => fromClient(""),
    "an unknown type": () => fromClient("09"),
    "a type of servers": () => fromClient("210000"),
    "a byte too many": () => fromClient("060100"),
    "a byte too few": () => fromClient("0500000000000000"),
    "a payload of a length below 0": () => fromServer("060000000000000003ffffffff"),
    "a payload of 2 GiB": () => fromServer("0600000000000000037fffffff00"),
    "65,535 capabilities in 4 bytes": () => fromClient("01ffff00000000"),
    "65,535 members in 4 bytes": () => fromServer("21ffff00000000"),
    "a text that is not there": () => fromClient("02ff610000000000000001"),
    "a text that is no UTF-8": () => fromClient("0202c3280000000000000001"),
    "an empty correlation id": () => fromClient("08000000000000000001a3185c5000"),
  };
  for (const [name, read] of Object.entries(wrong)) {
    assert.throws(read, MessageError, name);
  }
});

Deno.test("what cannot be written is refused before a byte of it is", () => {
  const ack = (requestId: number) => clientFrame({ kind: "serverRequestAck", requestId });
  for (const id of [-1, 0.5, NaN, 2 ** 53]) assert.throws(() => ack(id), RangeError);
  assert.throws(() => clientFrame({ kind: "keepAlive", time: Infinity }), RangeError);
  assert.throws(() => clientFrame({ kind: "closeSession", reason: 256 }), RangeError);
  for (const nonce of [0n, 2n ** 63n]) {
    assert.throws(() => serverFrame({ kind: "sessionContinued", nonce }), RangeError);
    const sessionId = "x".repeat(256);
    assert.throws(() => clientFrame({ kind: "continueSession", sessionId, nonce: 1n }), RangeError);
  }
  const empty = { kind: "queryError", correlationId: "", reason: 1 } as const;
  assert.throws(() => serverFrame(empty), RangeError);
});

Deno.test("capabilities keep their rules", () => {
  const many = Array.from({ length: MAX_CAPABILITIES }, (_, i) => [`c${i}`, "1"] as const);
  const whole = "x".repeat(MAX_CAPABILITY_BYTES - 1);
  assert.equal(capabilityProblem(many), undefined);
  assert.equal(capabilityProblem([["a_B-9", "é ="]]), undefined);
  assert.equal(capabilityProblem([["a", whole]]), undefined);
  const problems: [Parameters<typeof capabilityProblem>[0], RegExp][] = [
    [[], /at least one/],
    [[...many, ["more", "1"]], /at most 64 capabilities, got 65/],
    [[["", "1"]], /got ''/],
    [[["a b", "1"]], /got 'a b'/],
    [[["a\n", "1"]], /got 'a\n'/],
    [[["a", ""]], /no value/],
    [[["a", "\ud800"]], /no text/],
    [[["a", "1"], ["a", "2"]], /twice/],
    [[["a", `${whole}x`]], /4097 of 4096 bytes/],
  ];
  for (const [capabilities, problem] of problems) {
    assert.match(capabilityProblem(capabilities) ?? "", problem);
  }
});

Deno.test("any bytes are a message or the one error, and a message is its bytes again", () => {
  const random = new SeededRandom(SEED);
  const samples = [...CLIENT_VECTORS, ...SERVER_VECTORS].map(([hex]) => Uint8Array.fromHex(hex));
  let messages = 0;
  for (let round = 0; round < 20_000; round++) {
    const sample = samples[below(random, samples.length)] as Uint8Array;
    const bytes = random.float() < 0.1
      ? new Uint8Array([...Uint8Array.fromHex(HEAD), ...random.bytes(below(random, 60))])
      : mutated(random, sample);
    const ways = [
      () => bodyOf(clientFrame(readClientMessage(bytes))),
      () => bodyOf(serverFrame(readServerMessage(bytes))),
    ];
    for (const way of ways) {
      try {
        assert.deepEqual(way(), bytes, `seed ${SEED}`);
        messages++;
      } catch (error) {
        if (!(error instanceof MessageError)) throw error;
      }
    }
  }
  assert.ok(messages > 1_000, `${messages} messages`);
});
