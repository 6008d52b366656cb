/**
 * Watching the other nodes: each tick one of them is pinged, in the order of a shuffled ring
 * (docs/spec/memberlist.md 9.1).
 *
 * @module
 */

import { NO_BYTES } from "../../../protocol/bytes.ts";
import type { Timer } from "../../runtime.ts";
import { type Core, ownRecord } from "../core/core.ts";
import { isLive, maxProtocol, type MemberNode, NodeState } from "../core/node.ts";
import type { NodeRecord } from "../core/node_table.ts";
import { pickRandom } from "../core/select.ts";
import { isCrowded, peers } from "../rules/room.ts";
import { receiveSuspect } from "../rules/suspect.ts";
import { sendMessages, sendWithBroadcasts } from "../traffic/packet_sender.ts";
import { encodePing, ownSource } from "../traffic/ping.ts";
import { pingOverStream } from "../traffic/stream_client.ts";
import { encodeMessage, IndirectPing, MessageType, Suspect } from "../wire/messages.ts";

/** From these protocols on a node answers pings on streams, and sends nacks (docs/spec/memberlist.md 1.2). */
const SINCE_PROTOCOL = { streamPing: 3, nack: 4 } as const;

/** Probes the next node of the ring, if there is one to probe. Calls `done` when that is over. */
export function probeNext(core: Core, done: () => void): void {
  const target = nextTarget(core);
  if (target === undefined) done();
  else new Probe(core, target, done).start();
}

/** The next live node but the own one. At the end of the ring the dead are forgotten and it is shuffled. */
function nextTarget(core: Core): NodeRecord | undefined {
  const { table } = core;
  const own = ownRecord(core);
  // Inventions must not keep those that ever answered from being watched.
  const onlyAnswered = isCrowded(core) && core.random.float() < 0.5;
  for (let looked = 0; looked < table.size; looked++) {
    let record = table.next();
    if (record === undefined) {
      table.startRound((candidate) => candidate !== own && isForgettable(core, candidate));
      record = table.next();
    }
    if (record === undefined || record === own || !isLive(record.node)) continue;
    if (!onlyAnswered || record.answered) return record;
  }
  return undefined;
}

function isForgettable(core: Core, { node, changedAt }: NodeRecord): boolean {
  return !isLive(node) && core.timers.now() - changedAt > core.config.gossipToTheDeadTimeMs;
}

/** One probe of one node: a direct ping, then pings by way of others, then the verdict. */
class Probe {
  readonly #core: Core;
  readonly #target: NodeRecord;
  /** The node as it was when the probe began: what is said about it later is about this. */
  readonly #node: MemberNode;
  readonly #done: () => void;
  readonly #sentAt: number;
  /** When the verdict is due. */
  readonly #deadline: number;
  #seqNo = 0;
  #timer: Timer | undefined;
  #isDirect = true;
  #expectedNacks = 0;
  #nacks = 0;
  #reachedByStream = false;

  constructor(core: Core, target: NodeRecord, done: () => void) {
    this.#core = core;
    this.#target = target;
    this.#node = target.node;
    this.#done = done;
    this.#sentAt = core.timers.now();
    this.#deadline = this.#sentAt + core.awareness.scale(core.config.probeIntervalMs);
  }

  start(): void {
    const { acks, awareness, timers, config, metrics } = this.#core;
    if (awareness.score > 0) metrics?.count("memberlist.degraded.probe");
    this.#seqNo = acks.expect({
      ack: (payload) => this.#onAck(payload),
      nack: () => this.#nacks++,
    });
    this.#timer = timers.set(config.probeTimeoutMs, () => this.#askOthers());
    this.#ping();
  }

  #ping(): void {
    const core = this.#core;
    const { name, state, incarnation } = this.#node;
    const ping = encodePing(core, name, this.#seqNo);
    if (state !== NodeState.suspect) return sendWithBroadcasts(core, this.#target.node, ping);
    // Told at once what is said about it, a node that lives can refute at once.
    const message = { Incarnation: incarnation, Node: name, From: core.config.name };
    const suspect = encodeMessage(MessageType.suspect, Suspect, message);
    sendMessages(core, this.#target.node, [ping, suspect], this.#node);
  }

  #onAck(payload: Uint8Array | null): void {
    const { awareness, delegate, timers } = this.#core;
    if (this.#isDirect) {
      const rttMs = timers.now() - this.#sentAt;
      delegate.notifyPingComplete(this.#node, rttMs, payload ?? NO_BYTES);
    }
    awareness.change(-1);
    this.#target.answered = true;
    this.#finish();
  }

  #askOthers(): void {
    const { config, timers } = this.#core;
    this.#isDirect = false;
    this.#timer = timers.set(this.#deadline - timers.now(), () => this.#conclude());
    this.#pingByHelpers();
    if (config.disableTcpPings || maxProtocol(this.#node) < SINCE_PROTOCOL.streamPing) return;
    this.#pingByStream();
  }

  #pingByHelpers(): void {
    const core = this.#core;
    const own = ownRecord(core);
    const canHelp = (record: NodeRecord): boolean =>
      record !== own && record !== this.#target && record.node.state === NodeState.alive;
    const { config, random } = core;
    for (const helper of pickRandom(random, peers(core), config.indirectChecks, canHelp)) {
      const wantsNack = maxProtocol(helper.node) >= SINCE_PROTOCOL.nack;
      if (wantsNack) this.#expectedNacks++;
      const request = {
        SeqNo: this.#seqNo,
        Target: this.#node.addr,
        Port: this.#node.port,
        Node: this.#node.name,
        Nack: wantsNack,
        ...ownSource(core),
      };
      const message = encodeMessage(MessageType.indirectPing, IndirectPing, request);
      sendWithBroadcasts(core, helper.node, message);
    }
  }

  #pingByStream(): void {
    const core = this.#core;
    const to = this.#target.node;
    pingOverStream(core, to, this.#seqNo, this.#deadline - core.timers.now()).then(
      (reached) => {
        this.#reachedByStream = reached;
        if (reached) this.#target.answered = true;
      },
      (error: Error) => {
        core.noise.write("error", to.host, `Failed fallback TCP ping: ${error.message}`);
      },
    );
  }

  #conclude(): void {
    const { awareness, config, logger } = this.#core;
    const { name, incarnation } = this.#node;
    this.#finish();
    if (this.#reachedByStream) {
      logger.warn(
        `Was able to connect to ${name} over TCP but UDP probes failed, network may be misconfigured`,
      );
      awareness.change(-1);
      return;
    }
    // Helpers that are silent too hint at a fault of this node.
    const missing = Math.max(0, this.#expectedNacks - this.#nacks);
    awareness.change(this.#expectedNacks > 0 ? missing : 1);
    logger.info(`Suspect ${name} has failed, no acks received`);
    const message = { Incarnation: incarnation, Node: name, From: config.name };
    receiveSuspect(this.#core, message, "self");
  }

  #finish(): void {
    const { acks, metrics, timers } = this.#core;
    this.#timer?.cancel();
    acks.forget(this.#seqNo);
    metrics?.sample("memberlist.probeNode", timers.now() - this.#sentAt);
    this.#done();
  }
}
