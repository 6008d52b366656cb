/**
 * Relaying: copies of an answer travel by way of other members, in case the direct one is lost (docs/spec/serf.md
 * 11.5).
 *
 * @module
 */

import { addrToHost, isIpAddress } from "../../../protocol/ip.ts";
import { randomInt } from "../../runtime.ts";
import type { Core } from "../core/core.ts";
import type { MemberRecord } from "../core/member_table.ts";
import { decodeRelay, encodeRelay, type Query } from "../model/messages.ts";

/** Draws for each member of the table; a draw may hit a member that does not do, or the same one again. */
const DRAWS_PER_MEMBER = 3;

/** Least memberlist protocol maximum of a member that relays. Go tests memberlist's number, not Serf's. */
const LEAST_PROTOCOL_MAX = 5;

/** Index of the protocol maximum in a member's versions. */
const PROTOCOL_MAX = 1;

/**
 * Sends `message` to the node that asks, through up to `factor` other members.
 *
 * @throws {Error} when the message with the relay header exceeds the limit of a query response
 */
export function relay(
  core: Core,
  factor: number,
  { Addr, Port, SourceNode }: Pick<Query, "Addr" | "Port" | "SourceNode">,
  message: Uint8Array,
): void {
  if (factor === 0 || core.members.size < factor + 1) return;
  const wrapped = encodeRelay(
    { DestAddr: { IP: Addr, Port, Zone: "" }, DestName: SourceNode },
    message,
  );
  const limit = core.config.queryResponseSizeLimit;
  if (wrapped.length > limit) {
    throw new Error(`relayed response exceeds limit of ${limit} bytes`);
  }
  for (const { node } of drawRelays(core, factor)) core.cluster.sendTo(node, wrapped);
}

/** Passes the message inside a relay message on, untouched. */
export function forward(core: Core, message: Uint8Array): void {
  const { header, inner } = decodeRelay(message);
  const { DestAddr: { IP, Port }, DestName: name } = header;
  if (IP === null || !isIpAddress(IP) || Port < 1 || Port > 0xffff || inner.length === 0) {
    core.noise.write(
      "warn",
      "relay",
      `Dropped a relay message to '${name}': ` +
        "it names no usable address or carries nothing",
    );
    return;
  }
  core.cluster.sendTo({ host: addrToHost(IP), port: Port, name }, inner.slice());
}

function drawRelays(core: Core, count: number): Set<MemberRecord> {
  const members = [...core.members.records()];
  const drawn = new Set<MemberRecord>();
  const draws = DRAWS_PER_MEMBER * members.length;
  for (let i = 0; i < draws && drawn.size < count; i++) {
    const member = members[randomInt(core.random, members.length)];
    if (member !== undefined && canRelay(core, member)) drawn.add(member);
  }
  return drawn;
}

function canRelay(core: Core, member: MemberRecord): boolean {
  return member.status === "alive" && member.name !== core.name &&
    member.node.versions[PROTOCOL_MAX] >= LEAST_PROTOCOL_MAX;
}
