/**
 * The layers of a gossip packet: what sealing and opening one costs.
 *
 * Run with `deno bench -A bench/packet_bench.ts`.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { Keyring } from "../cluster/memberlist/wire/keyring.ts";
import { compressLzw, decompressLzw } from "../cluster/memberlist/wire/lzw.ts";
import { openPacket, sealPacket } from "../cluster/memberlist/wire/packet.ts";
import { packetOptions } from "../tests/support/memberlist/packet_options.ts";

const random = { float: Math.random, bytes: randomBytes };
const plain = packetOptions({ random });
const encrypted = packetOptions({ random, keyring: new Keyring([randomBytes(32)]) });

/** A user message of 1,000 bytes that compresses to about half, as a batch of gossip does. */
const message = Uint8Array.from({ length: 1000 }, (_, i) => i === 0 ? 8 : (i * i) % 97);
const compressed = compressLzw(message);

for (const [name, options] of [["plain", plain], ["encrypted", encrypted]] as const) {
  const packet = sealPacket(message, options, true);
  Deno.bench(`seal 1,000 bytes, ${name}`, { group: "seal" }, () => {
    sealPacket(message, options, true);
  });
  Deno.bench(`open 1,000 bytes, ${name}`, { group: "open" }, () => {
    openPacket(packet, options);
  });
}
Deno.bench("compress 1,000 bytes", { group: "lzw" }, () => {
  compressLzw(message);
});
Deno.bench("decompress 1,000 bytes", { group: "lzw" }, () => {
  decompressLzw(compressed, 1000);
});
