/**
 * The label layer, which keeps clusters on one network apart (memberlist.md 3.6):
 * `f4 ‖ length (1 byte, 1 to 255) ‖ label ‖ rest`.
 *
 * @module
 */

import { equalBytes, NO_BYTES } from "../../../protocol/bytes.ts";
import { goQuote } from "../../../protocol/quote.ts";
import { MessageType } from "./messages.ts";

/** A label that is too long to be sent, or a packet whose label is not ours. */
export class LabelError extends Error {
  /** Names the class in logs. */
  override readonly name = "LabelError";
}

/** The length of a label is one byte (memberlist.md 10). */
const MAX_LABEL_LENGTH = 255;
/** Type byte and length. */
const HEADER_LENGTH = 2;

const encoder = new TextEncoder();
/** One process speaks one label, or few: the last one asked for is kept encoded. */
let cached = { label: "", bytes: NO_BYTES };

/**
 * The bytes of a label as they are sent and authenticated; empty for `""`, which means none. Throws
 * {@linkcode LabelError} above 255 bytes. The result is shared: do not change it.
 */
export function labelBytes(label: string): Uint8Array {
  if (label === "") return NO_BYTES;
  if (label !== cached.label) {
    const bytes = encoder.encode(label);
    if (bytes.length > MAX_LABEL_LENGTH) {
      throw new LabelError(`Label takes ${bytes.length} of ${MAX_LABEL_LENGTH} bytes`);
    }
    cached = { label, bytes };
  }
  return cached.bytes;
}

/** What {@linkcode addLabel} adds, in bytes: 0 for `""`. */
export function labelOverhead(label: string): number {
  return label === "" ? 0 : HEADER_LENGTH + labelBytes(label).length;
}

/** Puts the header of `label` in front of `rest`; returns `rest` itself for `""`. */
export function addLabel(label: string, rest: Uint8Array): Uint8Array {
  if (label === "") return rest;
  const bytes = labelBytes(label);
  const out = new Uint8Array(HEADER_LENGTH + bytes.length + rest.length);
  out[0] = MessageType.hasLabel;
  out[1] = bytes.length;
  out.set(bytes, HEADER_LENGTH);
  out.set(rest, HEADER_LENGTH + bytes.length);
  return out;
}

/**
 * What follows the label header of a packet, or the packet itself when neither it nor we have a label.
 * Throws {@linkcode LabelError} unless the packet carries exactly our label.
 */
export function stripLabel(label: string, packet: Uint8Array): Uint8Array {
  if (packet[0] !== MessageType.hasLabel) {
    checkLabel(label, NO_BYTES);
    return packet;
  }
  const length = packet[1] ?? 0;
  const rest = HEADER_LENGTH + length;
  if (length === 0 || packet.length < rest) throw new LabelError("Label header is malformed");
  checkLabel(label, packet.subarray(HEADER_LENGTH, rest));
  return packet.subarray(rest);
}

/** Throws {@linkcode LabelError} unless the received label (empty: none) is ours. */
export function checkLabel(label: string, received: Uint8Array): void {
  const wanted = labelBytes(label);
  if (equalBytes(received, wanted)) return;
  const got = new TextDecoder().decode(received);
  throw new LabelError(`Label is ${quoted(got)}, wanted ${quoted(label)}`);
}

/** Quoted so that a stranger's bytes cannot break a log line. */
function quoted(label: string): string {
  return label === "" ? "none" : goQuote(label);
}
