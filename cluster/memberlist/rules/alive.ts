/**
 * What happens when somebody says that a node is alive (docs/spec/memberlist.md 8.3).
 *
 * @module
 */

import { equalBytes, NO_BYTES } from "../../../protocol/bytes.ts";
import { addrToHost, isIpAddress } from "../../../protocol/ip.ts";
import { fitsUtf8, utf8Length } from "../../../protocol/text.ts";
import { cidrContains } from "../core/cidr.ts";
import { MAX_META_BYTES, MAX_NAME_BYTES, ownVersions } from "../core/config.ts";
import { type Core, ownRecord } from "../core/core.ts";
import { isLive, type MemberNode, NodeState, type Versions } from "../core/node.ts";
import { endSuspicion, type NodeRecord } from "../core/node_table.ts";
import type { Alive } from "../wire/messages.ts";
import { announceAlive } from "./announce.ts";
import { isFarFetched } from "./incarnation.ts";
import { nextIncarnation, refute } from "./refute.ts";
import { isFull, isPacked, makeRoom } from "./room.ts";

/**
 * Nodes that are pinged at a time to see whether they are there: forged messages must not make a flood of pings. There
 * is as much room again for those that are just joining.
 */
const MAX_CHALLENGED = 32;

const NO_VERSIONS: Versions = [0, 0, 0, 0, 0, 0];

/** Whether the allow list has the address; without a list every address is allowed (docs/spec/memberlist.md 8.11). */
export function isAllowed(core: Core, addr: Uint8Array): boolean {
  const { allowedNetworks } = core.config;
  return allowedNetworks.length === 0 || allowedNetworks.some((cidr) => cidrContains(cidr, addr));
}

/**
 * Makes the own node known, at the start and when its meta changed: a new incarnation is announced to
 * everybody. `onFinished` is called when it was sent often enough.
 */
export function announceSelf(core: Core, onFinished?: () => void): void {
  const { config, delegate, own } = core;
  const message = {
    Incarnation: nextIncarnation(own),
    Node: config.name,
    Addr: config.advertise.addr,
    Port: config.advertise.port,
    Meta: ownMeta(delegate.nodeMeta(MAX_META_BYTES)),
    Vsn: new Uint8Array(ownVersions(config)),
  };
  applyAlive(core, message, { source: "self", bootstrap: true, ...(onFinished && { onFinished }) });
}

/**
 * Takes in an alive message. `source` is who sent it, for the log. `Port` must not be 0. `joins` tells whether the node,
 * with few others, is just joining.
 */
export function receiveAlive(core: Core, message: Alive, source: string, joins = false): void {
  applyAlive(core, message, { source, bootstrap: false, joins });
}

interface AliveContext {
  readonly source: string;
  /** Whether the own node speaks about itself. */
  readonly bootstrap: boolean;
  /** Whether the node is just joining. */
  readonly joins?: boolean;
  readonly onFinished?: () => void;
}

function applyAlive(core: Core, message: Alive, context: AliveContext): void {
  const { config, table } = core;
  const isOwn = message.Node === config.name;
  if (isOwn && core.own.leaving) return;
  const record = table.get(message.Node);
  const problem = problemOf(message, record) ?? vetoOf(core, message, record);
  if (problem !== undefined) {
    const { source } = context;
    core.noise.write("warn", source, `Ignoring alive message for '${message.Node}': ${problem}`);
    return;
  }
  if (isFarFetched(core, record, message, context.source)) return;
  const moved = record !== undefined && !hasAddress(record.node, message);
  if ((record === undefined || moved) && !isAllowed(core, addrOf(message))) {
    const host = addrToHost(addrOf(message));
    core.noise.write(
      "debug",
      context.source,
      `Rejected node ${message.Node} (${host}): not allowed`,
    );
    return;
  }
  if (moved) {
    if (!mayMove(core, record)) return reportConflict(core, record, message, context.source);
    tellMove(core, record, message, context.source);
  }
  if (record !== undefined && !moved && isStale(message, record, isOwn)) return;
  if (record !== undefined) endSuspicion(record);
  if (isOwn && !context.bootstrap) return defendSelf(core, message, context.source);
  if (record === undefined && isFull(core)) return challenge(core, message, context);
  accept(core, message, record, context);
}

/** Why the message cannot be used, if so. */
function problemOf(message: Alive, record: NodeRecord | undefined): string | undefined {
  const addr = addrOf(message);
  if (!isIpAddress(addr)) return `its address takes ${addr.length} bytes, wanted 4 or 16`;
  if (!fitsUtf8(message.Node, MAX_NAME_BYTES)) {
    return `its name takes ${utf8Length(message.Node)} of ${MAX_NAME_BYTES} bytes`;
  }
  const metaBytes = message.Meta?.length ?? 0;
  if (metaBytes > MAX_META_BYTES) return `its meta takes ${metaBytes} of ${MAX_META_BYTES} bytes`;
  const [pmin, pmax, pcur] = message.Vsn ?? NO_BYTES;
  if (pcur !== undefined && (pmin === 0 || pmax === 0 || pmin! > pmax!)) {
    return `its protocol versions ${pmin} to ${pmax} are impossible`;
  }
  // One node without versions makes every push/pull of everybody fail (docs/spec/memberlist.md 8.8).
  if (record === undefined && fullVersions(message) === undefined) {
    return `it has ${message.Vsn?.length ?? 0} of 6 versions`;
  }
  // A new node with incarnation 0 would count as dead; and 0 is never to be sent (docs/spec/memberlist.md 12).
  if (record === undefined && message.Incarnation === 0) return "its incarnation is 0";
  return undefined;
}

