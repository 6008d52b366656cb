/**
 * A codec of another make, from the description of the wire alone, agrees on the frames of topics, both ways.
 *
 * @module
 */

import assert from "node:assert/strict";
import { gunzipSync, inflateSync } from "node:zlib";
import {
  CODEC,
  type EncodedMessages,
  FrameWriter,
  type Message,
  readMessages,
  readReply,
  readReplyHead,
  readRequest,
  type Replies,
  type RequestKind,
  type Requests,
  writeMessage,
  writeReply,
  writeRequest,
} from "../../protocol/topics/mod.ts";
import { toolTest } from "../support/interop/tools.ts";
import { SeededRandom } from "../support/simulation/random.ts";
import { RandomFrames } from "../support/topics/random_frames.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const PROGRAM = new URL("topics_codec.py", import.meta.url).pathname;
const FRAMES = 10_000;

/** What the other codec says, and is told, of a frame. */
interface Said {
  readonly frame: string;
  readonly id: string;
  readonly kind: RequestKind;
  readonly version: number;
  readonly flags: number;
  readonly body?: Plain;
  readonly reply?: Plain;
}

/** A request or a reply as JSON has it: bytes as hex, integers of 64 bits as texts. */
type Plain = Readonly<Record<string, unknown>>;

toolTest(
  ["python3"],
  "another codec agrees on 10,000 random frames of ours and 10,000 of its own",
  async () => {
    const lines = Array.from(ourFrames(), (said) => `${JSON.stringify(said)}\n`);
    const child = new Deno.Command("python3", {
      args: [PROGRAM, `${FRAMES}`],
      stdin: "piped",
      stdout: "piped",
      signal: AbortSignal.timeout(60_000),
    }).spawn();
    const told = new Blob(lines).stream().pipeTo(child.stdin).catch(() => {
      // It has found a frame that it reads otherwise, and says which.
    });
    const { success, stdout } = await child.output();
    await told;
    assert.ok(success, `seed ${SEED}`);
    const theirs = new TextDecoder().decode(stdout).trimEnd().split("\n");
    assert.equal(theirs.length, FRAMES);
    const kinds = new Set<string>();
    for (const line of theirs) {
      const said: Said = JSON.parse(line);
      assert.deepEqual(frameOf(said), Uint8Array.fromHex(said.frame), line);
      assert.deepEqual(readAs(said), sayable(said), line);
      kinds.add(`${said.kind} ${said.version} ${said.flags & 2} ${said.body === undefined}`);
    }
    assert.equal(
      kinds.size,
      2 * (2 * 7 + 15 + 2),
      "requests and replies of all kinds and versions",
    );
  },
);

/** Random frames, each as a request or a reply. */
function* ourFrames(): Generator<Said> {
  const random = new RandomFrames(new SeededRandom(SEED));
  const writer = new FrameWriter();
  for (let i = 0; i < FRAMES; i++) {
    const { kind, version, flags: own } = random.kind();
    const id = random.near(0, Number.MAX_SAFE_INTEGER);
    const flags = random.below(2) * 0x8009 | own;
    const head = { id: `${id}`, kind, version, flags };
    writer.reset();
    if (i % 2 === 0) {
      const body = random.request(kind, version, flags);
      writeRequest(writer, id, kind, body, { version, flags });
      yield { frame: writer.view().toHex(), ...head, body: plain(body, version) };
    } else {
      const reply = random.reply(kind, version, flags);
      writeReply(writer, id, kind, version, reply, flags);
      yield { frame: writer.view().toHex(), ...head, reply: plain(reply, version) };
    }
  }
}

/** The frame that our codec makes of what is said. */
function frameOf({ id, kind, version, flags, body, reply }: Said): Uint8Array<ArrayBuffer> {
  const writer = new FrameWriter();
  const number = BigInt(id);
  if (body === undefined) {
    const value = valueOf(
      { atTime: -1, codec: 0, ...reply },
      version,
    ) as unknown as Replies[typeof kind];
    writeReply(writer, number, kind, version, value, flags);
  } else {
    const nothing = {
      acks: -1,
      timeoutMs: 0,
      codec: 0,
      minBytes: 0,
      maxWaitMs: 0,
      time: undefined,
    };
    const value = valueOf({ ...nothing, ...body }, version) as unknown as Requests[typeof kind];
    writeRequest(writer, number, kind, value, { version, flags });
  }
  return writer.finish();
}

