import assert from "node:assert/strict";
import { compress } from "../../../../cluster/memberlist/wire/compress.ts";
import {
  ExpansionBudget,
  PACKET_EXPANSION,
  STREAM_EXPANSION,
} from "../../../../cluster/memberlist/wire/expansion_budget.ts";
import { openPacket, PacketError } from "../../../../cluster/memberlist/wire/packet.ts";
import { StreamReader } from "../../../../cluster/memberlist/wire/stream.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { packetOptions } from "../../../support/memberlist/packet_options.ts";
import { streamOf } from "../../../support/memberlist/stream_pair.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

const options = packetOptions();

/** How many of so many packets from a source get through. */
function opened(budget: ExpansionBudget, source: string, packet: Uint8Array, count: number) {
  let usable = 0;
  for (let i = 0; i < count; i++) {
    try {
      openPacket(packet, options, budget, source);
      usable++;
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
    }
  }
  return usable;
}

Deno.test("of a thousand bombs a second few are decompressed, of one source or of many", () => {
  const clock = new ManualClock();
  const budget = new ExpansionBudget(clock, PACKET_EXPANSION);
  const bomb = compress(new Uint8Array(MIB - 1));
  assert.equal(opened(budget, "10.0.0.1", bomb, 1_000), 1);
  clock.advanceSync(1_000);
  assert.equal(opened(budget, "10.0.0.1", bomb, 1_000), 1);
  clock.advanceSync(1_000);
  let usable = 0;
  for (let i = 0; i < 1_000; i++) usable += opened(budget, `10.1.${i >> 8}.${i & 255}`, bomb, 1);
  assert.equal(usable, 8);
});

Deno.test("a bomb that bursts its bounds costs what it made", () => {
  const budget = new ExpansionBudget(new ManualClock(), PACKET_EXPANSION);
  assert.equal(opened(budget, "a", compress(new Uint8Array(2 * MIB)), 1), 0);
  assert.ok(budget.room("a") < 64 * KIB);
  assert.equal(budget.room("b"), MIB);
});

Deno.test("packets up to 16 KiB are opened at any rate", () => {
  const budget = new ExpansionBudget(new ManualClock(), PACKET_EXPANSION);
  opened(budget, "10.0.0.1", compress(new Uint8Array(MIB)), 1_000);
  assert.equal(opened(budget, "10.0.0.1", compress(new Uint8Array(16 * KIB)), 2_000), 2_000);
});

Deno.test("streams of one source decompress to 40 MiB at once, then to 4 MiB a second", async () => {
  const clock = new ManualClock();
  const expansion = new ExpansionBudget(clock, STREAM_EXPANSION);
  const bomb = compress(new Uint8Array(10 * MIB));
  const read = () => new StreamReader(streamOf(bomb), options, { expansion }).readMessage(true);
  for (let i = 0; i < 4; i++) await read();
  await assert.rejects(read, { kind: "too-large" });
  clock.advanceSync(2_600);
  await read();
});
