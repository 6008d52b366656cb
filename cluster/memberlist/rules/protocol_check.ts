/**
 * Whether every node of two states that are to be merged understands what every other one speaks
 * (docs/spec/memberlist.md 8.8).
 *
 * @module
 */

import { type MemberNode, NodeState, type Versions } from "../core/node.ts";
import type { PushNodeState } from "../wire/messages.ts";

/** A node speaks a protocol version that not all alive nodes understand, so nothing is merged. */
export class ProtocolMismatchError extends Error {
  /** `"ProtocolMismatchError"`, whatever happens to the name of the class. */
  override readonly name = "ProtocolMismatchError";
}

/** With fewer versions an entry does not narrow the ranges (docs/spec/memberlist.md 8.8, as 0.11.0). */
const LEAST_VERSIONS = 5;

/** Both ranges that all alive nodes understand. */
interface Ranges {
  readonly protocol: { min: number; max: number };
  readonly delegate: { min: number; max: number };
}

/** Throws {@linkcode ProtocolMismatchError} unless the `remote` and the `local` nodes fit together. */
export function checkProtocols(
  remote: readonly PushNodeState[],
  local: readonly MemberNode[],
): void {
  const ranges = { protocol: { min: 0, max: 255 }, delegate: { min: 0, max: 255 } };
  for (const { State, Vsn } of remote) {
    if (State === NodeState.alive && Vsn !== null && Vsn.length >= LEAST_VERSIONS) {
      narrow(ranges, Vsn as unknown as Versions);
    }
  }
  for (const { state, versions } of local) {
    if (state === NodeState.alive) narrow(ranges, versions);
  }
  for (const { Name, Vsn } of remote) {
    const full = Vsn !== null && Vsn.length >= 6;
    checkSpoken(ranges, Name, full ? Vsn[2] as number : 0, full ? Vsn[5] as number : 0);
  }
  for (const { name, versions } of local) checkSpoken(ranges, name, versions[2], versions[5]);
}

function narrow({ protocol, delegate }: Ranges, [pmin, pmax, , dmin, dmax]: Versions): void {
  protocol.min = Math.max(protocol.min, pmin);
  protocol.max = Math.min(protocol.max, pmax);
  delegate.min = Math.max(delegate.min, dmin);
  delegate.max = Math.min(delegate.max, dmax);
}

function checkSpoken(ranges: Ranges, name: string, protocol: number, delegate: number): void {
  checkInRange(name, "protocol version", protocol, ranges.protocol);
  checkInRange(name, "delegate protocol version", delegate, ranges.delegate);
}

function checkInRange(
  name: string,
  what: string,
  version: number,
  { min, max }: { min: number; max: number },
): void {
  if (version >= min && version <= max) return;
  throw new ProtocolMismatchError(
    `node '${name}' ${what} (${version}) is incompatible: [${min}, ${max}]`,
  );
}
