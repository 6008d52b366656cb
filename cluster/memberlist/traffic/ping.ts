/**
 * The ping message, and pings that an application asks for (docs/spec/memberlist.md 7, message 0).
 *
 * @module
 */

import { type Core, ownRecord } from "../core/core.ts";
import { PingTimeoutError, ShutdownError } from "../core/errors.ts";
import type { Destination } from "../core/node.ts";
import { encodeMessage, MessageType, Ping } from "../wire/messages.ts";
import { sendWithBroadcasts } from "./packet_sender.ts";

/** A ping to the node `name`, with the own node as the one to answer to. */
export function encodePing(core: Core, name: string, seqNo: number): Uint8Array {
  return encodeMessage(MessageType.ping, Ping, { SeqNo: seqNo, Node: name, ...ownSource(core) });
}

/** The fields by which a message says who sent it. */
export interface Source {
  /** The own advertised address, 4 or 16 bytes. */
  readonly SourceAddr: Uint8Array;
  /** The own advertised port. */
  readonly SourcePort: number;
  /** The own name. */
  readonly SourceNode: string;
}

/** The own node as the sender of a message. */
export function ownSource(core: Core): Source {
  const { addr, port, name } = ownRecord(core).node;
  return { SourceAddr: addr, SourcePort: port, SourceNode: name };
}

/**
 * Pings a node and resolves with the round trip in milliseconds. Rejects with
 * {@linkcode PingTimeoutError} after `probeTimeoutMs`, with {@linkcode ShutdownError} on a shutdown.
 */
export function pingNode(core: Core, to: Destination & { readonly name: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const sentAt = core.timers.now();
    const seqNo = core.acks.expect({
      ack() {
        expiry.cancel();
        resolve(core.timers.now() - sentAt);
      },
    });
    const giveUp = (error: Error) => () => {
      core.acks.forget(seqNo);
      reject(error);
    };
    const expiry = core.timers.set(
      core.config.probeTimeoutMs,
      giveUp(new PingTimeoutError(`No response from node ${to.name}`)),
      giveUp(new ShutdownError()),
    );
    sendWithBroadcasts(core, to, encodePing(core, to.name, seqNo));
  });
}
