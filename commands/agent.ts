/**
 * `skein agent` (agent.md 6 and 7.2).
 *
 * @module
 */

import type { ConfigInput } from "../server/config.ts";
import { AGENT_FLAGS } from "./agent_flags.ts";
import { type Command, CommandError, defineCommand } from "./command.ts";
import type { ParsedFlags } from "./flags.ts";
import { tagsFromFlags } from "./tag_values.ts";

/** What the agent puts before its own messages, also before those about wrong flags. */
const OUTPUT_PREFIX = "==> ";

/** Runs an agent until a signal or a `leave` ends it. */
export const command: Command = defineCommand({
  usage: "agent [options]",
  description: [
    "Starts an agent, one node of a cluster, and runs until an interrupt is received. Every " +
    "option but -config-file and -config-dir can also stand in a JSON configuration file; an " +
    "option on the command line comes last and wins.",
  ],
  flags: AGENT_FLAGS,
  outputPrefix: OUTPUT_PREFIX,
  outlivesReader: true,
  async run(parsed) {
    // Loaded late, so that help and wrong flags do not wait for the agent's code.
    const { runAgent } = await import("../server/run.ts");
    const input = { configPaths: configPaths(parsed), flags: configInput(parsed) };
    return await runAgent(input, {
      print: (text) => void parsed.terminal.out(text),
      printError: (text) => void parsed.terminal.err(text),
    });
  },
});

/** Files and directories are read in the order in which they were named. */
function configPaths(parsed: ParsedFlags<typeof AGENT_FLAGS>): string[] {
  return parsed.given.filter(([name]) => name === "config-file" || name === "config-dir")
    .map(([, path]) => path);
}

/** The flags under the names that they have in a configuration file (agent.md 6.2). */
function configInput({ values }: ParsedFlags<typeof AGENT_FLAGS>): ConfigInput {
  return withoutUndefined({
    bind: values.bind,
    advertise: values.advertise,
    interface: values.iface,
    mdns: withoutUndefined({
      interface: values["mdns-iface"],
      disable_ipv4: values["mdns-disable-ipv4"],
      disable_ipv6: values["mdns-disable-ipv6"],
    }),
    encrypt_key: values.encrypt,
    keyring_file: values["keyring-file"],
    event_handlers: [...values["event-handler"]],
    start_join: [...values.join],
    replay_on_join: values.replay,
    log_level: values["log-level"],
    node_name: values.node,
    protocol: values.protocol,
    role: values.role,
    rpc_addr: values["rpc-addr"],
    profile: values.profile,
    snapshot_path: values.snapshot,
    tags: tags(values.tag),
    discover: values.discover,
    tags_file: values["tags-file"],
    enable_syslog: values.syslog,
    retry_join: [...values["retry-join"]],
    retry_max_attempts: values["retry-max"],
    retry_interval: values["retry-interval"],
    rejoin_after_leave: values.rejoin,
    // Without the flag, the configuration file decides.
    enable_compression: values["disable-compression"] ? false : undefined,
    broadcast_timeout: values["broadcast-timeout"],
  });
}

/** Without the keys of flags that were not given. */
function withoutUndefined<T extends object>(
  input: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function tags(texts: readonly string[]): Record<string, string> {
  try {
    return tagsFromFlags(texts);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(OUTPUT_PREFIX + error.message);
  }
}
