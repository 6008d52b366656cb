/**
 * Multicast DNS packets (RFC 6762 section 18), with bounds on what comes from the network.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import dnsPacket from "dns-packet";

/** Largest packet that is looked at, in bytes (RFC 6762 section 17). */
const MAX_PACKET_BYTES = 9_000;

/** Most questions and records of one packet. An agent's answer has four. */
const MAX_ITEMS = 256;

/** Bytes of the header, of which the last eight count the four lists (RFC 1035). */
const HEADER_BYTES = 12;

/** The bit of an authoritative answer. */
const AUTHORITATIVE = 1 << 10;

/** A question. */
export interface DnsQuestion {
  /** What it is about, with or without a dot at the end. */
  readonly name: string;
  /** Type of the wanted records, e.g. `PTR`. */
  readonly type: string;
}

/** A record. */
export interface DnsAnswer {
  /** What it is about. */
  readonly name: string;
  /** Its type, e.g. `A`. */
  readonly type: string;
  /** Seconds for which it holds. */
  readonly ttl?: number;
  /** `IN`. */
  readonly class?: "IN";
  /** By type: a name, an address, texts, or the parts of an SRV record. */
  readonly data: unknown;
}

/** What a packet says. */
export interface DnsMessage {
  /** Number of a query. */
  readonly id: number;
  /** Whether it answers. */
  readonly isResponse: boolean;
  /** What it asks. */
  readonly questions: readonly DnsQuestion[];
  /** What it answers, additional records included. */
  readonly answers: readonly DnsAnswer[];
}

/** A packet as `dns-packet` takes and gives it. */
interface Packet {
  readonly type: string;
  readonly id?: number;
  readonly flags?: number;
  readonly opcode?: string;
  readonly rcode?: string;
  readonly questions?: readonly DnsQuestion[];
  readonly answers?: readonly DnsAnswer[];
  readonly additionals?: readonly DnsAnswer[];
}

const dns: { encode(packet: Packet): Uint8Array; decode(bytes: Buffer): Packet } = dnsPacket;

/** The message in a packet, `undefined` when it is none, too large, or of another kind than a plain query or answer. */
export function decodeMessage(bytes: Uint8Array): DnsMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_PACKET_BYTES) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items = [4, 6, 8, 10].reduce((sum, at) => sum + buffer.readUInt16BE(at), 0);
  if (items > MAX_ITEMS) return undefined;
  try {
    const packet = dns.decode(buffer);
    if (packet.opcode !== "QUERY" || packet.rcode !== "NOERROR") return undefined;
    return {
      id: packet.id ?? 0,
      isResponse: packet.type === "response",
      questions: packet.questions ?? [],
      answers: [...packet.answers ?? [], ...packet.additionals ?? []],
    };
  } catch {
    // What others send need not be DNS, and the decoder throws errors of every class at it.
    return undefined;
  }
}

/** A query for records of one name and type. */
export function encodeQuery(name: string, type: "PTR"): Uint8Array {
  return dns.encode({ type: "query", id: 0, flags: 0, questions: [{ name, type }] });
}

/**
 * An answer. `asked` is repeated in it when the asker is a plain DNS client, which could not tell it otherwise (RFC 6762
 * section 6.7).
 */
export function encodeResponse(answers: readonly DnsAnswer[], asked?: DnsMessage): Uint8Array {
  return dns.encode({
    type: "response",
    id: asked?.id ?? 0,
    flags: AUTHORITATIVE,
    questions: asked?.questions ?? [],
    answers,
  });
}
