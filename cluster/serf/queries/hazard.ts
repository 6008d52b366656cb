/**
 * Queries that end Serf 0.9.4 agents (docs/spec/serf.md 21.1 to 21.3). A skein agent survives them; it does not pass
 * them on.
 *
 * @module
 */

import type { Core } from "../core/core.ts";
import type { Query } from "../model/messages.ts";
import { KEY_QUERIES, LIST_KEYS_QUERY } from "../model/query_names.ts";
import { endsOldAgents } from "./key_list.ts";

/**
 * Queries that Serf 0.9.4 takes the first byte of the payload off, whether or not there is one (docs/spec/serf.md
 * 21.2).
 */
const NEED_PAYLOAD: readonly string[] = Object.values(KEY_QUERIES);

/** What is wrong with a query for Go agents; `undefined` when nothing is. */
export function hazardOf(core: Core, { Name, Payload, Filters }: Query): string | undefined {
  if ((Filters ?? []).some((filter) => (filter?.length ?? 0) === 0)) return "an empty filter";
  if (NEED_PAYLOAD.includes(Name) && (Payload?.length ?? 0) === 0) return "no payload";
  const { keyring } = core.config.memberlist;
  const tooMany = Name === LIST_KEYS_QUERY && keyring !== undefined && endsOldAgents(core, keyring);
  return tooMany ? "too many keys to answer with" : undefined;
}
