/**
 * `skein keygen` (docs/spec/agent.md 7.7).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Command } from "../shell/command.ts";
import { wantsJson } from "../shell/failure.ts";
import { goJson } from "../shell/format/gojson.ts";
import { helpText } from "../shell/help.ts";
import { formatFlag } from "../shell/output.ts";

/** AES-256, the strongest of the three key sizes that agents accept. */
const KEY_BYTES = 32;

const flags = { format: formatFlag } as const;

/** Prints a new random encryption key. Arguments are ignored, as Serf does. */
export const command: Command = {
  help: helpText({
    usage: "keygen",
    description: [
      "Generates a new encryption key for the traffic between agents. The output is in the " +
      "format that the agent's -encrypt flag expects.",
    ],
    flags,
  }),
  flags,
  async run(argv, terminal) {
    const key = Buffer.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES))).toString("base64");
    await terminal.out(wantsJson(argv) ? goJson({ key }) : key);
    return 0;
  },
};
