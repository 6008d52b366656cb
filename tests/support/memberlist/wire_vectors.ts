/**
 * The captured packets and streams of `tests/vectors/memberlist.json`, in a form that tests can compare.
 *
 * @module
 */

import { Keyring } from "../../../cluster/memberlist/wire/keyring.ts";
import {
  Ack,
  Alive,
  Dead,
  ErrorReply,
  IndirectPing,
  MessageType,
  Nack,
  Ping,
  Suspect,
} from "../../../cluster/memberlist/wire/messages.ts";
import type { PacketOptions } from "../../../cluster/memberlist/wire/packet.ts";
import type { Codec } from "../../../protocol/msgpack/mod.ts";
import samples from "../../vectors/memberlist.json" with { type: "json" };
import { packetOptions } from "./packet_options.ts";

/** A message as the sample file describes it; byte strings are `hex:...`. */
export interface Described {
  type: number;
  body?: Record<string, unknown>;
  header?: Record<string, unknown>;
  nodes?: Record<string, unknown>[];
  userStateHex?: string;
  payloadHex?: string;
}

/** One sample. */
export interface Vector {
  name: string;
  transport: "udp" | "tcp";
  bytes: Uint8Array;
  /** The messages inside, in order. */
  messages: Described[];
  /** Settings that open it, and that make the same bytes when the messages are sealed again. */
  options: PacketOptions;
  hasCrc: boolean;
  hasLabel: boolean;
}

/** The codecs of the messages whose whole body is one struct. */
export const CODECS: Readonly<Record<number, Codec<unknown>>> = {
  [MessageType.ping]: Ping as Codec<unknown>,
  [MessageType.indirectPing]: IndirectPing as Codec<unknown>,
  [MessageType.ack]: Ack as Codec<unknown>,
  [MessageType.nack]: Nack as Codec<unknown>,
  [MessageType.suspect]: Suspect as Codec<unknown>,
  [MessageType.alive]: Alive as Codec<unknown>,
  [MessageType.dead]: Dead as Codec<unknown>,
  [MessageType.err]: ErrorReply as Codec<unknown>,
};

// deno-lint-ignore no-explicit-any
type Json = any;

/** All samples. */
export const VECTORS: readonly Vector[] = samples.map((sample: Json): Vector => {
  const bytes = Uint8Array.fromHex(sample.hex);
  const layers: Json[] = sample.decoded.layers ?? [sample.decoded];
  const find = (key: string): Json => layers.find((layer) => layer[key] !== undefined)?.[key];
  const label: string = find("label") ?? labelOfAad(find("encryptHeader")?.aadHex);
  const sealed = find("encrypted") ?? find("encryptHeader");
  const innermost: Json = layers[layers.length - 1];
  return {
    name: sample.name,
    transport: sample.transport,
    bytes,
    messages: leaves(innermost),
    hasCrc: find("crc") !== undefined,
    hasLabel: find("label") !== undefined,
    options: packetOptions({
      // Replies on streams authenticate a label that they do not carry.
      label: label === "" && sample.name.startsWith("tcp-label") ? "dc1" : label,
      keyring: sample.key === undefined
        ? undefined
        : new Keyring([Uint8Array.fromBase64(sample.key)]),
      compression: innermost.type === MessageType.compress,
      encryptionVersion: sealed?.version ?? 1,
      random: fixedNonce(nonceOf(bytes, find("label"), sealed)),
    }),
  };
});

/** A source that gives these bytes once. */
export function fixedNonce(nonce: Uint8Array): PacketOptions["random"] {
  return {
    float: () => 0,
    bytes(length) {
      if (length !== nonce.length) throw new Error(`Asked for ${length} of ${nonce.length} bytes`);
      return nonce;
    },
  };
}

/** Turns a decoded struct into the sample file's notation. */
export function describe(value: unknown): unknown {
  if (value instanceof Uint8Array) return `hex:${value.toHex()}`;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, describe(part)]));
}

function leaves(decoded: Json): Described[] {
  if (decoded.type === MessageType.compress) return leaves(decoded.inner);
  if (decoded.type === MessageType.compound) return decoded.parts.flatMap(leaves);
  return [decoded];
}

function labelOfAad(aadHex: string | undefined): string {
  return new TextDecoder().decode(Uint8Array.fromHex(aadHex ?? "").subarray(5));
}

/** The nonce follows the version byte, wherever label and frame header put that. */
function nonceOf(bytes: Uint8Array, label: string | undefined, sealed: Json): Uint8Array {
  if (sealed === undefined) return new Uint8Array(0);
  const labelLength = label === undefined ? 0 : 2 + label.length;
  const frameLength = sealed.aadHex === undefined ? 0 : 5;
  const from = labelLength + frameLength + 1;
  return bytes.slice(from, from + 12);
}
