/**
 * A note about names that no member has: what is asked of nobody succeeds, as in Serf, and looks like success.
 *
 * @module
 */

import type { RpcClient } from "../../../client/mod.ts";
import { printable } from "../../../protocol/quote.ts";
import { suggest } from "../../../server/config/suggest.ts";
import type { Terminal } from "../../shell/terminal.ts";

/** Tells on standard error which of `names` no member has. Nothing when the agent cannot tell. */
export async function tellUnknown(
  names: readonly string[],
  client: RpcClient,
  terminal: Terminal,
): Promise<void> {
  let members: string[];
  try {
    members = (await client.members()).map(({ name }) => name);
  } catch {
    // Whatever keeps the agent from telling, the command itself meets it and says so.
    return;
  }
  for (const name of new Set(names).difference(new Set(members))) {
    const suggestion = suggest(name, members);
    const hint = suggestion === undefined ? "" : `, did you mean '${printable(suggestion)}'?`;
    await terminal.err(`No member is called '${printable(name)}'${hint}`);
  }
}
