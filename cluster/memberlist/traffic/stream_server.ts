/**
 * What other nodes ask of this one on streams (docs/spec/memberlist.md 6.2). One request per stream.
 *
 * @module
 */

import { joinHostPort } from "../../../protocol/host_port.ts";
import type { Stream } from "../../runtime.ts";
import type { Core } from "../core/core.ts";
import { ShutdownError } from "../core/errors.ts";
import { Ack, encodeMessage, ErrorReply, MessageType, Ping } from "../wire/messages.ts";
import {
  decodeUserStream,
  type StreamBody,
  StreamError,
  type StreamMessage,
} from "../wire/stream.ts";
import { answerPushPull } from "./push_pull.ts";
import { type StreamExchange, useStream } from "./stream_exchange.ts";

/** Serves an accepted stream and closes it. Never rejects: what cannot be served is logged. */
export async function serveStream(core: Core, stream: Stream): Promise<void> {
  const from = joinHostPort(stream.remote.host, stream.remote.port);
  core.noise.write("debug", stream.remote.host, `Stream connection from=${from}`);
  core.metrics?.count("memberlist.tcp.accept");
  const options = { timeoutMs: core.config.tcpTimeoutMs, dialled: false };
  let used: StreamExchange | undefined;
  try {
    await useStream(core, stream, options, (exchange) => serve(core, used = exchange, from));
  } catch (error) {
    if (error instanceof ShutdownError) return;
    const reason = error instanceof Error ? error.message : String(error);
    const text = `${used?.failure ?? "Failed"}: ${reason} from=${from}`;
    core.noise.write("error", stream.remote.host, text);
  }
}

async function serve(core: Core, exchange: StreamExchange, from: string): Promise<void> {
  exchange.failure = "failed to receive";
  const message = await readRequest(exchange);
  if (message === undefined) return;
  switch (message.type) {
    case MessageType.ping:
      return await answerPing(core, exchange, message.body, from);
    case MessageType.pushPull:
      return await answerPushPull(core, exchange, message.body);
    case MessageType.user:
      exchange.failure = "Failed to receive user message";
      return await receiveUserMessage(core, message.body);
    default:
      throw new StreamError(
        "malformed",
        `Message type ${message.type} is not supported on streams`,
      );
  }
}

/** The request, or `undefined` when the peer closed without one. The peer is told what is wrong with it. */
async function readRequest(exchange: StreamExchange): Promise<StreamMessage | undefined> {
  try {
    return await exchange.reader.readMessage(true);
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    if (error.kind === "closed") return undefined;
    if (error.isAnswered) {
      const reply = { Error: error.message };
      await exchange.send(encodeMessage(MessageType.err, ErrorReply, reply));
    }
    throw error;
  }
}

async function answerPing(
  core: Core,
  exchange: StreamExchange,
  body: StreamBody,
  from: string,
): Promise<void> {
  exchange.failure = "Failed to decode ping";
  const { Node, SeqNo } = await body.value(Ping);
  if (Node !== "" && Node !== core.config.name) {
    const text = `Got ping for unexpected node ${Node} from=${from}`;
    return core.noise.write("warn", exchange.remote.host, text);
  }
  exchange.failure = "Failed to send ack";
  await exchange.send(encodeMessage(MessageType.ack, Ack, { SeqNo, Payload: null }));
}

async function receiveUserMessage(core: Core, body: StreamBody): Promise<void> {
  const message = await decodeUserStream(body);
  if (message.length > 0) core.delegate.notifyMessage(message);
}
