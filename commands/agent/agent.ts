/**
 * `skein agent` (docs/spec/agent.md 6 and 7.2).
 *
 * @module
 */

import type { ConfigInput } from "../../server/config/load.ts";
import { type Command, CommandError, defineCommand } from "../shell/command.ts";
import { variable } from "../shell/environment.ts";
import type { FlagTable, ParsedFlags } from "../shell/flags.ts";
import { AGENT_FLAGS, configInput, configPaths } from "./agent_flags.ts";

/** What the agent puts before its own messages, also before those about wrong flags. */
const OUTPUT_PREFIX = "==> ";

/** Runs an agent until a signal or a `leave` ends it. */
export const command: Command = defineCommand({
  usage: "agent [options]",
  description: [
    "Starts an agent, one node of a cluster, and runs until an interrupt is received. Every " +
    "option but -config-file and -config-dir can also stand in a JSON configuration file; an " +
    "option on the command line comes last and wins. skein validate checks such files, and " +
    "docs/CONFIGURATION.md explains every key.",
  ],
  flags: AGENT_FLAGS,
  outputPrefix: OUTPUT_PREFIX,
  outlivesReader: true,
  async run(parsed) {
    const input = {
      configPaths: configPaths(parsed),
      flags: flagInput(parsed),
      environment: { encryptKey: variable("SERF_ENCRYPT_KEY") },
    };
    // Loaded late, so that help and wrong flags do not wait for the agent's code.
    const { runAgent } = await import("../../server/run/run.ts");
    return await runAgent(input, {
      print(text) {
        parsed.terminal.out(text).catch(reportError);
      },
      printError(text) {
        parsed.terminal.err(text).catch(reportError);
      },
    });
  },
});

function flagInput(parsed: ParsedFlags<FlagTable>): ConfigInput {
  try {
    return configInput(parsed);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(OUTPUT_PREFIX + error.message, { hint: error.hint });
  }
}
