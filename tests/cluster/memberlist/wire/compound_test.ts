import assert from "node:assert/strict";
import {
  CompoundError,
  packCompound,
  splitCompound,
} from "../../../../cluster/memberlist/wire/compound.ts";

const part = (length: number, value = 8) => new Uint8Array(length).fill(value);
const bytes = (hex: string) => Uint8Array.fromHex(hex);

Deno.test("packCompound() sends a single message bare and nothing for none", () => {
  assert.deepEqual(packCompound([]), []);
  const message = part(3);
  assert.equal(packCompound([message])[0], message);
});

Deno.test("packCompound() puts count and lengths in front of the messages", () => {
  const packed = packCompound([part(1, 1), part(2, 2), part(300, 3)]);
  assert.equal(packed.length, 1);
  assert.equal(packed[0]!.subarray(0, 11).toHex(), "0703" + "00010002012c" + "010202");
  assert.equal(packed[0]!.length, 8 + 1 + 2 + 300);
});

Deno.test("packCompound() puts at most 127 messages into a packet, in order", () => {
  const messages = Array.from(
    { length: 300 },
    (_, i) => bytes(`08${(i & 255).toString(16).padStart(2, "0")}`),
  );
  const packets = packCompound(messages);
  assert.deepEqual(packets.map((packet) => packet[1]), [127, 127, 46]);
  const again = packets.flatMap((packet) => splitCompound(packet).parts);
  assert.deepEqual(again, messages);
  // The one that is left over goes bare.
  assert.equal(packCompound(messages.slice(0, 128))[1], messages[127]);
});

Deno.test("packCompound() leaves out empty messages", () => {
  const message = part(2);
  assert.deepEqual(packCompound([part(0), message, part(0)]), [message]);
  assert.deepEqual(packCompound([part(0)]), []);
});

Deno.test("packCompound() sends a message beyond 65535 bytes bare, in its place", () => {
  const [small, large] = [part(2), part(65536)];
  assert.deepEqual(packCompound([small, large, small]), [small, large, small]);
  assert.equal(packCompound([small, part(65535)]).length, 1);
});

Deno.test("splitCompound() reads up to 255 parts and ignores what follows them", () => {
  const parts = Array.from({ length: 255 }, () => "0001").join("");
  const packet = bytes(`07ff${parts}${"08".repeat(255)}ffff`);
  const split = splitCompound(packet);
  assert.equal(split.parts.length, 255);
  assert.equal(split.truncated, 0);
});

Deno.test("splitCompound() keeps the parts before the one that is cut off", () => {
  const split = splitCompound(bytes("0704" + "0001000200030001" + "08" + "0808" + "0808"));
  assert.deepEqual(split, { parts: [part(1), part(2)], truncated: 2, empty: 0 });
});

Deno.test("splitCompound() skips parts without bytes", () => {
  const split = splitCompound(bytes("0703" + "000000010000" + "08"));
  assert.deepEqual(split, { parts: [part(1)], truncated: 0, empty: 2 });
  assert.deepEqual(splitCompound(bytes("0700")), { parts: [], truncated: 0, empty: 0 });
});

Deno.test("splitCompound() refuses a packet without its table of lengths", () => {
  for (const hex of ["07", "0701", "070100", "07020001ff", "07ff"]) {
    assert.throws(() => splitCompound(bytes(hex)), CompoundError, hex);
  }
});