/** Why the application does not want the node, if so. */
function vetoOf(core: Core, message: Alive, record: NodeRecord | undefined): string | undefined {
  if (core.delegate.notifyAlive === undefined) return undefined;
  if (fullVersions(message) === undefined) {
    return `it has ${message.Vsn?.length ?? 0} of 6 versions`;
  }
  return core.delegate.notifyAlive(nodeOf(message, record));
}

function mayMove(core: Core, record: NodeRecord): boolean {
  const { deadNodeReclaimTimeMs } = core.config;
  if (record.node.state === NodeState.left) return true;
  return record.node.state === NodeState.dead && deadNodeReclaimTimeMs > 0 &&
    core.timers.now() - record.changedAt > deadNodeReclaimTimeMs;
}

function tellMove(core: Core, { node }: NodeRecord, message: Alive, source: string): void {
  const to = `${addrToHost(addrOf(message))}:${message.Port}`;
  core.noise.write(
    "info",
    source,
    `Updating address for left or failed node ${node.name} from ${node.host}:${node.port} to ${to}`,
  );
}

function reportConflict(core: Core, record: NodeRecord, message: Alive, source: string): void {
  const mine = `${record.node.host}:${record.node.port}`;
  const theirs = `${addrToHost(addrOf(message))}:${message.Port}`;
  core.noise.write(
    "error",
    source,
    `Conflicting address for ${message.Node}. Mine: ${mine} Theirs: ${theirs} ` +
      `Old state: ${record.node.state}`,
  );
  core.delegate.notifyConflict(record.node, nodeOf(message, record));
}

function isStale(message: Alive, record: NodeRecord, isOwn: boolean): boolean {
  const known = record.node.incarnation;
  return isOwn ? message.Incarnation < known : message.Incarnation <= known;
}

/** Somebody speaks about the own node: as it is, or else it has to be put right. */
function defendSelf(core: Core, message: Alive, source: string): void {
  const { node } = ownRecord(core);
  const isTrue = message.Incarnation === node.incarnation &&
    equalBytes(message.Meta ?? NO_BYTES, node.meta) &&
    equalBytes(message.Vsn ?? NO_BYTES, new Uint8Array(node.versions));
  if (isTrue) return;
  core.noise.write(
    "warn",
    source,
    `Refuting an alive message for '${node.name}' with incarnation ${message.Incarnation}, ` +
      `ours is ${node.incarnation}`,
  );
  refute(core, message.Incarnation);
}

/** When there is no room, a node has to answer a ping to get the place of one that never answered. */
function challenge(core: Core, message: Alive, context: AliveContext): void {
  const { challenged, config, timers } = core;
  const { Node: name } = message;
  if (challenged.has(name)) return;
  const most = context.joins ? 2 * MAX_CHALLENGED : MAX_CHALLENGED;
  if (isPacked(core) || challenged.size >= most) {
    const text = `Ignoring node ${name}: ${config.maxNodes} nodes are known`;
    return core.noise.write("error", context.source, text);
  }
  const admit = async (): Promise<void> => {
    const answered = await core.isThere(nodeOf(message, undefined));
    challenged.delete(name);
    if (!answered || core.table.get(name) !== undefined || !makeRoom(core)) return;
    accept(core, message, undefined, context).answered = true;
  };
  challenged.add(name);
  timers.background(admit());
}

function accept(
  core: Core,
  message: Alive,
  known: NodeRecord | undefined,
  { onFinished }: AliveContext,
): NodeRecord {
  const before = known?.node;
  const now = core.timers.now();
  const record = known ?? core.table.add(nodeOf(message, known), now);
  if (before !== undefined) {
    if (before.state !== NodeState.alive) record.changedAt = now;
    core.table.replace(record, nodeOf(message, record));
  }
  const { node } = record;
  announceAlive(core, node, onFinished && { onFinished });
  core.metrics?.count("memberlist.msg.alive");
  if (before === undefined || !isLive(before)) core.delegate.notifyJoin(node);
  else if (!equalBytes(before.meta, node.meta)) core.delegate.notifyUpdate(node);
  return record;
}

/** The node that a message describes; nothing of it is a view into the message. */
function nodeOf(message: Alive, record: NodeRecord | undefined): MemberNode {
  const addr = addrOf(message).slice();
  return {
    name: message.Node,
    addr,
    host: addrToHost(addr),
    port: message.Port,
    meta: (message.Meta ?? NO_BYTES).slice(),
    incarnation: message.Incarnation,
    state: NodeState.alive,
    versions: fullVersions(message) ?? record?.node.versions ?? NO_VERSIONS,
  };
}

function hasAddress(node: MemberNode, message: Alive): boolean {
  return node.port === message.Port && equalBytes(node.addr, addrOf(message));
}

function addrOf(message: Alive): Uint8Array {
  return message.Addr ?? NO_BYTES;
}

function fullVersions({ Vsn }: Alive): Versions | undefined {
  if (Vsn === null || Vsn.length < 6) return undefined;
  const [pmin, pmax, pcur, dmin, dmax, dcur] = Vsn as unknown as Versions;
  return [pmin, pmax, pcur, dmin, dmax, dcur];
}

function ownMeta(meta: Uint8Array): Uint8Array {
  if (meta.length <= MAX_META_BYTES) return meta;
  throw new RangeError(`Meta of the own node takes ${meta.length} of ${MAX_META_BYTES} bytes`);
}
