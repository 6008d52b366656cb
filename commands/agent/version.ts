/**
 * `skein version` (docs/spec/agent.md 7.16).
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import { type Command, defineCommand } from "../shell/command.ts";
import { formatFlag, printResult } from "../shell/output.ts";

/** Serf's protocol versions that skein speaks and understands (docs/spec/agent.md 7.16). */
const PROTOCOL = { current: 5, min: 2 } as const;

/** Prints the version of skein and the Serf protocol versions that it speaks. Other flags and arguments are ignored, as Serf does. */
export const command: Command = defineCommand({
  usage: "version [options]",
  description: ["Prints the version of skein and the versions of Serf's protocol that it speaks."],
  flags: { format: formatFlag },
  onlyFormat: true,
  async run({ values, terminal }) {
    const { version } = project;
    const { current, min } = PROTOCOL;
    const text = () => `${version}\nAgent Protocol: ${current} (Understands back to: ${min})`;
    await printResult(terminal, values.format, text, () => ({ version, protocol: PROTOCOL }));
    return 0;
  },
});
