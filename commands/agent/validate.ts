/**
 * `skein validate`: looks at the configuration of an agent without starting one.
 *
 * @module
 */

import { type Command, CommandError, defineCommand } from "../shell/command.ts";
import { goJson } from "../shell/format/gojson.ts";
import { checkFormat, formatFlag } from "../shell/output.ts";

/** Prints the merged configuration of some files and directories, or all that is wrong with it. */
export const command: Command = defineCommand({
  usage: "validate [options] FILE|DIR...",
  description: [
    "Checks configuration files as the agent would read them, in the given order, and prints the " +
    "merged configuration as JSON, defaults included, keys and tokens hidden. Of a directory, " +
    'every file ending in ".json" is read. Addresses are resolved, keyring and tags files are ' +
    "read, but nothing is opened or written.",
    "When something is wrong, all of it is printed, and the exit code is 1. Warnings go to " +
    "standard error.",
  ],
  flags: { format: formatFlag },
  operands: "files",
  arguments: { least: 1, few: "At least one file or directory to check must be specified." },
  async run({ values, args, terminal }) {
    checkFormat(values.format);
    // Loaded late, so that the help does not wait for the agent's code.
    const { checkConfig } = await import("../../server/config/load.ts");
    const { inspectConfig } = await import("../../server/run/inspection.ts");
    const { AGENT_OPTIONS } = await import("../../server/config/options/mod.ts");
    const { presented } = await import("../../server/config/options/values.ts");
    const { config, warnings, problems } = await checkConfig(args, {});
    for (const warning of warnings) await terminal.err(warning);
    const errors = [...problems.map(({ message }) => message), ...await inspectConfig(config)];
    if (errors.length > 0) {
      // An interface that is not there is found twice.
      const different = [...new Set(errors)];
      throw new CommandError(different.join("\n"), { details: { errors: different } });
    }
    await terminal.out(goJson(presented(AGENT_OPTIONS, config)));
    return 0;
  },
});
