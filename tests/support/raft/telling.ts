/**
 * How a laboratory's record names things.
 *
 * @module
 */

import type { Configuration, Entry, Message } from "../../../cluster/raft/mod.ts";

/** Members, with their roles if they are no voters. */
export function showMembers(configuration: Configuration): string {
  return configuration.map(({ id, role }) => role === "voter" ? id : `${id}:${role}`).join(" ");
}

/** An entry. */
export function textOf({ index, term, type, data }: Entry): string {
  const text = type === "command"
    ? ` ${new TextDecoder().decode(data)}`
    : type === "configuration"
    ? " members"
    : ` ${type}`;
  return `${index}/${term}${text}`;
}

/** A message. */
export function showMessage(message: Message): string {
  const { type, term } = message;
  switch (message.type) {
    case "pre-vote":
      return `${type} term ${term} last ${message.lastIndex}/${message.lastTerm}`;
    case "vote":
      return `${type} term ${term} last ${message.lastIndex}/${message.lastTerm}` +
        (message.transfer ? " as asked" : "");
    case "pre-vote-reply":
    case "vote-reply":
      return `${type} term ${term} ${message.granted ? "yes" : "no"}`;
    case "append": {
      const { prevIndex, prevTerm, commit, round, entries } = message;
      const list = entries.length > 0 ? `: ${entries.map(textOf).join(", ")}` : "";
      return `${type} term ${term} after ${prevIndex}/${prevTerm} commit ${commit} round ${round}${list}`;
    }
    case "append-reply": {
      const { success, matchIndex, conflictIndex, conflictTerm, round } = message;
      const what = success ? `match ${matchIndex}` : `conflict ${conflictIndex}/${conflictTerm}`;
      return `${type} term ${term} ${what} round ${round}`;
    }
    case "install":
      return `${type} term ${term} snapshot ${message.snapshot.index} from byte ${message.offset}`;
    case "install-reply":
      return `${type} term ${term} snapshot ${message.index} ` +
        (message.installed ? "installed" : `next byte ${message.nextOffset}`);
    case "timeout-now":
      return `${type} term ${term}`;
  }
}
