/**
 * `skein members` (docs/spec/agent.md 7.10).
 *
 * @module
 */

import { byteOrder } from "../../protocol/byte_order.ts";
import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags } from "../shell/connection.ts";
import { boolFlag, listFlag, stringFlag } from "../shell/flags.ts";
import { foreignOn } from "../shell/format/foreign.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import { tagsFromFlags } from "../shell/tag_values.ts";
import { requireStatus, STATUSES } from "./patterns.ts";
import { memberJson, memberTable } from "./show/member_output.ts";

/** Lists the members of a cluster, ordered by name; with `-watch`, again whenever they change. */
export const command: Command = defineCommand({
  usage: "members [options]",
  description: [
    "Lists the members of the cluster of a running agent. The filters are regular expressions " +
    "that must match the whole value; put alternatives in parentheses: '(a|b)'.",
  ],
  flags: {
    detailed: boolFlag("Also shows the protocol versions (text format only)."),
    format: formatFlag,
    name: stringFlag("REGEXP", "Only members of this name.", "members"),
    role: stringFlag("REGEXP", "Only members of this role. Deprecated: use -tag role=REGEXP."),
    status: stringFlag(
      "REGEXP",
      "Only members of this status: alive, leaving, left or failed.",
      STATUSES,
    ),
    tag: listFlag(
      "KEY=REGEXP",
      "Only members whose tag KEY matches. May be given many times; all must match. A member " +
        "without the tag has the empty value.",
    ),
    watch: boolFlag(
      "Goes on until Ctrl-C and shows every change: a terminal is redrawn, other output gets a " +
        "line for each change; with -format=json, one object per line.",
    ),
    ...connectionFlags,
  },
  jsonLines: "watch",
  async run({ values, json, terminal }) {
    const byRole = values.role ? [`role=${values.role}`] : [];
    if (values.role) {
      const notice = "Deprecation warning: 'Role' has been replaced with 'Tags'";
      await (json ? terminal.err(notice) : terminal.out(notice));
    }
    const tags = tagsFromFlags([...values.tag, ...byRole]);
    if (values.watch) checkFormat(values.format);
    await requireStatus(values.status ?? "");

    await using client = await connect(values);
    const filter = { tags, status: values.status ?? "", name: values.name ?? "" };
    const list = async () => {
      const members = await explain("Error retrieving members", client.members(filter));
      return members.sort((a, b) => byteOrder(a.name, b.name));
    };
    if (values.watch) {
      const { watchMembers } = await import("./show/members_watch.ts");
      return await watchMembers({ client, list, json, detailed: values.detailed, terminal });
    }
    const members = await list();
    const { detailed } = values;
    await printResult(
      terminal,
      values.format,
      () => memberTable(members, { detailed, color: terminal.color, foreign: foreignOn(terminal) }),
      () => ({ members: members.length === 0 ? null : members.map(memberJson) }),
    );
    return 0;
  },
});
