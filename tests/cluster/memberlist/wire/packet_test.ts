import assert from "node:assert/strict";
import { addChecksum } from "../../../../cluster/memberlist/wire/checksum.ts";
import { packCompound } from "../../../../cluster/memberlist/wire/compound.ts";
import { compress } from "../../../../cluster/memberlist/wire/compress.ts";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import { addLabel, labelBytes } from "../../../../cluster/memberlist/wire/label.ts";
import {
  openPacket,
  PacketError,
  type PacketErrorKind,
  packetOverhead,
  sealPacket,
} from "../../../../cluster/memberlist/wire/packet.ts";
import { seal } from "../../../../cluster/memberlist/wire/seal.ts";
import { concatBytes } from "../../../../protocol/bytes.ts";
import { packetOptions } from "../../../support/memberlist/packet_options.ts";

const bytes = (hex: string) => Uint8Array.fromHex(hex);
const user = (text: string) => new TextEncoder().encode(`\x08${text}`);

const KEY = new Uint8Array(16).fill(1);
const OTHER_KEY = new Uint8Array(32).fill(2);
const LONG = user("the quick brown fox ".repeat(20));

function assertRefused(
  packet: Uint8Array,
  kind: PacketErrorKind,
  settings = packetOptions(),
): void {
  assert.throws(() => openPacket(packet, settings), (error) => {
    assert.ok(error instanceof PacketError);
    assert.equal(error.kind, kind, error.message);
    return true;
  });
}

/** A compound of any parts, also of those that `packCompound` would not make. */
function compound(...parts: Uint8Array[]): Uint8Array {
  const header = [7, parts.length, ...parts.flatMap(({ length }) => [length >> 8, length & 255])];
  return concatBytes([Uint8Array.from(header), ...parts]);
}

Deno.test("sealPacket() and openPacket() agree under every combination of layers", () => {
  for (const label of ["", "dc1"]) {
    for (const keyring of [undefined, new Keyring(), new Keyring([KEY])]) {
      for (const encryptionVersion of [0, 1] as const) {
        for (const compression of [false, true]) {
          for (const crc of [false, true]) {
            const settings = packetOptions({ label, keyring, encryptionVersion, compression });
            const message = packCompound([user("a"), LONG])[0]!;
            const packet = sealPacket(message, settings, crc);
            assert.deepEqual(openPacket(packet, settings).messages, [user("a"), LONG]);
            if (!compression) {
              const added = packet.length - message.length - (crc ? 5 : 0);
              assert.ok(added <= packetOverhead(settings));
            }
          }
        }
      }
    }
  }
});

Deno.test("sealPacket() of a bare message returns the message", () => {
  const message = user("hello");
  assert.equal(sealPacket(message, packetOptions(), false), message);
  assert.equal(openPacket(message, packetOptions()).messages[0], message);
});

Deno.test("sealPacket() compresses only what gets shorter", () => {
  const settings = packetOptions({ compression: true });
  const random = Uint8Array.from({ length: 300 }, (_, i) => (i * i * 7919) >> 5);
  assert.equal(sealPacket(random, settings, false), random);
  assert.ok(sealPacket(LONG, settings, false).length < LONG.length / 2);
  for (let length = 1; length < 60; length++) {
    const message = new Uint8Array(length).fill(8);
    const wanted = Math.min(length, compress(message).length);
    assert.equal(sealPacket(message, settings, false).length, wanted);
  }
});

Deno.test("sealPacket() refuses an empty message, which would kill an old peer", () => {
  const settings = packetOptions({ keyring: new Keyring([KEY]), compression: true });
  assert.throws(() => sealPacket(new Uint8Array(0), settings, true), RangeError);
});

Deno.test("sealPacket() sends in clear unless outgoing packets are to be verified", () => {
  const settings = packetOptions({ keyring: new Keyring([KEY]), verifyOutgoing: false });
  assert.equal(sealPacket(LONG, settings, false), LONG);
  assert.equal(packetOverhead(settings), 0);
});

Deno.test("packetOverhead() counts label and encryption", () => {
  const keyring = new Keyring([KEY]);
  assert.equal(packetOverhead(packetOptions()), 0);
  assert.equal(packetOverhead(packetOptions({ label: "dc1" })), 5);
  assert.equal(packetOverhead(packetOptions({ keyring: new Keyring() })), 0);
  assert.equal(packetOverhead(packetOptions({ keyring })), 29);
  assert.equal(packetOverhead(packetOptions({ keyring, encryptionVersion: 0, label: "dc1" })), 50);
});

Deno.test("openPacket() reads compressions and compounds in any nesting", () => {
  const [x, y] = [user("x"), user("y")];
  const cases: [Uint8Array, Uint8Array[]][] = [
    [addChecksum(compress(x)), [x]],
    [compress(compress(x)), [x]],
    [compound(compress(compound(x, y)), x), [x, y, x]],
    [compound(x), [x]],
    [compound(compound(x, y), compound(y)), [x, y, y]],
  ];
  for (const [packet, messages] of cases) {
    assert.deepEqual(openPacket(packet, packetOptions()), { messages, problems: [] });
  }
});

Deno.test("openPacket() hands on a nested checksum or label as a message of that type", () => {
  const nested = addChecksum(user("x"));
  assert.deepEqual(openPacket(compress(nested), packetOptions()).messages, [nested]);
  assert.deepEqual(openPacket(addChecksum(nested), packetOptions()).messages, [nested]);
  const labelled = addLabel(labelBytes("dc1"), user("x"));
  assert.deepEqual(openPacket(compound(labelled), packetOptions()).messages, [labelled]);
});

Deno.test("openPacket() does not take four bytes of type 12 for a checksum", () => {
  const message = bytes("0c010203");
  assert.deepEqual(openPacket(message, packetOptions()).messages, [message]);
});

