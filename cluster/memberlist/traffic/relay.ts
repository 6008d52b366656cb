/**
 * Pinging a node on behalf of another that got no answer (docs/spec/memberlist.md 7, message 1).
 *
 * @module
 */

import type { Core } from "../core/core.ts";
import type { Destination } from "../core/node.ts";
import { Ack, encodeMessage, type IndirectPing, MessageType, Nack } from "../wire/messages.ts";
import { checkNamed, sendWithBroadcasts } from "./packet_sender.ts";
import { encodePing } from "./ping.ts";

/**
 * Pings `target` and passes the ack on to `requester`, or a nack when it asked for one and no ack came
 * within `probeTimeoutMs`. Returns `false` and does nothing when too many pings wait already. Throws
 * `NodeNameRequiredError`.
 */
export function relayPing(
  core: Core,
  target: Destination,
  request: IndirectPing,
  requester: Destination,
): boolean {
  if (core.acks.full) return false;
  // Now, because nobody would catch it when the answer is due.
  checkNamed(core, requester);
  const SeqNo = request.SeqNo;
  const relaySeqNo = core.acks.expect({
    ack() {
      expiry.cancel();
      const ack = { SeqNo, Payload: null };
      sendWithBroadcasts(core, requester, encodeMessage(MessageType.ack, Ack, ack));
    },
  });
  const expiry = core.timers.set(core.config.probeTimeoutMs, () => {
    core.acks.forget(relaySeqNo);
    if (!request.Nack) return;
    sendWithBroadcasts(core, requester, encodeMessage(MessageType.nack, Nack, { SeqNo }));
  });
  sendWithBroadcasts(core, target, encodePing(core, target.name ?? "", relaySeqNo));
  return true;
}
