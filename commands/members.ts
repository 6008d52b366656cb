/**
 * `skein members` (agent.md 7.10).
 *
 * @module
 */

import { styleText } from "node:util";
import type { Member } from "../client/mod.ts";
import { compareBytes } from "./byte_order.ts";
import { columns } from "./columns.ts";
import { type Command, defineCommand, explain } from "./command.ts";
import { connect, connectionFlags } from "./connection.ts";
import { boolFlag, listFlag, stringFlag } from "./flags.ts";
import type { GoJson } from "./gojson.ts";
import { formatFlag, formatOutput } from "./output.ts";
import { tagsFromFlags } from "./tag_values.ts";

/** Lists the members of a cluster, ordered by name. */
export const command: Command = defineCommand({
  usage: "members [options]",
  description: [
    "Lists the members of the cluster of a running agent. The filters are regular expressions " +
    "that must match the whole value; put alternatives in parentheses: '(a|b)'.",
  ],
  flags: {
    detailed: boolFlag("Also shows the protocol versions (text format only)."),
    format: formatFlag,
    name: stringFlag("REGEXP", "Only members of this name."),
    role: stringFlag("REGEXP", "Only members of this role. Deprecated: use -tag role=REGEXP."),
    status: stringFlag(
      "REGEXP",
      "Only members of this status: alive, leaving, left or failed.",
    ),
    tag: listFlag(
      "KEY=REGEXP",
      "Only members whose tag KEY matches. May be given many times; all must match. A member " +
        "without the tag has the empty value.",
    ),
    ...connectionFlags,
  },
  async run({ values, terminal }) {
    const byRole = values.role ? [`role=${values.role}`] : [];
    if (values.role) {
      await terminal.out("Deprecation warning: 'Role' has been replaced with 'Tags'");
    }
    const tags = tagsFromFlags([...values.tag, ...byRole]);
    await using client = await connect(values);
    const filter = { tags, status: values.status ?? "", name: values.name ?? "" };
    const members = await explain("Error retrieving members", client.membersFiltered(filter));
    members.sort((a, b) => compareBytes(a.name, b.name));
    const text = () => table(members, values.detailed, terminal.color);
    await terminal.out(formatOutput(values.format, text, () => json(members)));
    return 0;
  },
});

const STATUS_COLUMN = 2;

const STATUS_COLORS: Readonly<Record<string, "green" | "yellow" | "red">> = {
  alive: "green",
  leaving: "yellow",
  left: "yellow",
  failed: "red",
};

function table(members: readonly Member[], detailed: boolean, color: boolean): string {
  const rows = members.map((member) => [
    member.name,
    address(member),
    member.status,
    tagList(member.tags).map(([key, value]) => `${key}=${value}`).join(","),
    ...(detailed
      ? [
        `Protocol Version: ${member.delegateCur}`,
        `Available Protocol Range: [${member.delegateMin}, ${member.delegateMax}]`,
      ]
      : []),
  ]);
  return columns(rows, color ? paintStatus : undefined);
}

function paintStatus(cell: string, column: number): string {
  const style = column === STATUS_COLUMN ? STATUS_COLORS[cell] : undefined;
  return style === undefined ? cell : styleText(style, cell, { validateStream: false });
}

function tagList(tags: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(tags).sort(([a], [b]) => compareBytes(a, b));
}

function address({ addr, port }: Member): string {
  return addr.includes(":") ? `[${addr}]:${port}` : `${addr}:${port}`;
}

function json(members: readonly Member[]): GoJson {
  return {
    members: members.length === 0 ? null : members.map((member) => ({
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
    })),
  };
}
