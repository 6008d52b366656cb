/**
 * The push that a message of a channel is.
 *
 *     {"push":"message","channel":"a^b","message":1,"from":"me","node":"alpha","seq":7,"pattern":"a^*"}
 *
 * It is put together once for all subscribers. The pattern, which not all have matched by, is its last member.
 *
 * @module
 */

import { concatBytes } from "../bytes.ts";

const encoder = new TextEncoder();

/** Bytes at the end of a line that stand behind its last member. */
const END = encoder.encode("}\n");

/** A message on its way. */
export interface Message {
  /** The channel. */
  readonly channel: string;
  /** The JSON text of what was published. */
  readonly text: Uint8Array;
  /** Who has published it. */
  readonly from: string;
  /** The agent that it was published at, which counts what is published there. */
  readonly node: string;
  /** Its number among those that were published to this channel at that agent. */
  readonly seq: number;
}

/** The line of the push, for who has subscribed to the channel itself. */
export function messageLine({ channel, text, from, node, seq }: Message): Uint8Array {
  const head = `{"push":"message","channel":${JSON.stringify(channel)},"message":`;
  const tail = `,"from":${JSON.stringify(from)},"node":${JSON.stringify(node)},"seq":${seq}}\n`;
  return concatBytes([encoder.encode(head), text, encoder.encode(tail)]);
}

/** The same for who has subscribed to a pattern. */
export function withPattern(line: Uint8Array, pattern: string): Uint8Array {
  const member = encoder.encode(`,"pattern":${JSON.stringify(pattern)}`);
  return concatBytes([line.subarray(0, line.length - END.length), member, END]);
}

/** The line of the push that tells of messages that got lost. */
export function droppedLine(count: number): Uint8Array {
  return encoder.encode(`{"push":"dropped","count":${count}}\n`);
}
