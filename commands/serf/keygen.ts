/**
 * `skein keygen` (docs/spec/agent.md 7.7).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type Command, defineCommand } from "../shell/command.ts";
import { formatFlag, printResult } from "../shell/output.ts";

/** AES-256, the strongest of the three key sizes that agents accept. */
const KEY_BYTES = 32;

/** Prints a new random encryption key. Other flags and arguments are ignored, as Serf does. */
export const command: Command = defineCommand({
  usage: "keygen",
  description: [
    "Generates a new encryption key for the traffic between agents. The output is in the " +
    "format that the agent's -encrypt flag expects.",
  ],
  flags: { format: formatFlag },
  onlyFormat: true,
  async run({ values, terminal }) {
    const key = Buffer.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES))).toString("base64");
    await printResult(terminal, values.format, () => key, () => ({ key }));
    return 0;
  },
});
