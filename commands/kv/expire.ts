/**
 * `skein kv expire`.
 *
 * @module
 */

import { formatDuration } from "../../protocol/duration.ts";
import { type Command, CommandError, defineCommand } from "../shell/command.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, missing, namespaceOf, storeFlags, TTL_WANTED, ttlOf } from "./store.ts";

/** Has the value of a key go by itself. */
export const command: Command = defineCommand({
  usage: "kv expire [options] KEY DURATION",
  description: [
    'Has the value of KEY go by itself after DURATION, such as "30s" or "1h30m". Its revision stays.',
  ],
  flags: storeFlags,
  arguments: { least: 2, most: 2, few: "A key and a duration must be specified" },
  async run({ values, args: [key = "", duration = ""], terminal }) {
    checkFormat(values.format);
    const ttlMs = ttlOf(duration);
    if (ttlMs === undefined) {
      throw new CommandError(`Expected ${TTL_WANTED}, got '${duration}'`, { onStderr: true });
    }
    const isThere = await ask(values, (client) => client.expire(key, ttlMs, namespaceOf(values)));
    if (!isThere) throw missing(key);
    await printResult(
      terminal,
      values.format,
      () => `Goes in ${formatDuration(ttlMs)}`,
      () => ({ key, ttl_ms: ttlMs }),
    );
    return 0;
  },
});
