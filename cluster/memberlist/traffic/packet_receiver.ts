/**
 * What arrives in packets (docs/spec/memberlist.md 3, 7). Every message is handled in the turn in which it arrived.
 *
 * @module
 */

import { joinHostPort } from "../../../protocol/host_port.ts";
import { addrToHost, hostToAddr, isIpAddress } from "../../../protocol/ip.ts";
import { decode, DecodeError } from "../../../protocol/msgpack/mod.ts";
import { fitsUtf8, utf8Length } from "../../../protocol/text.ts";
import type { Address } from "../../runtime.ts";
import { MAX_NAME_BYTES } from "../core/config.ts";
import { type Core, portOrOwn } from "../core/core.ts";
import type { LogLevel } from "../core/limited_logger.ts";
import type { Destination } from "../core/node.ts";
import { isAllowed, receiveAlive } from "../rules/alive.ts";
import { receiveDead } from "../rules/dead.ts";
import { receiveSuspect } from "../rules/suspect.ts";
import {
  Ack,
  Alive,
  Dead,
  encodeMessage,
  IndirectPing,
  MessageType,
  Nack,
  Ping,
  Suspect,
} from "../wire/messages.ts";
import { openPacket, PacketError } from "../wire/packet.ts";
import { sendWithBroadcasts } from "./packet_sender.ts";
import { relayPing } from "./relay.ts";

/** Takes in a packet. Never throws: what cannot be used is logged and dropped. */
export function receivePacket(core: Core, from: Address, packet: Uint8Array): void {
  if (packet.length === 0) return;
  core.metrics?.count("memberlist.udp.received", packet.length);
  let opened;
  try {
    opened = openPacket(packet, core.packetOptions, core.packetExpansion, from.host);
  } catch (error) {
    return complain(core, from, error instanceof PacketError ? error.message : String(error));
  }
  for (const problem of opened.problems) complain(core, from, problem);
  for (const message of opened.messages) {
    try {
      receiveMessage(core, from, message);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const what = error instanceof DecodeError ? "decode" : "handle";
      complain(core, from, `Failed to ${what} message of type ${message[0]}: ${text}`);
    }
  }
}

function complain(core: Core, from: Address, text: string, level: LogLevel = "error"): void {
  core.noise.write(level, from.host, `${text} from=${joinHostPort(from.host, from.port)}`);
}

function receiveMessage(core: Core, from: Address, message: Uint8Array): void {
  switch (message[0]) {
    case MessageType.ping:
      return receivePing(core, from, decode(Ping, message, 1));
    case MessageType.indirectPing:
      return receiveIndirectPing(core, from, decode(IndirectPing, message, 1));
    case MessageType.ack: {
      const { SeqNo, Payload } = decode(Ack, message, 1);
      return core.acks.ack(SeqNo, Payload);
    }
    case MessageType.nack:
      return core.acks.nack(decode(Nack, message, 1).SeqNo);
    case MessageType.suspect: {
      const suspect = decode(Suspect, message, 1);
      checkName(suspect.From);
      return receiveSuspect(core, suspect, from.host);
    }
    case MessageType.alive:
      return receiveAlivePacket(core, from, decode(Alive, message, 1));
    case MessageType.dead: {
      const dead = decode(Dead, message, 1);
      checkName(dead.From);
      return receiveDead(core, dead, from.host);
    }
    case MessageType.user:
      return core.delegate.notifyMessage(message.subarray(1));
    default:
      complain(core, from, `Message type ${message[0]} is not supported in packets`);
  }
}

/** The name of who accuses is kept and passed on, so it is bounded. */
function checkName(name: string): void {
  if (fitsUtf8(name, MAX_NAME_BYTES)) return;
  throw new RangeError(`A name takes ${utf8Length(name)} of ${MAX_NAME_BYTES} bytes`);
}

function receivePing(core: Core, from: Address, ping: Ping): void {
  if (ping.Node !== "" && ping.Node !== core.config.name) {
    const text = `Got ping for unexpected node '${ping.Node}'`;
    return complain(core, from, text, "warn");
  }
  const ack = { SeqNo: ping.SeqNo, Payload: core.delegate.ackPayload() };
  sendWithBroadcasts(core, requesterOf(ping, from), encodeMessage(MessageType.ack, Ack, ack));
}

function receiveIndirectPing(core: Core, from: Address, request: IndirectPing): void {
  const target = request.Target;
  if (target === null || !isIpAddress(target)) {
    return complain(core, from, "Got indirect ping without an IP address to ping");
  }
  const to = {
    host: addrToHost(target),
    port: portOrOwn(core, request.Port),
    name: request.Node,
  };
  if (!relayPing(core, to, request, requesterOf(request, from))) {
    complain(core, from, "Too many pings are waiting, ignoring an indirect ping");
  }
}

/** Where the answer goes: to the address that the message gives, else to where the packet came from. */
function requesterOf(message: Ping | IndirectPing, from: Address): Destination {
  const { SourceAddr: addr, SourcePort: port, SourceNode: name } = message;
  const given = addr !== null && isIpAddress(addr) && port !== 0;
  if (given) return { host: addrToHost(addr), port, name };
  return { host: from.host, port: from.port, name };
}

function receiveAlivePacket(core: Core, from: Address, message: Alive): void {
  if (core.config.allowedNetworks.length > 0 && !isAllowed(core, hostToAddr(from.host))) {
    const text = `Blocked alive message: ${from.host} is in no allowed network`;
    return core.noise.write("warn", from.host, text);
  }
  receiveAlive(core, { ...message, Port: portOrOwn(core, message.Port) }, from.host);
}