/** What our codec reads in a frame. */
function readAs({ frame, kind, version, flags, body, reply = {} }: Said): Partial<Said> {
  const bytes = Uint8Array.fromHex(frame).subarray(4);
  if (body === undefined) {
    const head = readReplyHead(bytes);
    const value = plain(readReply(head.payload, kind, version, flags), version);
    return { id: `${head.id}`, reply: only(value, reply) };
  }
  const request = readRequest(bytes);
  return { ...request, id: `${request.id}`, body: only(plain(request.body, version), body) };
}

function sayable({ frame: _, flags, kind, version, ...said }: Said): Partial<Said> {
  return said.body === undefined ? said : { ...said, flags, kind, version };
}

/** Without what the first version does not say. */
function only(value: Plain, names: Plain): Plain {
  return Object.fromEntries(Object.keys(names).map((name) => [name, value[name]]));
}

/** A request or a reply as JSON has it. */
function plain(value: object, version: number): Plain {
  if ("time" in value) return { ...value, time: value.time === undefined ? null : `${value.time}` };
  if ("parts" in value) return inParts(value as Plain, (part) => plain(part, version));
  if (!("messages" in value)) return value as Plain;
  const { codec = CODEC.none, messages: set } = value as {
    codec?: number;
    messages: EncodedMessages;
  };
  const inflated = [set.bytes, gunzipSync, inflateSync][codec];
  const bytes = typeof inflated === "function" ? inflated(set.bytes) : set.bytes;
  const messages = readMessages({ count: set.count, bytes }, version === 2).map((one) => ({
    ...one,
    timestamp: `${one.timestamp}`,
    key: one.key?.toHex() ?? null,
    value: one.value?.toHex() ?? null,
    headers: one.headers.map(([name, bytes]) => [name, bytes.toHex()]),
  }));
  const producer = "producer" in value ? { producer: value.producer ?? null } : {};
  const packed = { count: set.count, packed: set.bytes.toHex(), plain: messages };
  return { ...value, ...producer, messages: codec === CODEC.none ? messages : packed };
}

/** With something else for each of its parts. */
function inParts(value: Plain, change: (part: Plain) => Plain): Plain {
  return { ...value, parts: (value.parts as readonly Plain[]).map(change) };
}

/** The request or the reply that {@linkcode plain} makes this of. */
function valueOf(value: Plain, version: number): Plain {
  if ("parts" in value) return inParts(value, (part) => valueOf(part, version));
  if (typeof value.time === "string") return { ...value, time: BigInt(value.time) };
  if (!("messages" in value)) return { ...value, ...value.time === null && { time: undefined } };
  const producer = value.producer ?? undefined;
  if (!Array.isArray(value.messages)) {
    const { count, packed } = value.messages as { count: number; packed: string };
    return { ...value, producer, messages: { count, bytes: Uint8Array.fromHex(packed) } };
  }
  const writer = new FrameWriter();
  const messages = value.messages as {
    readonly offset: number;
    readonly timestamp: string;
    readonly key: string | null;
    readonly value: string | null;
    readonly headers: readonly (readonly [string, string])[];
  }[];
  for (const one of messages) {
    const message: Message = {
      offset: one.offset,
      timestamp: BigInt(one.timestamp),
      key: one.key === null ? null : Uint8Array.fromHex(one.key),
      value: one.value === null ? null : Uint8Array.fromHex(one.value),
      headers: one.headers.map(([name, hex]) => [name, Uint8Array.fromHex(hex)]),
    };
    writeMessage(writer, message, version === 2);
  }
  const set = { count: messages.length, bytes: writer.finish() };
  return { ...value, producer, messages: set };
}
