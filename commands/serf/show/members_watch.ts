/**
 * `skein members -watch`: the members, and every change of them.
 *
 * @module
 */

import { ConnectionClosedError, type Member, type RpcClient } from "../../../client/mod.ts";
import { CommandError, explain } from "../../shell/command.ts";
import { jsonError } from "../../shell/failure.ts";
import { foreignOn } from "../../shell/format/foreign.ts";
import { goJsonLine } from "../../shell/format/gojson.ts";
import { consume, interruption, stopQuietly, type StreamEnd } from "../../shell/streaming.ts";
import type { Terminal } from "../../shell/terminal.ts";
import { memberCells, memberJson, memberTable } from "./member_output.ts";

/** What a watch works with. */
export interface Watch {
  /** The connection whose member events tell when to look again. */
  readonly client: RpcClient;
  /** Lists the members to show, ordered by name. */
  readonly list: () => Promise<Member[]>;
  /** Whether each change is a JSON object. */
  readonly json: boolean;
  /** Whether the protocol versions are shown. */
  readonly detailed: boolean;
  /** Where to print. */
  readonly terminal: Terminal;
}

/** The event stream's filter for everything that happens to members (docs/spec/agent.md 4.1). */
const MEMBER_EVENTS = "member-join,member-leave,member-failed,member-update,member-reap";

const LOST = "Remote side ended the stream! This usually means that the\n" +
  "remote side has exited or crashed.";

/**
 * Shows the members until Ctrl-C, or until the agent goes away. Events only say when to ask again, so what is shown is
 * what the agent lists, filters included, even when events were lost.
 *
 * @returns The exit code: 0 after Ctrl-C, 1 when the agent went away.
 */
export async function watchMembers(watch: Watch): Promise<number> {
  const { client, list, json, terminal } = watch;
  const events = await explain("Error starting stream", client.stream(MEMBER_EVENTS));
  using interrupted = interruption();
  const show = terminal.screen !== undefined && !json ? screenView(watch) : lineView(watch);
  const follow = async () => {
    await show(await list());
    return await consume(events, async () => await show(await list()), terminal).catch(lost);
  };
  const end = await Promise.race([follow(), interrupted.promise]);
  if (end === "lost") {
    await terminal.out(json ? jsonError(LOST.replace("\n", " "), { oneLine: true }) : `\n${LOST}`);
    return 1;
  }
  await stopQuietly(events);
  return 0;
}

/** What the end of the connection is for a call that was under way. */
function lost(error: unknown): StreamEnd {
  if (error instanceof CommandError && error.cause instanceof ConnectionClosedError) return "lost";
  throw error;
}

/** Draws all members anew each time. What does not fit on the screen is counted. */
function screenView({ detailed, terminal }: Watch): (members: Member[]) => Promise<void> {
  const foreign = foreignOn(terminal);
  return async (members) => {
    const { rows = 24 } = terminal.screen ?? {};
    const { color } = terminal;
    const lines = members.length === 0
      ? ["(none)"]
      : (await memberTable(members, { detailed, color, foreign })).split("\n");
    const room = Math.max(rows - 4, 1);
    const shown = lines.length > room ? [...lines.slice(0, room - 1), more(lines, room)] : lines;
    const time = new Date().toTimeString().slice(0, 8);
    const title = `${members.length} members at ${time}${byStatus(members)}; Ctrl-C ends`;
    await terminal.redraw([title, "", ...shown].join("\n"));
  };
}

function more(lines: readonly string[], room: number): string {
  return `... and ${lines.length - room + 1} more`;
}

function byStatus(members: readonly Member[]): string {
  const counts = new Map<string, number>();
  for (const { status } of members) counts.set(status, (counts.get(status) ?? 0) + 1);
  const parts = [...counts].sort().map(([status, count]) => `${count} ${status}`);
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}

/** Prints the members first, then a line for each that came, changed or went. */
function lineView({ json, detailed, terminal }: Watch): (members: Member[]) => Promise<void> {
  let known: Map<string, { readonly member: Member; readonly text: string }> | undefined;
  const print = async (change: "present" | "added" | "changed" | "removed", member: Member) => {
    const time = new Date().toISOString();
    if (json) {
      await terminal.out(goJsonLine({ time, change, member: memberJson(member) }));
      return;
    }
    const cells = memberCells(member, detailed).filter((cell) => cell !== "");
    const past = change === "removed" ? ["(removed)"] : [];
    await terminal.out([time, ...cells, ...past].join("  "));
  };
  return async (members) => {
    const before = known;
    const now = new Map(members.map((member) => {
      return [member.name, { member, text: goJsonLine(memberJson(member)) }];
    }));
    known = now;
    if (before === undefined && !json) {
      const options = { detailed, color: false, foreign: foreignOn(terminal) };
      await terminal.out((await memberTable(members, options)).trim());
      return;
    }
    for (const [name, { member, text }] of now) {
      const old = before?.get(name)?.text;
      if (before === undefined) await print("present", member);
      else if (old === undefined) await print("added", member);
      else if (old !== text) await print("changed", member);
    }
    for (const [name, { member }] of before ?? []) {
      if (!now.has(name)) await print("removed", member);
    }
  };
}
