/**
 * The label layer, which keeps clusters on one network apart (docs/spec/memberlist.md 3.6):
 * `f4 ‖ length (1 byte, 1 to 255) ‖ label ‖ rest`.
 *
 * @module
 */

import { equalBytes, NO_BYTES } from "../../../protocol/bytes.ts";
import { goQuoteBytes } from "../../../protocol/quote.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { MessageType } from "./messages.ts";

/** A label that is too long to be sent, or a packet whose label is not ours. */
export class LabelError extends Error {
  /** Names the class in logs. */
  override readonly name = "LabelError";
}

/** The length of a label is one byte (docs/spec/memberlist.md 10). */
const MAX_LABEL_LENGTH = 255;
/** Type byte and length. */
const HEADER_LENGTH = 2;

/** The bytes of a label; empty for `""`, which means none. Throws {@linkcode LabelError} above 255 bytes. */
export function labelBytes(label: string): Uint8Array {
  const bytes = encodeUtf8(label);
  if (bytes.length <= MAX_LABEL_LENGTH) return bytes;
  throw new LabelError(`Label takes ${bytes.length} of ${MAX_LABEL_LENGTH} bytes`);
}

/** What {@linkcode addLabel} adds, in bytes: 0 for no label. */
export function labelOverhead(label: Uint8Array): number {
  return label.length === 0 ? 0 : HEADER_LENGTH + label.length;
}

/** Puts the header of `label` in front of `rest`; returns `rest` itself when there is no label. */
export function addLabel(label: Uint8Array, rest: Uint8Array): Uint8Array {
  if (label.length === 0) return rest;
  const out = new Uint8Array(HEADER_LENGTH + label.length + rest.length);
  out[0] = MessageType.hasLabel;
  out[1] = label.length;
  out.set(label, HEADER_LENGTH);
  out.set(rest, HEADER_LENGTH + label.length);
  return out;
}

/**
 * What follows the label header of a packet, or the packet itself when neither it nor we have a label.
 * Throws {@linkcode LabelError} unless the packet carries exactly our label.
 */
export function stripLabel(label: Uint8Array, packet: Uint8Array): Uint8Array {
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
export function checkLabel(label: Uint8Array, received: Uint8Array): void {
  if (equalBytes(received, label)) return;
  throw new LabelError(`Label is ${quoted(received)}, wanted ${quoted(label)}`);
}

/** Quoted so that a stranger's bytes cannot break a log line. */
function quoted(label: Uint8Array): string {
  return label.length === 0 ? "none" : goQuoteBytes(label);
}
