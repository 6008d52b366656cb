/**
 * Random and mutated bytes into memberlist's packets, streams, compression, messages and address texts:
 * the only things that may come out are results within their bounds and the declared errors.
 *
 * SKEIN_SEED repeats a run, SKEIN_FUZZ_MS makes it longer (6,000 by default).
 */

import assert from "node:assert/strict";
import { cidrContains, parseCidr } from "../../cluster/memberlist/core/cidr.ts";
import { addChecksum } from "../../cluster/memberlist/wire/checksum.ts";
import { compress } from "../../cluster/memberlist/wire/compress.ts";
import { Keyring } from "../../cluster/memberlist/wire/keyring.ts";
import { labelBytes } from "../../cluster/memberlist/wire/label.ts";
import { compressLzw, decompressLzw, LzwError } from "../../cluster/memberlist/wire/lzw.ts";
import {
  Compress,
  MessageType,
  PushNodeState,
  PushPullHeader,
  UserHeader,
} from "../../cluster/memberlist/wire/messages.ts";
import {
  openPacket,
  packCompound,
  PacketError,
  type PacketOptions,
  sealPacket,
} from "../../cluster/memberlist/wire/packet.ts";
import { loadCiphers } from "../../cluster/memberlist/wire/seal.ts";
import {
  decodePushPull,
  decodeUserStream,
  encodePushPull,
  sealStream,
  StreamError,
  type StreamMessage,
  StreamReader,
} from "../../cluster/memberlist/wire/stream.ts";
import { NO_BYTES } from "../../protocol/bytes.ts";
import { joinHostPort, portNumber, splitHostPort } from "../../protocol/host_port.ts";
import { AddressError, addrToHost, hostToAddr, isIpAddress } from "../../protocol/ip.ts";
import { type Codec, decode, DecodeError, encode } from "../../protocol/msgpack/mod.ts";
import { alone } from "../support/alone.ts";
import { streamOf } from "../support/memberlist/stream_pair.ts";
import { CODECS, VECTORS } from "../support/memberlist/wire_vectors.ts";
import { mutated } from "../support/mutate.ts";
import { below } from "../support/random_value.ts";
import { SeededRandom } from "../support/simulation/random.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

await loadCiphers();

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 6_000);

/** What one packet may cost at most; far above the usual, because other tests run beside this one. */
const MAX_PACKET_MS = 1_000;
const MAX_GROWTH_BYTES = 256 * 1024 * 1024;

const KEYS = [16, 24, 32].map((length) => new Uint8Array(length).fill(length));
const LABELS = ["", "", "dc1"].map(labelBytes);

const ALL_CODECS: Codec<unknown>[] = [
  ...Object.values(CODECS),
  ...[Compress, PushNodeState, PushPullHeader, UserHeader] as Codec<unknown>[],
];

const PACKETS = VECTORS.filter((vector) => vector.transport === "udp");
const STREAMS = VECTORS.filter((vector) => vector.transport === "tcp");

/** Messages without any layer, as seeds for those that get new layers around their mutations. */
const MESSAGES = PACKETS.flatMap(({ bytes, options }) => [...openPacket(bytes, options).messages]);

test("garbage into the wire layers gives results within bounds or declared errors", async () => {
  console.log(`fuzz wire: SKEIN_SEED=${SEED}`);
  const random = new SeededRandom(SEED);
  const startBytes = Deno.memoryUsage().rss;
  const end = performance.now() + DURATION_MS;
  let rounds = 0;
  for (; performance.now() < end; rounds++) {
    try {
      fuzzPacket(random);
      fuzzLzw(random);
      fuzzMessages(random);
      fuzzAddresses(random);
      await fuzzStream(random);
    } catch (cause) {
      throw new Error(`SKEIN_SEED=${SEED} round ${rounds}`, { cause });
    }
  }
  assert.ok(rounds > 100);
  assert.ok(Deno.memoryUsage().rss - startBytes < MAX_GROWTH_BYTES, "memory stays bounded");
});

