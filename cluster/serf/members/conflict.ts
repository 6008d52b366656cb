/**
 * Two nodes claim one name: the cluster is asked who is right, and the loser stops (docs/spec/serf.md 14).
 *
 * @module
 */

import { joinHostPort } from "../../../protocol/host_port.ts";
import { addrToHost, sameIp } from "../../../protocol/ip.ts";
import { DecodeError } from "../../../protocol/msgpack/mod.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import type { MemberNode } from "../../memberlist/core/node.ts";
import type { Core } from "../core/core.ts";
import { ConflictResponse, decodeMessage, MessageType } from "../model/messages.ts";
import { CONFLICT_QUERY } from "../model/query_names.ts";
import { sendQuery } from "../queries/send.ts";

/** Watches for other nodes that claim a name that is taken. */
export class ConflictResolver {
  readonly #core: Core;
  #voting = false;

  /** A resolver for one instance. */
  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Takes in that `other` claims the name of `existing`. When that is the own name, a vote is held. Go holds one for
   * each such message; one at a time has the same outcome and cannot be multiplied by a forger.
   */
  report(existing: MemberNode, other: MemberNode): void {
    const { noise, name, config, state, timers } = this.#core;
    const claims = `'${existing.name}' at ${place(existing)} and ${place(other)}`;
    if (existing.name !== name) {
      noise.write("warn", "conflict", `Name conflict for ${claims}`);
      return;
    }
    noise.write("error", "own conflict", `Node name conflicts with another node: ${claims}`);
    if (!config.resolveNameConflicts || this.#voting || state === "shutdown") return;
    timers.background(this.#holdVote());
  }

  async #holdVote(): Promise<void> {
    this.#voting = true;
    try {
      await this.#vote();
    } catch (error) {
      this.#core.log.error(`Failed to resolve name conflict: ${error}`, { error });
    } finally {
      this.#voting = false;
    }
  }

  async #vote(): Promise<void> {
    const core = this.#core;
    const query = sendQuery(core, CONFLICT_QUERY, encodeUtf8(core.name));
    let responses = 0;
    let matching = 0;
    // Lasts until the deadline: this node is waited for and gives no answer, so that voters it does not know yet have time.
    for await (const { from, payload } of query.answers) {
      const member = this.#readVote(from, payload);
      if (member === undefined) continue;
      responses++;
      if (member !== null && this.#isMe(member)) matching++;
    }
    const tally = `in name conflict resolution [${matching} / ${responses}]`;
    if (matching >= Math.floor(responses / 2) + 1) {
      core.log.info(`majority ${tally}`);
    } else if (core.state !== "shutdown") {
      core.log.warn(`minority ${tally.replace(" [", ", quiting [")}`);
      await core.shutdown();
    }
  }

  /** The member in a vote, `null` for a voter who knows none, `undefined` for what is no vote. */
  #readVote(from: string, payload: Uint8Array | null): ConflictResponse | undefined {
    if (payload?.[0] === MessageType.conflictResponse) {
      try {
        return decodeMessage(ConflictResponse, payload);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
    this.#core.noise.write("error", "vote", `Invalid conflict query response from '${from}'`);
    return undefined;
  }

  #isMe({ Addr, Port }: NonNullable<ConflictResponse>): boolean {
    const { addr, port } = this.#core.cluster.localNode;
    return Addr !== null && sameIp(Addr, addr) && Port === port;
  }
}

function place(node: MemberNode): string {
  return joinHostPort(addrToHost(node.addr), node.port);
}