Deno.test("openPacket() keeps the good parts of a compound and tells what was wrong with the others", () => {
  const x = user("x");
  const cut = compound(x, user("yyyy"), user("z")).subarray(0, 12);
  assert.deepEqual(openPacket(cut, packetOptions()), {
    messages: [x],
    problems: ["Compound message is short of 2 parts"],
  });
  assert.deepEqual(openPacket(compound(new Uint8Array(0), x), packetOptions()), {
    messages: [x],
    problems: ["Compound message has 1 empty parts"],
  });
  const opened = openPacket(
    compound(bytes("09c0"), x, bytes("0907"), bytes("07")),
    packetOptions(),
  );
  assert.deepEqual(opened.messages, [x]);
  assert.equal(opened.problems.length, 3);
});

Deno.test("openPacket() refuses packets in which nothing is usable", () => {
  assertRefused(new Uint8Array(0), "malformed");
  assertRefused(bytes("0c00000000"), "malformed");
  assertRefused(bytes("07"), "malformed");
  assertRefused(bytes("0700"), "malformed");
  assertRefused(bytes("07010000"), "malformed");
  assertRefused(bytes("070200010001"), "malformed");
  assertRefused(bytes("09"), "malformed");
  assertRefused(compress(new Uint8Array(0)), "malformed");
  assertRefused(compound(compress(compound())), "malformed");
  assertRefused(bytes("f4036463"), "label");
  assertRefused(
    concatBytes([bytes("f403"), new TextEncoder().encode("dc1")]),
    "malformed",
    packetOptions({ label: "dc1" }),
  );
});

Deno.test("openPacket() refuses a wrong checksum", () => {
  const packet = addChecksum(user("x"));
  packet[6]! ^= 1;
  assertRefused(packet, "checksum");
});

Deno.test("openPacket() refuses another label, also an encrypted one", () => {
  const keyring = new Keyring([KEY]);
  for (const settings of [packetOptions(), packetOptions({ keyring })]) {
    const packet = sealPacket(LONG, { ...settings, label: labelBytes("dc1") }, true);
    assertRefused(packet, "label", settings);
    assertRefused(packet, "label", { ...settings, label: labelBytes("dc2") });
    assertRefused(sealPacket(LONG, settings, true), "label", {
      ...settings,
      label: labelBytes("dc1"),
    });
  }
});

Deno.test("openPacket() authenticates the label", () => {
  const settings = packetOptions({ keyring: new Keyring([KEY]), label: "dc1" });
  const sealedWithout = seal(LONG, KEY, 1, new Uint8Array(0), settings.random);
  assertRefused(addLabel(labelBytes("dc1"), sealedWithout), "decrypt", settings);
});

Deno.test("openPacket() with keys reads both encryption versions and every key", () => {
  const receiver = packetOptions({ keyring: new Keyring([OTHER_KEY, KEY]), encryptionVersion: 1 });
  for (const encryptionVersion of [0, 1] as const) {
    for (const key of [KEY, OTHER_KEY]) {
      const sender = packetOptions({ keyring: new Keyring([key]), encryptionVersion });
      assert.deepEqual(openPacket(sealPacket(LONG, sender, true), receiver).messages, [LONG]);
    }
  }
});

Deno.test("openPacket() with keys drops what it cannot decrypt, or reads it as plain when asked to", () => {
  const strict = packetOptions({ keyring: new Keyring([KEY]) });
  const lenient = { ...strict, verifyIncoming: false };
  assertRefused(LONG, "decrypt", strict);
  assertRefused(bytes("08"), "decrypt", strict);
  assert.deepEqual(openPacket(LONG, lenient).messages, [LONG]);
  assert.deepEqual(openPacket(bytes("08"), lenient).messages, [bytes("08")]);
  const foreign = sealPacket(LONG, packetOptions({ keyring: new Keyring([OTHER_KEY]) }), false);
  assertRefused(foreign, "decrypt", strict);
  // As plain text it is a message of type 1, which its receiver will not be able to decode.
  assert.deepEqual(openPacket(foreign, lenient).messages, [foreign]);
});

Deno.test("openPacket() refuses an encrypted packet of nothing", () => {
  const settings = packetOptions({ keyring: new Keyring([KEY]) });
  for (const version of [0, 1] as const) {
    const packet = seal(new Uint8Array(0), KEY, version, new Uint8Array(0), settings.random);
    assertRefused(packet, "malformed", settings);
  }
});

Deno.test("openPacket() bounds the depth of nesting", () => {
  let packet: Uint8Array = user("x");
  for (let depth = 0; depth < 8; depth++) packet = compound(packet);
  assert.equal(openPacket(packet, packetOptions()).messages.length, 1);
  assertRefused(compound(packet), "malformed");
  for (let depth = 0; depth < 5000; depth++) packet = compound(packet);
  assertRefused(packet, "malformed");
});

Deno.test("openPacket() bounds what a packet decompresses to, over all of its parts", () => {
  const half = compress(new Uint8Array(600 * 1024).fill(8));
  assert.equal(openPacket(half, packetOptions()).messages.length, 1);
  const opened = openPacket(compound(half, half, user("x")), packetOptions());
  assert.equal(opened.messages.length, 2);
  assert.match(opened.problems[0]!, /decompresses to more than/);
});

Deno.test("openPacket() bounds the number of messages and of problems", () => {
  const parts = Array.from({ length: 255 }, () => bytes("08"));
  const many = Array.from({ length: 20 }, () => compound(...parts));
  const opened = openPacket(compound(...many), packetOptions());
  assert.equal(opened.messages.length, 4096);
  assert.equal(opened.problems.length, 8);
  assert.equal(opened.problems[0], "Packet holds more than 4096 messages");
});
