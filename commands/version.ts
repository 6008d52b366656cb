/**
 * `skein version` (agent.md 7.16).
 *
 * @module
 */

import project from "../deno.json" with { type: "json" };
import type { Command } from "./command.ts";

/** Prints the version of skein and the Serf protocol versions that it speaks. Arguments are ignored. */
export const command: Command = {
  help: "",
  async run(_argv, terminal) {
    await terminal.out(`${project.version}\nAgent Protocol: 5 (Understands back to: 2)`);
    return 0;
  },
};