Deno.test("small packets and streams that unfold to much are refused soon", async () => {
  const options = randomOptions(new SeededRandom(1), { label: NO_BYTES, keyring: undefined });
  const zeros = compress(new Uint8Array(48 * 1024 * 1024).fill(MessageType.user));
  assert.ok(zeros.length < 64 * 1024);
  const started = performance.now();
  assert.throws(() => openPacket(zeros, options), PacketError);
  assert.ok(performance.now() - started < MAX_PACKET_MS);

  const reading = new StreamReader(streamOf(zeros), options).readMessage(true);
  await assert.rejects(reading, StreamError);

  const compounds = packCompound(Array.from({ length: 127 }, () => Uint8Array.of(8)))[0]!;
  let nested = compounds;
  for (let depth = 0; depth < 3; depth++) {
    nested = packCompound(Array.from({ length: 100 }, () => compress(nested)))[0]!;
  }
  const opened = openPacket(nested, options);
  assert.ok(opened.messages.length <= 4096);
});

function fuzzPacket(random: SeededRandom): void {
  const [packet, options] = randomPacket(random);
  const started = performance.now();
  const opened = attempt(() => openPacket(packet, options), PacketError, packet);
  assert.ok(performance.now() - started < MAX_PACKET_MS, `slow: ${packet.toHex()}`);
  if (opened === undefined) return;
  assert.ok(opened.messages.length > 0);
  assert.ok(opened.problems.length <= 8);
  let total = 0;
  for (const message of opened.messages) {
    assert.ok(message.length > 0, "no message is empty");
    total += message.length;
    const codec = CODECS[message[0] as number];
    if (codec !== undefined) attempt(() => decode(codec, message, 1), DecodeError, message);
  }
  assert.ok(total <= packet.length + 1024 * 1024);
}

/** A packet that is garbage outside, inside some layers or not at all, and settings that may fit. */
function randomPacket(random: SeededRandom): [Uint8Array, PacketOptions] {
  const options = randomOptions(random);
  switch (below(random, 4)) {
    case 0:
      return [random.bytes(below(random, 100)), options];
    case 1: {
      const sample = pick(random, PACKETS);
      return [mutated(random, sample.bytes), sample.options];
    }
    default: {
      const message = nested(random, 3);
      if (message.length === 0) return [message, options];
      const packet = sealPacket(message, options, random.float() < 0.5);
      return [random.float() < 0.9 ? packet : mutated(random, packet), options];
    }
  }
}

/** A message, or a few of them, in wrappers of all kinds, each of which may be damaged. */
function nested(random: SeededRandom, depth: number): Uint8Array {
  if (depth === 0 || random.float() < 0.3) return mutated(random, pick(random, MESSAGES));
  const inner = () => nested(random, depth - 1);
  switch (below(random, 5)) {
    case 0:
      return maybeMutated(random, compress(inner()));
    case 1:
      return addChecksum(inner());
    default: {
      const parts = Array.from({ length: 2 + below(random, 4) }, inner);
      return maybeMutated(random, packCompound(parts)[0] ?? new Uint8Array(0));
    }
  }
}

function fuzzLzw(random: SeededRandom): void {
  const limit = below(random, 5000);
  const source = random.float() < 0.5 ? repetitive(random) : pick(random, MESSAGES);
  const whole = compressLzw(source);
  assert.deepEqual(decompressLzw(whole, source.length), source);
  const input = random.float() < 0.3 ? random.bytes(below(random, 300)) : mutated(random, whole);
  const output = attempt(() => decompressLzw(input, limit), LzwError, input);
  if (output !== undefined) assert.ok(output.length <= limit);
}

/** Bytes of a small alphabet, which fill the tables soon. */
function repetitive(random: SeededRandom): Uint8Array {
  const alphabet = 1 + below(random, 6);
  return random.bytes(below(random, 8000)).map((byte) => byte % alphabet);
}

