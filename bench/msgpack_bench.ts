/**
 * The codec on the messages that decide how fast an agent is, beside npm:@msgpack/msgpack.
 *
 * Run with `deno bench -A bench/msgpack_bench.ts`. The goals: a 60-byte gossip message and an RPC header
 * decoded in under a microsecond.
 *
 * @module
 */

import { Decoder, Encoder } from "@msgpack/msgpack";
import { MembersResponse, RequestHeader } from "../protocol/ipc.ts";
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
} from "../protocol/msgpack/mod.ts";

/** memberlist.md 7, message 0. */
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
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 5,
  })),
};

const pingBytes = encode(Ping, ping, "gossip");
const headerBytes = encode(RequestHeader, header, "rpc");
const membersBytes = encode(MembersResponse, members, "rpc");
const encoder = new Encoder();
const decoder = new Decoder();
const lastHeader = RequestHeader.zero();
const splitter = new Splitter(() => {});

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
