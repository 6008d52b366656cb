/**
 * `skein keygen` (agent.md 7.7).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Command } from "./command.ts";
import { helpText } from "./help.ts";

/** AES-256, the strongest of the three key sizes that agents accept. */
const KEY_BYTES = 32;

/** Prints a new random encryption key. Arguments are ignored, as Serf does. */
export const command: Command = {
  help: helpText({
    usage: "keygen",
    description: [
      "Generates a new encryption key for the traffic between agents. The output is in the " +
      "format that the agent's -encrypt flag expects.",
    ],
  }),
  async run(_argv, terminal) {
    const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    await terminal.out(Buffer.from(key).toString("base64"));
    return 0;
  },
};
