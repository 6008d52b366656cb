/**
 * The codec on the messages that decide how fast an agent is, beside npm:@msgpack/msgpack.
 *
 * Run with `deno bench -A bench/msgpack_bench.ts`. The goal: a small request and a small gossip message encoded and
 * decoded in under a microsecond each.
 *
 * @module
 */

import { Decoder, Encoder } from "@msgpack/msgpack";
import {
  decodeMessage,
  encodeMessage,
  MessageType,
  UserEvent,
} from "../cluster/serf/model/messages.ts";
import { EventRequest, MembersResponse, RequestHeader } from "../protocol/ipc/mod.ts";
import {
  bytes,
  decode,
  encode,
  optional,
  Reader,
  Splitter,
  str,
  struct,
  u16,
  u32,
  type Writer,
  written,
} from "../protocol/msgpack/mod.ts";
import { WIRE_VERSIONS } from "../tests/support/versions.ts";

/** docs/spec/memberlist.md 7, message 0. */
const Ping = struct({
  SeqNo: u32,
  Node: str,
  SourceAddr: optional(bytes),
  SourcePort: optional(u16),
  SourceNode: optional(str),
});

const ping = {
  SeqNo: 1,
  Node: "n",
  SourceAddr: Uint8Array.of(127, 0, 0, 1),
  SourcePort: 7946,
  SourceNode: "me",
};
const header = { Command: "members", Seq: 300 };
const members = {
  Members: Array.from({ length: 30 }, (_, i) => ({
    Name: `node-${i}`,
    Addr: Uint8Array.of(10, 0, 0, i),
    Port: 7946,
    Tags: { role: "web", dc: "east" },
    Status: "alive",
    ...WIRE_VERSIONS,
  })),
};

const pingBytes = encode(Ping, ping, "gossip");
const headerBytes = encode(RequestHeader, header, "rpc");
const membersBytes = encode(MembersResponse, members, "rpc");
const encoder = new Encoder();
const decoder = new Decoder();
const lastHeader = RequestHeader.zero();
const splitter = new Splitter(() => {});

/** A small request, header and body, and the message that it becomes. */
const request = { Name: "deploy", Payload: new Uint8Array(32), Coalesce: false };
const requestHeader = { Command: "event", Seq: 300 };
const event = { LTime: 1_000n, Name: "deploy", Payload: new Uint8Array(32), CC: false };
const requestBytes = written("rpc", writeRequest);
const eventBytes = encodeMessage(MessageType.userEvent, UserEvent, event);

function writeRequest(writer: Writer): void {
  RequestHeader.write(writer, requestHeader);
  EventRequest.write(writer, request);
}

Deno.bench("encode", { group: `small request, ${requestBytes.length} bytes` }, () => {
  written("rpc", writeRequest);
});
Deno.bench("decode", { group: `small request, ${requestBytes.length} bytes` }, () => {
  const reader = new Reader(requestBytes);
  RequestHeader.read(reader);
  EventRequest.read(reader);
});
Deno.bench("encode", { group: `user event, ${eventBytes.length} bytes` }, () => {
  encodeMessage(MessageType.userEvent, UserEvent, event);
});
Deno.bench("decode", { group: `user event, ${eventBytes.length} bytes` }, () => {
  decodeMessage(UserEvent, eventBytes);
});

Deno.bench(
  "skein",
  { group: `decode gossip ping, ${pingBytes.length} bytes`, baseline: true },
  () => {
    decode(Ping, pingBytes);
  },
);
Deno.bench("@msgpack/msgpack", { group: `decode gossip ping, ${pingBytes.length} bytes` }, () => {
  decoder.decode(pingBytes);
});

Deno.bench("skein", { group: "decode RPC header", baseline: true }, () => {
  decode(RequestHeader, headerBytes);
});
Deno.bench("skein, over the last header", { group: "decode RPC header" }, () => {
  RequestHeader.readInto(new Reader(headerBytes), lastHeader);
});
Deno.bench("@msgpack/msgpack", { group: "decode RPC header" }, () => {
  decoder.decode(headerBytes);
});

Deno.bench(
  "skein",
  { group: `encode members(30), ${membersBytes.length} bytes`, baseline: true },
  () => {
    encode(MembersResponse, members, "rpc");
  },
);
Deno.bench(
  "@msgpack/msgpack",
  { group: `encode members(30), ${membersBytes.length} bytes` },
  () => {
    encoder.encode(members);
  },
);

Deno.bench("skein", { group: "decode members(30)", baseline: true }, () => {
  decode(MembersResponse, membersBytes);
});
Deno.bench("@msgpack/msgpack", { group: "decode members(30)" }, () => {
  decoder.decode(membersBytes);
});

Deno.bench("skein", { group: "encode gossip ping", baseline: true }, () => {
  encode(Ping, ping, "gossip");
});
Deno.bench("@msgpack/msgpack", { group: "encode gossip ping" }, () => {
  encoder.encode(ping);
});

Deno.bench("find the end of members(30)", { group: "splitter" }, () => {
  splitter.push(membersBytes);
});
Deno.bench("find the end of an RPC header", { group: "splitter" }, () => {
  splitter.push(headerBytes);
});
