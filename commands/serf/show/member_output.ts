/**
 * Members in columns and as JSON (docs/spec/agent.md 7.10).
 *
 * @module
 */

import { styleText } from "node:util";
import type { Member } from "../../../client/mod.ts";
import { byteOrder } from "../../../protocol/byte_order.ts";
import { columns } from "../../shell/format/columns.ts";
import type { Foreign } from "../../shell/format/foreign.ts";
import type { GoJson } from "../../shell/format/gojson.ts";

/** How {@linkcode memberTable} looks. */
export interface TableOptions {
  /** Whether the protocol versions are shown. */
  readonly detailed: boolean;
  /** Whether the status has a colour. */
  readonly color: boolean;
  /** How names and tags are shown. */
  readonly foreign: Foreign;
}

const STATUS_COLUMN = 2;

const STATUS_COLORS: Readonly<Record<string, "green" | "yellow" | "red">> = {
  alive: "green",
  leaving: "yellow",
  left: "yellow",
  failed: "red",
};

/** Lays out members in columns, a line each. */
export async function memberTable(
  members: readonly Member[],
  { detailed, color, foreign }: TableOptions,
): Promise<string> {
  const rows = members.map((member) => memberCells(member, detailed).map(foreign.cell));
  return await columns(rows, {
    paint: color ? paintStatus : undefined,
    onScreen: foreign.onScreen,
  });
}

/** The cells of a member's line: name, address, status, tags and, when `detailed`, the protocol versions. */
export function memberCells(member: Member, detailed: boolean): string[] {
  const tags = Object.entries(member.tags).sort(([a], [b]) => byteOrder(a, b));
  return [
    member.name,
    address(member),
    member.status,
    tags.map(([key, value]) => `${key}=${value}`).join(","),
    ...(detailed
      ? [
        `Protocol Version: ${member.delegateCur}`,
        `Available Protocol Range: [${member.delegateMin}, ${member.delegateMax}]`,
      ]
      : []),
  ];
}

/** A member as the JSON output shows it. */
export function memberJson(member: Member): GoJson {
  return {
    name: member.name,
    addr: address(member),
    port: member.port,
    tags: new Map(Object.entries(member.tags)),
    status: member.status,
    protocol: new Map([
      ["max", member.delegateMax],
      ["min", member.delegateMin],
      ["version", member.delegateCur],
    ]),
  };
}

function paintStatus(cell: string, column: number): string {
  const style = column === STATUS_COLUMN ? STATUS_COLORS[cell] : undefined;
  return style === undefined ? cell : styleText(style, cell, { validateStream: false });
}

function address({ addr, port }: Member): string {
  return addr.includes(":") ? `[${addr}]:${port}` : `${addr}:${port}`;
}
