/**
 * Messages as lines.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { TopicMessage } from "../../../client/mod.ts";
import { concatBytes, NO_BYTES } from "../../../protocol/bytes.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";
import { foreignOn } from "../../shell/format/foreign.ts";
import type { Terminal } from "../../shell/terminal.ts";

/** Prints some messages. Resolves when they are written. */
export type Print = (messages: readonly TopicMessage[]) => Promise<void>;

const NEWLINE = encodeUtf8("\n");

/** Prints values as they are; with a separator, keys before them. On a screen they can do no harm to it. */
export function textPrinter(terminal: Terminal, separator: string | undefined): Print {
  const between = separator === undefined ? undefined : encodeUtf8(separator);
  const partsOf = ({ key, value }: TopicMessage): Uint8Array[] => {
    const rest = value ?? NO_BYTES;
    return between === undefined ? [rest] : [key ?? NO_BYTES, between, rest];
  };
  if (terminal.screen !== undefined) {
    const { block } = foreignOn(terminal);
    return async (messages) => {
      for (const message of messages) {
        await terminal.out(block(decodeUtf8(concatBytes(partsOf(message)))));
      }
    };
  }
  return async (messages) => {
    const parts = messages.flatMap((message, i) => {
      return i === 0 ? partsOf(message) : [NEWLINE, ...partsOf(message)];
    });
    if (messages.length > 0) await terminal.out(concatBytes(parts));
  };
}

/** Prints each message as an object with all that it has. */
export function jsonPrinter(terminal: Terminal): Print {
  return async (messages) => {
    if (messages.length > 0) await terminal.out(messages.map(jsonLine).join("\n"));
  };
}

/** What is no UTF-8 is in base64, under a name that says so. */
function jsonLine(message: TopicMessage): string {
  const { topic, partition, offset, timestamp, key, value, headers } = message;
  return JSON.stringify({
    topic,
    partition,
    offset,
    timestamp_ms: timestamp,
    ...field("key", key),
    ...field("value", value),
    headers: headers.map(([name, value]) => ({ name, ...field("value", value) })),
  });
}

function field(name: string, bytes: Uint8Array | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null };
  try {
    return { [name]: DECODER.decode(bytes) };
  } catch {
    // Nothing but bytes that are no UTF-8.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
    return { [`${name}_base64`]: text };
  }
}

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