function fuzzMessages(random: SeededRandom): void {
  const input = mutated(random, pick(random, MESSAGES));
  for (const codec of ALL_CODECS) {
    const value = attempt(() => decode(codec, input, 1), DecodeError, input);
    // What was read can be sent on.
    if (value !== undefined) decode(codec, encode(codec, value, "gossip"));
  }
}

async function fuzzStream(random: SeededRandom): Promise<void> {
  const [input, options] = randomStream(random);
  const chunkBytes = 1 + below(random, random.float() < 0.5 ? 4 : 2000);
  const expectLabel = random.float() < 0.8;
  try {
    const reader = new StreamReader(streamOf(input, chunkBytes), options);
    await decodeBody(await reader.readMessage(expectLabel));
  } catch (error) {
    if (!(error instanceof StreamError)) throw new Error(input.toHex(), { cause: error });
  }
}

async function decodeBody({ type, body }: StreamMessage): Promise<void> {
  const codec = CODECS[type];
  if (codec !== undefined) await body.value(codec);
  if (type === MessageType.user) await decodeUserStream(body);
  if (type === MessageType.pushPull) {
    const state = await decodePushPull(body);
    // What was read can be sent on.
    encodePushPull(state);
  }
}

function randomStream(random: SeededRandom): [Uint8Array, PacketOptions] {
  const sample = pick(random, STREAMS);
  switch (below(random, 3)) {
    case 0:
      return [random.bytes(below(random, 200)), randomOptions(random)];
    case 1:
      return [mutated(random, sample.bytes), sample.options];
    default: {
      const options = randomOptions(random);
      const plain = STREAMS.find(({ name }) => name === "tcp-pushpull-response-plain")!.bytes;
      const message = mutated(random, random.float() < 0.5 ? plain : pick(random, MESSAGES));
      return [message.length > 0 ? sealStream(message, options, true) : message, options];
    }
  }
}

function fuzzAddresses(random: SeededRandom): void {
  const addr = random.bytes(below(random, 20)).map((byte) => byte < 128 ? 0 : byte);
  const host = addrToHost(addr);
  if (isIpAddress(addr)) {
    assert.equal(addrToHost(hostToAddr(host)), host);
    const port = below(random, 65536);
    assert.deepEqual(splitHostPort(joinHostPort(host, port)), { host, port: String(port) });
    assert.ok(cidrContains(parseCidr(`${host}/${below(random, 33)}`), addr));
  }
  const alphabet = "0123456789af:./[]%g -";
  const text = Array.from(random.bytes(below(random, 24)), (byte) => {
    return alphabet[byte % alphabet.length];
  }).join("");
  const bytes = new TextEncoder().encode(text);
  attempt(() => hostToAddr(text), AddressError, bytes);
  attempt(() => parseCidr(text), AddressError, bytes);
  const parts = splitHostPort(text);
  if (typeof parts !== "string") assert.match(text, /^\[?[^[\]]*\]?:[^:]*$/);
  portNumber(text);
}

function randomOptions(
  random: SeededRandom,
  fixed: Partial<PacketOptions> = {},
): PacketOptions {
  return {
    label: pick(random, LABELS),
    keyring: random.float() < 0.6 ? undefined : new Keyring([pick(random, KEYS)]),
    verifyIncoming: random.float() < 0.8,
    verifyOutgoing: random.float() < 0.8,
    compression: random.float() < 0.5,
    encryptionVersion: random.float() < 0.5 ? 0 : 1,
    random,
    ...fixed,
  };
}

function maybeMutated(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  return random.float() < 0.3 ? mutated(random, bytes) : bytes;
}

function pick<T>(random: SeededRandom, items: readonly T[]): T {
  return items[below(random, items.length)] as T;
}

/** The result, or `undefined` when the declared error was thrown; any other error fails with the input. */
function attempt<T>(
  run: () => T,
  // deno-lint-ignore no-explicit-any
  declared: new (...args: any[]) => Error,
  input: Uint8Array,
): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof declared) return undefined;
    throw new Error(`Input ${input.toHex()}`, { cause: error });
  }
}
