/**
 * What this node asks of others on streams: to take a message, to answer a ping (docs/spec/memberlist.md 6.4, 6.5).
 *
 * @module
 */

import type { Core } from "../core/core.ts";
import { RemoteError } from "../core/errors.ts";
import type { Destination } from "../core/node.ts";
import { Ack, ErrorReply, MessageType } from "../wire/messages.ts";
import { encodeUserStream, type StreamBody } from "../wire/stream.ts";
import { encodePing } from "./ping.ts";
import { dialAndUse, type StreamExchange } from "./stream_exchange.ts";

/** The peer answered with something that is no answer. */
export class UnexpectedReplyError extends Error {
  /** `"UnexpectedReplyError"`, whatever happens to the name of the class. */
  override readonly name = "UnexpectedReplyError";
}

/** Sends a message of the application. Resolves when the network has all of it. */
export async function sendUserStream(
  core: Core,
  to: Destination,
  message: Uint8Array,
): Promise<void> {
  const { tcpTimeoutMs } = core.config;
  const encoded = encodeUserStream(message);
  await dialAndUse(core, to, tcpTimeoutMs, (exchange) => exchange.send(encoded));
}

/**
 * Pings over a stream. Resolves with `false` when the node cannot even be reached. Rejects when it
 * answers wrongly, or not within `timeoutMs`.
 */
export async function pingOverStream(
  core: Core,
  to: Destination & { readonly name: string },
  seqNo: number,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = core.timers.now() + timeoutMs;
  let connected = false;
  try {
    return await dialAndUse(core, to, timeoutMs, async (exchange) => {
      connected = true;
      exchange.setDeadline(deadline - core.timers.now());
      await exchange.send(encodePing(core, to.name, seqNo));
      const ack = await (await readReply(exchange, MessageType.ack)).value(Ack);
      if (ack.SeqNo === seqNo) return true;
      throw new UnexpectedReplyError(`Ack has sequence number ${ack.SeqNo}, wanted ${seqNo}`);
    });
  } catch (error) {
    if (connected) throw error;
    return false;
  }
}

/**
 * The body of the peer's reply. Rejects with {@linkcode RemoteError} when the peer reports an error, with
 * {@linkcode UnexpectedReplyError} when the reply is not of type `wanted`.
 */
export async function readReply(
  exchange: StreamExchange,
  wanted: MessageType,
): Promise<StreamBody> {
  const { type, body } = await exchange.reader.readMessage(false);
  if (type === wanted) return body;
  if (type !== MessageType.err) {
    throw new UnexpectedReplyError(`Got message of type ${type}, wanted ${wanted}`);
  }
  const { Error: text } = await body.value(ErrorReply);
  throw new RemoteError(`remote error: ${text}`);
}
