/**
 * Events as `monitor` prints them (docs/spec/agent.md 7.11): the fields of the record on the wire, in Go notation, and for a screen in
 * words.
 *
 * @module
 */

import type { Member, StreamEvent } from "../../../client/mod.ts";
import { byteOrder } from "../../../protocol/byte_order.ts";
import { hostToAddr } from "../../../protocol/ip.ts";
import { goQuote, printable } from "../../../protocol/quote.ts";
import { goSyntax, type GoValue } from "../../shell/format/goformat.ts";
import { memberCells } from "./member_output.ts";

/** Writes an event, one line per field in alphabetical order. There is no newline at the end. */
export function eventInfo(event: StreamEvent): string {
  const lines = Object.entries({ Event: event.type, ...fields(event) })
    .sort(([a], [b]) => byteOrder(a, b))
    .map(([name, value]) => `\t${name}: ${goSyntax(value)}`);
  return ["Event Info:", ...lines].join("\n");
}

/**
 * Writes an event for a screen, likewise: text in quotes, a payload that is no text in hex, a line for each member. Nothing
 * in it can forge a line or steer the terminal.
 */
export function eventText(event: StreamEvent): string {
  const { Members: _, ...others } = fields(event);
  const shown: [string, GoValue][] = Object.entries({ Event: event.type, ...others });
  const lines = shown
    .sort(([a], [b]) => byteOrder(a, b))
    .map(([name, value]) =>
      `\t${name}: ${value instanceof Uint8Array ? text(value) : goSyntax(value)}`
    );
  const members = "members" in event ? event.members.map(memberLine) : [];
  return ["Event Info:", ...lines, ...members].join("\n");
}

function text(payload: Uint8Array): string {
  try {
    return goQuote(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload));
  } catch {
    // It is no text.
    return `0x${payload.toHex()}`;
  }
}

function memberLine(member: Member): string {
  const cells = memberCells(member, false).map(printable).filter((cell) => cell !== "");
  return `\tMember: ${cells.join("  ")}`;
}

function fields(event: StreamEvent): Record<string, GoValue> {
  switch (event.type) {
    case "user": {
      const { ltime, name, payload, coalesce } = event;
      return { LTime: ltime, Name: name, Payload: payload, Coalesce: coalesce };
    }
    case "query": {
      const { id, ltime, name, payload } = event;
      return { ID: id, LTime: ltime, Name: name, Payload: payload };
    }
    default:
      return { Members: event.members.map(memberFields) };
  }
}

function memberFields(member: Member): ReadonlyMap<string, GoValue> {
  return new Map<string, GoValue>([
    ["Name", member.name],
    ["Addr", addressBytes(member.addr)],
    ["Port", member.port],
    ["Tags", new Map(Object.entries(member.tags))],
    ["Status", member.status],
    ["ProtocolMin", member.protocolMin],
    ["ProtocolMax", member.protocolMax],
    ["ProtocolCur", member.protocolCur],
    ["DelegateMin", member.delegateMin],
    ["DelegateMax", member.delegateMax],
    ["DelegateCur", member.delegateCur],
  ]);
}

/** The bytes of an address that the client wrote as text; `null` when it had none. */
function addressBytes(text: string): Uint8Array | null {
  if (text === "") return null;
  return text.startsWith("?") ? Uint8Array.fromHex(text.slice(1)) : hostToAddr(text);
}
