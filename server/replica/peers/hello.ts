/**
 * How two servers begin to talk. Who dials sends its preamble, who accepts answers with its own; then both say hello, sealed
 * when there are keys, in the same order.
 *
 *     preamble  "SKNP" | u8 version | u8 sealed | nonce(16)
 *     hello     u8 lane | four texts, u16 length each: cluster, id, name, id of whom it is meant for
 *
 * @module
 */

import { equalBytes } from "../../../protocol/bytes.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";

/** Version of what is said between servers. */
export const PEER_VERSION = 1;

/** Bytes that make a connection, and what seals it, different from all others. */
export const NONCE_BYTES = 16;

const MAGIC = encodeUtf8("SKNP");

/** Bytes of a preamble. */
export const PREAMBLE_BYTES = MAGIC.length + 2 + NONCE_BYTES;

/** Longest id of a server or a cluster, in bytes. */
const MAX_ID_BYTES = 64;

/** Longest name of an agent, in bytes: that of a node in gossip. */
const MAX_NAME_BYTES = 768;

/**
 * What a connection is for: `talk` carries messages and requests, `bulk` the pieces of snapshots, so that a heartbeat never
 * waits behind them. `visit` is the lane of agents that keep no state: it carries requests and news, and nothing of the log.
 */
export type Lane = "talk" | "bulk" | "visit";

const LANES: readonly Lane[] = ["talk", "bulk", "visit"];

/** Who a server is. */
export interface Identity {
  /** Id of its cluster; empty while it belongs to none. */
  readonly clusterId: string;
  /** Id of its data directory. */
  readonly id: string;
  /** Name of its agent. */
  readonly name: string;
}

/** What a server says first. */
export interface Hello extends Identity {
  /** What the connection is for. */
  readonly lane: Lane;
  /** Id of the server that it is meant for. */
  readonly to: string;
}

/** The first bytes of each end. */
export interface Preamble {
  readonly version: number;
  /** Whether all that follows is sealed. */
  readonly sealed: boolean;
  readonly nonce: Uint8Array;
}

/** The bytes are no preamble or no hello, or the hello is not one to go on with. */
export class HelloError extends Error {
  /** "HelloError". */
  override readonly name = "HelloError";
}

/** The bytes of a preamble of this version. */
export function encodePreamble(sealed: boolean, nonce: Uint8Array): Uint8Array {
  return Uint8Array.of(...MAGIC, PEER_VERSION, sealed ? 1 : 0, ...nonce);
}

/** Reads a preamble of any version. Throws {@linkcode HelloError}. */
export function decodePreamble(bytes: Uint8Array): Preamble {
  if (bytes.length !== PREAMBLE_BYTES || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) {
    throw new HelloError("It does not begin as a server does");
  }
  const [version, sealed] = bytes.subarray(MAGIC.length) as unknown as [number, number];
  return { version, sealed: sealed !== 0, nonce: bytes.slice(MAGIC.length + 2) };
}

/** What is wrong with the other end's preamble, `undefined` when nothing is. */
export function preambleProblem(
  { version, sealed }: Preamble,
  sealedHere: boolean,
): string | undefined {
  if (version !== PEER_VERSION) return `It speaks version ${version}, here it is ${PEER_VERSION}`;
  if (sealed === sealedHere) return undefined;
  return sealed
    ? "It has encryption keys, here are none"
    : "It has no encryption keys, here are some";
}

/** The bytes of a hello. Throws {@linkcode HelloError} when a text is too long or missing. */
export function encodeHello({ lane, clusterId, id, name, to }: Hello): Uint8Array {
  const bytes = [LANES.indexOf(lane)];
  for (const [i, text] of [clusterId, id, name, to].entries()) {
    const encoded = encodeUtf8(text);
    assertLength(i, encoded.length);
    bytes.push(encoded.length >> 8, encoded.length & 0xff, ...encoded);
  }
  return Uint8Array.from(bytes);
}

/** Reads a hello. Throws {@linkcode HelloError}. */
export function decodeHello(bytes: Uint8Array): Hello {
  const lane = LANES[bytes[0] ?? LANES.length];
  if (lane === undefined) throw new HelloError(`Lane is ${bytes[0]}`);
  let at = 1;
  const text = (i: number): string => {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    const end = at + 2 + length;
    if (end > bytes.length) throw new HelloError("Hello is cut off");
    assertLength(i, length);
    const read = decodeUtf8(bytes.subarray(at + 2, end));
    at = end;
    return read;
  };
  const hello = { lane, clusterId: text(0), id: text(1), name: text(2), to: text(3) };
  if (at !== bytes.length) throw new HelloError(`Hello is followed by ${bytes.length - at} bytes`);
  return hello;
}

/** Why two servers have nothing to say to each other, `undefined` when they have. */
export function helloProblem(own: Identity, hello: Hello): string | undefined {
  if (hello.to !== own.id) return `It wants '${hello.to}', this is '${own.id}'`;
  if (hello.id === own.id) return "It has the id of this server";
  if (hello.clusterId === "" || own.clusterId === "" || hello.clusterId === own.clusterId) {
    return undefined;
  }
  return `It belongs to cluster '${hello.clusterId}', this server to '${own.clusterId}'`;
}

/** Of the texts in their order only the cluster's id, the first, and the name, the third, may be empty. */
function assertLength(i: number, length: number): void {
  const [least, most] = [i === 0 || i === 2 ? 0 : 1, i === 2 ? MAX_NAME_BYTES : MAX_ID_BYTES];
  if (length < least || length > most) {
    throw new HelloError(
      `Text ${i + 1} of the hello takes ${length} bytes, wanted ${least} to ${most}`,
    );
  }
}
